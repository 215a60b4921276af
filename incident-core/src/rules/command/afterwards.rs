//! What the commands of what comes after the fix carry.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::body::bodies;
use crate::model::afterwards::ActionKind;
use crate::model::afterwards::CauseKind;
use crate::model::afterwards::Section;
use crate::model::cause::CauseClass;
use crate::model::id::Digest;
use crate::model::id::Seq;
use crate::model::role::PersonId;
use crate::model::time::Time;
use crate::runbook::Priority;

bodies! {
    /// See [`Command::AssignPostMortem`](super::Command::AssignPostMortem).
    AssignPostMortem {
        /// Whose it shall be.
        owner: PersonId,
    }
    /// See [`Command::WriteSection`](super::Command::WriteSection).
    WriteSection {
        /// Which.
        section: Section,
        /// The words, in place of those before; lines and paragraphs are kept.
        text: String,
        /// The record of the version that was edited, as [`version_of`](crate::model::afterwards::Document::version_of)
        /// says it; 0 if nobody wrote the section yet.
        based_on: Seq,
    }
    /// See [`Command::FindCause`](super::Command::FindCause).
    FindCause {
        /// The cause that this one explains; none if it explains the incident itself.
        under: Option<Seq>,
        /// What.
        statement: String,
        /// Whether it caused it, or contributed.
        kind: CauseKind,
        /// Which class of cause it is.
        class: Option<CauseClass>,
    }
    /// See [`Command::LinkEvidence`](super::Command::LinkEvidence).
    LinkEvidence {
        /// The record of the cause or the hypothesis.
        to: Seq,
        /// Evidence that was kept, by its SHA-256.
        evidence: Vec<Digest>,
        /// Records of this incident.
        records: Vec<Seq>,
    }
    /// See [`Command::RequestReview`](super::Command::RequestReview).
    RequestReview {
        /// Who shall read it.
        reviewers: Vec<PersonId>,
    }
    /// See [`Command::PublishPostMortem`](super::Command::PublishPostMortem).
    PublishPostMortem {
        /// Where it can be read.
        link: Option<String>,
        /// The SHA-256 of the document.
        sha256: Digest,
        /// The last record it tells of.
        up_to: Seq,
        /// Why it is published although it lacks what the runbook wants; none lets that refuse.
        override_because: Option<String>,
    }
    /// See [`Command::DecideDocumentation`](super::Command::DecideDocumentation).
    DecideDocumentation {
        /// The step's id in the runbook.
        step: String,
        /// The action item that brings it up to date; none if that isn't needed.
        action: Option<Seq>,
        /// Why it isn't needed; none if there is an action item.
        not_needed: Option<String>,
    }
    /// See [`Command::ScheduleMeeting`](super::Command::ScheduleMeeting).
    ScheduleMeeting {
        /// When it begins, UTC.
        starts_at: Time,
        /// How long it takes; none takes the length of the runbook's agenda.
        length: Option<Duration>,
        /// Who shall come; nobody means everybody who responded.
        invitees: Vec<PersonId>,
        /// Where: a room, or a link.
        place: Option<String>,
    }
    /// See [`Command::HoldMeeting`](super::Command::HoldMeeting).
    HoldMeeting {
        /// Who was there.
        attendees: Vec<PersonId>,
    }
    /// See [`Command::AddAction`](super::Command::AddAction).
    AddAction {
        /// What.
        what: String,
        /// What it is good for.
        kind: Option<ActionKind>,
        /// How urgent.
        priority: Priority,
        /// Whose.
        owner: Option<PersonId>,
        /// By when, UTC; none takes the runbook's time for the priority.
        due: Option<Time>,
    }
    /// See [`Command::AssignAction`](super::Command::AssignAction).
    AssignAction {
        /// The record that added it.
        action: Seq,
        /// Whose it shall be; none leaves it as it is.
        owner: Option<PersonId>,
        /// By when, UTC; none leaves it as it is.
        due: Option<Time>,
    }
    /// See [`Command::CompleteAction`](super::Command::CompleteAction).
    CompleteAction {
        /// The record that added it.
        action: Seq,
        /// What came of it.
        outcome: String,
    }
}

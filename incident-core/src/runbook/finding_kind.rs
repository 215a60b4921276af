//! What a post-mortem may lack, by name: a runbook says what keeps it from being published.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::model::afterwards::Section;

macro_rules! kinds {
    ($($(#[$doc:meta])* $kind:ident => $section:ident, $what:literal, $then:literal;)*) => {
        /// What a post-mortem may lack.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
        #[serde(rename_all = "snake_case")]
        #[non_exhaustive]
        pub enum FindingKind { $($(#[$doc])* $kind,)* }

        impl FindingKind {
            /// Every kind, in the order of the document.
            pub const ALL: &'static [Self] = &[$(Self::$kind),*];

            /// The section to mend.
            #[must_use]
            pub fn section(self) -> Section {
                match self { $(Self::$kind => Section::$section,)* }
            }

            /// Whether it can keep a document from being published: what only the whole log shows can't, and what only
            /// publishing mends can't.
            #[must_use]
            pub fn may_block(self) -> bool {
                !matches!(self, Self::UpdateGap | Self::TimelineHole | Self::Recurrence | Self::Outdated)
            }

            /// What is wrong, and what to do.
            pub(crate) fn words(self) -> (&'static str, &'static str) {
                match self { $(Self::$kind => ($what, $then),)* }
            }
        }
    };
}

kinds! {
    /// It isn't over yet.
    Resolution => Summary, "The incident isn't resolved", "finish the response first";
    /// Nobody knows when it began.
    Start => Detection, "The start isn't known", "correct the first record's time";
    /// Nobody assessed the impact.
    Impact => Impact, "The impact isn't assessed", "assess it, users and failed requests at least";
    /// Nobody counted what it did.
    ImpactUnknown => Impact, "Nothing of the impact is counted",
        "assess users, their share, failed requests, money or minutes of the objective";
    /// Nobody wrote what set it off.
    Trigger => Trigger, "No trigger is named", "write what set it off, or that nothing did";
    /// Neither a cause was found nor a possible one confirmed.
    Cause => RootCause, "No cause is named", "confirm a hypothesis, or answer the first why";
    /// The whys weren't asked.
    Whys => RootCause, "Nobody asked why", "answer why it happened, and why that, five times";
    /// Nothing shows a cause.
    CauseEvidence => RootCause, "Nothing shows a cause",
        "link evidence or the records that show it";
    /// A possible cause is neither confirmed nor ruled out.
    Hypothesis => RootCause, "A hypothesis is undecided", "confirm it, or rule it out";
    /// A cause section names somebody.
    Name => RootCause, "A person is named among the causes", "name the role instead";
    /// Nothing that was done held, and no fix was deployed.
    Mitigation => Resolution, "Nothing that was done held, and no fix is deployed",
        "record the fix, and say how it ended";
    /// Nobody led.
    Commander => Roles, "Nobody had command", "assign the role, even afterwards";
    /// An update came later than promised, or never.
    UpdateGap => Communication, "Updates were further apart than promised", "write why";
    /// Nothing is on the timeline for long.
    TimelineHole => Timeline, "The timeline has a hole", "note what happened then, with its time";
    /// Nobody wrote what went well.
    WentWell => WentWell, "What went well isn't written", "write it";
    /// Nobody wrote what could be better.
    CouldBeBetter => CouldBeBetter, "What could be better isn't written", "write it";
    /// Nobody wrote where we were lucky.
    Lucky => Lucky, "Where we were lucky isn't written", "write it";
    /// It happened before.
    Recurrence => Actions, "The same happened before", "see which action items were to prevent it";
    /// Nothing is to be done afterwards.
    Actions => Actions, "There are no action items",
        "add one, or write into the section why nothing has to change";
    /// An action item has no owner.
    ActionOwner => Actions, "An action item has no owner", "name one, in its ticket if it has one";
    /// An action item has no ticket although the incident has one.
    ActionTicket => Actions, "An action item has no ticket", "file it by hand, or add it again";
    /// Nobody said what an action item is good for.
    ActionKind => Actions, "An action item doesn't say what it is good for",
        "say whether it prevents, mitigates, detects or is about working together";
    /// Nobody decided whether documentation has to be brought up to date.
    Documentation => Documentation, "Documentation is undecided",
        "name the action item, or say why none is needed";
    /// The review meeting is neither announced nor held.
    Meeting => Meeting, "The review meeting isn't announced", "schedule it";
    /// The review meeting is announced for later than promised.
    MeetingLate => Meeting, "The review meeting is later than promised", "move it";
    /// No evidence was kept.
    Evidence => Evidence, "No evidence is kept",
        "preserve logs, metrics and traces before they expire, and note where";
    /// Nobody was asked to read it.
    Review => Summary, "Nobody was asked to review it", "request a review";
    /// What people wrote changed after it was published.
    Outdated => Summary, "It changed since it was published", "publish it again";
}

impl fmt::Display for FindingKind {
    /// The name, as the runbook writes it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.serialize(f)
    }
}

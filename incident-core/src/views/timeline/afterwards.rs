//! What comes after the fix, in words.

use super::describe::Teller;
use super::words::{clock, list};
use crate::log::event::{
    ActionAdded, ActionAssigned, ActionTicketSeen, CauseFound, DocumentationDecided, EvidenceLinked, Fact,
    MeetingScheduled, PostMortemPublished, Record,
};
use crate::model::afterwards::{CauseKind, Decision};
use crate::model::id::Seq;
use crate::model::ticket::TicketState;
use crate::model::time::spoken;
use crate::runbook::finding_kind::FindingKind;

impl Teller<'_> {
    /// What a record of what comes after the fix says; nothing for any other.
    pub(super) fn afterwards(&self, record: &Record) -> String {
        match &record.fact {
            Fact::PostMortemAssigned(it) => format!("The post-mortem is {}'s to write", it.owner),
            Fact::SectionWritten(it) => match it.based_on {
                Seq::ZERO => format!("Post-mortem, section “{}” written", it.section),
                before => format!("Post-mortem, section “{}” written again, after {before}", it.section),
            },
            Fact::CauseFound(it) => self.cause(record.seq, it),
            Fact::EvidenceLinked(it) => linked(it),
            Fact::ReviewRequested(it) => format!("Post-mortem in review, by {}", list(&it.reviewers)),
            Fact::ReviewReturned(it) => format!("Post-mortem back in writing: {}", self.words(it.because)),
            Fact::PostMortemPublished(it) => self.published(it),
            Fact::DocumentationDecided(it) => self.decided(it),
            Fact::MeetingScheduled(it) => self.meeting(it),
            Fact::MeetingCancelled(it) => format!("Review meeting called off: {}", self.words(it.because)),
            Fact::MeetingHeld(it) => format!("Review meeting held with {}", list(&it.attendees)),
            Fact::ActionAdded(it) => self.added(it),
            Fact::ActionAssigned(it) => self.assigned(it),
            Fact::ActionCompleted(it) => {
                format!("Action item {} done: {}", self.action(it.action), self.words(it.outcome))
            }
            Fact::ActionTicketSeen(it) => self.ticket_seen(it),
            _ => String::new(),
        }
    }

    fn cause(&self, seq: Seq, it: &CauseFound) -> String {
        let class = it.class.map_or_else(String::new, |class| format!(" ({class})"));
        let kind = match it.kind {
            CauseKind::Cause => "Cause",
            CauseKind::Contributing => "Contributing factor",
        };
        let under = it.under.map_or_else(String::new, |under| format!(" of {under}"));
        format!("{kind} {seq}{under}{class}: {}", self.words(it.statement))
    }

    fn published(&self, it: &PostMortemPublished) -> String {
        let lacking: Vec<String> = it.overridden.iter().map(FindingKind::to_string).collect();
        let lacking = if lacking.is_empty() {
            String::new()
        } else {
            format!(", although it lacks: {}", lacking.join(", "))
        };
        let because = self.because(it.because);
        format!("Post-mortem published, up to {} (SHA-256 {}){lacking}{because}", it.up_to, it.sha256)
    }

    fn decided(&self, it: &DocumentationDecided) -> String {
        match it.decision {
            Decision::Action(action) => {
                format!("Documentation, {}: action item {}", it.step, self.action(action))
            }
            Decision::NotNeeded(reason) => {
                format!("Documentation, {}: not needed, {}", it.step, self.words(reason))
            }
        }
    }

    fn meeting(&self, it: &MeetingScheduled) -> String {
        let place = it.place.as_ref().map_or_else(String::new, |place| format!(", {place}"));
        let (starts, length) = (clock(it.starts_at, self.now), spoken(it.length));
        format!("Review meeting on {starts}, {length}{place}, with {}", list(&it.invitees))
    }

    fn added(&self, it: &ActionAdded) -> String {
        let owner = it.owner.as_ref().map_or("nobody yet", |owner| owner.as_str());
        let kind = it.kind.map_or_else(String::new, |kind| format!("{kind}, "));
        let (priority, due) = (it.priority, clock(it.due, self.now));
        format!("Action item ({kind}{priority}, {owner}, due {due}): {}", self.words(it.what))
    }

    fn assigned(&self, it: &ActionAssigned) -> String {
        let owner = it.owner.as_ref().map(|owner| format!("{owner}'s"));
        let due = it.due.map(|due| format!("due {}", clock(due, self.now)));
        format!("Action item {} is {} now", self.action(it.action), list(owner.into_iter().chain(due)))
    }

    /// An action item by its number and its words.
    fn action(&self, action: Seq) -> String {
        let known = self.log.incident.actions.get(&action);
        let what = known.map_or_else(String::new, |it| format!(" “{}”", self.log.words(action, it.what)));
        format!("{action}{what}")
    }

    fn ticket_seen(&self, it: &ActionTicketSeen) -> String {
        let state = match it.shows.state {
            TicketState::Open => "open",
            TicketState::Closed => "closed",
            TicketState::Gone => "gone",
        };
        let owner = it.shows.owner.as_ref().map(|owner| format!("with {owner}"));
        let due = it.shows.due.map(|due| format!("due {}", clock(due, self.now)));
        let shows = list(std::iter::once(state.to_owned()).chain(owner).chain(due));
        format!("The ticket of action item {} is {shows}", self.action(it.action))
    }
}

fn linked(it: &EvidenceLinked) -> String {
    let digests = it.evidence.iter().map(|digest| format!("evidence {}", digest.short()));
    let records = it.records.iter().map(Seq::to_string);
    format!("{} is shown by {}", it.to, list(digests.chain(records)))
}

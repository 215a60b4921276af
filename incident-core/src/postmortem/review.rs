//! The weekly review of action items, over many incidents.

use std::fmt::{self, Write};
use std::time::Duration;

use serde::Serialize;

use super::seconds;
use crate::log::incident::{Action, Incident};
use crate::model::afterwards::ActionKind;
use crate::model::id::{IncidentId, Seq};
use crate::model::inert;
use crate::model::obligation::ObligationKind;
use crate::model::severity::Severity;
use crate::model::side::Side;
use crate::model::ticket::{TicketRef, TicketState};
use crate::model::time::{Time, since, spoken, stamp};
use crate::runbook::{Priority, Runbook};

/// What became of the action items of many incidents since the last review. Drills are left out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct FollowUpReview {
    /// When the last review was, UTC.
    pub since: Time,
    /// When this one is, UTC.
    pub at: Time,
    /// What is late, the latest first.
    pub overdue: Vec<FollowUp>,
    /// What is open and not late, the next due first.
    pub open: Vec<FollowUp>,
    /// What was done since the last review, in order.
    pub done: Vec<FollowUp>,
    /// What of the open and the late has no owner, or no date that people see: its ticket is gone. It is in those lists, too.
    pub adrift: Vec<FollowUp>,
}

/// An action item in a review.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct FollowUp {
    /// The incident.
    pub incident: IncidentId,
    /// What it was called, in one inert line of plain text.
    pub title: String,
    /// How bad it was at last.
    pub severity: Severity,
    /// The record that added the item.
    pub record: Seq,
    /// What, in one inert line of plain text.
    pub what: String,
    /// What it is good for.
    pub kind: Option<ActionKind>,
    /// How urgent.
    pub priority: Priority,
    /// Whose, by name.
    pub owner: Option<String>,
    /// By when, UTC.
    pub due: Time,
    /// How late it is.
    #[serde(serialize_with = "seconds::maybe")]
    #[cfg_attr(feature = "schema", schemars(with = "Option<u64>"))]
    pub late: Option<Duration>,
    /// How often it was chased.
    pub chased: u32,
    /// Its ticket.
    pub ticket: Option<TicketRef>,
    /// Whether its ticket is no longer there.
    pub ticket_gone: bool,
    /// When it was known to be done, UTC.
    pub done_at: Option<Time>,
}

impl FollowUpReview {
    /// The review at `at` of everything that `incidents` left to do; what was done is from `since` on.
    ///
    /// Names come from `runbook`. The same states always give the same review.
    #[must_use]
    pub fn of<'a>(
        incidents: impl IntoIterator<Item = &'a Incident>,
        runbook: &Runbook,
        since: Time,
        at: Time,
    ) -> Self {
        let mut review =
            Self { since, at, overdue: Vec::new(), open: Vec::new(), done: Vec::new(), adrift: Vec::new() };
        let live = incidents.into_iter().filter(|incident| incident.side == Side::Live);
        for item in live.flat_map(|incident| items(incident, runbook, at)) {
            if item.done_at.is_none() && (item.owner.is_none() || item.ticket_gone) {
                review.adrift.push(item.clone());
            }
            match item.done_at {
                Some(done) if done > since => review.done.push(item),
                Some(_) => {}
                None if item.late.is_some() => review.overdue.push(item),
                None => review.open.push(item),
            }
        }
        for items in [&mut review.overdue, &mut review.open, &mut review.adrift] {
            items.sort_by_key(|item| (item.due, item.incident, item.record));
        }
        review.done.sort_by_key(|item| (item.done_at, item.incident, item.record));
        review
    }

    /// The review as Markdown; the same review always gives the same text.
    #[must_use]
    pub fn to_markdown(&self) -> String {
        let mut out = String::new();
        // Writing to a string can't fail.
        let _ = self.write(&mut out);
        out
    }

    fn write(&self, out: &mut String) -> fmt::Result {
        writeln!(out, "# Action items, {}\n", stamp(self.at))?;
        writeln!(out, "- Late: {}", self.overdue.len())?;
        writeln!(out, "- Open: {}", self.open.len())?;
        writeln!(out, "- Done since {}: {}", stamp(self.since), self.done.len())?;
        writeln!(out, "- Without an owner or a date: {}", self.adrift.len())?;
        let lists = [
            ("Late", &self.overdue),
            ("Without an owner or a date", &self.adrift),
            ("Open", &self.open),
            ("Done", &self.done),
        ];
        for (title, items) in lists.into_iter().filter(|(_, items)| !items.is_empty()) {
            writeln!(out, "\n## {title}\n")?;
            items.iter().try_for_each(|item| line(item, out))?;
        }
        Ok(())
    }
}

fn items<'a>(
    incident: &'a Incident,
    runbook: &'a Runbook,
    at: Time,
) -> impl Iterator<Item = FollowUp> + use<'a> {
    incident.actions.iter().map(move |(seq, action)| item(incident, *seq, action, runbook, at))
}

fn item(incident: &Incident, record: Seq, it: &Action, runbook: &Runbook, at: Time) -> FollowUp {
    let name = |owner| runbook.persons.get(owner).map_or(owner.as_str(), |person| person.name.as_str());
    let owed = incident.obligation(ObligationKind::FollowUp(record));
    FollowUp {
        incident: incident.id,
        title: inert::line(incident.title_words()),
        severity: incident.severity,
        record,
        what: inert::line(incident.texts.get(it.what)),
        kind: it.kind,
        priority: it.priority,
        owner: it.owner.as_ref().map(|owner| inert::line(name(owner))),
        due: it.due,
        late: (!it.done && it.due < at).then(|| since(at, it.due)),
        chased: owed.map_or(0, |owed| owed.missed),
        ticket: it.ticket.clone(),
        ticket_gone: it.seen.as_ref().is_some_and(|seen| seen.state == TicketState::Gone),
        done_at: it.done_at,
    }
}

fn line(it: &FollowUp, out: &mut String) -> fmt::Result {
    let text = inert::markdown;
    let owner = it.owner.as_ref().map_or_else(|| "no owner".to_owned(), |owner| text(owner));
    let kind = it.kind.map_or_else(String::new, |kind| format!("{kind}, "));
    let when = match (it.done_at, it.late) {
        (Some(done), _) => format!("done {}", stamp(done)),
        (None, Some(late)) => {
            format!("due {}, {} late, chased {} times", stamp(it.due), spoken(late), it.chased)
        }
        (None, None) => format!("due {}", stamp(it.due)),
    };
    let ticket = match (&it.ticket, it.ticket_gone) {
        (None, _) => "no ticket".to_owned(),
        (Some(ticket), false) => text(ticket.as_str()),
        (Some(ticket), true) => format!("{}, which is gone", text(ticket.as_str())),
    };
    let (what, title, incident, record) = (text(&it.what), text(&it.title), it.incident, it.record);
    let (priority, severity) = (it.priority, it.severity);
    writeln!(
        out,
        "- Do: {what} – {owner}, {kind}{priority}, {when}, {ticket} ({severity}: {title}, `{incident}` [{record}])"
    )
}

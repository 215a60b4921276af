//! What the engine does, in words.

use super::log::Log;
use super::words::{capital, clock, list};
use crate::log::event::{EffectFailed, EffectPlanned, EffectSettled, EffectStarted, EffectUnclear};
use crate::model::effect::{Applied, LinkTo, Outcome, Receipt, Start, TicketWork, Work};
use crate::model::id::Seq;
use crate::model::time::Time;

impl Log<'_> {
    pub(super) fn planned(&self, fact: &EffectPlanned, now: Time) -> String {
        let instead = fact.instead_of.map_or_else(String::new, |other| format!(", instead of {other}"));
        let from = fact.begins_at.map_or_else(String::new, |from| format!("starts {}, ", clock(from, now)));
        let until = clock(fact.expires_at, now);
        format!("Queued: {} ({from}expires {until}{instead})", self.to_do(&fact.work, &fact.route))
    }

    pub(super) fn started(&self, fact: &EffectStarted) -> String {
        let how = match fact.how {
            Start::Call => "",
            Start::Look => ", after looking whether it happened",
            Start::CallMarked => ", marked as a possible repeat",
        };
        format!("Started (attempt {}{how}): {}", fact.attempt, self.effect(fact.effect))
    }

    pub(super) fn failed(&self, fact: &EffectFailed, now: Time) -> String {
        let maybe = if fact.applied == Applied::Maybe { ", may have happened" } else { "" };
        let (again, what) = (clock(fact.retry_at, now), self.effect(fact.effect));
        format!("Failed (attempt {}{maybe}), next attempt {again}: {what} – {}", fact.attempt, fact.error)
    }

    pub(super) fn unclear(&self, fact: &EffectUnclear, now: Time) -> String {
        let (again, what) = (clock(fact.look_at, now), self.effect(fact.effect));
        let state = if fact.pending { "In progress" } else { "Outcome unknown" };
        format!("{state} (attempt {}), next look {again}: {what}", fact.attempt)
    }

    pub(super) fn settled(&self, fact: &EffectSettled) -> String {
        let what = || self.effect(fact.effect);
        match &fact.outcome {
            Outcome::Done(receipt) => self.done(fact.effect, receipt),
            Outcome::Refused { error } => format!("Gave up: {} – {error}", what()),
            Outcome::Expired => format!("Expired: {}", what()),
            Outcome::Superseded { by } => format!("Cancelled (see {by}): {}", what()),
            Outcome::HandedToPerson { why } => format!("Needs a person: {} – {why}", what()),
        }
    }

    fn done(&self, effect: Seq, receipt: &Receipt) -> String {
        let attempt = self.attempts(effect).map_or_else(String::new, |it| format!(" (attempt {it})"));
        let left_out = match receipt.degraded.as_slice() {
            [] => String::new(),
            degraded => format!("; left out: {}", list(degraded)),
        };
        match self.work(effect) {
            Some((Work::Notify(it), route)) => {
                let kind = capital(&it.kind.to_string());
                let audiences = list(&it.audiences);
                format!("{kind} to {audiences} delivered via {route}{attempt}{left_out}")
            }
            _ if receipt.reference.is_empty() => {
                format!("Done{attempt}: {}{left_out}", self.effect(effect))
            }
            _ => format!("Done{attempt}: {} – {}{left_out}", self.effect(effect), receipt.reference),
        }
    }

    fn effect(&self, effect: Seq) -> String {
        self.work(effect).map_or_else(|| format!("effect {effect}"), |(work, route)| self.to_do(work, route))
    }

    fn to_do(&self, work: &Work, route: &str) -> String {
        match work {
            Work::Notify(it) => {
                format!("{} {} to {} via {route}", it.kind, it.notice, list(&it.audiences))
            }
            Work::Ticket(it) => match it {
                TicketWork::Open => format!("open the ticket in {route}"),
                TicketWork::Comment(record) => format!("comment {record} on the ticket"),
                TicketWork::Comments(records) => format!("comment {} on the ticket", list(records)),
                TicketWork::Sync => "update the ticket".to_owned(),
                TicketWork::Close(_) => "close the ticket".to_owned(),
                TicketWork::Reopen(_) => "reopen the ticket".to_owned(),
                TicketWork::FollowUp(action) => {
                    format!("open the ticket of action item {action} in {route}")
                }
                TicketWork::CloseFollowUp(action) => format!("close the ticket of action item {action}"),
                TicketWork::Link(LinkTo::Incident { other, relation }) => {
                    format!("link the ticket: {relation} incident {other}")
                }
                TicketWork::Link(LinkTo::FollowUp(action)) => {
                    format!("link the ticket to that of action item {action}")
                }
            },
            Work::Plan(proposal) => format!("plan with {route}: {}", self.mitigation(*proposal)),
            Work::Execute(proposal) => format!("carry out with {route}: {}", self.mitigation(*proposal)),
            Work::Verify(proposal) => format!("verify with {route}: {}", self.mitigation(*proposal)),
            Work::Collect => format!("collect evidence from {route}"),
            Work::ReadTickets => format!("read the tickets of action items on {route}"),
            Work::Merge(other) => format!("merge incident {other} into this one"),
        }
    }
}

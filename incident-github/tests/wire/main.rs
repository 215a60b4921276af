//! What goes over the wire and what is made of the answers, against a GitHub that follows its documentation.

#![allow(clippy::unwrap_used, reason = "helpers of tests fail as tests do")]

mod changes;
mod connecting;
#[path = "../fake/mod.rs"]
mod fake;
mod limits;
mod looking;
mod moving;
mod preflight;
mod reading;
mod storm;
mod text;
mod tickets;

use std::time::Duration;

use fake::{Fake, t0};
use incident_core::model::id::{EffectId, IncidentId, Seq};
use incident_core::model::ticket::{CommentTicket, OpenTicket, TicketChange, TicketRef};
use incident_core::port::{EffectContext, ReadContext};
use incident_github::{GithubBackend, GithubTracker};

fn effect(number: u64) -> EffectId {
    EffectId { incident: IncidentId::new(t0(), [7; 16]), seq: Seq(number) }
}

/// The first attempt of an effect.
fn first(number: u64) -> EffectContext {
    EffectContext::new(effect(number), t0())
}

/// The attempt after one of which no word came back.
fn again(number: u64) -> EffectContext {
    first(number).with_attempt(2, t0())
}

fn reading() -> ReadContext {
    ReadContext::new(effect(0).incident, t0())
}

fn tracker(fake: &Fake) -> GithubTracker {
    GithubBackend::connect(fake.config()).unwrap().into_tracker()
}

fn ticket(number: u64) -> TicketRef {
    TicketRef::new(&format!("acme/shop#{number}"))
}

fn opening() -> TicketChange {
    TicketChange::Open(OpenTicket::new("[INCIDENT] checkout is slow", "Severity: SEV2").with_labels(labels()))
}

fn labels() -> Vec<String> {
    vec!["incident".to_owned(), "sev2".to_owned()]
}

fn comment(number: u64, words: &str) -> TicketChange {
    TicketChange::Comment(CommentTicket::new(ticket(number), words))
}

/// The numbers of the lines `line 7 …` in a text, in order.
fn numbers(text: &str) -> Vec<u64> {
    let lines = text.lines().filter_map(|line| line.strip_prefix("- ").unwrap_or(line).strip_prefix("line "));
    lines.map(|rest| rest.split(' ').next().unwrap().parse().unwrap()).collect()
}

/// A deadline that is over soon, also where a machine has much else to do.
const HASTE: Duration = Duration::from_secs(3);

//! Wrong trackers. Everything that was done to a ticket is an arrival; its text begins with the ticket and what was done.

use std::sync::Arc;

use async_trait::async_trait;
use incident_core::conformance::backend::{Arrival, Backend as _};
use incident_core::conformance::fake::REMEMBERS;
use incident_core::conformance::tracker::{self, TrackerHarness};
use incident_core::model::effect::Receipt;
use incident_core::model::ticket::{Ticket, TicketChange, TicketRef};
use incident_core::port::{
    Adapter, AdapterError, Capabilities, EffectContext, Found, Preflight, PreflightContext, ReadContext,
    Repeat, Tracker,
};

use crate::caught;
use crate::line::{Line, Own, Wrong};

#[derive(Debug)]
struct Tracking(Line);

/// What was done to a ticket, oldest first: the verb, and the words.
async fn done_to(line: &Line, ticket: &str) -> Vec<(String, String)> {
    let arrivals = line.inbox().await.into_iter();
    let of_it = arrivals.filter_map(|it| Some(it.text.strip_prefix(ticket)?.strip_prefix(' ')?.to_owned()));
    of_it
        .filter_map(|it| it.split_once(' ').map(|(verb, words)| (verb.to_owned(), words.to_owned())))
        .collect()
}

/// As people type it, but so that it does nothing.
fn inert(text: &str) -> String {
    text.chars().filter(|it| !it.is_control() && *it != '\u{202e}').collect::<String>().replace('@', "(at)")
}

#[async_trait]
impl Adapter for Tracking {
    fn capabilities(&self) -> Capabilities {
        Capabilities::new("wrong")
    }

    async fn preflight(&self, _: &PreflightContext) -> Result<Preflight, AdapterError> {
        self.0.preflight().await.map(|()| Preflight::default())
    }
}

#[async_trait]
impl Tracker for Tracking {
    fn repeat(&self, _: &TicketChange) -> Repeat {
        self.0.repeat
    }

    async fn apply(&self, cx: &EffectContext, change: &TicketChange) -> Result<Receipt, AdapterError> {
        let opened = cx.effect.to_string();
        let ticket = change.ticket().map_or(&*opened, TicketRef::as_str);
        let (verb, words) = match change {
            TicketChange::Open(it) => ("open", format!("{} {}", it.title, it.body)),
            TicketChange::Comment(it) => ("comment", it.body.clone()),
            TicketChange::Set(it) => ("status", it.status.clone()),
            TicketChange::Close(it) => ("close", it.comment.clone()),
            TicketChange::Reopen(it) => ("reopen", it.comment.clone()),
            _ => ("other", String::new()),
        };
        let words = if self.0.wrong.is(Own::LetsTextThrough) { words } else { inert(&words) };
        self.0.send(cx, Arrival::new(Some(cx.effect), &format!("{ticket} {verb} {words}"))).await?;
        Ok(Receipt::new(ticket))
    }

    async fn find(&self, cx: &EffectContext, change: &TicketChange) -> Result<Found<Receipt>, AdapterError> {
        if self.0.wrong.is(Own::FindsNoComments) && matches!(change, TicketChange::Comment(_)) {
            return Ok(Found::No);
        }
        let opened = cx.effect.to_string();
        let ticket = change.ticket().map_or(&*opened, TicketRef::as_str);
        self.0.finds(cx.effect, Receipt::new(ticket)).await
    }

    async fn read(&self, _: &ReadContext, tickets: &[TicketRef]) -> Result<Vec<Ticket>, AdapterError> {
        let mut read = Vec::new();
        for ticket in tickets {
            let done = done_to(&self.0, ticket.as_str()).await;
            let last = done.iter().rev().find(|(verb, _)| matches!(&**verb, "open" | "close" | "reopen"));
            if let Some((verb, _)) = last {
                let open = verb != "close" || self.0.wrong.is(Own::ReadsEverythingAsOpen);
                read.push(Ticket::new(ticket.clone(), open, "checkout is slow"));
            }
        }
        Ok(read)
    }
}

#[async_trait]
impl TrackerHarness for Line {
    async fn tracker(&self) -> Arc<dyn Tracker> {
        Arc::new(Tracking(self.clone()))
    }

    async fn people_write(&self, ticket: &TicketRef, words: &str) -> bool {
        self.remote.write(Arrival::new(None, &format!("{} by-hand {words}", ticket.as_str()))).await.is_ok()
    }

    async fn text(&self, ticket: &TicketRef) -> String {
        let mut done = done_to(self, ticket.as_str()).await;
        let status = done.iter().rposition(|(verb, _)| verb == "status");
        let wipes = self.wrong.is(Own::ReplacesWhatPeopleWrote) && status.is_some();
        let mut at = 0;
        done.retain(|(verb, _)| {
            at += 1;
            (verb != "status" || Some(at - 1) == status) && !(wipes && verb == "by-hand")
        });
        if self.wrong.is(Own::TakesItBackToFront) {
            done.reverse();
        }
        done.into_iter().map(|(_, words)| words + "\n").collect()
    }
}

#[tokio::test(start_paused = true)]
async fn a_tracker_that_keeps_every_promise_passes() {
    for repeat in [Repeat::Native { within: REMEMBERS }, Repeat::Lookup, Repeat::Converging, Repeat::Visible]
    {
        tracker::check(|| Line::new(Wrong::Nothing, repeat)).await.assert();
    }
}

#[tokio::test(start_paused = true)]
async fn each_wrong_tracker_is_caught_and_its_defect_named() {
    for (wrong, case, names) in [
        (Wrong::ForgetsTheId, "a_ticket_is_opened_once_with_its_id", "0 carry the effect's id"),
        (Wrong::SendsAgain, "a_write_is_sent_once", "2 requests to write reached the backend"),
        (Wrong::IgnoresTheWait, "a_wait_is_passed_on", "asked to wait for 17s, and the error says Some(0ns)"),
        (Wrong::AsksToRetryARefusal, "a_refusal_is_final", "said no for good, and it asks for a retry"),
        (Wrong::LeaksIntoErrors, "no_secret_is_shown", "the secret is in the error after Break"),
        (Wrong::LeaksIntoDebug, "no_secret_is_shown", "the secret is in Debug"),
        (Wrong::LeaksIntoTheLog, "no_secret_is_shown", "the secret is in a log"),
        (
            Wrong::SaysNothingHappened,
            "a_lost_reply_opens_one_ticket",
            "says that nothing happened, and it may have",
        ),
        (Wrong::SaysNothingHappened, "what_may_have_happened_is_said_to", "says that nothing happened"),
        (Wrong::FindsNothing, "a_lost_reply_opens_one_ticket", "there are 2 tickets"),
        (Wrong::FindsNothing, "a_late_answer_is_a_lost_one", "there are 2 tickets"),
        (Wrong::FindsNothing, "a_look_that_can_not_know_says_so", "says No of what was opened"),
        (Wrong::Own(Own::FindsNoComments), "a_lost_reply_opens_one_ticket", "there are 2 comments"),
        (Wrong::IgnoresTheDeadline, "a_deadline_is_kept", "the call was given 400ms and went on"),
        (Wrong::PretendsItWorked, "a_lost_reply_opens_one_ticket", "the call says it was done"),
        (Wrong::WritesInPreflight, "preflight_writes_nothing", "preflight wrote something"),
        (Wrong::Own(Own::LetsTextThrough), "hostile_text_stays_text", "hostile text gets through"),
        (Wrong::Own(Own::TakesItBackToFront), "comments_keep_their_order", "comments changed places"),
        (
            Wrong::Own(Own::ReplacesWhatPeopleWrote),
            "only_what_is_named_is_touched",
            "what somebody wrote is gone",
        ),
        (
            Wrong::Own(Own::ReadsEverythingAsOpen),
            "what_is_read_back_is_so",
            "it is closed, and read otherwise",
        ),
    ] {
        let report = tracker::check(|| Line::new(wrong, Repeat::Lookup)).await;
        caught(&report, wrong, case, names);
    }
}

//! Looking whether a change was already made: in the lists, and more than once, for they lag.

use std::time::Duration;

use incident_core::model::effect::Receipt;
use incident_core::model::ticket::{OpenTicket, TicketChange};
use incident_core::model::time::{Time, before};
use incident_core::port::{AdapterError, EffectContext, Found};
use serde_json::Value;
use tokio::time::{Instant, sleep_until};

use super::comment::{SKEW, is_by, of};
use super::open::{dropped, parts, wishes};
use super::place::Place;
use super::{GithubTracker, Turn, link};
use crate::call::Call;
use crate::text;

/// Pages of issues that a look reads at most.
const MOST_PAGES: usize = 20;

impl GithubTracker {
    /// Looks until the change is found, or what isn't listed by then wasn't made.
    pub(super) async fn look(
        &self,
        call: &Call,
        cx: &EffectContext,
        change: &TicketChange,
    ) -> Result<Found<Receipt>, AdapterError> {
        let begun = Instant::now();
        for wait in [Duration::ZERO, self.lag / 5, self.lag] {
            if begun + wait >= call.ends() {
                return Ok(Found::CannotTell);
            }
            sleep_until(begun + wait).await;
            match self.look_once(call, cx, change).await? {
                Found::No => {}
                found => return Ok(found),
            }
        }
        Ok(Found::No)
    }

    async fn look_once(
        &self,
        call: &Call,
        cx: &EffectContext,
        change: &TicketChange,
    ) -> Result<Found<Receipt>, AdapterError> {
        match change {
            TicketChange::Open(it) => self.look_for_issue(call, cx, it).await,
            TicketChange::Set(it) => {
                let mut place = self.place(call, cx, &it.ticket).await?;
                self.is_set(call, &mut place, it).await
            }
            TicketChange::Close(it) => {
                let place = self.place(call, cx, &it.ticket).await?;
                self.look_for_turn(call, cx, place, Turn::from(it), &it.comment).await
            }
            TicketChange::Reopen(it) => {
                let place = self.place(call, cx, &it.ticket).await?;
                self.look_for_turn(call, cx, place, Turn::Reopen, &it.comment).await
            }
            TicketChange::Comment(it) => {
                let place = self.place(call, cx, &it.ticket).await?;
                self.look_for_words(call, cx, place, &text::lines(&it.body)).await
            }
            TicketChange::Link(it) => {
                let place = self.place(call, cx, &it.ticket).await?;
                self.look_for_words(call, cx, place, &link(it)).await
            }
            _ => Ok(Found::CannotTell),
        }
    }

    /// The issue that carries the effect's marker. The list goes from the newest one back to before the effect began, so
    /// whatever is opened meanwhile hides nothing. It isn't narrowed to our account: that filter spells Apps otherwise, and
    /// what it left out would look like what isn't there.
    async fn look_for_issue(
        &self,
        call: &Call,
        cx: &EffectContext,
        it: &OpenTicket,
    ) -> Result<Found<Receipt>, AdapterError> {
        let (found, whole) = self.opened(call, cx).await?;
        // Should there be two, the older one has what people wrote since.
        let found = found.into_iter().find_map(|seen| Some((self.named(&seen)?, seen)));
        let Some((issue, seen)) = found else {
            return Ok(if whole { Found::No } else { Found::CannotTell });
        };
        let place = Place::new(issue);
        let mut receipt = place.receipt(&seen);
        receipt.degraded = dropped(&wishes(it), &seen);
        let parts = parts(it).len();
        if parts > 1 {
            let said = self.said(call, &place, cx.effect, cx.first_started).await?;
            let missing = (2..=parts).filter(|part| !said.parts.contains_key(part));
            receipt
                .degraded
                .extend(missing.map(|part| format!("part {part} of {parts} of its text is missing")));
        }
        Ok(Found::Yes(receipt))
    }

    /// The issues that carry the effect's marker, the oldest first, and whether all were looked at that could.
    pub(super) async fn opened(
        &self,
        call: &Call,
        cx: &EffectContext,
    ) -> Result<(Vec<Value>, bool), AdapterError> {
        let account = self.client.account(call).await?;
        let earliest = before(cx.first_started, SKEW);
        let is_older = |item: &Value| created(item).is_some_and(|at| at < earliest);
        let path = self.repository.path("/issues?state=all&sort=created&direction=desc");
        let listed = self.client.list(call, &path, MOST_PAGES, is_older).await?;
        let is_ours = |item: &Value| {
            // Pull requests are in the same list.
            item.get("pull_request").is_none() && is_by(item, account) && of(item, cx.effect).is_some()
        };
        let mut ours: Vec<Value> = listed.items.into_iter().filter(is_ours).collect();
        ours.sort_by_key(|item| item["number"].as_u64());
        Ok((ours, listed.whole))
    }

    /// All parts of what the effect says.
    async fn look_for_words(
        &self,
        call: &Call,
        cx: &EffectContext,
        mut place: Place,
        lines: &[String],
    ) -> Result<Found<Receipt>, AdapterError> {
        match self.find_at(call, &mut place).await? {
            Some(_) => self.has_words(call, cx, &place, lines).await,
            None => Ok(Found::No),
        }
    }

    async fn has_words(
        &self,
        call: &Call,
        cx: &EffectContext,
        place: &Place,
        lines: &[String],
    ) -> Result<Found<Receipt>, AdapterError> {
        let said = self.said(call, place, cx.effect, cx.first_started).await?;
        let all = (1..=text::paragraphs(lines).len()).all(|part| said.parts.contains_key(&part));
        Ok(match said.parts.get(&1) {
            Some(first) if all => Found::Yes(place.receipt(first)),
            _ if said.whole => Found::No,
            _ => Found::CannotTell,
        })
    }

    /// What the effect says, and the issue's state. With the words alone it isn't done yet: applied again, it says nothing
    /// twice.
    async fn look_for_turn(
        &self,
        call: &Call,
        cx: &EffectContext,
        mut place: Place,
        turn: Turn,
        why: &str,
    ) -> Result<Found<Receipt>, AdapterError> {
        match self.find_at(call, &mut place).await? {
            Some(seen) if seen["state"] == turn.state() => {
                self.has_words(call, cx, &place, &text::lines(why)).await
            }
            _ => Ok(Found::No),
        }
    }
}

fn created(item: &Value) -> Option<Time> {
    item["created_at"].as_str()?.parse().ok()
}

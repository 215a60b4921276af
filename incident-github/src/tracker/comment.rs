//! Comments, in as many parts as they need, each there once.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use http::Method;
use incident_core::model::effect::Receipt;
use incident_core::model::id::EffectId;
use incident_core::model::time::{Time, before};
use incident_core::port::{AdapterError, EffectContext};
use serde_json::{Value, json};

use super::GithubTracker;
use super::place::Place;
use crate::call::Call;
use crate::error::Purpose;
use crate::marker::Marker;
use crate::reference::is_same_account;
use crate::text;

/// Pages of comments that a look reads at most.
const MOST_PAGES: usize = 20;
/// How far our clock and GitHub's may be apart.
pub(super) const SKEW: std::time::Duration = std::time::Duration::from_secs(300);

/// What of an effect's comments is there.
pub(super) struct Said {
    /// The comments, by which part they are.
    pub(super) parts: BTreeMap<usize, Value>,
    /// Whether all comments were looked at that it could be among.
    pub(super) whole: bool,
}

impl GithubTracker {
    /// Appends `lines`. What of them an earlier attempt has appended isn't appended again.
    pub(super) async fn say(
        &self,
        call: &Call,
        cx: &EffectContext,
        place: &mut Place,
        lines: &[String],
    ) -> Result<Receipt, AdapterError> {
        let mut said = BTreeMap::new();
        if cx.attempt > 1 {
            self.look_at(call, place).await?;
            said = self.said(call, place, cx.effect, cx.first_started).await?.parts;
        }
        let mut doubt = !said.is_empty();
        for (number, part) in (1..).zip(text::paragraphs(lines)) {
            if let Entry::Vacant(missing) = said.entry(number) {
                let made = self.say_part(call, place, &part, Marker::new(cx.effect).part(number)).await;
                missing.insert(made.map_err(|error| if doubt { error.maybe_applied() } else { error })?);
                doubt = true;
            }
        }
        Ok(place.receipt(said.get(&1).unwrap_or(&Value::Null)))
    }

    /// Appends one comment.
    pub(super) async fn say_part(
        &self,
        call: &Call,
        place: &mut Place,
        part: &str,
        marker: Marker,
    ) -> Result<Value, AdapterError> {
        let body = json!({ "body": format!("{part}\n\n{}", marker.line()) });
        let answer = self.change(call, place, Method::POST, "/comments", Some(&body)).await?;
        answer.accepted(call, Purpose::Write)?.json(call, Purpose::Write)
    }

    /// Looks which of an effect's comments are there.
    pub(super) async fn said(
        &self,
        call: &Call,
        place: &Place,
        effect: EffectId,
        since: Time,
    ) -> Result<Said, AdapterError> {
        let account = self.client.account(call).await?;
        let since = before(since, SKEW).format("%Y-%m-%dT%H:%M:%SZ");
        let path = place.issue.path(&format!("/comments?since={since}"));
        let listed = self.client.list(call, &path, MOST_PAGES, |_| false).await?;
        let ours = listed.items.into_iter().filter(|comment| is_by(comment, account));
        let parts = ours.filter_map(|comment| Some((of(&comment, effect)?.part, comment)));
        // Should one be there twice, the first is the one that people answered to.
        let parts = parts.fold(BTreeMap::new(), |mut parts, (part, comment)| {
            parts.entry(part).or_insert(comment);
            parts
        });
        Ok(Said { parts, whole: listed.whole })
    }
}

/// Whether `item` was written by `account`.
pub(super) fn is_by(item: &Value, account: &str) -> bool {
    item["user"]["login"].as_str().is_some_and(|login| is_same_account(login, account))
}

/// The marker of `item`, if it is of `effect`.
pub(super) fn of(item: &Value, effect: EffectId) -> Option<Marker> {
    Marker::read(item["body"].as_str()?).filter(|marker| marker.effect == effect)
}

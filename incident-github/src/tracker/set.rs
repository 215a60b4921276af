//! The section of the body that is ours, and labels by name.

use http::{Method, StatusCode};
use incident_core::model::effect::Receipt;
use incident_core::model::ticket::SetTicket;
use incident_core::port::{AdapterError, ErrorKind, Found};
use serde_json::{Value, json};

use super::GithubTracker;
use super::open::{dropped, encoded};
use super::place::Place;
use crate::call::Call;
use crate::error::Purpose;
use crate::{label, status, text};

/// The least room for the section, in characters.
const LEAST: usize = 200;

/// What there is to do.
struct Changes {
    body: Option<String>,
    add: Vec<String>,
    remove: Vec<String>,
}

impl GithubTracker {
    /// Brings the section and the named labels to the wished state. What is so already isn't written.
    pub(super) async fn set(
        &self,
        call: &Call,
        place: &mut Place,
        it: &SetTicket,
    ) -> Result<Receipt, AdapterError> {
        let seen = self.look_at(call, place).await?;
        let changes = changes(call, &seen, it)?;
        let mut receipt = place.receipt(&seen);
        let mut doubt = false;
        let made = self.make(call, place, &changes, &mut doubt, &mut receipt.degraded).await;
        made.map_err(|error| if doubt { error.maybe_applied() } else { error })?;
        Ok(receipt)
    }

    /// Whether everything is as `it` wishes.
    pub(super) async fn is_set(
        &self,
        call: &Call,
        place: &mut Place,
        it: &SetTicket,
    ) -> Result<Found<Receipt>, AdapterError> {
        let Some(seen) = self.find_at(call, place).await? else { return Ok(Found::No) };
        let left = changes(call, &seen, it)?;
        let is_so = left.body.is_none() && left.add.is_empty() && left.remove.is_empty();
        Ok(if is_so { Found::Yes(place.receipt(&seen)) } else { Found::No })
    }

    /// Writes what there is to change; `doubt` says whether something of it was.
    async fn make(
        &self,
        call: &Call,
        place: &mut Place,
        changes: &Changes,
        doubt: &mut bool,
        degraded: &mut Vec<String>,
    ) -> Result<(), AdapterError> {
        if let Some(body) = &changes.body {
            let body = json!({ "body": body });
            let answer = self.change(call, place, Method::PATCH, "", Some(&body)).await?;
            answer.accepted(call, Purpose::Write)?;
            *doubt = true;
        }
        let add = self.labels_there(call, place.repository(), &changes.add, degraded).await?;
        if !add.is_empty() {
            let body = json!({ "labels": add });
            let answer = self.change(call, place, Method::POST, "/labels", Some(&body)).await?;
            let labels = self.labelled(call, answer)?.json(call, Purpose::Write)?;
            degraded.extend(dropped(&body, &json!({ "labels": labels })));
            *doubt = true;
        }
        for name in &changes.remove {
            let label = format!("/labels/{}", encoded(name));
            let answer = self.change(call, place, Method::DELETE, &label, None).await?;
            if answer.status != StatusCode::NOT_FOUND {
                answer.accepted(call, Purpose::Write)?;
            }
            *doubt = true;
        }
        Ok(())
    }
}

fn changes(call: &Call, seen: &Value, it: &SetTicket) -> Result<Changes, AdapterError> {
    let body = seen["body"].as_str().unwrap_or_default();
    let room = text::MOST.saturating_sub(status::others(body));
    if room < LEAST {
        let full = "people's own text leaves no room for the status; shorten it";
        return Err(call.error(ErrorKind::TooLarge, full));
    }
    let wished = status::replaced(body, &text::list_within(&text::lines(&it.status), room));
    let labels: Vec<&str> =
        seen["labels"].as_array().into_iter().flatten().filter_map(|it| it["name"].as_str()).collect();
    let has = |name: &str| labels.iter().any(|there| label::is_same(there, name));
    let add = it.add_labels.iter().map(|name| label::name(name)).filter(|name| !has(name)).collect();
    let is_kept = |name: &str| it.add_labels.iter().any(|kept| label::is_same(kept, name));
    let goes = |name: &&&str| it.remove_labels.iter().any(|it| label::is_same(it, name)) && !is_kept(name);
    let remove = labels.iter().filter(goes).map(|name| (*name).to_owned()).collect();
    Ok(Changes { body: (wished != body).then_some(wished), add, remove })
}

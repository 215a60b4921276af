//! A webhook as it is documented, read in one pass. Anything else is left to the lenient reader.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;

use chrono::DateTime;
use incident_core::model::signal::{Detection, Signal};
use incident_core::model::time::Time;
use serde::Deserialize;
use serde::de::{Deserializer, IgnoredAny, MapAccess, Visitor};

use super::text::{Text, TextOrNull};
use super::{SUMMARIES, Webhook, is_web};
use crate::limits::Limits;

#[derive(Deserialize)]
struct Body<'a> {
    #[serde(borrow)]
    alerts: Vec<Alert<'a>>,
    #[serde(borrow, default)]
    receiver: TextOrNull<'a>,
    #[serde(borrow, default, rename = "groupKey")]
    group_key: TextOrNull<'a>,
    #[serde(default, rename = "truncatedAlerts")]
    truncated: Option<u64>,
}

#[derive(Deserialize)]
struct Alert<'a> {
    #[serde(borrow)]
    status: Text<'a>,
    #[serde(default)]
    labels: Option<BTreeMap<String, String>>,
    #[serde(borrow, default)]
    annotations: Option<Summary<'a>>,
    #[serde(borrow, default, rename = "startsAt")]
    started: TextOrNull<'a>,
    #[serde(borrow, default, rename = "endsAt")]
    ended: TextOrNull<'a>,
    #[serde(borrow, default, rename = "generatorURL")]
    link: TextOrNull<'a>,
    #[serde(borrow, default)]
    fingerprint: TextOrNull<'a>,
}

/// Reads a body; none if anything in it is odd.
pub(super) fn read(text: &str, limits: &Limits) -> Option<Webhook> {
    let body: Body<'_> = serde_json::from_str(text).ok()?;
    if body.alerts.len() > limits.alerts {
        return None;
    }
    let signals = body.alerts.into_iter().map(|alert| alert.into_signal(limits));
    Some(Webhook {
        signals: signals.collect::<Option<_>>()?,
        truncated: body.truncated.unwrap_or_default(),
        receiver: body.receiver.within(limits)?,
        group_key: body.group_key.within(limits)?,
        notes: Vec::new(),
    })
}

impl Alert<'_> {
    fn into_signal(self, limits: &Limits) -> Option<Signal> {
        let labels = self.labels.unwrap_or_default();
        let long = |(name, value): (&String, &String)| name.len().max(value.len()) > limits.text;
        if labels.len() > limits.labels || labels.iter().any(long) {
            return None;
        }
        let summary = match self.annotations.and_then(|it| it.0) {
            Some(text) if text.0.len() > limits.text => return None,
            Some(text) => text.0.into_owned(),
            None => labels.get("alertname").cloned().unwrap_or_default(),
        };
        let mut signal = Signal::firing(&self.fingerprint.within(limits)?, &summary, Detection::MetricAlert);
        match &*self.status.0 {
            "firing" => {}
            "resolved" => {
                signal = signal.resolved();
                signal.ended_at = time(&self.ended)?;
            }
            _ => return None,
        }
        signal.started_at = time(&self.started)?;
        signal.link = match self.link.0 {
            Some(link) if link.0.len() > limits.text => return None,
            link => link.map(|link| link.0).filter(|link| is_web(link)).map(Cow::into_owned),
        };
        signal.labels = labels;
        // Senders that give no fingerprint still repeat their alerts.
        signal.fingerprint = signal.identity();
        Some(signal)
    }
}

/// A time; Go writes the year 1 for one that isn't known.
fn time(text: &TextOrNull<'_>) -> Option<Option<Time>> {
    let Some(text) = text.0.as_ref().filter(|text| !text.0.is_empty()) else { return Some(None) };
    let time = DateTime::parse_from_rfc3339(&text.0).ok()?.to_utc();
    Some(Some(time).filter(|time| *time > Time::UNIX_EPOCH))
}

/// Of an object of texts the one that says best what is wrong.
struct Summary<'a>(Option<Text<'a>>);

impl<'de: 'a, 'a> Deserialize<'de> for Summary<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(SummaryVisitor)
    }
}

struct SummaryVisitor;

impl<'de> Visitor<'de> for SummaryVisitor {
    type Value = Summary<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object of texts")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut best: Option<(usize, Text<'de>)> = None;
        while let Some(name) = map.next_key::<Text<'_>>()? {
            let Some(rank) = SUMMARIES.iter().position(|known| *known == name.0) else {
                map.next_value::<IgnoredAny>()?;
                continue;
            };
            let text = map.next_value::<Text<'_>>()?;
            if !text.0.is_empty() && best.as_ref().is_none_or(|(other, _)| rank < *other) {
                best = Some((rank, text));
            }
        }
        Ok(Summary(best.map(|(_, text)| text)))
    }
}

//! A webhook that isn't as documented: what can be read of each alert is taken, and what can't is noted.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;

use chrono::DateTime;
use incident_core::model::id::Digest;
use incident_core::model::inert;
use incident_core::model::signal::{Detection, Signal};
use incident_core::model::time::Time;
use serde::Deserialize;
use serde::de::{Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;

use super::repair::repaired;
use super::{SUMMARIES, Webhook, is_web};
use crate::error::WebhookError;
use crate::limits::Limits;

/// The labels that are kept whatever else an alert has: what it is, how bad, and where.
const KEPT: [&str; 4] = ["alertname", "severity", "service", "job"];
/// What a character was that couldn't be read.
const UNREADABLE: char = '\u{fffd}';

pub(super) fn read(body: &[u8], limits: &Limits) -> Result<Webhook, WebhookError> {
    let json = repaired(body);
    let whole: &RawValue = serde_json::from_str(&json).map_err(|error| WebhookError::syntax(body, &error))?;
    let expected = |field, expected| WebhookError::Field { field, expected };
    let fields = Fields::of(whole).ok_or(expected("the body", "an object"))?;
    let mut webhook = Webhook::default();
    let mut lists = fields.all("alerts").peekable();
    if lists.peek().is_none() {
        return Err(expected("alerts", "a list of alerts"));
    }
    for list in lists {
        let alerts: Option<Vec<&RawValue>> =
            serde_json::from_str(list.get()).map_err(|_| expected("alerts", "a list of alerts"))?;
        for alert in alerts.unwrap_or_default() {
            if webhook.signals.len() < limits.alerts {
                webhook.signals.push(signal(alert, limits));
            } else {
                webhook.truncated += 1;
            }
        }
    }
    if webhook.truncated > 0 {
        let note = format!("alerts: only the first {} are taken", limits.alerts);
        webhook.notes.push(note);
    }
    webhook.receiver = beside(&fields, "receiver", limits, &mut webhook.notes);
    webhook.group_key = beside(&fields, "groupKey", limits, &mut webhook.notes);
    if let Some(raw) = fields.get("truncatedAlerts") {
        match Value::of(raw) {
            Value::Null => {}
            value => match value.text().parse::<u64>() {
                Ok(count) => webhook.truncated = webhook.truncated.saturating_add(count),
                Err(_) => webhook.notes.push("truncatedAlerts: expected a number, 0 or more".to_owned()),
            },
        }
    }
    Ok(webhook)
}

/// A text beside the alerts.
fn beside(fields: &Fields<'_>, name: &str, limits: &Limits, notes: &mut Vec<String>) -> String {
    match fields.get(name).map(Value::of) {
        None | Some(Value::Null) => String::new(),
        Some(Value::Text(text)) => inert::clip(&text, limits.text),
        Some(_) => {
            notes.push(format!("{name}: expected a text"));
            String::new()
        }
    }
}

/// One alert. What can't be read at all fires, because somebody must look at it.
fn signal(raw: &RawValue, limits: &Limits) -> Signal {
    let Some(fields) = Fields::of(raw) else {
        let digest = Digest::of(&[raw.get().as_bytes()]).to_string();
        let signal = Signal::firing(&digest, "an alert that can't be read", Detection::MetricAlert);
        return signal.with_note("the alert: expected an object");
    };
    let mut alert = Alert { limits, notes: Vec::new() };
    let labels = alert.labels(&fields);
    let summary = alert.summary(&fields).or_else(|| labels.get("alertname").cloned()).unwrap_or_default();
    let fingerprint = alert.text(&fields, "fingerprint").unwrap_or_default();
    let fingerprint = if fingerprint.len() > limits.text {
        Digest::of(&[fingerprint.as_bytes()]).to_string()
    } else {
        fingerprint
    };
    let mut signal = Signal::firing(&fingerprint, &summary, Detection::MetricAlert);
    if alert.is_resolved(&fields) {
        signal = signal.resolved();
        signal.ended_at = alert.time(&fields, "endsAt");
    }
    signal.started_at = alert.time(&fields, "startsAt");
    signal.link = alert.link(&fields);
    if labels.values().chain([&summary]).any(|text| text.contains(UNREADABLE)) {
        alert.notes.push("some characters can't be read".to_owned());
    }
    signal.labels = labels;
    signal.fingerprint = signal.identity();
    signal.notes = alert.notes;
    signal
}

/// One alert that is being read.
struct Alert<'l> {
    limits: &'l Limits,
    notes: Vec<String>,
}

impl Alert<'_> {
    fn note(&mut self, note: impl Into<String>) {
        self.notes.push(note.into());
    }

    /// An alert is over only if it says so itself.
    fn is_resolved(&mut self, fields: &Fields<'_>) -> bool {
        let status = self.text(fields, "status").unwrap_or_default();
        let status = status.trim();
        let resolved = status.eq_ignore_ascii_case("resolved");
        if !resolved && !status.eq_ignore_ascii_case("firing") {
            self.note("status: expected \"firing\" or \"resolved\"; taken as firing");
        }
        resolved
    }

    fn labels(&mut self, fields: &Fields<'_>) -> BTreeMap<String, String> {
        let mut labels = BTreeMap::new();
        let Some(of) = self.object(fields, "labels") else { return labels };
        let (mut shortened, mut left_out) = (false, 0_usize);
        for (name, raw) in of.0 {
            let Some(value) = self.value(raw, || "a label".to_owned()) else { continue };
            if labels.len() >= self.limits.labels && !KEPT.contains(&&*name) {
                left_out += 1;
                continue;
            }
            shortened |= name.len().max(value.len()) > self.limits.text;
            labels.insert(inert::clip(&name, self.limits.text), inert::clip(&value, self.limits.text));
        }
        if shortened {
            self.note("a label is shortened");
        }
        if left_out > 0 {
            self.note(format!("{left_out} labels are left out"));
        }
        labels
    }

    /// The annotation that says best what is wrong.
    fn summary(&mut self, fields: &Fields<'_>) -> Option<String> {
        let of = self.object(fields, "annotations")?;
        let text = SUMMARIES.iter().find_map(|name| {
            let value = self.value(of.get(name)?, || format!("annotation {name}"))?;
            Some(value).filter(|value| !value.is_empty())
        })?;
        if text.len() > self.limits.text {
            self.note("the summary is shortened");
        }
        Some(inert::clip(&text, self.limits.text))
    }

    fn link(&mut self, fields: &Fields<'_>) -> Option<String> {
        let link = self.text(fields, "generatorURL")?;
        // Half a link leads nowhere.
        if link.len() > self.limits.text {
            self.note("generatorURL: too long, left out");
            return None;
        }
        is_web(&link).then_some(link)
    }

    /// When something happened, if that is said beyond doubt.
    fn time(&mut self, fields: &Fields<'_>, name: &str) -> Option<Time> {
        let text = self.text(fields, name).filter(|text| !text.trim().is_empty())?;
        let time = point_in_time(text.trim());
        if time.is_none() {
            self.note(format!("{name}: expected a time with its zone, as in RFC 3339; it is unknown"));
        }
        time.filter(|time| *time > Time::UNIX_EPOCH)
    }

    fn object<'r>(&mut self, fields: &Fields<'r>, name: &str) -> Option<Fields<'r>> {
        let raw = fields.get(name)?;
        let object = Fields::of(raw);
        if object.is_none() && !matches!(Value::of(raw), Value::Null) {
            self.note(format!("{name}: expected an object of texts"));
        }
        object
    }

    /// A field that should be a text; null is as good as none.
    fn text(&mut self, fields: &Fields<'_>, name: &str) -> Option<String> {
        match Value::of(fields.get(name)?) {
            Value::Null => None,
            Value::Text(text) => Some(text.into_owned()),
            Value::Other(text) => {
                self.note(format!("{name}: expected a text"));
                Some(text.to_owned())
            }
        }
    }

    /// What is in a label or an annotation, which should be a text. `what` names it.
    fn value(&mut self, raw: &RawValue, what: impl FnOnce() -> String) -> Option<String> {
        match Value::of(raw) {
            Value::Text(text) => Some(text.into_owned()),
            Value::Null => {
                let note = format!("{} is null", what());
                self.note(note);
                None
            }
            Value::Other(text) => {
                let note = format!("{}: expected a text", what());
                self.note(note);
                Some(text.to_owned())
            }
        }
    }
}

/// A time with its zone: as in RFC 3339, with an offset without a colon, or the seconds or milliseconds since 1970.
fn point_in_time(text: &str) -> Option<Time> {
    let written = DateTime::parse_from_rfc3339(text)
        .or_else(|_| DateTime::parse_from_str(text, "%Y-%m-%dT%H:%M:%S%.f%z"))
        .or_else(|_| DateTime::parse_from_str(text, "%Y-%m-%d %H:%M:%S%.f %z"));
    if let Ok(time) = written {
        return Some(time.to_utc());
    }
    match text.parse::<i64>().ok()? {
        seconds @ 1_000_000_000..10_000_000_000 => DateTime::from_timestamp(seconds, 0),
        millis @ 1_000_000_000_000..10_000_000_000_000 => DateTime::from_timestamp_millis(millis),
        _ => None,
    }
}

/// A value that isn't read any deeper.
enum Value<'r> {
    Null,
    Text(Cow<'r, str>),
    /// A number, yes or no, a list or an object, as it was written.
    Other(&'r str),
}

impl<'r> Value<'r> {
    fn of(raw: &'r RawValue) -> Self {
        let written = raw.get();
        match written.as_bytes().first() {
            Some(b'n') => Self::Null,
            Some(b'"') => serde_json::from_str::<String>(written)
                .map_or(Self::Other(written), |text| Self::Text(text.into())),
            _ => Self::Other(written),
        }
    }

    fn text(&self) -> &str {
        match self {
            Self::Null => "",
            Self::Text(text) => text.trim(),
            Self::Other(text) => text,
        }
    }
}

/// The fields of an object in their order, with values that nobody has looked into yet.
struct Fields<'r>(Vec<(String, &'r RawValue)>);

impl<'r> Fields<'r> {
    fn of(raw: &'r RawValue) -> Option<Self> {
        raw.get().starts_with('{').then(|| serde_json::from_str(raw.get()).ok())?
    }

    fn all(&self, name: &str) -> impl Iterator<Item = &'r RawValue> {
        self.0.iter().filter(move |(known, _)| known == name).map(|(_, value)| *value)
    }

    /// The last one of this name.
    fn get(&self, name: &str) -> Option<&'r RawValue> {
        self.0.iter().rev().find(|(known, _)| known == name).map(|(_, value)| *value)
    }
}

impl<'de> Deserialize<'de> for Fields<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(FieldsVisitor)
    }
}

struct FieldsVisitor;

impl<'de> Visitor<'de> for FieldsVisitor {
    type Value = Fields<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut fields = Vec::new();
        while let Some(field) = map.next_entry::<String, &RawValue>()? {
            fields.push(field);
        }
        Ok(Fields(fields))
    }
}

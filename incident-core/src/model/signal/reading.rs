//! What one alert says under the runbook. Nothing that an alert lacks, and nothing in it that is odd, refuses it.

use super::{Signal, SignalPolicy, SignalRule, WordMeans, WorseNews};
use crate::model::id::Digest;
use crate::model::inert;
use crate::model::severity::Severity;
use crate::model::text::{LONGEST_LINK, LONGEST_NAME};

/// What stands for a label that an alert doesn't have.
const UNLABELLED: &str = "unlabelled";
/// The most bytes of a group's name.
const LONGEST_GROUP: usize = 256;
/// The most bytes of a service's name.
const LONGEST_SERVICE: usize = 128;

/// How bad an alert is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Judged {
    /// So bad, as the rule or its label says.
    As(Severity),
    /// Assumed to be so bad: its label says nothing that the runbook knows.
    Assumed(Severity),
    /// Not for people, by this word of the label `severity`.
    Ignored(String),
}

impl Judged {
    /// The severity; none if the alert is ignored.
    #[must_use]
    pub fn severity(&self) -> Option<Severity> {
        match self {
            Self::As(severity) | Self::Assumed(severity) => Some(*severity),
            Self::Ignored(_) => None,
        }
    }
}

impl SignalPolicy {
    /// The first rule that matches, and its place.
    #[must_use]
    pub fn rule_for(&self, signal: &Signal) -> Option<(usize, &SignalRule)> {
        let fits = |(_, rule): &(usize, &SignalRule)| {
            rule.matches.iter().all(|(label, value)| signal.labels.get(label) == Some(value))
        };
        self.rules.iter().enumerate().find(fits)
    }

    /// How bad an alert is.
    #[must_use]
    pub fn judge(&self, rule: &SignalRule, signal: &Signal) -> Judged {
        if let Some(severity) = rule.severity {
            return Judged::As(severity);
        }
        let word = signal.labels.get("severity").map_or("", |word| word.trim());
        let means = self.severities.get(word).or_else(|| self.severities.get(&word.to_lowercase()));
        match means {
            Some(WordMeans::Ignore) => Judged::Ignored(shown(word)),
            Some(means) => means.severity().map_or(Judged::Assumed(self.unknown), Judged::As),
            None => Judged::Assumed(self.unknown),
        }
    }

    /// The severity of an alert; none if it is ignored or no rule matches.
    #[must_use]
    pub fn severity(&self, signal: &Signal) -> Option<Severity> {
        self.judge(self.rule_for(signal)?.1, signal).severity()
    }

    /// Writes the name of the group that an alert belongs to: its service and the labels that the rule groups by.
    pub fn write_group(&self, name: &mut String, rule: &SignalRule, signal: &Signal) {
        name.clear();
        push_label(name, signal, &rule.service_label, |name| {
            push_label(name, signal, "alertname", |name| name.push_str(UNLABELLED));
        });
        for label in rule.group_by.iter().filter(|it| **it != rule.service_label) {
            name.push('/');
            push_label(name, signal, label, |name| name.push_str(UNLABELLED));
        }
        if self.worse == WorseNews::Separate
            && let Some(severity) = self.judge(rule, signal).severity()
        {
            name.push_str(&format!(" ({severity})"));
        }
        if name.len() > LONGEST_GROUP {
            let digest = Digest::of(&[name.as_bytes()]).short();
            *name = format!("{}#{digest}", inert::clip(name, 192));
        }
    }

    /// What was assumed, shortened or couldn't be read of an alert, each in a few words.
    #[must_use]
    pub fn notes(&self, signal: &Signal) -> Vec<String> {
        let mut notes: Vec<String> = signal.notes.iter().map(|note| inert::clip(note, 128)).collect();
        let Some((_, rule)) = self.rule_for(signal) else { return notes };
        if let Judged::Assumed(severity) = self.judge(rule, signal) {
            notes.push(match signal.labels.get("severity").map_or("", |word| word.trim()) {
                "" => format!("no label severity: {severity} assumed"),
                word => format!("the severity “{}” isn't in the runbook: {severity} assumed", shown(word)),
            });
        }
        if service(rule, signal).is_none() {
            notes.push(format!("no label {}: grouped by the alert's name", rule.service_label));
        }
        let missing = |label: &&String| **label != rule.service_label && label_of(signal, label).is_none();
        for label in rule.group_by.iter().filter(missing) {
            notes.push(format!("no label {label}: grouped as {UNLABELLED}"));
        }
        if signal.summary.len() > LONGEST_NAME {
            notes.push("the summary is shortened".to_owned());
        }
        if signal.link.is_some() && link(signal).is_none() {
            notes.push("the link is left out: it is empty or too long".to_owned());
        }
        notes
    }
}

/// The service that an alert names, in one inert line.
#[must_use]
pub(crate) fn service(rule: &SignalRule, signal: &Signal) -> Option<String> {
    label_of(signal, &rule.service_label).map(|service| inert::clip(&service, LONGEST_SERVICE))
}

/// Where an alert says to look, unless that leads nowhere: half a link is none.
#[must_use]
pub(crate) fn link(signal: &Signal) -> Option<String> {
    let link = inert::line(signal.link.as_deref()?);
    (!link.is_empty() && link.len() <= LONGEST_LINK).then_some(link)
}

fn label_of(signal: &Signal, label: &str) -> Option<String> {
    signal.labels.get(label).map(|value| inert::line(value)).filter(|value| !value.is_empty())
}

/// Appends a label's value in one inert line, or else what `otherwise` appends.
fn push_label(name: &mut String, signal: &Signal, label: &str, otherwise: impl FnOnce(&mut String)) {
    let before = name.len();
    inert::push_line(name, signal.labels.get(label).map_or("", String::as_str));
    if name.len() == before {
        otherwise(name);
    }
}

/// A word of a label, as it may be shown.
fn shown(word: &str) -> String {
    inert::clip(&inert::line(word), 32)
}

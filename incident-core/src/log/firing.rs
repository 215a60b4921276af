//! Occurrences of alerts: which of them fire, and what a message about one of them changes.
//!
//! An occurrence is a fingerprint and a start. Messages arrive in any order: replicas of a sender repeat what another
//! one has already reported as over.

use std::collections::BTreeMap;

use crate::log::event::SignalsReceived;
use crate::model::append_map::AppendMap;
use crate::model::severity::Severity;
use crate::model::signal::{Signal, SignalState};
use crate::model::time::{Time, to_millis};

/// What a message about an alert changes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum News {
    /// A new occurrence fires.
    Fires,
    /// The occurrence that fired is over.
    Over,
    /// It is about an occurrence that is known to be over.
    Stale,
    /// Nothing.
    Known,
}

/// The latest occurrence of one alert.
#[derive(Clone, Copy, PartialEq)]
pub(crate) struct Occurrence {
    pub(crate) fires: bool,
    /// When it was recorded that it fires, by our clock.
    heard: Time,
    pub(crate) started: Option<Time>,
    pub(crate) ended: Option<Time>,
    /// How bad it is by the runbook, if that is known.
    pub(crate) severity: Option<Severity>,
    /// Whether it was recorded that somebody repeated it after its end.
    pub(crate) repeated: bool,
}

impl Occurrence {
    fn firing(started: Option<Time>, severity: Option<Severity>, heard: Time) -> Self {
        Self { fires: true, heard, started, ended: None, severity, repeated: false }
    }

    fn over(started: Option<Time>, ended: Option<Time>, heard: Time) -> Self {
        Self { fires: false, heard, started, ended, severity: None, repeated: false }
    }

    /// What `signal` says that `known` doesn't.
    ///
    /// Replicas of a sender may give one occurrence starts that are seconds apart. So an occurrence is new only if it
    /// began after the last one ended, or after we heard of the one that still fires.
    pub(crate) fn news(known: Option<&Self>, signal: &Signal) -> News {
        let (began, ended) = (signal.started_at.map(to_millis), signal.ended_at.map(to_millis));
        match (signal.state, known) {
            (SignalState::Firing, None) => News::Fires,
            (SignalState::Firing, Some(known)) if known.fires => match began {
                Some(began) if began > known.heard && known.started != Some(began) => News::Fires,
                _ => News::Known,
            },
            (SignalState::Firing, Some(known)) => {
                let Some(began) = began else { return News::Fires };
                let same = known.started.is_some_and(|started| began <= started);
                let before_the_end = known.ended.is_some_and(|ended| began < ended);
                if same || before_the_end { News::Stale } else { News::Fires }
            }
            (SignalState::Resolved, Some(known)) if known.fires => {
                let earlier = |time: Option<Time>| {
                    time.zip(known.started).is_some_and(|(time, started)| time <= started)
                };
                let another = began != known.started;
                if another && earlier(ended.or(began)) { News::Known } else { News::Over }
            }
            // A firing message of this occurrence may still be on its way.
            (SignalState::Resolved, None) if began.is_some() => News::Over,
            (SignalState::Resolved, Some(known)) if began > known.started => News::Over,
            (SignalState::Resolved, _) => News::Known,
        }
    }
}

/// The alerts of an incident that fire: cheap to copy, however many they are.
#[derive(Clone, Default, PartialEq)]
pub struct Firing {
    alerts: AppendMap<u64, Occurrence>,
    count: usize,
    latest: Option<Time>,
}

impl Firing {
    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.count
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// Whether the alert fires.
    #[must_use]
    pub fn contains(&self, alert: u64) -> bool {
        self.occurrence(alert).is_some_and(|it| it.fires)
    }

    /// When the last occurrence was recorded that began to fire, UTC.
    #[must_use]
    pub fn latest(&self) -> Option<Time> {
        self.latest
    }

    /// What a message about `alert` changes.
    #[must_use]
    pub fn news(&self, alert: u64, signal: &Signal) -> News {
        Occurrence::news(self.occurrence(alert), signal)
    }

    pub(crate) fn occurrence(&self, alert: u64) -> Option<&Occurrence> {
        self.alerts.get(&alert)
    }

    /// All that fire, in order.
    fn alerts(&self) -> impl Iterator<Item = u64> {
        self.alerts.all().into_iter().filter(|(_, it)| it.fires).map(|(alert, _)| *alert)
    }

    /// Takes in what was recorded at `at`.
    pub(crate) fn take_in(&mut self, fact: &SignalsReceived, at: Time) {
        let at = to_millis(at);
        for (place, alert) in fact.firing.0.iter().enumerate() {
            let (began, severity) = (fact.firing_since.at(place), fact.severities.at(place));
            self.put(*alert, Occurrence::firing(began, severity, at));
        }
        for (place, alert) in fact.resolved.0.iter().enumerate() {
            let began = fact.resolved_since.at(place);
            let before = self.occurrence(*alert).filter(|it| began.is_none() || began == it.started);
            let (began, heard) = before.map_or((began, at), |it| (it.started, it.heard));
            self.put(*alert, Occurrence::over(began, fact.resolved_at.at(place), heard));
        }
        for alert in &fact.stale.0 {
            if let Some(known) = self.occurrence(*alert).copied() {
                self.put(*alert, Occurrence { repeated: true, ..known });
            }
        }
        if !fact.firing.is_empty() {
            self.latest = Some(at);
        }
    }

    fn put(&mut self, alert: u64, now: Occurrence) {
        match (self.contains(alert), now.fires) {
            (false, true) => self.count += 1,
            (true, false) => self.count -= 1,
            _ => {}
        }
        self.alerts.insert(alert, now);
    }
}

impl std::fmt::Debug for Firing {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_set().entries(self.alerts()).finish()
    }
}

/// What a batch of messages changes, one after the other, without changing the state.
pub(crate) struct Messages<'f> {
    before: &'f Firing,
    now: BTreeMap<u64, Occurrence>,
    at: Time,
}

impl<'f> Messages<'f> {
    pub(crate) fn new(before: &'f Firing, at: Time) -> Self {
        Self { before, now: BTreeMap::new(), at: to_millis(at) }
    }

    /// Takes in what `signal`, which is so bad by the runbook, says of `alert`.
    pub(crate) fn hear(
        &mut self,
        alert: u64,
        signal: &Signal,
        ended: Option<Time>,
        severity: Option<Severity>,
    ) -> News {
        let known = self.now.get(&alert).or_else(|| self.before.occurrence(alert)).copied();
        let began = signal.started_at.map(to_millis);
        let (news, latest) = match (Occurrence::news(known.as_ref(), signal), known) {
            (News::Fires, _) => (News::Fires, Occurrence::firing(began, severity, self.at)),
            (News::Over, known) => {
                let began = began.or(known.and_then(|it| it.started));
                (News::Over, Occurrence::over(began, ended, self.at))
            }
            // A sender may change its mind about how bad it is.
            (News::Known, Some(known)) if known.fires && signal.is_firing() && worse(severity, known) => {
                (News::Fires, Occurrence { severity, ..known })
            }
            (news, _) => return news,
        };
        self.now.insert(alert, latest);
        news
    }

    /// The alerts that are otherwise than before, and their latest occurrences.
    pub(crate) fn changed(self) -> impl Iterator<Item = (u64, Occurrence)> {
        let before = self.before;
        self.now.into_iter().filter(move |(alert, now)| match before.occurrence(*alert) {
            Some(known) if known.fires && now.fires => {
                // Without a start nobody can tell whether it is another occurrence.
                let another = now.started.is_some() && now.started != known.started;
                another || worse(now.severity, *known)
            }
            Some(known) => known.fires != now.fires || known.started != now.started,
            None => true,
        })
    }
}

/// Whether a severity is worse than the one that is known of an occurrence.
fn worse(severity: Option<Severity>, known: Occurrence) -> bool {
    severity.zip(known.severity).is_some_and(|(now, then)| now.is_worse_than(then))
}

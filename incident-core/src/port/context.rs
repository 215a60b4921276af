//! What an adapter is handed with each call. Every context can be built by an author's own test.

use std::time::Duration;

use crate::model::effect::Receipt;
use crate::model::id::{EffectId, IncidentId};
use crate::model::side::Side;
use crate::model::time::{Time, since};

/// With a call that changes something outside, or looks for such a change.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct EffectContext {
    /// The effect: put it where it can be found again – a marker, a header, metadata.
    pub effect: EffectId,
    /// How many times this effect has been tried, this one included; 1 at first.
    pub attempt: u32,
    /// The time of the call, UTC.
    pub now: Time,
    /// When the effect was first started, UTC: where a look may begin.
    pub first_started: Time,
    /// Whether an earlier attempt may have been applied. An adapter that converges looks for it before it repeats.
    pub maybe_before: bool,
    /// How long the call may take in all; the engine drops it after that.
    pub deadline: Duration,
    /// Live or drill.
    pub side: Side,
    /// The receipts of the lane's earlier effects, oldest first: the thread to answer in, the message to edit.
    pub earlier: Vec<Receipt>,
}

impl EffectContext {
    /// The first attempt of `effect` at `now`, live, with 10 seconds' time.
    #[must_use]
    pub fn new(effect: EffectId, now: Time) -> Self {
        Self {
            effect,
            attempt: 1,
            now,
            first_started: now,
            maybe_before: false,
            deadline: Duration::from_secs(10),
            side: Side::Live,
            earlier: Vec::new(),
        }
    }

    /// As attempt number `attempt`, first started at `first_started`. Of a second attempt and later ones it is assumed that
    /// an earlier one may have been applied.
    #[must_use]
    pub fn with_attempt(mut self, attempt: u32, first_started: Time) -> Self {
        self.attempt = attempt;
        self.first_started = first_started;
        self.maybe_before = attempt > 1;
        self
    }

    /// Knowing whether an earlier attempt may have been applied.
    #[must_use]
    pub fn with_maybe_before(mut self, maybe_before: bool) -> Self {
        self.maybe_before = maybe_before;
        self
    }

    /// With so much time.
    #[must_use]
    pub fn with_deadline(mut self, deadline: Duration) -> Self {
        self.deadline = deadline;
        self
    }

    /// On this side.
    #[must_use]
    pub fn with_side(mut self, side: Side) -> Self {
        self.side = side;
        self
    }

    /// After these receipts.
    #[must_use]
    pub fn with_earlier(mut self, earlier: Vec<Receipt>) -> Self {
        self.earlier = earlier;
        self
    }
}

/// With a call that only reads.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct ReadContext {
    /// The incident it is for.
    pub incident: IncidentId,
    /// The time of the call, UTC.
    pub now: Time,
    /// How long it may take.
    pub deadline: Duration,
    /// Live or drill.
    pub side: Side,
    /// The service that is affected, if known.
    pub service: Option<String>,
    /// When the incident started, as far as is known.
    pub onset: Onset,
}

impl ReadContext {
    /// A read for `incident` at `now`, live, with 10 seconds' time.
    #[must_use]
    pub fn new(incident: IncidentId, now: Time) -> Self {
        Self {
            incident,
            now,
            deadline: Duration::from_secs(10),
            side: Side::Live,
            service: None,
            onset: Onset::Assumed(now),
        }
    }

    /// With so much time.
    #[must_use]
    pub fn with_deadline(mut self, deadline: Duration) -> Self {
        self.deadline = deadline;
        self
    }

    /// On this side.
    #[must_use]
    pub fn with_side(mut self, side: Side) -> Self {
        self.side = side;
        self
    }

    /// For this service.
    #[must_use]
    pub fn with_service(mut self, service: Option<String>) -> Self {
        self.service = service;
        self
    }

    /// For an incident that started then.
    #[must_use]
    pub fn with_onset(mut self, onset: Onset) -> Self {
        self.onset = onset;
        self
    }
}

/// With a preflight.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct PreflightContext {
    /// The time of the call, UTC.
    pub now: Time,
    /// How long it may take.
    pub deadline: Duration,
}

impl PreflightContext {
    /// A preflight at `now` with 10 seconds' time.
    #[must_use]
    pub fn new(now: Time) -> Self {
        Self { now, deadline: Duration::from_secs(10) }
    }
}

/// When an incident started, UTC.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Onset {
    /// It is known.
    Known(Time),
    /// It is unknown; the incident was declared then and started no later.
    Assumed(Time),
}

impl Onset {
    /// The time around which to look for evidence.
    #[must_use]
    pub fn time(self) -> Time {
        match self {
            Self::Known(time) | Self::Assumed(time) => time,
        }
    }

    /// The start, if it is known.
    #[must_use]
    pub fn known(self) -> Option<Time> {
        match self {
            Self::Known(time) => Some(time),
            Self::Assumed(_) => None,
        }
    }

    /// How many seconds `at` lies before or after it, under the name that evidence has for that.
    ///
    /// ```
    /// # use incident_core::model::time::{Time, before};
    /// # use incident_core::port::Onset;
    /// # let start = Time::UNIX_EPOCH;
    /// # let deploy = before(start, std::time::Duration::from_secs(90));
    /// assert_eq!(Onset::Known(start).distance(deploy), ("seconds_before_start", 90));
    /// assert_eq!(Onset::Assumed(start).distance(deploy), ("seconds_before_declaration", 90));
    /// ```
    #[must_use]
    pub fn distance(self, at: Time) -> (&'static str, u64) {
        let (time, is_known) = (self.time(), self.known().is_some());
        match (at <= time, is_known) {
            (true, true) => ("seconds_before_start", since(time, at).as_secs()),
            (false, true) => ("seconds_after_start", since(at, time).as_secs()),
            (true, false) => ("seconds_before_declaration", since(time, at).as_secs()),
            (false, false) => ("seconds_after_declaration", since(at, time).as_secs()),
        }
    }
}

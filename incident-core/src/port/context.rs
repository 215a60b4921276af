//! What an adapter is handed with each call. Every context can be built by an author's own test.

use std::time::Duration;

use crate::model::effect::Receipt;
use crate::model::id::{EffectId, IncidentId};
use crate::model::side::Side;
use crate::model::time::Time;

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
    /// When the incident began, UTC, or when it was declared while nobody knows.
    pub started_at: Time,
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
            started_at: now,
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

    /// For this service, broken since `started_at`.
    #[must_use]
    pub fn with_service(mut self, service: Option<String>, started_at: Time) -> Self {
        self.service = service;
        self.started_at = started_at;
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

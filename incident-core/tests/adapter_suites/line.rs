//! The line to a backend, right or wrong in one way: what all kinds of adapters have in common.

use std::fmt;
use std::time::Duration;

use async_trait::async_trait;
use incident_core::conformance::backend::{Arrival, Backend, Fault};
use incident_core::conformance::fake::FakeRemote;
use incident_core::model::id::EffectId;
use incident_core::port::{AdapterError, EffectContext, ErrorKind, Found, Repeat};

use crate::SECRET;

/// What is wrong with an adapter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Wrong {
    Nothing,
    ForgetsTheId,
    SendsAgain,
    IgnoresTheWait,
    AsksToRetryARefusal,
    LeaksIntoErrors,
    LeaksIntoDebug,
    LeaksIntoTheLog,
    SaysNothingHappened,
    FindsNothing,
    IgnoresTheDeadline,
    PretendsItWorked,
    WritesInPreflight,
    /// Something that only adapters of one kind can do wrong.
    Own(Own),
}

/// What only adapters of one kind can do wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Own {
    LetsTextThrough,
    HidesTheDrill,
    DoesNotMarkRepeats,
    FindsNoComments,
    TakesItBackToFront,
    ReplacesWhatPeopleWrote,
    ReadsEverythingAsOpen,
    WritesWhilePlanning,
    PlansSomethingElse,
    PinsNothing,
    IgnoresThePins,
    CarriesOutAgain,
    FindsWhatNeverWas,
    NeverSaysItHolds,
    AlwaysSaysItHolds,
    FindsByTheStateAlone,
    UndoesNothing,
    LeaksIntoThePlan,
    IsAlwaysGreen,
    IsRedWhenNobodyAnswers,
    IsGreenWhenNobodyAnswers,
    WritesWhileLooking,
}

impl Wrong {
    pub(crate) fn is(self, own: Own) -> bool {
        self == Self::Own(own)
    }
}

/// An adapter's line to a backend in memory.
#[derive(Clone)]
pub(crate) struct Line {
    pub(crate) remote: FakeRemote,
    pub(crate) wrong: Wrong,
    pub(crate) repeat: Repeat,
}

impl fmt::Debug for Line {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let token = if self.wrong == Wrong::LeaksIntoDebug { SECRET } else { "…" };
        f.debug_struct("Line").field("token", &token).finish_non_exhaustive()
    }
}

impl Line {
    pub(crate) fn new(wrong: Wrong, repeat: Repeat) -> Self {
        Self { remote: FakeRemote::new(repeat), wrong, repeat }
    }

    pub(crate) async fn send(&self, cx: &EffectContext, arrival: Arrival) -> Result<(), AdapterError> {
        let wrong = |it| self.wrong == it;
        if wrong(Wrong::LeaksIntoTheLog) {
            tracing::debug!(token = SECRET, "sending");
        }
        let mut arrival = arrival;
        if wrong(Wrong::ForgetsTheId) {
            arrival.effect = None;
        }
        let deadline = if wrong(Wrong::IgnoresTheDeadline) { Duration::from_secs(600) } else { cx.deadline };
        let send = || async {
            let sent = tokio::time::timeout(deadline, self.remote.write(arrival.clone())).await;
            sent.unwrap_or_else(|_| Err(AdapterError::new(ErrorKind::Unavailable, "send")))
        };
        let mut sent = send().await;
        if wrong(Wrong::SendsAgain) && sent.is_err() {
            sent = send().await;
        }
        sent.or_else(|error| match self.wrong {
            Wrong::PretendsItWorked => Ok(()),
            Wrong::IgnoresTheWait if error.kind == ErrorKind::RateLimited => {
                Err(error.retry_after(Some(Duration::ZERO)))
            }
            Wrong::AsksToRetryARefusal => Err(error.retry_after(None)),
            Wrong::SaysNothingHappened => Err(error.not_applied()),
            Wrong::LeaksIntoErrors => Err(error.caused_by(format!("token {SECRET} is bad"))),
            _ => Err(error),
        })
    }

    pub(crate) async fn preflight(&self) -> Result<(), AdapterError> {
        if self.wrong == Wrong::WritesInPreflight {
            self.remote.write(Arrival::new(None, "hello, is this thing on?")).await?;
        }
        Ok(())
    }

    /// Whether the backend has it; it can be asked unless it can't be reached.
    pub(crate) async fn finds<T>(&self, effect: EffectId, what: T) -> Result<Found<T>, AdapterError> {
        if self.wrong == Wrong::FindsNothing {
            return Ok(Found::No);
        }
        if self.remote.is_unreachable() {
            return Err(AdapterError::new(ErrorKind::Unavailable, "look").not_applied());
        }
        Ok(if self.remote.has(effect) { Found::Yes(what) } else { Found::No })
    }
}

#[async_trait]
impl Backend for Line {
    async fn meets(&self, fault: Fault) -> bool {
        self.remote.meets(fault).await
    }

    async fn inbox(&self) -> Vec<Arrival> {
        self.remote.inbox().await
    }

    async fn writes(&self) -> usize {
        self.remote.writes().await
    }

    fn secret(&self) -> Option<String> {
        Some(SECRET.to_owned())
    }

    fn acts(&self, text: &str) -> Vec<String> {
        self.remote.acts(text)
    }
}

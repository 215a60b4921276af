//! What every suite for adapters needs: a backend that can be looked into, and that fails when it is told to.

use std::fmt;
use std::future::Future;
use std::time::Duration;

use async_trait::async_trait;

use super::Broken;
use crate::model::id::{EffectId, IncidentId, Seq};
use crate::model::time::Time;
use crate::port::{AdapterError, Applied, EffectContext, ReadContext, Retry};

/// The backend behind an adapter, as a suite sees it. Usually a fake on loopback, written from what the real one
/// documents, faults included.
#[async_trait]
pub trait Backend: Send + Sync {
    /// Lets the next write meet this fault, once. False if this backend has no such fault; what it would show isn't
    /// checked then, and the report says so.
    async fn meets(&self, fault: Fault) -> bool;

    /// Everything written that took effect and is there now, oldest first.
    async fn inbox(&self) -> Vec<Arrival>;

    /// How many requests to write reached the backend, also those in vain.
    async fn writes(&self) -> usize;

    /// What the adapter was given and must show nowhere.
    fn secret(&self) -> Option<String> {
        None
    }

    /// What in `text` would do something to its readers here: a mention, a link, markup.
    fn acts(&self, text: &str) -> Vec<String> {
        let _ = text;
        Vec::new()
    }
}

/// Something that took effect.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Arrival {
    /// The effect it says it is of.
    pub effect: Option<EffectId>,
    /// What people read.
    pub text: String,
    /// Whether it says that it may be a repeat.
    pub marked: bool,
}

impl Arrival {
    /// What people read as `text`, of `effect`.
    #[must_use]
    pub fn new(effect: Option<EffectId>, text: &str) -> Self {
        Self { effect, text: text.to_owned(), marked: false }
    }

    /// That says it may be a repeat, or not.
    #[must_use]
    pub fn marked(mut self, marked: bool) -> Self {
        self.marked = marked;
        self
    }
}

/// What may happen to a write.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Fault {
    /// It takes effect, and the reply is lost.
    LoseReply,
    /// It takes effect, and the answer comes when nobody waits for it any more.
    AnswerLate,
    /// The backend says, in its own words, that something broke on its side.
    Break,
    /// The backend says no, for good.
    Refuse,
    /// The backend asks to wait for so long, in its own dialect.
    Wait(Duration),
    /// The backend takes the request and never answers.
    Hang,
    /// Nobody is there to connect to.
    Unreachable,
    /// The conversation that it belongs to is gone.
    ForgetConversation,
}

/// What a suite found.
#[derive(Debug, Default)]
#[non_exhaustive]
pub struct Report {
    /// The promises that were kept.
    pub kept: Vec<&'static str>,
    /// What this backend has no fault or feature for, and so wasn't checked.
    pub not_applicable: Vec<&'static str>,
    /// The promises that were broken.
    pub broken: Vec<Broken>,
}

impl Report {
    /// Panics with every broken promise, if there is one: the last line of a test.
    ///
    /// # Panics
    /// If a promise was broken, or none was checked.
    pub fn assert(&self) {
        assert!(self.broken.is_empty(), "{self}");
        assert!(!self.kept.is_empty(), "nothing was checked");
    }

    pub(super) fn add(&mut self, case: &'static str, promise: &'static str, outcome: Outcome) {
        match outcome {
            Ok(Checked::Kept) => self.kept.push(promise),
            Ok(Checked::NotApplicable) => self.not_applicable.push(promise),
            Err(how) => self.broken.push(Broken { case, promise, how: how.0 }),
        }
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{} promises kept", self.kept.len())?;
        for promise in &self.not_applicable {
            writeln!(f, "not checked, for the backend has nothing of it: {promise}")?;
        }
        for broken in &self.broken {
            writeln!(f, "{broken}")?;
        }
        Ok(())
    }
}

/// Whether a case had something to check.
pub(super) enum Checked {
    Kept,
    NotApplicable,
}

/// How a promise was broken.
#[derive(Debug)]
pub(super) struct How(pub(super) String);

pub(super) type Outcome = Result<Checked, How>;

/// Ends the case as broken unless the condition holds.
macro_rules! ensure {
    ($holds:expr, $($how:tt)+) => {
        if !$holds {
            return Err($crate::conformance::backend::How(format!($($how)+)));
        }
    };
}
pub(super) use ensure;

/// Ends the case as having nothing to check unless the backend can do that.
macro_rules! given {
    ($can:expr) => {
        if !$can {
            return Ok($crate::conformance::backend::Checked::NotApplicable);
        }
    };
}
pub(super) use given;

impl From<AdapterError> for How {
    fn from(error: AdapterError) -> Self {
        Self(format!("a call failed that should have worked: {}", all_of(&error)))
    }
}

/// An error as it may end up in a log: with all its causes, and as `Debug` shows it.
pub(super) fn all_of(error: &AdapterError) -> String {
    let mut line = error.to_string();
    let mut cause = std::error::Error::source(error);
    while let Some(error) = cause {
        line = format!("{line}: {error}");
        cause = error.source();
    }
    format!("{line} / {error:?}")
}

pub(super) fn now() -> Time {
    Time::from_timestamp_millis(1_774_000_000_000).unwrap_or_default()
}

/// The effect with this number, of one incident.
pub(super) fn effect(number: u64) -> EffectId {
    EffectId { incident: IncidentId::new(now(), [7; 16]), seq: Seq(number) }
}

pub(super) fn context(number: u64) -> EffectContext {
    EffectContext::new(effect(number), now()).with_attempt(1, now()).with_deadline(PATIENCE)
}

pub(super) fn reading() -> ReadContext {
    ReadContext::new(effect(0).incident, now()).with_deadline(PATIENCE)
}

/// How long a call may take where nothing hangs.
const PATIENCE: Duration = Duration::from_secs(10);
/// The deadline of a call that hangs, and by how much it may be overrun.
pub(super) const HASTE: Duration = Duration::from_millis(400);
const LEEWAY: Duration = Duration::from_secs(3);

/// What a call gave, unless it takes longer than its deadline.
pub(super) async fn in_time<T>(call: impl Future<Output = T>) -> Result<T, How> {
    let given = tokio::time::timeout(HASTE + LEEWAY, call).await;
    given.map_err(|_| How(format!("the call was given {HASTE:?} and went on after {LEEWAY:?} more")))
}

/// That a failure which may hide success says so, and that trying again may help.
pub(super) fn may_have_happened(error: &AdapterError) -> Result<(), How> {
    ensure!(
        error.applied == Applied::Maybe,
        "it says that nothing happened, and it may have: {}",
        all_of(error)
    );
    ensure!(error.retry != Retry::Never, "it says never to try again, and nobody said no: {}", all_of(error));
    Ok(())
}

/// That a refusal is final.
pub(super) fn is_final(error: &AdapterError) -> Result<(), How> {
    ensure!(
        error.retry == Retry::Never,
        "the backend said no for good, and it asks for a retry: {}",
        all_of(error)
    );
    ensure!(
        error.applied == Applied::No,
        "the backend said no, and it says that it may have happened: {}",
        all_of(error)
    );
    Ok(())
}

/// That the backend's wait is passed on.
pub(super) fn passes_on(error: &AdapterError, wait: Duration) -> Result<(), How> {
    let Retry::After(given) = error.retry else {
        return Err(How(format!("the backend asked to wait, and it gives up: {}", all_of(error))));
    };
    let passed_on = given.is_some_and(|it| it >= wait && it <= wait + Duration::from_secs(2));
    ensure!(passed_on, "the backend asked to wait for {wait:?}, and the error says {given:?}");
    ensure!(error.applied == Applied::No, "what was put off wasn't done, and it says that it may have been");
    Ok(())
}

/// That so many requests to write came since `before`.
pub(super) async fn writes_since(backend: &dyn Backend, before: usize, most: usize) -> Result<(), How> {
    let sent = backend.writes().await.saturating_sub(before);
    ensure!(
        sent <= most,
        "{sent} requests to write reached the backend where {most} should have: one place retries, and that's the engine"
    );
    Ok(())
}

/// That a secret isn't in `shown`.
pub(super) fn hides(backend: &dyn Backend, place: &str, shown: &str) -> Result<(), How> {
    let Some(secret) = backend.secret() else { return Ok(()) };
    ensure!(!shown.contains(&secret), "the secret is in {place}");
    Ok(())
}

/// Polls a call a few times, and drops it.
pub(super) async fn drop_midway<T>(call: impl Future<Output = T>) {
    let mut call = std::pin::pin!(call);
    for _ in 0..3 {
        let polled =
            std::future::poll_fn(|cx| std::task::Poll::Ready(call.as_mut().poll(cx).is_ready())).await;
        if polled {
            return;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

//! A backend in memory that dedupes or not, loses replies and answers late, and a notifier for it: to try an engine against,
//! and the measure that the suites themselves are tested with.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;

use super::backend::{Arrival, Backend, Fault};
use super::notifier::NotifierHarness;
use crate::model::effect::Receipt;
use crate::model::id::EffectId;
use crate::model::notice::Notice;
use crate::port::{
    Adapter, AdapterError, Capabilities, EffectContext, ErrorKind, Found, Notifier, Preflight,
    PreflightContext, Repeat,
};

const DELIVER: &str = "deliver to the fake backend";

/// A backend in memory. A clone is the same backend.
#[derive(Debug, Clone)]
pub struct FakeRemote {
    repeat: Repeat,
    state: Arc<Mutex<State>>,
}

#[derive(Debug, Default)]
struct State {
    inbox: Vec<Arrival>,
    writes: usize,
    faults: VecDeque<Fault>,
}

/// What came of a request, before anybody hears of it.
enum Answer {
    Done,
    Never,
    Failed(AdapterError),
}

impl FakeRemote {
    /// A backend for which a repetition is this: `Native` and `Converging` ones drop an id that they have seen.
    #[must_use]
    pub fn new(repeat: Repeat) -> Self {
        Self { repeat, state: Arc::default() }
    }

    /// Whether it holds the effect.
    #[must_use]
    pub fn has(&self, effect: EffectId) -> bool {
        self.locked().inbox.iter().any(|it| it.effect == Some(effect))
    }

    /// Whether the next request meets nobody: what a look there comes to as well.
    #[must_use]
    pub fn is_unreachable(&self) -> bool {
        self.locked().faults.front() == Some(&Fault::Unreachable)
    }

    /// Takes a request to write, and answers, or doesn't.
    ///
    /// # Errors
    /// As the fault says that it meets.
    pub async fn write(&self, arrival: Arrival) -> Result<(), AdapterError> {
        let answer = self.locked().take(arrival, self.repeat);
        match answer {
            Answer::Done => Ok(()),
            Answer::Never => std::future::pending().await,
            Answer::Failed(error) => Err(error),
        }
    }

    fn locked(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn take(&mut self, arrival: Arrival, repeat: Repeat) -> Answer {
        let fault = self.faults.pop_front();
        let failed = |kind| Answer::Failed(AdapterError::new(kind, DELIVER));
        if fault == Some(Fault::Unreachable) {
            return Answer::Failed(AdapterError::new(ErrorKind::Unavailable, DELIVER).not_applied());
        }
        self.writes += 1;
        match fault {
            Some(Fault::Refuse) => return failed(ErrorKind::Refused),
            Some(Fault::Break) => return failed(ErrorKind::Unavailable),
            Some(Fault::Hang) => return Answer::Never,
            Some(Fault::Wait(wait)) => {
                let error = AdapterError::new(ErrorKind::RateLimited, DELIVER).retry_after(Some(wait));
                return Answer::Failed(error);
            }
            _ => {}
        }
        let dedupes = matches!(repeat, Repeat::Native { .. } | Repeat::Converging);
        if !(dedupes && self.inbox.iter().any(|it| it.effect == arrival.effect)) {
            self.inbox.push(arrival);
        }
        match fault {
            Some(Fault::LoseReply) => failed(ErrorKind::Unavailable),
            Some(Fault::AnswerLate) => Answer::Never,
            _ => Answer::Done,
        }
    }
}

#[async_trait]
impl Backend for FakeRemote {
    async fn meets(&self, fault: Fault) -> bool {
        self.locked().faults.push_back(fault);
        true
    }

    async fn inbox(&self) -> Vec<Arrival> {
        self.locked().inbox.clone()
    }

    async fn writes(&self) -> usize {
        self.locked().writes
    }

    fn acts(&self, text: &str) -> Vec<String> {
        ["@channel", "@here", "\u{202e}", "\u{7}"]
            .into_iter()
            .filter(|act| text.contains(act))
            .map(str::to_owned)
            .collect()
    }
}

#[async_trait]
impl NotifierHarness for FakeRemote {
    async fn notifier(&self) -> Arc<dyn Notifier> {
        Arc::new(FakeNotifier(self.clone()))
    }
}

/// A notifier for a [`FakeRemote`] that keeps every promise.
#[derive(Debug, Clone)]
pub struct FakeNotifier(pub FakeRemote);

#[async_trait]
impl Adapter for FakeNotifier {
    fn capabilities(&self) -> Capabilities {
        Capabilities::new("fake").with_conversations()
    }

    async fn preflight(&self, _: &PreflightContext) -> Result<Preflight, AdapterError> {
        Ok(Preflight::default().good("it is there"))
    }
}

#[async_trait]
impl Notifier for FakeNotifier {
    fn repeat(&self, _: &Notice) -> Repeat {
        self.0.repeat
    }

    async fn deliver(&self, cx: &EffectContext, notice: &Notice) -> Result<Receipt, AdapterError> {
        let arrival = Arrival::new(Some(cx.effect), &notice.to_text()).marked(notice.possible_repeat);
        let sent = tokio::time::timeout(cx.deadline, self.0.write(arrival)).await;
        sent.unwrap_or_else(|_| Err(AdapterError::new(ErrorKind::Unavailable, DELIVER)))?;
        Ok(Receipt::new(&cx.effect.to_string()).in_conversation("c-1"))
    }

    async fn find(&self, cx: &EffectContext, _: &Notice) -> Result<Found<Receipt>, AdapterError> {
        if self.0.is_unreachable() {
            return Err(AdapterError::new(ErrorKind::Unavailable, "look into the fake backend").not_applied());
        }
        let found = self.0.has(cx.effect);
        Ok(if found { Found::Yes(Receipt::new(&cx.effect.to_string())) } else { Found::No })
    }
}

/// How long a fake remembers ids, where a test needs to say.
pub const REMEMBERS: Duration = Duration::from_secs(3_600);

//! Wrong probes. What they look at is the last arrival: `well` or `sick`.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use incident_core::conformance::backend::{Arrival, Backend, Fault};
use incident_core::conformance::probe::{self, ProbeHarness};
use incident_core::port::{
    Adapter, AdapterError, Capabilities, ErrorKind, Preflight, PreflightContext, Probe, ReadContext, Reading,
    Repeat,
};

use crate::line::{Line, Own, Wrong};
use crate::{SECRET, caught};

/// Nobody writes to what is looked at, so what is written was written by looking.
#[derive(Clone)]
struct Watched {
    line: Line,
    seen: Arc<std::sync::Mutex<(bool, Option<Fault>)>>,
}

impl Watched {
    fn new(wrong: Wrong) -> Self {
        Self { line: Line::new(wrong, Repeat::Lookup), seen: Arc::default() }
    }

    /// What a look comes to, unless nobody answers.
    async fn asked(&self, deadline: Duration) -> Result<bool, AdapterError> {
        let failed = || AdapterError::new(ErrorKind::Unavailable, "look").not_applied();
        let fault = self.seen.lock().unwrap().1.take();
        match fault {
            None => Ok(self.seen.lock().unwrap().0),
            Some(Fault::Hang) if self.line.wrong == Wrong::IgnoresTheDeadline => std::future::pending().await,
            Some(Fault::Hang) => {
                tokio::time::sleep(deadline).await;
                Err(failed())
            }
            Some(_) if self.line.wrong == Wrong::LeaksIntoErrors => {
                Err(failed().caused_by(format!("bad {SECRET}")))
            }
            Some(_) => Err(failed()),
        }
    }
}

#[derive(Debug)]
struct Watching(Line, Watcher);

/// What is looked at, which `Debug` has nothing to say of.
struct Watcher(Watched);

impl std::fmt::Debug for Watcher {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Watcher")
    }
}

#[async_trait]
impl Adapter for Watching {
    fn capabilities(&self) -> Capabilities {
        Capabilities::new("wrong")
    }

    async fn preflight(&self, _: &PreflightContext) -> Result<Preflight, AdapterError> {
        self.0.preflight().await.map(|()| Preflight::default())
    }
}

#[async_trait]
impl Probe for Watching {
    async fn look(&self, cx: &ReadContext) -> Result<Reading, AdapterError> {
        let wrong = self.0.wrong;
        if wrong.is(Own::WritesWhileLooking) {
            self.0.remote.write(Arrival::new(None, "I was here")).await?;
        }
        if wrong == Wrong::LeaksIntoTheLog {
            tracing::debug!(token = SECRET, "looking");
        }
        let well = match self.1.0.asked(cx.deadline).await {
            Err(_) if wrong.is(Own::IsRedWhenNobodyAnswers) => false,
            Err(_) if wrong.is(Own::IsGreenWhenNobodyAnswers) => true,
            asked => asked? || wrong.is(Own::IsAlwaysGreen),
        };
        Ok(if well { Reading::green("it is well") } else { Reading::red("it is sick") })
    }
}

#[async_trait]
impl Backend for Watched {
    async fn meets(&self, fault: Fault) -> bool {
        self.seen.lock().unwrap().1 = Some(fault);
        true
    }

    async fn inbox(&self) -> Vec<Arrival> {
        self.line.inbox().await
    }

    async fn writes(&self) -> usize {
        self.line.writes().await
    }

    fn secret(&self) -> Option<String> {
        self.line.secret()
    }
}

#[async_trait]
impl ProbeHarness for Watched {
    async fn probe(&self) -> Arc<dyn Probe> {
        Arc::new(Watching(self.line.clone(), Watcher(self.clone())))
    }

    async fn set(&self, well: bool) {
        self.seen.lock().unwrap().0 = well;
    }
}

#[tokio::test(start_paused = true)]
async fn a_probe_that_keeps_every_promise_passes() {
    probe::check(|| Watched::new(Wrong::Nothing)).await.assert();
}

#[tokio::test(start_paused = true)]
async fn each_wrong_probe_is_caught_and_its_defect_named() {
    for (wrong, case, names) in [
        (Wrong::Own(Own::IsAlwaysGreen), "well_is_green_and_not_well_is_red", "not well shows green"),
        (Wrong::Own(Own::IsRedWhenNobodyAnswers), "who_can_not_be_asked_is_unknown", "nobody could be asked"),
        (
            Wrong::Own(Own::IsGreenWhenNobodyAnswers),
            "who_can_not_be_asked_is_unknown",
            "nobody could be asked",
        ),
        (Wrong::Own(Own::IsGreenWhenNobodyAnswers), "a_deadline_is_kept", "it shows green"),
        (Wrong::IgnoresTheDeadline, "a_deadline_is_kept", "the call was given 400ms and went on"),
        (Wrong::Own(Own::WritesWhileLooking), "a_look_writes_nothing", "looking wrote something"),
        (Wrong::WritesInPreflight, "a_look_writes_nothing", "looking wrote something"),
        (Wrong::LeaksIntoDebug, "no_secret_is_shown", "the secret is in Debug"),
        (Wrong::LeaksIntoErrors, "no_secret_is_shown", "the secret is in the error after"),
        (Wrong::LeaksIntoTheLog, "no_secret_is_shown", "the secret is in a log"),
    ] {
        let report = probe::check(|| Watched::new(wrong)).await;
        caught(&report, wrong, case, names);
    }
}

//! The suite for probes.

use std::sync::Arc;

use async_trait::async_trait;

use super::backend::{
    Backend, Checked, Fault, HASTE, How, Outcome, Report, all_of, ensure, given, hides, in_time, now, reading,
};
use super::log::Log;
use crate::model::colour::Colour;
use crate::port::{PreflightContext, Probe};

/// A probe, and what it looks at.
#[async_trait]
pub trait ProbeHarness: Backend {
    /// The probe, set up as in production, towards the harness's backend.
    async fn probe(&self) -> Arc<dyn Probe>;

    /// Makes what it looks at well, or not.
    async fn set(&self, well: bool);
}

/// Checks every promise, each on a backend of its own.
pub async fn check<H: ProbeHarness>(make: impl Fn() -> H) -> Report {
    let mut report = Report::default();
    macro_rules! cases {
        ($($case:ident: $promise:literal;)*) => {
            $(report.add(stringify!($case), $promise, $case(&make()).await);)*
        };
    }
    cases! {
        well_is_green_and_not_well_is_red: "what is well is green, what isn't is red, and it changes with what is seen";
        who_can_not_be_asked_is_unknown: "what can't be asked is unknown or an error, never green and never red";
        a_deadline_is_kept: "a look ends within its deadline";
        a_look_writes_nothing: "looking changes nothing, and neither does preflight";
        no_secret_is_shown: "no secret is in Debug, in an error with all its causes, or in a log";
    }
    report
}

async fn colour(backend: &dyn ProbeHarness) -> Result<Colour, How> {
    Ok(backend.probe().await.look(&reading()).await?.colour)
}

async fn well_is_green_and_not_well_is_red(backend: &dyn ProbeHarness) -> Outcome {
    for (well, expected) in [(true, Colour::Green), (false, Colour::Red), (true, Colour::Green)] {
        backend.set(well).await;
        let seen = colour(backend).await?;
        ensure!(seen == expected, "what is {} shows {seen}", if well { "well" } else { "not well" });
    }
    Ok(Checked::Kept)
}

async fn who_can_not_be_asked_is_unknown(backend: &dyn ProbeHarness) -> Outcome {
    backend.set(true).await;
    let probe = backend.probe().await;
    given!(backend.meets(Fault::Unreachable).await);
    let seen = probe.look(&reading()).await.map(|it| it.colour);
    ensure!(matches!(seen, Err(_) | Ok(Colour::Unknown)), "nobody could be asked, and it shows {seen:?}");
    Ok(Checked::Kept)
}

async fn a_deadline_is_kept(backend: &dyn ProbeHarness) -> Outcome {
    backend.set(true).await;
    let probe = backend.probe().await;
    given!(backend.meets(Fault::Hang).await);
    let cx = reading().with_deadline(HASTE);
    let seen = in_time(probe.look(&cx)).await?.map(|it| it.colour);
    ensure!(!matches!(seen, Ok(Colour::Green)), "nobody answered, and it shows green");
    Ok(Checked::Kept)
}

async fn a_look_writes_nothing(backend: &dyn ProbeHarness) -> Outcome {
    backend.set(true).await;
    let probe = backend.probe().await;
    let _ = probe.look(&reading()).await;
    let _ = probe.preflight(&PreflightContext::new(now())).await;
    ensure!(backend.writes().await == 0, "looking wrote something");
    Ok(Checked::Kept)
}

async fn no_secret_is_shown(backend: &dyn ProbeHarness) -> Outcome {
    given!(backend.secret().is_some());
    let log = Log::default();
    let listening = log.listen();
    let probe = backend.probe().await;
    hides(backend, "Debug", &format!("{probe:?}"))?;
    for fault in [Fault::Break, Fault::Unreachable] {
        if backend.meets(fault).await {
            match probe.look(&reading()).await {
                Err(error) => hides(backend, &format!("the error after {fault:?}"), &all_of(&error))?,
                Ok(seen) => hides(backend, "a reading", &seen.detail)?,
            }
        }
    }
    drop(listening);
    hides(backend, "a log", &log.heard())?;
    Ok(Checked::Kept)
}

//! Wrong mitigators. The world is a switch; each arrival turned it, and the last one says how it stands.

use std::sync::Arc;

use async_trait::async_trait;
use incident_core::conformance::backend::{Arrival, Backend as _};
use incident_core::conformance::fake::REMEMBERS;
use incident_core::conformance::mitigator::{self, MitigatorHarness};
use incident_core::model::mitigation::{Mitigation, SwitchFeature};
use incident_core::model::plan::{ApprovedPlan, Execution, Intent, Plan, Reversible, Verification};
use incident_core::port::{
    Adapter, AdapterError, Capabilities, EffectContext, ErrorKind, Found, Mitigator, Preflight,
    PreflightContext, ReadContext, Repeat,
};

use crate::line::{Line, Own, Wrong};
use crate::{SECRET, caught};

#[derive(Debug)]
struct Switching(Line);

fn switch(feature: &str, on: bool) -> Mitigation {
    Mitigation::SwitchFeature(SwitchFeature { feature: feature.to_owned(), on })
}

async fn stands(line: &Line) -> String {
    line.inbox().await.last().map_or_else(|| "on".to_owned(), |it| it.text.clone())
}

#[async_trait]
impl Adapter for Switching {
    fn capabilities(&self) -> Capabilities {
        Capabilities::new("wrong")
    }

    async fn preflight(&self, _: &PreflightContext) -> Result<Preflight, AdapterError> {
        self.0.preflight().await.map(|()| Preflight::default())
    }
}

#[async_trait]
impl Mitigator for Switching {
    async fn plan(&self, _: &ReadContext, intent: Intent<'_>) -> Result<Plan, AdapterError> {
        let wrong = |it| self.0.wrong.is(it);
        let asked = match intent {
            Intent::Do(mitigation) => mitigation.clone(),
            Intent::Undo(_) => switch("pricing", !wrong(Own::UndoesNothing)),
            _ => return Err(AdapterError::new(ErrorKind::Invalid, "plan")),
        };
        if wrong(Own::WritesWhilePlanning) {
            self.0.remote.write(Arrival::new(None, "planned")).await?;
        }
        let to = matches!(&asked, Mitigation::SwitchFeature(it) if it.on);
        let to = if to { "on" } else { "off" };
        let offered = if wrong(Own::PlansSomethingElse) { switch("search", false) } else { asked };
        let mut plan = Plan::new(offered, "shop/pricing", Reversible::Yes);
        plan = plan.with_change("pricing", &stands(&self.0).await, to).with_payload(to.into());
        if wrong(Own::LeaksIntoThePlan) {
            plan = plan.with_warning(&format!("uses {SECRET}"));
        }
        let version = self.0.inbox().await.len().to_string();
        Ok(if wrong(Own::PinsNothing) { plan } else { plan.with_pin("version", &version) })
    }

    async fn execute(&self, cx: &EffectContext, plan: &ApprovedPlan) -> Result<Execution, AdapterError> {
        let wrong = |it| self.0.wrong.is(it);
        let plan = plan.plan();
        let done = || Execution::new(plan.clone(), cx.now);
        if self.0.remote.has(cx.effect) && !wrong(Own::CarriesOutAgain) {
            return Ok(done());
        }
        let version = self.0.inbox().await.len().to_string();
        let moved = plan.pins.get("version") != Some(&version);
        if moved && !wrong(Own::IgnoresThePins) && !wrong(Own::PinsNothing) && !wrong(Own::CarriesOutAgain) {
            return Err(AdapterError::new(ErrorKind::Conflict, "switch").not_applied());
        }
        let to = plan.payload.as_str().unwrap_or_default();
        self.0.send(cx, Arrival::new(Some(cx.effect), to)).await?;
        Ok(done())
    }

    async fn find(&self, cx: &EffectContext, plan: &Plan) -> Result<Found<Execution>, AdapterError> {
        let done = Execution::new(plan.clone(), cx.now);
        if self.0.wrong.is(Own::FindsWhatNeverWas) {
            return Ok(Found::Yes(done));
        }
        if self.0.wrong.is(Own::FindsByTheStateAlone) {
            let stands = stands(&self.0).await == plan.payload.as_str().unwrap_or_default();
            return Ok(if stands { Found::Yes(done) } else { Found::No });
        }
        self.0.finds(cx.effect, done).await
    }

    async fn verify(&self, _: &EffectContext, done: &Execution) -> Result<Verification, AdapterError> {
        let holds = stands(&self.0).await == done.plan.payload.as_str().unwrap_or_default()
            || self.0.wrong.is(Own::AlwaysSaysItHolds);
        if holds && !self.0.wrong.is(Own::NeverSaysItHolds) {
            return Ok(Verification::Holds);
        }
        Ok(Verification::Failed { detail: "it stands otherwise".to_owned() })
    }
}

#[async_trait]
impl MitigatorHarness for Line {
    async fn mitigator(&self) -> Arc<dyn Mitigator> {
        Arc::new(Switching(self.clone()))
    }

    fn mitigation(&self) -> Mitigation {
        switch("pricing", false)
    }

    async fn state(&self) -> String {
        stands(self).await
    }

    async fn meddle(&self) {
        self.remote.write(Arrival::new(None, "somebody else's")).await.unwrap();
    }
}

#[tokio::test(start_paused = true)]
async fn a_mitigator_that_keeps_every_promise_passes() {
    for repeat in [Repeat::Native { within: REMEMBERS }, Repeat::Lookup] {
        mitigator::check(|| Line::new(Wrong::Nothing, repeat)).await.assert();
    }
}

#[tokio::test(start_paused = true)]
async fn each_wrong_mitigator_is_caught_and_its_defect_named() {
    for (wrong, case, names) in [
        (Wrong::Own(Own::WritesWhilePlanning), "a_plan_only_reads", "planning changed something"),
        (Wrong::Own(Own::PlansSomethingElse), "a_plan_only_reads", "was asked for"),
        (Wrong::Own(Own::PinsNothing), "a_plan_pins_the_world", "the plan pins nothing"),
        (Wrong::Own(Own::IgnoresThePins), "a_plan_pins_the_world", "the world moved after the plan"),
        (Wrong::Own(Own::CarriesOutAgain), "twice_has_one_effect", "the system was changed 2 times"),
        (Wrong::Own(Own::CarriesOutAgain), "a_late_answer_is_a_lost_one", "the system was changed 2 times"),
        (Wrong::Own(Own::FindsWhatNeverWas), "looking_knows_or_says_so", "finds what was never carried out"),
        (
            Wrong::Own(Own::FindsByTheStateAlone),
            "another_effects_change_is_not_ours",
            "carry the effect's id",
        ),
        (Wrong::ForgetsTheId, "looking_knows_or_says_so", "says No of what was carried out"),
        (Wrong::FindsNothing, "looking_knows_or_says_so", "says No of what was carried out"),
        (Wrong::FindsNothing, "a_lost_reply_is_maybe", "it was carried out, and it says No"),
        (Wrong::SaysNothingHappened, "a_lost_reply_is_maybe", "says that nothing happened, and it may have"),
        (Wrong::SaysNothingHappened, "a_late_answer_is_a_lost_one", "says that nothing happened"),
        (Wrong::PretendsItWorked, "a_lost_reply_is_maybe", "the call says it was done"),
        (Wrong::Own(Own::NeverSaysItHolds), "the_change_shows", "the change is in, and it says"),
        (Wrong::Own(Own::AlwaysSaysItHolds), "what_was_never_done_does_not_hold", "nothing was carried out"),
        (Wrong::Own(Own::UndoesNothing), "there_and_back", "it was undone, and the state is"),
        (Wrong::AsksToRetryARefusal, "a_refusal_is_final", "said no for good, and it asks for a retry"),
        (Wrong::IgnoresTheWait, "a_wait_is_passed_on", "asked to wait for 17s"),
        (Wrong::SendsAgain, "a_write_is_sent_once", "2 requests to write reached the backend"),
        (Wrong::IgnoresTheDeadline, "a_deadline_is_kept", "the call went on long after its deadline"),
        (Wrong::LeaksIntoDebug, "no_secret_is_shown", "the secret is in Debug"),
        (Wrong::LeaksIntoErrors, "no_secret_is_shown", "the secret is in the error after"),
        (Wrong::LeaksIntoTheLog, "no_secret_is_shown", "the secret is in a log"),
        (Wrong::Own(Own::LeaksIntoThePlan), "no_secret_is_shown", "the secret is in a plan"),
        (Wrong::WritesInPreflight, "preflight_writes_nothing", "preflight changed something"),
    ] {
        let report = mitigator::check(|| Line::new(wrong, Repeat::Lookup)).await;
        caught(&report, wrong, case, names);
    }
}

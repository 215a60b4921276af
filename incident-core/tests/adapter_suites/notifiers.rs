//! Wrong notifiers.

use std::sync::Arc;

use async_trait::async_trait;
use incident_core::conformance::backend::Arrival;
use incident_core::conformance::fake::{FakeRemote, REMEMBERS};
use incident_core::conformance::notifier::{self, NotifierHarness};
use incident_core::model::effect::Receipt;
use incident_core::model::notice::Notice;
use incident_core::port::{
    Adapter, AdapterError, Capabilities, EffectContext, Found, Notifier, Preflight, PreflightContext, Repeat,
};

use crate::caught;
use crate::line::{Line, Own, Wrong};

#[derive(Debug)]
struct Notifying(Line);

#[async_trait]
impl Adapter for Notifying {
    fn capabilities(&self) -> Capabilities {
        Capabilities::new("wrong")
    }

    async fn preflight(&self, _: &PreflightContext) -> Result<Preflight, AdapterError> {
        self.0.preflight().await.map(|()| Preflight::default())
    }
}

#[async_trait]
impl Notifier for Notifying {
    fn repeat(&self, _: &Notice) -> Repeat {
        self.0.repeat
    }

    async fn deliver(&self, cx: &EffectContext, notice: &Notice) -> Result<Receipt, AdapterError> {
        let wrong = |it| self.0.wrong.is(it);
        let mut notice = notice.clone();
        notice.drill &= !wrong(Own::HidesTheDrill);
        let marked = notice.possible_repeat && !wrong(Own::DoesNotMarkRepeats);
        let text = if wrong(Own::LetsTextThrough) {
            format!("{} {}", notice.title, notice.lines.iter().map(|it| it.text.clone()).collect::<String>())
        } else {
            notice.to_text()
        };
        self.0.send(cx, Arrival::new(Some(cx.effect), &text).marked(marked)).await?;
        Ok(Receipt::new("m-1"))
    }

    async fn find(&self, cx: &EffectContext, _: &Notice) -> Result<Found<Receipt>, AdapterError> {
        self.0.finds(cx.effect, Receipt::new("m-1")).await
    }
}

#[async_trait]
impl NotifierHarness for Line {
    async fn notifier(&self) -> Arc<dyn Notifier> {
        Arc::new(Notifying(self.clone()))
    }
}

#[tokio::test(start_paused = true)]
async fn a_notifier_that_keeps_every_promise_passes() {
    for repeat in [Repeat::Native { within: REMEMBERS }, Repeat::Lookup, Repeat::Converging, Repeat::Visible]
    {
        notifier::check(|| FakeRemote::new(repeat)).await.assert();
        notifier::check(|| Line::new(Wrong::Nothing, repeat)).await.assert();
    }
}

#[tokio::test(start_paused = true)]
async fn each_wrong_notifier_is_caught_and_its_defect_named() {
    for (wrong, case, names) in [
        (Wrong::ForgetsTheId, "a_notice_arrives_with_its_id", "forgets the effect's id"),
        (Wrong::SendsAgain, "a_write_is_sent_once", "2 requests to write reached the backend"),
        (Wrong::IgnoresTheWait, "a_wait_is_passed_on", "asked to wait for 17s, and the error says Some(0ns)"),
        (Wrong::AsksToRetryARefusal, "a_refusal_is_final", "said no for good, and it asks for a retry"),
        (Wrong::LeaksIntoErrors, "no_secret_is_shown", "the secret is in the error after Break"),
        (Wrong::LeaksIntoDebug, "no_secret_is_shown", "the secret is in Debug"),
        (Wrong::LeaksIntoTheLog, "no_secret_is_shown", "the secret is in a log"),
        (
            Wrong::SaysNothingHappened,
            "a_lost_reply_is_settled_as_declared",
            "says that nothing happened, and it may have",
        ),
        (
            Wrong::SaysNothingHappened,
            "a_late_answer_is_a_lost_one",
            "says that nothing happened, and it may have",
        ),
        (Wrong::FindsNothing, "a_look_that_can_not_know_says_so", "says No of what was delivered"),
        (Wrong::FindsNothing, "a_late_answer_is_a_lost_one", "it is there 2 times"),
        (Wrong::Own(Own::LetsTextThrough), "hostile_text_stays_text", "hostile text gets through"),
        (Wrong::IgnoresTheDeadline, "a_deadline_is_kept", "the call was given 400ms and went on"),
        (Wrong::Own(Own::HidesTheDrill), "a_drill_says_so", "doesn't say that it is one"),
        (Wrong::WritesInPreflight, "preflight_writes_nothing", "preflight wrote something"),
        (Wrong::PretendsItWorked, "a_refusal_is_final", "the backend refused, and the call says it was done"),
    ] {
        let report = notifier::check(|| Line::new(wrong, Repeat::Lookup)).await;
        caught(&report, wrong, case, names);
    }
    let wrong = Wrong::Own(Own::DoesNotMarkRepeats);
    let report = notifier::check(|| Line::new(wrong, Repeat::Visible)).await;
    let names = "without saying that it may be a repeat";
    caught(&report, wrong, "a_lost_reply_is_settled_as_declared", names);
}

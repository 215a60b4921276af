//! A mitigator against an API server on loopback: what it plans, does, finds and verifies, and what stops it.

mod edit;
mod faults;
mod pod;
mod rollback;
mod scale;
mod traffic;

use std::time::Duration;

use incident_core::model::id::{EffectId, IncidentId, Seq};
use incident_core::model::mitigation::{Custom, Mitigation, RestartInstance, RollBack};
use incident_core::model::plan::{Execution, Intent, Plan, Verification};
use incident_core::model::time::{Time, after};
use incident_core::port::{AdapterError, EffectContext, Found, Mitigator, ReadContext};
use serde_json::Value;

use super::K8sMitigator;
use crate::backend::K8sBackend;
use crate::config::K8sConfig;
use crate::support::samples::{deployment, set_image};
use crate::support::{Fake, Key};

/// A cluster with a namespace `shop`, and the mitigator for it.
struct Shop {
    fake: Fake,
    mitigator: K8sMitigator,
}

impl Shop {
    async fn new() -> Self {
        Self::with(|_| {}).await
    }

    async fn with(change: impl FnOnce(&mut K8sConfig)) -> Self {
        let fake = Fake::start().await;
        let mut config = K8sConfig::new("prod", "shop");
        change(&mut config);
        let backend = K8sBackend::with_client(config, fake.client()).unwrap();
        Self { mitigator: backend.into_mitigator().unwrap(), fake }
    }

    /// A deployment that went from `web:1` over `web:2` to an image that never works.
    async fn broken() -> Self {
        let shop = Self::new().await;
        shop.break_checkout();
        shop
    }

    fn break_checkout(&self) {
        self.fake.put([deployment("checkout", "web:1")]);
        for (seconds, image) in [(60, "web:2"), (120, "web:bad")] {
            self.fake.state().now = at(seconds);
            self.fake.change("deployments/checkout", set_image(image));
        }
    }

    async fn plan(&self, mitigation: &Mitigation) -> Result<Plan, AdapterError> {
        self.mitigator.plan(&reading(), Intent::Do(mitigation)).await
    }

    async fn planned(&self, mitigation: &Mitigation) -> Plan {
        self.plan(mitigation).await.unwrap()
    }

    /// Why there is no plan.
    async fn refusal(&self, mitigation: &Mitigation) -> String {
        self.plan(mitigation).await.unwrap_err().to_string()
    }

    async fn undo(&self, done: &Execution) -> Result<Plan, AdapterError> {
        self.mitigator.plan(&reading(), Intent::Undo(done)).await
    }

    async fn execute(&self, plan: &Plan) -> Result<Execution, AdapterError> {
        self.mitigator.carry_out(&effect(7), plan).await
    }

    async fn done(&self, plan: &Plan) -> Execution {
        self.execute(plan).await.unwrap()
    }

    async fn find(&self, plan: &Plan) -> Found<()> {
        match self.mitigator.find(&effect(7), plan).await.unwrap() {
            Found::Yes(_) => Found::Yes(()),
            Found::No => Found::No,
            Found::CannotTell => Found::CannotTell,
        }
    }

    /// One look at `done`, so many seconds after it was accepted.
    async fn verify(&self, done: &Execution, seconds: u64) -> Verification {
        let cx = EffectContext::new(effect(7).effect, after(done.accepted_at, Duration::from_secs(seconds)));
        self.mitigator.verify(&cx, done).await.unwrap()
    }

    /// The names of the pods of an application.
    fn pods(&self, app: &str) -> Vec<String> {
        let state = self.fake.state();
        let of = |object: &Value| object["metadata"]["labels"]["app"] == *app;
        state.all("pods").filter(|(_, pod)| of(pod)).map(|(key, _)| key.name.clone()).collect()
    }

    fn image(&self, key: &str) -> String {
        let object = self.fake.get(key).unwrap();
        object["spec"]["template"]["spec"]["containers"][0]["image"].as_str().unwrap().to_owned()
    }
}

/// 14:00 and so many seconds, the day the tests play.
fn at(seconds: u64) -> Time {
    after("2026-11-23T14:00:00Z".parse().unwrap(), Duration::from_secs(seconds))
}

fn now() -> Time {
    at(1800)
}

fn incident() -> IncidentId {
    IncidentId::new(now(), [1; 16])
}

fn reading() -> ReadContext {
    ReadContext::new(incident(), now())
}

/// The effect that record number `seq` planned.
fn effect(seq: u64) -> EffectContext {
    EffectContext::new(EffectId { incident: incident(), seq: Seq(seq) }, now())
}

fn roll_back(workload: &str, to: Option<&str>) -> Mitigation {
    Mitigation::RollBack(RollBack { workload: workload.to_owned(), to_revision: to.map(str::to_owned) })
}

fn restart_instance(pod: &str) -> Mitigation {
    Mitigation::RestartInstance(RestartInstance { instance: pod.to_owned() })
}

fn custom<const N: usize>(name: &str, target: &str, parameters: [(&str, &str); N]) -> Mitigation {
    let own = |(key, value): (&str, &str)| (key.to_owned(), value.to_owned());
    let parameters = parameters.map(own).into();
    Mitigation::Custom(Custom { name: name.to_owned(), target: target.to_owned(), parameters })
}

fn lines(plan: &Plan) -> Vec<String> {
    plan.changes.iter().map(|it| format!("{}: {} -> {}", it.what, it.from, it.to)).collect()
}

fn text<'a>(object: &'a Value, pointer: &str) -> &'a str {
    object.pointer(pointer).and_then(Value::as_str).unwrap_or_default()
}

fn key(text: &str) -> Key {
    Key::of(text)
}

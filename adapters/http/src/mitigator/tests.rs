//! A mitigator against a flag service on loopback: what it plans, does, finds and verifies, and what stops it.

mod doing;
mod planning;

use std::sync::{Arc, Mutex};
use std::time::Duration;

use incident_core::model::id::{EffectId, IncidentId, Seq};
use incident_core::model::mitigation::{Mitigation, SwitchFeature};
use incident_core::model::plan::{Execution, Intent, Plan};
use incident_core::model::time::{Time, after};
use incident_core::port::{AdapterError, EffectContext, Mitigator, ReadContext};
use serde_json::{Value, json};

use super::HttpMitigator;
use crate::backend::HttpBackend;
use crate::config::{CallConfig, FeatureConfig, HttpConfig, ReadConfig};
use crate::fake::{Asked, Fake, Reply};

/// The service's state, which a test may change behind the mitigator's back.
#[derive(Debug, Clone, PartialEq)]
struct Flag {
    value: Value,
    version: u64,
    effect: Option<String>,
}

/// What happens to a write.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fault {
    None,
    /// Done, and the answer lost.
    LostAnswer,
    /// Done, and never answered.
    Silence,
}

struct Service {
    fake: Fake,
    flag: Arc<Mutex<Flag>>,
    fault: Arc<Mutex<Fault>>,
}

impl Service {
    /// A flag that is on.
    async fn start() -> Self {
        let flag = Arc::new(Mutex::new(Flag { value: json!(true), version: 7, effect: None }));
        let fault = Arc::new(Mutex::new(Fault::None));
        let (state, how) = (Arc::clone(&flag), Arc::clone(&fault));
        let fake = Fake::start(move |asked| {
            let mut flag = state.lock().unwrap();
            if asked.method == "GET" {
                let body = json!({ "value": flag.value, "version": flag.version, "effect": flag.effect });
                return Reply::json(&body).with("etag", &format!("\"{}\"", flag.version));
            }
            if asked.headers.get("if-match").is_some_and(|etag| *etag != format!("\"{}\"", flag.version)) {
                return Reply::status(412);
            }
            set(&mut flag, asked);
            match *how.lock().unwrap() {
                Fault::None => Reply::status(204),
                Fault::LostAnswer => Reply::Cut,
                Fault::Silence => Reply::Silence,
            }
        })
        .await;
        Self { fake, flag, fault }
    }

    fn flag(&self) -> Flag {
        self.flag.lock().unwrap().clone()
    }

    /// Somebody else sets the flag.
    fn meddle(&self, value: Value) {
        let mut flag = self.flag.lock().unwrap();
        flag.value = value;
        flag.version += 1;
        flag.effect = None;
    }

    fn fail(&self, fault: Fault) {
        *self.fault.lock().unwrap() = fault;
    }

    fn mitigator(&self, change: impl FnOnce(&mut FeatureConfig)) -> HttpMitigator {
        let mut config = HttpConfig::new(&self.fake.url());
        let mut feature = feature();
        change(&mut feature);
        config.mitigations.features.insert("new-pricing".to_owned(), feature);
        mitigator(config)
    }
}

fn set(flag: &mut Flag, asked: &Asked) {
    flag.value = asked.json()["value"].clone();
    flag.version += 1;
    flag.effect = asked.headers.get("x-incident-effect").cloned();
}

fn mitigator(config: HttpConfig) -> HttpMitigator {
    HttpBackend::new(config).unwrap().into_mitigator().unwrap()
}

fn feature() -> FeatureConfig {
    let set = |value| CallConfig::new("PUT", "/flags/new-pricing").with_body(json!({ "value": value }));
    let mut read = ReadConfig::new("/flags/new-pricing", "/value");
    read.version = Some("/version".to_owned());
    FeatureConfig::new(read, set(true), set(false))
}

fn with_receipt(feature: &mut FeatureConfig) {
    feature.read.as_mut().unwrap().receipt = Some("/effect".to_owned());
}

fn switch(on: bool) -> Mitigation {
    Mitigation::SwitchFeature(SwitchFeature { feature: "new-pricing".to_owned(), on })
}

fn now() -> Time {
    "2026-11-23T14:30:00Z".parse().unwrap()
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

/// An effect whose calls must be over in 200 ms.
fn hasty(seq: u64) -> EffectContext {
    effect(seq).with_deadline(Duration::from_millis(200))
}

fn later(seq: u64, seconds: u64) -> EffectContext {
    EffectContext::new(effect(seq).effect, after(now(), Duration::from_secs(seconds)))
}

async fn plan(mitigator: &HttpMitigator, on: bool) -> Result<Plan, AdapterError> {
    mitigator.plan(&reading(), Intent::Do(&switch(on))).await
}

async fn undo(mitigator: &HttpMitigator, done: &Execution) -> Result<Plan, AdapterError> {
    mitigator.plan(&reading(), Intent::Undo(done)).await
}

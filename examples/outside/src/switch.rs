//! A switch that mitigates: a feature, on or off, in a file that counts its changes.

use std::path::{Path, PathBuf};

use async_trait::async_trait;
use incident_core::model::mitigation::{Mitigation, SwitchFeature};
use incident_core::model::plan::{ApprovedPlan, Execution, Intent, Plan, Reversible, Verification};
use incident_core::port::*;
use serde::{Deserialize, Serialize};

use crate::file;

#[derive(Debug)]
pub struct Switch(pub PathBuf);

/// How the switch stands, how often it was changed, and the effect that changed it last.
#[derive(Debug, Serialize, Deserialize)]
struct State {
    on: bool,
    version: u64,
    effect: Option<String>,
}

impl Switch {
    async fn state(&self) -> Result<State, AdapterError> {
        let text = file::read(&self.0).await?;
        let text =
            text.ok_or_else(|| AdapterError::new(ErrorKind::NotFound, "read the switch").not_applied())?;
        serde_json::from_str(&text).map_err(|error| {
            AdapterError::new(ErrorKind::Invalid, "read the switch").not_applied().caused_by(error)
        })
    }
}

/// Whether the plan turns the switch on.
fn turns_on(plan: &Plan) -> Result<bool, AdapterError> {
    match &plan.mitigation {
        Mitigation::SwitchFeature(it) => Ok(it.on),
        _ => Err(AdapterError::new(ErrorKind::Refused, "plan anything but a switched feature")),
    }
}

#[async_trait]
impl Adapter for Switch {
    fn capabilities(&self) -> Capabilities {
        Capabilities::new("switch")
    }

    async fn preflight(&self, _: &PreflightContext) -> Result<Preflight, AdapterError> {
        let found = file::preflight(self.0.parent().unwrap_or(Path::new("."))).await;
        Ok(match self.state().await {
            Ok(_) => found.good("the switch"),
            Err(_) => found
                .bad("the switch", "write {\"on\": true, \"version\": 0, \"effect\": null} into its file"),
        })
    }
}

#[async_trait]
impl Mitigator for Switch {
    async fn plan(&self, _: &ReadContext, intent: Intent<'_>) -> Result<Plan, AdapterError> {
        let refused = || AdapterError::new(ErrorKind::Refused, "plan anything but a switched feature");
        let state = self.state().await?;
        let wanted = match intent {
            Intent::Do(Mitigation::SwitchFeature(it)) => it.clone(),
            // The way back restores what the execution found.
            Intent::Undo(done) => match (&done.plan.mitigation, done.before.as_bool()) {
                (Mitigation::SwitchFeature(it), Some(on)) => {
                    SwitchFeature { feature: it.feature.clone(), on }
                }
                _ => return Err(refused()),
            },
            _ => return Err(refused()),
        };
        let word = |on| if on { "on" } else { "off" };
        let target = format!("desk/{}", wanted.feature);
        let (from, to) = (word(state.on), word(wanted.on));
        // The pin holds execution to what the plan saw.
        Ok(Plan::new(Mitigation::SwitchFeature(wanted.clone()), &target, Reversible::Yes)
            .with_change(&wanted.feature, from, to)
            .with_pin("version", &state.version.to_string()))
    }

    async fn execute(&self, cx: &EffectContext, plan: &ApprovedPlan) -> Result<Execution, AdapterError> {
        let (plan, state, effect) = (plan.plan(), self.state().await?, cx.effect.to_string());
        if plan.pins.get("version") != Some(&state.version.to_string()) {
            let moved = AdapterError::new(ErrorKind::Precondition, "turn the switch").not_applied();
            return Err(moved.with_context("somebody changed it after the plan was made; plan again"));
        }
        let after = State { on: turns_on(plan)?, version: state.version + 1, effect: Some(effect) };
        let text = serde_json::to_string(&after).map_err(|error| {
            AdapterError::new(ErrorKind::Invalid, "turn the switch").not_applied().caused_by(error)
        })?;
        file::replace(&self.0, &text).await?;
        Ok(Execution::new(plan.clone(), cx.now).with_before(state.on.into()))
    }

    async fn find(&self, cx: &EffectContext, plan: &Plan) -> Result<Found<Execution>, AdapterError> {
        let state = self.state().await?;
        let untouched = plan.pins.get("version") == Some(&state.version.to_string());
        Ok(match &state.effect {
            Some(effect) if *effect == cx.effect.to_string() => {
                Found::Yes(Execution::new(plan.clone(), cx.now).with_before((!turns_on(plan)?).into()))
            }
            _ if untouched => Found::No,
            // Somebody changed it since, and may have written over our change.
            _ => Found::CannotTell,
        })
    }

    async fn verify(&self, _: &EffectContext, done: &Execution) -> Result<Verification, AdapterError> {
        let state = self.state().await?;
        let (stands, wanted) = (state.on, turns_on(&done.plan)?);
        Ok(if stands == wanted {
            Verification::Holds
        } else {
            Verification::Failed { detail: "the switch stands otherwise".to_owned() }
        })
    }
}

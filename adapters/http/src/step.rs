//! What a plan carries for the mitigator, and making such plans.

use incident_core::model::inert;
use incident_core::model::mitigation::Mitigation;
use incident_core::model::plan::{Execution, Plan, Reversible};
use incident_core::port::{AdapterError, ErrorKind};
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::Value;

use crate::action::{Action, Key, ShownCall};
use crate::catalogue::Catalogue;
use crate::compare::equal;
use crate::state::{Seen, pinned_value};

pub(crate) const PLAN: &str = "plan the mitigation";
const BACKEND: &str = "backend";
/// Bytes of a value or body that a line of a plan shows; the payload has all of it.
const MOST_SHOWN: usize = 200;

/// The payload of a plan: which action, by which call, to what state.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Step {
    pub(crate) action: Key,
    pub(crate) call: ShownCall,
    /// What reading shows afterwards, if that is known.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "present")]
    pub(crate) wanted: Option<Value>,
}

/// A step that has yet to be held to the live system.
pub(crate) struct Draft<'a> {
    pub(crate) mitigation: Mitigation,
    pub(crate) key: Key,
    pub(crate) action: &'a Action,
    /// What reading shall show afterwards, if that is known.
    wanted: Option<Value>,
    warnings: Vec<&'static str>,
}

impl<'a> Draft<'a> {
    /// The step that does `mitigation`.
    pub(crate) fn forth(catalogue: &'a Catalogue, mitigation: &Mitigation) -> Result<Self, AdapterError> {
        let key = catalogue.find(mitigation).map_err(refused)?;
        let action = catalogue.get(&key).ok_or_else(|| refused("this isn't declared"))?;
        let wanted = action.wanted.clone();
        Ok(Self { mitigation: mitigation.clone(), key, action, wanted, warnings: Vec::new() })
    }

    /// The step that takes `execution` back.
    pub(crate) fn back(
        catalogue: &'a Catalogue,
        backend: &str,
        execution: &Execution,
    ) -> Result<Self, AdapterError> {
        let step = Step::of(&execution.plan)?;
        if execution.plan.pins.get(BACKEND).is_none_or(|done_at| done_at != backend) {
            return Err(refused("it was done at another base URL; take it back there"));
        }
        let Some(key) = step.action.opposite() else {
            return Err(refused("there is nothing to restore"));
        };
        let action = catalogue
            .get(&key)
            .ok_or_else(|| refused("no call is declared that takes it back; change it by hand"))?;
        let before = pinned_value(&execution.plan);
        let mut warnings = Vec::new();
        let wanted = match (&action.wanted, before) {
            (Some(wanted), Some(before)) if !equal(wanted, &before) => {
                let before = show(&before);
                return Err(refused(format!(
                    "it was {before} before, and no declared call leads back there; change it by hand"
                )));
            }
            (Some(wanted), None) => {
                warnings.push("The state before wasn't read, so this may not be the way it was.");
                Some(wanted.clone())
            }
            (_, before) => before,
        };
        let mitigation = match (&execution.plan.mitigation, &key) {
            (Mitigation::SwitchFeature(it), Key::Feature(to)) => {
                let mut back = it.clone();
                back.on = to.on;
                Mitigation::SwitchFeature(back)
            }
            (other, _) => other.clone(),
        };
        Ok(Self { mitigation, key, action, wanted, warnings })
    }

    /// The plan, with the state that was `seen` – or wasn't – pinned.
    ///
    /// # Errors
    /// [`ErrorKind::Refused`] if the state is as wanted already.
    pub(crate) fn plan(
        self,
        catalogue: &Catalogue,
        backend: &str,
        seen: Option<&Seen>,
    ) -> Result<Plan, AdapterError> {
        let Self { mitigation, key, action, wanted, warnings } = self;
        if let (Some(seen), Some(wanted)) = (seen, &wanted)
            && equal(&seen.value, wanted)
        {
            return Err(refused(format!("{} is already so: {}", inert::line(&action.what), show(wanted))));
        }
        let back = key.opposite().and_then(|key| catalogue.get(&key));
        let reversible = match (&key, back, seen) {
            (Key::Cache(_), ..) => Reversible::NothingToRestore,
            (_, None, _) => Reversible::No,
            (_, Some(_), None) => Reversible::Partly,
            (_, Some(back), Some(seen)) => match &back.wanted {
                Some(state) if !equal(state, &seen.value) => Reversible::No,
                _ => Reversible::Yes,
            },
        };
        let kind = match &key {
            Key::Feature(_) => "feature",
            Key::Cache(_) => "cache",
            Key::Custom(_) => "custom",
        };
        let target = format!("{backend}/{kind}/{}", action.target);
        let from = seen.map_or_else(|| "not known".to_owned(), |seen| show(&seen.value));
        let to = match (&wanted, &key) {
            (Some(wanted), _) => show(wanted),
            (None, Key::Cache(_)) => "clear".to_owned(),
            (None, _) => "whatever the call makes it".to_owned(),
        };
        let call = &action.call.shown;
        let step = Step { action: key, call: call.clone(), wanted };
        let payload = serde_json::to_value(&step)
            .map_err(|error| AdapterError::new(ErrorKind::Invalid, PLAN).caused_by(error))?;
        let mut plan = Plan::new(mitigation, &target, reversible)
            .with_change(&inert::line(&action.what), &from, &to)
            .with_change("request to be sent", "none", &show_call(backend, call))
            .with_pin(BACKEND, backend)
            .with_payload(payload);
        if let Some(verify) = &action.verify {
            plan = plan.with_verify_within(verify.within);
        }
        if let Some(seen) = seen {
            plan = seen.pin(plan);
        }
        for warning in warnings.into_iter().chain(lacks(action, &step, reversible, seen)) {
            plan = plan.with_warning(warning);
        }
        Ok(plan)
    }
}

impl Step {
    /// The step of a plan that this adapter made.
    pub(crate) fn of(plan: &Plan) -> Result<Self, AdapterError> {
        serde_json::from_value(plan.payload.clone()).map_err(|_| {
            AdapterError::new(ErrorKind::Invalid, PLAN).with_context("this plan isn't one of this adapter")
        })
    }

    /// The action as it is declared now, if it is still what `plan` says.
    ///
    /// # Errors
    /// [`ErrorKind::Precondition`] if the configuration changed since the plan was made.
    pub(crate) fn action<'a>(
        &self,
        catalogue: &'a Catalogue,
        backend: &str,
        plan: &Plan,
        operation: &'static str,
    ) -> Result<&'a Action, AdapterError> {
        let changed = |what: &str| {
            AdapterError::new(ErrorKind::Precondition, operation)
                .with_context(format!("{what} is no longer as planned; make a new plan"))
        };
        if plan.pins.get(BACKEND).is_none_or(|planned| planned != backend) {
            return Err(changed("the base URL"));
        }
        let action = catalogue.get(&self.action).ok_or_else(|| changed("what is declared"))?;
        if action.call.shown == self.call { Ok(action) } else { Err(changed("the declared call")) }
    }
}

/// What the people who approve must know is missing.
fn lacks(
    action: &Action,
    step: &Step,
    reversible: Reversible,
    seen: Option<&Seen>,
) -> impl Iterator<Item = &'static str> {
    let restorable = !matches!(step.action, Key::Cache(_));
    let verified = action.verify.as_ref().is_some_and(|it| it.is.is_some() || step.wanted.is_some());
    [
        (
            seen.is_none(),
            "The state can't be read: nothing is pinned, and nobody can look whether it was done.",
        ),
        (!verified, "Nothing verifies it: that the call was accepted is all that will be known."),
        (restorable && reversible == Reversible::No, "No declared call takes it back."),
        (
            reversible == Reversible::Partly,
            "The state before isn't known; taking it back makes the opposite call.",
        ),
    ]
    .into_iter()
    .filter_map(|(lacks, warning)| lacks.then_some(warning))
}

/// A value as a line of a plan shows it.
pub(crate) fn show(value: &Value) -> String {
    inert::clip(&inert::line(&value.to_string()), MOST_SHOWN)
}

fn show_call(backend: &str, call: &ShownCall) -> String {
    let ShownCall { method, path, body } = call;
    match body {
        Some(body) => format!("{method} {backend}{path} with {}", show(body)),
        None => format!("{method} {backend}{path}"),
    }
}

/// A null that is written down is a value, not the lack of one.
fn present<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Value>, D::Error> {
    Value::deserialize(deserializer).map(Some)
}

fn refused(context: impl Into<String>) -> AdapterError {
    AdapterError::new(ErrorKind::Refused, PLAN).with_context(context)
}

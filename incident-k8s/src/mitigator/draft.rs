//! What every plan has: who else manages the target, what is pinned, which permissions are needed.

use incident_core::model::mitigation::Mitigation;
use incident_core::model::plan::{Change, Plan, Reversible};
use incident_core::port::AdapterError;
use serde_json::Value;

use super::Look;
use super::intent::Asked;
use crate::ownership::managers;
use crate::step::{Action, CLUSTER, Step, pin, refuse};
use crate::target::Target;

/// A plan in the making.
pub(super) struct Draft {
    pub(super) mitigation: Mitigation,
    pub(super) target: Target,
    pub(super) changes: Vec<Change>,
    pub(super) warnings: Vec<String>,
    pub(super) permissions: Vec<String>,
    /// Whom the mitigation names as overridden, and who of them was found.
    overrides: Vec<String>,
    overridden: Vec<&'static str>,
}

impl Draft {
    pub(super) fn new(mitigation: Mitigation, target: &Target) -> Self {
        Self {
            mitigation,
            target: target.clone(),
            changes: Vec::new(),
            warnings: Vec::new(),
            permissions: Vec::new(),
            overrides: Vec::new(),
            overridden: Vec::new(),
        }
    }

    /// For what was asked, with whom it overrides.
    pub(super) fn of(asked: &Asked) -> Self {
        Self { overrides: asked.overrides.clone(), ..Self::new(asked.mitigation.clone(), &asked.target) }
    }

    /// Whether `key` is named as overridden; naming somebody who isn't there is no plan.
    pub(super) fn overrides(&mut self, key: &'static str) -> bool {
        let named = self.overrides.iter().any(|it| it == key);
        if named {
            self.overridden.push(key);
        }
        named
    }

    pub(super) fn change(&mut self, what: &str, from: impl Into<String>, to: impl Into<String>) {
        self.changes.push(Change { what: what.to_owned(), from: from.into(), to: to.into() });
    }

    pub(super) fn warn(&mut self, warning: impl Into<String>) {
        self.warnings.push(warning.into());
    }

    pub(super) fn needs(&mut self, permission: impl Into<String>) {
        self.permissions.push(permission.into());
    }

    /// Refuses what is being deleted, and what somebody else manages unless that one is named; then warns of it.
    ///
    /// # Errors
    /// [`ErrorKind::Refused`](incident_core::port::ErrorKind::Refused), with the remedy of whoever manages it.
    pub(super) fn guard(&mut self, object: &Value) -> Result<(), AdapterError> {
        if is_going(object) {
            return Err(refuse("it is being deleted"));
        }
        for manager in managers(object) {
            if !self.overrides(manager.key()) {
                return Err(refuse(format!(
                    "{manager} manages it: {}; to act all the same, propose it as a custom mitigation with override = {}",
                    manager.remedy(),
                    manager.key()
                )));
            }
            self.warn(format!("This overrides {manager}: {}.", manager.threat()));
        }
        Ok(())
    }

    /// The plan to do `action`, with what was seen of `object` pinned.
    pub(super) fn plan(
        self,
        look: &Look<'_>,
        object: &Value,
        reversible: Reversible,
        action: Action,
    ) -> Result<Plan, AdapterError> {
        if self.overrides.iter().any(|named| !self.overridden.contains(&named.as_str())) {
            return Err(refuse(
                "it overrides something that doesn't manage the target; leave the override out",
            ));
        }
        let cluster = &look.cluster.scope().cluster;
        let step = Step { target: self.target.clone(), action };
        let mut plan = Plan::new(self.mitigation, &self.target.identity(cluster), reversible)
            .with_pin(CLUSTER, cluster)
            .with_payload(step.payload()?);
        plan = pin(plan, object);
        plan.changes = self.changes;
        plan.warnings = self.warnings;
        plan.permissions = self.permissions;
        Ok(plan)
    }
}

/// Whether `object` is being deleted: nothing that is done to it lasts.
pub(super) fn is_going(object: &Value) -> bool {
    object.pointer("/metadata/deletionTimestamp").is_some_and(|it| !it.is_null())
}

/// A draft for what was asked, about an object that nobody else manages or whose manager is overridden.
pub(super) fn guarded(asked: &Asked, object: &Value) -> Result<Draft, AdapterError> {
    let mut draft = Draft::of(asked);
    draft.guard(object)?;
    Ok(draft)
}

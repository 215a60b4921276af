//! The way back: a plan of its own, made against what is there now.

use incident_core::model::mitigation::{Mitigation, RollBack};
use incident_core::model::plan::{Execution, Plan};
use incident_core::port::AdapterError;
use serde_json::Value;

use super::Look;
use super::draft::{Draft, is_going};
use super::floor::resource;
use super::manifest::Applied;
use crate::history::template;
use crate::object::{digest, number, uid};
use crate::request::Request;
use crate::rollout::desired;
use crate::step::{Action, PLAN, Step, TEMPLATE, UID, is_pinned, refuse};
use crate::template::Edit;

impl Look<'_> {
    /// The plan that takes `execution` back.
    ///
    /// # Errors
    /// [`ErrorKind::Refused`](incident_core::port::ErrorKind::Refused) where somebody changed the target since: the way
    /// back would take that back, too.
    pub(super) async fn plan_undo(&self, execution: &Execution) -> Result<Plan, AdapterError> {
        let done = &execution.plan;
        let step = Step::of(done, &self.cluster.scope().cluster, PLAN)?;
        let target = &step.target;
        // Who manages the target was weighed when the change itself was planned.
        let mut draft = Draft::new(done.mitigation.clone(), target);
        let changed = || refuse("it was changed since; look at what is there and plan from that");
        match &step.action {
            Action::Template { edit: Edit::Restart { .. }, .. } | Action::Pod { .. } => {
                Err(refuse("there is nothing to restore after a restart"))
            }
            Action::Template { to, .. } => {
                let workload = standing(self.observed(target).await?)?;
                if !is_pinned(done, UID, uid(&workload)) || digest(&template(&workload)) != *to {
                    return Err(changed());
                }
                let history = self.history(target, &workload).await?;
                let before = done.pins.get(TEMPLATE);
                let kept =
                    history.iter().find(|it| before.is_some_and(|digest| it.digest.to_string() == *digest));
                let kept =
                    kept.ok_or_else(|| refuse("the revision before is no longer kept; name another one"))?;
                draft.mitigation = Mitigation::RollBack(RollBack {
                    workload: target.to_string(),
                    to_revision: Some(kept.number.to_string()),
                });
                draft.warn("This brings back what was there before the mitigation, which may be what broke.");
                self.plan_template(draft, &workload, Edit::to(kept), Some(kept), Vec::new()).await
            }
            Action::Replicas { from, to } => {
                let workload = standing(self.ask(PLAN, &Request::of(target)).await?)?;
                if !is_pinned(done, UID, uid(&workload)) || desired(target.kind, &workload) != *to {
                    return Err(changed());
                }
                set_replicas(&mut draft.mitigation, *from);
                self.plan_replicas(draft, &workload, *to, *from).await
            }
            Action::Floor { autoscaler, from, to } => {
                let workload = standing(self.ask(PLAN, &Request::of(target)).await?)?;
                let (scaler, now) = self.read_floor(PLAN, target, autoscaler).await?;
                // Where nothing was set the server may have filled in a number of its own.
                if uid(&scaler) != autoscaler.uid || (to.is_some() && now != *to) {
                    return Err(changed());
                }
                standing(scaler)?;
                let request = self.floor_request(target, autoscaler, None, *from, "dry-run").dry_run();
                self.ask(PLAN, &request).await?;
                let shown = |it: &Option<i64>| it.map_or_else(|| "not set".to_owned(), |it| it.to_string());
                let what = format!("least replicas of the autoscaler {}", autoscaler.name);
                draft.change(&what, shown(to), shown(from));
                draft.warn("Whether fewer pods run then is the autoscaler's choice.");
                draft.needs(format!(
                    "get, patch {} in {}",
                    resource(autoscaler.keda).shown(),
                    target.namespace
                ));
                draft.needs(format!("get {} in {}", target.kind.resource().shown(), target.namespace));
                let least = from.unwrap_or(1).min(number(&workload, "/status/replicas"));
                let radius = crate::radius::of_scale(target.kind, &workload, least);
                let action = Action::Floor { autoscaler: autoscaler.clone(), from: *to, to: *from };
                let reversible = incident_core::model::plan::Reversible::Yes;
                Ok(draft.plan(self, &workload, reversible, action)?.with_blast_radius(radius))
            }
            Action::Selector { from, to } => {
                let service = standing(self.ask(PLAN, &Request::of(target)).await?)?;
                let now = service.pointer("/spec/selector");
                if !is_pinned(done, UID, uid(&service)) || now != Some(&serde_json::json!(to)) {
                    return Err(changed());
                }
                self.plan_switch(draft, &service, from).await
            }
            Action::Apply { plural, manifest, before, changes } => {
                let it = Applied { plural, manifest, changes };
                self.plan_restoring(draft, &it, before.as_ref()).await
            }
            Action::Restore { .. } => Err(refuse("propose the mitigation itself again")),
        }
    }
}

/// `object`, unless it is being deleted.
fn standing(object: Value) -> Result<Value, AdapterError> {
    if is_going(&object) { Err(refuse("it is being deleted")) } else { Ok(object) }
}

/// The mitigation as its way back is read: to the number that was there.
fn set_replicas(mitigation: &mut Mitigation, replicas: i64) {
    if let Mitigation::Scale(scale) = mitigation {
        scale.replicas = u32::try_from(replicas).unwrap_or_default();
    }
}

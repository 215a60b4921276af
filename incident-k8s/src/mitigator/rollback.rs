//! Rolling a workload back to an earlier revision of its pod template.

use incident_core::model::id::Digest;
use incident_core::model::mitigation::Mitigation;
use incident_core::model::plan::Plan;
use incident_core::port::{AdapterError, ErrorKind};
use serde_json::Value;
use std::time::Duration;

use super::Look;
use super::draft::{guarded, is_going};
use super::intent::Asked;
use crate::history::{Revision, current, is_observed, resolve, revisions};
use crate::object::{condition, is_controlled_by, label, name, number, selector, text, uid};
use crate::request::{Request, Resource};
use crate::step::{Doomed, PLAN, refuse};
use crate::target::{Kind, Target};
use crate::template::Edit;

impl Look<'_> {
    pub(super) async fn plan_rollback(&self, asked: &Asked, to: Option<&str>) -> Result<Plan, AdapterError> {
        let target = &asked.target;
        let workload = self.observed(target).await?;
        let mut draft = guarded(asked, &workload)?;
        let history = self.history(target, &workload).await?;
        let found = resolve(target.kind, &workload, &history, to);
        let revision = found.map_err(|error| refuse(error.to_string()))?;
        let from = current(&workload, &history);
        draft.change(
            "revision",
            from.map_or_else(|| "unknown".to_owned(), |it| it.number.to_string()),
            format!(
                "{} ({}, of {})",
                revision.number,
                images(revision),
                revision.created.format("%Y-%m-%d %H:%M UTC")
            ),
        );
        // "Undo" is a toggle; what is planned, approved and recorded is a revision.
        if let Mitigation::RollBack(it) = &mut draft.mitigation {
            it.to_revision = Some(revision.number.to_string());
        }
        let stuck = match target.kind {
            Kind::StatefulSet
                if number(&workload, "/status/readyReplicas") < number(&workload, "/status/replicas") =>
            {
                self.stuck_pods(PLAN, target, &workload, revision.digest).await?
            }
            _ => Vec::new(),
        };
        if !stuck.is_empty() {
            draft.warn(
                "The controller waits for pods of the bad revision for ever, so they are deleted, too.",
            );
        }
        self.plan_template(draft, &workload, Edit::to(revision), Some(revision), stuck).await
    }

    /// The workload once its controller has seen it as it is: before that, "previous" would be one revision too far.
    pub(super) async fn observed(&self, target: &Target) -> Result<Value, AdapterError> {
        let request = Request::of(target);
        let mut workload = self.ask(PLAN, &request).await?;
        if !is_observed(&workload) {
            let half = self.budget.share(50);
            workload = self.cluster.watch(PLAN, &request, workload, is_observed, &half).await;
        }
        if is_observed(&workload) {
            return Ok(workload);
        }
        let error = AdapterError::new(ErrorKind::Precondition, PLAN);
        let context = "its controller hasn't seen the last change yet, so its history can't be trusted";
        Err(error.with_context(context).retry_after(Some(Duration::from_secs(5))))
    }

    /// All revisions of the workload, newest first.
    pub(super) async fn history(
        &self,
        target: &Target,
        workload: &Value,
    ) -> Result<Vec<Revision>, AdapterError> {
        let selector =
            selector(workload, "/spec/selector").ok_or_else(|| refuse("its selector can't be read"))?;
        let request = Request::list(&keeper(target.kind), Some(&target.namespace));
        let kept = self.list(PLAN, &request.with("labelSelector", selector)).await?;
        Ok(revisions(workload, &kept))
    }

    /// The pods of a StatefulSet that hold it up whatever its template says: of another revision than the one whose
    /// template has the digest `to`, and not ready.
    pub(super) async fn stuck_pods(
        &self,
        operation: &'static str,
        target: &Target,
        workload: &Value,
        to: Digest,
    ) -> Result<Vec<Doomed>, AdapterError> {
        let Some(selector) = selector(workload, "/spec/selector") else { return Ok(Vec::new()) };
        let pods = Request::list(&Resource::PODS, Some(&target.namespace)).with("labelSelector", selector);
        let pods = self.list(operation, &pods).await?;
        let good = self.history(target, workload).await?;
        let good: Vec<_> = good.iter().filter(|it| it.digest == to).map(|it| it.name.as_str()).collect();
        let stuck = pods.iter().filter(|pod| {
            let of = label(pod, "controller-revision-hash").unwrap_or_default();
            is_controlled_by(pod, uid(workload)) && !good.contains(&of) && !is_ready(pod) && !is_going(pod)
        });
        Ok(stuck.map(|pod| Doomed { name: name(pod).to_owned(), uid: uid(pod).to_owned() }).collect())
    }
}

/// What keeps the revisions of a kind of workload.
pub(super) fn keeper(kind: Kind) -> Resource {
    if kind == Kind::Deployment { Resource::REPLICA_SETS } else { Resource::CONTROLLER_REVISIONS }
}

pub(crate) fn is_ready(pod: &Value) -> bool {
    condition(pod, "Ready").is_some_and(|it| text(it, "/status") == "True")
}

fn images(revision: &Revision) -> String {
    incident_core::model::inert::line(&revision.images().join(", "))
}

//! Sending a service's traffic to other pods, by their labels.

use std::collections::{BTreeMap, BTreeSet};

use incident_core::model::plan::{Execution, Plan, Reversible, Verification};
use incident_core::port::{AdapterError, Found};
use serde_json::{Value, json};

use super::Look;
use super::draft::{Draft, guarded};
use super::intent::Asked;
use super::rollback::is_ready;
use crate::object::{annotation, fields, items, text, uid};
use crate::radius;
use crate::request::{JSON_PATCH, MARKER, Request, Resource, replacement};
use crate::step::{Action, EXECUTE, FIND, PLAN, UID, VERIFY, is_pinned, moved, refuse};
use crate::target::Target;

const SELECTOR_AT: &str = "/spec/selector";
type Labels = BTreeMap<String, String>;

impl Look<'_> {
    pub(super) async fn plan_selector(&self, asked: &Asked, to: &Labels) -> Result<Plan, AdapterError> {
        let service = self.ask(PLAN, &Request::of(&asked.target)).await?;
        let draft = guarded(asked, &service)?;
        self.plan_switch(draft, &service, to).await
    }

    pub(super) async fn plan_switch(
        &self,
        mut draft: Draft,
        service: &Value,
        to: &Labels,
    ) -> Result<Plan, AdapterError> {
        let target = draft.target.clone();
        let from = selector_of(service);
        if from == *to {
            return Err(refuse("its traffic goes there already"));
        }
        if from.is_empty() {
            return Err(refuse("it has no selector: its endpoints are somebody else's to choose"));
        }
        let selector = shown(to).replace(", ", ",");
        let pods = Request::list(&Resource::PODS, Some(&target.namespace)).with("labelSelector", selector);
        let ready = self.list(PLAN, &pods).await?.iter().filter(|pod| is_ready(pod)).count();
        if ready == 0 {
            return Err(refuse(format!("no ready pod has the labels {}", shown(to))));
        }
        let mut patch = replacement(service, SELECTOR_AT, &json!(to), "dry-run", &[]);
        if let Some(operations) = patch.as_array_mut() {
            operations.remove(0);
        }
        let request = Request::of(&target).patch(JSON_PATCH, patch, self.cluster.manager()).dry_run();
        self.ask(PLAN, &request).await?;
        draft.change("pods that get the traffic", shown(&from), format!("{} ({ready} ready)", shown(to)));
        draft.warn("Open connections stay where they are until they end.");
        draft.needs(format!("get, patch {} in {}", Resource::SERVICES.shown(), target.namespace));
        draft.needs(format!("list {} in {}", Resource::ENDPOINT_SLICES.shown(), target.namespace));
        let action = Action::Selector { from, to: to.clone() };
        let plan = draft.plan(self, service, Reversible::Yes, action)?;
        Ok(plan.with_blast_radius(radius::of_traffic(i64::try_from(ready).unwrap_or(i64::MAX))))
    }

    pub(super) async fn set_selector(
        &self,
        plan: &Plan,
        target: &Target,
        from: &Labels,
        to: &Labels,
        effect: &str,
    ) -> Result<Value, AdapterError> {
        let service = self.ask(EXECUTE, &Request::of(target)).await?;
        let before = json!({ "selector": from });
        if annotation(&service, MARKER) == Some(effect) {
            return Ok(before);
        }
        if !is_pinned(plan, UID, uid(&service)) {
            return Err(moved("it was deleted and made anew"));
        }
        if selector_of(&service) != *from {
            return Err(moved("its selector was changed"));
        }
        let patch = replacement(&service, SELECTOR_AT, &json!(to), effect, &[]);
        self.write(&Request::of(target).patch(JSON_PATCH, patch, self.cluster.manager())).await?;
        Ok(before)
    }

    pub(super) async fn find_selector(
        &self,
        plan: &Plan,
        target: &Target,
        from: &Labels,
        effect: &str,
    ) -> Result<Found<Value>, AdapterError> {
        let Some(service) = self.find(FIND, &Request::of(target)).await? else {
            return Ok(Found::CannotTell);
        };
        let untouched = is_pinned(plan, UID, uid(&service)) && selector_of(&service) == *from;
        Ok(if annotation(&service, MARKER) == Some(effect) {
            Found::Yes(json!({ "selector": from }))
        } else if untouched {
            Found::No
        } else {
            Found::CannotTell
        })
    }

    pub(super) async fn verify_selector(
        &self,
        done: &Execution,
        target: &Target,
        to: &Labels,
    ) -> Result<Verification, AdapterError> {
        let service = self.ask(VERIFY, &Request::of(target)).await?;
        if selector_of(&service) != *to {
            let detail = "its selector was changed again since; look at who else manages it".to_owned();
            return Ok(Verification::Failed { detail });
        }
        let slices = Request::list(&Resource::ENDPOINT_SLICES, Some(&target.namespace))
            .with("labelSelector", format!("kubernetes.io/service-name={}", target.name));
        let ready = ready_endpoints(&self.list(VERIFY, &slices).await?);
        if ready > 0 {
            return Ok(Verification::Holds);
        }
        let detail = "the service has no ready endpoint yet".to_owned();
        Ok(self.pending(done, self.catalogue.verify_within, detail))
    }
}

/// How many endpoints of a service take traffic. The API leaves the condition out for "nobody knows", which counts. A pod
/// counts once, however many addresses and slices name it; what names no pod counts once in each family of addresses.
pub(crate) fn ready_endpoints(slices: &[Value]) -> usize {
    let mut named: BTreeSet<&str> = BTreeSet::new();
    let mut others: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for slice in slices {
        let family = text(slice, "/addressType");
        for endpoint in items(slice, "/endpoints") {
            let ready = endpoint.pointer("/conditions/ready").and_then(Value::as_bool) != Some(false);
            let address = items(endpoint, "/addresses").first().and_then(Value::as_str);
            let Some(address) = address.filter(|_| ready) else { continue };
            match (text(endpoint, "/targetRef/uid"), text(endpoint, "/targetRef/name")) {
                ("", "") => drop(others.entry(family).or_default().insert(address)),
                ("", name) => drop(named.insert(name)),
                (uid, _) => drop(named.insert(uid)),
            }
        }
    }
    named.len() + others.values().map(BTreeSet::len).max().unwrap_or(0)
}

fn selector_of(service: &Value) -> Labels {
    let labels = fields(service, SELECTOR_AT).into_iter();
    labels.map(|(key, value)| (key.to_owned(), value.as_str().unwrap_or_default().to_owned())).collect()
}

fn shown(labels: &Labels) -> String {
    labels.iter().map(|(key, value)| format!("{key}={value}")).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pod_takes_traffic_once_however_many_addresses_it_has() {
        let of = |uid: &str, address: &str, ready: Value| json!({"addresses": [address], "conditions": {"ready": ready}, "targetRef": {"kind": "Pod", "uid": uid}});
        let slice = |family: &str, endpoints: Value| json!({"addressType": family, "endpoints": endpoints});
        let bare = |address: &str| json!({"addresses": [address]});
        for (slices, expect) in [
            (
                vec![slice(
                    "IPv4",
                    json!([of("a", "10.0.0.1", json!(true)), of("b", "10.0.0.2", json!(false))]),
                )],
                1,
            ),
            (
                vec![
                    slice(
                        "IPv4",
                        json!([of("a", "10.0.0.1", json!(true)), of("b", "10.0.0.2", json!(true))]),
                    ),
                    slice("IPv6", json!([of("a", "fd00::1", json!(true)), of("b", "fd00::2", json!(true))])),
                ],
                2,
            ),
            (vec![slice("IPv4", json!([bare("10.0.0.1")])), slice("IPv6", json!([bare("fd00::1")]))], 1),
            (vec![slice("IPv4", json!([of("a", "10.0.0.1", Value::Null), {"addresses": []}]))], 1),
            (vec![], 0),
        ] {
            assert_eq!(ready_endpoints(&slices), expect, "{slices:?}");
        }
    }
}

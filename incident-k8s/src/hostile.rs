//! Objects that no API server should answer with: nothing here may panic on one, whatever it makes of it.

use std::time::Duration;

use incident_core::model::id::Digest;
use incident_core::model::time::Time;
use serde_json::{Value, json};

use crate::history::{Revision, resolve, revisions, template};
use crate::object::{selector, selects};
use crate::pods::{containers, revision, trouble};
use crate::rollout::{progress_deadline, rollout};
use crate::support::samples::{budget, deployment, stateful_set};
use crate::support::{Fake, Key};
use crate::target::Kind;
use crate::template::Edit;
use crate::{diff, ownership, radius};

/// `object` with each of its parts replaced by each of some values that don't belong there.
fn twisted(object: &Value) -> Vec<Value> {
    let mut places = vec![String::new()];
    let mut open = vec![(String::new(), object)];
    while let Some((at, value)) = open.pop() {
        let inner: Vec<(String, &Value)> = match value {
            Value::Object(map) => {
                map.iter().map(|(name, it)| (format!("{at}/{}", crate::object::escaped(name)), it)).collect()
            }
            Value::Array(list) => {
                list.iter().enumerate().map(|(place, it)| (format!("{at}/{place}"), it)).collect()
            }
            _ => Vec::new(),
        };
        places.extend(inner.iter().map(|(at, _)| at.clone()));
        open.extend(inner);
    }
    let strange = || {
        [
            json!(null),
            json!("\u{202e}é%"),
            json!([]),
            json!([[{}]]),
            json!({}),
            json!(-1),
            json!(u64::MAX),
            json!(1e300),
        ]
    };
    let replaced = places.iter().flat_map(|at| {
        strange().into_iter().map(move |value| {
            let mut twisted = object.clone();
            if let Some(place) = twisted.pointer_mut(at) {
                *place = value;
            }
            twisted
        })
    });
    replaced.collect()
}

/// Everything that is read from a workload and what keeps its revisions.
fn read_workload(workload: &Value, kept: &[Value]) {
    let now: Time = "2026-11-23T14:30:00Z".parse().unwrap();
    for kind in [Kind::Deployment, Kind::StatefulSet, Kind::DaemonSet] {
        let history = revisions(workload, kept);
        for wanted in [None, Some("1")] {
            let _ = resolve(kind, workload, &history, wanted);
        }
        let _ = rollout(kind, workload, Some(now));
        let _ = radius::of_rollout(kind, workload);
        let _ = radius::of_scale(kind, workload, i64::from(u32::MAX));
    }
    let _ =
        (progress_deadline(workload), ownership::managers(workload), selector(workload, "/spec/selector"));
    let _ = selects(workload, "/spec/selector", workload);
    let (before, container) = (template(workload), || "web".to_owned());
    let one = || [("memory".to_owned(), "1Gi".to_owned())].into();
    for edit in [
        Edit::Resources { container: container(), requests: one(), limits: one() },
        Edit::Environment { container: container(), variables: one() },
        Edit::Restart { at: String::new() },
        Edit::Revision { number: 1, name: String::new(), uid: String::new(), digest: Digest::default() },
    ] {
        if let Ok(after) = edit.apply(&before, kept.first().and_then(Revision::of).as_ref()) {
            let _ = diff::templates(&before, &after, &diff::Harmless::default());
        }
    }
    let _ = diff::configuration(&before);
}

#[tokio::test]
async fn nothing_panics_on_an_object_that_makes_no_sense() {
    let fake = Fake::start().await;
    fake.put([deployment("checkout", "web:1"), stateful_set("db", "db:1"), budget("checkout", 1)]);
    let all =
        |plural: &str| fake.with(|state| state.all(plural).map(|(_, it)| it.clone()).collect::<Vec<_>>());
    for (key, keeper) in [("deployments/checkout", "replicasets"), ("statefulsets/db", "controllerrevisions")]
    {
        let workload = fake.with(|state| state.objects[&Key::of(key)].clone());
        let kept = all(keeper);
        twisted(&workload).iter().for_each(|it| read_workload(it, &kept));
        twisted(&kept[0]).into_iter().for_each(|it| read_workload(&workload, &[it]));
    }
    let pod = all("pods").remove(0);
    let budget = all("poddisruptionbudgets").remove(0);
    for it in twisted(&pod) {
        let _ = (trouble(&it, Time::MAX_UTC, Duration::MAX), containers(&it).count(), revision(&it));
        let _ = selects(&budget, "/spec/selector", &it);
    }
    for it in twisted(&budget) {
        let _ = selects(&it, "/spec/selector", &pod);
    }
}

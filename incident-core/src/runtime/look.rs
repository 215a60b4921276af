//! Probes' looks at an incident's recovery checks.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::engine::Engine;
use super::{calls, heard};
use crate::log::event::CheckReading;
use crate::log::incident::Incident;
use crate::model::time::{Time, after};
use crate::port::{Colour, Reading};

impl Engine {
    /// Whether another engine should look: it has a probe that this one lacks, for the check was read before, and its look
    /// isn't overdue by a lease.
    pub(super) fn leaves_look(&self, incident: &Incident, now: Time) -> bool {
        let overdue = incident.next_look().is_some_and(|at| after(at, self.0.lease) <= now);
        let read = |name: &String| {
            let last = incident.checks.last.get(name);
            last.is_some_and(|it| it.attested_by.is_none() && it.colour != Colour::Unknown)
        };
        let answers = |name: &String| self.registry(incident.side).probes().any(|(probe, ..)| probe == name);
        !overdue && incident.figures.checks.keys().any(|name| read(name) && !answers(name))
    }

    /// Lets every probe take one look, all at once. One that can't is unknown.
    pub(super) async fn look(&self, incident: &Incident) -> BTreeMap<String, CheckReading> {
        let cx = self.read_context(incident);
        let registry = self.registry(incident.side);
        let looks = registry.probes().filter(|(check, ..)| incident.figures.checks.contains_key(*check)).map(
            |(check, probe, ports)| {
                let (check, probe, cx) = (check.clone(), Arc::clone(probe), cx.clone());
                async move {
                    let unknown = |why: &str| Reading::new(Colour::Unknown, why);
                    let reading = match registry.backend(ports) {
                        Some(backend) => {
                            let look = async move { probe.look(&cx).await };
                            match calls::call(backend, self.deadline(), look).await {
                                Ok(Ok(reading)) => heard::reading(&reading),
                                Ok(Err(error)) => unknown(&heard::error(&error)),
                                Err(why) => unknown(why),
                            }
                        }
                        None => unknown("there is no such probe here"),
                    };
                    (check, CheckReading { colour: reading.colour, detail: reading.detail })
                }
            },
        );
        futures_util::future::join_all(looks).await.into_iter().collect()
    }
}

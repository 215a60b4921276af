//! The logs of all pods of all revisions, bounded for each container and in all.

use futures_util::{StreamExt, stream};
use incident_core::port::Capture;
use serde_json::Value;

use super::{COLLECT, Collection, Found, redacted};
use crate::mitigator::is_ready;
use crate::object::{name, number, text};
use crate::pods::{containers, statuses};
use crate::request::{Request, Resource};

/// Logs that are read at once.
const AT_ONCE: usize = 5;
/// The least of one log that is worth a request.
const LEAST: usize = 4 * 1024;
/// Bytes that a line has, by which the lines of a bound in bytes are guessed.
const LINE: usize = 128;

/// One log to read.
struct Wanted {
    name: String,
    request: Request,
}

impl Collection<'_> {
    pub(super) async fn logs(&self, found: &[Found]) -> Vec<Capture> {
        let mut pods: Vec<(&str, &Value)> = found
            .iter()
            .flat_map(|it| it.pods.iter().map(|pod| (it.target.namespace.as_str(), pod)))
            .collect();
        // What is broken is worth most, should the time not suffice for all.
        pods.sort_by_key(|(_, pod)| is_ready(pod));
        let mut wanted: Vec<Wanted> = Vec::new();
        for (namespace, pod) in pods {
            for container in containers(pod) {
                let status = statuses(pod).find(|it| text(it, "/name") == container);
                if status.is_some_and(|it| number(it, "/restartCount") > 0) {
                    wanted.push(self.wanted(namespace, name(pod), container, true));
                }
                wanted.push(self.wanted(namespace, name(pod), container, false));
            }
        }
        let affordable = self.config.most_bytes / LEAST;
        if wanted.len() > affordable {
            self.gap("logs", &format!("of {} logs only {affordable} fit in all", wanted.len()));
            wanted.truncate(affordable);
        }
        let share = self.config.most_bytes.checked_div(wanted.len()).unwrap_or(0);
        let most = self.config.most_bytes_per_container.min(share);
        let reading = wanted.into_iter().map(|it| self.log(it, most));
        let read: Vec<Option<Capture>> = stream::iter(reading).buffered(AT_ONCE).collect().await;
        read.into_iter().flatten().collect()
    }

    fn wanted(&self, namespace: &str, pod: &str, container: &str, previous: bool) -> Wanted {
        let request = Request::get(&Resource::PODS, namespace, pod)
            .subresource("log")
            .with("container", container)
            .with("timestamps", "true")
            .with("sinceSeconds", self.config.logs_since.as_secs().max(1).to_string());
        let request = if previous { request.with("previous", "true") } else { request };
        let part = if previous { ".previous" } else { "" };
        Wanted { name: format!("logs/{pod}/{container}{part}"), request }
    }

    async fn log(&self, wanted: Wanted, most: usize) -> Option<Capture> {
        // A bound in bytes keeps a log's beginning, and its end is worth more: so lines bound it first.
        let lines = (most / LINE).max(1);
        let request =
            wanted.request.with("tailLines", lines.to_string()).with("limitBytes", (most + 1).to_string());
        match self.cluster.log(COLLECT, &request, most, &self.budget).await {
            Ok(log) if log.bytes.is_empty() => None,
            Ok(log) => {
                let full = log.bytes.iter().filter(|byte| **byte == b'\n').count() >= lines;
                let capture = redacted(&wanted.name, &log.bytes);
                Some(if log.truncated || full { capture.truncated() } else { capture })
            }
            Err(error) => {
                self.gap(&wanted.name, &error);
                None
            }
        }
    }
}

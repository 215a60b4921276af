//! The ends of the logs of all pods of all revisions, bounded for each container and in all.

use std::sync::Mutex;

use futures_util::{StreamExt, stream};
use incident_core::port::Capture;
use serde_json::Value;

use super::{COLLECT, Collection, redacted};
use crate::budget::Budget;
use crate::mitigator::is_ready;
use crate::object::{name, number, text};
use crate::pods::{containers, statuses};
use crate::request::{Request, Resource};

/// Logs that are read at once.
const AT_ONCE: usize = 4;
/// The least of one log that is worth a request.
const LEAST: usize = 4 * 1024;
/// Bytes of a short line, by which it is guessed how many lines are asked for at first.
const SHORT_LINE: usize = 16;
/// How many times the bytes that are kept of a log are read of it; a log with longer lines is asked for fewer of them.
const REACH: usize = 16;

/// One log to read.
pub(super) struct Wanted {
    name: String,
    request: Request,
}

/// The bytes that are left for all logs, and the number of logs that still need some.
struct Shares {
    left: usize,
    logs: usize,
}

impl Collection<'_> {
    /// The logs of `pods`: of what is broken first, should the time not suffice for all.
    pub(super) fn wanted(&self, namespace: &str, pods: &[Value]) -> Vec<Wanted> {
        let mut pods: Vec<&Value> = pods.iter().collect();
        pods.sort_by_key(|pod| is_ready(pod));
        let mut wanted = Vec::new();
        for pod in pods {
            for container in containers(pod) {
                let status = statuses(pod).find(|it| text(it, "/name") == container);
                if status.is_some_and(|it| number(it, "/restartCount") > 0) {
                    wanted.push(self.one(namespace, name(pod), container, true));
                }
                wanted.push(self.one(namespace, name(pod), container, false));
            }
        }
        wanted
    }

    /// Pods of the same name in two namespaces are two pods, so the namespace is part of a log's name.
    fn one(&self, namespace: &str, pod: &str, container: &str, previous: bool) -> Wanted {
        let request = Request::get(&Resource::PODS, namespace, pod)
            .subresource("log")
            .with("container", container)
            .with("timestamps", "true")
            .with("sinceSeconds", self.config.logs_since.as_secs().max(1).to_string());
        let request = if previous { request.with("previous", "true") } else { request };
        let part = if previous { ".previous" } else { "" };
        Wanted { name: format!("logs/{namespace}/{pod}/{container}{part}"), request }
    }

    /// Reads the logs and keeps at most `most` bytes in all. Bytes that one log doesn't need go to the logs after it.
    pub(super) async fn logs(&self, mut wanted: Vec<Wanted>, most: usize, budget: &Budget) -> Vec<Capture> {
        let affordable = most / LEAST;
        if wanted.len() > affordable {
            self.gap("logs", &format!("of {} logs only {affordable} fit in all", wanted.len()));
            wanted.truncate(affordable);
        }
        let shares = Mutex::new(Shares { left: most, logs: wanted.len() });
        let shares = &shares;
        let reading = wanted.into_iter().map(|it| async move {
            let share = shares.lock().map_or(LEAST, |mut shares| {
                let share = shares.left.checked_div(shares.logs).unwrap_or(0);
                let share = share.min(self.config.most_bytes_per_container);
                shares.logs = shares.logs.saturating_sub(1);
                shares.left = shares.left.saturating_sub(share);
                share
            });
            let capture = self.log(it, share, budget).await;
            let used = capture.as_ref().map_or(0, |capture| capture.bytes.len());
            if let Ok(mut shares) = shares.lock() {
                shares.left += share.saturating_sub(used);
            }
            capture
        });
        let read: Vec<Option<Capture>> = stream::iter(reading).buffered(AT_ONCE).collect().await;
        read.into_iter().flatten().collect()
    }

    /// The end of one log, in whole lines. A byte limit on the server keeps the beginning, so the limit here is in lines,
    /// and is lowered if the lines turn out to be long.
    async fn log(&self, wanted: Wanted, most: usize, budget: &Budget) -> Option<Capture> {
        let reach = most.saturating_mul(REACH);
        let mut lines = (most / SHORT_LINE).max(1);
        let tail = loop {
            let request = wanted
                .request
                .clone()
                .with("tailLines", lines.to_string())
                .with("limitBytes", reach.saturating_add(1).to_string());
            match self.cluster.log_end(COLLECT, &request, most, reach, budget).await {
                Ok(tail) if tail.goes_on && lines > 1 => lines = (lines / REACH).max(1),
                Ok(tail) => break tail,
                Err(error) => {
                    self.gap(&wanted.name, &error);
                    return None;
                }
            }
        };
        if tail.broken || tail.goes_on {
            self.gap(&wanted.name, &"the end of the log wasn't reached");
        }
        let cut = tail.read > tail.bytes.len();
        let begins = if cut { tail.bytes.iter().position(|byte| *byte == b'\n') } else { None };
        // A line that is longer than the limit is kept in part.
        let begins = begins.map(|at| at + 1).filter(|at| *at < tail.bytes.len()).unwrap_or(0);
        let bytes = &tail.bytes[begins..];
        if bytes.is_empty() {
            return None;
        }
        let full = tail.bytes.iter().filter(|byte| **byte == b'\n').count() >= lines;
        let capture = redacted(&wanted.name, bytes);
        Some(if cut || full || tail.broken || tail.goes_on { capture.truncated() } else { capture })
    }
}

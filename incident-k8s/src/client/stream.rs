//! Answers that are read as they come: logs, and changes of one object.

use std::time::Duration;

use http::StatusCode;
use http_body_util::BodyExt;
use incident_core::port::AdapterError;
use kube::client::Body;
use serde_json::Value;
use tokio::time::timeout;

use super::{Cluster, MOST, read, refusal};
use crate::budget::Budget;
use crate::error::{Failure, Purpose};
use crate::object::resource_version;
use crate::request::Request;

/// What was read of a log.
#[derive(Debug, Default)]
pub(crate) struct Log {
    pub(crate) bytes: Vec<u8>,
    /// Whether there was more, or the connection broke.
    pub(crate) truncated: bool,
    /// Whether the server says that there is no log at all, as of a pod that runs nowhere.
    pub(crate) absent: bool,
}

/// The end of a log.
#[derive(Debug, Default)]
pub(crate) struct Tail {
    /// The last bytes that were read.
    pub(crate) bytes: Vec<u8>,
    /// How many were read in all.
    pub(crate) read: usize,
    /// Whether it goes on where nothing was read any more, so that these bytes aren't its end.
    pub(crate) goes_on: bool,
    /// Whether the connection broke or the time was over on the way.
    pub(crate) broken: bool,
}

impl Tail {
    /// Keeps the last `most` bytes of what came so far and `data`.
    fn push(&mut self, data: &[u8], most: usize) {
        self.read += data.len();
        self.bytes.extend_from_slice(data);
        if self.bytes.len() >= most.saturating_mul(2) {
            self.trim(most);
        }
    }

    fn trim(&mut self, most: usize) {
        let extra = self.bytes.len().saturating_sub(most);
        self.bytes.drain(..extra);
    }
}

impl Cluster {
    /// Reads a log, at most `reach` bytes of it, and keeps the last `most` of them. A bound that the server holds keeps a
    /// log's beginning.
    ///
    /// # Errors
    /// By what the server says.
    pub(crate) async fn log_end(
        &self,
        operation: &'static str,
        request: &Request,
        most: usize,
        reach: usize,
        budget: &Budget,
    ) -> Result<Tail, AdapterError> {
        let (_, mut body, left) = self.stream(operation, request, budget).await?;
        let mut tail = Tail::default();
        let reading = async {
            while let Some(frame) = body.frame().await {
                let Ok(frame) = frame else { return true };
                let Ok(data) = frame.into_data() else { continue };
                tail.push(&data, most);
                if tail.read > reach {
                    tail.goes_on = true;
                    return false;
                }
            }
            false
        };
        tail.broken = timeout(left, reading).await.unwrap_or(true);
        tail.trim(most);
        Ok(tail)
    }

    /// Reads a log up to `most` bytes. A connection that breaks on the way leaves what came before it.
    ///
    /// # Errors
    /// By what the server says.
    pub(crate) async fn log(
        &self,
        operation: &'static str,
        request: &Request,
        most: usize,
        budget: &Budget,
    ) -> Result<Log, AdapterError> {
        let (status, body, left) = self.stream(operation, request, budget).await?;
        let mut log = Log { absent: status == StatusCode::NO_CONTENT, ..Log::default() };
        if timeout(left, fill(&mut log, body, most)).await.is_err() {
            log.truncated = true;
        }
        Ok(log)
    }

    /// Watches the object that `request` gets, from `seen` on, until it is as wanted or the time is over. Whatever ends
    /// the watch early, the last state that was seen is the answer.
    pub(crate) async fn watch(
        &self,
        operation: &'static str,
        request: &Request,
        seen: Value,
        wanted: impl Fn(&Value) -> bool,
        budget: &Budget,
    ) -> Value {
        let Some((list, name)) = request.path.rsplit_once('/') else { return seen };
        let mut watch = request.clone();
        watch.path = list.to_owned();
        let watch = watch
            .with("watch", "1")
            .with("fieldSelector", format!("metadata.name={name}"))
            .with("resourceVersion", resource_version(&seen))
            .with("timeoutSeconds", budget.left().as_secs().max(1).to_string());
        let Ok((_, mut body, left)) = self.stream(operation, &watch, budget).await else { return seen };
        let mut last = seen;
        let _ = timeout(left.min(budget.left()), follow(&mut body, &mut last, wanted)).await;
        last
    }

    async fn stream(
        &self,
        operation: &'static str,
        request: &Request,
        budget: &Budget,
    ) -> Result<(StatusCode, Body, Duration), AdapterError> {
        let begun = self.begin_known(request, budget).await;
        let (response, left) = begun.map_err(|failure| failure.into_error(operation, Purpose::Read))?;
        let (parts, body) = response.into_parts();
        if parts.status.is_success() {
            return Ok((parts.status, body, left));
        }
        let said = timeout(left, read(body)).await.unwrap_or(Err(Failure::TimedOut));
        Err(refusal(operation, parts.status, &parts.headers, said))
    }
}

async fn fill(log: &mut Log, mut body: Body, most: usize) {
    while let Some(frame) = body.frame().await {
        let Ok(frame) = frame else {
            log.truncated = true;
            return;
        };
        let Ok(data) = frame.into_data() else { continue };
        let room = most.saturating_sub(log.bytes.len());
        log.bytes.extend_from_slice(&data[..data.len().min(room)]);
        if data.len() > room {
            log.truncated = true;
            return;
        }
    }
}

/// Keeps in `last` what the watch shows, until it is as wanted, was deleted, or the watch expired.
async fn follow(body: &mut Body, last: &mut Value, wanted: impl Fn(&Value) -> bool) {
    let mut line = Vec::new();
    while let Some(Ok(frame)) = body.frame().await {
        let Ok(data) = frame.into_data() else { continue };
        for byte in data {
            if byte != b'\n' {
                if line.len() >= MOST {
                    return;
                }
                line.push(byte);
                continue;
            }
            let event: Value = serde_json::from_slice(&line).unwrap_or_default();
            line.clear();
            match event.get("type").and_then(Value::as_str) {
                Some("ADDED" | "MODIFIED") => *last = event["object"].clone(),
                Some("BOOKMARK") => {}
                _ => return,
            }
            if wanted(last) {
                return;
            }
        }
    }
}

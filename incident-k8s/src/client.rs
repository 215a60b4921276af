//! The one client of a backend: its connections, its deadlines, and how much of an answer it reads.

mod connect;
mod credentials;
mod stream;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use http::StatusCode;
use http::header::HeaderMap;
use http_body_util::BodyExt;
use incident_core::port::{AdapterError, ErrorKind};
use kube::client::Body;
use serde_json::Value;
use tokio::sync::Semaphore;
use tokio::time::timeout;

use crate::access::Reviews;
use crate::budget::Budget;
use crate::config::K8sConfig;
use crate::diff::Harmless;
use crate::error::{Failure, Purpose, disguised, is_missing, is_own_conflict, refused};
use crate::object::text;
use crate::request::Request;
use crate::target::Scope;

pub(crate) use connect::{Connection, connect};

/// Requests in flight at once.
const IN_FLIGHT: usize = 10;
/// Bytes of an answer that are read.
const MOST: usize = 16 * 1024 * 1024;
/// Objects that one page of a list has, and how many are read in all.
const PAGE: usize = 250;
const MOST_LISTED: usize = 10_000;

/// One cluster, as all ports of a backend share it.
#[derive(Clone)]
pub(crate) struct Cluster(Arc<Inner>);

struct Inner {
    client: Connection,
    scope: Scope,
    manager: String,
    timeout: Duration,
    harmless: Harmless,
    permits: Semaphore,
    reviews: Reviews,
}

/// All objects that were asked for, or as many as are read.
#[derive(Debug, Default)]
pub(crate) struct Listed {
    pub(crate) items: Vec<Value>,
    pub(crate) truncated: bool,
}

struct Answer {
    status: StatusCode,
    headers: HeaderMap,
    body: Result<Vec<u8>, Failure>,
}

impl Cluster {
    pub(crate) fn new(client: Connection, scope: Scope, config: &K8sConfig) -> Self {
        let permits = Semaphore::new(IN_FLIGHT);
        let variables = config.features.values().map(|feature| feature.variable.as_str());
        let harmless = Harmless::default().with(variables.chain(config.harmless.iter().map(String::as_str)));
        let (manager, timeout) = (config.field_manager.clone(), config.timeout);
        Self(Arc::new(Inner {
            client,
            scope,
            manager,
            timeout,
            harmless,
            permits,
            reviews: Reviews::default(),
        }))
    }

    /// Whose values may be shown.
    pub(crate) fn harmless(&self) -> &Harmless {
        &self.0.harmless
    }

    /// What was asked lately of the account's permissions.
    pub(crate) fn reviews(&self) -> &Reviews {
        &self.0.reviews
    }

    pub(crate) fn scope(&self) -> &Scope {
        &self.0.scope
    }

    /// The client itself, for what isn't a request and an answer.
    #[cfg(feature = "exec")]
    pub(crate) async fn client(&self, within: Duration) -> Result<kube::Client, Failure> {
        self.0.client.current(within).await
    }

    /// The name under which this adapter changes fields.
    pub(crate) fn manager(&self) -> &str {
        &self.0.manager
    }

    /// Sends a request that is answered with an object.
    ///
    /// # Errors
    /// By what the server says; a broken answer to a read is an error, too.
    pub(crate) async fn ask(
        &self,
        operation: &'static str,
        request: &Request,
        budget: &Budget,
    ) -> Result<Value, AdapterError> {
        let purpose = request.purpose();
        let body = self.send(operation, request, budget).await?;
        let body = body.map_err(|failure| failure.into_error(operation, purpose))?;
        serde_json::from_slice(&body).map_err(|_| Failure::NotJson.into_error(operation, purpose))
    }

    /// [`ask`](Self::ask), where an object that doesn't exist is an answer.
    pub(crate) async fn find(
        &self,
        operation: &'static str,
        request: &Request,
        budget: &Budget,
    ) -> Result<Option<Value>, AdapterError> {
        match self.ask(operation, request, budget).await {
            Ok(object) => Ok(Some(object)),
            Err(error) if is_missing(&error) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Sends a server-side apply. If the only conflicts are with fields that this adapter itself wrote by a patch, it takes
    /// them over: the first request had no effect, and the second is held to the same version.
    ///
    /// # Errors
    /// By what the server says; another manager's field is never taken.
    pub(crate) async fn apply(
        &self,
        operation: &'static str,
        request: &Request,
        budget: &Budget,
    ) -> Result<Result<Vec<u8>, Failure>, AdapterError> {
        let answer = self.exchange(request, budget).await;
        let answer = answer.map_err(|failure| failure.into_error(operation, request.purpose()))?;
        if answer.status == StatusCode::CONFLICT
            && let Ok(body) = &answer.body
            && is_own_conflict(&serde_json::from_slice(body).unwrap_or_default(), self.manager())
        {
            return self.send(operation, &request.clone().with("force", "true"), budget).await;
        }
        judged(operation, request.purpose(), answer)
    }

    /// Sends a write. A success is one, whatever becomes of the answer's body.
    ///
    /// # Errors
    /// By what the server says, and whether it may have happened.
    pub(crate) async fn write(
        &self,
        operation: &'static str,
        request: &Request,
        budget: &Budget,
    ) -> Result<(), AdapterError> {
        self.send(operation, request, budget).await.map(drop)
    }

    /// Reads a list page by page. One that expired on the way is begun anew, once.
    ///
    /// # Errors
    /// By what the server says.
    pub(crate) async fn list(
        &self,
        operation: &'static str,
        request: &Request,
        budget: &Budget,
    ) -> Result<Listed, AdapterError> {
        let (mut again, mut size) = (true, PAGE);
        'anew: loop {
            let mut listed = Listed::default();
            let mut after: Option<String> = None;
            while listed.items.len() < MOST_LISTED {
                let mut page = request.clone().with("limit", size.to_string());
                if let Some(after) = &after {
                    page = page.with("continue", after);
                }
                let mut answer = match self.ask(operation, &page, budget).await {
                    Err(error) if after.is_some() && again && error.context.starts_with("HTTP 410") => {
                        again = false;
                        continue 'anew;
                    }
                    // Objects may be so large that fewer fit on a page.
                    Err(error) if error.kind == ErrorKind::TooLarge && size > 1 => {
                        size = (size / 5).max(1);
                        continue;
                    }
                    answer => answer?,
                };
                if let Some(Value::Array(items)) = answer.get_mut("items").map(Value::take) {
                    listed.items.extend(items);
                }
                after = Some(text(&answer, "/metadata/continue").to_owned()).filter(|it| !it.is_empty());
                if after.is_none() {
                    return Ok(listed);
                }
            }
            listed.truncated = true;
            return Ok(listed);
        }
    }

    async fn send(
        &self,
        operation: &'static str,
        request: &Request,
        budget: &Budget,
    ) -> Result<Result<Vec<u8>, Failure>, AdapterError> {
        let purpose = request.purpose();
        let answer = self.exchange(request, budget).await;
        judged(operation, purpose, answer.map_err(|failure| failure.into_error(operation, purpose))?)
    }

    async fn exchange(&self, request: &Request, budget: &Budget) -> Result<Answer, Failure> {
        let (response, left) = self.begin_known(request, budget).await?;
        let (parts, body) = response.into_parts();
        let body = match timeout(left, read(body)).await {
            Ok(body) => body,
            Err(_) => Err(Failure::TimedOut),
        };
        Ok(Answer { status: parts.status, headers: parts.headers, body })
    }

    /// Sends `request`, and again with renewed credentials after a 401: an unauthenticated request has no effect.
    async fn begin_known(
        &self,
        request: &Request,
        budget: &Budget,
    ) -> Result<(http::Response<Body>, Duration), Failure> {
        let begun = tokio::time::Instant::now();
        let answered = self.begin(request, budget).await?;
        let refused = answered.0.status() == StatusCode::UNAUTHORIZED;
        if refused && self.0.client.renew(begun, budget.left()).await? {
            return self.begin(request, budget).await;
        }
        Ok(answered)
    }

    /// Sends `request` once and waits for the head of the answer; also how long its body may take.
    async fn begin(
        &self,
        request: &Request,
        budget: &Budget,
    ) -> Result<(http::Response<Body>, Duration), Failure> {
        let Ok(Ok(_permit)) = timeout(budget.left(), self.0.permits.acquire()).await else {
            return Err(Failure::Unsent);
        };
        let left = budget.left().min(self.0.timeout);
        if left.is_zero() {
            return Err(Failure::Unsent);
        }
        let built = request.build().map_err(|error| Failure::NotConnected(Box::new(error)))?;
        let client = self.0.client.current(left).await?;
        let left = budget.left().min(self.0.timeout);
        match timeout(left, client.send(built)).await {
            Ok(response) => Ok((response.map_err(Failure::of)?, budget.left())),
            Err(_) => Err(Failure::TimedOut),
        }
    }
}

impl fmt::Debug for Cluster {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Cluster").field("scope", &self.0.scope).finish_non_exhaustive()
    }
}

/// The body of an answer that is a success.
fn judged(
    operation: &'static str,
    purpose: Purpose,
    answer: Answer,
) -> Result<Result<Vec<u8>, Failure>, AdapterError> {
    if answer.status.is_success() {
        return match answer.body.as_deref().ok().and_then(disguised) {
            Some((code, status)) => Err(refused(operation, purpose, code, &answer.headers, &status)),
            None => Ok(answer.body),
        };
    }
    let status = answer.body.ok().and_then(|body| serde_json::from_slice(&body).ok());
    let code = answer.status.as_u16();
    Err(refused(operation, purpose, code, &answer.headers, &status.unwrap_or_default()))
}

/// Reads the body until it ends or is too large.
async fn read(mut body: Body) -> Result<Vec<u8>, Failure> {
    let mut bytes = Vec::new();
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|error| Failure::Lost(Box::new(error)))?;
        let Ok(data) = frame.into_data() else { continue };
        if bytes.len() + data.len() > MOST {
            return Err(Failure::TooLarge);
        }
        bytes.extend_from_slice(&data);
    }
    Ok(bytes)
}

/// What reading a stream of an answer came to, for those who show where it stopped.
fn refusal(
    operation: &'static str,
    status: StatusCode,
    headers: &HeaderMap,
    body: Result<Vec<u8>, Failure>,
) -> AdapterError {
    let said = body.ok().and_then(|body| serde_json::from_slice(&body).ok()).unwrap_or_default();
    refused(operation, Purpose::Read, status.as_u16(), headers, &said)
}

//! The one client of a backend: its deadlines, its limits, and how much of an answer it reads.

mod connect;

use std::collections::BTreeSet;
use std::fmt;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use http::header::{HeaderMap, LINK, LOCATION};
use http::{Method, Request, StatusCode, Uri};
use http_body_util::BodyExt;
use incident_core::port::{AdapterError, ErrorKind};
use octocrab::Octocrab;
use serde_json::Value;
use tokio::sync::{OnceCell, Semaphore};
use tokio::time::timeout;

use crate::budget::Budget;
use crate::call::Call;
use crate::config::GithubConfig;
use crate::error::{Failure, Purpose, refused, said};
use crate::limit;

pub(crate) use connect::{App, Signed, connect};

/// Requests in flight at once; GitHub asks for few.
const IN_FLIGHT: usize = 4;
/// Bytes of an answer that are read.
const MOST: usize = 32 * 1024 * 1024;
/// The time that a write is given at least, if its call has so much.
const LEAST: Duration = Duration::from_secs(2);
/// Redirects of a read that are followed.
const REDIRECTS: usize = 3;

/// GitHub, as all ports of a backend share it.
#[derive(Clone)]
pub(crate) struct Client(Arc<Inner>);

struct Inner {
    octocrab: Octocrab,
    app: Option<App>,
    timeout: Duration,
    budget: Budget,
    permits: Semaphore,
    account: OnceCell<String>,
    labels: Mutex<BTreeSet<String>>,
}

/// What came back.
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    headers: HeaderMap,
    body: Result<Value, Failure>,
}

/// What a list holds, or as much of it as is read.
#[derive(Debug, Default)]
pub(crate) struct Listed {
    pub(crate) items: Vec<Value>,
    /// Whether all of it was read that was asked for.
    pub(crate) whole: bool,
}

impl Client {
    pub(crate) fn new(signed: Signed, config: &GithubConfig) -> Self {
        Self(Arc::new(Inner {
            octocrab: signed.octocrab,
            app: signed.app,
            timeout: config.timeout,
            budget: Budget::new(config.content.clone()),
            permits: Semaphore::new(IN_FLIGHT),
            account: OnceCell::new_with(config.account.clone()),
            labels: Mutex::default(),
        }))
    }

    /// Our own account: what it wrote is ours. GitHub is asked once.
    ///
    /// # Errors
    /// [`ErrorKind::Config`] if GitHub doesn't say and the configuration neither.
    pub(crate) async fn account(&self, call: &Call) -> Result<&str, AdapterError> {
        let asked = self.0.account.get_or_try_init(|| async {
            let answer = match &self.0.app {
                Some(app) => self.exchange(&app.octocrab, call, Method::GET, "/app", None).await,
                None => self.exchange(&self.0.octocrab, call, Method::GET, "/user", None).await,
            }?;
            let unknown = "GitHub doesn't say whose the token is; set `account`";
            if matches!(answer.status.as_u16(), 403 | 404) {
                return Err(call.error(ErrorKind::Config, unknown));
            }
            let body = answer.accepted(call, Purpose::Read)?.json(call, Purpose::Read)?;
            let name = match &self.0.app {
                Some(_) => body["slug"].as_str().map(|slug| format!("{slug}[bot]")),
                None => body["login"].as_str().map(str::to_owned),
            };
            name.ok_or_else(|| call.error(ErrorKind::Config, unknown))
        });
        asked.await.map(String::as_str)
    }

    /// Labels that are known to exist.
    pub(crate) fn knows_label(&self, name: &str) -> bool {
        self.0.labels.lock().is_ok_and(|labels| labels.contains(&name.to_lowercase()))
    }

    /// Keeps in mind that a label exists.
    pub(crate) fn learn_label(&self, name: &str) {
        if let Ok(mut labels) = self.0.labels.lock() {
            labels.insert(name.to_lowercase());
        }
    }

    /// Forgets which labels exist, for one that did doesn't any more.
    pub(crate) fn forget_labels(&self) {
        if let Ok(mut labels) = self.0.labels.lock() {
            labels.clear();
        }
    }

    /// Asks for what is at `path`, whatever the answer's status.
    ///
    /// # Errors
    /// If no answer comes, or a limit's.
    pub(crate) async fn ask(&self, call: &Call, path: &str) -> Result<Answer, AdapterError> {
        let mut path = path.to_owned();
        for _ in 0..REDIRECTS {
            let answer = self.exchange(&self.0.octocrab, call, Method::GET, &path, None).await?;
            match answer.redirect() {
                Some(there) => path = there,
                None => return Ok(answer),
            }
        }
        Err(call.error(ErrorKind::Config, "it has moved more than once"))
    }

    /// What is at `path`.
    ///
    /// # Errors
    /// By what GitHub says.
    pub(crate) async fn get(&self, call: &Call, path: &str) -> Result<Value, AdapterError> {
        self.ask(call, path).await?.accepted(call, Purpose::Read)?.json(call, Purpose::Read)
    }

    /// The list at `path`, page by page, until `enough` of a page's last item, and at most so many pages.
    ///
    /// # Errors
    /// By what GitHub says.
    pub(crate) async fn list(
        &self,
        call: &Call,
        path: &str,
        most_pages: usize,
        enough: impl Fn(&Value) -> bool,
    ) -> Result<Listed, AdapterError> {
        let mut listed = Listed::default();
        let between = if path.contains('?') { '&' } else { '?' };
        let mut next = format!("{path}{between}per_page=100");
        for _ in 0..most_pages {
            let answer = self.ask(call, &next).await?.accepted(call, Purpose::Read)?;
            let after = answer.next();
            let items = match answer.json(call, Purpose::Read)? {
                Value::Array(items) => items,
                // Workflow runs are a list within an object.
                Value::Object(mut page) => match page.remove("workflow_runs") {
                    Some(Value::Array(items)) => items,
                    _ => return Err(Failure::NotJson.into_error(call, Purpose::Read)),
                },
                _ => return Err(Failure::NotJson.into_error(call, Purpose::Read)),
            };
            let last = items.last().is_some_and(&enough);
            listed.items.extend(items);
            match after {
                Some(path) if !last => next = path,
                _ => {
                    listed.whole = true;
                    return Ok(listed);
                }
            }
        }
        Ok(listed)
    }

    /// What the App's installation may do, by GitHub's names; null unless the backend is one.
    ///
    /// # Errors
    /// By what GitHub says.
    pub(crate) async fn granted(&self, call: &Call) -> Result<Value, AdapterError> {
        let Some(app) = &self.0.app else { return Ok(Value::Null) };
        let path = format!("/app/installations/{}", app.installation);
        let answer = self.exchange(&app.octocrab, call, Method::GET, &path, None).await?;
        let mut body = answer.accepted(call, Purpose::Read)?.json(call, Purpose::Read)?;
        Ok(body["permissions"].take())
    }

    /// Sends a write once, as soon as the budget has a place for it, and returns what GitHub answers.
    ///
    /// # Errors
    /// If no answer comes, or a limit's, or the budget has no place in time.
    pub(crate) async fn write(
        &self,
        call: &Call,
        method: Method,
        path: &str,
        body: Option<&Value>,
    ) -> Result<Answer, AdapterError> {
        // A place at the very end would leave no time for an answer, and a doubt.
        let latest = call.ends() - (call.left() / 4).min(LEAST);
        self.0.budget.place(latest).await.map_err(|wait| {
            let error = call.error(ErrorKind::RateLimited, "too much is written in too short a time");
            error.retry_after(Some(wait))
        })?;
        self.exchange(&self.0.octocrab, call, method, path, body).await
    }

    /// One request, one answer.
    async fn exchange(
        &self,
        octocrab: &Octocrab,
        call: &Call,
        method: Method,
        path: &str,
        body: Option<&Value>,
    ) -> Result<Answer, AdapterError> {
        if let Some(wait) = self.0.budget.silent_for() {
            let error = call.error(ErrorKind::RateLimited, "GitHub asked for silence");
            return Err(error.retry_after(Some(wait)));
        }
        let purpose = if method == Method::GET { Purpose::Read } else { Purpose::Write };
        let answer = self.send(octocrab, call, method, path, body).await;
        let answer = answer.map_err(|failure| failure.into_error(call, purpose))?;
        let words = said(answer.body.as_ref().ok());
        let status = answer.status.as_u16();
        if let Some(wait) = limit::wait(status, &answer.headers, &words, call.now()) {
            self.0.budget.silence(wait);
            let error = call.error(ErrorKind::RateLimited, format!("HTTP {status}"));
            return Err(error.retry_after(Some(wait)));
        }
        Ok(answer)
    }

    async fn send(
        &self,
        octocrab: &Octocrab,
        call: &Call,
        method: Method,
        path: &str,
        body: Option<&Value>,
    ) -> Result<Answer, Failure> {
        let Ok(Ok(_permit)) = timeout(call.left(), self.0.permits.acquire()).await else {
            return Err(Failure::Unsent);
        };
        let left = call.left().min(self.0.timeout);
        if left.is_zero() {
            return Err(Failure::Unsent);
        }
        let builder = Request::builder().method(method).uri(path).header(http::header::ACCEPT, MEDIA_TYPE);
        let request = octocrab.build_request(builder, body).map_err(|_| Failure::Unsent)?;
        let exchange = async {
            let response = octocrab.execute(request).await.map_err(Failure::of)?;
            let (parts, body) = response.into_parts();
            let body = read(body).await;
            Ok(Answer { status: parts.status, headers: parts.headers, body })
        };
        timeout(left, exchange).await.unwrap_or(Err(Failure::TimedOut))
    }
}

const MEDIA_TYPE: &str = "application/vnd.github+json";

impl Answer {
    /// This answer, if its status is a success.
    pub(crate) fn accepted(self, call: &Call, purpose: Purpose) -> Result<Self, AdapterError> {
        if self.status.is_success() {
            return Ok(self);
        }
        Err(refused(call, purpose, self.status.as_u16(), self.body.as_ref().ok()))
    }

    /// The answer's body.
    pub(crate) fn json(self, call: &Call, purpose: Purpose) -> Result<Value, AdapterError> {
        self.body.map_err(|failure| failure.into_error(call, purpose))
    }

    /// Whether GitHub finds this field of a request invalid.
    pub(crate) fn blames(&self, field: &str) -> bool {
        let errors = self.body.as_ref().ok().and_then(|body| body["errors"].as_array());
        self.status == StatusCode::UNPROCESSABLE_ENTITY
            && errors.into_iter().flatten().any(|error| error["field"] == field)
    }

    /// What GitHub says in words, in lower case.
    pub(crate) fn said(&self) -> String {
        said(self.body.as_ref().ok())
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    /// The path of the next page.
    fn next(&self) -> Option<String> {
        let links = self.headers.get(LINK)?.to_str().ok()?;
        let next = links.split(',').find(|link| link.contains("rel=\"next\""))?;
        path_of(next.split_once('<')?.1.split_once('>')?.0)
    }

    /// Where a read is sent instead.
    fn redirect(&self) -> Option<String> {
        if !matches!(self.status.as_u16(), 301 | 302 | 307 | 308) {
            return None;
        }
        path_of(self.headers.get(LOCATION)?.to_str().ok()?)
    }
}

/// The path of an address. Its host isn't asked for: every request goes to the one that was configured.
fn path_of(address: &str) -> Option<String> {
    let uri: Uri = address.parse().ok()?;
    uri.path_and_query().map(|path| path.as_str().to_owned())
}

/// Reads the body until it ends or is too large. One without content is null.
async fn read<B, D>(mut body: B) -> Result<Value, Failure>
where
    B: BodyExt<Data = D, Error = octocrab::Error> + Unpin,
    D: AsRef<[u8]>,
{
    let mut bytes = Vec::new();
    while let Some(frame) = body.frame().await {
        let Ok(data) = frame.map_err(Failure::of)?.into_data() else { continue };
        if bytes.len() + data.as_ref().len() > MOST {
            return Err(Failure::TooLarge);
        }
        bytes.extend_from_slice(data.as_ref());
    }
    if bytes.is_empty() {
        return Ok(Value::Null);
    }
    serde_json::from_slice(&bytes).map_err(|_| Failure::NotJson)
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client").field("account", &self.0.account.get()).finish_non_exhaustive()
    }
}

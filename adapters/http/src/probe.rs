//! Health checks over HTTP.

use std::fmt;
use std::time::Duration;

use async_trait::async_trait;
use http::StatusCode;
use incident_core::config::ConfigError;
use incident_core::port::{
    Adapter, AdapterError, Capabilities, Colour, Preflight, PreflightContext, Probe, ReadContext, Reading,
};

use crate::budget::Budget;
use crate::client::{Answer, Body, Client};
use crate::compare::{self, Verdict};
use crate::config::{Comparison, ProbeConfig};
use crate::error::{Failure, Purpose, refused};
use crate::request::{self, Request};

const LOOK: &str = "ask the health endpoint";

/// Asks one endpoint whether the service is well.
///
/// | what happens | reading |
/// |---|---|
/// | the status wanted, in time, and all that is required is true | green |
/// | another status, too slow, or something required is untrue | red |
/// | the connection is refused, dropped or silent | red: that is how an outage looks |
/// | something required isn't in the answer or is NaN, or the answer isn't JSON | unknown |
/// | the answer is a query's, as Prometheus has it, that failed or is partial | unknown |
/// | 401, 403, 407 or 429 | an error, since it says how we ask and not how the service is |
/// | the name isn't resolved, the certificate isn't accepted, or no time was left | an error |
///
/// A detail names the status, the time taken and compared numbers, and never the answer's text.
pub struct HttpProbe {
    name: String,
    client: Client,
    request: Request,
    status: StatusCode,
    require: Vec<Comparison>,
    slower_than: Option<Duration>,
}

impl HttpProbe {
    pub(crate) fn new(client: Client, name: &str, config: &ProbeConfig) -> Result<Self, ConfigError> {
        let at = |field: &str| format!("probes.{name}.{field}");
        let path = request::path(&at("path"), &config.path)?;
        let status = StatusCode::from_u16(config.status)
            .ok()
            .filter(|status| status.as_u16() < 600 && !status.is_informational())
            .ok_or_else(|| ConfigError::new(&at("status"), "expected a status from 200 to 599"))?;
        for (place, comparison) in config.require.iter().enumerate() {
            compare::check(&at(&format!("require.{place}")), comparison)?;
        }
        if config.slower_than.is_some_and(|limit| limit.is_zero() || limit >= client.timeout()) {
            return Err(ConfigError::new(
                &at("slower_than"),
                "expected more than nothing and less than timeout",
            ));
        }
        Ok(Self {
            name: name.to_owned(),
            client,
            request: Request::get(&path),
            status,
            require: config.require.clone(),
            slower_than: config.slower_than,
        })
    }

    async fn ask(&self, deadline: Duration) -> Result<Answer, Failure> {
        self.client.send(&self.request, &Budget::within(deadline)).await
    }

    fn read(&self, answer: &Answer) -> Reading {
        let seen = format!("HTTP {} in {} ms", answer.status.as_u16(), answer.took.as_millis());
        let document = if self.require.is_empty() { None } else { answer.body.json() };
        if let Some(why) = document.as_ref().and_then(compare::unreliable) {
            return Reading::unknown(&format!("{seen}; {why}"));
        }
        if answer.status != self.status {
            return Reading::red(&format!("{seen}, wanted {}", self.status.as_u16()));
        }
        if let Some(limit) = self.slower_than.filter(|limit| answer.took > *limit) {
            return Reading::red(&format!("{seen}, slower than {} ms", limit.as_millis()));
        }
        if self.require.is_empty() {
            return Reading::green(&seen);
        }
        let Some(document) = document else {
            let why = match answer.body {
                Body::Whole(_) => "the answer isn't JSON",
                Body::TooLarge => "the answer is over 256 KiB",
                Body::Broken(_) => "the answer breaks off",
            };
            return Reading::unknown(&format!("{seen}; {why}"));
        };
        let verdicts: Vec<_> = self.require.iter().map(|it| compare::judge(it, &document)).collect();
        let broken = verdicts.iter().find_map(|verdict| match verdict {
            Verdict::Broken(how) => Some(Reading::red(&format!("{seen}; {how}"))),
            _ => None,
        });
        let unclear = verdicts.iter().find_map(|verdict| match verdict {
            Verdict::CannotTell(why) => Some(Reading::unknown(&format!("{seen}; {why}"))),
            _ => None,
        });
        broken.or(unclear).unwrap_or_else(|| Reading::green(&seen))
    }

    /// Whether `answer` says how we ask, and not how the service is.
    fn is_about_us(&self, answer: &Answer) -> bool {
        answer.status != self.status && matches!(answer.status.as_u16(), 401 | 403 | 407 | 429)
    }
}

impl fmt::Debug for HttpProbe {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HttpProbe")
            .field("name", &self.name)
            .field("client", &self.client)
            .finish_non_exhaustive()
    }
}

#[async_trait]
impl Adapter for HttpProbe {
    fn capabilities(&self) -> Capabilities {
        Capabilities::new("http")
    }

    /// A service that is ill now is no fault of the configuration; one that can't be asked may be.
    async fn preflight(&self, cx: &PreflightContext) -> Result<Preflight, AdapterError> {
        let line = format!("the check {} can be asked", self.name);
        let found = Preflight::default();
        let answer = self.ask(cx.deadline).await;
        let answer = answer.map_err(|failure| failure.into_error(LOOK, Purpose::Read))?;
        let is_elsewhere = answer.status.is_redirection() || answer.status.is_client_error();
        if answer.status != self.status && is_elsewhere {
            let error = refused(LOOK, Purpose::Read, cx.now, answer.status, &answer.headers);
            return Ok(found.bad(&line, &error.to_string()));
        }
        let reading = self.read(&answer);
        Ok(match reading.colour {
            Colour::Unknown => found.bad(&line, &reading.detail),
            _ => found.good(&line),
        })
    }
}

#[async_trait]
impl Probe for HttpProbe {
    async fn look(&self, cx: &ReadContext) -> Result<Reading, AdapterError> {
        match self.ask(cx.deadline).await {
            Ok(answer) if self.is_about_us(&answer) => {
                Err(refused(LOOK, Purpose::Read, cx.now, answer.status, &answer.headers))
            }
            Ok(answer) => Ok(self.read(&answer)),
            Err(failure) => match failure.observation() {
                Some(detail) => Ok(Reading::red(detail)),
                None => Err(failure.into_error(LOOK, Purpose::Read)),
            },
        }
    }
}

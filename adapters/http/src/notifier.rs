//! Notices as signed webhooks.

use std::borrow::Cow;
use std::fmt;
use std::time::Duration;

use async_trait::async_trait;
use http::Method;
use http::header::{HeaderName, HeaderValue};
use incident_core::config::Secret;
use incident_core::model::effect::Receipt;
use incident_core::model::notice::Notice;
use incident_core::model::side::Side;
use incident_core::port::{
    Adapter, AdapterError, Capabilities, EffectContext, ErrorKind, Found, Notifier, Preflight,
    PreflightContext, Repeat,
};

use crate::budget::Budget;
use crate::client::Client;
use crate::error::{Purpose, delivered};
use crate::payload::Payload;
use crate::request::Request;
use crate::signature::sign;

/// The header that carries the signature: `t=<unix seconds>,v1=<hex>`.
pub const SIGNATURE_HEADER: &str = "X-Incident-Signature";

const POST: &str = "post the notice";

/// Posts each notice as one JSON document, signed with HMAC-SHA256.
///
/// # Expected flow
/// The receiver checks the signature with [`verify_signature`](crate::verify_signature), drops an `id` that it has
/// seen, and answers with any 2xx once the notice is safe with it.
///
/// # The document
/// `schema` is 1; fields may be added to it, and none changes its meaning or goes without a new number.
///
/// | field | is |
/// |---|---|
/// | `id` | the effect's id, the same in each repetition |
/// | `incident`, `seq` | the incident, and the record of its log that issued the notice |
/// | `kind` | `page`, `opening`, `update`, `resolved` … |
/// | `severity`, `status`, `audiences` | `sev1`; `investigating`, `identified`, `monitoring` or `resolved`; names |
/// | `drill`, `possible_repeat` | whether it is practice; whether it may have been sent before |
/// | `headline`, `text` | the first line, and all of it as plain text |
/// | `title`, `service`, `commander` | as they are called; the last two may be null |
/// | `started_at`, `issued_at`, `next_update` | RFC 3339 in UTC; `started_at` is null while the start is unknown, `next_update` if no update is due |
/// | `lines` | `[{ label, text }]` |
/// | `recipients` | `[{ person, name, identities }]`, identities as `system:account` |
/// | `approval` | null, or `{ plan, digest }` of what waits for approval |
/// | `links` | `http` and `https` only |
///
/// Every text is one line without control characters, and an `@` is parted from the word behind it. Markup of the place
/// where the receiver shows it is the receiver's to escape.
pub struct WebhookNotifier {
    client: Client,
    path: Secret,
    secret: Secret,
    effect_header: HeaderName,
    dedupes_for: Option<Duration>,
}

impl WebhookNotifier {
    pub(crate) fn new(
        client: Client,
        path: Secret,
        secret: Secret,
        effect_header: HeaderName,
        dedupes_for: Option<Duration>,
    ) -> Self {
        Self { client, path, secret, effect_header, dedupes_for }
    }

    fn request(&self, cx: &EffectContext, notice: &Notice) -> Result<Request, AdapterError> {
        let invalid = |error: Box<dyn std::error::Error + Send + Sync>| {
            AdapterError::new(ErrorKind::Invalid, POST).caused_by(error)
        };
        let body = serde_json::to_vec(&Payload::new(cx, notice)).map_err(|error| invalid(error.into()))?;
        let header = |text: &str| HeaderValue::from_str(text).map_err(|error| invalid(error.into()));
        let signature = header(&sign(self.secret.expose(), cx.now, &body))?;
        Ok(Request::write(Method::POST, self.path.expose())
            .with_header(HeaderName::from_static("x-incident-signature"), signature)
            .with_header(self.effect_header.clone(), header(&cx.effect.to_string())?)
            .with_json(body))
    }
}

impl fmt::Debug for WebhookNotifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WebhookNotifier")
            .field("client", &self.client)
            .field("dedupes_for", &self.dedupes_for)
            .finish_non_exhaustive()
    }
}

#[async_trait]
impl Adapter for WebhookNotifier {
    fn capabilities(&self) -> Capabilities {
        Capabilities::new("http")
    }

    /// There is no way to ask a webhook anything without posting to it, so this says only that the secret was read.
    async fn preflight(&self, _: &PreflightContext) -> Result<Preflight, AdapterError> {
        Ok(Preflight::default().good("the webhook's secret was read; nothing was posted"))
    }
}

#[async_trait]
impl Notifier for WebhookNotifier {
    fn repeat(&self, _: &Notice) -> Repeat {
        match self.dedupes_for {
            Some(within) => Repeat::Native { within },
            None => Repeat::Visible,
        }
    }

    async fn deliver(&self, cx: &EffectContext, notice: &Notice) -> Result<Receipt, AdapterError> {
        let mut notice = Cow::Borrowed(notice);
        if cx.side == Side::Drill && !notice.drill {
            notice.to_mut().drill = true;
        }
        let request = self.request(cx, &notice)?;
        let answer = self.client.send(&request, &Budget::within(cx.deadline)).await;
        let answer = answer.map_err(|failure| failure.into_error(POST, Purpose::Write))?;
        delivered(POST, cx.now, answer)?;
        Ok(Receipt::new(&cx.effect.to_string()))
    }

    async fn find(&self, _: &EffectContext, _: &Notice) -> Result<Found<Receipt>, AdapterError> {
        Ok(Found::CannotTell)
    }
}

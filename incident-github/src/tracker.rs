//! Tickets as issues.

mod comment;
mod look;
mod open;
mod preflight;
mod read;
mod set;

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use async_trait::async_trait;
use http::Method;
use incident_core::domain::effect::Receipt;
use incident_core::domain::ticket::{LinkTicket, Ticket, TicketChange, TicketRef};
use incident_core::port::{
    Adapter, AdapterError, Capabilities, EffectContext, ErrorKind, Found, Preflight, PreflightContext,
    ReadContext, Repeat, Tracker,
};
use serde_json::{Value, json};

use crate::call::Call;
use crate::client::Client;
use crate::config::{GithubConfig, LabelConfig};
use crate::error::Purpose;
use crate::reference::{Issue, Repository};
use crate::text;

pub(crate) use preflight::lacking;

/// Keeps tickets as issues of one repository.
///
/// # Expected flow
/// A ticket is opened with a marker in its body that names the effect, hidden from readers. What happens is a comment
/// with a marker of its own. Severity and status change a section of the body between two markers, and labels by name.
/// Closing and reopening say why in a comment first.
///
/// # Guarantees
/// - A write is sent once. After an unknown outcome the lists of issues and comments are looked through – never the
///   search, whose index lags – and only what our own account wrote counts.
/// - What is outside of the section, and every label that isn't named, stays as people left it.
/// - Labels, assignees and the milestone are compared with what GitHub answers; what it dropped without a word is in the
///   receipt.
/// - Incident text mentions nobody, refers to nothing and breaks out of nothing. What doesn't fit goes on in comments.
///
/// # Caveats
/// GitHub has no conditional write: if somebody saves the body between our reading and our writing, they lose. That is
/// why all but the section is a comment. A ticket in another repository than the configured one is read but not changed.
pub struct GithubTracker {
    client: Client,
    repository: Repository,
    milestone: Option<String>,
    labels: BTreeMap<String, LabelConfig>,
    lag: Duration,
}

impl GithubTracker {
    pub(crate) fn new(client: Client, repository: Repository, config: GithubConfig) -> Self {
        let GithubConfig { milestone, labels, lag, .. } = config;
        Self { client, repository, milestone, labels, lag }
    }

    /// The issue that a change is of, if it may be changed.
    fn issue(&self, call: &Call, ticket: &TicketRef) -> Result<Issue, AdapterError> {
        let issue = Issue::parse(ticket.as_str()).filter(|issue| issue.repository == self.repository);
        issue.ok_or_else(|| {
            call.error(ErrorKind::Invalid, "the ticket isn't one of the configured repository")
        })
    }

    /// Says why, then closes or opens.
    async fn turn(
        &self,
        call: &Call,
        cx: &EffectContext,
        issue: &Issue,
        turn: Turn,
        why: &str,
    ) -> Result<Receipt, AdapterError> {
        let receipt = self.say(call, cx, issue, &text::lines(why)).await?;
        let body = json!({ "state": turn.state(), "state_reason": turn.reason() });
        let turned = self.client.write(call, Method::PATCH, &issue.path(""), Some(&body)).await;
        let turned =
            turned.and_then(|answer| answer.accepted(call, Purpose::Write)?.json(call, Purpose::Write));
        // Its comment is there by now, so that not all of it is undone.
        let turned = turned.map_err(AdapterError::maybe_applied)?;
        if turned["state"] == turn.state() {
            return Ok(receipt);
        }
        let error =
            call.error(ErrorKind::Permission, "GitHub answers that nothing changed; grant triage access");
        Err(error.maybe_applied())
    }
}

/// What becomes of an issue's state.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Turn {
    Close,
    Reopen,
}

impl Turn {
    fn state(self) -> &'static str {
        match self {
            Self::Close => "closed",
            Self::Reopen => "open",
        }
    }

    fn reason(self) -> &'static str {
        match self {
            Self::Close => "completed",
            Self::Reopen => "reopened",
        }
    }
}

/// What a link says. A ticket is written so that GitHub links it from the other side, too.
fn link(it: &LinkTicket) -> Vec<String> {
    let relation = text::line(&it.relation);
    let mut letters = relation.chars();
    let relation =
        letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect());
    vec![format!("{relation} {}", target(&it.to))]
}

/// A ticket or an address as a link, and anything else as text.
fn target(to: &str) -> String {
    if let Some(issue) = Issue::parse(to) {
        return issue.to_string();
    }
    let uri: Option<http::Uri> = to.parse().ok();
    let is_web =
        uri.is_some_and(|uri| matches!(uri.scheme_str(), Some("http" | "https")) && uri.host().is_some());
    let is_plain = to.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-._~:/?#=&%+,".contains(&byte));
    if is_web && is_plain { format!("<{to}>") } else { text::line(to) }
}

/// The receipt of something on an issue, which can be looked at where GitHub says.
fn receipt(issue: &Issue, seen: &Value) -> Receipt {
    let receipt = Receipt::new(issue.ticket().as_str());
    match seen["html_url"].as_str() {
        Some(link) => receipt.with_link(link),
        None => receipt,
    }
}

impl fmt::Debug for GithubTracker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("GithubTracker")
            .field("repository", &self.repository)
            .field("client", &self.client)
            .finish_non_exhaustive()
    }
}

#[async_trait]
impl Adapter for GithubTracker {
    fn capabilities(&self) -> Capabilities {
        Capabilities::new("github").with_max_text(text::MOST)
    }

    async fn preflight(&self, cx: &PreflightContext) -> Result<Preflight, AdapterError> {
        self.check(&Call::new("check the repository", cx.now, cx.deadline)).await
    }
}

#[async_trait]
impl Tracker for GithubTracker {
    fn repeat(&self, change: &TicketChange) -> Repeat {
        match change {
            TicketChange::Set(_) => Repeat::Converging,
            _ => Repeat::Lookup,
        }
    }

    async fn apply(&self, cx: &EffectContext, change: &TicketChange) -> Result<Receipt, AdapterError> {
        let call = |operation| Call::new(operation, cx.now, cx.deadline);
        match change {
            TicketChange::Open(it) => self.open(&call("open the issue"), cx, it).await,
            TicketChange::Comment(it) => {
                let call = call("comment on the issue");
                let issue = self.issue(&call, &it.ticket)?;
                self.say(&call, cx, &issue, &text::lines(&it.body)).await
            }
            TicketChange::Set(it) => {
                let call = call("update the issue");
                let issue = self.issue(&call, &it.ticket)?;
                self.set(&call, &issue, it).await
            }
            TicketChange::Close(it) => {
                let call = call("close the issue");
                let issue = self.issue(&call, &it.ticket)?;
                self.turn(&call, cx, &issue, Turn::Close, &it.comment).await
            }
            TicketChange::Reopen(it) => {
                let call = call("reopen the issue");
                let issue = self.issue(&call, &it.ticket)?;
                self.turn(&call, cx, &issue, Turn::Reopen, &it.comment).await
            }
            TicketChange::Link(it) => {
                let call = call("link the issue");
                let issue = self.issue(&call, &it.ticket)?;
                self.say(&call, cx, &issue, &link(it)).await
            }
            _ => {
                Err(call("change the issue")
                    .error(ErrorKind::Invalid, "this version doesn't know the change"))
            }
        }
    }

    async fn find(&self, cx: &EffectContext, change: &TicketChange) -> Result<Found<Receipt>, AdapterError> {
        self.look(&Call::new("look for the change", cx.now, cx.deadline), cx, change).await
    }

    async fn read(&self, cx: &ReadContext, tickets: &[TicketRef]) -> Result<Vec<Ticket>, AdapterError> {
        self.read_all(&Call::new("read the issues", cx.now, cx.deadline), tickets).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_link_leads_to_a_ticket_or_an_address_and_is_text_otherwise() {
        for (to, expect) in [
            ("acme/shop#17", "Duplicate of acme/shop#17"),
            ("https://wiki.example.com/pm/17?a=b", "Duplicate of <https://wiki.example.com/pm/17?a=b>"),
            ("#17", "Duplicate of \\#\u{200b}17"),
            ("javascript:alert(1)", "Duplicate of javascript:alert(1)"),
            ("https://x> @alice", "Duplicate of https://x\\> @\u{200b}alice"),
            ("acme/shop#17 @alice", "Duplicate of acme/shop\\#\u{200b}17 @\u{200b}alice"),
        ] {
            let change = LinkTicket::new(TicketRef::new("acme/shop#18"), to, "duplicate of");
            assert_eq!(link(&change), [expect]);
        }
    }
}

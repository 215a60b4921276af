//! Tickets as issues.

mod comment;
mod look;
mod open;
mod place;
mod preflight;
mod read;
mod set;

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use async_trait::async_trait;
use http::Method;
use incident_core::model::effect::Receipt;
use incident_core::model::ticket::{CloseTicket, LinkTicket, Ticket, TicketChange, TicketRef};
use incident_core::port::{
    Adapter, AdapterError, Applied, Capabilities, EffectContext, ErrorKind, Found, Preflight,
    PreflightContext, ReadContext, Repeat, Tracker,
};
use serde_json::json;

use crate::call::Call;
use crate::client::Client;
use crate::config::{GithubConfig, LabelConfig};
use crate::error::Purpose;
use crate::reference::{Issue, Repository};
use crate::text;
use place::Place;

pub(crate) use preflight::lacking;

/// Keeps tickets as issues of one repository.
///
/// # Expected flow
/// A ticket is opened with a marker in its body that names the effect, hidden from readers. What happens is a comment
/// with a marker of its own. Severity and status change a section of the body between two markers, and labels by name.
/// Closing and reopening say why in a comment first; a locked issue is closed without it.
///
/// # Guarantees
/// - A write is sent once, and once more where GitHub answers that the issue or the repository has moved. After an unknown outcome the lists of issues and comments are looked through – never the
///   search, whose index lags – and only what our own account wrote counts.
/// - What is outside of the section, and every label that isn't named, stays as people left it.
/// - Labels, assignees and the milestone are compared with what GitHub answers; what it dropped without a word is in the
///   receipt.
/// - Incident text mentions nobody, refers to nothing and breaks out of nothing. What doesn't fit goes on in comments.
///
/// # Caveats
/// GitHub has no conditional write: if somebody saves the body between our reading and our writing, they lose. That is
/// why all but the section is a comment. A ticket in another repository than the configured one is read but not changed,
/// unless it was opened here and transferred there.
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

    /// Says why, then closes or opens. On a locked issue nobody may say anything, and its state changes all the same.
    async fn turn(
        &self,
        call: &Call,
        cx: &EffectContext,
        place: &mut Place,
        turn: Turn,
        why: &str,
    ) -> Result<Receipt, AdapterError> {
        let (said, unsaid) = match self.say(call, cx, place, &text::lines(why)).await {
            Ok(receipt) => (Some(receipt), None),
            Err(error) if is_locked(&error) => (None, Some(format!("the comment that says why: {error}"))),
            Err(error) => return Err(error),
        };
        let body = json!({ "state": turn.state(), "state_reason": turn.reason() });
        let turned = self.change(call, place, Method::PATCH, "", Some(&body)).await;
        let turned =
            turned.and_then(|answer| answer.accepted(call, Purpose::Write)?.json(call, Purpose::Write));
        // Its comment is there by now, so that not all of it is undone.
        let doubtful = |error: AdapterError| if said.is_some() { error.maybe_applied() } else { error };
        let turned = turned.map_err(doubtful)?;
        if turned["state"] == turn.state() {
            let mut receipt = said.unwrap_or_else(|| place.receipt(&turned));
            receipt.degraded.extend(unsaid);
            return Ok(receipt);
        }
        let error =
            call.error(ErrorKind::Permission, "GitHub answers that nothing changed; grant triage access");
        Err(doubtful(error))
    }
}

/// What becomes of an issue's state.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Turn {
    Close { not_planned: bool },
    Reopen,
}

impl Turn {
    fn state(self) -> &'static str {
        match self {
            Self::Close { .. } => "closed",
            Self::Reopen => "open",
        }
    }

    fn reason(self) -> &'static str {
        match self {
            Self::Close { not_planned: false } => "completed",
            Self::Close { not_planned: true } => "not_planned",
            Self::Reopen => "reopened",
        }
    }
}

impl From<&CloseTicket> for Turn {
    fn from(it: &CloseTicket) -> Self {
        Self::Close { not_planned: it.not_planned }
    }
}

/// Whether an issue takes no comment because it is locked.
fn is_locked(error: &AdapterError) -> bool {
    (error.kind, error.applied) == (ErrorKind::Refused, Applied::No) && error.context.contains("locked")
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
                let mut place = self.place(&call, cx, &it.ticket).await?;
                self.say(&call, cx, &mut place, &text::lines(&it.body)).await
            }
            TicketChange::Set(it) => {
                let call = call("update the issue");
                let mut place = self.place(&call, cx, &it.ticket).await?;
                self.set(&call, &mut place, it).await
            }
            TicketChange::Close(it) => {
                let call = call("close the issue");
                let mut place = self.place(&call, cx, &it.ticket).await?;
                self.turn(&call, cx, &mut place, Turn::from(it), &it.comment).await
            }
            TicketChange::Reopen(it) => {
                let call = call("reopen the issue");
                let mut place = self.place(&call, cx, &it.ticket).await?;
                self.turn(&call, cx, &mut place, Turn::Reopen, &it.comment).await
            }
            TicketChange::Link(it) => {
                let call = call("link the issue");
                let mut place = self.place(&call, cx, &it.ticket).await?;
                self.say(&call, cx, &mut place, &link(it)).await
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

//! Where a ticket is by now: people transfer issues to other repositories, and delete them.

use http::{Method, StatusCode};
use incident_core::model::effect::Receipt;
use incident_core::model::ticket::TicketRef;
use incident_core::port::{AdapterError, EffectContext, ErrorKind, Retry};
use serde_json::Value;

use super::GithubTracker;
use super::comment::is_by;
use crate::call::Call;
use crate::client::Answer;
use crate::error::Purpose;
use crate::marker::Marker;
use crate::reference::{Issue, Repository};

/// An issue, and what the engine calls it if it was transferred.
#[derive(Debug, Clone)]
pub(super) struct Place {
    pub(super) issue: Issue,
    moved_from: Option<Issue>,
}

impl Place {
    pub(super) fn new(issue: Issue) -> Self {
        Self { issue, moved_from: None }
    }

    pub(super) fn repository(&self) -> &Repository {
        &self.issue.repository
    }

    /// The receipt of something here, which can be looked at where GitHub says.
    pub(super) fn receipt(&self, seen: &Value) -> Receipt {
        let mut receipt = Receipt::new(self.issue.ticket().as_str());
        receipt.link = seen["html_url"].as_str().map(str::to_owned);
        match &self.moved_from {
            Some(from) => receipt.moved_from(from.ticket().as_str()),
            None => receipt,
        }
    }

    fn is_at(&mut self, now: Issue) {
        if now != self.issue {
            let before = std::mem::replace(&mut self.issue, now);
            self.moved_from.get_or_insert(before);
        }
    }
}

impl GithubTracker {
    /// The issue of a ticket, if it may be changed: one of the configured repository, or one that we opened for this
    /// incident and that somebody transferred since.
    pub(super) async fn place(
        &self,
        call: &Call,
        cx: &EffectContext,
        ticket: &TicketRef,
    ) -> Result<Place, AdapterError> {
        let elsewhere =
            || call.error(ErrorKind::Invalid, "the ticket isn't one of the configured repository");
        let mut place = Place::new(Issue::parse(ticket.as_str()).ok_or_else(elsewhere)?);
        if place.issue.repository == self.repository {
            return Ok(place);
        }
        // Nothing was transferred before something was opened.
        if cx.earlier.is_empty() {
            return Err(elsewhere());
        }
        let seen = self.look_at(call, &mut place).await?;
        let marker = seen["body"].as_str().and_then(Marker::read);
        let is_ours = is_by(&seen, self.client.account(call).await?)
            && marker.is_some_and(|marker| marker.effect.incident == cx.effect.incident);
        if is_ours { Ok(place) } else { Err(elsewhere()) }
    }

    /// What is at `place`, which is then where it was transferred to.
    ///
    /// # Errors
    /// [`ErrorKind::NotFound`] without a retry if it is gone.
    pub(super) async fn look_at(&self, call: &Call, place: &mut Place) -> Result<Value, AdapterError> {
        let answer = self.client.ask(call, &place.issue.path("")).await?;
        self.unless_gone(call, place, answer.status).await?;
        let seen = answer.accepted(call, Purpose::Read)?.json(call, Purpose::Read)?;
        if let Some(now) = Issue::of(&seen) {
            place.is_at(now);
        }
        Ok(seen)
    }

    /// What is at `place`; none if it is gone.
    pub(super) async fn find_at(
        &self,
        call: &Call,
        place: &mut Place,
    ) -> Result<Option<Value>, AdapterError> {
        match self.look_at(call, place).await {
            Ok(seen) => Ok(Some(seen)),
            Err(error) if (error.kind, error.retry) == (ErrorKind::NotFound, Retry::Never) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Sends a write about `what` of an issue. GitHub does nothing where it answers that the issue has moved, so the write
    /// is sent once more, to its new place.
    ///
    /// # Errors
    /// [`ErrorKind::NotFound`] without a retry if the issue is gone.
    pub(super) async fn change(
        &self,
        call: &Call,
        place: &mut Place,
        method: Method,
        what: &str,
        body: Option<&Value>,
    ) -> Result<Answer, AdapterError> {
        let answer = self.client.write(call, method.clone(), &place.issue.path(what), body).await?;
        if answer.status.is_redirection() {
            let before = place.issue.clone();
            self.look_at(call, place).await?;
            if place.issue != before {
                return self.client.write(call, method, &place.issue.path(what), body).await;
            }
        } else if method != Method::DELETE {
            self.unless_gone(call, place, answer.status).await?;
        }
        Ok(answer)
    }

    /// An error if `status` says that the issue is gone. The same status comes for all that the token may not see, so the
    /// repository's list of issues tells them apart.
    async fn unless_gone(&self, call: &Call, place: &Place, status: StatusCode) -> Result<(), AdapterError> {
        if status != StatusCode::NOT_FOUND {
            return Ok(());
        }
        let list = self.client.ask(call, &place.repository().path("/issues?per_page=1")).await?;
        if !list.status.is_success() {
            return Ok(());
        }
        let gone = "it was deleted, or transferred where the token can't see it";
        Err(call.error(ErrorKind::NotFound, gone))
    }
}

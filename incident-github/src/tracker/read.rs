//! Reading issues back as tickets.

use std::time::Duration;

use futures_util::{StreamExt, stream};
use http::StatusCode;
use incident_core::model::role::Identity;
use incident_core::model::ticket::{Ticket, TicketRef};
use incident_core::model::time::Time;
use incident_core::port::AdapterError;
use serde_json::Value;

use super::GithubTracker;
use crate::call::Call;
use crate::error::Purpose;
use crate::reference::Issue;
use crate::{status, text};

/// Issues that are read at once.
const AT_ONCE: usize = 4;
/// Pages of follow-ups that are read at most.
const MOST_PAGES: usize = 50;

impl GithubTracker {
    /// The open follow-ups of the repository, whichever incident they are of, the oldest first: what a review goes
    /// through. The list is asked, not the search, so that none is left out.
    ///
    /// # Errors
    /// [`AdapterError`] if GitHub can't be asked, or doesn't list them within `deadline`.
    pub async fn open_follow_ups(&self, now: Time, deadline: Duration) -> Result<Vec<Ticket>, AdapterError> {
        let call = Call::new("list the follow-ups", now, deadline);
        let path =
            self.repository.path("/issues?state=open&labels=incident-followup&sort=created&direction=asc");
        let listed = self.client.list(&call, &path, MOST_PAGES, |_| false).await?;
        let issues = listed.items.iter().filter(|item| item.get("pull_request").is_none());
        Ok(issues.filter_map(|item| Some(shown(&self.named(item)?.ticket(), item))).collect())
    }

    pub(super) async fn read_all(
        &self,
        call: &Call,
        tickets: &[TicketRef],
    ) -> Result<Vec<Ticket>, AdapterError> {
        let reads: Vec<_> = tickets.iter().map(|ticket| self.read_one(call, ticket)).collect();
        let read: Vec<Result<Option<Ticket>, AdapterError>> =
            stream::iter(reads).buffered(AT_ONCE).collect().await;
        let can_any = read.is_empty() || read.iter().any(Result::is_ok);
        let read = tickets.iter().zip(read).map(|(ticket, read)| match read {
            // That one can't be seen says nothing of the others.
            Err(error) if can_any => Ok(Some(Ticket::unread(ticket.clone(), &error.to_string()))),
            read => read,
        });
        Ok(read.collect::<Result<Vec<_>, _>>()?.into_iter().flatten().collect())
    }

    /// The ticket, wherever it was transferred to; none if it was deleted.
    async fn read_one(&self, call: &Call, ticket: &TicketRef) -> Result<Option<Ticket>, AdapterError> {
        let Some(issue) = Issue::parse(ticket.as_str()) else { return Ok(None) };
        let answer = self.client.ask(call, &issue.path("")).await?;
        match answer.status {
            StatusCode::NOT_FOUND => {
                // The same answer comes for everything in a repository that the token may no longer see.
                self.client.get(call, &issue.repository.path("")).await?;
                Ok(None)
            }
            StatusCode::GONE if !answer.said().contains("disabled") => Ok(None),
            _ => {
                let seen = answer.accepted(call, Purpose::Read)?.json(call, Purpose::Read)?;
                Ok(Some(shown(ticket, &seen)))
            }
        }
    }
}

/// An issue as a ticket.
fn shown(ticket: &TicketRef, seen: &Value) -> Ticket {
    let title = text::without_parting(seen["title"].as_str().unwrap_or_default());
    let mut shown = Ticket::new(ticket.clone(), seen["state"] == "open", &title);
    let assignees = seen["assignees"].as_array().into_iter().flatten();
    let logins = assignees.filter_map(|assignee| assignee["login"].as_str());
    shown.assignees = logins.map(|login| Identity::new("github", login)).collect();
    shown.due = status::due(seen["body"].as_str().unwrap_or_default());
    shown.link = seen["html_url"].as_str().map(str::to_owned);
    let is_same = |now: &Issue| Issue::parse(ticket.as_str()).is_some_and(|before| before == *now);
    shown.moved_to = Issue::of(seen).filter(|now| !is_same(now)).map(|now| now.ticket());
    shown
}

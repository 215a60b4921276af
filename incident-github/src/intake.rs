//! Webhooks: what people did to tickets on GitHub, as commands.
//!
//! Nothing here has I/O, keeps anything or passes a gate by: a command is judged like every other one.

mod ask;
mod payload;

use std::fmt;

use incident_core::model::id::{Digest, IncidentId};
use incident_core::model::ticket::TicketRef;
use incident_core::model::time::Time;

use crate::marker::Marker;
use crate::reference::{Issue, Repository, is_same_account};
use crate::status;
use payload::{Payload, Sender};

/// What somebody did to a ticket.
///
/// # Expected flow
/// A receiver checks the signature with [`verify_signature`](crate::verify_signature), reads the event, finds the
/// incident by [`incident`](Self::incident) or, for a ticket that somebody adopted, by [`ticket`](Self::ticket), and sends
/// the incident what [`requests`](Self::requests) says.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct TicketEvent {
    /// Who, by their account on GitHub; `ghost` if GitHub doesn't name it any more.
    pub by: String,
    /// The ticket, by the name it had before the event.
    pub ticket: TicketRef,
    /// The incident, as the ticket's marker says, if our own account opened the ticket.
    pub incident: Option<IncidentId>,
    /// What happened to it.
    pub what: Happening,
    /// When, UTC, by GitHub's clock.
    pub at: Option<Time>,
    /// Where to look at it.
    pub link: Option<String>,
    comment: Option<Comment>,
    digest: Digest,
}

/// The comment that an event is about.
#[derive(Debug, Clone, PartialEq)]
struct Comment {
    id: u64,
    /// Whose it is, unless it is our own account's or GitHub doesn't say.
    author: Option<String>,
    is_ours: bool,
    /// What it said: before it was edited, or when it was deleted.
    said: Option<String>,
}

/// What happened to a ticket.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Happening {
    /// It was commented on, with this text.
    Commented(String),
    /// A comment on it was edited, and says this now.
    CommentEdited(String),
    /// A comment on it was deleted.
    CommentDeleted,
    /// It got this label.
    Labelled(String),
    /// This label was taken off it.
    Unlabelled(String),
    /// This account was assigned to it.
    Assigned(String),
    /// This account isn't assigned to it any more.
    Unassigned(String),
    /// It has this title now.
    Retitled(String),
    /// The day that it is due was changed, to this time.
    DueMoved(Time),
    /// It was closed: `completed`, `not_planned` or `duplicate`.
    Closed(String),
    /// It was opened again.
    Reopened,
    /// It was transferred, to where it is this ticket, if GitHub says so.
    Transferred(Option<TicketRef>),
    /// It was deleted.
    Deleted,
}

impl TicketEvent {
    /// Reads what a webhook delivers: `event` is the value of `X-GitHub-Event`, `body` what came, and `account` our own
    /// account, `name[bot]` for an App.
    ///
    /// None for what isn't a person's change to a ticket: what our own account or another machine did, pull requests, and
    /// every other kind of event. A field that is missing or null, such as the sender or a comment's text, hides nothing of
    /// the others.
    ///
    /// # Errors
    /// [`IntakeError`] if `body` isn't what GitHub sends; it says what was expected and repeats nothing of it.
    pub fn read(account: &str, event: &str, body: &[u8]) -> Result<Option<Self>, IntakeError> {
        if event != "issues" && event != "issue_comment" {
            return Ok(None);
        }
        let payload = Payload::read(event, body)?;
        let (action, issue, sender) = (payload.action()?, payload.issue()?, payload.sender(account)?);
        let Sender::Person(by) = sender else { return Ok(None) };
        if payload.has("/issue/pull_request") {
            return Ok(None);
        }
        let Some(what) = happening(&payload, event, &action) else { return Ok(None) };
        let is_comment = event == "issue_comment";
        let of_comment = |pointer: &str| payload.time(pointer).filter(|_| is_comment);
        let at = match &what {
            Happening::Commented(_) => of_comment("/comment/created_at"),
            Happening::CommentEdited(_) => of_comment("/comment/updated_at"),
            // The issue's time is that of its last change, which this one is.
            Happening::Closed(_) => payload.time("/issue/closed_at").or(payload.time("/issue/updated_at")),
            _ => payload.time("/issue/updated_at"),
        };
        let link = payload.link("/comment/html_url").filter(|_| is_comment);
        let ours = payload.whole_text("/issue/user/login").is_some_and(|it| is_same_account(it, account));
        let marker = payload.whole_text("/issue/body").filter(|_| ours).and_then(Marker::read);
        Ok(Some(Self {
            by,
            ticket: former(&payload, &action).unwrap_or(issue).ticket(),
            incident: marker.map(|marker| marker.effect.incident),
            what,
            at,
            link: link.or_else(|| payload.link("/issue/html_url")),
            comment: if is_comment { comment(&payload, account) } else { None },
            digest: Digest::of(&[event.as_bytes(), body]),
        }))
    }
}

/// What happened, if it is one of what is understood.
fn happening(payload: &Payload, event: &str, action: &str) -> Option<Happening> {
    use Happening as H;
    let words = || payload.whole_text("/comment/body").unwrap_or_default().to_owned();
    let label = || payload.text("/label/name");
    let assignee = || payload.account("/assignee/login");
    Some(match (event, action) {
        ("issue_comment", "created") => H::Commented(words()),
        ("issue_comment", "edited") if payload.has("/changes/body") => H::CommentEdited(words()),
        ("issue_comment", "deleted") => H::CommentDeleted,
        ("issues", "labeled") => H::Labelled(label()?),
        ("issues", "unlabeled") => H::Unlabelled(label()?),
        ("issues", "assigned") => H::Assigned(assignee()?),
        ("issues", "unassigned") => H::Unassigned(assignee()?),
        ("issues", "closed") => {
            H::Closed(payload.text("/issue/state_reason").unwrap_or_else(|| "completed".to_owned()))
        }
        ("issues", "reopened") => H::Reopened,
        ("issues", "transferred") => {
            let there =
                || issue_at(payload, "/changes/new_repository/full_name", "/changes/new_issue/number");
            H::Transferred(there().map(|issue| issue.ticket()))
        }
        // GitHub tells of it at its new place, too.
        ("issues", "opened") if payload.has("/changes/old_issue") => {
            H::Transferred(Some(payload.issue().ok()?.ticket()))
        }
        ("issues", "deleted") => H::Deleted,
        ("issues", "edited") if payload.has("/changes/title") => {
            H::Retitled(payload.text("/issue/title").unwrap_or_default())
        }
        ("issues", "edited") => {
            let due = |pointer: &str| payload.whole_text(pointer).and_then(status::due);
            let now = due("/issue/body")?;
            (due("/changes/body/from") != Some(now)).then_some(H::DueMoved(now))?
        }
        _ => return None,
    })
}

/// What a ticket was called before it came to where it is told of.
fn former(payload: &Payload, action: &str) -> Option<Issue> {
    let is_new = action == "opened";
    is_new.then(|| issue_at(payload, "/changes/old_repository/full_name", "/changes/old_issue/number"))?
}

fn issue_at(payload: &Payload, repository: &str, number: &str) -> Option<Issue> {
    let repository = Repository::parse(payload.whole_text(repository)?)?;
    Some(Issue { repository, number: payload.number(number)? })
}

fn comment(payload: &Payload, account: &str) -> Option<Comment> {
    let author = payload.account("/comment/user/login");
    let is_ours = author.as_ref().is_some_and(|author| is_same_account(author, account));
    let before = payload.whole_text("/changes/body/from");
    Some(Comment {
        id: payload.number("/comment/id")?,
        author: author.filter(|_| !is_ours),
        is_ours,
        said: before.or_else(|| payload.whole_text("/comment/body")).map(str::to_owned),
    })
}

/// What came isn't what GitHub sends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IntakeError {
    event: String,
    problem: &'static str,
}

impl fmt::Display for IntakeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the body isn't one of GitHub's `{}` events: {}", self.event, self.problem)
    }
}

impl std::error::Error for IntakeError {}

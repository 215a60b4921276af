//! Webhooks: what people did to tickets on GitHub, as commands.
//!
//! Nothing here has I/O, keeps anything or passes a gate by: a command is judged like every other one.

use std::fmt;

use incident_core::domain::command::{Because, Command, CompleteAction, Note, Request, Resolve, SetSeverity};
use incident_core::domain::event::Origin;
use incident_core::domain::id::{CommandId, Digest, IncidentId, Seq};
use incident_core::domain::incident::Incident;
use incident_core::domain::inert::clip;
use incident_core::domain::role::Actor;
use incident_core::domain::severity::Severity;
use incident_core::domain::ticket::TicketRef;
use incident_core::domain::time::Time;
use serde::Deserialize;
use serde::de::IgnoredAny;

use crate::marker::Marker;
use crate::reference::{Issue, Repository, is_account, is_same_account};

/// Bytes of a comment that go into a note; the rest is behind the link.
const MOST_OF_NOTE: usize = 8 * 1024;

/// What somebody did to a ticket.
///
/// # Expected flow
/// A receiver checks the signature with [`verify_signature`](crate::verify_signature), reads the event, finds the
/// incident by [`incident`](Self::incident) or, for a ticket that somebody adopted, by [`ticket`](Self::ticket), and sends
/// the incident what [`requests`](Self::requests) says.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct TicketEvent {
    /// Who, by their account on GitHub.
    pub by: String,
    /// The ticket.
    pub ticket: TicketRef,
    /// The incident, as the ticket's marker says, if our own account opened the ticket.
    pub incident: Option<IncidentId>,
    /// What happened to it.
    pub what: Happening,
    /// When, UTC, by GitHub's clock.
    pub at: Option<Time>,
    /// Where to look at it.
    pub link: Option<String>,
    digest: Digest,
}

/// What happened to a ticket.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Happening {
    /// It was commented on, with this text.
    Commented(String),
    /// It got this label.
    Labelled(String),
    /// It was closed: `completed`, `not_planned` or `duplicate`.
    Closed(String),
    /// It was opened again.
    Reopened,
}

impl TicketEvent {
    /// Reads what a webhook delivers: `event` is the value of `X-GitHub-Event`, `body` what came, and `account` our own
    /// account, `name[bot]` for an App.
    ///
    /// None for what isn't a person's change to a ticket: what our own account or another machine did, pull requests, and
    /// every other kind of event.
    ///
    /// # Errors
    /// [`IntakeError`] if `body` isn't what GitHub sends.
    pub fn read(account: &str, event: &str, body: &[u8]) -> Result<Option<Self>, IntakeError> {
        if event != "issues" && event != "issue_comment" {
            return Ok(None);
        }
        let malformed = || IntakeError { event: event.to_owned() };
        // What a parser says of it may quote it.
        let payload: Payload = serde_json::from_slice(body).map_err(|_| malformed())?;
        let Payload { action, issue, comment, label, repository, sender } = payload;
        let is_person = sender.kind == "User" && !is_same_account(&sender.login, account);
        if !is_person || issue.pull_request.is_some() {
            return Ok(None);
        }
        let link = issue.html_url;
        let (what, at, link) = match (event, action.as_str(), comment, label) {
            ("issue_comment", "created", Some(comment), _) => {
                (Happening::Commented(comment.body), comment.created_at, comment.html_url.or(link))
            }
            ("issues", "labeled", _, Some(label)) => {
                (Happening::Labelled(label.name), issue.updated_at, link)
            }
            ("issues", "closed", ..) => {
                let reason = issue.state_reason.unwrap_or_else(|| "completed".to_owned());
                (Happening::Closed(reason), issue.closed_at.or(issue.updated_at), link)
            }
            ("issues", "reopened", ..) => (Happening::Reopened, issue.updated_at, link),
            _ => return Ok(None),
        };
        let repository = Repository::parse(&repository.full_name).ok_or_else(malformed)?;
        if !is_account(&sender.login) {
            return Err(malformed());
        }
        let ours = issue.user.is_some_and(|user| is_same_account(&user.login, account));
        let marker = issue.body.filter(|_| ours).and_then(|body| Marker::read(&body));
        Ok(Some(Self {
            by: sender.login,
            ticket: Issue { repository, number: issue.number }.ticket(),
            incident: marker.map(|marker| marker.effect.incident),
            what,
            at,
            link: link.filter(|link| link.starts_with("https://") || link.starts_with("http://")),
            digest: Digest::of(&[event.as_bytes(), body]),
        }))
    }

    /// What it asks of `incident`, in order; nothing if it concerns none of its tickets.
    ///
    /// | what | of the incident's ticket | of an action item's ticket |
    /// |---|---|---|
    /// | a comment | a note | – |
    /// | a severity's label | that severity, unless it is so | – |
    /// | closed as completed | a note, and resolved, unless a gate says no | the action is done |
    /// | closed otherwise | a note | the action is done, and how |
    /// | opened again | reopened, if it is resolved | – |
    ///
    /// Closing a ticket overrides no gate. An event that is delivered again makes the same requests with the same ids, so
    /// the engine answers and repeats nothing; the ids are made of the signed body, so a copy under another delivery id
    /// changes nothing either.
    #[must_use]
    pub fn requests(&self, incident: &Incident) -> Vec<Request> {
        let is_it = |ticket: Option<&TicketRef>| ticket.is_some_and(|ticket| is_same(ticket, &self.ticket));
        let commands = if is_it(incident.ticket.as_ref()) {
            self.of_the_incident(incident)
        } else {
            let open = incident.actions.iter().filter(|(_, action)| !action.done);
            let action = open.into_iter().find(|(_, action)| is_it(action.ticket.as_ref()));
            action.map(|(seq, _)| self.of_an_action(*seq)).unwrap_or_default()
        };
        (0..).zip(commands).map(|(place, command)| self.request(place, command)).collect()
    }

    fn of_the_incident(&self, incident: &Incident) -> Vec<Command> {
        let note = |text: &str| Command::Note(Note { text: clip(text, MOST_OF_NOTE) });
        match &self.what {
            Happening::Commented(text) if text.trim().is_empty() => Vec::new(),
            Happening::Commented(text) => vec![note(text)],
            Happening::Labelled(label) => match label.parse::<Severity>() {
                Ok(severity) if severity != incident.severity => {
                    let because = format!("{} labelled the ticket {}", self.by, self.ticket);
                    vec![Command::SetSeverity(SetSeverity { severity, because })]
                }
                _ => Vec::new(),
            },
            Happening::Closed(reason) => {
                let told = format!("{} closed the ticket {} as {reason}", self.by, self.ticket);
                let mut commands = vec![note(&told)];
                if reason == "completed" {
                    let cause = format!("not said: {} closed the ticket", self.by);
                    commands.push(Command::Resolve(Resolve { cause, override_because: None }));
                }
                commands
            }
            Happening::Reopened => {
                let because = format!("{} opened the ticket {} again", self.by, self.ticket);
                vec![Command::Reopen(Because { because })]
            }
        }
    }

    fn of_an_action(&self, action: Seq) -> Vec<Command> {
        let Happening::Closed(reason) = &self.what else { return Vec::new() };
        let outcome = format!("{} closed {} as {reason}", self.by, self.ticket);
        vec![Command::CompleteAction(CompleteAction { action, outcome })]
    }

    fn request(&self, place: usize, command: Command) -> Request {
        let id = CommandId::named(&format!("github/{}/{place}", self.digest));
        let mut request = Request::new(id, Actor::human("github", &self.by), command);
        request.origin = Origin::new("github");
        request.origin.link.clone_from(&self.link);
        request.occurred_at = self.at;
        request
    }
}

/// What came isn't what GitHub sends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IntakeError {
    event: String,
}

impl fmt::Display for IntakeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "the body isn't one of GitHub's `{}` events; is the webhook's content type application/json?",
            self.event
        )
    }
}

impl std::error::Error for IntakeError {}

/// Whether two references are of one ticket, however the repository's name is cased.
fn is_same(one: &TicketRef, other: &TicketRef) -> bool {
    let issue = |ticket: &TicketRef| Issue::parse(ticket.as_str());
    issue(one).is_some_and(|one| issue(other).is_some_and(|other| one == other))
}

#[derive(Deserialize)]
struct Payload {
    action: String,
    issue: IssuePayload,
    comment: Option<CommentPayload>,
    label: Option<LabelPayload>,
    repository: RepositoryPayload,
    sender: Sender,
}

#[derive(Deserialize)]
struct IssuePayload {
    number: u64,
    html_url: Option<String>,
    body: Option<String>,
    user: Option<Author>,
    state_reason: Option<String>,
    updated_at: Option<Time>,
    closed_at: Option<Time>,
    pull_request: Option<IgnoredAny>,
}

#[derive(Deserialize)]
struct CommentPayload {
    body: String,
    html_url: Option<String>,
    created_at: Option<Time>,
}

#[derive(Deserialize)]
struct LabelPayload {
    name: String,
}

#[derive(Deserialize)]
struct RepositoryPayload {
    full_name: String,
}

#[derive(Deserialize)]
struct Author {
    login: String,
}

#[derive(Deserialize)]
struct Sender {
    login: String,
    #[serde(rename = "type")]
    kind: String,
}

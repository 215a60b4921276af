//! What an event asks of an incident.

use incident_core::log::event::Origin;
use incident_core::log::incident::Incident;
use incident_core::model::id::{CommandId, Digest, Seq};
use incident_core::model::inert::clip;
use incident_core::model::role::Actor;
use incident_core::model::severity::Severity;
use incident_core::model::ticket::TicketRef;
use incident_core::model::time::stamp;
use incident_core::rules::command::{
    Because, Command, CompleteAction, MoveTicket, Note, Redact, RedactSlot, Request, Resolve, SetSeverity,
};

use super::{Comment, Happening, TicketEvent};
use crate::reference::Issue;

/// Bytes of a comment that go into a note; the rest is behind the link.
const MOST_OF_NOTE: usize = 8 * 1024;

impl TicketEvent {
    /// What it asks of `incident`, in order; nothing if it concerns none of its tickets.
    ///
    /// | what | of the incident's ticket | of an action item's ticket |
    /// |---|---|---|
    /// | a comment | a note | – |
    /// | a comment edited | a note with the new words, and the old ones are taken out | – |
    /// | a comment deleted | a note that it was, and its words are taken out | – |
    /// | a severity's label | that severity, unless it is so | – |
    /// | a severity's label taken off, assigned, unassigned | a note | – |
    /// | renamed, deleted | a note | a note |
    /// | closed as completed | a note, and resolved, unless a gate says no | the action is done |
    /// | closed otherwise | a note | the action is done, and how |
    /// | opened again | reopened, if it is resolved | – |
    /// | transferred | the incident knows its new name | the action item does |
    /// | due another day | – | a note; the day itself counts once the ticket is read back |
    ///
    /// Closing a ticket overrides no gate. Words are taken out for whoever wrote them and for persons of the runbook; for
    /// others the engine refuses, and the note says that the comment is gone. An event that is delivered again makes the
    /// same requests with the same ids, so the engine answers and repeats nothing; the ids are made of the signed body or
    /// of the comment's own id, so a copy under another delivery id changes nothing either.
    #[must_use]
    pub fn requests(&self, incident: &Incident) -> Vec<Request> {
        if let Some(ticket) = incident.ticket.as_ref().filter(|ticket| is_same(ticket, &self.ticket)) {
            return match &self.comment {
                Some(comment) => self.of_a_comment(incident, comment),
                None => self.numbered(self.of_the_incident(incident, ticket)),
            };
        }
        let is_it = |ticket: &&TicketRef| is_same(ticket, &self.ticket);
        let mut open = incident.actions.iter().filter(|(_, action)| !action.done);
        let found = open.find_map(|(seq, action)| Some((*seq, action.ticket.as_ref().filter(is_it)?)));
        found.map(|(action, ticket)| self.numbered(self.of_an_action(action, ticket))).unwrap_or_default()
    }

    fn of_the_incident(&self, incident: &Incident, ticket: &TicketRef) -> Vec<Command> {
        let Self { by, ticket: shown, .. } = self;
        match &self.what {
            Happening::Commented(text) if text.trim().is_empty() => Vec::new(),
            Happening::Commented(text) => vec![note(text)],
            Happening::Labelled(label) => match label.parse::<Severity>() {
                Ok(severity) if severity != incident.severity => {
                    let because = format!("{by} labelled the ticket {shown}");
                    vec![Command::SetSeverity(SetSeverity { severity, because })]
                }
                _ => Vec::new(),
            },
            Happening::Unlabelled(label) if label.parse::<Severity>().is_err() => Vec::new(),
            Happening::Closed(reason) => {
                let mut commands = vec![note(&format!("{by} closed the ticket {shown} as {reason}"))];
                if reason == "completed" {
                    let cause = format!("not said: {by} closed the ticket");
                    commands.push(Command::Resolve(Resolve { cause, override_because: None }));
                }
                commands
            }
            Happening::Reopened => {
                let because = format!("{by} opened the ticket {shown} again");
                vec![Command::Reopen(Because { because })]
            }
            Happening::DueMoved(_) => Vec::new(),
            Happening::Transferred(Some(to)) => vec![moved(ticket, to)],
            _ => self.told(),
        }
    }

    fn of_an_action(&self, action: Seq, ticket: &TicketRef) -> Vec<Command> {
        match &self.what {
            Happening::Closed(reason) => {
                let outcome = format!("{} closed {} as {reason}", self.by, self.ticket);
                vec![Command::CompleteAction(CompleteAction { action, outcome })]
            }
            Happening::Transferred(Some(to)) => vec![moved(ticket, to)],
            Happening::Retitled(_)
            | Happening::DueMoved(_)
            | Happening::Deleted
            | Happening::Transferred(None) => self.told(),
            _ => Vec::new(),
        }
    }

    /// What happened, as a note.
    fn told(&self) -> Vec<Command> {
        let ticket = &self.ticket;
        let did = match &self.what {
            Happening::Unlabelled(label) => format!("removed the label {label} from the ticket {ticket}"),
            Happening::Assigned(account) => format!("assigned {account} to the ticket {ticket}"),
            Happening::Unassigned(account) => format!("unassigned {account} from the ticket {ticket}"),
            Happening::Retitled(title) => format!("renamed the ticket {ticket} to “{title}”"),
            Happening::DueMoved(due) => {
                format!("changed the due date of the ticket {ticket} to {}", stamp(*due))
            }
            Happening::Transferred(_) => {
                format!("transferred the ticket {ticket}; GitHub doesn't say where it is now")
            }
            Happening::Deleted => format!("deleted the ticket {ticket}"),
            _ => return Vec::new(),
        };
        vec![note(&format!("{} {did}", self.by))]
    }

    /// A note that an edit or a deletion made untrue loses its words: they may be a secret.
    fn of_a_comment(&self, incident: &Incident, comment: &Comment) -> Vec<Request> {
        let said = comment.said.as_deref().unwrap_or_default();
        let (mut requests, did) = match &self.what {
            Happening::Commented(text) if text.trim().is_empty() => return Vec::new(),
            Happening::Commented(text) => return vec![self.request(comment.first(), note(text))],
            Happening::CommentEdited(text) if comment.is_ours || text == said => return Vec::new(),
            Happening::CommentEdited(text) => {
                let new = note(&format!("edited: {text}"));
                let is_said = !text.trim().is_empty();
                let requests = is_said.then(|| self.request(comment.version(text), new));
                (Vec::from_iter(requests), "edited")
            }
            _ => {
                let whose = match &comment.author {
                    _ if comment.is_ours => "a comment of the incident's own".to_owned(),
                    Some(author) if *author == self.by => "their comment".to_owned(),
                    Some(author) => format!("a comment of {author}"),
                    None => "a comment".to_owned(),
                };
                let told = note(&format!("{} deleted {whose} on the ticket {}", self.by, self.ticket));
                (vec![self.request(self.id(0), told)], "deleted")
            }
        };
        let earlier = [comment.first(), comment.version(said)];
        let notes = earlier.iter().filter_map(|id| incident.commands.get(id));
        let redacts =
            notes.filter_map(|record| redact(incident, *record, &format!("{} {did} the comment", self.by)));
        requests.extend((1..).zip(redacts).map(|(place, redact)| self.request(self.id(place), redact)));
        requests
    }

    fn numbered(&self, commands: Vec<Command>) -> Vec<Request> {
        (0..).zip(commands).map(|(place, command)| self.request(self.id(place), command)).collect()
    }

    fn id(&self, place: usize) -> CommandId {
        CommandId::named(&format!("github/{}/{place}", self.digest))
    }

    fn request(&self, id: CommandId, command: Command) -> Request {
        let mut request = Request::new(id, Actor::human("github", &self.by), command);
        request.origin = Origin::new("github");
        request.origin.link.clone_from(&self.link);
        request.occurred_at = self.at;
        request
    }
}

impl Comment {
    /// The command that writes it down as it was made.
    fn first(&self) -> CommandId {
        CommandId::named(&format!("github/comment/{}", self.id))
    }

    /// The command that writes it down as an edit made it.
    fn version(&self, text: &str) -> CommandId {
        CommandId::named(&format!("github/comment/{}/{}", self.id, Digest::of(&[text.as_bytes()])))
    }
}

fn note(text: &str) -> Command {
    Command::Note(Note { text: clip(text, MOST_OF_NOTE) })
}

fn moved(from: &TicketRef, to: &TicketRef) -> Command {
    Command::MoveTicket(MoveTicket { from: from.clone(), to: to.clone() })
}

/// Takes the words of a note out; nothing if they are out already.
fn redact(incident: &Incident, record: Seq, because: &str) -> Option<Command> {
    let slots = incident.texts.of(record).into_iter().map(|(slot, text)| RedactSlot { slot, text });
    let slots: Vec<RedactSlot> = slots.collect();
    let because = because.to_owned();
    (!slots.is_empty()).then_some(Command::Redact(Redact { record, slots, because }))
}

/// Whether two references are of one ticket, however the repository's name is cased.
fn is_same(one: &TicketRef, other: &TicketRef) -> bool {
    let issue = |ticket: &TicketRef| Issue::parse(ticket.as_str());
    issue(one).is_some_and(|one| issue(other).is_some_and(|other| one == other))
}

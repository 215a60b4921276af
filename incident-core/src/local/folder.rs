//! Tickets in a folder: one Markdown file each, for people to read and to write in.

mod opened;

use std::io;
use std::path::PathBuf;

use async_trait::async_trait;

use self::opened::Opened;
use super::file::{blocking, lock, replace};
use crate::model::effect::Receipt;
use crate::model::id::{Digest, EffectId};
use crate::model::inert;
use crate::model::role::Identity;
use crate::model::ticket::{OpenTicket, SetTicket, Ticket, TicketChange, TicketRef};
use crate::model::time::{Time, stamp};
use crate::port::{
    Adapter, AdapterError, Capabilities, EffectContext, ErrorKind, Found, Preflight, PreflightContext,
    ReadContext, Repeat, Tracker,
};

/// Keeps each ticket as a Markdown file in one folder.
///
/// A file begins with fields, one a line, and a status section between two markers; comments follow. The adapter touches
/// the fields and the section it changes and leaves what people wrote. What it writes carries the effect's id in an HTML
/// comment, by which it is found again. The folder `.opened` beside the tickets notes which effect opened which, so that
/// opening a ticket costs the same however many there are.
#[derive(Debug, Clone)]
pub struct Folder {
    folder: PathBuf,
}

const STATUS: &str = "<!-- incident-status -->";
const END: &str = "<!-- /incident-status -->";

impl Folder {
    /// Tickets in `folder`, which is created when the first ticket comes.
    #[must_use]
    pub fn new(folder: impl Into<PathBuf>) -> Self {
        Self { folder: folder.into() }
    }

    /// The file of a ticket; a reference that isn't the name of a file in the folder is refused.
    fn path(&self, ticket: &TicketRef) -> io::Result<PathBuf> {
        let name = ticket.as_str();
        let plain =
            name.ends_with(".md") && name.chars().all(|it| it.is_ascii_alphanumeric() || "-.".contains(it));
        if !plain || name.starts_with('.') {
            return Err(io::Error::new(io::ErrorKind::InvalidInput, "not the name of a ticket's file"));
        }
        Ok(self.folder.join(name))
    }

    fn apply_now(&self, effect: EffectId, now: Time, change: &TicketChange) -> io::Result<Receipt> {
        let _lock = lock(&self.folder)?;
        let Some(ticket) = change.ticket() else {
            let TicketChange::Open(open) = change else { return Err(unknown_change()) };
            // Opened anew, it would lose what people wrote in it since.
            if let Some(ticket) = self.opened_by(effect)? {
                return Ok(self.receipt(&ticket));
            }
            let ticket = TicketRef::new(&file_name(&open.title, effect));
            // Noted first: a ticket that isn't noted would be opened twice, a note without its ticket does no harm.
            Opened::of(&self.folder).note(effect, ticket.as_str())?;
            replace(&self.path(&ticket)?, new_ticket(open, effect, now).as_bytes())?;
            return Ok(self.receipt(&ticket));
        };
        let path = self.path(ticket)?;
        let text = std::fs::read_to_string(&path)?;
        // Somebody who was taken for dead may come second.
        let comments =
            matches!(change, TicketChange::Comment(_) | TicketChange::Close(_) | TicketChange::Reopen(_));
        if comments && text.lines().any(|line| line == marker(effect)) {
            return Ok(self.receipt(ticket));
        }
        let comment = |text: &str, words: &str| {
            format!("{}\n\n## {}\n{}\n\n{}\n", text.trim_end(), stamp(now), marker(effect), paragraphs(words))
        };
        let text = match change {
            TicketChange::Comment(it) => comment(&text, &it.body),
            TicketChange::Close(it) => comment(&set_field(&text, "State", "closed"), &it.comment),
            TicketChange::Reopen(it) => comment(&set_field(&text, "State", "open"), &it.comment),
            TicketChange::Link(it) => {
                let line = format!("{}: {}", inert::markdown(&it.relation), inert::markdown(&it.to));
                if text.contains(&line) {
                    text
                } else {
                    comment(&text, &format!("{}: {}", it.relation, it.to))
                }
            }
            TicketChange::Set(it) => set(&text, it),
            TicketChange::Open(_) => return Err(unknown_change()),
        };
        replace(&path, text.as_bytes())?;
        Ok(self.receipt(ticket))
    }

    fn receipt(&self, ticket: &TicketRef) -> Receipt {
        Receipt::new(ticket.as_str()).with_link(&self.folder.join(ticket.as_str()).display().to_string())
    }

    /// Where the effect's marker is: in the ticket that the change is for, or in the one that it opened.
    fn find_now(&self, effect: EffectId, ticket: Option<&TicketRef>) -> io::Result<Found<Receipt>> {
        let found = match ticket {
            Some(ticket) if self.has(ticket.as_str(), effect)? => Some(ticket.clone()),
            Some(ticket) if self.path(ticket).is_ok_and(|path| path.is_file()) => None,
            // People renamed it.
            Some(_) => self.search(effect)?,
            None if self.folder.is_dir() => {
                let _lock = lock(&self.folder)?;
                self.opened_by(effect)?
            }
            None => None,
        };
        Ok(found.map_or(Found::No, |ticket| Found::Yes(self.receipt(&ticket))))
    }

    /// The ticket that the effect opened. The caller holds the folder's lock.
    fn opened_by(&self, effect: EffectId) -> io::Result<Option<TicketRef>> {
        let opened = Opened::of(&self.folder);
        if !opened.is_complete() {
            // Tickets of a version that noted nothing, or whose notes somebody deleted.
            for (name, text) in self.tickets()? {
                if let Some(effect) = split(&text).0.lines().find_map(marked) {
                    opened.note(effect, &name)?;
                }
            }
            opened.complete()?;
        }
        match opened.find(effect)? {
            Some(name) if self.has(&name, effect)? => Ok(Some(TicketRef::new(&name))),
            // It was renamed, or never written.
            Some(_) => self.search(effect),
            None => Ok(None),
        }
    }

    /// Whether the file of this name carries the effect's marker on a line of its own.
    fn has(&self, name: &str, effect: EffectId) -> io::Result<bool> {
        let Ok(path) = self.path(&TicketRef::new(name)) else { return Ok(false) };
        match std::fs::read(path) {
            // People write in it, in whatever encoding.
            Ok(bytes) => Ok(String::from_utf8_lossy(&bytes).lines().any(|line| line == marker(effect))),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// Looks into every ticket.
    fn search(&self, effect: EffectId) -> io::Result<Option<TicketRef>> {
        let marker = marker(effect);
        let mut tickets = self.tickets()?.into_iter();
        let found = tickets.find(|(_, text)| text.lines().any(|line| line == marker));
        Ok(found.map(|(name, _)| TicketRef::new(&name)))
    }

    /// Every file that may be a ticket, with its text.
    fn tickets(&self) -> io::Result<Vec<(String, String)>> {
        let entries = match std::fs::read_dir(&self.folder) {
            Ok(entries) => entries,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(error),
        };
        let mut tickets = Vec::new();
        for entry in entries {
            let entry = entry?;
            let name = entry.file_name();
            let Some(name) = name.to_str().filter(|name| name.ends_with(".md")) else { continue };
            if entry.path().is_file() {
                let text = String::from_utf8_lossy(&std::fs::read(entry.path())?).into_owned();
                tickets.push((name.to_owned(), text));
            }
        }
        Ok(tickets)
    }

    fn read_now(&self, ticket: &TicketRef) -> io::Result<Option<Ticket>> {
        // What can't be the name of a ticket here is none.
        let Ok(path) = self.path(ticket) else { return Ok(None) };
        let text = match std::fs::read_to_string(path) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error),
        };
        let title = text.lines().find_map(|line| line.strip_prefix("# ")).unwrap_or_default();
        let open = field(&text, "State") != Some("closed");
        let mut read = Ticket::new(ticket.clone(), open, &inert::unmarked(title));
        let assignees = field(&text, "Assignees").unwrap_or_default().split(", ");
        read.assignees = assignees
            .filter_map(|account| account.split_once(':'))
            .map(|(system, account)| Identity::new(system, account))
            .collect();
        read.due = field(&text, "Due").and_then(|due| due.parse().ok());
        read.link = self.receipt(ticket).link;
        Ok(Some(read))
    }
}

fn unknown_change() -> io::Error {
    io::Error::new(io::ErrorKind::InvalidInput, "a change this version doesn't know")
}

fn marker(effect: EffectId) -> String {
    format!("<!-- incident-effect: {effect} -->")
}

/// The effect whose marker this line is.
fn marked(line: &str) -> Option<EffectId> {
    line.strip_prefix("<!-- incident-effect: ")?.strip_suffix(" -->")?.parse().ok()
}

/// A name from the title that is safe in every file system, and the effect's own end so that none is taken twice.
fn file_name(title: &str, effect: EffectId) -> String {
    let words =
        title.chars().map(|it| if it.is_ascii_alphanumeric() { it.to_ascii_lowercase() } else { ' ' });
    let slug = words.collect::<String>().split_whitespace().collect::<Vec<_>>().join("-");
    let unique = Digest::of(&[effect.to_string().as_bytes()]).short();
    let slug: String = slug.chars().take(48).collect();
    format!("{}-{unique}.md", if slug.is_empty() { "ticket" } else { slug.trim_end_matches('-') })
}

/// Words as paragraphs that show as written: each line is inert, so none can pass for a marker or a field.
fn paragraphs(words: &str) -> String {
    words.lines().map(inert::markdown).collect::<Vec<_>>().join("\n\n")
}

fn new_ticket(open: &OpenTicket, effect: EffectId, now: Time) -> String {
    let mut text = format!("# {}\n{}\n\n", inert::markdown(&open.title), marker(effect));
    let mut field = |name: &str, value: String| {
        if !value.is_empty() {
            text.push_str(&format!("{name}: {}\n", field_value(&value)));
        }
    };
    field("State", "open".to_owned());
    field("Labels", open.labels.join(", "));
    field("Assignees", open.assignees.iter().map(ToString::to_string).collect::<Vec<_>>().join(", "));
    field("Due", open.due.map(|due| due.to_rfc3339()).unwrap_or_default());
    field("Parent", open.parent.as_ref().map(ToString::to_string).unwrap_or_default());
    field("Opened", stamp(now));
    format!("{text}\n{STATUS}\n\n{}\n\n{END}\n", paragraphs(&open.body))
}

/// A field's value on one line, which no marker can hide in.
fn field_value(value: &str) -> String {
    inert::line(value).replace('<', "‹")
}

/// The fields, and everything that follows them: the status section and the comments.
fn split(text: &str) -> (&str, &str) {
    let end = [text.find(STATUS), text.find("\n## ")].into_iter().flatten().min();
    text.split_at(end.unwrap_or(text.len()))
}

fn field<'t>(text: &'t str, name: &str) -> Option<&'t str> {
    split(text).0.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(": "))
}

/// The text with a field set; everything else stays.
fn set_field(text: &str, name: &str, value: &str) -> String {
    let (head, rest) = split(text);
    let line = format!("{name}: {}", field_value(value));
    let is_field = |it: &str| it.strip_prefix(name).is_some_and(|rest| rest.starts_with(": "));
    let mut lines: Vec<&str> = head.trim_end().lines().collect();
    match lines.iter_mut().find(|it| is_field(it)) {
        Some(field) => *field = &line,
        None => lines.push(&line),
    }
    let head = lines.join("\n");
    if rest.is_empty() { format!("{head}\n") } else { format!("{head}\n\n{}", rest.trim_start()) }
}

fn set(text: &str, it: &SetTicket) -> String {
    let labels = field(text, "Labels").unwrap_or_default();
    let mut labels: Vec<&str> = labels.split(", ").filter(|label| !label.is_empty()).collect();
    labels.retain(|label| !it.remove_labels.iter().any(|removed| removed == label));
    labels.extend(it.add_labels.iter().map(String::as_str));
    labels.sort_unstable();
    labels.dedup();
    let text = set_field(text, "Labels", &labels.join(", "));
    let section = format!("{STATUS}\n\n{}\n\n{END}", paragraphs(&it.status));
    match text.split_once(STATUS) {
        // Without its end, nobody can tell what of the rest was the section: all of it stays.
        Some((before, rest)) => format!("{before}{section}{}", rest.split_once(END).map_or(rest, |it| it.1)),
        // Somebody took the section out: it goes to the end.
        None => format!("{}\n\n{section}\n", text.trim_end()),
    }
}

#[async_trait]
impl Adapter for Folder {
    fn capabilities(&self) -> Capabilities {
        Capabilities::new("folder")
    }

    async fn preflight(&self, _cx: &PreflightContext) -> Result<Preflight, AdapterError> {
        let folder = self.folder.clone();
        let writable = blocking("write to the folder", move || {
            std::fs::create_dir_all(&folder)?;
            let probe = folder.join(".preflight");
            std::fs::write(&probe, b"")?;
            std::fs::remove_file(probe)
        });
        Ok(match writable.await {
            Ok(()) => Preflight::default().good("the folder can be written"),
            Err(error) => Preflight::default().bad("the folder can't be written", &error.to_string()),
        })
    }
}

#[async_trait]
impl Tracker for Folder {
    fn repeat(&self, change: &TicketChange) -> Repeat {
        match change {
            TicketChange::Set(_) | TicketChange::Link(_) => Repeat::Converging,
            _ => Repeat::Lookup,
        }
    }

    async fn apply(&self, cx: &EffectContext, change: &TicketChange) -> Result<Receipt, AdapterError> {
        let (folder, effect, now, change) = (self.clone(), cx.effect, cx.now, change.clone());
        blocking("change the ticket", move || folder.apply_now(effect, now, &change)).await
    }

    async fn find(&self, cx: &EffectContext, change: &TicketChange) -> Result<Found<Receipt>, AdapterError> {
        let (folder, effect, ticket) = (self.clone(), cx.effect, change.ticket().cloned());
        blocking("look for the ticket", move || folder.find_now(effect, ticket.as_ref())).await
    }

    async fn read(&self, _cx: &ReadContext, tickets: &[TicketRef]) -> Result<Vec<Ticket>, AdapterError> {
        let (folder, tickets) = (self.clone(), tickets.to_vec());
        let read = blocking("read the tickets", move || {
            tickets.iter().filter_map(|ticket| folder.read_now(ticket).transpose()).collect()
        });
        read.await.map_err(|error| if error.kind == ErrorKind::Invalid { error.not_applied() } else { error })
    }
}

#[cfg(test)]
mod tests;

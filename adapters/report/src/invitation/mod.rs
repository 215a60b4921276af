//! The review meeting in people's calendars: an invitation, its update, its cancellation (RFC 5545 and 5546).
//!
//! Times are written in UTC, so no time zone has to be described; a reader's calendar shows them in the reader's own.

mod address;
mod ics;

use std::time::Duration;

use incident_core::log::incident::Incident;
use incident_core::model::id::IncidentId;
use incident_core::model::obligation::ObligationKind;
use incident_core::model::role::PersonId;
use incident_core::model::side::Side;
use incident_core::model::time::Time;
use incident_core::model::time::{after, before, stamp};
use incident_core::runbook::{AgendaItem, Runbook};

use ics::Calendar;

/// The system of a person's account that is an address: `email:alice@example.org`.
pub const EMAIL: &str = "email";

/// The review meeting as it was announced last, for a calendar.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Invitation {
    /// The incident that is reviewed; the meeting's id follows from it and never changes.
    pub incident: IncidentId,
    /// What it says on top.
    pub title: String,
    /// When it begins, UTC.
    pub starts: Time,
    /// How long it takes.
    pub length: Duration,
    /// What is talked about, and for how long.
    pub agenda: Vec<AgendaItem>,
    /// Who invites.
    pub organizer: Invitee,
    /// Who is invited.
    pub invitees: Vec<Invitee>,
    /// Those who are invited and have no address in the runbook, or one that is none: they must be told otherwise.
    pub unreached: Vec<PersonId>,
    /// Where it is held.
    pub place: Option<String>,
    /// Links to look at before. Only those to the web are written.
    pub links: Vec<String>,
    /// How often it was announced before: what a calendar tells an update from the original by.
    pub revision: u32,
    /// When it was announced so, UTC.
    pub announced_at: Time,
    /// Whether it was called off.
    pub cancelled: bool,
}

/// Somebody with an address.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Invitee {
    /// The person's name.
    pub name: String,
    /// The address, such as `alice@example.org`.
    pub email: String,
}

impl Invitee {
    /// `name` at the address `email`.
    #[must_use]
    pub fn new(name: &str, email: &str) -> Self {
        Self { name: name.to_owned(), email: email.to_owned() }
    }
}

/// An invitation that can't be written.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum InvitationError {
    /// The organizer's address isn't one, and a meeting needs an organizer.
    #[error("organizer: expected an address such as alice@example.org, without quotes and spaces")]
    Organizer,
    /// The domain isn't one.
    #[error("domain: expected a name such as example.org")]
    Domain,
}

impl Invitation {
    /// The review meeting of `incident` as it was announced last, with the runbook's agenda; none if none was.
    ///
    /// Unless somebody else was named, everybody who responded is invited. Addresses are the runbook's, of the system
    /// [`EMAIL`].
    #[must_use]
    pub fn announced(incident: &Incident, runbook: &Runbook, organizer: Invitee) -> Option<Self> {
        let meeting = incident.document.meeting.as_ref()?;
        let drill = if incident.side == Side::Drill { "[DRILL] " } else { "" };
        let (mut invitees, mut unreached) = (Vec::new(), Vec::new());
        for id in &meeting.invitees {
            let person = runbook.persons.get(id);
            let email = person.and_then(|it| it.identities.iter().find_map(|it| it.account_in(EMAIL)));
            match (person, email) {
                (Some(person), Some(email)) if address::uri(email).is_some() => {
                    invitees.push(Invitee::new(&person.name, email));
                }
                _ => unreached.push(id.clone()),
            }
        }
        Some(Self {
            incident: incident.id,
            title: format!("{drill}Post-mortem review: {}", incident.title_words()),
            starts: meeting.starts_at,
            length: meeting.length,
            agenda: runbook.afterwards.agenda.clone(),
            organizer,
            invitees,
            unreached,
            place: meeting.place.clone(),
            links: incident.links.iter().cloned().collect(),
            revision: meeting.revision,
            announced_at: meeting.announced_at,
            cancelled: meeting.cancelled,
        })
    }

    /// When the review of `incident` must begin at the latest to be over by the time that was promised – the default runbook
    /// has it within two business days of the resolve. None if none is owed.
    ///
    /// The promise is a recorded fact, made with the calendar, holidays and zone of the runbook then in force.
    #[must_use]
    pub fn latest_start(incident: &Incident, runbook: &Runbook) -> Option<Time> {
        let due = incident.obligation(ObligationKind::Meeting)?.due;
        let agenda = runbook.afterwards.agenda.iter();
        Some(before(due, agenda.fold(Duration::ZERO, |sum, item| sum.saturating_add(item.length))))
    }

    /// `REQUEST` for an invitation and its updates, `CANCEL` once it was called off. The file is sent as
    /// `text/calendar; method=REQUEST` or `=CANCEL`.
    #[must_use]
    pub fn method(&self) -> &'static str {
        if self.cancelled { "CANCEL" } else { "REQUEST" }
    }

    /// The calendar file. Its id is unique in `domain` and the same for each revision; the same invitation gives the same
    /// bytes. People's words are in it as text that ends no line and begins no property. Invitees whose address isn't one
    /// are left out, and [`refused`](Self::refused) names them: they stop nobody else.
    ///
    /// # Errors
    /// [`InvitationError`] if `domain` or the organizer's address isn't one.
    pub fn to_ics(&self, domain: &str) -> Result<String, InvitationError> {
        if !is_domain(domain) {
            return Err(InvitationError::Domain);
        }
        let organizer = address::uri(&self.organizer.email).ok_or(InvitationError::Organizer)?;
        let mut calendar = Calendar::begin(self.method());
        calendar.plain("UID", &format!("{}@{domain}", self.incident));
        calendar.plain("SEQUENCE", &self.revision.to_string());
        calendar.time("DTSTAMP", self.announced_at);
        calendar.time("DTSTART", self.starts);
        calendar.time("DTEND", after(self.starts, self.length));
        calendar.plain("STATUS", if self.cancelled { "CANCELLED" } else { "CONFIRMED" });
        calendar.text("SUMMARY", &self.title);
        calendar.text("DESCRIPTION", &self.description());
        if let Some(place) = &self.place {
            calendar.text("LOCATION", place);
        }
        calendar.person("ORGANIZER", &self.organizer.name, "", &organizer);
        let parameters = ";ROLE=REQ-PARTICIPANT;PARTSTAT=NEEDS-ACTION;RSVP=TRUE";
        for invitee in &self.invitees {
            if let Some(uri) = address::uri(&invitee.email) {
                calendar.person("ATTENDEE", &invitee.name, parameters, &uri);
            }
        }
        Ok(calendar.end())
    }

    /// Those of the invitees whose address isn't one: they must be told otherwise.
    pub fn refused(&self) -> impl Iterator<Item = &Invitee> {
        self.invitees.iter().filter(|it| address::uri(&it.email).is_none())
    }

    /// The agenda with its minutes, then what to look at before.
    fn description(&self) -> String {
        let mut lines = vec!["Blameless: what happened, and what we change.".to_owned(), String::new()];
        lines.extend(
            self.agenda.iter().map(|item| format!("{} min: {}", item.length.as_secs() / 60, item.topic)),
        );
        lines.push(String::new());
        lines.push(format!("Over by {}.", stamp(after(self.starts, self.length))));
        let web = |link: &&String| link.starts_with("https://") || link.starts_with("http://");
        lines.extend(self.links.iter().filter(web).map(|link| format!("See {link}")));
        lines.join("\n")
    }
}

fn is_domain(domain: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-');
    domain.len() <= 253 && domain.contains('.') && domain.bytes().all(plain)
}

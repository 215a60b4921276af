//! From what was recorded to what a backend is handed: notices and ticket changes in words.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::effect::{Effect, LinkTo, Notify, TicketWork, Work};
use super::event::{Fact, NoticeIssued, Record};
use super::id::Seq;
use super::incident::{Incident, Side};
use super::notice::{Label, Line, Notice, NoticeKind, Recipient};
use super::obligation::ObligationKind;
use super::role::{Identity, PersonId};
use super::runbook::Runbook;
use super::text::Text;
use super::ticket::{
    CloseTicket, CommentTicket, LinkTicket, OpenTicket, ReopenTicket, SetTicket, TicketChange, TicketRef,
};
use super::time::{Time, since, spoken, stamp};

/// The notice that an effect carries; none if it is no longer kept.
#[must_use]
pub fn notice(incident: &Incident, effect: &Effect, notify: &Notify, runbook: &Runbook) -> Option<Notice> {
    let issued = incident.notices.get(&notify.notice)?;
    let said = &issued.notice;
    let words = |text: Text| incident.texts.get(text).to_owned();
    let mut notice =
        Notice::new(incident.id, notify.notice, said.kind, notify.audiences.clone(), incident.title_words());
    notice.severity = said.severity;
    notice.status = said.status;
    notice.service.clone_from(&incident.service);
    notice.drill = incident.side == Side::Drill;
    notice.started_at = incident.milestones.started.unwrap_or(issued.at);
    notice.issued_at = issued.at;
    notice.commander.clone_from(&said.commander);
    notice.next_update = said.next_update;
    notice.recipients = said.recipients.iter().map(|person| recipient(person, runbook)).collect();
    notice.responders = incident.responders.iter().map(|person| recipient(person, runbook)).collect();
    notice.conversation = incident.conversation_on(&effect.route).cloned();
    notice.lines = said.fixed.clone();
    notice.lines.extend(said.lines.iter().map(|line| Line { label: line.label, text: words(line.text) }));
    notice.approval = said.approval;
    notice.document = said.document;
    notice.links = incident.links.iter().cloned().collect();
    notice.figures = figures(incident, said, issued.at, runbook);
    notice.said = phrase(incident, said, &notice.figures, runbook);
    notice.possible_repeat = effect.attempts > 1
        && matches!(
            effect.state,
            super::effect::EffectState::Started { how: super::effect::Start::CallMarked, .. }
        );
    Some(notice)
}

fn recipient(person: &PersonId, runbook: &Runbook) -> Recipient {
    let known = runbook.persons.get(person);
    let mut recipient = Recipient::new(person.clone(), known.map_or(person.as_str(), |known| &known.name));
    recipient.identities = known.map(|known| known.identities.clone()).unwrap_or_default();
    recipient
}

/// The runbook's phrase for a notice, then what it says besides.
fn phrase(incident: &Incident, said: &NoticeIssued, figures: &Figures, runbook: &Runbook) -> String {
    let mut parts = Vec::new();
    if incident.side == Side::Drill {
        parts.push(runbook.phrase("drill").to_owned());
    }
    let phrase = said.kind.phrase();
    parts.extend(phrase.map(|name| runbook.say(name, figures)));
    let afterwards = runbook.afterwards.required_for.contains(&said.severity);
    if said.kind == NoticeKind::Resolved && afterwards {
        parts.push(runbook.say("details_follow", figures));
    }
    // What the phrase has a gap for is said; everything else follows as it is.
    let besides = |label: Label| phrase.is_none() || !label.is_in_phrases();
    let fixed = said.fixed.iter().filter(|line| besides(line.label)).map(|line| line.text.clone());
    let texts = said.lines.iter().filter(|line| besides(line.label));
    parts.extend(fixed);
    parts.extend(texts.map(|line| incident.texts.get(line.text).to_owned()));
    parts.join(" · ")
}

/// What fills the gaps of phrases, by their names.
type Figures = BTreeMap<&'static str, String>;

fn figures(incident: &Incident, said: &NoticeIssued, at: Time, runbook: &Runbook) -> Figures {
    let policy = runbook.severity(said.severity);
    let unknown = || "not known yet".to_owned();
    let words = |label: Label| {
        let fixed = said.fixed.iter().find(|line| line.label == label).map(|line| line.text.clone());
        said.line(label).map(|text| incident.texts.get(text).to_owned()).or(fixed)
    };
    let impact = incident.impact.as_ref();
    let business = impact.and_then(|impact| impact.business).map(|text| incident.texts.get(text).to_owned());
    let users = impact.and_then(|impact| impact.users).map(|users| format!("{users} users"));
    let due = |kind| incident.obligation(kind).map(|owed| stamp(owed.due));
    let started = incident.milestones.started.unwrap_or(at);
    let respond = incident.obligation(ObligationKind::Acknowledge).map(|owed| spoken(since(owed.due, at)));
    let next_update = said
        .next_update
        .map_or_else(|| "when there is news".to_owned(), |time| format!("by {}", stamp(time)));
    let cadence = incident.figures.update_every.get(&said.severity);
    let cadence = cadence.map_or_else(|| "as needed".to_owned(), |every| format!("every {}", spoken(*every)));
    BTreeMap::from([
        ("severity", said.severity.to_string()),
        ("old_severity", words(Label::Summary).unwrap_or_else(unknown)),
        ("status", said.status.to_string()),
        ("phase", incident.phase.to_string()),
        ("summary", incident.title_words().to_owned()),
        ("impact", business.unwrap_or_else(|| policy.meaning.clone())),
        ("affected", users.or_else(|| incident.service.clone()).unwrap_or_else(unknown)),
        ("service", incident.service.clone().unwrap_or_else(|| "a service not known yet".to_owned())),
        ("started_at", stamp(started)),
        ("now", stamp(at)),
        ("lead", said.commander.as_ref().map_or_else(|| "nobody yet".to_owned(), ToString::to_string)),
        ("reason", words(Label::Because).unwrap_or_else(unknown)),
        ("progress", words(Label::Progress).unwrap_or_else(unknown)),
        ("next_steps", words(Label::NextSteps).unwrap_or_else(unknown)),
        ("eta", words(Label::Eta).unwrap_or_else(|| "unknown".to_owned())),
        ("respond_within", respond.unwrap_or_else(|| policy.respond_within.to_string())),
        ("update_every", cadence),
        ("next_update", next_update),
        ("due", due(ObligationKind::PostMortem).unwrap_or_else(unknown)),
        ("meeting", due(ObligationKind::Meeting).unwrap_or_else(unknown)),
        ("duration", words(Label::Duration).unwrap_or_else(|| spoken(since(at, started)))),
        ("resolved_at", stamp(incident.milestones.resolved.unwrap_or(at))),
        ("root_cause", words(Label::Cause).unwrap_or_else(unknown)),
        ("watch", spoken(incident.figures.watch)),
    ])
}

/// What a ticket effect names and the incident's state doesn't hold.
#[derive(Debug, Clone, Default)]
pub struct Named {
    /// The records, for their words.
    pub records: Vec<Record>,
    /// The other incident, for its ticket.
    pub other: Option<Arc<Incident>>,
}

/// The change that a ticket effect makes; none if what it names isn't there, or not yet.
#[must_use]
pub fn ticket(
    incident: &Incident,
    work: &TicketWork,
    named: &Named,
    runbook: &Runbook,
) -> Option<TicketChange> {
    let own = || incident.ticket.clone();
    let records = &named.records;
    let record = records.first();
    Some(match work {
        TicketWork::Open => TicketChange::Open(open(incident, runbook)),
        TicketWork::Comment(_) => {
            TicketChange::Comment(CommentTicket::new(own()?, &comment(incident, record?)))
        }
        TicketWork::Comments(told) if told.len() == records.len() => {
            let told: Vec<String> = records.iter().map(|record| comment(incident, record)).collect();
            TicketChange::Comment(CommentTicket::new(own()?, &told.join("\n")))
        }
        TicketWork::Comments(_) => return None,
        TicketWork::Sync => TicketChange::Set(sync(incident, own()?)),
        TicketWork::Close(_) => {
            TicketChange::Close(CloseTicket::new(own()?, &closing(incident, record?, runbook)))
        }
        TicketWork::Reopen(_) => TicketChange::Reopen(ReopenTicket::new(own()?, &comment(incident, record?))),
        TicketWork::FollowUp(action) => TicketChange::Open(follow_up(incident, *action, runbook)?),
        TicketWork::CloseFollowUp(action) => {
            let ticket = incident.actions.get(action)?.ticket.clone()?;
            TicketChange::Close(CloseTicket::new(ticket, "Done, as the incident's record says."))
        }
        TicketWork::Link(LinkTo::FollowUp(action)) => {
            let ticket = incident.actions.get(action)?.ticket.as_ref()?;
            TicketChange::Link(LinkTicket::new(own()?, ticket.as_str(), "follow-up"))
        }
        TicketWork::Link(LinkTo::Incident { relation, .. }) => {
            TicketChange::Link(LinkTicket::new(own()?, &ticket_of(named.other.as_deref()?)?, relation))
        }
    })
}

/// The ticket of another incident, or its name if it has none; none while its ticket is still to be opened.
fn ticket_of(other: &Incident) -> Option<String> {
    let opens = other.effects.values().any(|effect| effect.work == Work::Ticket(TicketWork::Open));
    let name = || (!opens).then(|| format!("incident {}", other.id));
    other.ticket.as_ref().map(ToString::to_string).or_else(name)
}

fn marked(incident: &Incident, title: &str) -> String {
    if incident.side == Side::Drill { format!("[DRILL] {title}") } else { title.to_owned() }
}

fn labels(incident: &Incident, mut labels: Vec<String>) -> Vec<String> {
    if incident.side == Side::Drill {
        labels.push("drill".to_owned());
    }
    labels
}

fn severity_label(severity: super::severity::Severity) -> String {
    severity.to_string().to_lowercase()
}

fn identities(person: Option<&PersonId>, runbook: &Runbook) -> Vec<Identity> {
    person.and_then(|person| runbook.persons.get(person)).map(|it| it.identities.clone()).unwrap_or_default()
}

fn open(incident: &Incident, runbook: &Runbook) -> OpenTicket {
    let title = runbook.phrase("ticket_title").replace("{summary}", incident.title_words());
    let mut ticket = OpenTicket::new(&marked(incident, &title), &status(incident));
    ticket.labels = labels(incident, vec!["incident".to_owned(), severity_label(incident.severity)]);
    ticket.assignees = identities(incident.commander(), runbook);
    ticket
}

fn follow_up(incident: &Incident, action: Seq, runbook: &Runbook) -> Option<OpenTicket> {
    let action = incident.actions.get(&action)?;
    let what = incident.texts.get(action.what);
    let body = format!("Follow-up of the incident “{}” ({}).\n\n{what}", incident.title_words(), incident.id);
    let mut ticket = OpenTicket::new(&marked(incident, &super::inert::clip(what, 200)), &body);
    let priority = format!("priority:{}", action.priority);
    ticket.labels = labels(incident, vec!["incident-followup".to_owned(), priority]);
    ticket.assignees = identities(action.owner.as_ref(), runbook);
    ticket.due = Some(action.due);
    ticket.parent.clone_from(&incident.ticket);
    Some(ticket)
}

fn sync(incident: &Incident, ticket: TicketRef) -> SetTicket {
    let mut set = SetTicket::new(ticket, &status(incident));
    set.add_labels = vec![severity_label(incident.severity)];
    let other = |severity: &super::severity::Severity| *severity != incident.severity;
    set.remove_labels =
        super::severity::Severity::ALL.into_iter().filter(other).map(severity_label).collect();
    set
}

/// The status section of a ticket.
fn status(incident: &Incident) -> String {
    let mut lines = vec![
        format!("Severity: {}", incident.severity),
        format!("Status: {}", incident.phase.status()),
        format!("Phase: {}", incident.phase),
    ];
    let mut line =
        |label: &str, words: Option<String>| lines.extend(words.map(|words| format!("{label}: {words}")));
    line("Started", incident.milestones.started.map(stamp));
    line("Service", incident.service.clone());
    line("Lead", incident.commander().map(ToString::to_string));
    let impact = incident.impact.as_ref().and_then(|impact| impact.business);
    line("Impact", impact.map(|text| incident.texts.get(text).to_owned()));
    line("Next update by", incident.obligation(ObligationKind::Update).map(|owed| stamp(owed.due)));
    line("Incident", Some(incident.id.to_string()));
    lines.extend(incident.links.iter().map(|link| format!("See: {link}")));
    lines.join("\n")
}

fn comment(incident: &Incident, record: &Record) -> String {
    format!("{}: {}", stamp(record.occurred_at), super::timeline::describe(incident, record))
}

fn closing(incident: &Incident, record: &Record, runbook: &Runbook) -> String {
    let Fact::Resolved(resolved) = &record.fact else { return comment(incident, record) };
    let started = incident.milestones.started.unwrap_or(record.occurred_at);
    let due = |kind| {
        incident.obligation(kind).map_or_else(|| "nobody knows when".to_owned(), |owed| stamp(owed.due))
    };
    let figures = BTreeMap::from([
        ("resolved_at", stamp(record.occurred_at)),
        ("duration", spoken(since(record.occurred_at, started))),
        ("root_cause", incident.texts.get(resolved.cause).to_owned()),
        ("due", due(ObligationKind::PostMortem)),
        ("meeting", due(ObligationKind::Meeting)),
    ]);
    let mut comment = runbook.say("ticket_closed", &figures);
    if incident.obligation(ObligationKind::PostMortem).is_some() {
        comment = format!("{comment} {}", runbook.say("post_mortem_scheduled", &figures));
    }
    comment
}

//! From what was recorded to what a backend is handed: notices and ticket changes in words.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::log::event::{Fact, NoticeIssued, Record};
use crate::log::incident::Incident;
use crate::model::effect::{Effect, LinkTo, Notify, TicketWork, Work};
use crate::model::id::{Digest, Seq};
use crate::model::notice::{Label, Line, Notice, NoticeKind, Recipient};
use crate::model::obligation::ObligationKind;
use crate::model::role::{Identity, PersonId};
use crate::model::severity::Audience;
use crate::model::side::Side;
use crate::model::ticket::{
    CloseTicket, CommentTicket, LinkTicket, OpenTicket, ReopenTicket, SetTicket, TicketChange, TicketRef,
};
use crate::model::time::{Time, since, spoken, stamp};
use crate::runbook::Runbook;

/// The notice that an effect carries; none if it is no longer kept.
///
/// If it goes to anybody outside the organisation, it holds only what the runbook marks as public.
#[must_use]
pub fn notice(incident: &Incident, effect: &Effect, notify: &Notify, runbook: &Runbook) -> Option<Notice> {
    let issued = incident.notices.get(&notify.notice)?;
    let said = &issued.notice;
    let is_public = notify.audiences.iter().any(Audience::is_external);
    let may = |gap: &str| !is_public || runbook.public.iter().any(|it| it == gap);
    let mut figures = figures(incident, said, issued.at, runbook);
    figures.retain(|gap, _| may(gap));
    let mut title = incident.title_words().to_owned();
    if !may("summary") {
        title = runbook.say("public_title", &figures);
        if title.is_empty() {
            "Service incident".clone_into(&mut title);
        }
    }
    let mut notice = Notice::new(incident.id, notify.notice, said.kind, notify.audiences.clone(), &title);
    notice.severity = said.severity;
    notice.status = said.status;
    notice.service = incident.service.clone().filter(|_| may("service"));
    notice.drill = incident.side == Side::Drill;
    notice.started_at = incident.known_start();
    notice.issued_at = issued.at;
    notice.commander = said.commander.clone().filter(|_| may("lead"));
    notice.next_update = said.next_update.filter(|_| may("next_update"));
    let texts = said.lines.iter().map(|line| (line.label, incident.texts.get(line.text).to_owned()));
    let fixed = said.fixed.iter().map(|line| (line.label, line.text.clone()));
    let lines = fixed.chain(texts).filter(|(label, _)| may(label.gap()));
    notice.lines = lines.map(|(label, text)| Line { label, text }).collect();
    if !is_public {
        notice.responders = incident.responders.iter().map(|person| recipient(person, runbook)).collect();
        notice.conversation = incident.conversation_on(&effect.route).cloned();
        notice.recipients = said.recipients.iter().map(|person| recipient(person, runbook)).collect();
        notice.approval = said.approval;
        notice.document = said.document;
    }
    if may("links") {
        notice.links = incident.links.iter().cloned().collect();
    }
    let own = said.phrase.as_deref().or(said.kind.phrase());
    let name = if is_public { said.kind.public_phrase() } else { own.filter(|name| !name.is_empty()) };
    notice.besides = besides(said, name, &notice.lines, runbook);
    notice.said = phrase(incident, said, name, &notice, &figures, runbook);
    notice.figures = figures;
    notice.possible_repeat = effect.attempts > 1
        && matches!(
            effect.state,
            crate::model::effect::EffectState::Started { how: crate::model::effect::Start::CallMarked, .. }
        );
    Some(notice)
}

fn recipient(person: &PersonId, runbook: &Runbook) -> Recipient {
    let known = runbook.persons.get(person);
    let mut recipient = Recipient::new(person.clone(), known.map_or(person.as_str(), |known| &known.name));
    recipient.identities = known.map(|known| known.identities.clone()).unwrap_or_default();
    recipient
}

/// The lines that the phrase has no gap for. A gap takes the first line with its label.
fn besides(
    said: &NoticeIssued,
    phrase: Option<&str>,
    lines: &[Line<String>],
    runbook: &Runbook,
) -> Vec<Line<String>> {
    let has = |gap| phrase.is_some_and(|name| runbook.phrase_has(name, gap));
    // The gaps for both severities say what the summary of a change does.
    let changed = said.old_severity.is_some() && has("old_severity");
    let (mut filled, mut left): (Vec<Label>, Vec<Line<String>>) = Default::default();
    for line in lines.iter().filter(|line| !(changed && line.label == Label::Summary)) {
        if has(line.label.gap()) && !filled.contains(&line.label) {
            filled.push(line.label);
        } else {
            left.push(line.clone());
        }
    }
    left
}

/// The runbook's phrase for a notice, then what it says besides.
fn phrase(
    incident: &Incident,
    said: &NoticeIssued,
    name: Option<&str>,
    notice: &Notice,
    figures: &Figures,
    runbook: &Runbook,
) -> String {
    let mut parts = Vec::new();
    if incident.side == Side::Drill {
        parts.push(runbook.phrase("drill").to_owned());
    }
    parts.extend(name.map(|name| runbook.say(name, figures)));
    let afterwards = runbook.afterwards.required_for.contains(&said.severity);
    let is_inside = !notice.audiences.iter().any(Audience::is_external);
    if said.kind == NoticeKind::Resolved && afterwards && is_inside {
        parts.push(runbook.say("details_follow", figures));
    }
    parts.extend(notice.besides.iter().map(|line| format!("{}: {}", line.label, line.text)));
    parts.retain(|part| !part.trim().is_empty());
    parts.join("\n")
}

/// What fills the gaps of phrases, by their names. What has no value isn't in it.
type Figures = BTreeMap<&'static str, String>;

fn figures(incident: &Incident, said: &NoticeIssued, at: Time, runbook: &Runbook) -> Figures {
    let unknown = || Some("unknown".to_owned());
    let words = |label: Label| {
        let fixed = said.fixed.iter().find(|line| line.label == label).map(|line| line.text.clone());
        fixed.or_else(|| said.line(label).map(|text| incident.texts.get(text).to_owned()))
    };
    let due = |kind| incident.obligation(kind).map(|owed| owed.due);
    let name =
        |person: &PersonId| runbook.persons.get(person).map_or(person.as_str(), |it| &it.name).to_owned();
    let to_answer = due(ObligationKind::Acknowledge).filter(|due| *due > at);
    let cadence = incident.figures.update_every.get(&said.severity);
    let cadence = cadence.map_or_else(|| "as needed".to_owned(), |every| format!("every {}", spoken(*every)));
    let post_mortem = due(ObligationKind::PostMortem).filter(|_| said.kind == NoticeKind::Resolved);
    let proposal = said.approval.and_then(|it| incident.mitigations.get(&it.plan));
    let figures = [
        ("severity", Some(said.severity.to_string())),
        ("old_severity", said.old_severity.map(|severity| severity.to_string())),
        ("status", Some(said.status.to_string())),
        ("phase", Some(incident.phase.to_string())),
        ("summary", Some(incident.title_words().to_owned())),
        ("impact", Some(impact(incident, said, runbook))),
        ("affected", affected(incident).or_else(unknown)),
        ("service", incident.service.clone()),
        ("started_at", incident.known_start().map(stamp).or_else(unknown)),
        ("now", Some(stamp(at))),
        ("lead", said.commander.as_ref().map(name).or_else(|| Some("none yet".to_owned()))),
        ("actor", proposal.and_then(|it| it.proposer.as_ref()).map(name)),
        ("reason", words(Label::Because)),
        ("progress", words(Label::Progress)),
        ("next_steps", words(Label::NextSteps)),
        ("eta", words(Label::Eta).or_else(unknown)),
        ("public", words(Label::Public)),
        ("respond_within", to_answer.map(|due| spoken(since(due, at)))),
        ("update_every", Some(cadence)),
        ("next_update", said.next_update.map(stamp).or_else(|| Some("when there is news".to_owned()))),
        ("due", words(Label::Due).or_else(|| post_mortem.map(stamp))),
        ("owed", words(Label::Do)),
        ("mitigation", words(Label::Plan)),
        ("outcome", words(Label::Summary)),
        ("duration", words(Label::Duration).or_else(|| Some(incident.lasted(at)))),
        ("resolved_at", incident.milestones.resolved.map(stamp)),
        ("root_cause", words(Label::Cause).or_else(|| Some("to be determined".to_owned()))),
        ("watch", Some(spoken(incident.figures.watch))),
        ("meeting", due(ObligationKind::Meeting).map(stamp)),
    ];
    figures.into_iter().filter_map(|(gap, figure)| Some((gap, figure?))).collect()
}

/// The impact that somebody assessed: in words if there are any, otherwise what the severity means.
fn impact(incident: &Incident, said: &NoticeIssued, runbook: &Runbook) -> String {
    let Some(impact) = &incident.impact else { return "not assessed yet".to_owned() };
    let business = impact.business.map(|text| incident.texts.get(text).to_owned());
    business.unwrap_or_else(|| runbook.severity(said.severity).meaning.clone())
}

fn affected(incident: &Incident) -> Option<String> {
    let users = incident.impact.as_ref().and_then(|impact| impact.users);
    users.map(|users| format!("{users} users")).or_else(|| incident.service.clone())
}

/// What a ticket effect names and the incident's state doesn't hold.
#[derive(Debug, Clone, Default)]
pub struct Named {
    /// The records, for their words.
    pub records: Vec<Record>,
    /// The other incident, for its ticket.
    pub other: Option<Arc<Incident>>,
    /// The head of the chain after the first record, for those who compare it with the log later.
    pub head: Option<Digest>,
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
            let record = record?;
            let mut words = closing(incident, record, runbook);
            if let Some(head) = named.head {
                words = format!("{words}\n\nLog: {} records, chain head {head}", record.seq.0);
            }
            let mut close = CloseTicket::new(own()?, &words);
            close.not_planned = matches!(record.fact, Fact::Cancelled(_));
            TicketChange::Close(close)
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

fn severity_label(severity: crate::model::severity::Severity) -> String {
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
    let mut ticket = OpenTicket::new(&marked(incident, &crate::model::inert::clip(what, 200)), &body);
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
    let other = |severity: &crate::model::severity::Severity| *severity != incident.severity;
    set.remove_labels =
        crate::model::severity::Severity::ALL.into_iter().filter(other).map(severity_label).collect();
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
    let started = incident.known_start().map(stamp);
    line("Started", started.or_else(|| Some("unknown".to_owned())));
    line("Service", incident.service.clone());
    line("Incident lead", incident.commander().map(ToString::to_string));
    let impact = incident.impact.as_ref().and_then(|impact| impact.business);
    line("Impact", impact.map(|text| incident.texts.get(text).to_owned()));
    line("Next update", incident.obligation(ObligationKind::Update).map(|owed| stamp(owed.due)));
    line("Incident", Some(incident.id.to_string()));
    lines.extend(incident.links.iter().map(|link| format!("See: {link}")));
    lines.join("\n")
}

fn comment(incident: &Incident, record: &Record) -> String {
    format!("{}: {}", stamp(record.occurred_at), crate::views::timeline::describe(incident, record))
}

fn closing(incident: &Incident, record: &Record, runbook: &Runbook) -> String {
    let Fact::Resolved(resolved) = &record.fact else { return comment(incident, record) };
    let due = |kind| incident.obligation(kind).map(|owed| stamp(owed.due));
    let figures = [
        ("resolved_at", Some(stamp(record.occurred_at))),
        ("duration", Some(incident.lasted(record.occurred_at))),
        ("root_cause", Some(incident.texts.get(resolved.cause).to_owned())),
        ("due", due(ObligationKind::PostMortem)),
        ("meeting", due(ObligationKind::Meeting)),
    ];
    let figures: Figures = figures.into_iter().filter_map(|(gap, figure)| Some((gap, figure?))).collect();
    let mut comment = runbook.say("ticket_closed", &figures);
    if incident.obligation(ObligationKind::PostMortem).is_some() {
        comment = format!("{comment} {}", runbook.say("post_mortem_scheduled", &figures));
    }
    comment
}

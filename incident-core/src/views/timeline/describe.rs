//! One line for every kind of fact.

use super::log::{Correction, Log};
use super::words::{capital, clock, count, list, overriding, thing};
use crate::log::event::{
    ChecksRead, Corrected, Declared, Escalated, EvidenceItem, EvidenceKept, Fact, MitigationPlanned,
    MitigationProposed, NoticeIssued, PhaseEntered, Record, SignalsReceived, UpdatePosted,
};
use crate::model::colour::Colour;
use crate::model::id::Seq;
use crate::model::inert;
use crate::model::side::Side;
use crate::model::text::Text;
use crate::model::time::Time;

/// A record that is told, and what it says instead.
pub(super) struct Teller<'a> {
    pub(super) log: &'a Log<'a>,
    main: Option<Text>,
    correction: Correction,
    pub(super) now: Time,
}

impl Log<'_> {
    /// What `record` says, corrected as given, in one inert line.
    pub(super) fn describe(&self, record: &Record, correction: Correction) -> String {
        let main = main_text(&record.fact);
        let teller = Teller { log: self, main, correction, now: record.recorded_at };
        let what = match (main, correction.text) {
            // Nothing of it was in words, so the correction's words are all there is to say.
            (None, Some(text)) => teller.words(text).to_owned(),
            _ => teller.tell(record),
        };
        inert::line(&what)
    }

    pub(super) fn mitigation(&self, proposal: Seq) -> String {
        match self.incident.mitigations.get(&proposal) {
            Some(it) if it.undoes.is_some() => format!("take back “{}” ({proposal})", it.mitigation),
            Some(it) => format!("{} ({proposal})", it.mitigation),
            None => format!("mitigation {proposal}"),
        }
    }
}

/// The text that a correction's words replace.
fn main_text(fact: &Fact) -> Option<Text> {
    match fact {
        Fact::Declared(it) => Some(it.title),
        Fact::SignalsReceived(it) => Some(it.summary),
        Fact::SeveritySet(it) => Some(it.because),
        Fact::Noted(it) => Some(it.text),
        Fact::StepTicked(it) => it.skipped,
        Fact::Hypothesised(it) => Some(it.statement),
        Fact::HypothesisJudged(it) => Some(it.because),
        Fact::UpdatePosted(it) => Some(it.progress),
        Fact::PhaseEntered(it) => it.because,
        Fact::MitigationProposed(it) => Some(it.because),
        Fact::PlanApproved(it) => it.break_glass,
        Fact::MitigationRejected(it) => Some(it.because),
        Fact::MitigationExecuted(it) => it.because,
        Fact::MitigationVerified(it) => Some(it.detail),
        Fact::FixRecorded(it) => Some(it.what),
        Fact::CheckAttested(it) => Some(it.detail),
        Fact::Escalated(it) => it.because,
        Fact::Redacted(it) => Some(it.because),
        Fact::Resolved(it) => Some(it.cause),
        Fact::Reopened(it) => Some(it.because),
        Fact::Cancelled(it) => Some(it.because),
        Fact::Absorbed(it) => Some(it.because),
        Fact::CauseFound(it) => Some(it.statement),
        Fact::ReviewReturned(it) => Some(it.because),
        Fact::PostMortemPublished(it) => it.because,
        Fact::MeetingCancelled(it) => Some(it.because),
        Fact::ActionAdded(it) => Some(it.what),
        Fact::ActionCompleted(it) => Some(it.outcome),
        Fact::Closed(it) => it.because,
        _ => None,
    }
}

impl Teller<'_> {
    pub(super) fn words(&self, text: Text) -> &str {
        let corrected = self.correction.text.filter(|_| self.main == Some(text));
        self.log.incident.texts.get(corrected.unwrap_or(text))
    }

    /// `: because`, if there is a reason.
    pub(super) fn because(&self, text: Option<Text>) -> String {
        text.map_or_else(String::new, |text| format!(": {}", self.words(text)))
    }

    #[allow(clippy::too_many_lines, reason = "one arm a fact: the table is the point")]
    fn tell(&self, record: &Record) -> String {
        let (log, now) = (self.log, self.now);
        match &record.fact {
            Fact::Declared(it) => self.declared(it),
            Fact::SignalsReceived(it) => self.signals(it),
            Fact::Acknowledged(it) => match &it.person {
                Some(person) => format!("{person} acknowledged the incident"),
                None => format!("{} acknowledged the incident", record.actor),
            },
            Fact::Triaged(it) => {
                let answers =
                    it.path.answers.iter().map(|(question, answer)| format!("{question}: {answer}"));
                format!("Triage found {} ({})", it.path.severity, list(answers))
            }
            Fact::SeveritySet(it) if it.from == it.to => {
                format!("{} confirmed: {}", it.to, self.words(it.because))
            }
            Fact::SeveritySet(it) => format!("{} → {}: {}", it.from, it.to, self.words(it.because)),
            Fact::ImpactAssessed(it) => match it.impact.say(&log.incident.texts) {
                known if known.is_empty() => "Impact: nothing is known yet".to_owned(),
                known => format!("Impact: {}", known.join("; ")),
            },
            Fact::RoleAssigned(it) => match &it.from {
                Some(from) => format!("{} handed over from {from} to {}", it.role, it.to),
                None => format!("{} is {}", it.to, it.role),
            },
            Fact::Noted(it) => self.words(it.text).to_owned(),
            Fact::StepTicked(it) => match it.skipped {
                Some(why) => format!("Step {} skipped: {}", it.step, self.words(why)),
                None => format!("Step {} done", it.step),
            },
            Fact::Hypothesised(it) => {
                let class = it.class.map_or_else(String::new, |class| format!(" ({class})"));
                format!("Hypothesis{class}: {}", self.words(it.statement))
            }
            Fact::HypothesisJudged(it) => {
                let verdict = if it.confirmed { "is the cause" } else { "is not the cause" };
                let hypothesis = it.hypothesis;
                let statement = log.incident.hypotheses.get(&hypothesis);
                let statement = statement
                    .map_or_else(String::new, |it| format!(" “{}”", log.words(hypothesis, it.statement)));
                format!("Hypothesis {hypothesis}{statement} {verdict}: {}", self.words(it.because))
            }
            Fact::UpdatePosted(it) => self.update(it),
            Fact::PhaseEntered(it) => self.phase(it),
            Fact::MitigationProposed(it) => self.proposed(record.seq, it),
            Fact::MitigationPlanned(it) => self.planned(it),
            Fact::PlanApproved(it) => {
                let (person, digest) = (&it.person, it.digest.short());
                let alone = if it.break_glass.is_some() { " alone, in an emergency" } else { "" };
                let what = log.mitigation(it.proposal);
                format!("{person} approved plan {digest}{alone}: {what}{}", self.because(it.break_glass))
            }
            Fact::ApprovalWithdrawn(it) => {
                format!("{} withdrew the approval: {}", it.person, log.mitigation(it.proposal))
            }
            Fact::MitigationRejected(it) => {
                format!("Rejected: {} – {}", log.mitigation(it.proposal), self.words(it.because))
            }
            Fact::ExecutionOrdered(it) => {
                format!("Ordered on {}: {}", it.target, log.mitigation(it.proposal))
            }
            Fact::MitigationExecuted(it) => {
                format!("Carried out: {}{}", log.mitigation(it.proposal), self.because(it.because))
            }
            Fact::MitigationVerified(it) => {
                let verdict = if it.holds { "Holds" } else { "Failed" };
                format!("{verdict}: {} – {}", log.mitigation(it.proposal), self.words(it.detail))
            }
            Fact::FixRecorded(it) => format!("Permanent fix, {}: {}", it.step, self.words(it.what)),
            Fact::ChecksRead(it) => checks(it),
            Fact::CheckAttested(it) => {
                format!("{} vouches that {} is {}: {}", it.person, it.check, it.colour, self.words(it.detail))
            }
            Fact::Escalated(it) => self.escalated(it),
            Fact::EvidenceKept(it) => evidence(it),
            Fact::Corrected(it) => self.corrected(it),
            Fact::Redacted(it) => format!("Words taken out of {}: {}", it.record, self.words(it.because)),
            Fact::Resolved(it) => format!("Resolved: {}", self.words(it.cause)),
            Fact::Reopened(it) => format!("Reopened: {}", self.words(it.because)),
            Fact::Cancelled(it) => format!("Cancelled as a false alarm: {}", self.words(it.because)),
            Fact::Absorbed(it) => {
                format!("Incident {} became part of this one: {}", it.other, self.words(it.because))
            }
            Fact::Merged(it) => format!("Became part of incident {}", it.into),
            Fact::Linked(it) => format!("Linked: {} incident {}", it.relation, it.other),
            Fact::PostMortemAssigned(_)
            | Fact::SectionWritten(_)
            | Fact::CauseFound(_)
            | Fact::EvidenceLinked(_)
            | Fact::ReviewRequested(_)
            | Fact::ReviewReturned(_)
            | Fact::PostMortemPublished(_)
            | Fact::DocumentationDecided(_)
            | Fact::MeetingScheduled(_)
            | Fact::MeetingCancelled(_)
            | Fact::MeetingHeld(_)
            | Fact::ActionAdded(_)
            | Fact::ActionAssigned(_)
            | Fact::ActionCompleted(_)
            | Fact::ActionTicketSeen(_) => self.afterwards(record),
            Fact::Closed(it) => {
                format!("Closed{}{}", overriding(&it.overridden), self.because(it.because))
            }
            Fact::Replanned(it) => format!("Took over the runbook {} that is in force", it.runbook.short()),
            Fact::ObligationOpened(it) => {
                format!("{} is due {}", capital(&thing(Some(it.kind))), clock(it.due, now))
            }
            Fact::ObligationMet(it) => format!("{} given with {}", self.owed(it.obligation), it.by),
            Fact::ObligationMoved(it) => {
                format!(
                    "{} is due {} now, since {}",
                    self.owed(it.obligation),
                    clock(it.due, now),
                    it.because
                )
            }
            Fact::ObligationDropped(it) => {
                format!("{} is no longer owed, since {}", self.owed(it.obligation), it.because)
            }
            Fact::ObligationReminded(it) => format!("{} is due soon: reminded", self.owed(it.obligation)),
            Fact::ObligationBreached(it) => {
                let next =
                    it.next_due.map_or_else(String::new, |due| format!(", next due {}", clock(due, now)));
                let (owed, due) = (self.owed(it.obligation), clock(record.occurred_at, now));
                format!("{owed} was due {due}, {} missed{next}", it.missed)
            }
            Fact::NoticeIssued(it) => self.notice(it),
            Fact::AudienceUnreached(it) => {
                format!("No route for audience \"{}\" (notice {})", it.audience, it.notice)
            }
            Fact::EffectPlanned(it) => log.planned(it, now),
            Fact::EffectStarted(it) => log.started(it),
            Fact::EffectFailed(it) => log.failed(it, now),
            Fact::EffectUnclear(it) => log.unclear(it, now),
            Fact::EffectSettled(it) => log.settled(it),
            Fact::TicketAdopted(it) => match &it.instead_of {
                None => format!("The incident's ticket is {}", it.ticket),
                Some(old) => format!("The ticket {old} was moved and is now {}", it.ticket),
            },
            Fact::Reviewed(it) => format!("Nothing happened for a day; {} still owed", it.owed),
        }
    }

    fn owed(&self, obligation: Seq) -> String {
        capital(&thing(self.log.obligation(obligation)))
    }

    fn declared(&self, it: &Declared) -> String {
        let drill = if it.side == Side::Drill { "drill, " } else { "" };
        let assumed = if it.severity_assigned { "" } else { ", assumed" };
        let service = it.service.as_ref().map_or_else(String::new, |service| format!(", {service}"));
        let began = match self.correction.occurred_at.or(it.start_known.then_some(it.started_at)) {
            Some(time) => format!("began {}", clock(time, self.now)),
            None => "start not known yet".to_owned(),
        };
        let (severity, title, by) = (it.severity, self.words(it.title), it.detected_by);
        format!("Declared ({drill}{severity}{assumed}{service}): {title} – {by}, {began}")
    }

    fn signals(&self, it: &SignalsReceived) -> String {
        let part =
            |alerts: usize, verb: &str| (alerts > 0).then(|| format!("{} {verb}", count(alerts, "alert")));
        let parts = [
            part(it.firing.len(), "firing"),
            part(it.resolved.len(), "resolved"),
            part(it.stale.len(), "ignored as stale: it was over before"),
        ];
        let groups = match it.groups.len() {
            0 => String::new(),
            groups => format!(" of {}", count(groups, "more group")),
        };
        let noted = it.noted.map_or_else(String::new, |noted| format!(" (note: {})", self.words(noted)));
        format!("{}{groups}: {}{noted}", list(parts.into_iter().flatten()), self.words(it.summary))
    }

    fn update(&self, it: &UpdatePosted) -> String {
        let next = it.next_steps.map_or_else(String::new, |next| format!("; next: {}", self.words(next)));
        let eta = it.eta.map_or_else(String::new, |eta| format!("; ETA: {}", self.words(eta)));
        let public = it.public.map_or_else(String::new, |it| format!("; public message: {}", self.words(it)));
        format!("Update: {}{next}{eta}{public}", self.words(it.progress))
    }

    fn phase(&self, it: &PhaseEntered) -> String {
        let back = if it.to < it.from { "Back: " } else { "" };
        let overridden = overriding(&it.overridden);
        format!("{back}{} → {}{overridden}{}", it.from, it.to, self.because(it.because))
    }

    fn proposed(&self, seq: Seq, it: &MitigationProposed) -> String {
        let what = it.undoes.map_or_else(
            || it.mitigation.to_string(),
            |undone| format!("take back {}", self.log.mitigation(undone)),
        );
        format!("Proposed {seq} with {}: {what} – {}", it.system, self.words(it.because))
    }

    fn planned(&self, it: &MitigationPlanned) -> String {
        let (what, digest) = (self.log.mitigation(it.proposal), it.digest.short());
        let (until, persons) = (clock(it.expires_at, self.now), it.rule.persons);
        format!("Plan {digest} made, good until {until}, approvals needed: {persons}: {what}")
    }

    fn escalated(&self, it: &Escalated) -> String {
        let persons = if it.persons.is_empty() { String::new() } else { format!(" ({})", list(&it.persons)) };
        let step = u64::from(it.step) + 1;
        let skipped = if it.skipped.is_empty() {
            String::new()
        } else {
            format!("; skipped {}: not reachable", list(&it.skipped))
        };
        let (to, because) = (&it.audience, self.because(it.because));
        format!("Escalated to {to}, step {step}{persons}{skipped}{because}")
    }

    fn corrected(&self, it: &Corrected) -> String {
        let text = it.text.map_or_else(String::new, |text| format!(" to “{}”", self.words(text)));
        let time = it.occurred_at.map_or_else(String::new, |time| format!(", at {}", clock(time, self.now)));
        format!("{} corrected{text}{time}: {}", it.record, self.words(it.because))
    }

    fn notice(&self, it: &NoticeIssued) -> String {
        let to =
            if it.recipients.is_empty() { String::new() } else { format!(" to {}", list(&it.recipients)) };
        let fixed = it.fixed.iter().map(|line| format!("{}: {}", line.label, line.text));
        let said = it.lines.iter().map(|line| format!("{}: {}", line.label, self.words(line.text)));
        let lines: Vec<_> = fixed.chain(said).collect();
        let (status, lines) = (it.status, lines.join("; "));
        let says = if lines.is_empty() { String::new() } else { format!(" – {lines}") };
        format!("Notice ({}){to}: {}, {status}{says}", it.kind, it.severity)
    }
}

fn checks(it: &ChecksRead) -> String {
    let (green, others): (Vec<_>, Vec<_>) =
        it.readings.iter().partition(|(_, reading)| reading.colour == Colour::Green);
    if others.is_empty() {
        return format!("Checks: all {} green", green.len());
    }
    let others =
        others.into_iter().map(|(name, reading)| format!("{name} {} ({})", reading.colour, reading.detail));
    format!("Checks: {}; {} green", list(others), green.len())
}

fn evidence(it: &EvidenceKept) -> String {
    let unredacted = |item: &EvidenceItem| if item.unredacted { ", not redacted" } else { "" };
    let items =
        it.items.iter().map(|item| format!("{} ({} bytes{})", item.name, item.bytes, unredacted(item)));
    format!("Evidence kept from {}: {}", it.collector, list(items))
}

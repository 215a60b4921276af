//! The one way to a new record: judge whether the command may happen, then owe what its facts oblige to.

use std::collections::BTreeMap;

use crate::log::event::{Fact, Record};
use crate::log::fold::evolve;
use crate::log::incident::Incident;
use crate::model::effect::Effect;
use crate::model::id::{Digest, IncidentId, Seq};
use crate::model::inert;
use crate::model::phase::Phase;
use crate::model::role::{Actor, Identity, PersonId};
use crate::model::route::Routes;
use crate::model::side::Side;
use crate::model::text::{LONGEST_LINK, LONGEST_NAME, LONGEST_TEXT};
use crate::model::text::{Slot, Text};
use crate::model::time::{SKEW, Time, after, before};
use crate::rules::command::{CommandKind, Refusal, Request};
use crate::rules::context::{Context, OtherIncident};
use crate::rules::{consequences, handlers};
use crate::runbook::Reserved;

/// What a command leads to.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Decision {
    /// The records to commit, in order; none if the command was carried out before or changes nothing.
    pub records: Vec<Record>,
    /// The state after them.
    pub after: Incident,
    /// The slots to empty: the record and the slot's place in it.
    pub redact: Vec<(Seq, u32)>,
}

/// Decides what `request` leads to.
///
/// Pure: the same incident, request and context lead to the same decision. Every command, timer and outcome passes here,
/// and what its facts oblige to – notices, tickets, deadlines, effects – is added in one place, so none can be forgotten.
///
/// # Errors
/// [`Refusal`] says why the runbook says no; nothing is to be recorded then.
pub fn decide(incident: &Incident, request: &Request, cx: &Context<'_>) -> Result<Decision, Refusal> {
    let mut draft = judged(incident, request, cx)?;
    consequences::follow(&mut draft);
    Ok(draft.into_decision())
}

/// Like [`decide`], for an incident that is over before it is written down: it obliges to nothing, for what was owed was
/// owed elsewhere.
///
/// Nobody is told, no ticket is opened and no deadline runs. Each request says when it happened
/// ([`Request::occurred_at`]); when it was recorded is now.
///
/// # Errors
/// As [`decide`].
pub fn recount(incident: &Incident, request: &Request, cx: &Context<'_>) -> Result<Decision, Refusal> {
    // What is told of afterwards isn't read from a clock that may be ahead: a time to come is a mistake.
    request.occurred_at.map(|time| past("occurred_at", time, cx.now)).transpose()?;
    Ok(judged(incident, request, cx)?.into_decision())
}

/// Whether a command is possible in a phase at all: the table that the documentation prints.
#[must_use]
pub fn permitted(command: CommandKind, phase: Phase, ended: bool) -> bool {
    use CommandKind as K;
    let active = !ended && phase < Phase::PostIncident;
    let after = !ended && phase == Phase::PostIncident;
    match command {
        K::Declare => false,
        K::Wake
        | K::Start
        | K::Conclude
        | K::Signals
        | K::Gather
        | K::Note
        | K::Correct
        | K::Redact
        | K::Link => true,
        K::AddAction | K::CompleteAction | K::RecordFix | K::SettleMitigation => true,
        K::AdoptTicket | K::MoveTicket => true,
        K::Acknowledge | K::Triage | K::SetSeverity | K::PostUpdate | K::Propose | K::Escalate => active,
        K::Advance | K::Resolve | K::Cancel => active,
        K::StepBack => active && phase > Phase::Detection,
        K::AssessImpact | K::Assign | K::TickStep | K::Hypothesise | K::JudgeHypothesis => !ended,
        K::Undo | K::Approve | K::WithdrawApproval | K::Reject | K::Execute => !ended,
        K::Look | K::Attest | K::Absorb | K::MergeInto | K::Replan => !ended,
        K::AssignPostMortem | K::WriteSection | K::FindCause | K::LinkEvidence => !ended,
        K::AssignAction | K::DecideDocumentation => true,
        K::Reopen | K::PublishPostMortem | K::HoldMeeting | K::Close => after,
        K::RequestReview | K::ReturnReview | K::ScheduleMeeting | K::CancelMeeting => after,
    }
}

/// The facts that record `request`; none if it was carried out before.
fn judged<'a>(incident: &Incident, request: &'a Request, cx: &'a Context<'_>) -> Result<Draft<'a>, Refusal> {
    let mut draft = Draft::new(incident, request, cx)?;
    if incident.commands.contains_key(&request.id) && request.actor != Actor::Engine {
        return Ok(draft);
    }
    let kind = request.command.kind();
    if is_the_engines(kind) && request.actor != Actor::Engine {
        let problem = format!("{kind} is the engine's own; expected a command of a person or of an alert");
        return Err(Refusal::Invalid { field: "actor", problem });
    }
    if !incident.exists() && kind != CommandKind::Declare {
        return Err(Refusal::NoIncident);
    }
    if incident.exists()
        && kind != CommandKind::Declare
        && !permitted(kind, incident.phase, incident.ended.is_some())
    {
        let ended = incident.ended.is_some();
        return Err(Refusal::NotNow { command: kind, phase: incident.phase, ended });
    }
    handlers::handle(&mut draft, &request.command)?;
    Ok(draft)
}

/// Whether only the engine may submit a command: the results of its timers, probes and calls, and the second half of a merge.
fn is_the_engines(command: CommandKind) -> bool {
    use CommandKind::{Conclude, Look, MergeInto, Start, Wake};
    matches!(command, Wake | Look | Start | Conclude | MergeInto)
}

/// How far back something may be said to have happened.
const LONG_AGO: std::time::Duration = std::time::Duration::from_secs(10 * 366 * 86_400);

/// A decision in the making: the facts so far and the state after them.
pub(crate) struct Draft<'a> {
    pub(crate) cx: &'a Context<'a>,
    pub(crate) request: &'a Request,
    pub(crate) state: Incident,
    pub(crate) records: Vec<Record>,
    pub(crate) redact: Vec<(Seq, u32)>,
    /// The effects that this decision ended, as they were.
    pub(crate) ended: BTreeMap<Seq, Effect>,
    occurred_at: Time,
    slots: Vec<Slot>,
    salts: u64,
}

impl<'a> Draft<'a> {
    fn new(incident: &Incident, request: &'a Request, cx: &'a Context<'a>) -> Result<Self, Refusal> {
        match &request.actor {
            Actor::Human(identity) => bounded("actor", identity.as_str())?,
            Actor::Automation(name) => bounded("actor", name)?,
            Actor::Engine => {}
        }
        // Every record of the command repeats where it came from.
        bounded("origin", &request.origin.source)?;
        bounded("origin", request.origin.link.as_deref().unwrap_or_default())?;
        let occurred_at = match request.occurred_at {
            Some(time) => past("occurred_at", time.min(cx.now), cx.now)?,
            None => cx.now,
        };
        Ok(Self {
            cx,
            request,
            state: incident.clone(),
            records: Vec::new(),
            redact: Vec::new(),
            ended: BTreeMap::new(),
            occurred_at,
            slots: Vec::new(),
            salts: 0,
        })
    }

    /// When the command happened, UTC.
    pub(crate) fn occurred_at(&self) -> Time {
        self.occurred_at
    }

    /// Adds a fact, by the request's actor, at the request's time.
    pub(crate) fn fact(&mut self, fact: impl Into<Fact>) -> Seq {
        self.record(self.request.actor.clone(), self.occurred_at, fact.into())
    }

    /// Adds a fact that follows from others, by the engine, at `occurred_at`.
    pub(crate) fn follows(&mut self, occurred_at: Time, fact: impl Into<Fact>) -> Seq {
        self.record(Actor::Engine, occurred_at, fact.into())
    }

    fn record(&mut self, actor: Actor, occurred_at: Time, fact: Fact) -> Seq {
        let record = Record {
            seq: self.state.version.next(),
            occurred_at,
            recorded_at: self.cx.now,
            actor,
            origin: self.request.origin.clone(),
            command: self.request.id,
            fact,
            slots: std::mem::take(&mut self.slots),
        };
        if let Fact::EffectSettled(settled) = &record.fact
            && let Some(effect) = self.state.effects.get(&settled.effect)
        {
            self.ended.insert(settled.effect, effect.clone());
        }
        evolve(&mut self.state, &record);
        self.records.push(record);
        self.state.version
    }

    /// Puts words into a slot of the fact that is added next.
    pub(crate) fn text(&mut self, words: &str) -> Text {
        let salt = Digest::of(&[
            &self.cx.entropy,
            self.request.id.to_string().as_bytes(),
            &self.salts.to_be_bytes(),
        ]);
        self.salts += 1;
        let mut bytes = [0; 16];
        bytes.copy_from_slice(&salt.0[..16]);
        let slot = Slot::new(bytes, words);
        let text = slot.text();
        self.slots.push(slot);
        text
    }

    /// Checks words that somebody gave and puts them into a slot.
    pub(crate) fn words(&mut self, field: &'static str, words: &str) -> Result<Text, Refusal> {
        let words = given(field, words, LONGEST_TEXT)?;
        Ok(self.text(words))
    }

    /// Like [`words`](Self::words), for words that needn't be given.
    pub(crate) fn maybe_words(
        &mut self,
        field: &'static str,
        words: Option<&String>,
    ) -> Result<Option<Text>, Refusal> {
        words.map(|words| self.words(field, words)).transpose()
    }

    /// The person of the runbook that acts.
    pub(crate) fn person(&self) -> Option<PersonId> {
        match &self.request.actor {
            Actor::Human(identity) => self.cx.runbook.person_of(identity).cloned(),
            _ => None,
        }
    }

    /// The person of the runbook that acts, or a refusal.
    pub(crate) fn needs_person(&self) -> Result<PersonId, Refusal> {
        self.person().ok_or_else(|| Refusal::NotAPerson { actor: self.request.actor.clone() })
    }

    /// Refuses a decision that is reserved for people if an automation asks for it and the runbook doesn't name it.
    pub(crate) fn may_decide(&self, decision: Reserved) -> Result<(), Refusal> {
        match &self.request.actor {
            Actor::Automation(name) if !self.cx.runbook.lets_automation(name, decision) => {
                Err(Refusal::NotByAutomation { automation: shown(name), decision })
            }
            _ => Ok(()),
        }
    }

    /// The incident `id` that the command names, if it exists on `side`.
    pub(crate) fn other(
        &self,
        field: &'static str,
        id: IncidentId,
        side: Side,
    ) -> Result<OtherIncident, Refusal> {
        let other = self.cx.others.iter().find(|other| other.id == id);
        let other = other.ok_or_else(|| Refusal::NotFound { what: "incident", name: id.to_string() })?;
        if other.side == side {
            return Ok(*other);
        }
        let problem = match side {
            Side::Live => "it is a drill and this incident is live; expected a live incident",
            Side::Drill => "it is live and this incident is a drill; expected a drill",
        };
        Err(Refusal::Invalid { field, problem: problem.to_owned() })
    }

    /// Whether the request is of this very account.
    pub(crate) fn is_asked_by(&self, account: &Identity) -> bool {
        matches!(&self.request.actor, Actor::Human(actor) if actor == account)
    }

    /// What this incident can reach.
    pub(crate) fn routes(&self) -> &'a Routes {
        self.cx.routes(self.state.side)
    }

    fn into_decision(self) -> Decision {
        Decision { records: self.records, after: self.state, redact: self.redact }
    }
}

/// Words that somebody gave, without white space around them: not empty, not too long.
pub(crate) fn given<'t>(field: &'static str, words: &'t str, longest: usize) -> Result<&'t str, Refusal> {
    let words = words.trim();
    if words.is_empty() || words.len() > longest {
        let problem = format!("it has {} bytes; expected 1 to {longest}", words.len());
        return Err(Refusal::Invalid { field, problem });
    }
    Ok(words)
}

/// A name: like [`given`], and without control characters.
pub(crate) fn name(field: &'static str, words: &str) -> Result<String, Refusal> {
    let words = given(field, words, LONGEST_NAME)?;
    bounded(field, words)?;
    Ok(words.to_owned())
}

/// A link: like [`name`], but longer.
pub(crate) fn link(field: &'static str, words: &str) -> Result<String, Refusal> {
    let words = given(field, words, LONGEST_LINK)?;
    no_longer_than(field, words, LONGEST_LINK)?;
    Ok(words.to_owned())
}

/// A name that may be empty.
pub(crate) fn bounded(field: &'static str, words: &str) -> Result<(), Refusal> {
    no_longer_than(field, words, LONGEST_NAME)
}

fn no_longer_than(field: &'static str, words: &str, longest: usize) -> Result<(), Refusal> {
    let problem = if words.len() > longest {
        format!("it has {} bytes; expected at most {longest}", words.len())
    } else if words.chars().any(char::is_control) {
        "it has control characters; expected none".to_owned()
    } else {
        return Ok(());
    };
    Err(Refusal::Invalid { field, problem })
}

/// A name that isn't known, as a refusal may show it.
pub(crate) fn shown(name: &str) -> String {
    inert::clip(&inert::line(name), 64)
}

/// A time that is said to have been.
pub(crate) fn past(field: &'static str, time: Time, now: Time) -> Result<Time, Refusal> {
    if time > after(now, SKEW) {
        return Err(Refusal::Invalid {
            field,
            problem: "it is in the future; expected a time up to now".to_owned(),
        });
    }
    if time < before(now, LONG_AGO) {
        let problem = "it is more than ten years ago; expected a later time".to_owned();
        return Err(Refusal::Invalid { field, problem });
    }
    Ok(crate::model::time::to_millis(time.min(now)))
}

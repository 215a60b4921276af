//! The state of one incident, folded from its records.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::log::check::Checks;
use crate::log::event::{FixStep, NoticeIssued, Relation};
use crate::log::firing::{Firing, News};
use crate::log::mitigation::{MitigationState, Stage};
use crate::log::storm::Storm;
use crate::model::afterwards::{ActionKind, Document, Proof};
use crate::model::append_map::AppendMap;
use crate::model::cause::CauseClass;
use crate::model::cow_map::CowMap;
use crate::model::effect::{Effect, EffectState, Receipt, Work};
use crate::model::id::{CommandId, Digest, IncidentId, Seq};
use crate::model::impact::Impact;
use crate::model::obligation::{Obligation, ObligationKind};
use crate::model::phase::Phase;
use crate::model::role::{PersonId, Role};
use crate::model::severity::{Audience, Severity};
use crate::model::side::Side;
use crate::model::signal::{Detection, Fingerprints, Signal};
use crate::model::text::{Text, Texts};
use crate::model::ticket::{TicketRef, TicketSeen};
use crate::model::time::{Time, is_ahead, since, spoken};
use crate::runbook::Priority;
use crate::runbook::pinned::{Figures, SHORTEST_RHYTHM};
use crate::runbook::triage::TriagePath;

/// One incident. Read its fields; only its records change it.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Incident {
    /// The incident.
    pub id: IncidentId,
    /// The sequence of the last record; 0 if the incident doesn't exist.
    pub version: Seq,
    /// When that one was recorded, UTC.
    pub recorded_at: Time,
    /// Live or drill.
    pub side: Side,
    /// What it is called.
    pub title: Text,
    /// The service that is affected.
    pub service: Option<String>,
    /// How bad it is.
    pub severity: Severity,
    /// Whether that was decided, not assumed.
    pub severity_assigned: bool,
    /// How that was found, if by the tree.
    pub triage: Option<TriagePath>,
    /// Where the response stands.
    pub phase: Phase,
    /// When it came there, UTC.
    pub phase_entered_at: Time,
    /// How it ended, if it did.
    pub ended: Option<Ending>,
    /// How it was noticed.
    pub detected_by: Detection,
    /// When what happened.
    pub milestones: Milestones,
    /// Whether the start is known, not assumed.
    pub start_known: bool,
    /// The digest of the runbook in force.
    pub runbook: Digest,
    /// The runbook's figures in force.
    pub figures: Arc<Figures>,
    /// What it does to whom.
    pub impact: Option<Impact>,
    /// Who has which role.
    pub roles: BTreeMap<Role, PersonId>,
    /// Every person who took part.
    pub responders: BTreeSet<PersonId>,
    /// The steps that are done or skipped.
    pub steps: BTreeSet<String>,
    /// The possible causes, by the record that wrote them down.
    pub hypotheses: CowMap<Seq, Hypothesis>,
    /// The mitigations, by the record that proposed them.
    pub mitigations: CowMap<Seq, MitigationState>,
    /// The steps of the permanent fix that are done.
    pub fix: BTreeSet<FixStep>,
    /// The recovery checks.
    pub checks: Checks,
    /// What makes alerts part of this incident.
    pub signal_group: Option<String>,
    /// The name under which it may be declared only once; it is held for ever.
    pub once: Option<String>,
    /// The alerts that fire.
    pub firing: Firing,
    /// The storm whose alerts it gathers, if it does.
    pub storm: Option<Arc<Storm>>,
    /// What is owed by people and open, by the record that opened it.
    pub obligations: CowMap<Seq, Obligation>,
    /// Which step of the escalation chain is paged next.
    pub escalate_step: u32,
    /// What is owed by the engine and not settled, by the record that planned it.
    pub effects: CowMap<Seq, Effect>,
    /// The first and the latest receipt of each lane.
    pub lanes: CowMap<String, Vec<Receipt>>,
    /// The notices that effects still have to carry, by the record that issued them.
    pub notices: CowMap<Seq, IssuedNotice>,
    /// The audiences that a notice was requested for.
    pub notified: BTreeSet<Audience>,
    /// The audiences that no route reached when they should have heard something.
    pub unreached: BTreeSet<Audience>,
    /// The audiences that a notice was delivered to.
    pub reached: BTreeSet<Audience>,
    /// Whether a page was delivered to an audience that may respond.
    pub paged: bool,
    /// The incident's ticket.
    pub ticket: Option<TicketRef>,
    /// Links to look at: the ticket's, the alert's, the post-mortem's.
    pub links: BTreeSet<String>,
    /// What is to be done afterwards, by the record that added it.
    pub actions: CowMap<Seq, Action>,
    /// The incidents that belong with this one.
    pub related: BTreeMap<IncidentId, Relation>,
    /// The incidents that are part of this one.
    pub absorbed: BTreeSet<IncidentId>,
    /// Whether the post-mortem is published.
    pub post_mortem_published: bool,
    /// What people made of the post-mortem so far.
    pub document: Document,
    /// What evidence was kept, and the record that says so first.
    pub evidence: BTreeMap<Digest, Seq>,
    /// The commands that were carried out, so that none is repeated.
    pub commands: AppendMap<CommandId, Seq>,
    /// The words.
    pub texts: Texts,
}

/// How an incident ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Ending {
    /// Everything was decided; follow-ups may still be owed.
    Closed,
    /// It was a false alarm.
    Cancelled,
    /// It became part of another one.
    Merged(IncidentId),
}

/// When what happened, UTC.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Milestones {
    /// It began.
    pub started: Option<Time>,
    /// It was noticed.
    pub detected: Option<Time>,
    /// It was declared.
    pub declared: Option<Time>,
    /// Somebody was on it.
    pub acknowledged: Option<Time>,
    /// A mitigation or fix was in and held.
    pub mitigated: Option<Time>,
    /// The checks turned green for good.
    pub recovered: Option<Time>,
    /// It was over.
    pub resolved: Option<Time>,
    /// Nothing was left to decide.
    pub closed: Option<Time>,
}

/// A possible cause.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Hypothesis {
    /// What may have happened.
    pub statement: Text,
    /// Which class of cause it is.
    pub class: Option<CauseClass>,
    /// Whether it turned out right; none while open.
    pub confirmed: Option<bool>,
    /// What shows it.
    pub proof: Proof,
}

/// A notice that effects still have to carry.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct IssuedNotice {
    /// What it says.
    pub notice: NoticeIssued,
    /// When it was issued, UTC.
    pub at: Time,
    /// Whether one of several routes has delivered it.
    pub delivered: bool,
}

/// Something to do afterwards.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Action {
    /// What.
    pub what: Text,
    /// What it is good for.
    pub kind: Option<ActionKind>,
    /// How urgent.
    pub priority: Priority,
    /// Whose.
    pub owner: Option<PersonId>,
    /// When it was added, UTC.
    pub added_at: Time,
    /// By when, UTC.
    pub due: Time,
    /// Its ticket.
    pub ticket: Option<TicketRef>,
    /// What its ticket showed last, if that wasn't what we wrote.
    pub seen: Option<TicketSeen>,
    /// Whether it is done.
    pub done: bool,
    /// When that became known, UTC.
    pub done_at: Option<Time>,
}

impl Incident {
    /// The time at `now` as this incident counts it: not before its last record, unless that one was dated by a clock that
    /// was beyond doubt ahead.
    #[must_use]
    pub fn present(&self, now: Time) -> Time {
        if is_ahead(self.recorded_at, now) { now } else { now.max(self.recorded_at) }
    }

    /// The incident `id` before its first record.
    #[must_use]
    pub fn blank(id: IncidentId) -> Self {
        Self {
            id,
            version: Seq::ZERO,
            recorded_at: Time::UNIX_EPOCH,
            side: Side::Live,
            title: Text::default(),
            service: None,
            severity: Severity::Sev1,
            severity_assigned: false,
            triage: None,
            phase: Phase::Detection,
            phase_entered_at: Time::UNIX_EPOCH,
            ended: None,
            detected_by: Detection::TeamObservation,
            milestones: Milestones::default(),
            start_known: false,
            runbook: Digest::default(),
            figures: Arc::default(),
            impact: None,
            roles: BTreeMap::new(),
            responders: BTreeSet::new(),
            steps: BTreeSet::new(),
            hypotheses: CowMap::default(),
            mitigations: CowMap::default(),
            fix: BTreeSet::new(),
            checks: Checks::default(),
            signal_group: None,
            once: None,
            firing: Firing::default(),
            storm: None,
            obligations: CowMap::default(),
            escalate_step: 0,
            effects: CowMap::default(),
            lanes: CowMap::default(),
            notices: CowMap::default(),
            notified: BTreeSet::new(),
            unreached: BTreeSet::new(),
            reached: BTreeSet::new(),
            paged: false,
            ticket: None,
            links: BTreeSet::new(),
            actions: CowMap::default(),
            related: BTreeMap::new(),
            absorbed: BTreeSet::new(),
            post_mortem_published: false,
            document: Document::default(),
            evidence: BTreeMap::new(),
            commands: AppendMap::default(),
            texts: Texts::default(),
        }
    }

    /// Whether it was declared.
    #[must_use]
    pub fn exists(&self) -> bool {
        self.version > Seq::ZERO
    }

    /// Whether an alert of `group` fires for an occurrence that this incident saw end.
    #[must_use]
    pub fn saw_end(&self, group: &str, alert: &Signal) -> bool {
        let identity = alert.identity();
        let known = match self.storm {
            Some(_) => Fingerprints::in_group(group, &identity),
            None => Fingerprints::of(&identity),
        };
        self.firing.news(known, alert) == News::Stale
    }

    /// When it started, UTC; none while the start is unknown.
    #[must_use]
    pub fn known_start(&self) -> Option<Time> {
        self.milestones.started.filter(|_| self.start_known)
    }

    /// How long it lasted until `end`, in words; a lower bound while the start is unknown.
    pub(crate) fn lasted(&self, end: Time) -> String {
        let lasted = spoken(since(end, self.milestones.started.unwrap_or(end)));
        if self.start_known { lasted } else { format!("at least {lasted}") }
    }

    /// Whether responders are at work: declared, not resolved, not ended.
    #[must_use]
    pub fn is_active(&self) -> bool {
        self.exists() && self.ended.is_none() && self.phase < Phase::PostIncident
    }

    /// Whether it is live, active and unacknowledged, and no notice has reached anyone inside the organisation, nor is one
    /// under way. Where the severity `pages`, only a page counts.
    #[must_use]
    pub fn has_reached_nobody(&self, pages: bool) -> bool {
        let is_under_way = |effect: &Effect| match &effect.work {
            Work::Notify(it) => {
                (it.kind.is_page() || !pages) && it.audiences.iter().any(Audience::may_respond)
            }
            _ => false,
        };
        let is_waiting = self.is_active() && self.milestones.acknowledged.is_none();
        let is_told = if pages { self.paged } else { self.reached.iter().any(Audience::may_respond) };
        self.side == Side::Live && is_waiting && !is_told && !self.effects.values().any(is_under_way)
    }

    /// Whether nothing is owed any more, by people or by the engine.
    #[must_use]
    pub fn is_settled(&self) -> bool {
        self.obligations.is_empty() && self.effects.is_empty() && self.next_look().is_none()
    }

    /// Whether the engine has nothing to do at `now`: what it still owes begins later.
    ///
    /// A program that plays one incident and ends waits for this, not for [`is_settled`](Self::is_settled), for action
    /// items outlive the incident by weeks.
    #[must_use]
    pub fn is_idle(&self, now: Time) -> bool {
        self.effects.values().all(|effect| matches!(effect.state, EffectState::Ready(from) if from > now))
    }

    /// What it is called, in words.
    #[must_use]
    pub fn title_words(&self) -> &str {
        self.texts.get(self.title)
    }

    /// Who leads.
    #[must_use]
    pub fn commander(&self) -> Option<&PersonId> {
        self.roles.get(&Role::Commander)
    }

    /// Where the incident is discussed on this route: the latest receipt there that names a conversation.
    #[must_use]
    pub fn conversation_on(&self, route: &str) -> Option<&Receipt> {
        let receipts = self.lanes.get(&notice_lane(route))?;
        receipts.iter().rev().find(|receipt| receipt.conversation.is_some())
    }

    /// The open obligation of `kind`.
    #[must_use]
    pub fn obligation(&self, kind: ObligationKind) -> Option<&Obligation> {
        self.obligations.values().find(|it| it.kind == kind)
    }

    /// When probes look next, UTC; none if they needn't.
    ///
    /// They look from triage to the end of the watch after resolve.
    #[must_use]
    pub fn next_look(&self) -> Option<Time> {
        if self.figures.checks.is_empty() || self.ended.is_some() || self.phase < Phase::Triage {
            return None;
        }
        let next = match self.checks.last_look {
            Some(last) => crate::model::time::after(last, self.figures.probe_every.max(SHORTEST_RHYTHM)),
            None => self.phase_entered_at,
        };
        match self.milestones.resolved {
            Some(resolved) if self.phase == Phase::PostIncident => {
                (next <= crate::model::time::after(resolved, self.figures.watch)).then_some(next)
            }
            _ => Some(next),
        }
    }

    /// Which classes of cause it had: of the causes that were found, and of the hypotheses that were confirmed.
    #[must_use]
    pub fn cause_classes(&self) -> BTreeSet<CauseClass> {
        let confirmed = self.hypotheses.values().filter(|it| it.confirmed == Some(true));
        let found = self.document.causes.values().filter_map(|cause| cause.class);
        found.chain(confirmed.filter_map(|it| it.class)).collect()
    }

    /// The mitigations whose change holds and wasn't taken back, by the record that proposed them.
    pub fn holding(&self) -> impl Iterator<Item = (Seq, &MitigationState)> {
        let all = self.mitigations.iter().map(|(seq, it)| (*seq, it));
        all.filter(|(seq, it)| it.undoes.is_none() && self.holds(*seq))
    }

    /// Whether the change of a mitigation holds and no later one took it back.
    fn holds(&self, proposal: Seq) -> bool {
        let is_held = self.mitigations.get(&proposal).is_some_and(|it| it.stage == Stage::Holds);
        let takes_back = |(seq, it): (&Seq, &MitigationState)| {
            it.undoes == Some(proposal) && *seq > proposal && self.holds(*seq)
        };
        is_held && !self.mitigations.iter().any(takes_back)
    }

    /// Whether customers see it, as far as is known.
    #[must_use]
    pub fn is_customer_facing(&self) -> bool {
        self.impact.as_ref().and_then(|impact| impact.customer_facing).unwrap_or(false)
    }

    /// Whether an effect may begin as far as its lane goes: nothing before it in the lane is unsettled.
    #[must_use]
    pub fn is_first_in_lane(&self, effect: &Effect) -> bool {
        effect.lane.is_none()
            || !self.effects.before(&effect.seq).any(|(_, earlier)| earlier.lane == effect.lane)
    }
}

/// The lane of the notices that go over `route`.
pub(crate) fn notice_lane(route: &str) -> String {
    format!("notices/{route}")
}

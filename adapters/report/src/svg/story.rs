//! What the picture tells, read from the log: what held from when to when, and what happened at one moment.

use std::collections::BTreeMap;

use incident_core::Time;
use incident_core::log::event::{Fact, Record};
use incident_core::log::incident::Incident;
use incident_core::log::mitigation::Stage;
use incident_core::model::colour::Colour;
use incident_core::model::id::Seq;
use incident_core::model::inert;
use incident_core::model::phase::Phase;
use incident_core::model::severity::Severity;
use incident_core::views::timeline::{Entry, EntryKind, Importance};

use super::axis::Span;
use super::promise::{Promises, promises};

/// What one incident looks like, without places or colours.
#[derive(Debug)]
pub(crate) struct Story<'a> {
    /// From the first thing that is known to the last.
    pub(crate) all: Span,
    /// From when somebody could act until it was over.
    pub(crate) response: Span,
    pub(crate) severities: Vec<Run<Severity>>,
    /// The phases; before the first one, nobody knew.
    pub(crate) phases: Vec<Run<Option<Phase>>>,
    /// How many alerts were firing.
    pub(crate) firing: Vec<Run<usize>>,
    /// What each recovery check showed.
    pub(crate) checks: BTreeMap<&'a str, Vec<Run<Colour>>>,
    pub(crate) mitigations: Vec<Course>,
    pub(crate) updates: Promises,
    pub(crate) moments: Vec<Moment<'a>>,
    pub(crate) milestones: Vec<(Time, &'static str)>,
}

/// What held from one change to the next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Run<T> {
    pub(crate) from: Time,
    pub(crate) to: Time,
    pub(crate) what: T,
    /// The record it began with.
    pub(crate) record: Seq,
}

/// One mitigation, from its proposal to where it was taken back.
#[derive(Debug)]
pub(crate) struct Course {
    pub(crate) proposal: Seq,
    pub(crate) what: String,
    /// What became of it.
    pub(crate) ended: String,
    pub(crate) proposed: Time,
    pub(crate) executed: Option<Time>,
    /// When the last thing about it happened, or until when it held.
    pub(crate) until: Time,
    /// What happened to it, in order.
    pub(crate) steps: Vec<(Time, Seq, Step)>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Step {
    Proposed,
    Approved,
    Executed,
    Held,
    Failed,
}

/// Something that happened at one moment.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Moment<'a> {
    pub(crate) lane: Lane,
    pub(crate) shape: Shape,
    pub(crate) entry: &'a Entry,
}

/// What a moment stands beside. They are drawn in this order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Lane {
    Alerts,
    Notices,
    Findings,
    Decisions,
    Trouble,
    FollowUps,
}

impl Lane {
    pub(crate) const ALL: [Self; 6] =
        [Self::Alerts, Self::Notices, Self::Findings, Self::Decisions, Self::Trouble, Self::FollowUps];
}

/// How a moment is drawn: the shape says what the colour says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Shape {
    /// An alert that ended, a notice that was passed on.
    Ring,
    /// An update.
    Circle,
    /// Something decided or done.
    Square,
    /// Something found.
    Diamond,
    /// The cause.
    Star,
    /// An alert or a page.
    Triangle,
    /// Something that went wrong.
    Cross,
}

impl<'a> Story<'a> {
    /// What `records` and their `entries`, by when they happened, tell of `incident`.
    pub(crate) fn tell(incident: &Incident, records: &'a [Record], entries: &'a [Entry]) -> Self {
        let found = |entry: &Entry| records.binary_search_by_key(&entry.seq, |record| record.seq).ok();
        let moments = entries.iter().filter_map(|entry| Some((entry, &records[found(entry)?].fact)));
        let happened: Vec<(&Entry, &Fact)> = moments.collect();
        let (all, response) = spans(incident, entries);
        let mut story = Self {
            all,
            response,
            severities: runs(&happened, response.to, |fact| match fact {
                Fact::Declared(it) => Some(it.severity),
                Fact::SeveritySet(it) => Some(it.to),
                _ => None,
            }),
            phases: runs(&happened, all.to, |fact| match fact {
                Fact::Declared(_) => Some(Some(Phase::Detection)),
                Fact::PhaseEntered(it) => Some(Some(it.to)),
                Fact::Resolved(_) => Some(Some(Phase::PostIncident)),
                _ => None,
            }),
            firing: firing(&happened, response.to),
            checks: checks(&happened, response.to),
            mitigations: courses(incident, &happened, response.to),
            updates: promises(&happened, response.to),
            moments: happened.iter().filter_map(|(entry, fact)| moment(entry, fact)).collect(),
            milestones: milestones(incident),
        };
        story.begin_unnoticed();
        story
    }

    /// Before the first phase it was there and nobody knew.
    fn begin_unnoticed(&mut self) {
        let Some(first) = self.phases.first().copied().filter(|first| first.from > self.all.from) else {
            return;
        };
        self.phases.insert(0, Run { from: self.all.from, to: first.from, what: None, record: first.record });
    }
}

/// From the first thing to the last, and the response within.
fn spans(incident: &Incident, entries: &[Entry]) -> (Span, Span) {
    let at = &incident.milestones;
    let times = || entries.iter().map(|entry| entry.occurred_at);
    let declared = at.declared.unwrap_or(incident.recorded_at);
    let from = times().chain(incident.known_start()).min().unwrap_or(declared);
    let to = times().max().unwrap_or(declared);
    let over = match (at.resolved, incident.ended) {
        (Some(resolved), _) if !incident.is_active() => resolved,
        (None, Some(_)) => at.closed.unwrap_or(to),
        _ => to,
    };
    let noticed = at.detected.map_or(declared, |detected| detected.min(declared));
    (Span { from, to: to.max(over) }, Span { from: noticed, to: over.max(noticed) })
}

/// What `changes` says, from each change to the next one and to `end`; a change to the same is none.
pub(super) fn runs<T: Copy + PartialEq>(
    happened: &[(&Entry, &Fact)],
    end: Time,
    changes: impl Fn(&Fact) -> Option<T>,
) -> Vec<Run<T>> {
    let mut runs: Vec<Run<T>> = Vec::new();
    for (entry, fact) in happened {
        if let Some(what) = changes(fact) {
            change(&mut runs, entry, what);
        }
    }
    finish(&mut runs, end);
    runs
}

fn change<T: PartialEq>(runs: &mut Vec<Run<T>>, entry: &Entry, what: T) {
    let at = entry.occurred_at;
    match runs.last_mut() {
        Some(last) if last.what == what => return,
        Some(last) => last.to = at,
        None => {}
    }
    runs.push(Run { from: at, to: at, what, record: entry.seq });
}

fn finish<T>(runs: &mut [Run<T>], end: Time) {
    if let Some(last) = runs.last_mut() {
        last.to = end.max(last.from);
    }
}

fn firing(happened: &[(&Entry, &Fact)], end: Time) -> Vec<Run<usize>> {
    let mut now = std::collections::BTreeSet::new();
    let mut runs = Vec::new();
    for (entry, fact) in happened {
        if let Fact::SignalsReceived(it) = fact {
            now.extend(&it.firing.0);
            now.retain(|alert| !it.resolved.0.contains(alert));
            change(&mut runs, entry, now.len());
        }
    }
    finish(&mut runs, end);
    runs.retain(|run| run.what > 0);
    runs
}

fn checks<'a>(happened: &[(&'a Entry, &'a Fact)], end: Time) -> BTreeMap<&'a str, Vec<Run<Colour>>> {
    let mut checks: BTreeMap<&str, Vec<Run<Colour>>> = BTreeMap::new();
    for (entry, fact) in happened {
        match fact {
            Fact::ChecksRead(it) => {
                for (name, reading) in &it.readings {
                    change(checks.entry(name).or_default(), entry, reading.colour);
                }
            }
            Fact::CheckAttested(it) => change(checks.entry(&it.check).or_default(), entry, it.colour),
            _ => {}
        }
    }
    checks.values_mut().for_each(|runs| finish(runs, end));
    checks
}

fn courses(incident: &Incident, happened: &[(&Entry, &Fact)], end: Time) -> Vec<Course> {
    let mut courses: BTreeMap<Seq, Course> = BTreeMap::new();
    for (entry, fact) in happened {
        let (proposal, step) = match fact {
            Fact::MitigationProposed(_) => (entry.seq, Step::Proposed),
            Fact::PlanApproved(it) => (it.proposal, Step::Approved),
            Fact::MitigationExecuted(it) => (it.proposal, Step::Executed),
            Fact::MitigationVerified(it) if it.holds => (it.proposal, Step::Held),
            Fact::MitigationVerified(it) => (it.proposal, Step::Failed),
            Fact::MitigationRejected(it) => (it.proposal, Step::Failed),
            _ => continue,
        };
        let Some(state) = incident.mitigations.get(&proposal) else { continue };
        let at = entry.occurred_at;
        let back = if state.undoes.is_some() { "take back: " } else { "" };
        let course = courses.entry(proposal).or_insert_with(|| Course {
            proposal,
            what: inert::line(&format!("{back}{}", state.mitigation)),
            ended: state.stage.to_string(),
            proposed: at,
            executed: None,
            until: at,
            steps: Vec::new(),
        });
        course.executed = course.executed.or((step == Step::Executed).then_some(at));
        course.until = course.until.max(at);
        course.steps.push((at, entry.seq, step));
    }
    last(incident, &mut courses, end);
    courses.into_values().collect()
}

/// What holds lasts until it was taken back, or to `end`.
fn last(incident: &Incident, courses: &mut BTreeMap<Seq, Course>, end: Time) {
    let holds = |proposal: &Seq| incident.mitigations.get(proposal).filter(|it| it.stage == Stage::Holds);
    let backs: BTreeMap<Seq, Time> =
        courses.values().filter_map(|back| Some((holds(&back.proposal)?.undoes?, back.executed?))).collect();
    for course in courses.values_mut().filter(|course| holds(&course.proposal).is_some()) {
        let back = backs.get(&course.proposal);
        course.until = course.until.max(*back.unwrap_or(&end));
        if back.is_some() {
            "taken back".clone_into(&mut course.ended);
        }
    }
}

fn moment<'a>(entry: &'a Entry, fact: &Fact) -> Option<Moment<'a>> {
    let key = entry.importance == Importance::Key;
    let (lane, shape) = match (entry.kind, fact) {
        (_, Fact::PhaseEntered(_)) => return None,
        (_, Fact::AudienceUnreached(_)) => (Lane::Trouble, Shape::Cross),
        (_, Fact::NoticeIssued(it)) if it.kind.is_page() => (Lane::Notices, Shape::Triangle),
        (_, Fact::NoticeIssued(_)) => (Lane::Notices, Shape::Ring),
        (_, Fact::Escalated(_)) => (Lane::Notices, Shape::Triangle),
        (_, Fact::SignalsReceived(it)) if it.firing.is_empty() => (Lane::Alerts, Shape::Ring),
        (_, Fact::HypothesisJudged(it)) if it.confirmed => (Lane::Findings, Shape::Star),
        (_, Fact::FixRecorded(_)) => (Lane::FollowUps, Shape::Diamond),
        (EntryKind::Alert, _) => (Lane::Alerts, Shape::Triangle),
        (EntryKind::Communication, _) if key => (Lane::Notices, Shape::Circle),
        (EntryKind::Finding, _) if key => (Lane::Findings, Shape::Diamond),
        (EntryKind::Course | EntryKind::Decision, _) if key => (Lane::Decisions, Shape::Square),
        (EntryKind::Deadline | EntryKind::Engine, _) if key => (Lane::Trouble, Shape::Cross),
        (EntryKind::FollowUp, _) => (Lane::FollowUps, Shape::Square),
        _ => return None,
    };
    Some(Moment { lane, shape, entry })
}

fn milestones(incident: &Incident) -> Vec<(Time, &'static str)> {
    let at = &incident.milestones;
    let named = [
        (incident.known_start(), "began"),
        (at.detected, "detected"),
        (at.declared, "declared"),
        (at.acknowledged, "acknowledged"),
        (at.mitigated, "mitigated"),
        (at.recovered, "recovered"),
        (at.resolved, "resolved"),
    ];
    let mut known: Vec<_> = named.into_iter().filter_map(|(at, name)| Some((at?, name))).collect();
    known.sort_by_key(|(at, _)| *at);
    known
}

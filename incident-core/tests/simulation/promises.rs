//! The promises, watched at every commit and at every call, and looked at once more at the end.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};

use incident_core::log::chain;
use incident_core::log::event::{Fact, Record};
use incident_core::log::fold::evolve;
use incident_core::log::incident::Incident;
use incident_core::log::index::index;
use incident_core::model::effect::{EffectState, Outcome, Work};
use incident_core::model::id::{Digest, EffectId, IncidentId, Seq};
use incident_core::model::obligation::ObligationKind;
use incident_core::model::side::Side;
use incident_core::model::time::Time;
use incident_core::model::time::after;
use incident_core::port::EffectContext;
use incident_core::port::store::Commit;

use crate::adapters::dedupes;
use crate::remote::{Remote, World};

/// By how much the clocks of two replicas differ at most, in seconds, twice over.
pub(crate) const SKEW: u64 = 2;

/// A log of a simulated incident that is longer than this grows without end.
const LONGEST: Seq = Seq(20_000);

/// A promise that wasn't kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Broken {
    pub(crate) promise: u8,
    pub(crate) how: String,
}

#[derive(Debug, Default)]
struct Seen {
    incidents: BTreeMap<IncidentId, (Incident, Digest, Vec<Record>)>,
    broken: Vec<Broken>,
    steps: Vec<Step>,
}

/// What happened. Only a trace that somebody reads is put into words, for they take longer than the step itself.
#[derive(Debug)]
enum Step {
    /// The incident's record at this place of its log was committed.
    Record(IncidentId, usize),
    /// A place was called for an effect, as this attempt.
    Call(&'static str, EffectId, u32),
}

/// Sees every commit and every call.
#[derive(Debug, Clone, Default)]
pub(crate) struct Watch {
    seen: Arc<Mutex<Seen>>,
    pub(crate) remote: Remote,
}

impl Watch {
    pub(crate) fn broken(&self) -> Option<Broken> {
        self.seen.lock().unwrap().broken.first().cloned()
    }

    pub(crate) fn trace(&self) -> Vec<String> {
        let seen = self.seen.lock().unwrap();
        let line = |step: &Step| match step {
            Step::Call(place, effect, attempt) => format!("call {place} {effect} attempt {attempt}"),
            Step::Record(id, at) => {
                let record = &seen.incidents[id].2[*at];
                format!("{id} {} {} {:?}", record.seq, record.recorded_at, record.fact)
            }
        };
        seen.steps.iter().map(line).collect()
    }

    pub(crate) fn state(&self, id: IncidentId) -> Option<Incident> {
        self.seen.lock().unwrap().incidents.get(&id).map(|(incident, ..)| incident.clone())
    }

    pub(crate) fn incidents(&self) -> Vec<IncidentId> {
        self.seen.lock().unwrap().incidents.keys().copied().collect()
    }

    /// A commit stands.
    pub(crate) fn commit(&self, id: IncidentId, at: Seq, commit: &Commit) {
        let mut guard = self.seen.lock().unwrap();
        let seen = &mut *guard;
        let (incident, head, records) =
            seen.incidents.entry(id).or_insert_with(|| (Incident::blank(id), chain::origin(id), Vec::new()));
        let mut broken = Vec::new();
        if incident.version != at {
            broken.push((8, format!("a commit at {at} stands on {}", incident.version)));
        }
        let mut new = Vec::new();
        for stored in &commit.records {
            let expected = (incident.version.next(), chain::link(*head, stored.seq, &stored.body));
            if expected != (stored.seq, stored.chain) {
                broken.push((9, format!("{} doesn't follow {}", stored.seq, incident.version)));
            }
            *head = stored.chain;
            match chain::decode(stored) {
                Ok(record) => {
                    evolve(incident, &record);
                    new.push(record);
                }
                Err(error) => broken.push((9, format!("what was committed can't be read: {error}"))),
            }
        }
        broken.extend(same_commit(&new));
        broken.extend(index_is_right(incident, commit));
        broken.extend(a_start_is_allowed(&new, incident));
        broken.extend(waits(id, &new, records, &self.remote.side(incident.side).lock().unwrap()));
        seen.steps.extend((records.len()..records.len() + new.len()).map(|at| Step::Record(id, at)));
        records.extend(new);
        let version = incident.version;
        if version > LONGEST {
            broken.push((2, format!("its log never ends: {} records", version.0)));
        }
        let broken = broken.into_iter();
        seen.broken.extend(
            broken.map(|(promise, how)| Broken { promise, how: format!("{id} at {version}: {how}") }),
        );
    }

    /// A call is about to reach the world.
    pub(crate) async fn call(&self, place: &'static str, cx: &EffectContext) {
        let mut seen = self.seen.lock().unwrap();
        let EffectId { incident, seq } = cx.effect;
        let started = seen.incidents.get(&incident).is_some_and(|(_, _, records)| {
            let begun = |record: &Record| {
                matches!(&record.fact, Fact::EffectStarted(it) if it.effect == seq && it.attempt == cx.attempt)
            };
            records.iter().rev().any(begun)
        });
        seen.steps.push(Step::Call(place, cx.effect, cx.attempt));
        if !started {
            let how = format!("{place} is called for {} before its start is recorded", cx.effect);
            seen.broken.push(Broken { promise: 3, how });
        }
    }

    /// What must hold once everything has come to rest.
    pub(crate) fn at_rest(&self, now: Time) -> Vec<Broken> {
        let seen = self.seen.lock().unwrap();
        let mut broken = Vec::new();
        for (id, (incident, _, records)) in &seen.incidents {
            let mut say = |promise, how: String| broken.push(Broken { promise, how: format!("{id}: {how}") });
            if !incident.is_settled() {
                say(
                    2,
                    format!(
                        "it still owes something at {now}: {:?} {:?}",
                        incident.effects, incident.obligations
                    ),
                );
            }
            let world = self.remote.side(incident.side);
            let other = self.remote.side(if incident.side == Side::Live { Side::Drill } else { Side::Live });
            let (world, other) = (world.lock().unwrap(), other.lock().unwrap());
            if other.came.iter().any(|it| it.effect.incident == *id) {
                say(11, "it reached the other side".to_owned());
            }
            for (promise, how) in effects(*id, incident, records, &world).into_iter().chain(breaches(records))
            {
                say(promise, how);
            }
        }
        broken
    }
}

type Findings = Vec<(u8, String)>;

/// What obliges to an effect plans it in the same commit.
fn same_commit(new: &[Record]) -> Findings {
    let planned = |wanted: &dyn Fn(&Work) -> bool| {
        new.iter().any(|record| matches!(&record.fact, Fact::EffectPlanned(it) if wanted(&it.work)))
    };
    let mut broken = Vec::new();
    for record in new {
        let kept = match &record.fact {
            Fact::NoticeIssued(_) => {
                let unreached =
                    |it: &Record| matches!(&it.fact, Fact::AudienceUnreached(it) if it.notice == record.seq);
                planned(&|work| matches!(work, Work::Notify(it) if it.notice == record.seq))
                    || new.iter().any(unreached)
            }
            Fact::MitigationProposed(_) => planned(&|work| *work == Work::Plan(record.seq)),
            Fact::ExecutionOrdered(it) => planned(&|work| *work == Work::Execute(it.proposal)),
            Fact::MitigationExecuted(it) => planned(&|work| *work == Work::Verify(it.proposal)),
            _ => true,
        };
        if !kept {
            broken.push((
                1,
                format!("{} ({}) plans nothing in its own commit", record.seq, record.fact.kind()),
            ));
        }
    }
    broken
}

fn index_is_right(incident: &Incident, commit: &Commit) -> Findings {
    let right = index(incident);
    let mut broken = Vec::new();
    if commit.index != right {
        broken.push((9, format!("the index says {:?}, the log {right:?}", commit.index)));
    }
    let heartbeat = after(incident.recorded_at, incident_core::log::wake::HEARTBEAT);
    match right.next_wake {
        None if !incident.is_settled() => broken.push((2, "it owes something and is never woken".to_owned())),
        Some(wake) if wake > heartbeat => broken.push((2, format!("it sleeps until {wake}"))),
        _ => {}
    }
    broken
}

/// Who was put off is asked again when the place said, and nothing is tried before the log says so.
fn waits(id: IncidentId, new: &[Record], records: &[Record], world: &World) -> Findings {
    let skew = std::time::Duration::from_secs(2 * SKEW);
    let mut broken = Vec::new();
    for record in new {
        match &record.fact {
            Fact::EffectFailed(it) => {
                let effect = EffectId { incident: id, seq: it.effect };
                let until = world.put_off.get(&(effect, it.attempt)).copied().unwrap_or(Time::MIN_UTC);
                if after(it.retry_at, skew) < until {
                    broken.push((
                        4,
                        format!("{} is to wait until {until} and tries at {}", it.effect, it.retry_at),
                    ));
                }
            }
            Fact::EffectStarted(it) => {
                let failed = records.iter().rev().find_map(|record| match &record.fact {
                    Fact::EffectFailed(failed) if failed.effect == it.effect => Some(failed.retry_at),
                    _ => None,
                });
                if failed.is_some_and(|retry_at| after(record.recorded_at, skew) < retry_at) {
                    broken.push((4, format!("{} begins again before its time", it.effect)));
                }
            }
            _ => {}
        }
    }
    broken
}

/// Nothing is begun that stands behind another in its lane, and nothing executed that too few agreed to.
fn a_start_is_allowed(new: &[Record], incident: &Incident) -> Findings {
    let mut broken = Vec::new();
    for record in new {
        let Fact::EffectStarted(started) = &record.fact else { continue };
        let Some(effect) = incident.effects.get(&started.effect) else { continue };
        let before = |other: &&incident_core::model::effect::Effect| {
            other.lane.is_some() && other.lane == effect.lane && other.seq < effect.seq
        };
        if let Some(other) = incident.effects.values().find(before) {
            broken.push((5, format!("{} begins before {} of its lane is over", effect.seq, other.seq)));
        }
        if let (Work::Execute(proposal), incident_core::model::effect::Start::Call) =
            (&effect.work, started.how)
        {
            let agreed = incident.mitigations.get(proposal).map_or(0, |it| it.approvals.len());
            if agreed == 0 {
                broken.push((6, format!("{} is carried out, and nobody agreed", effect.seq)));
            }
        }
        if !matches!(effect.state, EffectState::Started { .. }) {
            broken.push((3, format!("{} is begun and isn't under way", effect.seq)));
        }
    }
    broken
}

/// Each effect ended once, and the world outside saw what the log says.
fn effects(id: IncidentId, incident: &Incident, records: &[Record], world: &World) -> Findings {
    let mut broken = Vec::new();
    let mut approved = BTreeMap::new();
    for record in records {
        match &record.fact {
            Fact::MitigationPlanned(it) => drop(approved.insert(it.proposal, it.digest)),
            Fact::EffectPlanned(planned) => {
                let effect = EffectId { incident: id, seq: record.seq };
                let ends: Vec<&Outcome> = records
                    .iter()
                    .filter_map(|it| match &it.fact {
                        Fact::EffectSettled(end) if end.effect == record.seq => Some(&end.outcome),
                        _ => None,
                    })
                    .collect();
                if ends.len() > 1 || (ends.is_empty() && !incident.effects.contains_key(&record.seq)) {
                    broken.push((2, format!("{} ended {} times", record.seq, ends.len())));
                }
                let came: Vec<_> = world.came.iter().filter(|it| it.effect == effect).collect();
                let done = ends.first().is_some_and(|end| end.is_done());
                let outside = matches!(planned.work, Work::Notify(_) | Work::Ticket(_) | Work::Execute(_));
                if done && outside && came.is_empty() {
                    broken.push((2, format!("{} is recorded as done and never arrived", record.seq)));
                }
                // A double page beats a missed one, but it says that it may be one.
                if came.iter().filter(|it| !it.marked).count() > 1 {
                    broken
                        .push((3, format!("{} came {} times to {}", record.seq, came.len(), planned.route)));
                }
                if came.len() > 1 && (dedupes(&planned.route) || !matches!(planned.work, Work::Notify(_))) {
                    broken.push((3, format!("{} was done {} times", record.seq, came.len())));
                }
                if let Work::Execute(proposal) = planned.work
                    && came.iter().any(|it| it.plan != approved.get(&proposal).copied())
                {
                    broken.push((6, format!("{} carried out what nobody agreed to", record.seq)));
                }
                if came.iter().any(|it| it.drill != (incident.side == Side::Drill))
                    && matches!(planned.work, Work::Notify(_))
                {
                    broken.push((11, format!("{} isn't marked as of its side", record.seq)));
                }
            }
            _ => {}
        }
    }
    broken.extend(order(id, records, world));
    broken
}

/// What goes to one place in one lane arrives in the order it was planned in; a repeat that is marked may come later.
fn order(id: IncidentId, records: &[Record], world: &World) -> Findings {
    let lanes: BTreeMap<Seq, &String> = records
        .iter()
        .filter_map(|record| match &record.fact {
            Fact::EffectPlanned(it) => Some((record.seq, it.lane.as_ref()?)),
            _ => None,
        })
        .collect();
    let mut last: BTreeMap<&String, Seq> = BTreeMap::new();
    let mut broken = Vec::new();
    for came in world.came.iter().filter(|it| it.effect.incident == id && !it.marked && !it.late) {
        let Some(lane) = lanes.get(&came.effect.seq) else { continue };
        if let Some(before) = last.insert(lane, came.effect.seq)
            && before > came.effect.seq
        {
            broken.push((5, format!("{} came after {before} in {lane}", came.effect.seq)));
        }
    }
    broken
}

/// A deadline is missed once, and the log says when it was.
fn breaches(records: &[Record]) -> Findings {
    let mut seen = BTreeSet::new();
    let mut due: BTreeMap<Seq, (ObligationKind, Time)> = BTreeMap::new();
    let mut broken = Vec::new();
    for record in records {
        match &record.fact {
            Fact::ObligationOpened(it) => drop(due.insert(record.seq, (it.kind, it.due))),
            Fact::ObligationMoved(it) => {
                if let Some((_, time)) = due.get_mut(&it.obligation) {
                    *time = it.due;
                }
            }
            Fact::ObligationBreached(it) => {
                if !seen.insert((it.obligation, record.occurred_at)) {
                    broken.push((7, format!("the breach of {} is recorded twice", it.obligation)));
                }
                if record.occurred_at > record.recorded_at {
                    broken.push((7, format!("{} was recorded before it happened", record.seq)));
                }
                if let Some((_, time)) = due.get_mut(&it.obligation) {
                    if it.missed == 1 && *time != record.occurred_at {
                        broken.push((
                            7,
                            format!("{} happened at {time}, not at {}", record.seq, record.occurred_at),
                        ));
                    }
                    *time = it.next_due.unwrap_or(*time);
                }
            }
            _ => {}
        }
    }
    broken
}

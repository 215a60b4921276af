//! Alerts in: each finds the incident that its group belongs to, or begins one.

mod group;
mod way;

use std::collections::BTreeMap;
use std::sync::Arc;

use super::engine::{Engine, locked};
use super::error::CommandError;
use super::lane::Lane;
use crate::model::id::IncidentId;
use crate::model::inert;
use crate::model::role::Actor;
use crate::model::side::Side;
use crate::model::signal::{Judged, Signal};
use crate::port::store::{StoreError, StoreTrouble};
use crate::rules::command::{Command, Declare};
pub(super) use group::{Group, found, summary};
use way::Way;

/// What became of a batch of alerts.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Intake {
    /// The incidents that were declared.
    pub declared: Vec<IncidentId>,
    /// The incidents that took alerts in.
    pub joined: Vec<IncidentId>,
    /// How many alerts no rule matches; they are in no incident.
    pub unmatched: usize,
    /// How many firing alerts are not for people, by the word of their label `severity`; they are in no incident.
    pub ignored: BTreeMap<String, usize>,
    /// How many alerts resolved something that no open incident holds.
    pub pointless: usize,
    /// How many firing alerts are about what an earlier incident saw end; its timeline says so.
    pub stale: usize,
}

impl Engine {
    /// Takes alerts in: live incidents come of them, one for each group; in a storm one for many, as the runbook says.
    ///
    /// Every alert is durable once this returns. Taking the same alerts in again changes nothing.
    ///
    /// # Errors
    /// [`CommandError`]; the alerts of other groups may have been taken in, and it is safe to send all of them again.
    pub async fn ingest(&self, source: &str, signals: Vec<Signal>) -> Result<Intake, CommandError> {
        self.ingest_for(Side::Live, source, signals).await
    }

    /// Like [`ingest`](Self::ingest), for one side.
    ///
    /// # Errors
    /// Like [`ingest`](Self::ingest).
    pub async fn ingest_for(
        &self,
        side: Side,
        source: &str,
        signals: Vec<Signal>,
    ) -> Result<Intake, CommandError> {
        let runbook = self.runbook();
        let actor = Actor::Automation(inert::clip(&inert::line(source), 64));
        let mut intake = Intake::default();
        let mut groups: BTreeMap<String, (usize, Vec<Signal>)> = BTreeMap::new();
        let mut name = String::new();
        let policy = &runbook.signals;
        for signal in signals {
            let Some((place, rule)) = policy.rule_for(&signal) else {
                intake.unmatched += 1;
                continue;
            };
            // What was taken in may end, whatever the runbook says of it by now.
            if signal.is_firing()
                && let Judged::Ignored(word) = policy.judge(rule, &signal)
            {
                *intake.ignored.entry(word).or_default() += 1;
                continue;
            }
            policy.write_group(&mut name, rule, &signal);
            match groups.get_mut(&name) {
                Some((_, signals)) => signals.push(signal),
                None => drop(groups.insert(name.clone(), (place, vec![signal]))),
            }
        }
        let each = groups.into_iter().map(|(name, (rule, signals))| {
            let group = Group { side, actor: actor.clone(), name, runbook: Arc::clone(&runbook), rule };
            self.take_group(Arc::new(group), signals)
        });
        for taken in futures_util::future::join_all(each).await {
            match taken? {
                (Taken::Declared(id), _) => intake.declared.push(id),
                (Taken::Joined(id), _) => intake.joined.push(id),
                (Taken::Pointless, count) => intake.pointless += count,
                (Taken::Stale, count) => intake.stale += count,
            }
        }
        intake.joined.sort_unstable();
        intake.joined.dedup();
        intake.joined.retain(|id| !intake.declared.contains(id));
        Ok(intake)
    }

    /// What became of alerts of one group, and how many they were. They are taken in although the caller is gone.
    async fn take_group(
        &self,
        group: Arc<Group>,
        signals: Vec<Signal>,
    ) -> Result<(Taken, usize), CommandError> {
        let count = signals.len();
        let lane = locked(&self.0.lanes).of((group.actor.to_string(), group.key()));
        let turn = |(engine, lane): (Self, Arc<GroupLane>)| async move { engine.drain_group(&lane).await };
        let answered = lane.waits.ask((group, signals), (self.clone(), Arc::clone(&lane)), turn).await;
        Ok((answered.unwrap_or_else(|| Err(stopped()))?, count))
    }

    /// Takes in what waits of a group, as one: of several callers' alerts those before one that is resolved, for what one
    /// caller says mustn't hide what another said before.
    async fn drain_group(&self, lane: &GroupLane) {
        let (mut count, mut first) = (0, None);
        let (waiting, replies) = lane.waits.take(|(group, signals)| {
            let fire = signals.iter().all(Signal::is_firing);
            count += signals.len();
            match &first {
                None => {
                    first = Some((Arc::clone(group), fire));
                    true
                }
                // A runbook that was put in force meanwhile may rule otherwise.
                Some((first, all_fire)) => *all_fire && fire && count <= AT_ONCE && first == group,
            }
        });
        let Some((group, _)) = first else { return };
        let mut signals = Vec::with_capacity(waiting.iter().map(|(_, signals)| signals.len()).sum());
        waiting.into_iter().for_each(|(_, more)| signals.extend(more));
        let signals = Arc::from(signals);
        let mut own = lane.own.lock().await;
        let taken = self.take_in(&group, &mut own, &signals).await;
        for (reply, place) in replies.into_iter().zip(0..) {
            let told = taken.clone().map(|taken| match taken {
                // The others' alerts joined what the first ones began.
                Taken::Declared(id) if place > 0 => Taken::Joined(id),
                other => other,
            });
            let _ = reply.send(told);
        }
    }

    /// Lets the incidents that have the group take its alerts in: its own, and those that gather a storm. Without one, another
    /// is declared, or a storm begins.
    ///
    /// Whatever stands in the way of the group's own incident, another one takes the alerts and says why.
    async fn take_in(
        &self,
        group: &Arc<Group>,
        own: &mut Option<IncidentId>,
        signals: &Arc<[Signal]>,
    ) -> Result<Taken, CommandError> {
        let (group_now, signals) = (Arc::clone(group), Arc::clone(signals));
        let mut way = Way { group: group_now, signals, own: own.take(), gone: None, notes: Vec::new() };
        // Between the look and the commit somebody else may take the key, or let it go.
        for _ in 0..ROUNDS {
            if let Some(taken) = self.take_in_once(&mut way).await? {
                *own = way.own.filter(|_| way.group.name == group.name);
                return Ok(taken);
            }
        }
        if !way.fires() {
            return Ok(Taken::Pointless);
        }
        way.notes.push("the name of the group of alerts could not be claimed".to_owned());
        let id = self.new_incident_id();
        let declare = Declare { signal_group: None, ..way.declare(None) };
        self.send(id, way.group.request(self, Command::Declare(Box::new(declare)))).await?;
        Ok(Taken::Declared(id))
    }
}

/// How often it is tried to take a group in.
const ROUNDS: usize = 8;

/// How many alerts of several callers are taken in at once at most.
pub(super) const AT_ONCE: usize = 10_000;

/// Alerts of a group.
type Alerts = (Arc<Group>, Vec<Signal>);

/// The alerts of one group from one source that wait, and the incident of its own that took the last ones in.
#[derive(Debug, Default)]
pub(super) struct GroupLane {
    waits: Arc<Lane<Alerts, Result<Taken, CommandError>>>,
    own: tokio::sync::Mutex<Option<IncidentId>>,
}

/// What took alerts in.
#[derive(Debug, Clone, Copy)]
pub(super) enum Taken {
    Declared(IncidentId),
    Joined(IncidentId),
    Pointless,
    Stale,
}

/// The error if an engine stops before it answers. Alerts may be sent again as they are.
pub(super) fn stopped() -> CommandError {
    let stopped = StoreError::new(StoreTrouble::Unavailable, "ingest");
    CommandError::Store(Arc::new(stopped.caused_by("the engine stopped before it answered")))
}

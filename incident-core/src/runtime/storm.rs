//! Storms: the alerts of further groups go to the one incident of their severity that gathers them.

mod lately;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures_util::future::try_join_all;

use super::engine::{Engine, locked};
use super::error::CommandError;
use super::intake::{AT_ONCE, Group, Taken, found, stopped, summary};
use super::lane::Lane;
use super::queue::unreadable;
use crate::log::incident::Incident;
use crate::log::index::{storm_key, takes_group};
use crate::log::storm::StormWindow;
use crate::model::id::IncidentId;
use crate::model::severity::Severity;
use crate::model::side::Side;
use crate::model::signal::Signal;
use crate::model::time::{Time, after};
use crate::port::store::StoreError;
use crate::rules::command::{Command, Declare, Gather, Gathered, Refusal, StormDeclared};

/// How long an engine goes by the open storms that it knows: others may begin one meanwhile.
const KNOWN_FOR: Duration = Duration::from_secs(1);

/// Which storm: there is one of a severity on each side.
type Which = (Side, Severity);

/// What an engine knows of storms.
#[derive(Debug, Default)]
pub(super) struct Storms {
    lanes: Mutex<BTreeMap<Which, Arc<StormLane>>>,
    /// The severities whose storm's incident is open, and since when that is known.
    open: Mutex<BTreeMap<Side, (Time, Vec<Severity>)>>,
    lately: lately::Lately,
}

/// The alerts that wait for the incident that gathers, and the one that took the last ones in.
#[derive(Debug, Default)]
struct StormLane {
    /// It answers none where the incident doesn't take them in.
    waits: Arc<Lane<Entry, Result<Option<Taken>, CommandError>>>,
    last: Mutex<Option<IncidentId>>,
}

/// Alerts of one group.
#[derive(Debug)]
struct Entry {
    group: Arc<Group>,
    gathered: Gathered,
    wish: Wish,
}

/// When an incident that gathers is to take alerts in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Wish {
    /// If it has their group.
    IfKnown,
    /// Also while the storm goes on.
    Join,
    /// In any case; if there is no storm, one begins.
    Begin,
}

impl Engine {
    /// The severities of one side whose storm has an open incident.
    pub(super) async fn open_storms(&self, side: Side) -> Result<Vec<Severity>, CommandError> {
        let now = self.now();
        if let Some((known, open)) = locked(&self.0.storms.open).get(&side)
            && *known <= now
            && now < after(*known, KNOWN_FOR)
        {
            return Ok(open.clone());
        }
        let each = Severity::ALL.map(|severity| async move {
            let held = self.0.store.holder(&storm_key(side, severity)).await?;
            Ok(held.filter(|held| held.at(now)).map(|_| severity))
        });
        let open = try_join_all(each).await.map_err(|error: StoreError| CommandError::Store(error.into()))?;
        let open: Vec<_> = open.into_iter().flatten().collect();
        locked(&self.0.storms.open).insert(side, (now, open.clone()));
        Ok(open)
    }

    /// Lets each open storm take alerts in: those whose group it has and, if that has no incident of its own, of new groups
    /// as well. Gives the worst that took them.
    pub(super) async fn take_in_storms(
        &self,
        group: &Arc<Group>,
        signals: &Arc<[Signal]>,
        open: &[Severity],
        may_join: bool,
    ) -> Result<Option<(IncidentId, Severity)>, CommandError> {
        if open.is_empty() {
            return Ok(None);
        }
        let (severity, fires) = (group.severity(signals), signals.iter().any(Signal::is_firing));
        let each = open.iter().map(|of| async move {
            let joins = may_join && fires && *of == severity;
            let wish = if joins { Wish::Join } else { Wish::IfKnown };
            let taken = self.gather(group, *of, signals, wish).await?;
            Ok::<_, CommandError>(taken.and_then(Taken::by).map(|by| (by, *of)))
        });
        let taken = try_join_all(each).await?;
        Ok(taken.into_iter().flatten().min_by_key(|(_, severity)| *severity))
    }

    /// Gathers alerts of a new group although no storm goes on; none if the incident that gathers can't be read.
    pub(super) async fn begin_storm(
        &self,
        group: &Arc<Group>,
        signals: &Arc<[Signal]>,
    ) -> Result<Option<Taken>, CommandError> {
        self.gather(group, group.severity(signals), signals, Wish::Begin).await
    }

    async fn gather(
        &self,
        group: &Arc<Group>,
        severity: Severity,
        signals: &Arc<[Signal]>,
        wish: Wish,
    ) -> Result<Option<Taken>, CommandError> {
        let of = (group.side, severity);
        let lane = Arc::clone(locked(&self.0.storms.lanes).entry(of).or_default());
        let entry = Entry { group: Arc::clone(group), gathered: group.gathered(signals), wish };
        let turn =
            move |(engine, lane): (Self, Arc<StormLane>)| async move { engine.drain_storm(of, &lane).await };
        let answered = lane.waits.ask(entry, (self.clone(), Arc::clone(&lane)), turn).await;
        answered.unwrap_or_else(|| Err(stopped()))
    }

    /// Takes in what waits of one source for the incident that gathers, as one.
    async fn drain_storm(&self, of: Which, lane: &StormLane) {
        // The other groups of the same webhook come at once.
        tokio::task::yield_now().await;
        let (mut count, mut first) = (0, None);
        let (entries, replies) = lane.waits.take(|entry| {
            count += entry.gathered.signals.len();
            let source =
                first.get_or_insert_with(|| (entry.group.actor.clone(), entry.gathered.signals.len()));
            source.0 == entry.group.actor && (count <= AT_ONCE || count == source.1)
        });
        match self.take_entries(of, &lane.last, &entries).await {
            Ok(taken) => {
                for (reply, taken) in replies.into_iter().zip(taken) {
                    let _ = reply.send(Ok(taken));
                }
            }
            Err(error) => {
                for reply in replies {
                    let _ = reply.send(Err(error.clone()));
                }
            }
        }
    }

    async fn take_entries(
        &self,
        of: Which,
        last: &Mutex<Option<IncidentId>>,
        entries: &[Entry],
    ) -> Result<Vec<Option<Taken>>, CommandError> {
        let known = locked(last).take();
        if let Some(state) = self.last_seen(known).await {
            let mut taken = vec![None; entries.len()];
            let now = self.now().max(state.recorded_at);
            // What was seen last may be old; the commit is refused then, but a group that is missing may be there by now.
            let all_join = entries.iter().all(|entry| entry.joins(&state, false, now));
            if all_join && self.join_storm(&state, entries, &mut taken).await? {
                *locked(last) = known;
                return Ok(taken);
            }
        }
        // Between the look and the commit the storm may end, or somebody else may begin one.
        for _ in 0..8 {
            let mut taken = vec![None; entries.len()];
            match self.storm_at(of).await? {
                Found::Open(state) => {
                    if self.join_storm(&state, entries, &mut taken).await? {
                        *locked(last) = Some(state.id);
                        return Ok(taken);
                    }
                }
                Found::Unreadable => return Ok(taken),
                Found::Nothing => {
                    if self.declare_storm(of, entries, &mut taken).await? {
                        return Ok(taken);
                    }
                }
            }
        }
        Err(CommandError::Refused(Refusal::KeyTaken { key: storm_key(of.0, of.1) }))
    }

    /// The storm incident that ended last, if one of these alerts began before its end: it may have seen the alert end.
    pub(super) async fn ended_storm(&self, group: &Group, signals: &[Signal]) -> Option<IncidentId> {
        let key = storm_key(group.side, group.severity(signals));
        let held = self.0.store.holder(&key).await.ok().flatten()?;
        let end = held.until.filter(|end| *end <= self.now())?;
        let is_older = |signal: &Signal| signal.started_at.is_some_and(|began| began <= end);
        signals.iter().any(|signal| signal.is_firing() && is_older(signal)).then_some(held.by)
    }

    /// The incident that gathers, as it is now.
    async fn storm_at(&self, of: Which) -> Result<Found, CommandError> {
        let held = self.0.store.holder(&storm_key(of.0, of.1)).await;
        let held = held.map_err(|error| CommandError::Store(error.into()))?;
        let Some(held) = held.filter(|held| held.at(self.now())) else { return Ok(Found::Nothing) };
        match self.look_at(held.by).await {
            Ok(seen) => Ok(Found::Open(seen.incident)),
            Err(error) if unreadable(&error).is_some() => Ok(Found::Unreadable),
            Err(error) => Err(error),
        }
    }

    /// Lets the incident take in what it may; not if it has let a group go by now.
    async fn join_storm(
        &self,
        state: &Incident,
        entries: &[Entry],
        taken: &mut [Option<Taken>],
    ) -> Result<bool, CommandError> {
        let now = self.now().max(state.recorded_at);
        for begins in [false, true] {
            let joins = |(entry, taken): &(&Entry, &mut Option<Taken>)| {
                taken.is_none() && entry.joins(state, begins, now)
            };
            let joining: Vec<_> = entries.iter().zip(taken.iter_mut()).filter(joins).collect();
            let Some((first, _)) = joining.first() else { continue };
            let group = &first.group;
            let gathered = joining.iter().map(|(entry, _)| entry.gathered.clone()).collect();
            let gather = Command::Gather(Gather { gathered, begins });
            match self.send(state.id, group.request(self, gather)).await {
                Err(CommandError::Refused(Refusal::LetGo)) => return Ok(false),
                Err(error) if unreadable(&error).is_some() => return Ok(true),
                done => done?,
            };
            joining.into_iter().for_each(|(_, taken)| *taken = Some(Taken::Joined(state.id)));
        }
        Ok(true)
    }

    /// Declares an incident that gathers what is to be gathered in any case; not if somebody else was faster.
    async fn declare_storm(
        &self,
        of: Which,
        entries: &[Entry],
        taken: &mut [Option<Taken>],
    ) -> Result<bool, CommandError> {
        let begin = |(entry, _): &(&Entry, &mut Option<Taken>)| entry.wish == Wish::Begin;
        let begins: Vec<_> = entries.iter().zip(taken).filter(begin).collect();
        let Some((first, _)) = begins.first() else { return Ok(true) };
        let group = &first.group;
        let gathered = begins.iter().map(|(entry, _)| entry.gathered.clone()).collect();
        let id = self.new_incident_id();
        let declare = Command::Declare(Box::new(declare(of, group, gathered)));
        match self.send(id, group.request(self, declare)).await {
            Err(CommandError::Refused(Refusal::KeyTaken { .. })) => return Ok(false),
            done => done?,
        };
        // What is known of open storms is out of date.
        locked(&self.0.storms.open).remove(&of.0);
        for (n, (_, taken)) in begins.into_iter().enumerate() {
            *taken = Some(if n == 0 { Taken::Declared(id) } else { Taken::Joined(id) });
        }
        Ok(true)
    }
}

impl Entry {
    /// Whether an incident that gathers, or begins to again, takes these alerts in.
    fn joins(&self, state: &Incident, begins: bool, now: Time) -> bool {
        let group = &self.gathered.group;
        let has = || state.storm.as_ref().is_some_and(|storm| storm.has(group));
        let wished = if begins { self.wish == Wish::Begin } else { self.wish != Wish::IfKnown || has() };
        wished && takes_group(state, group, begins, now)
    }
}

/// What is found of a storm.
enum Found {
    /// Its incident, which takes alerts in.
    Open(Arc<Incident>),
    /// An incident that this version can't read.
    Unreadable,
    /// None.
    Nothing,
}

impl Taken {
    /// The incident that took alerts in.
    fn by(self) -> Option<IncidentId> {
        match self {
            Self::Declared(id) | Self::Joined(id) => Some(id),
            Self::Pointless | Self::Stale => None,
        }
    }
}

fn declare((side, severity): Which, group: &Group, gathered: Vec<Gathered>) -> Declare {
    let first = gathered.iter().flat_map(|it| it.signals.iter()).find(|signal| signal.is_firing());
    let summary = summary(first).unwrap_or_else(|| "alerts of many groups".to_owned());
    let mut declare = found(&format!("alert storm, first: {summary}"), first, side, severity);
    let storm = group.policy().storm;
    let window = StormWindow { groups: storm.incidents, within: storm.within };
    declare.storm = Some(StormDeclared { window, gathered });
    declare
}

//! Storms: the alerts of further groups go to the one incident that gathers them.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex};

use tokio::sync::OnceCell;

use super::engine::{Engine, locked};
use super::error::CommandError;
use super::intake::{AT_ONCE, Group, Taken};
use super::lane::Lane;
use crate::domain::command::{Command, Declare, Gathered, Refusal, StormDeclared};
use crate::domain::id::IncidentId;
use crate::domain::incident::{Incident, Side};
use crate::domain::index::{Summary, storm_key, takes_group};
use crate::domain::inert;
use crate::domain::severity::Severity;
use crate::domain::signal::Signal;
use crate::domain::time::{Time, before};
use crate::port::store::{Query, StoreError};

/// What an engine knows of storms, by their side and severity.
#[derive(Debug, Default)]
pub(super) struct Storms {
    lanes: Mutex<BTreeMap<(String, String), Arc<StormLane>>>,
    /// The incidents that gather one, as far as they are known.
    known: Mutex<BTreeMap<(Side, Severity), IncidentId>>,
    /// When incidents came of alerts lately.
    recent: Mutex<BTreeMap<(Side, Severity), VecDeque<Time>>>,
    /// Whether it was read what the store knows of that.
    read: OnceCell<()>,
}

/// Alerts that wait for the incident that gathers them. It answers none where it doesn't take them in.
type StormLane = Lane<Entry, Result<Option<Taken>, CommandError>, ()>;

/// Alerts of one group.
#[derive(Debug)]
struct Entry {
    gathered: Gathered,
    /// Whether a storm begins if none is going on.
    begins: bool,
}

/// Whose storm it is.
#[derive(Debug)]
struct Place {
    group: Group,
    severity: Severity,
}

impl Engine {
    /// Whether an incident gathers alerts of this kind, or did so last.
    pub(super) async fn has_storm(&self, group: &Group, signals: &[Signal]) -> Result<bool, CommandError> {
        let of = (group.side, group.severity(signals));
        Ok(locked(&self.0.storms.known).contains_key(&of) || self.storm_of(of).await?.is_some())
    }

    /// The incident that gathers a storm, or did so last.
    async fn storm_of(&self, of: (Side, Severity)) -> Result<Option<IncidentId>, CommandError> {
        let held = self.0.store.holder(&storm_key(of.0, of.1)).await;
        Ok(held.map_err(|error| CommandError::Store(error.into()))?.map(|held| held.by))
    }

    /// Lets the incident that gathers the storm take alerts in, if there is a storm: one that goes on and is known of, one
    /// that has the group, or one that begins with these alerts.
    pub(super) async fn take_in_storm(
        &self,
        group: &Group,
        signals: &Arc<[Signal]>,
        known: bool,
    ) -> Result<Option<Taken>, CommandError> {
        let severity = group.severity(signals);
        if known && let Some(taken) = self.gather(group, severity, signals, false).await? {
            return Ok(Some(taken));
        }
        if !signals.iter().any(Signal::is_firing) || self.may_declare(group, severity).await {
            return Ok(None);
        }
        self.gather(group, severity, signals, true).await
    }

    /// Whether another incident may come of alerts, and counts it.
    ///
    /// Every engine counts what it declares itself, and at its beginning what the store has.
    async fn may_declare(&self, group: &Group, severity: Severity) -> bool {
        let policy = group.storm;
        if policy.incidents == 0 {
            return true;
        }
        let since = before(self.now(), policy.within);
        if let Err(error) = self.0.storms.read.get_or_try_init(|| self.read_recent(since)).await {
            tracing::warn!(%error, "what was declared lately can't be read; only what follows is counted");
        }
        let mut recent = locked(&self.0.storms.recent);
        let recent = recent.entry((group.side, severity)).or_default();
        while recent.pop_front_if(|at| *at <= since).is_some() {}
        let may = u64::try_from(recent.len()).is_ok_and(|recent| recent < u64::from(policy.incidents));
        if may {
            recent.push_back(self.now());
        }
        may
    }

    async fn read_recent(&self, since: Time) -> Result<(), StoreError> {
        let mut after = Some(IncidentId::new(since, [0; 16]));
        loop {
            let page = self.0.store.list(&Query::all().after(after).limit(1_000)).await?;
            let mut recent = locked(&self.0.storms.recent);
            for row in &page.rows {
                // A row that can't be read is the audit's to tell of.
                let Ok(summary) = serde_json::from_slice::<Summary>(&row.summary) else { continue };
                recent.entry((summary.side, summary.severity)).or_default().push_back(row.id.made_at());
            }
            after = page.rows.last().map(|row| row.id);
            if !page.more || after.is_none() {
                return Ok(());
            }
        }
    }

    async fn gather(
        &self,
        group: &Group,
        severity: Severity,
        signals: &Arc<[Signal]>,
        begins: bool,
    ) -> Result<Option<Taken>, CommandError> {
        let place = Place { group: group.clone(), severity };
        let gathered = group.gathered(signals);
        let lane = {
            let mut lanes = locked(&self.0.storms.lanes);
            let source = group.actor.to_string();
            Arc::clone(lanes.entry((source, storm_key(group.side, severity))).or_default())
        };
        let (engine, place, turn) = (self.clone(), Arc::new(place), Arc::clone(&lane));
        let turn = move || {
            let (engine, place, lane) = (engine.clone(), Arc::clone(&place), Arc::clone(&turn));
            async move { engine.drain_storm(&place, &lane).await }
        };
        let answered = lane.ask(Entry { gathered, begins }, turn).await;
        answered.unwrap_or_else(|| Err(CommandError::Unknown { command: self.new_command_id() }))
    }

    /// Takes in what waits for the incident that gathers, as one.
    async fn drain_storm(&self, place: &Place, lane: &StormLane) {
        // The other groups of the same webhook come at once.
        tokio::task::yield_now().await;
        let mut count = 0;
        let (entries, replies) = lane.take(|entry| {
            count += entry.gathered.signals.len();
            count <= AT_ONCE || count == entry.gathered.signals.len()
        });
        if entries.is_empty() {
            return;
        }
        match self.take_entries(place, &entries).await {
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
        place: &Place,
        entries: &[Entry],
    ) -> Result<Vec<Option<Taken>>, CommandError> {
        // Between the look and the commit the storm may end, or somebody else may begin one.
        for _ in 0..8 {
            let mut taken = vec![None; entries.len()];
            if let Some(state) = self.storm_at(place).await? {
                let gathered = joining(&state, entries, self.now(), &mut taken);
                if !gathered.is_empty() && !self.join_storm(place, &state, gathered).await? {
                    continue;
                }
            }
            if self.begin_storm(place, entries, &mut taken).await? {
                return Ok(taken);
            }
        }
        Err(CommandError::Refused(Refusal::KeyTaken { key: storm_key(place.group.side, place.severity) }))
    }

    /// The incident that gathers, or did so last, unless it has ended.
    async fn storm_at(&self, place: &Place) -> Result<Option<Arc<Incident>>, CommandError> {
        let of = (place.group.side, place.severity);
        let known = locked(&self.0.storms.known).remove(&of);
        let by = match known {
            Some(by) => Some(by),
            None => self.storm_of(of).await?,
        };
        let Some(by) = by else { return Ok(None) };
        let state = self.look_at(by).await?.incident;
        if state.ended.is_some() {
            return Ok(None);
        }
        locked(&self.0.storms.known).insert(of, by);
        Ok(Some(state))
    }

    /// Lets the incident take alerts in; not if it has let one of the groups go by now.
    async fn join_storm(
        &self,
        place: &Place,
        state: &Incident,
        gathered: Vec<Gathered>,
    ) -> Result<bool, CommandError> {
        match self.send(state.id, place.group.request(self, Command::Gather(gathered))).await {
            Err(CommandError::Refused(Refusal::LetGo)) => Ok(false),
            done => done.map(|_| true),
        }
    }

    /// Begins a storm with what no incident took in, if it may; not if somebody else was faster.
    async fn begin_storm(
        &self,
        place: &Place,
        entries: &[Entry],
        taken: &mut [Option<Taken>],
    ) -> Result<bool, CommandError> {
        let left: Vec<usize> =
            (0..entries.len()).filter(|at| entries[*at].begins && taken[*at].is_none()).collect();
        if left.is_empty() {
            return Ok(true);
        }
        let gathered = left.iter().map(|at| entries[*at].gathered.clone()).collect();
        let (of, id) = ((place.group.side, place.severity), self.new_incident_id());
        let declare = Command::Declare(Box::new(declare(place, gathered)));
        match self.send(id, place.group.request(self, declare)).await {
            Err(CommandError::Refused(Refusal::KeyTaken { .. })) => {
                locked(&self.0.storms.known).remove(&of);
                return Ok(false);
            }
            done => done?,
        };
        locked(&self.0.storms.known).insert(of, id);
        for (n, at) in left.into_iter().enumerate() {
            taken[at] = Some(if n == 0 { Taken::Declared(id) } else { Taken::Joined(id) });
        }
        Ok(true)
    }
}

/// The alerts that the incident takes in: those that fire, and those of groups that it has.
fn joining(state: &Incident, entries: &[Entry], now: Time, taken: &mut [Option<Taken>]) -> Vec<Gathered> {
    let mut gathered = Vec::new();
    for (Entry { gathered: it, .. }, taken) in entries.iter().zip(taken) {
        let has = state.storm.as_ref().is_some_and(|storm| storm.has(&it.group));
        if (has || it.signals.iter().any(Signal::is_firing)) && takes_group(state, &it.group, now) {
            *taken = Some(Taken::Joined(state.id));
            gathered.push(it.clone());
        }
    }
    gathered
}

fn declare(place: &Place, gathered: Vec<Gathered>) -> Declare {
    let Place { group, severity } = place;
    let first = gathered.iter().flat_map(|it| it.signals.iter()).find(|signal| signal.is_firing());
    let summary = first.map(|signal| inert::line(&signal.summary)).filter(|summary| !summary.is_empty());
    let summary = summary.unwrap_or_else(|| "alerts of many groups".to_owned());
    let mut declare = Declare::new(&inert::clip(&format!("alert storm, first: {summary}"), 256));
    declare.severity = Some(*severity);
    declare.detected_by = first.map_or(declare.detected_by, |signal| signal.detected_by);
    declare.side = group.side;
    declare.storm =
        Some(StormDeclared { groups: group.storm.incidents, within: group.storm.within, gathered });
    declare
}

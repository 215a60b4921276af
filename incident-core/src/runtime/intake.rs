//! Alerts in: each finds the incident that its group belongs to, or begins one.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::engine::{Engine, locked};
use super::error::CommandError;
use super::lane::Lane;
use crate::domain::command::{Command, Declare, Gather, Gathered, Refusal, Request};
use crate::domain::id::{Digest, IncidentId};
use crate::domain::incident::Side;
use crate::domain::index::signal_key;
use crate::domain::inert;
use crate::domain::role::Actor;
use crate::domain::runbook::Runbook;
use crate::domain::severity::Severity;
use crate::domain::signal::{Signal, SignalRule};
use crate::domain::storm::StormPolicy;
use crate::port::store::{Held, StoreError, StoreTrouble};

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
    /// How many alerts resolved something that no open incident holds.
    pub pointless: usize,
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
        let mut groups: BTreeMap<String, (&SignalRule, Vec<Signal>)> = BTreeMap::new();
        let mut name = String::new();
        for signal in signals {
            let Some(rule) = rule_for(&runbook, &signal) else {
                intake.unmatched += 1;
                continue;
            };
            write_group(&mut name, rule, &signal);
            match groups.get_mut(&name) {
                Some((_, signals)) => signals.push(signal),
                None => drop(groups.insert(name.clone(), (rule, vec![signal]))),
            }
        }
        let each = groups.into_iter().map(|(name, (rule, signals))| {
            let group =
                Group { side, actor: actor.clone(), name, rule: rule.clone(), storm: runbook.signals.storm };
            self.take_group(Arc::new(group), signals)
        });
        for taken in futures_util::future::join_all(each).await {
            match taken? {
                (Taken::Declared(id), _) => intake.declared.push(id),
                (Taken::Joined(id), _) => intake.joined.push(id),
                (Taken::Pointless, count) => intake.pointless += count,
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
    async fn take_in(
        &self,
        group: &Arc<Group>,
        own: &mut Option<IncidentId>,
        signals: &Arc<[Signal]>,
    ) -> Result<Taken, CommandError> {
        let (key, fires) = (group.key(), signals.iter().any(Signal::is_firing));
        let mut gone = None;
        // Between the look and the commit somebody else may take the key, or let it go.
        for _ in 0..8 {
            let (held, storms) = match own.take() {
                Some(by) => (Some(Held { by, until: None }), self.open_storms(group.side).await?),
                None => {
                    let (held, storms) =
                        tokio::join!(self.0.store.holder(&key), self.open_storms(group.side));
                    (held.map_err(|error| CommandError::Store(error.into()))?, storms?)
                }
            };
            let by = held.filter(|held| held.at(self.now()) && gone != Some(held.by)).map(|held| held.by);
            let gathered = self.take_in_storms(group, signals, &storms, by.is_none()).await?;
            if let Some(by) = by {
                let gather = Gather { gathered: vec![group.gathered(signals)], begins: false };
                match self.send(by, group.request(self, Command::Gather(gather))).await {
                    Err(CommandError::Refused(Refusal::LetGo)) => {
                        gone = Some(by);
                        continue;
                    }
                    done => done?,
                };
                *own = Some(by);
                return Ok(Taken::Joined(by));
            }
            match gathered {
                Some((by, severity)) if !fires || severity <= group.severity(signals) => {
                    return Ok(Taken::Joined(by));
                }
                None if !fires => return Ok(Taken::Pointless),
                _ => {}
            }
            let counted = self.count_declared(group, signals).await;
            if !counted && let Some(taken) = self.begin_storm(group, signals).await? {
                return Ok(taken);
            }
            let id = self.new_incident_id();
            let declare = Command::Declare(Box::new(declare(group, signals, held.map(|held| held.by))));
            let declared = self.send(id, group.request(self, declare)).await;
            if declared.is_err() && counted {
                self.uncount_declared(group, signals);
            }
            match declared {
                Err(CommandError::Refused(Refusal::KeyTaken { .. })) => {}
                done => {
                    done?;
                    *own = Some(id);
                    return Ok(Taken::Declared(id));
                }
            }
        }
        Err(CommandError::Refused(Refusal::KeyTaken { key }))
    }
}

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
}

/// What alerts of one incident have in common.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Group {
    pub(super) side: Side,
    pub(super) actor: Actor,
    pub(super) name: String,
    pub(super) rule: SignalRule,
    pub(super) storm: StormPolicy,
}

impl Group {
    fn key(&self) -> String {
        signal_key(self.side, &self.name)
    }

    /// How bad an incident of these alerts is.
    pub(super) fn severity(&self, signals: &[Signal]) -> Severity {
        let fires = signals.iter().any(Signal::is_firing);
        let labelled =
            signals.iter().filter(|signal| signal.is_firing() == fires).filter_map(severity_of).min();
        self.rule.severity.or(labelled).unwrap_or(Severity::Sev2)
    }

    pub(super) fn gathered(&self, signals: &Arc<[Signal]>) -> Gathered {
        Gathered { group: self.name.clone(), signals: Arc::clone(signals) }
    }

    pub(super) fn request(&self, engine: &Engine, command: Command) -> Request {
        Request::new(engine.new_command_id(), self.actor.clone(), command)
    }
}

/// The error if an engine stops before it answers. Alerts may be sent again as they are.
pub(super) fn stopped() -> CommandError {
    let stopped = StoreError::new(StoreTrouble::Unavailable, "ingest");
    CommandError::Store(Arc::new(stopped.caused_by("the engine stopped before it answered")))
}

fn rule_for<'a>(runbook: &'a Runbook, signal: &Signal) -> Option<&'a SignalRule> {
    let fits = |rule: &&SignalRule| {
        rule.matches.iter().all(|(label, value)| signal.labels.get(label) == Some(value))
    };
    runbook.signals.rules.iter().find(fits)
}

/// Writes what the alerts of one incident have in common: the service and the labels that the rule groups by.
fn write_group(name: &mut String, rule: &SignalRule, signal: &Signal) {
    name.clear();
    let value = |label| signal.labels.get(label).map_or("", String::as_str);
    inert::push_line(name, value(&rule.service_label));
    for label in rule.group_by.iter().filter(|it| **it != rule.service_label) {
        name.push('/');
        inert::push_line(name, value(label));
    }
    if name.len() > 256 {
        let digest = Digest::of(&[name.as_bytes()]).short();
        *name = format!("{}#{digest}", inert::clip(name, 192));
    }
}

fn declare(group: &Group, signals: &Arc<[Signal]>, recurrence_of: Option<IncidentId>) -> Declare {
    let Group { side, name, rule, .. } = group;
    let first = signals.iter().find(|signal| signal.is_firing());
    let title = summary(first).unwrap_or_else(|| format!("alerts of {name}"));
    let mut declare = found(&title, first, *side, group.severity(signals));
    let service = first.and_then(|signal| signal.labels.get(&rule.service_label));
    declare.service = service.map(|it| inert::clip(&inert::line(it), 128)).filter(|it| !it.is_empty());
    declare.signal_group = Some(name.clone());
    declare.link =
        first.and_then(|signal| signal.link.as_deref()).map(|link| inert::clip(&inert::line(link), 512));
    declare.signals = Arc::clone(signals);
    declare.recurrence_of = recurrence_of;
    declare
}

/// What an alert says, in a line, if it says anything.
pub(super) fn summary(alert: Option<&Signal>) -> Option<String> {
    alert.map(|alert| inert::line(&alert.summary)).filter(|summary| !summary.is_empty())
}

/// The declaration of what an alert was the first to find.
pub(super) fn found(title: &str, first: Option<&Signal>, side: Side, severity: Severity) -> Declare {
    let mut declare = Declare::new(&inert::clip(title, 256)).severity(severity);
    declare.detected_by = first.map_or(declare.detected_by, |alert| alert.detected_by);
    declare.side = side;
    declare
}

/// The severity that an alert's own label names.
fn severity_of(signal: &Signal) -> Option<Severity> {
    let label = signal.labels.get("severity")?;
    match label.to_lowercase().as_str() {
        "critical" | "page" => Some(Severity::Sev1),
        "error" | "high" | "major" => Some(Severity::Sev2),
        "warning" | "medium" | "minor" => Some(Severity::Sev3),
        "info" | "low" => Some(Severity::Sev4),
        other => other.parse().ok(),
    }
}

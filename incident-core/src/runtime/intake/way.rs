//! The way of a group's alerts into an incident, around whatever stands in it.

use std::sync::Arc;

use super::Taken;
use super::group::{Group, declare};
use crate::model::id::IncidentId;
use crate::model::inert;
use crate::model::signal::Signal;
use crate::port::store::{Held, StoreTrouble};
use crate::rules::command::{Command, Declare, Gather, Refusal};
use crate::runtime::engine::Engine;
use crate::runtime::error::CommandError;

/// Why an incident stands in the way whose row says that it has the group, and whose log says that it hasn't.
const HOLDS_ITS_NAME: &str = "it has let the group of alerts go and still holds its name";

/// Why an incident can't take alerts in although it holds their group; none if that may pass.
fn stands_in_the_way(error: &CommandError) -> Option<String> {
    match error {
        CommandError::Unreadable(why) => Some(format!("it can't be read: {why}")),
        CommandError::Newer { .. } => Some("a newer version of the software keeps it".to_owned()),
        CommandError::Refused(refusal) => Some(refusal.to_string()),
        CommandError::Store(error) => match error.kind {
            StoreTrouble::Corrupt | StoreTrouble::Newer | StoreTrouble::TooLarge => {
                Some(error.kind.to_string())
            }
            _ => None,
        },
        CommandError::Internal => Some(error.to_string()),
        CommandError::Unknown { .. } => None,
    }
}

/// The way of a group's alerts into an incident.
pub(super) struct Way {
    pub(super) group: Arc<Group>,
    pub(super) signals: Arc<[Signal]>,
    /// The group's own incident, as far as is known.
    pub(super) own: Option<IncidentId>,
    /// The incident that has let the group go.
    pub(super) gone: Option<IncidentId>,
    /// Why it isn't the plain one.
    pub(super) notes: Vec<String>,
}

impl Way {
    pub(super) fn fires(&self) -> bool {
        self.signals.iter().any(Signal::is_firing)
    }

    /// Goes on around `by`, which stands in the way.
    fn around(&mut self, by: IncidentId, why: &str) {
        self.notes.push(inert::clip(&format!("incident {by} has this group of alerts, but {why}"), 256));
        self.group = Arc::new(self.group.instead_of(by));
        self.gone = None;
    }

    pub(super) fn declare(&self, recurrence_of: Option<IncidentId>) -> Declare {
        let mut declare = declare(&self.group, &self.signals, recurrence_of);
        declare.notes.clone_from(&self.notes);
        declare
    }
}

impl Engine {
    /// One attempt; none if the world has changed meanwhile.
    pub(super) async fn take_in_once(&self, way: &mut Way) -> Result<Option<Taken>, CommandError> {
        let (group, side) = (Arc::clone(&way.group), way.group.side);
        let (held, storms) = match way.own.take() {
            Some(by) => (Some(Held { by, until: None }), self.open_storms(side).await?),
            None => {
                let key = group.key();
                let (held, storms) = tokio::join!(self.0.store.holder(&key), self.open_storms(side));
                (held.map_err(|error| CommandError::Store(error.into()))?, storms?)
            }
        };
        let by = held.filter(|held| held.at(self.now()) && way.gone != Some(held.by)).map(|held| held.by);
        let gathered = self.take_in_storms(&group, &way.signals, &storms, by.is_none()).await?;
        if let Some(by) = by {
            let gather = Gather { gathered: vec![group.gathered(&way.signals)], begins: false };
            return match self.send(by, group.request(self, Command::Gather(gather))).await {
                Ok(done) => {
                    if !done.changed {
                        self.tell_others(way, by).await;
                    }
                    way.own = Some(by);
                    Ok(Some(Taken::Joined(by)))
                }
                Err(CommandError::Refused(Refusal::LetGo)) => {
                    way.gone = Some(by);
                    Ok(None)
                }
                Err(error) => match stands_in_the_way(&error) {
                    Some(why) => {
                        way.around(by, &why);
                        Ok(None)
                    }
                    None => Err(error),
                },
            };
        }
        let severity = group.severity(&way.signals);
        match gathered {
            Some((by, storms)) if !way.fires() || storms <= severity => return Ok(Some(Taken::Joined(by))),
            None if !way.fires() => {
                // The incident that had the group in its place may wait for this end.
                let Some(gone) = way.gone else { return Ok(Some(Taken::Pointless)) };
                way.around(gone, HOLDS_ITS_NAME);
                return Ok(None);
            }
            _ => {}
        }
        let earlier = held.map(|held| held.by);
        let ended = match earlier {
            Some(earlier) => Some(earlier),
            None => self.ended_storm(&group, &way.signals).await,
        };
        if let Some(ended) = ended {
            self.leave_stale(way, ended).await;
            if !way.fires() {
                return Ok(Some(Taken::Stale));
            }
        }
        let counted = self.count_declared(&group, &way.signals).await;
        if !counted && let Some(taken) = self.begin_storm(&group, &way.signals).await? {
            return Ok(Some(taken));
        }
        let id = self.new_incident_id();
        let declare = Command::Declare(Box::new(way.declare(earlier)));
        let declared = self.send(id, group.request(self, declare)).await;
        if declared.is_err() && counted {
            self.uncount_declared(&group, &way.signals);
        }
        match declared {
            Ok(_) => {
                way.own = Some(id);
                Ok(Some(Taken::Declared(id)))
            }
            Err(CommandError::Refused(Refusal::KeyTaken { .. })) => {
                // Its row says that it has the group, and its log says that it hasn't.
                if let Some(gone) = way.gone.take() {
                    way.around(gone, HOLDS_ITS_NAME);
                }
                Ok(None)
            }
            Err(error) => Err(error),
        }
    }

    /// Lets the incident that had the group in place of `by` hear of an end that `by` knows nothing of.
    async fn tell_others(&self, way: &Way, by: IncidentId) {
        let over: Vec<Signal> = way.signals.iter().filter(|signal| !signal.is_firing()).cloned().collect();
        if over.is_empty() {
            return;
        }
        let other = way.group.instead_of(by);
        let Ok(Some(held)) = self.0.store.holder(&other.key()).await else { return };
        let gather = Gather { gathered: vec![other.gathered(&Arc::from(over))], begins: false };
        if let Err(error) = self.send(held.by, other.request(self, Command::Gather(gather))).await {
            tracing::debug!(other = %held.by, %error, "an alert's end concerns no other incident");
        }
    }

    /// Leaves alerts whose occurrence an earlier incident saw end to the timeline of that one.
    async fn leave_stale(&self, way: &mut Way, earlier: IncidentId) {
        if !way.signals.iter().any(|signal| signal.is_firing() && signal.started_at.is_some()) {
            return;
        }
        let Ok(seen) = self.look_at(earlier).await else { return };
        let is_stale = |signal: &&Signal| seen.incident.saw_end(&way.group.name, signal);
        let (stale, fresh): (Vec<&Signal>, Vec<&Signal>) = way.signals.iter().partition(is_stale);
        if stale.is_empty() {
            return;
        }
        let stale: Vec<Signal> = stale.into_iter().cloned().collect();
        let note = match seen.incident.storm {
            Some(_) => {
                Command::Gather(Gather { gathered: vec![way.group.gathered(&stale.into())], begins: false })
            }
            None => Command::Signals(stale),
        };
        let fresh: Arc<[Signal]> = fresh.into_iter().cloned().collect();
        if let Err(error) = self.send(earlier, way.group.request(self, note)).await {
            tracing::warn!(%earlier, %error, "an incident that is over couldn't note that old alerts came again");
        }
        way.signals = fresh;
    }
}

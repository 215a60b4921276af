//! Checking from outside the mechanism that nothing was forgotten, and saying aloud what can't be read.

use std::collections::BTreeMap;
use std::panic::AssertUnwindSafe;
use std::time::Duration;

use futures_util::FutureExt;

use super::engine::{Engine, locked};
use super::{calls, check, heard};
use crate::log::chain;
use crate::log::chain::Unreadable;
use crate::log::index::FOLD;
use crate::log::wake::next_wake;
use crate::model::id::{EffectId, IncidentId, Seq};
use crate::model::notice::{Label, Line, Notice, NoticeKind};
use crate::model::severity::{Audience, Severity};
use crate::model::side::Side;
use crate::model::time::{Time, after, since, to_millis};
use crate::port::EffectContext;
use crate::port::store::{Query, StoreError};
use crate::rules::due::due;
use crate::runbook::reaches_anybody;

/// How often somebody is told of an incident that can't be read.
const ALARM_EVERY: Duration = Duration::from_secs(3_600);
/// Where the ids of alarms begin: no log is ever that long.
const FIRST_ALARM: Seq = Seq(1 << 62);

/// What an audit found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Audit {
    /// How many incidents were folded.
    pub folded: usize,
    /// How many of them owe something.
    pub unsettled: usize,
    /// What is wrong.
    pub findings: Vec<AuditFinding>,
}

impl Audit {
    /// Whether nothing is wrong.
    #[must_use]
    pub fn is_clean(&self) -> bool {
        self.findings.is_empty()
    }
}

/// Something wrong with one incident.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct AuditFinding {
    /// The incident.
    pub incident: IncidentId,
    /// What is wrong with it.
    pub problem: AuditProblem,
}

/// How an engine is, for a health endpoint.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Health {
    /// How far the engines on the store are behind what is due.
    pub behind: Duration,
    /// Whether no live route of this engine reaches anybody inside the organisation: it can page nobody.
    pub pages_nobody: bool,
}

/// What can be wrong with an incident.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum AuditProblem {
    /// Its log can't be read, or was changed.
    #[error("its log can't be read: {0}")]
    Unreadable(Unreadable),
    /// Something was due and nobody did it.
    #[error("something is overdue since {since}: no engine runs, or none has the adapter")]
    Overdue {
        /// Since when, UTC.
        since: Time,
    },
    /// It is live and unacknowledged, and nobody inside the organisation was reached.
    #[error("nobody was reached: add a route for its audiences, or acknowledge it")]
    NobodyReached,
    /// The index would let it be forgotten.
    #[error("the index would wake it at {indexed:?}, the log says {logged:?}")]
    Index {
        /// When the index would wake it, UTC.
        indexed: Option<Time>,
        /// When the log says, UTC.
        logged: Option<Time>,
    },
    /// The index is of another version than the log.
    #[error("the index is at version {indexed}, the log at {logged}")]
    Version {
        /// The index's version.
        indexed: Seq,
        /// The log's version.
        logged: Seq,
    },
}

impl Engine {
    /// Folds the log of every incident and compares what it owes with what the index says and with the time.
    ///
    /// What is due counts as forgotten after two leases.
    ///
    /// # Errors
    /// [`StoreError`] if the store can't list or load.
    pub async fn audit(&self) -> Result<Audit, StoreError> {
        let (mut audit, runbook) = (Audit::default(), self.runbook());
        let mut last = None;
        loop {
            let page = self.0.store.list(&Query::all().after(last).limit(500)).await?;
            for row in &page.rows {
                // The row was read before the log, so a commit in between isn't a finding.
                let log = self.0.store.load(row.id, Seq::ZERO).await?;
                let version = log.last().map_or(Seq::ZERO, |stored| stored.seq);
                let mut find = |problem| audit.findings.push(AuditFinding { incident: row.id, problem });
                audit.folded += 1;
                let incident = match chain::verify(row.id, &log, None).and_then(|_| chain::fold(row.id, &log))
                {
                    Ok((incident, _)) => incident,
                    Err(unreadable) => {
                        find(AuditProblem::Unreadable(unreadable));
                        continue;
                    }
                };
                if version < row.version {
                    find(AuditProblem::Version { indexed: row.version, logged: version });
                }
                let logged = next_wake(&incident);
                // A row of another fold isn't forgotten: it is offered until it is computed anew.
                // A store keeps milliseconds, and whole times are compared: a retry falls between two of them.
                if row.by == FOLD
                    && version == row.version
                    && logged.map(to_millis) != row.next_wake.map(to_millis)
                {
                    find(AuditProblem::Index { indexed: row.next_wake, logged });
                }
                let grace = after(logged.unwrap_or(Time::MAX_UTC), self.0.lease.saturating_mul(2));
                let now = incident.present(self.now());
                let wanted = due(&incident, now);
                if grace <= now && (wanted.wake || wanted.look || !wanted.start.is_empty()) {
                    find(AuditProblem::Overdue { since: logged.unwrap_or(now) });
                }
                if incident.has_reached_nobody(runbook.pages(incident.severity)) {
                    find(AuditProblem::NobodyReached);
                }
                audit.unsettled += usize::from(!incident.is_settled());
            }
            last = page.rows.last().map(|row| row.id);
            if !page.more || last.is_none() {
                return Ok(audit);
            }
        }
    }

    /// What a health endpoint asks. Cheap: it reads one row of the index.
    ///
    /// # Errors
    /// [`StoreError`] if the store can't say.
    pub async fn health(&self) -> Result<Health, StoreError> {
        let next = self.0.store.next_wake().await?;
        let pages_nobody = !reaches_anybody(&self.0.live.reach().notices);
        Ok(Health { behind: next.map(|next| since(self.now(), next)).unwrap_or_default(), pages_nobody })
    }

    /// Tells the caretaker of an incident that is left alone, again every hour. Nothing can be recorded of it: its log can't be
    /// read, or the rules fail on it.
    pub(super) async fn alarm(&self, id: IncidentId, what: &str, why: &str) {
        let now = self.now();
        let hour = now.timestamp().unsigned_abs() / ALARM_EVERY.as_secs();
        if locked(&self.0.alarms).insert(id, hour) == Some(hour) {
            return;
        }
        tracing::error!(%id, why, "{what}");
        let side = self.side_of(id).await;
        // Every engine gives the alarm of one hour the same id, and the next hour's another one.
        self.tell_caretaker(side, EffectId { incident: id, seq: Seq(FIRST_ALARM.0 + hour) }, what, why).await;
    }

    /// Tells the caretaker of something that no incident's log can hold.
    pub(super) async fn tell_caretaker(&self, side: Side, effect: EffectId, what: &str, why: &str) {
        let (now, registry) = (self.now(), self.registry(side));
        let caretaker = Audience::new(Audience::CARETAKER);
        for route in registry.reach().to(&caretaker) {
            let (Some(notifier), Some(backend)) =
                (registry.notifier(&route.name).cloned(), registry.notifies(&route.name))
            else {
                continue;
            };
            let kind = NoticeKind::PersonNeeded;
            let mut notice = Notice::new(effect.incident, effect.seq, kind, vec![caretaker.clone()], what);
            notice.severity = Severity::Sev1;
            notice.drill = side == Side::Drill;
            notice.issued_at = now;
            notice.lines.push(Line { label: Label::Because, text: why.to_owned() });
            let cx = EffectContext::new(effect, now).with_deadline(self.deadline());
            let deliver = async move { notifier.deliver(&cx, &notice).await.is_ok() };
            if calls::call(backend, self.deadline(), deliver).await != Ok(true) {
                tracing::error!(incident = %effect.incident, route = route.name, "the caretaker couldn't be told");
            }
        }
    }

    /// The side of an incident whose log can't be read as a whole: its first record says it. If that can't be read either,
    /// somebody must hear of it on the live side.
    async fn side_of(&self, id: IncidentId) -> Side {
        let read = async {
            let log = self.0.store.load(id, Seq::ZERO).await.ok()?;
            chain::fold(id, log.get(..1)?).ok()
        };
        // What made the incident fail may do so again here.
        let first = AssertUnwindSafe(read).catch_unwind().await.ok().flatten();
        first.map_or(Side::Live, |(incident, _)| incident.side)
    }

    /// Asks every adapter whether it will work in an incident, all at once.
    pub async fn preflight(&self) -> PreflightReport {
        let cx = crate::port::PreflightContext::new(self.now());
        let sides = [Side::Live, Side::Drill].into_iter();
        let ports = sides.flat_map(|side| self.registry(side).ports().iter().map(move |it| (side, it)));
        let asked = ports.flat_map(|(side, (name, ports))| {
            (0..ports.adapters().count()).map(move |at| (side, name, ports.clone(), at))
        });
        let cx = &cx;
        let asked = asked.map(|(side, name, ports, at)| async move {
            let Some(backend) = self.registry(side).backend(name) else { return (side, name, None) };
            let cx = cx.clone();
            let ask = async move {
                match ports.adapters().nth(at) {
                    Some(adapter) => Some(adapter.preflight(&cx).await),
                    None => None,
                }
            };
            let found = match calls::call(backend, self.deadline(), ask).await {
                Ok(Some(Ok(found))) => Some(Ok(heard::preflight(found))),
                Ok(Some(Err(error))) => Some(Err(heard::error(&error))),
                Ok(None) => None,
                Err(why) => Some(Err(why.to_owned())),
            };
            (side, name, found)
        });
        let warnings = check::check(&self.runbook(), &self.0.live, &self.0.drill, self.0.pages_nobody);
        let mut report = PreflightReport { warnings, ..Default::default() };
        for (side, name, found) in futures_util::future::join_all(asked).await {
            let of_it = report.adapters.entry((side, name.clone())).or_default();
            of_it.extend(found);
        }
        report
    }
}

/// What the adapters said before the incident.
#[derive(Debug, Clone, Default)]
#[non_exhaustive]
pub struct PreflightReport {
    /// What each port of each backend found, or why it couldn't be asked.
    pub adapters: BTreeMap<(Side, String), Vec<Result<crate::port::Preflight, String>>>,
    /// What is odd about the runbook and the routes, such as an audience that no route reaches.
    pub warnings: Vec<crate::runbook::Finding>,
}

impl PreflightReport {
    /// Whether every adapter will work; warnings don't count.
    #[must_use]
    pub fn is_good(&self) -> bool {
        self.adapters
            .values()
            .flatten()
            .all(|found| found.as_ref().is_ok_and(crate::port::Preflight::is_good))
    }
}

//! What each section says, drawn from the timeline and the state.

use std::collections::BTreeMap;

use super::account::{ActionItem, Approval, Evidence, MitigationAccount, Promises};
use super::document::Statement;
use crate::domain::effect::{Outcome, Work};
use crate::domain::event::{Fact, FixStep, Record};
use crate::domain::id::Seq;
use crate::domain::incident::{Incident, Milestones};
use crate::domain::inert;
use crate::domain::mitigation::Stage;
use crate::domain::obligation::ObligationKind;
use crate::domain::role::{Actor, PersonId};
use crate::domain::runbook::Runbook;
use crate::domain::severity::Severity;
use crate::domain::time::{spoken, stamp};
use crate::domain::timeline::{Entry, Log, timeline};

/// What a post-mortem is written from.
pub(super) struct Source<'a> {
    incident: &'a Incident,
    runbook: &'a Runbook,
    records: &'a [Record],
    log: Log<'a>,
    timeline: Vec<Entry>,
}

fn statement(text: &str, records: impl IntoIterator<Item = Seq>) -> Statement {
    let mut records: Vec<Seq> = records.into_iter().collect();
    records.sort_unstable();
    records.dedup();
    Statement { text: inert::line(text), records }
}

impl<'a> Source<'a> {
    pub(super) fn new(incident: &'a Incident, records: &'a [Record], runbook: &'a Runbook) -> Self {
        let log = Log::new(incident, records);
        Self { incident, runbook, records, log, timeline: timeline(incident, records) }
    }

    pub(super) fn into_timeline(self) -> Vec<Entry> {
        self.timeline
    }

    /// The records of which `found` holds, in the order of the log.
    fn all(&self, found: impl Fn(&Fact) -> bool) -> impl DoubleEndedIterator<Item = Seq> {
        self.records.iter().filter(move |record| found(&record.fact)).map(|record| record.seq)
    }

    /// What the timeline says of `seqs`, in its order.
    fn told(&self, seqs: &[Seq]) -> Vec<Statement> {
        let told = self.timeline.iter().filter(|entry| seqs.contains(&entry.seq));
        told.map(|entry| statement(&entry.what, [entry.seq].into_iter().chain(entry.corrected_by))).collect()
    }

    fn tell(&self, found: impl Fn(&Fact) -> bool) -> Vec<Statement> {
        self.told(&self.all(found).collect::<Vec<_>>())
    }

    fn person(&self, id: &PersonId) -> String {
        self.runbook.persons.get(id).map_or_else(|| id.to_string(), |person| person.name.clone())
    }

    pub(super) fn title(&self) -> Statement {
        let declared = self.all(|fact| matches!(fact, Fact::Declared(_))).next();
        let words = self.log.words(declared.unwrap_or_default(), self.incident.title);
        statement(words, declared)
    }

    pub(super) fn worst(&self) -> Severity {
        let severities = self.records.iter().filter_map(|record| match &record.fact {
            Fact::Declared(it) => Some(it.severity),
            Fact::SeveritySet(it) => Some(it.to),
            _ => None,
        });
        severities.chain([self.incident.severity]).min().unwrap_or(self.incident.severity)
    }

    pub(super) fn dates(&self) -> Vec<Statement> {
        let first = |found: fn(&Fact) -> bool| self.all(found).next();
        let last = |found: fn(&Fact) -> bool| self.all(found).next_back();
        let declared = first(|fact| matches!(fact, Fact::Declared(_)));
        let start = last(
            |fact| matches!(fact, Fact::Corrected(it) if it.record == Seq(1) && it.occurred_at.is_some()),
        );
        let mitigated = first(|fact| match fact {
            Fact::MitigationVerified(it) => it.holds,
            Fact::FixRecorded(it) => it.step == FixStep::Deployment,
            _ => false,
        });
        let resolved = last(|fact| matches!(fact, Fact::Resolved(_)));
        let ended = |fact: &Fact| matches!(fact, Fact::Closed(_) | Fact::Cancelled(_) | Fact::Merged(_));
        let Milestones { started, .. } = self.incident.milestones;
        let at = &self.incident.milestones;
        let began = if self.incident.start_known { "Began" } else { "Began, as assumed" };
        let dates = [
            (began, started, start.or(declared)),
            ("Detected", at.detected, declared),
            ("Declared", at.declared, declared),
            ("Acknowledged", at.acknowledged, first(|fact| matches!(fact, Fact::Acknowledged(_)))),
            ("Mitigated", at.mitigated, mitigated),
            ("Recovered", at.recovered, resolved),
            ("Resolved", at.resolved, resolved),
            ("Ended", at.closed, last(ended)),
        ];
        let said = dates.into_iter().filter_map(|(what, at, seq)| Some((what, at?, seq)));
        said.map(|(what, at, seq)| statement(&format!("{what}: {}", stamp(at)), seq)).collect()
    }

    pub(super) fn summary(&self) -> Vec<Statement> {
        let mut summary = self.tell(|fact| matches!(fact, Fact::Declared(_)));
        let resolved = self.all(|fact| matches!(fact, Fact::Resolved(_))).next_back();
        if let Some(lasted) = crate::domain::metrics::ResponseTimes::of(self.incident).resolve {
            let declared = self.all(|fact| matches!(fact, Fact::Declared(_))).next();
            summary.push(statement(
                &format!("It lasted {}", spoken(lasted)),
                declared.into_iter().chain(resolved),
            ));
        }
        let held = self.incident.mitigations.iter().filter(|(_, it)| it.stage == Stage::Holds);
        for (seq, it) in held.filter(|(_, it)| it.undoes.is_none()) {
            summary.push(statement(&format!("What was done and held: {}", it.mitigation), [*seq]));
        }
        summary.extend(self.tell(|fact| {
            matches!(
                fact,
                Fact::Reopened(_)
                    | Fact::Cancelled(_)
                    | Fact::Absorbed(_)
                    | Fact::Merged(_)
                    | Fact::Linked(_)
            )
        }));
        summary.extend(self.told(&resolved.into_iter().collect::<Vec<_>>()));
        summary
    }

    /// What the last assessment says, one thing each.
    pub(super) fn impact(&self) -> Vec<Statement> {
        let Some(last) = self.all(|fact| matches!(fact, Fact::ImpactAssessed(_))).next_back() else {
            return Vec::new();
        };
        match &self.incident.impact {
            Some(impact) if self.timeline.iter().all(|entry| entry.seq != last || entry.was.is_none()) => {
                impact.say(&self.incident.texts).iter().map(|known| statement(known, [last])).collect()
            }
            _ => self.told(&[last]),
        }
    }

    pub(super) fn detection(&self) -> Vec<Statement> {
        let detected_by = self.incident.detected_by;
        let who = if detected_by.is_automated() { "a machine" } else { "a person" };
        let declared = self.all(|fact| matches!(fact, Fact::Declared(_)));
        let mut said = vec![statement(&format!("Noticed by {who}: {detected_by}"), declared)];
        said.extend(self.tell(|fact| {
            matches!(fact, Fact::SignalsReceived(_) | Fact::Acknowledged(_) | Fact::Escalated(_))
        }));
        said
    }

    pub(super) fn root_cause(&self) -> Vec<Statement> {
        let confirmed = |seq| self.incident.hypotheses.get(seq).is_some_and(|it| it.confirmed == Some(true));
        let mut said = Vec::new();
        for record in self.records {
            if let Fact::HypothesisJudged(it) = &record.fact
                && it.confirmed
                && confirmed(&it.hypothesis)
            {
                let told = self.told(&[record.seq]).into_iter();
                said.extend(
                    told.map(|told| statement(&told.text, told.records.into_iter().chain([it.hypothesis]))),
                );
            }
        }
        let resolved = self.all(|fact| matches!(fact, Fact::Resolved(_))).next_back();
        said.extend(self.told(&resolved.into_iter().collect::<Vec<_>>()));
        said
    }

    pub(super) fn mitigations(&self) -> Vec<MitigationAccount> {
        let of = |proposal: Seq, found: fn(&Fact) -> Option<Seq>| {
            self.all(move |fact| found(fact) == Some(proposal)).next_back()
        };
        let mut accounts = Vec::new();
        for (proposal, it) in &self.incident.mitigations {
            let approvals = it.approvals.iter().filter_map(|(person, alone)| {
                let approved =
                    |fact: &Fact| matches!(fact, Fact::PlanApproved(by) if by.proposal == *proposal && by.person == *person);
                let record = self.all(approved).next_back()?;
                Some(Approval { person: self.person(person), alone: *alone, record })
            });
            let undone = self.incident.mitigations.iter();
            let mut undone =
                undone.filter(|(_, by)| by.undoes == Some(*proposal) && by.stage == Stage::Holds);
            accounts.push(MitigationAccount {
                proposal: *proposal,
                what: inert::line(&it.mitigation.to_string()),
                system: it.system.clone(),
                stage: it.stage,
                plan: it.plan.as_ref().map(|plan| (plan.seq, plan.digest)),
                changes: it.plan.as_ref().map_or_else(Vec::new, |plan| plan.plan.changes.clone()),
                reversible: it.plan.as_ref().map(|plan| plan.plan.reversible),
                approvals: approvals.collect(),
                executed: of(*proposal, |fact| match fact {
                    Fact::MitigationExecuted(it) => Some(it.proposal),
                    _ => None,
                }),
                verified: of(*proposal, |fact| match fact {
                    Fact::MitigationVerified(it) => Some(it.proposal),
                    _ => None,
                }),
                undoes: it.undoes,
                undone_by: undone.next().map(|(seq, _)| *seq),
            });
        }
        accounts
    }

    pub(super) fn fix(&self) -> Vec<Statement> {
        self.tell(|fact| matches!(fact, Fact::FixRecorded(_)))
    }

    pub(super) fn roles(&self) -> Vec<Statement> {
        let mut said = Vec::new();
        for (role, person) in &self.incident.roles {
            let given = self.all(|fact| match fact {
                Fact::RoleAssigned(it) => it.role == *role,
                Fact::Acknowledged(it) => it.person.as_ref() == Some(person),
                _ => false,
            });
            said.push(statement(&format!("{role}: {}", self.person(person)), given));
        }
        let has_role = |person: &&PersonId| self.incident.roles.values().any(|other| other == *person);
        let others: Vec<String> =
            self.incident.responders.iter().filter(|it| !has_role(it)).map(|it| self.person(it)).collect();
        if !others.is_empty() {
            said.push(statement(&format!("took part: {}", others.join(", ")), []));
        }
        said
    }

    /// How the promise of updates was kept, who was told first when, and whose promises were missed.
    pub(super) fn communication(&self) -> (Promises, Vec<Statement>) {
        let mut missed: BTreeMap<Seq, u32> = BTreeMap::new();
        let mut first_told: BTreeMap<String, (Seq, String)> = BTreeMap::new();
        let mut updates = Promises::default();
        let mut planned = BTreeMap::new();
        for record in self.records {
            match &record.fact {
                Fact::ObligationOpened(it) if it.kind == ObligationKind::Update => {
                    missed.insert(record.seq, 0);
                }
                Fact::ObligationBreached(it) => {
                    if let Some(count) = missed.get_mut(&it.obligation) {
                        *count = count.saturating_add(it.missed);
                        updates.missed = updates.missed.saturating_add(it.missed);
                    }
                }
                Fact::ObligationMet(it) if missed.get(&it.obligation) == Some(&0) => updates.kept += 1,
                Fact::EffectPlanned(it) => {
                    planned.insert(record.seq, &it.work);
                }
                Fact::EffectSettled(it) => {
                    if let (Outcome::Done(_), Some(Work::Notify(notify))) =
                        (&it.outcome, planned.get(&it.effect))
                    {
                        for audience in &notify.audiences {
                            let told = (record.seq, stamp(record.occurred_at));
                            first_told.entry(audience.to_string()).or_insert(told);
                        }
                    }
                }
                _ => {}
            }
        }
        let Promises { kept, missed } = updates;
        let posted = self.all(|fact| matches!(fact, Fact::UpdatePosted(_)));
        let words = format!("Updates promised in time and given: {kept}; deadlines missed: {missed}");
        let mut said = vec![statement(&words, posted)];
        for (audience, (seq, at)) in first_told {
            said.push(statement(&format!("{audience} first told: {at}"), [seq]));
        }
        said.extend(
            self.tell(|fact| matches!(fact, Fact::AudienceUnreached(_) | Fact::ObligationBreached(_))),
        );
        (updates, said)
    }

    pub(super) fn names(&self) -> BTreeMap<Actor, String> {
        let named = self.records.iter().filter_map(|record| match &record.actor {
            Actor::Human(identity) => {
                Some((record.actor.clone(), self.person(self.runbook.person_of(identity)?)))
            }
            _ => None,
        });
        named.collect()
    }

    pub(super) fn actions(&self) -> Vec<ActionItem> {
        let item = |(seq, action): (&Seq, &crate::domain::incident::Action)| ActionItem {
            record: *seq,
            what: inert::line(self.log.words(*seq, action.what)),
            owner: action.owner.as_ref().map(|owner| self.person(owner)),
            action: action.clone(),
        };
        self.incident.actions.iter().map(item).collect()
    }

    pub(super) fn evidence(&self) -> Vec<Evidence> {
        let mut evidence = Vec::new();
        for record in self.records {
            if let Fact::EvidenceKept(it) = &record.fact {
                let kept = |item: &crate::domain::event::EvidenceItem| Evidence {
                    record: record.seq,
                    collector: it.collector.clone(),
                    item: item.clone(),
                };
                evidence.extend(it.items.iter().map(kept));
            }
        }
        evidence
    }
}

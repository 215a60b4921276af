//! What each section says, drawn from the timeline and the state.

use std::collections::BTreeMap;

use super::account::{ActionItem, Approval, Evidence, MitigationAccount};
use super::document::Statement;
use crate::domain::event::{EvidenceItem, Fact, FixStep, Record};
use crate::domain::id::Seq;
use crate::domain::incident::{Action, Incident};
use crate::domain::inert;
use crate::domain::metrics::ResponseTimes;
use crate::domain::mitigation::Stage;
use crate::domain::role::{Actor, PersonId};
use crate::domain::runbook::Runbook;
use crate::domain::severity::Severity;
use crate::domain::time::{spoken, stamp};
use crate::domain::timeline::{Entry, Log, timeline};

/// What a post-mortem is written from.
pub(super) struct Source<'a> {
    incident: &'a Incident,
    runbook: &'a Runbook,
    pub(super) records: &'a [Record],
    log: Log<'a>,
    timeline: Vec<Entry>,
}

pub(super) fn statement(text: &str, records: impl IntoIterator<Item = Seq>) -> Statement {
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
    pub(super) fn all(&self, found: impl Fn(&Fact) -> bool) -> impl DoubleEndedIterator<Item = Seq> {
        self.records.iter().filter(move |record| found(&record.fact)).map(|record| record.seq)
    }

    /// What the timeline says of `seqs`, in its order.
    pub(super) fn told(&self, seqs: &[Seq]) -> Vec<Statement> {
        let told = self.timeline.iter().filter(|entry| seqs.contains(&entry.seq));
        told.map(|entry| statement(&entry.what, [entry.seq].into_iter().chain(entry.corrected_by))).collect()
    }

    pub(super) fn tell(&self, found: impl Fn(&Fact) -> bool) -> Vec<Statement> {
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
        let at = &self.incident.milestones;
        let began = if self.incident.start_known { "Began" } else { "Began, as assumed" };
        let dates = [
            (began, at.started, start.or(declared)),
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
        if let Some(lasted) = ResponseTimes::of(self.incident).resolve {
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

    /// How long users had it, and what the last assessment says, one thing each.
    pub(super) fn impact(&self) -> Vec<Statement> {
        let resolved = self.all(|fact| matches!(fact, Fact::Resolved(_))).next_back();
        let had = ResponseTimes::of(self.incident).recover.map(|had| format!("duration: {}", spoken(had)));
        let mut said: Vec<Statement> = had.iter().map(|had| statement(had, resolved)).collect();
        let Some(last) = self.all(|fact| matches!(fact, Fact::ImpactAssessed(_))).next_back() else {
            return said;
        };
        let told = self.told(&[last]);
        match &self.incident.impact {
            // A correction's words stand for the whole assessment.
            Some(impact) if told.iter().all(|told| told.records == [last]) => {
                said.extend(impact.say(&self.incident.texts).iter().map(|known| statement(known, [last])));
            }
            _ => said.extend(told),
        }
        said
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
        for person in self.incident.responders.iter().filter(|person| !has_role(person)) {
            let acts = |record: &&Record| match (&record.actor, &record.fact) {
                (_, Fact::RoleAssigned(it)) if it.to == *person => true,
                (Actor::Human(identity), _) => self.runbook.person_of(identity) == Some(person),
                _ => false,
            };
            let first = self.records.iter().find(acts).map(|record| record.seq);
            said.push(statement(&format!("took part: {}", self.person(person)), first));
        }
        said
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
        let item = |(seq, action): (&Seq, &Action)| ActionItem {
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
                let kept = |item: &EvidenceItem| Evidence {
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

//! What each section says in sentences, drawn from the timeline and the state.

use super::document::{Part, Statement, Written};
use super::promise::of_updates;
use super::source::{Source, statement};
use crate::log::event::{Fact, Record};
use crate::model::afterwards::{CauseKind, Section};
use crate::model::id::Seq;
use crate::model::inert;
use crate::model::role::{Actor, PersonId};
use crate::model::time::spoken;
use crate::views::metrics::ResponseTimes;

impl Source<'_> {
    /// Every section, in order.
    pub(super) fn sections(&self) -> Vec<Part> {
        let part = |section| Part {
            section,
            written: self.written(section),
            statements: match section {
                Section::Summary => self.summary(),
                Section::Impact => self.impact(),
                Section::Detection => self.detection(),
                Section::ContributingFactors => self.contributing(),
                Section::RootCause => self.root_cause(),
                Section::Resolution => self.tell(|fact| matches!(fact, Fact::FixRecorded(_))),
                Section::Roles => self.roles(),
                Section::Communication => self.communication(of_updates(&self.promises)),
                Section::Meeting => self.tell(|fact| {
                    matches!(
                        fact,
                        Fact::MeetingScheduled(_) | Fact::MeetingCancelled(_) | Fact::MeetingHeld(_)
                    )
                }),
                // These have parts of their own in the document, or are people's alone.
                _ => Vec::new(),
            },
        };
        Section::ALL.into_iter().map(part).collect()
    }

    fn written(&self, section: Section) -> Option<Written> {
        let version = self.incident.document.sections.get(&section)?;
        let record = self.record(version.seq);
        let words = self.incident.texts.get(version.text);
        Some(Written {
            record: version.seq,
            text: words.lines().map(inert::line).collect::<Vec<_>>().join("\n"),
            by: record.map_or_else(String::new, |record| self.actor(&record.actor)),
            at: record.map_or(self.incident.recorded_at, |record| record.occurred_at),
            edits: version.edits,
        })
    }

    fn summary(&self) -> Vec<Statement> {
        let mut summary = self.tell(|fact| matches!(fact, Fact::Declared(_)));
        let resolved = self.resolved();
        if let Some(lasted) = ResponseTimes::of(self.incident).resolve {
            let ends = self.declared().into_iter().chain(resolved);
            summary.push(statement(&format!("Duration: {}", spoken(lasted)), ends));
        }
        for (seq, it) in self.incident.holding() {
            summary.push(statement(&format!("What was done and held: {}", it.mitigation), [seq]));
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
    fn impact(&self) -> Vec<Statement> {
        let had = ResponseTimes::of(self.incident)
            .recover
            .map(|had| format!("Customer impact lasted {}", spoken(had)));
        let mut said: Vec<Statement> = had.iter().map(|had| statement(had, self.resolved())).collect();
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

    fn detection(&self) -> Vec<Statement> {
        let detected_by = self.incident.detected_by;
        let who = if detected_by.is_automated() { "a machine" } else { "a person" };
        let mut said = vec![statement(&format!("Noticed by {who}: {detected_by}"), self.declared())];
        said.extend(self.tell(|fact| {
            matches!(fact, Fact::SignalsReceived(_) | Fact::Acknowledged(_) | Fact::Escalated(_))
        }));
        said
    }

    fn contributing(&self) -> Vec<Statement> {
        self.tell(|fact| matches!(fact, Fact::CauseFound(it) if it.kind == CauseKind::Contributing))
    }

    /// What was confirmed, and what was said at the end; the whys have a tree of their own.
    fn root_cause(&self) -> Vec<Statement> {
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
        said.extend(self.told(&self.resolved().into_iter().collect::<Vec<_>>()));
        said
    }

    fn roles(&self) -> Vec<Statement> {
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
            let first: Option<Seq> = self.records.iter().find(acts).map(|record| record.seq);
            said.push(statement(&format!("took part: {}", self.person(person)), first));
        }
        said
    }
}

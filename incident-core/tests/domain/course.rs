//! Ways through an incident, so that a test begins where it gets interesting.

use std::collections::BTreeMap;

use incident_core::log::event::{EvidenceItem, Fact, Record};
use incident_core::log::mitigation::Stage;
use incident_core::model::afterwards::Section;
use incident_core::model::colour::Colour;
use incident_core::model::effect::Work;
use incident_core::model::id::{Digest, Seq};
use incident_core::model::impact::Impact;
use incident_core::model::mitigation::Mitigation;
use incident_core::model::phase::Phase;
use incident_core::model::severity::Severity;
use incident_core::model::signal::{Detection, Signal};
use incident_core::rules::command::{
    AddAction, Advance, Approve, Attest, Because, Command, EffectResult, ExecutePlan, Hypothesise, Note,
    PostUpdate, Propose, PublishPostMortem, Resolve, SetSeverity, TickStep, Triage, WriteSection,
};
use incident_core::runbook::Priority;

use crate::scenario::Scenario;
use crate::world::{person, roll_back};

pub(crate) fn note(text: &str) -> Command {
    Command::Note(Note { text: text.to_owned() })
}

pub(crate) fn because(words: &str) -> Because {
    Because { because: words.to_owned() }
}

pub(crate) fn severity(severity: Severity) -> Command {
    Command::SetSeverity(SetSeverity { severity, because: "seen".to_owned() })
}

pub(crate) fn advance() -> Command {
    Command::Advance(Advance { to: None, override_because: None })
}

/// Goes on to `phase`, whatever the gates say.
pub(crate) fn advance_to(phase: Phase) -> Command {
    Command::Advance(Advance { to: Some(phase), override_because: Some("we know".to_owned()) })
}

pub(crate) fn resolve() -> Command {
    Command::Resolve(Resolve { cause: "a bad image".to_owned(), override_because: None })
}

/// Resolves, whatever the gates say.
pub(crate) fn resolve_anyway() -> Command {
    Command::Resolve(Resolve {
        cause: "a bad image".to_owned(),
        override_because: Some("we know".to_owned()),
    })
}

pub(crate) fn update(progress: &str) -> Command {
    Command::PostUpdate(PostUpdate {
        progress: progress.to_owned(),
        next_steps: None,
        eta: None,
        public: None,
    })
}

pub(crate) fn tick(step: &str) -> Command {
    Command::TickStep(TickStep { step: step.to_owned(), skipped: None })
}

pub(crate) fn hypothesis(statement: &str) -> Command {
    Command::Hypothesise(Hypothesise { statement: statement.to_owned(), class: None })
}

pub(crate) fn impact(customer_facing: bool) -> Command {
    let impact = Impact { customer_facing: Some(customer_facing), users: Some(120), ..Impact::default() };
    Command::AssessImpact(Box::new(impact))
}

pub(crate) fn attest(check: &str, colour: Colour) -> Command {
    Command::Attest(Attest { check: check.to_owned(), colour, detail: "asked them".to_owned() })
}

pub(crate) fn triage() -> Command {
    Command::Triage(Triage { answers: BTreeMap::new() })
}

pub(crate) fn action(owner: Option<&str>) -> Command {
    let (what, owner) = ("test the rollback".to_owned(), owner.map(person));
    Command::AddAction(AddAction { what, kind: None, priority: Priority::High, owner, due: None })
}

pub(crate) fn propose(workload: &str) -> Command {
    proposes(roll_back(workload))
}

pub(crate) fn proposes(mitigation: Mitigation) -> Command {
    Command::Propose(Propose { mitigation, system: "shop".to_owned(), because: "v8 is bad".to_owned() })
}

pub(crate) fn publish(up_to: Seq) -> Command {
    let link = Some("https://docs.example/pm".to_owned());
    let override_because = Some("the rest follows".to_owned());
    Command::PublishPostMortem(PublishPostMortem {
        link,
        sha256: Digest::of(&[b"pm"]),
        up_to,
        override_because,
    })
}

pub(crate) fn write(section: Section, text: &str, based_on: Seq) -> Command {
    Command::WriteSection(WriteSection { section, text: text.to_owned(), based_on })
}

pub(crate) fn firing(name: &str) -> Signal {
    Signal::firing(name, "error rate above 5 %", Detection::MetricAlert)
}

/// The record that proposed a mitigation, or added an action, or whatever `command` makes first.
pub(crate) fn first(records: &[Record]) -> Seq {
    records.first().expect("the command led to records").seq
}

impl Scenario {
    /// Has evidence kept; gives its digest.
    #[track_caller]
    pub(crate) fn keeps_evidence(&mut self) -> Digest {
        let collect = self.effect(|work| *work == Work::Collect);
        self.starts(collect);
        let sha256 = Digest::sha256(b"a log");
        let (name, media_type) = ("pods.log".to_owned(), "text/plain".to_owned());
        let item = EvidenceItem {
            name,
            media_type,
            sha256,
            bytes: 5,
            truncated: false,
            redactions: 1,
            unredacted: false,
        };
        self.concludes(collect, EffectResult::Collected(vec![item]));
        sha256
    }

    /// Proposes a rollback of `workload` and has it planned.
    #[track_caller]
    pub(crate) fn has_planned(&mut self, workload: &str) -> Seq {
        let proposal = first(&self.does(propose(workload)));
        self.plans(proposal);
        proposal
    }

    /// Makes the plan of `proposal`.
    #[track_caller]
    pub(crate) fn plans(&mut self, proposal: Seq) {
        self.settles_but(|effect| effect.work != Work::Plan(proposal));
        assert_eq!(self.stage(proposal), Stage::Planned);
    }

    pub(crate) fn stage(&self, proposal: Seq) -> Stage {
        self.it.mitigations[&proposal].stage
    }

    /// The digest of the plan of `proposal`.
    #[track_caller]
    pub(crate) fn digest(&self, proposal: Seq) -> Digest {
        self.it.mitigations[&proposal].plan.as_ref().expect("it is planned").digest
    }

    pub(crate) fn approval(&self, proposal: Seq) -> Command {
        Command::Approve(Approve { proposal, digest: self.digest(proposal), break_glass: None })
    }

    pub(crate) fn execution(&self, proposal: Seq) -> Command {
        Command::Execute(ExecutePlan { proposal, digest: self.digest(proposal) })
    }

    #[track_caller]
    pub(crate) fn approves(&mut self, account: &str, proposal: Seq) {
        let approval = self.approval(proposal);
        self.as_(account).does(approval);
    }

    /// Alice orders the execution.
    #[track_caller]
    pub(crate) fn orders(&mut self, proposal: Seq) {
        let execution = self.execution(proposal);
        self.as_("alice").does(execution);
    }

    /// Proposes as alice, approves as bob, and orders the execution.
    #[track_caller]
    pub(crate) fn has_ordered(&mut self, workload: &str) -> Seq {
        self.as_("alice");
        let proposal = self.has_planned(workload);
        self.approves("bob", proposal);
        self.orders(proposal);
        proposal
    }

    /// A mitigation that was carried out and holds.
    #[track_caller]
    pub(crate) fn has_mitigated(&mut self, workload: &str) -> Seq {
        let proposal = self.has_ordered(workload);
        self.settles();
        assert_eq!(self.stage(proposal), Stage::Holds);
        proposal
    }

    /// Goes through the phases as the runbook wants it, up to `phase`.
    #[track_caller]
    pub(crate) fn goes_to(&mut self, phase: Phase) -> &mut Self {
        while self.it.phase < phase {
            match self.it.phase {
                Phase::Detection => {
                    self.does(Command::Acknowledge);
                    self.does(tick("confirm-incident"));
                }
                Phase::Triage => {
                    self.does(impact(false));
                }
                Phase::Communication | Phase::PostIncident => {}
                Phase::Investigation => {
                    self.does(hypothesis("the last deployment"));
                    self.does(hypothesis("the database"));
                }
                Phase::Resolution => {
                    self.has_mitigated("deployment/checkout");
                }
                Phase::Recovery => {
                    self.does(attest("user-reports", Colour::Green));
                    self.passes("16m");
                    self.does(resolve());
                    continue;
                }
            }
            self.does(advance());
        }
        self
    }
}

/// What `wanted` finds in the facts of `records`.
pub(crate) fn facts<T>(records: &[Record], wanted: impl Fn(&Fact) -> Option<T>) -> Vec<T> {
    records.iter().filter_map(|record| wanted(&record.fact)).collect()
}

//! For each kind of command a place where it is accepted, with every field filled in.

use std::collections::BTreeMap;

use incident_core::log::event::{EvidenceItem, FixStep};
use incident_core::model::afterwards::{ActionKind, CauseKind, Section};
use incident_core::model::cause::CauseClass;
use incident_core::model::colour::Colour;
use incident_core::model::effect::{Applied, Receipt, Repeat, Work};
use incident_core::model::id::Digest;
use incident_core::model::id::Seq;
use incident_core::model::impact::Impact;
use incident_core::model::mitigation::{AddIndex, Custom, Mitigation, SetResources};
use incident_core::model::notice::NoticeKind;
use incident_core::model::phase::Phase;
use incident_core::model::plan::Execution;
use incident_core::model::severity::Severity;
use incident_core::model::ticket::TicketRef;
use incident_core::model::time::after;
use incident_core::rules::command::{
    AddAction, Advance, Approve, AssignAction, Begin, Close, Command, CommandKind, CompleteAction, Conclude,
    Correct, Declare, EffectResult, ExecutePlan, Failure, FindCause, Gather, Gathered, Hypothesise,
    JudgeHypothesis, LinkEvidence, PostUpdate, Proposal, Propose, RecordFix, Redact, RedactSlot, Reject,
    Resolve, SettleMitigation, StepBack, TickStep, Triage, Undo, WriteSection,
};
use incident_core::runbook::Priority;
use incident_core::runbook::triage::Answer;

use crate::course::{action, attest, firing, first, hypothesis, resolve_anyway};
use crate::samples::{older, sample};
use crate::scenario::{MONDAY, Scenario};
use crate::world::{failure, long, person, plan_of, roll_back, time};

/// An incident, and a command of `kind` that it accepts.
pub(crate) fn accepted(kind: CommandKind) -> (Scenario, Command) {
    use CommandKind as K;
    let mut it =
        if kind == K::Declare { Scenario::blank(MONDAY) } else { Scenario::declared(Severity::Sev2) };
    let words = || "words".to_owned();
    let some = || Some("words".to_owned());
    let command = match kind {
        K::Declare => Command::Declare(Box::new(full_declaration())),
        K::Signals => {
            Command::Signals(vec![firing("disk").with_label("a", "b").with_link("https://a.example/1")])
        }
        K::Gather => {
            it = crate::storms::storm();
            let signals = vec![firing("mail").with_label("a", "b")].into();
            Command::Gather(Gather {
                gathered: vec![Gathered { group: "mail".to_owned(), signals }],
                begins: true,
            })
        }
        K::Triage => {
            Command::Triage(Triage { answers: BTreeMap::from([("data_loss".to_owned(), Answer::No)]) })
        }
        K::AssessImpact => Command::AssessImpact(Box::new(full_impact())),
        K::TickStep => Command::TickStep(TickStep { step: "scale".to_owned(), skipped: some() }),
        K::Hypothesise => {
            Command::Hypothesise(Hypothesise { statement: words(), class: Some(CauseClass::Data) })
        }
        K::JudgeHypothesis => {
            let hypothesis = first(&it.does(hypothesis("dns")));
            Command::JudgeHypothesis(JudgeHypothesis { hypothesis, confirmed: true, because: words() })
        }
        K::PostUpdate => Command::PostUpdate(PostUpdate {
            progress: words(),
            next_steps: some(),
            eta: some(),
            public: some(),
        }),
        K::Undo => {
            let mitigation = it.has_mitigated("deployment/a");
            Command::Undo(Undo { mitigation, because: words() })
        }
        K::Approve => {
            it.runbook.safety.break_glass = vec![person("bob")];
            let proposal = it.has_planned("deployment/a");
            it.as_("bob");
            Command::Approve(Approve { proposal, digest: it.digest(proposal), break_glass: some() })
        }
        K::WithdrawApproval => {
            let proposal = it.has_planned("deployment/a");
            it.approves("bob", proposal);
            Command::WithdrawApproval(Proposal { proposal })
        }
        K::Reject => {
            let proposal = it.has_planned("deployment/a");
            Command::Reject(Reject { proposal, because: words() })
        }
        K::Execute => {
            let proposal = it.has_planned("deployment/a");
            it.approves("bob", proposal);
            Command::Execute(ExecutePlan { proposal, digest: it.digest(proposal) })
        }
        K::SettleMitigation => {
            let proposal = it.has_ordered("deployment/a");
            let execute = it.effect(|work| *work == Work::Execute(proposal));
            it.starts(execute);
            it.concludes(execute, EffectResult::CannotTell);
            Command::SettleMitigation(SettleMitigation { proposal, happened: true, because: words() })
        }
        K::RecordFix => Command::RecordFix(RecordFix { step: FixStep::Change, what: words(), link: some() }),
        K::Attest => attest("user-reports", Colour::Red),
        K::Correct => {
            let occurred_at = Some(time("2026-03-02T09:00:00Z"));
            Command::Correct(Correct { record: Seq(1), text: some(), occurred_at, because: words() })
        }
        K::Redact => {
            let slots = vec![RedactSlot { slot: 0, text: it.it.title }];
            Command::Redact(Redact { record: Seq(1), slots, because: words() })
        }
        K::Advance => Command::Advance(Advance { to: Some(Phase::Recovery), override_because: some() }),
        K::StepBack => {
            it.goes_to(Phase::Triage);
            Command::StepBack(StepBack { to: Phase::Detection, because: words() })
        }
        K::Resolve => Command::Resolve(Resolve { cause: words(), override_because: some() }),
        K::Reopen | K::PublishPostMortem | K::HoldMeeting | K::RequestReview | K::ScheduleMeeting => {
            it.does(resolve_anyway());
            sample(kind)
        }
        K::Close => {
            it.does(resolve_anyway());
            Command::Close(Close { override_because: some() })
        }
        K::MoveTicket => {
            it.does(Command::AdoptTicket(TicketRef::new("shop#1")));
            sample(kind)
        }
        K::AddAction => Command::AddAction(AddAction {
            what: words(),
            kind: Some(ActionKind::Detect),
            priority: Priority::High,
            owner: Some(person("bob")),
            due: Some(time("2026-04-01T00:00:00Z")),
        }),
        K::WriteSection => {
            let based_on = first(&it.does(sample(K::WriteSection)));
            Command::WriteSection(WriteSection { section: Section::Summary, text: words(), based_on })
        }
        K::FindCause => {
            let under = Some(first(&it.does(sample(K::FindCause))));
            let (kind, class) = (CauseKind::Contributing, Some(CauseClass::Data));
            Command::FindCause(FindCause { under, statement: words(), kind, class })
        }
        K::LinkEvidence => {
            let to = first(&it.does(sample(K::FindCause)));
            let evidence = vec![it.keeps_evidence()];
            Command::LinkEvidence(LinkEvidence { to, evidence, records: vec![Seq(1)] })
        }
        K::ReturnReview => {
            it.does(resolve_anyway());
            it.does(sample(K::RequestReview));
            sample(kind)
        }
        K::CancelMeeting => {
            it.does(resolve_anyway());
            it.does(sample(K::ScheduleMeeting));
            sample(kind)
        }
        K::AssignAction => {
            it.live.tracker = None;
            let action = first(&it.does(action(None)));
            let due = Some(time("2026-04-01T00:00:00Z"));
            Command::AssignAction(AssignAction { action, owner: Some(person("bob")), due })
        }
        K::CompleteAction => {
            let action = first(&it.does(action(Some("bob"))));
            Command::CompleteAction(CompleteAction { action, outcome: words() })
        }
        K::Replan => {
            it.runbook.escalation.every = long("1m");
            Command::Replan
        }
        K::Start => {
            let effect = it.notice_on("pager", NoticeKind::Page);
            let (until, repeat) = (after(it.now, long("1m")), Repeat::Native { within: long("1d") });
            Command::Start(vec![Begin { effect, worker: words(), until, repeat }])
        }
        K::Conclude => {
            let effect = it.notice_on("pager", NoticeKind::Page);
            it.starts(effect);
            let receipt = Receipt::new("m-1").with_link("https://a.example").in_conversation("c-1");
            conclude(effect, EffectResult::Done(receipt))
        }
        kind => sample(kind),
    };
    (it, command)
}

/// Mitigations with words of all sorts in them.
pub(crate) fn proposals() -> Vec<Command> {
    let words = || "words".to_owned();
    let pair = || BTreeMap::from([("memory".to_owned(), "1Gi".to_owned())]);
    [
        roll_back("deployment/a"),
        Mitigation::Custom(Custom { name: words(), target: words(), parameters: pair() }),
        Mitigation::SetResources(SetResources {
            workload: words(),
            container: words(),
            requests: pair(),
            limits: pair(),
        }),
        Mitigation::AddIndex(AddIndex { database: words(), table: words(), columns: vec![words()] }),
    ]
    .into_iter()
    .map(|mitigation| Command::Propose(Propose { mitigation, system: "shop".to_owned(), because: words() }))
    .collect()
}

/// An outcome of each kind, for an effect that is under way.
pub(crate) fn outcomes() -> Vec<(Scenario, Command)> {
    let under_way = |it: &mut Scenario, wanted: &dyn Fn(&Work) -> bool| {
        let effect = it.effect(wanted);
        it.starts(effect);
        effect
    };
    let mut cases = Vec::new();
    let mut it = Scenario::declared(Severity::Sev2);
    let effect = under_way(&mut it, &|work| *work == Work::Collect);
    let (item, sha256) = ("pods.txt".to_owned(), Digest::of(&[b"x"]));
    let media_type = "text/plain".to_owned();
    let item = EvidenceItem {
        name: item,
        media_type,
        sha256,
        bytes: 9,
        truncated: true,
        redactions: 1,
        unredacted: false,
    };
    cases.push((it, conclude(effect, EffectResult::Collected(vec![item]))));

    let mut it = Scenario::declared(Severity::Sev2);
    let proposal = first(&it.does(sample(CommandKind::Propose)));
    let effect = under_way(&mut it, &|work| *work == Work::Plan(proposal));
    let plan = plan_of(&roll_back("deployment/cart")).with_warning("careful").with_payload("x".into());
    cases.push((it, conclude(effect, EffectResult::Planned(Box::new(plan.clone())))));

    let mut it = Scenario::declared(Severity::Sev2);
    let proposal = it.has_ordered("deployment/a");
    let effect = under_way(&mut it, &|work| *work == Work::Execute(proposal));
    let execution = Execution::new(plan, it.now).with_reference("r-1").with_before("v7".into());
    cases.push((it.clone(), conclude(effect, EffectResult::Executed(Box::new(execution)))));
    cases.push((it.clone(), conclude(effect, failure(Applied::Maybe, true, Some("1m")))));
    let broken = Failure { applied: Applied::No, retry: false, wait: None, error: "words".to_owned() };
    cases.push((it, conclude(effect, EffectResult::Failed(broken))));

    let mut it = Scenario::declared(Severity::Sev2);
    let proposal = it.has_ordered("deployment/a");
    it.settles_but(|effect| matches!(effect.work, Work::Verify(_)));
    let effect = under_way(&mut it, &|work| *work == Work::Verify(proposal));
    let verified = EffectResult::Verified { holds: true, detail: "words".to_owned() };
    cases.push((it.clone(), conclude(effect, verified)));
    cases.push((it, conclude(effect, EffectResult::Pending { again: long("1m") })));
    cases
}

fn conclude(effect: Seq, result: EffectResult) -> Command {
    Command::Conclude(Box::new(Conclude { effect, attempt: 1, result }))
}

fn full_declaration() -> Declare {
    let mut declare = crate::scenario::declare(Severity::Sev2, time(MONDAY));
    declare.signal_group = Some("checkout".to_owned());
    declare.signals = [firing("disk").started_at(time(MONDAY)).with_label("a", "b")].into();
    declare.recurrence_of = Some(older());
    declare.link = Some("https://a.example".to_owned());
    declare
}

fn full_impact() -> Impact<String> {
    Impact {
        users: Some(5),
        users_percent: Some(5.5),
        services: vec!["checkout".to_owned()],
        business: Some("words".to_owned()),
        data_loss: Some(false),
        security_breach: None,
        customer_facing: Some(true),
        failed_requests: Some(7),
        money: Some("words".to_owned()),
        slo_minutes: Some(9),
    }
}

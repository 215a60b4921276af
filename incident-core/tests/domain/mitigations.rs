//! Only what was approved is done, by those who may, and there is a way back.

use incident_core::log::event::{Fact, Record};
use incident_core::log::mitigation::Stage;
use incident_core::model::effect::{Applied, Outcome, Work};
use incident_core::model::id::{Digest, Seq};
use incident_core::model::mitigation::{ClearCache, Mitigation, RollingRestart};
use incident_core::model::phase::Phase;
use incident_core::model::role::{Actor, Role};
use incident_core::model::severity::Severity;
use incident_core::model::time::after;
use incident_core::rules::command::{
    Approve, Command, EffectResult, ExecutePlan, Proposal, Refusal, Reject, SettleMitigation, Undo,
};
use incident_core::runbook::{ApprovalRule, Runbook};

use crate::course::{first, propose, proposes, resolve_anyway, severity};
use crate::effects::settled;
use crate::scenario::{Scenario, carried, count, kinds};
use crate::world::{failure, long, person, plan_of, roll_back};

fn rule(persons: u32, roles: &[Role], proposer_counts: bool) -> ApprovalRule {
    ApprovalRule { persons, roles: roles.to_vec(), proposer_counts }
}

fn under(change: impl FnOnce(&mut Runbook)) -> Scenario {
    Scenario::with_runbook(Severity::Sev2, change)
}

#[track_caller]
fn not_approved(it: &mut Scenario, proposal: Seq, given: u32, needed: u32) {
    let execution = it.execution(proposal);
    it.as_("alice");
    assert_eq!(it.refuses(execution), Refusal::NotApproved { given, needed });
}

fn execute_of(it: &Scenario, proposal: Seq) -> Seq {
    it.effect(|work| *work == Work::Execute(proposal))
}

#[test]
fn from_the_proposal_to_the_way_back() {
    let mut it = under(|_| {});
    let done = it.has_mitigated("deployment/checkout");
    assert!(it.it.milestones.mitigated.is_some());
    let undo = Command::Undo(Undo { mitigation: done, because: "v7 is worse".to_owned() });
    let undone = first(&it.as_("alice").does(undo));
    it.plans(undone);
    it.approves("bob", undone);
    it.orders(undone);
    it.settles();
    assert_eq!(
        it.stage(undone),
        Stage::Holds,
        "the change's own cooldown doesn't keep it from being taken back"
    );
    assert_eq!(it.it.mitigations[&undone].undoes, Some(done));
}

#[test]
fn evidence_is_collected_before_what_replaces_it() {
    let mut it = under(|_| {});
    it.settles();
    let records = it.does(propose("deployment/checkout"));
    let works: Vec<_> = records
        .iter()
        .filter_map(|record| match &record.fact {
            Fact::EffectPlanned(planned) => Some(planned.work.clone()),
            _ => None,
        })
        .collect();
    assert_eq!(works, [Work::Collect, Work::Plan(first(&records))]);
}

#[test]
fn only_the_plan_that_was_meant_is_approved_or_done() {
    let mut it = under(|_| {});
    let proposal = it.has_planned("deployment/checkout");
    let digest = Digest::of(&[b"another"]);
    it.as_("bob");
    assert_eq!(
        it.refuses(Command::Approve(Approve { proposal, digest, break_glass: None })),
        Refusal::OtherPlan
    );
    it.approves("bob", proposal);
    assert_eq!(it.refuses(Command::Execute(ExecutePlan { proposal, digest })), Refusal::OtherPlan);
}

#[test]
fn a_plan_expires() {
    let mut it = under(|_| {});
    let proposal = it.has_planned("deployment/checkout");
    it.later("15m").as_("bob");
    let approval = it.approval(proposal);
    assert_eq!(it.refuses(approval), Refusal::PlanExpired);
    let mut it = under(|_| {});
    let proposal = it.has_planned("deployment/checkout");
    it.approves("bob", proposal);
    let execution = it.later("15m").execution(proposal);
    assert_eq!(it.refuses(execution), Refusal::PlanExpired);
}

#[test]
fn an_ordered_plan_that_expires_before_its_start_is_not_done() {
    let mut it = under(|_| {});
    let proposal = it.has_ordered("deployment/checkout");
    let execute = execute_of(&it, proposal);
    it.later("15m");
    assert_eq!(it.starts(execute), []);
    it.does(Command::Wake);
    assert_eq!(it.stage(proposal), Stage::Failed);
    assert_eq!(count(&it.records, "MitigationExecuted"), 0);
}

#[test]
fn an_approval_counts_for_a_person_of_the_runbook() {
    let mut it = under(|_| {});
    let proposal = it.has_planned("deployment/checkout");
    let approval = it.approval(proposal);
    for actor in [Actor::human("chat", "stranger"), Actor::Automation("bot".to_owned()), Actor::Engine] {
        assert!(matches!(it.as_actor(actor).refuses(approval.clone()), Refusal::NotAPerson { .. }));
    }
    not_approved(&mut it, proposal, 0, 1);
}

#[test]
fn an_account_of_two_persons_approves_for_neither() {
    let mut it = under(|it| {
        let shared = it.persons[&person("bob")].identities[0].clone();
        it.persons.get_mut(&person("carol")).unwrap().identities.push(shared);
    });
    let proposal = it.has_planned("deployment/checkout");
    let approval = it.approval(proposal);
    assert!(matches!(it.as_("bob").refuses(approval), Refusal::NotAPerson { .. }));
}

#[test]
fn two_accounts_of_a_person_are_one() {
    let mut it = under(|it| drop(it.safety.approvals.insert(Severity::Sev2, rule(2, &[], true))));
    let proposal = it.has_planned("deployment/checkout");
    it.approves("alice", proposal);
    it.as_actor(Actor::human("forge", "alice-m"));
    let approval = it.approval(proposal);
    assert!(matches!(it.refuses(approval), Refusal::Already(_)));
    not_approved(&mut it, proposal, 1, 2);
    it.approves("bob", proposal);
    it.orders(proposal);
}

#[test]
fn the_proposer_counts_only_where_the_rule_says_so() {
    for (proposer_counts, enough) in [(false, false), (true, true)] {
        let mut it = under(|it| {
            it.safety.approvals.insert(Severity::Sev2, rule(1, &[], proposer_counts));
        });
        let proposal = it.has_planned("deployment/checkout");
        it.approves("alice", proposal);
        let execution = it.execution(proposal);
        assert_eq!(it.tries(execution).is_ok(), enough);
    }
}

#[test]
fn only_the_roles_of_the_rule_count() {
    let mut it =
        under(|it| drop(it.safety.approvals.insert(Severity::Sev2, rule(1, &[Role::OpsLead], false))));
    let proposal = it.has_planned("deployment/checkout");
    it.approves("carol", proposal);
    not_approved(&mut it, proposal, 0, 1);
    it.approves("bob", proposal);
    it.orders(proposal);
}

#[test]
fn a_rule_that_asks_for_nobody_asks_for_one() {
    let mut it = under(|it| drop(it.safety.approvals.insert(Severity::Sev2, rule(0, &[], false))));
    let proposal = it.has_planned("deployment/checkout");
    not_approved(&mut it, proposal, 0, 1);
}

#[test]
fn what_cannot_be_undone_takes_two_whatever_the_severity() {
    let clear = Mitigation::ClearCache(ClearCache { cache: "sessions".to_owned(), part: None });
    let mut it = Scenario::declared(Severity::Sev1);
    let proposal = first(&it.does(proposes(clear)));
    it.plans(proposal);
    it.approves("bob", proposal);
    not_approved(&mut it, proposal, 1, 2);
    it.approves("carol", proposal);
    it.orders(proposal);
}

#[test]
fn an_approval_can_be_withdrawn_until_the_start() {
    let mut it = under(|_| {});
    let proposal = it.has_planned("deployment/checkout");
    let withdraw = || Command::WithdrawApproval(Proposal { proposal });
    assert!(matches!(it.as_("bob").refuses(withdraw()), Refusal::NotFound { .. }), "never given");
    it.approves("bob", proposal);
    it.does(withdraw());
    not_approved(&mut it, proposal, 0, 1);
    it.approves("bob", proposal);
    it.orders(proposal);
    it.as_("bob").does(withdraw());
    let records = it.starts(execute_of(&it, proposal));
    assert!(matches!(settled(&records)[..], [Outcome::Refused { .. }]));
    assert_eq!(it.stage(proposal), Stage::Failed);
}

#[test]
fn nothing_is_withdrawn_from_what_may_be_running() {
    let mut it = under(|_| {});
    let proposal = it.has_ordered("deployment/checkout");
    it.starts(execute_of(&it, proposal));
    let withdraw = Command::WithdrawApproval(Proposal { proposal });
    assert!(matches!(it.as_("bob").refuses(withdraw), Refusal::Already(_)));
    let reject = Command::Reject(Reject { proposal, because: "no".to_owned() });
    assert!(matches!(it.refuses(reject), Refusal::Already(_)));
}

#[test]
fn a_stricter_rule_that_came_after_the_approval_counts_at_the_start() {
    let mut it = under(|it| drop(it.safety.approvals.insert(Severity::Sev1, rule(2, &[], false))));
    let proposal = it.has_ordered("deployment/checkout");
    it.does(severity(Severity::Sev1));
    let records = it.starts(execute_of(&it, proposal));
    let [Outcome::Refused { error }] = &settled(&records)[..] else { panic!("{records:?}") };
    assert_eq!(error, "1 of 2 approvals that count are given");
    assert!(carried(&records).contains(&"mitigation pager(responders)".to_owned()), "and it is said");
}

#[test]
fn a_laxer_rule_that_came_after_the_plan_does_not_count() {
    let mut it = under(|it| drop(it.safety.approvals.insert(Severity::Sev2, rule(2, &[], true))));
    let proposal = it.has_planned("deployment/checkout");
    it.does(severity(Severity::Sev1));
    it.runbook.safety.approvals.insert(Severity::Sev2, rule(1, &[], true));
    it.approves("bob", proposal);
    not_approved(&mut it, proposal, 1, 2);
}

#[test]
fn a_person_who_left_the_runbook_no_longer_counts() {
    let mut it = under(|_| {});
    let proposal = it.has_ordered("deployment/checkout");
    it.runbook.persons.remove(&person("bob"));
    let records = it.starts(execute_of(&it, proposal));
    assert!(matches!(settled(&records)[..], [Outcome::Refused { .. }]));
}

#[test]
fn known_not_to_have_happened_it_is_checked_again_before_the_next_start() {
    let mut it = under(|it| drop(it.safety.approvals.insert(Severity::Sev1, rule(2, &[], false))));
    let proposal = it.has_ordered("deployment/checkout");
    let execute = execute_of(&it, proposal);
    it.starts(execute);
    it.concludes(execute, failure(Applied::No, true, None));
    it.does(severity(Severity::Sev1));
    let records = it.later("5s").starts(execute);
    assert!(matches!(settled(&records)[..], [Outcome::Refused { .. }]));
}

#[test]
fn breaking_the_glass_takes_a_name_in_the_runbook_and_a_reason_and_tells_everybody() {
    let glass = |it: &Scenario, proposal, reason: &str| {
        let digest = it.digest(proposal);
        Command::Approve(Approve { proposal, digest, break_glass: Some(reason.to_owned()) })
    };
    let mut it = under(|it| {
        it.safety.break_glass = vec![person("carol")];
        it.safety.approvals.insert(Severity::Sev2, rule(3, &[], false));
    });
    it.goes_to(Phase::Communication);
    let proposal = it.has_planned("deployment/checkout");
    let alone = glass(&it, proposal, "nobody answers");
    assert!(matches!(it.as_("bob").refuses(alone), Refusal::Unsafe(_)), "not named");
    let speechless = glass(&it, proposal, " ");
    assert!(it.as_("carol").refuses(speechless).to_string().starts_with("break_glass"), "no reason");
    let alone = glass(&it, proposal, "nobody answers");
    let records = it.does(alone);
    assert_eq!(carried(&records), ["page pager(responders)", "page chat(leadership, staff, team)"]);
    it.orders(proposal);
    it.settles();
    assert_eq!(it.stage(proposal), Stage::Holds);
}

#[test]
fn the_glass_stays_whole_by_default() {
    let mut it = under(|_| {});
    let proposal = it.has_planned("deployment/checkout");
    let digest = it.digest(proposal);
    let alone = Command::Approve(Approve { proposal, digest, break_glass: Some("now".to_owned()) });
    assert!(matches!(it.refuses(alone), Refusal::Unsafe(_)));
}

#[test]
fn bytes_that_are_not_what_was_digested_are_no_plan() {
    let mut it = under(|_| {});
    let proposal = it.has_planned("deployment/checkout");
    let mut state = it.it.clone();
    let planned =
        it.records.iter().rfind(|record| matches!(record.fact, Fact::MitigationPlanned(_))).unwrap();
    let mut forged: Record = planned.clone();
    forged.seq = state.version.next();
    let Fact::MitigationPlanned(plan) = &mut forged.fact else { unreachable!() };
    plan.plan = plan.plan.replace("v7", "v1");
    incident_core::log::fold::evolve(&mut state, &forged);
    assert_eq!(state.mitigations[&proposal].stage, Stage::Failed);
}

#[test]
fn a_person_settles_what_a_machine_cannot_tell() {
    for (happened, stage) in [(true, Stage::Executed), (false, Stage::Failed)] {
        let mut it = under(|_| {});
        let proposal = it.has_ordered("deployment/checkout");
        let execute = execute_of(&it, proposal);
        it.starts(execute);
        it.later("2m").starts(execute);
        let records = it.concludes(execute, EffectResult::CannotTell);
        assert_eq!(it.stage(proposal), Stage::Unclear);
        assert!(carried(&records).contains(&"person needed pager(responders)".to_owned()));
        assert!(matches!(it.refuses(resolve_anyway()), Refusal::Unsafe(_)), "it may be running");
        let settle = |because: &str| {
            Command::SettleMitigation(SettleMitigation { proposal, happened, because: because.to_owned() })
        };
        it.as_("stranger");
        assert!(matches!(it.refuses(settle("seen")), Refusal::NotAPerson { .. }));
        it.as_("bob").does(settle("seen on the dashboard"));
        assert_eq!(it.stage(proposal), stage);
        it.settles();
        assert!(!it.stage(proposal).is_running());
        assert!(matches!(it.refuses(settle("again")), Refusal::Already(_)));
    }
}

#[test]
fn a_change_that_does_not_hold_can_be_taken_back() {
    let mut it = under(|_| {});
    let proposal = it.has_ordered("deployment/checkout");
    it.settles_but(|effect| matches!(effect.work, Work::Verify(_)));
    let verify = it.effect(|work| *work == Work::Verify(proposal));
    it.starts(verify);
    it.concludes(verify, EffectResult::Pending { again: long("30s") });
    it.later("30s").starts(verify);
    let records = it.concludes(verify, EffectResult::Verified { holds: false, detail: "0 of 5".to_owned() });
    assert_eq!(it.stage(proposal), Stage::Failed);
    assert!(carried(&records).contains(&"mitigation pager(responders)".to_owned()));
    assert!(it.it.milestones.mitigated.is_none());
    it.does(Command::Undo(Undo { mitigation: proposal, because: "half done".to_owned() }));
}

#[test]
fn a_verification_that_never_comes_ends_the_mitigation_visibly() {
    let mut it = under(|_| {});
    let proposal = it.has_ordered("deployment/checkout");
    it.settles_but(|effect| matches!(effect.work, Work::Verify(_)));
    let records = it.later("61m").does(Command::Wake);
    assert_eq!(it.stage(proposal), Stage::Unclear, "nobody looked, so a person has to");
    assert!(carried(&records).contains(&"person needed pager(responders)".to_owned()));
}

#[test]
fn what_was_never_done_is_not_undone() {
    let mut it = under(|_| {});
    let proposal = it.has_planned("deployment/checkout");
    let undo = Command::Undo(Undo { mitigation: proposal, because: "x".to_owned() });
    assert!(matches!(it.refuses(undo), Refusal::Unsafe(_)));
}

#[test]
fn a_rejected_mitigation_is_over() {
    let mut it = under(|_| {});
    let proposal = first(&it.does(propose("deployment/checkout")));
    let records = it.does(Command::Reject(Reject { proposal, because: "too risky".to_owned() }));
    assert_eq!(kinds(&records)[..2], ["MitigationRejected", "EffectSettled"], "its plan isn't made");
    it.settles();
    assert_eq!(it.stage(proposal), Stage::Rejected);
}

#[test]
fn a_plan_for_something_else_than_was_proposed_is_refused() {
    let restart = Mitigation::RollingRestart(RollingRestart { workload: "deployment/checkout".to_owned() });
    for other in [restart, roll_back("deployment/payments")] {
        let mut it = under(|_| {});
        let proposal = first(&it.does(propose("deployment/checkout")));
        let plan = it.effect(|work| *work == Work::Plan(proposal));
        it.starts(plan);
        let records = it.concludes(plan, EffectResult::Planned(Box::new(plan_of(&other))));
        let [Outcome::Refused { error }] = &settled(&records)[..] else { panic!("{records:?}") };
        assert!(error.contains(&other.to_string()), "{error}");
        assert_eq!(it.stage(proposal), Stage::Failed);
    }
}

#[test]
fn a_way_back_of_a_kind_with_a_stricter_rule_needs_that_rule() {
    let mut it = under(|_| {});
    let done = it.has_mitigated("deployment/checkout");
    let undo = Command::Undo(Undo { mitigation: done, because: "worse".to_owned() });
    let proposal = first(&it.as_("alice").does(undo));
    let plan = it.effect(|work| *work == Work::Plan(proposal));
    it.starts(plan);
    let clear = Mitigation::ClearCache(ClearCache { cache: "sessions".to_owned(), part: None });
    it.concludes(plan, EffectResult::Planned(Box::new(plan_of(&clear))));
    it.approves("bob", proposal);
    not_approved(&mut it, proposal, 1, 2);
    it.approves("carol", proposal);
    it.orders(proposal);
}

#[test]
fn a_plan_that_was_made_for_a_rejected_mitigation_changes_nothing() {
    let mut it = under(|_| {});
    let proposal = first(&it.does(propose("deployment/checkout")));
    let plan = it.effect(|work| *work == Work::Plan(proposal));
    it.starts(plan);
    it.does(Command::Reject(Reject { proposal, because: "no".to_owned() }));
    let result = EffectResult::Planned(Box::new(plan_of(&roll_back("deployment/checkout"))));
    assert_eq!(it.concludes(plan, result), []);
    assert_eq!(it.stage(proposal), Stage::Rejected);
    it.now = after(it.now, long("1m"));
}

//! Waiting is not failing: a backend that answers "not yet" or "later" is waited for, as long as the plan or the effect says.

use incident_core::log::mitigation::Stage;
use incident_core::model::effect::{Applied, EffectState, Outcome, TicketWork, Work};
use incident_core::model::id::Seq;
use incident_core::model::notice::NoticeKind;
use incident_core::model::plan::Plan;
use incident_core::model::severity::Severity;
use incident_core::rules::command::{Command, EffectResult, SettleMitigation};

use crate::course::{first, propose};
use crate::effects::settled;
use crate::scenario::{Scenario, carried};
use crate::world::{failure, long, plan_of, roll_back};

/// A change that was carried out and is to be verified, from a plan that `change` changed.
fn executed(change: impl Fn(Plan) -> Plan) -> (Scenario, Seq, Seq) {
    let mut it = Scenario::declared(Severity::Sev2);
    it.settles();
    let proposal = first(&it.does(propose("deployment/checkout")));
    let plan = it.effect(|work| *work == Work::Plan(proposal));
    it.starts(plan);
    it.concludes(plan, EffectResult::Planned(Box::new(change(plan_of(&roll_back("deployment/checkout"))))));
    it.approves("bob", proposal);
    it.orders(proposal);
    it.settles_but(|effect| matches!(effect.work, Work::Verify(_)));
    let verify = it.effect(|work| *work == Work::Verify(proposal));
    (it, proposal, verify)
}

fn pending(every: &str) -> EffectResult {
    EffectResult::Pending { again: long(every) }
}

#[test]
fn a_change_that_takes_its_time_is_not_a_failed_one() {
    for (looks, every) in [(70, "5s"), (300, "10s"), (300, "0s")] {
        let (mut it, proposal, verify) = executed(|plan| plan);
        for _ in 0..looks {
            it.starts(verify);
            it.concludes(verify, pending(every));
            it.later(every);
        }
        assert_eq!(it.stage(proposal), Stage::Executed, "after {looks} looks");
        it.starts(verify);
        it.concludes(verify, EffectResult::Verified { holds: true, detail: "5 of 5".to_owned() });
        assert_eq!(it.stage(proposal), Stage::Holds);
    }
}

#[test]
fn an_answer_ends_a_row_of_failures() {
    let (mut it, proposal, verify) = executed(|plan| plan.with_verify_within(long("30d")));
    for _ in 0..10 {
        for _ in 0..30 {
            it.starts(verify);
            it.concludes(verify, failure(Applied::Maybe, true, None));
            it.later("6m");
        }
        it.starts(verify);
        it.concludes(verify, pending("1s"));
        it.later("1s");
    }
    assert_eq!(it.stage(proposal), Stage::Executed, "300 looks failed, but never 60 in a row");
    let EffectState::Unknown(_) = *it.state_of(verify) else { panic!("it waits") };
    it.starts(verify);
    it.concludes(verify, failure(Applied::Maybe, true, None));
    let EffectState::Unknown(again) = *it.state_of(verify) else { panic!("it waits") };
    assert!(again <= incident_core::model::time::after(it.now, long("1s")), "and the waits begin anew");
}

#[test]
fn the_patience_is_stated_in_the_plan_and_kept() {
    for (stated, runbook, expected) in [(None, "1h", "1h"), (None, "20m", "20m"), (Some("3h"), "1h", "3h")] {
        let mut it = Scenario::with_runbook(Severity::Sev2, |it| it.safety.verify_within = long(runbook));
        it.settles();
        let proposal = first(&it.does(propose("deployment/checkout")));
        let mut plan = plan_of(&roll_back("deployment/checkout"));
        plan.verify_within = stated.map(long);
        let planning = it.effect(|work| *work == Work::Plan(proposal));
        it.starts(planning);
        it.concludes(planning, EffectResult::Planned(Box::new(plan)));
        let plan = it.it.mitigations[&proposal].plan.clone().unwrap().plan;
        assert_eq!(plan.verify_within, Some(long(expected)), "what people approve says it");
        it.approves("bob", proposal);
        it.orders(proposal);
        // A runbook that changes meanwhile changes no plan.
        it.runbook.safety.verify_within = long("1m");
        it.settles_but(|effect| matches!(effect.work, Work::Verify(_)));
        let verify = it.effect(|work| *work == Work::Verify(proposal));
        let executed = it.now;
        assert_eq!(
            it.it.effects[&verify].expires_at,
            incident_core::model::time::after(executed, long(expected))
        );
    }
}

#[test]
fn what_does_not_take_hold_within_its_patience_failed_and_what_nobody_could_ask_about_is_unclear() {
    let answers = [(pending("10m"), Stage::Failed), (failure(Applied::Maybe, true, None), Stage::Unclear)];
    for (answer, stage) in answers {
        let (mut it, proposal, verify) = executed(|plan| plan);
        while it.now < it.it.effects[&verify].expires_at {
            it.starts(verify);
            it.concludes(verify, answer.clone());
            it.later("10m");
        }
        it.does(Command::Wake);
        assert_eq!(it.stage(proposal), stage, "{answer:?}");
    }
}

#[test]
fn a_verification_that_is_given_up_is_a_persons_to_settle_and_its_target_stays_taken() {
    for (error, tries) in [(failure(Applied::No, false, None), 1), (failure(Applied::Maybe, true, None), 60)]
    {
        for (holds, stage) in [(true, Stage::Holds), (false, Stage::Failed)] {
            let (mut it, proposal, verify) = executed(|plan| plan.with_verify_within(long("30d")));
            let mut records = Vec::new();
            for _ in 0..tries {
                it.starts(verify);
                records = it.concludes(verify, error.clone());
                it.later("10m");
            }
            assert!(matches!(settled(&records)[..], [Outcome::HandedToPerson { .. }]), "{error:?}");
            assert!(carried(&records).contains(&"person needed pager(responders)".to_owned()));
            assert_eq!(it.stage(proposal), Stage::Unclear, "the change may still be under way");
            let before = it.it.mitigations[&proposal].execution.clone();
            let because = "seen on the dashboard".to_owned();
            it.as_("bob");
            it.does(Command::SettleMitigation(SettleMitigation { proposal, happened: holds, because }));
            assert_eq!(it.stage(proposal), stage);
            assert_eq!(it.it.mitigations[&proposal].execution, before, "the way back stays as it was");
        }
    }
}

#[test]
fn a_backend_that_asks_to_wait_is_waited_for_until_the_effect_is_pointless() {
    let mut it = Scenario::declared(Severity::Sev2);
    let open = it.effect(|work| *work == Work::Ticket(TicketWork::Open));
    for _ in 0..100 {
        it.starts(open);
        it.concludes(open, failure(Applied::No, true, Some("1h")));
        it.later("1h");
    }
    assert!(it.it.effects.contains_key(&open), "100 times 429 is no refusal");
    it.later("3d").does(Command::Wake);
    assert!(!it.it.effects.contains_key(&open), "but after a week nobody needs it");
}

#[test]
fn a_page_does_not_wait_where_it_has_another_route() {
    let mut it = Scenario::declared(Severity::Sev2);
    let page = it.notice_on("pager", NoticeKind::Page);
    for _ in 0..4 {
        it.starts(page);
        it.concludes(page, failure(Applied::No, true, Some("1s")));
        it.later("9s");
    }
    it.notice_on("phone", NoticeKind::Page);
}

#[test]
fn a_look_that_waits_is_not_one_that_cannot_tell() {
    let mut it = Scenario::declared(Severity::Sev2);
    let open = it.effect(|work| *work == Work::Ticket(TicketWork::Open));
    it.starts(open);
    for _ in 0..10 {
        it.concludes(open, pending("5s"));
        it.later("5s").starts(open);
    }
    assert_eq!(it.it.effects[&open].unclear, 0);
}

//! The rails around automation: targets, cooldowns, budgets, healthy instances, storms. Who doesn't know, says no.

use incident_core::log::index::{Key, keys, target_key};
use incident_core::model::effect::{Applied, Work};
use incident_core::model::id::Seq;
use incident_core::model::mitigation::{Mitigation, SwitchFeature};
use incident_core::model::plan::{BlastRadius, Plan};
use incident_core::model::role::Actor;
use incident_core::model::severity::Severity;
use incident_core::model::side::Side;
use incident_core::model::time::after;
use incident_core::rules::command::{Command, CommandKind, EffectResult, Refusal};

use crate::course::{first, propose, proposes};
use crate::samples::sample;
use crate::scenario::Scenario;
use crate::world::{failure, long, plan_of, roll_back, time};

#[track_caller]
fn unsafe_to_run(it: &mut Scenario, proposal: Seq) -> String {
    let execution = it.execution(proposal);
    match it.as_("alice").refuses(execution) {
        Refusal::Unsafe(why) => why,
        other => panic!("{other}"),
    }
}

/// A mitigation that only waits to be ordered.
fn approved(it: &mut Scenario, workload: &str) -> Seq {
    it.as_("alice");
    let proposal = it.has_planned(workload);
    it.approves("bob", proposal);
    proposal
}

/// As [`approved`], with a plan that `change` changed.
fn planned_as(it: &mut Scenario, mitigation: Mitigation, change: impl Fn(Plan) -> Plan) -> Seq {
    let plan = change(plan_of(&mitigation));
    let proposal = first(&it.as_("alice").does(proposes(mitigation)));
    let effect = it.effect(|work| *work == Work::Plan(proposal));
    it.starts(effect);
    it.concludes(effect, EffectResult::Planned(Box::new(plan)));
    it.approves("bob", proposal);
    proposal
}

fn held<'a>(keys: &'a [Key], name: &str) -> Option<&'a Key> {
    keys.iter().find(|key| key.name == name)
}

#[test]
fn a_target_is_under_one_mitigation_at_a_time() {
    let mut it = Scenario::declared(Severity::Sev2);
    let second = approved(&mut it, "deployment/checkout");
    let first = it.has_ordered("deployment/checkout");
    unsafe_to_run(&mut it, second);
    it.settles();
    assert!(!it.stage(first).is_running());
    assert!(unsafe_to_run(&mut it, second).contains("cooling down"));
    it.later("5m");
    it.orders(second);
}

#[test]
fn another_target_is_free() {
    let mut it = Scenario::declared(Severity::Sev2);
    it.has_ordered("deployment/checkout");
    it.has_ordered("deployment/cart");
}

#[test]
fn a_target_that_another_incident_holds_is_taken() {
    let mut it = Scenario::declared(Severity::Sev2);
    let proposal = approved(&mut it, "deployment/checkout");
    it.taken = vec![target_key(Side::Live, "prod/deployment/checkout")];
    unsafe_to_run(&mut it, proposal);
    it.taken = vec![target_key(Side::Drill, "prod/deployment/checkout")];
    it.orders(proposal);
}

#[test]
fn a_running_mitigation_holds_its_target_without_end_and_then_for_the_cooldown() {
    let mut it = Scenario::declared(Severity::Sev2);
    it.has_ordered("deployment/checkout");
    let name = "target/prod/deployment/checkout";
    assert_eq!(held(&keys(&it.it), name), Some(&Key::held(name.to_owned())));
    it.later("1m").settles();
    let until = time("2026-03-02T10:06:00Z");
    assert_eq!(held(&keys(&it.it), name), Some(&Key::until(name.to_owned(), until)));
    it.later("5m").does(sample(CommandKind::Note));
    assert_eq!(held(&keys(&it.it), name), None);
}

#[test]
fn what_a_person_has_to_settle_holds_its_target() {
    let mut it = Scenario::declared(Severity::Sev2);
    let proposal = it.has_ordered("deployment/checkout");
    let execute = it.effect(|work| *work == Work::Execute(proposal));
    it.starts(execute);
    it.later("2m").starts(execute);
    it.concludes(execute, EffectResult::CannotTell);
    it.later("2d").does(Command::Wake);
    let key = Key::held("target/prod/deployment/checkout".to_owned());
    assert_eq!(held(&keys(&it.it), &key.name), Some(&key));
}

#[test]
fn one_that_failed_cools_down_too() {
    let mut it = Scenario::declared(Severity::Sev2);
    let proposal = it.has_ordered("deployment/checkout");
    let execute = it.effect(|work| *work == Work::Execute(proposal));
    it.starts(execute);
    it.concludes(execute, failure(Applied::No, false, None));
    let again = approved(&mut it, "deployment/checkout");
    unsafe_to_run(&mut it, again);
}

#[test]
fn a_system_takes_so_many_mitigations_an_hour() {
    let mut it = Scenario::with_runbook(Severity::Sev2, |it| it.safety.budget_per_hour = 2);
    it.has_mitigated("deployment/a");
    it.later("10m").has_mitigated("deployment/b");
    it.later("49m");
    let third = approved(&mut it, "deployment/c");
    assert!(unsafe_to_run(&mut it, third).contains("budget"));
    it.later("59s");
    unsafe_to_run(&mut it, third);
    it.later("1s");
    it.orders(third);
    let fourth = approved(&mut it, "deployment/d");
    unsafe_to_run(&mut it, fourth);
}

#[test]
fn places_in_the_budget_that_other_incidents_hold_are_taken() {
    let mut it = Scenario::with_runbook(Severity::Sev2, |it| it.safety.budget_per_hour = 2);
    let proposal = approved(&mut it, "deployment/a");
    it.taken = vec!["budget/shop/0".to_owned(), "budget/shop/1".to_owned()];
    unsafe_to_run(&mut it, proposal);
    it.taken = vec!["budget/shop/0".to_owned(), "drill/budget/shop/1".to_owned(), "budget/cdn/1".to_owned()];
    it.orders(proposal);
    assert_eq!(it.it.mitigations[&proposal].budget.map(|(slot, _)| slot), Some(1));
}

#[test]
fn a_budget_of_nothing_lets_nothing_run() {
    let mut it = Scenario::with_runbook(Severity::Sev2, |it| it.safety.budget_per_hour = 0);
    let proposal = approved(&mut it, "deployment/a");
    unsafe_to_run(&mut it, proposal);
}

#[test]
fn enough_instances_stay_healthy() {
    for (healthy, runs) in [(49, false), (50, true), (100, true)] {
        let mut it = Scenario::declared(Severity::Sev2);
        let radius = BlastRadius::of(5).leaving_healthy(healthy);
        let proposal =
            planned_as(&mut it, roll_back("deployment/a"), |plan| plan.with_blast_radius(radius.clone()));
        let execution = it.execution(proposal);
        assert_eq!(it.tries(execution).is_ok(), runs, "{healthy} %");
    }
}

#[test]
fn a_plan_that_does_not_say_how_many_stay_healthy_is_refused_where_it_matters() {
    let silent = |plan: Plan| plan.with_blast_radius(BlastRadius::of(5));
    let mut it = Scenario::declared(Severity::Sev2);
    let proposal = planned_as(&mut it, roll_back("deployment/a"), silent);
    unsafe_to_run(&mut it, proposal);
    let feature = Mitigation::SwitchFeature(SwitchFeature { feature: "search".to_owned(), on: false });
    let proposal = planned_as(&mut it, feature, silent);
    it.orders(proposal);
}

#[test]
fn automation_may_propose_only_while_few_incidents_are_open_and_somebody_counted() {
    for (open, may) in [(Some(24), true), (Some(25), false), (None, false)] {
        let mut it = Scenario::declared(Severity::Sev2);
        it.open_incidents = open;
        it.as_actor(Actor::Automation("autopilot".to_owned()));
        assert_eq!(it.tries(propose("deployment/a")).is_ok(), may, "{open:?} open");
        it.as_("alice").does(propose("deployment/b"));
    }
}

#[test]
fn automation_orders_nothing() {
    let mut it = Scenario::declared(Severity::Sev2);
    let proposal = approved(&mut it, "deployment/a");
    it.as_actor(Actor::Automation("autopilot".to_owned()));
    let execution = it.execution(proposal);
    assert!(matches!(it.refuses(execution), Refusal::NotAPerson { .. }));
}

#[test]
fn a_system_that_is_not_reachable_here_is_refused() {
    let mut it = Scenario::declared(Severity::Sev2);
    it.live.systems = vec!["cdn".to_owned()];
    assert_eq!(it.refuses(propose("deployment/a")).to_string(), "system shop is not known here");
}

#[test]
fn a_drill_reaches_only_what_is_for_drills() {
    let mut it = Scenario::blank(crate::scenario::MONDAY);
    let declare = crate::scenario::declare(Severity::Sev2, it.start).drill();
    it.does(Command::Declare(Box::new(declare)));
    assert!(it.refuses(propose("deployment/a")).to_string().starts_with("system shop"));
    let roll_back = incident_core::rules::command::Propose {
        mitigation: roll_back("deployment/a"),
        system: "drill-shop".to_owned(),
        because: "practice".to_owned(),
    };
    let proposal = first(&it.does(Command::Propose(roll_back)));
    it.plans(proposal);
    it.approves("bob", proposal);
    it.orders(proposal);
    assert!(it.it.effects.values().all(|effect| effect.route.starts_with("drill-")));
    assert!(keys(&it.it).iter().all(|key| key.name.starts_with("drill/")), "{:?}", keys(&it.it));
    it.now = after(it.now, long("1m"));
}

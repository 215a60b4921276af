//! The way back from a change is always open, and from the very change that runs.

use incident_core::log::index::target_key;
use incident_core::log::mitigation::Stage;
use incident_core::model::effect::Work;
use incident_core::model::id::Seq;
use incident_core::model::phase::{Gate, Phase};
use incident_core::model::plan::BlastRadius;
use incident_core::model::severity::Severity;
use incident_core::model::side::Side;
use incident_core::rules::command::{Command, EffectResult, Refusal, SettleMitigation, Undo};
use incident_core::rules::gate::unmet_at;

use crate::course::{first, resolve_anyway};
use crate::scenario::Scenario;
use crate::world::{plan_of, roll_back};

fn undo(mitigation: Seq) -> Command {
    Command::Undo(Undo { mitigation, because: "it does harm".to_owned() })
}

fn verifying(effect: &incident_core::model::effect::Effect) -> bool {
    matches!(effect.work, Work::Verify(_))
}

/// A change that is being verified, and an approved plan to take it back.
fn with_way_back(it: &mut Scenario) -> (Seq, Seq) {
    let change = it.has_ordered("deployment/checkout");
    it.settles_but(verifying);
    (change, way_back(it, change))
}

fn way_back(it: &mut Scenario, change: Seq) -> Seq {
    let back = first(&it.as_("alice").does(undo(change)));
    it.plans(back);
    it.approves("bob", back);
    back
}

#[test]
fn a_change_is_taken_back_while_it_is_being_verified() {
    let mut it = Scenario::declared(Severity::Sev2);
    let (change, back) = with_way_back(&mut it);
    assert_eq!(it.stage(change), Stage::Executed);
    it.orders(back);
    it.settles_but(|effect| effect.work == Work::Verify(change));
    assert_eq!(it.stage(back), Stage::Holds);
    assert_eq!(it.stage(change), Stage::Failed, "it was taken back");
    assert_eq!(it.effects(|work| *work == Work::Verify(change)), [], "and nobody verifies it any more");
    it.does(resolve_anyway());
}

#[test]
fn so_is_one_of_which_nobody_knows_whether_it_holds() {
    let mut it = Scenario::declared(Severity::Sev2);
    let change = it.has_ordered("deployment/checkout");
    it.settles_but(verifying);
    it.later("2h").does(Command::Wake);
    assert_eq!(it.stage(change), Stage::Unclear);
    let back = way_back(&mut it, change);
    it.orders(back);
    it.settles();
    assert_eq!((it.stage(change), it.stage(back)), (Stage::Failed, Stage::Holds));
}

/// An undo is a change like every other: it, too, may turn out to do harm.
#[test]
fn the_way_back_from_the_way_back_is_open() {
    let mut it = Scenario::declared(Severity::Sev2);
    let (_, back) = with_way_back(&mut it);
    it.orders(back);
    it.settles_but(verifying);
    let forth = way_back(&mut it, back);
    it.orders(forth);
    it.settles_but(|effect| effect.work == Work::Verify(back));
    assert_eq!((it.stage(back), it.stage(forth)), (Stage::Failed, Stage::Holds));
}

#[test]
fn nothing_else_starts_on_the_target_meanwhile() {
    let mut it = Scenario::declared(Severity::Sev2);
    let other = it.has_planned("deployment/checkout");
    it.approves("bob", other);
    let (_, back) = with_way_back(&mut it);
    let execution = it.execution(other);
    assert!(matches!(it.as_("alice").refuses(execution.clone()), Refusal::Unsafe(_)));
    it.orders(back);
    assert!(matches!(it.refuses(execution), Refusal::Unsafe(_)));
    let again = way_back_of_the_same(&mut it);
    let execution = it.execution(again);
    assert!(matches!(it.as_("alice").refuses(execution), Refusal::Unsafe(_)), "one way back at a time");
}

fn way_back_of_the_same(it: &mut Scenario) -> Seq {
    let executed = it.it.mitigations.iter().find(|(_, it)| it.execution.is_some()).map(|(seq, _)| *seq);
    way_back(it, executed.unwrap())
}

#[test]
fn neither_budget_nor_cooldown_nor_the_healthy_share_holds_it_up() {
    let mut it = Scenario::with_runbook(Severity::Sev2, |it| it.safety.budget_per_hour = 1);
    let change = it.has_mitigated("deployment/checkout");
    let back = first(&it.as_("alice").does(undo(change)));
    let plan = it.effect(|work| *work == Work::Plan(back));
    it.starts(plan);
    let offered =
        plan_of(&roll_back("deployment/checkout")).with_blast_radius(BlastRadius::of(5).leaving_healthy(0));
    it.concludes(plan, EffectResult::Planned(Box::new(offered)));
    it.approves("bob", back);
    it.taken = vec!["budget/shop/1".to_owned()];
    it.orders(back);
    assert_eq!(it.it.mitigations[&back].budget.map(|(slot, _)| slot), Some(2), "beyond the budget, and free");
    it.settles();
    assert_eq!(it.stage(back), Stage::Holds);
}

#[test]
fn another_incident_on_the_target_comes_first() {
    let mut it = Scenario::declared(Severity::Sev2);
    let (_, back) = with_way_back(&mut it);
    it.taken = vec![target_key(Side::Live, "prod/deployment/checkout")];
    let execution = it.execution(back);
    assert!(matches!(it.as_("alice").refuses(execution), Refusal::Unsafe(_)));
}

#[test]
fn a_refusal_to_undo_says_how_to_get_there() {
    let mut it = Scenario::declared(Severity::Sev2);
    let change = it.has_planned("deployment/checkout");
    let why = |it: &mut Scenario| it.as_("alice").refuses(undo(change)).to_string();
    assert!(why(&mut it).contains("never carried out"));
    it.approves("bob", change);
    it.orders(change);
    assert!(why(&mut it).contains("withdraw the approval"));
    let execute = it.effect(|work| *work == Work::Execute(change));
    it.starts(execute);
    it.concludes(execute, EffectResult::CannotTell);
    assert!(why(&mut it).contains("settle that first"));
    let because = "it is there".to_owned();
    it.does(Command::SettleMitigation(SettleMitigation { proposal: change, happened: true, because }));
    it.does(undo(change));
}

#[test]
fn what_was_taken_back_mitigates_nothing() {
    let mut it = Scenario::declared(Severity::Sev2);
    let mitigated = |it: &Scenario| {
        !unmet_at(&it.it, Phase::Resolution, &it.runbook, it.now, true).contains(&Gate::MitigatedOrFixed)
    };
    let change = it.has_mitigated("deployment/checkout");
    assert!(mitigated(&it));
    let back = way_back(&mut it, change);
    it.orders(back);
    it.settles();
    assert!(!mitigated(&it), "the change is gone");
    let forth = way_back(&mut it, back);
    it.orders(forth);
    it.settles();
    assert!(mitigated(&it), "and is there again");
}

use super::*;
use crate::model::severity::Severity;
use crate::rules::command::{
    AddAction, Assign, Because, Command, Declare, EffectResult, SetSeverity, TickStep,
};
use crate::rules::test_driver::Driver;
use crate::runbook::Priority;

fn declared() -> Driver {
    let mut driver = Driver::declared(Declare::new("checkout is down").severity(Severity::Sev2));
    driver.settle();
    driver
}

fn steps(driver: &Driver) -> Vec<NextStep> {
    next_steps(&driver.incident, &driver.runbook, driver.now)
}

/// The first `count` steps, as `HH:MM who: what`, with `!` if overdue.
fn first(driver: &Driver, count: usize) -> Vec<String> {
    let said = |step: &NextStep| {
        let by = step.by.map_or_else(|| "-".to_owned(), |by| by.format("%H:%M").to_string());
        let who = match &step.who {
            Who::Person(person) => person.to_string(),
            Who::Role(role) => format!("<{role}>"),
            Who::Anybody => "anybody".to_owned(),
        };
        let overdue = if step.overdue { "!" } else { "" };
        format!("{by}{overdue} {who}: {}", step.what)
    };
    steps(driver).iter().take(count).map(said).collect()
}

fn commander(driver: &mut Driver) {
    driver.alice(Command::Assign(Assign { role: Role::Commander, to: PersonId::new("alice") }));
}

#[test]
fn a_new_incident_wants_somebody_then_an_update_then_the_phase() {
    let driver = declared();
    assert_eq!(
        first(&driver, 6),
        [
            "14:30 <responder>: Acknowledge the incident",
            "14:30 <incident commander>: Post an update",
            "- anybody: Take command, or name who does",
            "- <responder>: Find out when it began, and correct the first record's time",
            "- <responder>: Confirm that it is an incident, and write down what is seen.",
            "- <responder>: Acknowledge the alert, or silence it for a short while, so that it stops paging.",
        ]
    );
    let steps = steps(&driver);
    let confirms = steps.iter().filter(|step| step.what.starts_with("Confirm"));
    assert_eq!(
        confirms.map(|it| it.why.clone()).collect::<Vec<_>>(),
        [Why::Gate(Gate::Step("confirm-incident".into()))]
    );
    let health = steps.iter().find(|step| step.why == Why::Step("verify-health".into())).unwrap();
    assert!(health.how.as_deref().unwrap().starts_with("curl"));
}

#[test]
fn what_is_overdue_comes_first_and_says_how_often_it_was_missed() {
    let mut driver = declared();
    driver.alice(Command::Acknowledge);
    commander(&mut driver);
    driver.wait(65).wake();
    assert_eq!(first(&driver, 1), ["15:30! alice: Post an update (missed: 2)"]);
}

#[test]
fn a_ticked_step_is_no_longer_asked_for() {
    let mut driver = declared();
    let step = "ack-alert".to_owned();
    driver.alice(Command::TickStep(TickStep { step: step.clone(), skipped: None }));
    assert!(steps(&driver).iter().all(|it| it.why != Why::Step(step.clone())));
}

#[test]
fn a_plan_waits_for_approval_then_for_its_execution_then_for_the_truth() {
    let mut driver = declared();
    driver.alice(Command::Acknowledge);
    commander(&mut driver);
    let proposal = driver.propose();
    let digest = driver.incident.mitigations[&proposal].plan.as_ref().unwrap().digest.short();
    let rollback = format!("roll deployment/checkout back to the previous revision ({proposal})");
    let approve =
        format!("14:15 anybody: Approve or reject plan {digest}, 0 of 1 approvals given: {rollback}");
    assert_eq!(first(&driver, 1), [approve]);
    driver.approve(proposal);
    assert_eq!(first(&driver, 1), [format!("14:15 <ops lead>: Execute plan {digest}: {rollback}")]);
    driver.order(proposal);
    assert_eq!(first(&driver, 1), ["14:30 alice: Post an update"]);
    let effect = driver.incident.effects.values().next().unwrap().seq;
    driver.begin(effect);
    driver.conclude(effect, EffectResult::CannotTell);
    let settle = format!("- <ops lead>: Find out whether it was carried out, and settle it: {rollback}");
    assert_eq!(first(&driver, 1), [settle]);
}

#[test]
fn a_plan_that_has_expired_is_not_waited_for() {
    let mut driver = declared();
    driver.propose();
    driver.wait(16);
    assert!(steps(&driver).iter().all(|it| !matches!(it.why, Why::Approval(_))));
}

#[test]
fn an_ended_incident_wants_only_its_follow_ups() {
    let mut driver = declared();
    driver.alice(Command::AddAction(AddAction {
        what: "alert on\nslow queries".to_owned(),
        kind: None,
        priority: Priority::High,
        owner: Some(PersonId::new("bob")),
        due: None,
    }));
    driver.alice(Command::Cancel(Because { because: "a test".to_owned() }));
    let only = first(&driver, 9);
    assert_eq!(only.len(), 1);
    assert!(only[0].ends_with("alert on slow queries") && only[0].contains(" bob: Finish action item"));
}

#[test]
fn a_phase_without_unmet_gates_may_be_left() {
    let mut driver = declared();
    driver.alice(Command::Acknowledge);
    driver.incident.start_known = true;
    driver.alice(Command::TickStep(TickStep { step: "confirm-incident".to_owned(), skipped: None }));
    let advance = steps(&driver).into_iter().find(|it| matches!(it.why, Why::Advance(_))).unwrap();
    assert_eq!(advance.what, "Go on to Triage: nothing holds Detection back");
    assert_eq!(advance.why, Why::Advance(Some(Phase::Triage)));
}

#[test]
fn the_recovery_gate_names_what_is_lacking() {
    let mut driver = declared();
    driver.incident.phase = Phase::Recovery;
    driver.look(Colour::Green);
    let gate = |driver: &Driver| {
        steps(driver).into_iter().find(|it| it.why == Why::Gate(Gate::ChecksHeld)).map(|it| it.what)
    };
    assert_eq!(
        gate(&driver).unwrap(),
        "Get every recovery check green: user-reports (unknown, a person must attest it)"
    );
    driver.alice(Command::Attest(crate::rules::command::Attest {
        check: "user-reports".to_owned(),
        colour: Colour::Green,
        detail: "they are happy".to_owned(),
    }));
    let wait = "Wait: every check is green, and must stay so until 2026-03-02 14:15:00 UTC";
    assert_eq!(gate(&driver).unwrap(), wait);
}

#[test]
fn nothing_is_next_before_there_is_an_incident() {
    let driver = Driver::new();
    assert_eq!(steps(&driver), []);
}

#[test]
fn the_ends_of_time_are_times_like_others() {
    let mut driver = declared();
    driver.propose();
    for now in [Time::MIN_UTC, Time::MAX_UTC] {
        driver.now = now;
        assert!(!steps(&driver).is_empty());
    }
}

#[test]
fn a_worse_severity_brings_the_deadlines_nearer() {
    let mut driver = declared();
    driver.alice(Command::SetSeverity(SetSeverity {
        severity: Severity::Sev1,
        because: "data loss".to_owned(),
    }));
    let by: Vec<_> = steps(&driver).into_iter().filter_map(|step| step.by).collect();
    let quarter = after(driver.now, std::time::Duration::from_secs(15 * 60));
    assert_eq!(by, [quarter, quarter]);
}

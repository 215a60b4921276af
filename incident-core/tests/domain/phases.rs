//! What may be done in which phase, and what must be true before a phase is left.

use incident_core::log::event::{Fact, FixStep, PhaseEntered};
use incident_core::log::incident::Ending;
use incident_core::log::mitigation::Stage;
use incident_core::model::effect::Work;
use incident_core::model::id::Seq;
use incident_core::model::obligation::ObligationKind;
use incident_core::model::phase::Phase;
use incident_core::model::phase::{Gate, Status};
use incident_core::model::role::Actor;
use incident_core::model::severity::Severity;
use incident_core::rules::command::{
    Advance, Close, Command, CommandKind, EffectResult, RecordFix, Refusal, StepBack, Undo,
};
use incident_core::rules::context::Context;
use incident_core::rules::decide::permitted;
use incident_core::rules::gate::unmet;

use crate::course::{
    action, advance, advance_to, because, facts, first, hypothesis, impact, publish, resolve, resolve_anyway,
    tick, triage,
};
use crate::samples::sample;
use crate::scenario::{MONDAY, Scenario, carried, count, kinds};

#[test]
fn what_is_possible_when() {
    let columns: Vec<(Phase, bool)> =
        Phase::ALL.into_iter().map(|phase| (phase, false)).chain([(Phase::PostIncident, true)]).collect();
    let names = ["Det", "Tri", "Com", "Inv", "Res", "Rec", "Post", "ended"];
    let mut table = format!("{:<18}{}\n", "", names.map(|name| format!("{name:>6}")).concat());
    for kind in CommandKind::ALL {
        let cells =
            columns.iter().map(|(phase, ended)| if permitted(*kind, *phase, *ended) { "yes" } else { "-" });
        let row: String = cells.map(|cell| format!("{cell:>6}")).collect();
        table.push_str(&format!("{:<18}{row}\n", kind.to_string()));
    }
    insta::assert_snapshot!(table);
}

#[test]
fn the_table_is_what_is_decided() {
    let at = |phase: Phase| {
        let mut it = Scenario::declared(Severity::Sev2);
        it.goes_to(phase);
        it
    };
    let mut ended = at(Phase::PostIncident);
    ended.does(sample(CommandKind::Close));
    let scenarios = Phase::ALL.into_iter().map(at).chain([ended]);
    for it in scenarios {
        for kind in CommandKind::ALL.iter().filter(|kind| **kind != CommandKind::Declare) {
            let result = it.clone().tries(sample(*kind));
            let possible = permitted(*kind, it.it.phase, it.it.ended.is_some());
            let not_now = matches!(result, Err(Refusal::NotNow { .. }));
            assert_eq!(possible, !not_now, "{kind} in {}: {result:?}", it.it.phase);
        }
    }
}

#[test]
fn an_ended_incident_takes_no_decisions_whichever_way_it_ended() {
    for (kind, ending) in [
        (CommandKind::Cancel, Ending::Cancelled),
        (CommandKind::MergeInto, Ending::Merged(crate::samples::older())),
    ] {
        let mut it = Scenario::declared(Severity::Sev2);
        it.does(sample(kind));
        assert_eq!(it.it.ended, Some(ending));
        for kind in
            [CommandKind::Acknowledge, CommandKind::Advance, CommandKind::Propose, CommandKind::Cancel]
        {
            let refusal = it.refuses(sample(kind));
            assert!(matches!(refusal, Refusal::NotNow { ended: true, .. }), "{kind}: {refusal}");
        }
    }
}

fn unmet_gates(it: &Scenario) -> Vec<Gate> {
    let cx = Context {
        now: it.now,
        runbook: &it.runbook,
        digest: it.runbook.digest(),
        live: &it.live,
        drill: &it.drill,
        taken: &it.taken,
        others: &it.others,
        open_incidents: None,
        entropy: [0; 16],
    };
    unmet(&it.it, it.it.phase, &cx)
}

/// Each gate: the phase it guards, and what meets it.
#[test]
fn each_gate_opens_when_its_condition_is_met() {
    type Meet = fn(&mut Scenario);
    let gates: Vec<(Phase, Gate, Meet)> = vec![
        (Phase::Detection, Gate::Acknowledged, |it| drop(it.does(Command::Acknowledge))),
        (Phase::Detection, Gate::StartKnown, |it| {
            let correct = incident_core::rules::command::Correct {
                record: Seq(1),
                text: None,
                occurred_at: Some(it.start),
                because: "the graph says so".to_owned(),
            };
            it.does(Command::Correct(correct));
        }),
        (Phase::Detection, Gate::Step("confirm-incident".to_owned()), |it| {
            drop(it.does(tick("confirm-incident")));
        }),
        (Phase::Triage, Gate::SeverityAssigned, |it| drop(it.does(triage()))),
        (Phase::Triage, Gate::ImpactAssessed, |it| drop(it.does(impact(false)))),
        (Phase::Investigation, Gate::Hypotheses(2), |it| {
            it.does(hypothesis("dns"));
            assert_eq!(unmet_gates(it), [Gate::Hypotheses(2)], "one isn't two");
            it.does(hypothesis("a deployment"));
        }),
        (Phase::Resolution, Gate::MitigatedOrFixed, |it| {
            it.has_mitigated("deployment/checkout");
        }),
        (Phase::Resolution, Gate::MitigatedOrFixed, |it| {
            for step in [FixStep::Change, FixStep::Staging] {
                it.does(Command::RecordFix(RecordFix { step, what: "x".to_owned(), link: None }));
            }
            assert_eq!(unmet_gates(it), [Gate::MitigatedOrFixed], "it isn't in production yet");
            let (step, what) = (FixStep::Deployment, "v9".to_owned());
            it.does(Command::RecordFix(RecordFix { step, what, link: None }));
        }),
        (Phase::PostIncident, Gate::PostMortemPublished, |it| {
            let last = it.it.version;
            it.does(publish(last));
        }),
    ];
    for (phase, gate, meet) in gates {
        let mut it = Scenario::blank(MONDAY);
        it.does(sample(CommandKind::Declare));
        match phase {
            Phase::Detection => {}
            Phase::PostIncident => drop(it.does(resolve_anyway())),
            phase => drop(it.does(advance_to(phase))),
        }
        assert!(unmet_gates(&it).contains(&gate), "{gate} is unmet in {phase}");
        meet(&mut it);
        assert!(!unmet_gates(&it).contains(&gate), "{gate} is met in {phase}");
    }
}

#[test]
fn the_audiences_are_notified_by_entering_the_communication() {
    let mut it = Scenario::declared(Severity::Sev1);
    assert!(carried(&it.records).iter().all(|notice| !notice.contains("customers")), "not before");
    let records = it.goes_to(Phase::Triage).does(advance_to(Phase::Communication));
    assert_eq!(carried(&records), ["opening status(customers)"]);
    assert_eq!(unmet_gates(&it), []);
}

#[test]
fn an_audience_without_a_route_keeps_the_communication_open() {
    let mut it = Scenario::blank(MONDAY);
    it.live.notices.retain(|route| route.name != "status");
    it.does(sample(CommandKind::Declare));
    it.does(advance_to(Phase::Communication));
    assert_eq!(unmet_gates(&it), [Gate::AudiencesNotified]);
    assert!(count(&it.records, "AudienceUnreached") > 0, "and it is said");
}

#[test]
fn every_action_item_must_be_owned_and_filed_before_the_close() {
    let mut it = Scenario::declared(Severity::Sev3);
    it.does(resolve_anyway());
    let close = || Command::Close(Close { override_because: None });
    let unowned = first(&it.does(action(None)));
    it.settles();
    assert_eq!(unmet_gates(&it), [Gate::ActionsFiled], "nobody owns it");
    it.refuses(close());
    let outcome = "not needed".to_owned();
    it.does(Command::CompleteAction(incident_core::rules::command::CompleteAction {
        action: unowned,
        outcome,
    }));
    it.does(action(Some("bob")));
    assert_eq!(unmet_gates(&it), [Gate::ActionsFiled], "it has no ticket");
    it.settles();
    it.does(close());
}

#[test]
fn a_gate_that_is_unmet_refuses_with_every_gate() {
    let mut it = Scenario::declared(Severity::Sev2);
    let unmet = vec![Gate::Acknowledged, Gate::Step("confirm-incident".to_owned())];
    assert_eq!(it.refuses(advance()), Refusal::Gates { phase: Phase::Detection, unmet });
}

#[test]
fn an_override_takes_a_person_and_a_reason_and_is_recorded() {
    let mut it = Scenario::declared(Severity::Sev2);
    let over =
        |reason: &str| Command::Advance(Advance { to: None, override_because: Some(reason.to_owned()) });
    it.as_actor(Actor::Automation("bot".to_owned()));
    assert!(matches!(it.refuses(over("we know")), Refusal::NotAPerson { .. }), "a bot");
    it.as_("stranger");
    assert!(matches!(it.refuses(over("we know")), Refusal::NotAPerson { .. }), "an account of nobody");
    it.as_("alice");
    assert!(it.refuses(over(" ")).to_string().starts_with("override_because"), "no reason");
    let records = it.does(over("we know"));
    let Fact::PhaseEntered(entered) = &records[0].fact else { panic!("{records:?}") };
    assert_eq!(entered.overridden, [Gate::Acknowledged, Gate::Step("confirm-incident".to_owned())]);
    assert_eq!(it.it.texts.get(entered.because.unwrap()), "we know");
}

#[test]
fn a_reason_given_where_no_gate_needs_it_overrides_nothing() {
    let mut it = Scenario::declared(Severity::Sev2);
    it.does(Command::Acknowledge);
    it.does(tick("confirm-incident"));
    let records = it.does(advance_to(Phase::Triage));
    let Fact::PhaseEntered(entered) = &records[0].fact else { panic!("{records:?}") };
    assert!(entered.overridden.is_empty() && entered.because.is_none());
}

fn entered(fact: &Fact) -> Option<PhaseEntered> {
    match fact {
        Fact::PhaseEntered(entered) => Some(entered.clone()),
        _ => None,
    }
}

#[test]
fn a_jump_passes_each_phase_and_owes_what_each_owes() {
    let mut it = Scenario::declared(Severity::Sev2);
    let records = it.does(advance_to(Phase::Recovery));
    let passed: Vec<Phase> = facts(&records, entered).iter().map(|entered| entered.to).collect();
    assert_eq!(passed, Phase::ALL[1..6]);
    assert_eq!(carried(&records), ["opening status(customers)"], "once");
}

#[test]
fn a_jump_is_refused_at_the_first_phase_whose_gates_are_unmet() {
    let mut it = Scenario::declared(Severity::Sev2);
    it.goes_to(Phase::Triage);
    let jump = Command::Advance(Advance { to: Some(Phase::Recovery), override_because: None });
    let unmet = vec![Gate::ImpactAssessed];
    assert_eq!(it.refuses(jump), Refusal::Gates { phase: Phase::Triage, unmet });
}

#[test]
fn a_step_back_is_normal_and_needs_only_a_reason() {
    let mut it = Scenario::declared(Severity::Sev2);
    it.goes_to(Phase::Recovery);
    let back = StepBack { to: Phase::Investigation, because: "a check turned red".to_owned() };
    let records = it.does(Command::StepBack(back));
    assert_eq!(kinds(&records)[0], "PhaseEntered");
    assert_eq!((it.it.phase, it.it.phase.status()), (Phase::Investigation, Status::Investigating));
    assert_eq!(carried(&records), [] as [&str; 0], "who was told isn't told again that it opens");
}

#[test]
fn resolving_skips_no_gate() {
    let mut it = Scenario::declared(Severity::Sev2);
    assert!(matches!(it.refuses(resolve()), Refusal::Gates { phase: Phase::Detection, .. }));
    it.goes_to(Phase::Recovery);
    let unmet = vec![Gate::ChecksHeld];
    assert_eq!(it.refuses(resolve()), Refusal::Gates { phase: Phase::Recovery, unmet });
}

/// Every stage in which a mitigation may change its target, by how far its effects were carried out.
fn running(it: &mut Scenario, proposal: Seq, stage: Stage) {
    match stage {
        Stage::Ordered => {}
        Stage::Executed => drop(it.settles_but(|effect| matches!(effect.work, Work::Verify(_)))),
        _ => {
            let execute = it.effect(|work| *work == Work::Execute(proposal));
            it.starts(execute);
            it.concludes(execute, EffectResult::CannotTell);
        }
    }
    assert_eq!(it.stage(proposal), stage);
}

#[test]
fn nothing_ends_while_a_mitigation_runs() {
    for stage in [Stage::Ordered, Stage::Executed, Stage::Unclear] {
        let mut it = Scenario::declared(Severity::Sev2);
        let proposal = it.has_ordered("deployment/checkout");
        running(&mut it, proposal, stage);
        for command in [resolve_anyway(), sample(CommandKind::Cancel), sample(CommandKind::MergeInto)] {
            assert!(matches!(it.refuses(command.clone()), Refusal::Unsafe(_)), "{stage}: {command:?}");
        }
    }
    let mut it = Scenario::declared(Severity::Sev2);
    let proposal = it.has_ordered("deployment/checkout");
    it.settles();
    assert!(!it.stage(proposal).is_running());
    assert!(matches!(it.refuses(sample(CommandKind::Cancel)), Refusal::Unsafe(_)), "something was changed");
    it.does(resolve_anyway());
}

#[test]
fn nothing_ends_while_an_undo_runs_after_resolve() {
    for stage in [Stage::Ordered, Stage::Executed, Stage::Unclear] {
        let mut it = Scenario::declared(Severity::Sev2);
        let done = it.has_mitigated("deployment/checkout");
        it.does(resolve_anyway());
        let because = "the fix is in".to_owned();
        let undo = first(&it.does(Command::Undo(Undo { mitigation: done, because })));
        it.plans(undo);
        it.approves("bob", undo);
        it.orders(undo);
        running(&mut it, undo, stage);
        for command in [sample(CommandKind::Close), sample(CommandKind::MergeInto)] {
            assert!(matches!(it.refuses(command.clone()), Refusal::Unsafe(_)), "{stage}: {command:?}");
        }
    }
}

#[test]
fn reopening_owes_everything_again() {
    let mut it = Scenario::declared(Severity::Sev2);
    it.goes_to(Phase::PostIncident).settles();
    let records = it.does(Command::Reopen(because("it came back")));
    assert_eq!(it.it.phase, Phase::Investigation);
    assert_eq!(it.it.milestones.resolved, None);
    it.owed(ObligationKind::Acknowledge);
    it.owed(ObligationKind::Update);
    assert!(it.it.obligation(ObligationKind::PostMortem).is_none());
    assert!(carried(&records).contains(&"page pager(responders)".to_owned()));
    assert!(carried(&records).contains(&"reopened status(customers)".to_owned()));
    it.does(Command::Acknowledge);
    it.goes_to(Phase::PostIncident);
    it.owed(ObligationKind::PostMortem);
}

#[test]
fn a_false_alarm_is_told_to_whoever_heard_of_it_and_owes_nothing() {
    let mut it = Scenario::declared(Severity::Sev2);
    it.settles();
    let records = it.does(Command::Cancel(because("a test")));
    assert_eq!(carried(&records), ["cancelled pager(responders)", "cancelled chat(leadership, staff, team)"]);
    it.settles();
    assert!(it.it.is_settled());
}

#[test]
fn follow_ups_outlive_every_ending() {
    for kind in [CommandKind::Close, CommandKind::Cancel, CommandKind::MergeInto] {
        let mut it = Scenario::declared(Severity::Sev2);
        let action = first(&it.does(action(Some("bob"))));
        if kind == CommandKind::Close {
            it.does(resolve_anyway());
        }
        it.does(sample(kind));
        it.settles();
        assert!(it.it.ended.is_some());
        let owed: Vec<ObligationKind> = it.it.obligations.values().map(|owed| owed.kind).collect();
        assert_eq!(owed, [ObligationKind::FollowUp(action)], "{kind}");
        assert!(it.it.actions[&action].ticket.is_some(), "{kind}: its ticket is filed");
    }
}

#[test]
fn a_close_without_its_gates_takes_a_person_and_a_reason() {
    let mut it = Scenario::declared(Severity::Sev1);
    it.does(resolve_anyway());
    let close = |reason: Option<&str>| Command::Close(Close { override_because: reason.map(str::to_owned) });
    assert!(matches!(it.refuses(close(None)), Refusal::Gates { phase: Phase::PostIncident, .. }));
    it.as_("stranger");
    assert!(matches!(it.refuses(close(Some("late"))), Refusal::NotAPerson { .. }));
    let records = it.as_("bob").does(close(Some("late")));
    let Fact::Closed(closed) = &records[0].fact else { panic!("{records:?}") };
    assert_eq!(closed.overridden, [Gate::PostMortemPublished]);
}

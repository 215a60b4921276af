//! Nothing crosses between live incidents and drills.

use std::collections::BTreeSet;
use std::time::Duration;

use incident_core::log::event::{Fact, Relation};
use incident_core::log::index::{Summary, budget_key, signal_key, storm_key, target_key};
use incident_core::model::id::IncidentId;
use incident_core::model::role::Actor;
use incident_core::model::severity::Severity;
use incident_core::model::side::Side;
use incident_core::postmortem::{FollowUpReview, recurrences};
use incident_core::rules::command::{Absorb, Command, Declare, Link, Refusal};
use incident_core::rules::context::OtherIncident;
use proptest::prelude::*;

use crate::course::action;
use crate::samples::{older, younger};
use crate::scenario::{MONDAY, Scenario};

const SIDES: [Side; 2] = [Side::Live, Side::Drill];

fn other_side(side: Side) -> Side {
    if side == Side::Live { Side::Drill } else { Side::Live }
}

fn on(side: Side) -> Scenario {
    let mut it = Scenario::blank(MONDAY);
    let declare = Declare::new("checkout is down").severity(Severity::Sev2).service("checkout");
    let declare = if side == Side::Drill { declare.drill() } else { declare };
    it.does(Command::Declare(Box::new(declare)));
    it
}

/// Every command that names another incident, and the field that does.
fn naming() -> Vec<(Command, &'static str)> {
    let because = || "one cause".to_owned();
    vec![
        (Command::Absorb(Absorb { other: younger(), because: because() }), "other"),
        (Command::MergeInto(older()), "into"),
        (Command::Link(Link { other: older(), relation: Relation::RelatedTo }), "other"),
        (Command::Link(Link { other: younger(), relation: Relation::CausedBy }), "other"),
    ]
}

#[test]
fn a_command_names_only_incidents_of_its_own_side_that_exist() {
    for side in SIDES {
        for (command, field) in naming() {
            let mut it = on(side);
            let both = |side| [older(), younger()].map(|id| OtherIncident::new(id).on(side)).to_vec();
            it.others = Vec::new();
            let refusal = it.refuses(command.clone());
            assert!(
                matches!(refusal, Refusal::NotFound { what: "incident", .. }),
                "{side:?} {command:?}: {refusal}"
            );
            it.others = both(other_side(side));
            let refusal = it.refuses(command.clone());
            assert!(
                matches!(&refusal, Refusal::Invalid { field: named, .. } if *named == field),
                "{side:?} {command:?}: {refusal}"
            );
            it.others = both(side);
            it.does(command);
        }
    }
}

fn recurring(side: Side, actor: Actor, others: Vec<OtherIncident>) -> Result<Option<IncidentId>, Refusal> {
    let mut it = Scenario::blank(MONDAY);
    it.others = others;
    let mut declare = Declare::new("again");
    declare.side = side;
    declare.recurrence_of = Some(older());
    let records = it.as_actor(actor).tries(Command::Declare(Box::new(declare)))?;
    let Fact::Declared(declared) = &records[0].fact else { panic!("{records:?}") };
    Ok(declared.recurrence_of)
}

#[test]
fn an_incident_repeats_only_one_of_its_own_side_that_exists() {
    let (alice, alerts) = (Actor::human("chat", "alice"), Actor::Automation("prometheus".to_owned()));
    for side in SIDES {
        let there = vec![OtherIncident::new(older()).on(side)];
        for actor in [&alice, &alerts] {
            assert_eq!(recurring(side, actor.clone(), there.clone()), Ok(Some(older())));
        }
        for others in [Vec::new(), vec![OtherIncident::new(older()).on(other_side(side))]] {
            assert!(recurring(side, alice.clone(), others.clone()).is_err(), "{side:?} {others:?}");
            let alert = recurring(side, alerts.clone(), others.clone());
            assert_eq!(alert, Ok(None), "an alert is never refused: {side:?} {others:?}");
        }
    }
}

#[test]
fn similar_incidents_are_of_one_side() {
    let summary = |side, severity| {
        let mut it = on(side);
        it.does(crate::course::severity(severity));
        let mut summary = Summary::of(&it.it);
        summary.causes = BTreeSet::from([incident_core::model::cause::CauseClass::Data]);
        summary
    };
    for side in SIDES {
        let this = summary(side, Severity::Sev1);
        let others = SIDES.map(|side| (older(), summary(side, Severity::Sev1)));
        let found = recurrences((younger(), &this), &others, Duration::from_secs(86_400));
        assert_eq!(found.len(), 1, "{side:?}");
    }
}

#[test]
fn the_review_of_action_items_leaves_drills_out() {
    let states = SIDES.map(|side| {
        let mut it = on(side);
        it.does(action(Some("bob")));
        it
    });
    let [live, _] = &states;
    let review = FollowUpReview::of(states.iter().map(|it| &it.it), &live.runbook, live.start, live.now);
    assert_eq!(review.open.iter().map(|item| item.incident).collect::<Vec<_>>(), [live.it.id]);
}

proptest! {
    /// Whatever a group, a target or a system is called.
    #[test]
    fn no_key_of_a_drill_is_a_key_of_a_live_incident(live in "(drill/|signal/|target/|budget/|[a-z])*", drill in "(drill/|signal/|target/|budget/|[a-z])*", slot in 0_u32..10) {
        let keys = |side, name: &str| {
            let storm = Severity::ALL.map(|severity| storm_key(side, severity));
            let named = [signal_key(side, name), target_key(side, name), budget_key(side, name, slot)];
            storm.into_iter().chain(named).collect::<BTreeSet<_>>()
        };
        prop_assert!(keys(Side::Live, &live).is_disjoint(&keys(Side::Drill, &drill)));
    }
}

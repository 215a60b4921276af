//! Two incidents become one: first the older one says so, then the younger.

use incident_core::log::incident::Ending;
use incident_core::log::index::{Summary, index};
use incident_core::model::effect::{Applied, LinkTo, Outcome, TicketWork, Work};
use incident_core::model::id::IncidentId;
use incident_core::model::phase::Phase;
use incident_core::model::severity::Severity;
use incident_core::rules::command::{Absorb, Command, Refusal};
use incident_core::rules::context::OtherIncident;

use crate::course::{because, first};
use crate::effects::settled;
use crate::samples::{older, younger};
use crate::scenario::{Scenario, carried, kinds};

fn absorb(other: IncidentId) -> Command {
    Command::Absorb(Absorb { other, because: "one cause".to_owned() })
}

/// An incident that was declared after the scenario's.
fn second() -> Scenario {
    let mut it = Scenario::blank_as(younger(), "2026-03-02T11:00:00Z");
    it.does(Command::Declare(Box::new(crate::scenario::declare(Severity::Sev3, it.start))));
    it
}

#[test]
fn the_older_one_survives_whichever_way_it_is_asked() {
    let mut it = Scenario::declared(Severity::Sev2);
    assert!(matches!(it.refuses(absorb(older())), Refusal::Invalid { field: "other", .. }));
    let own = it.it.id;
    assert!(matches!(it.refuses(absorb(own)), Refusal::Invalid { field: "other", .. }), "itself");
    assert!(matches!(it.refuses(Command::MergeInto(younger())), Refusal::Invalid { field: "into", .. }));
    assert!(matches!(it.refuses(Command::MergeInto(own)), Refusal::Invalid { field: "into", .. }), "itself");
    it.does(absorb(younger()));
    it.does(Command::MergeInto(older()));
}

#[test]
fn a_crash_between_the_two_is_finished_by_the_effect() {
    let (mut survivor, mut other) = (Scenario::declared(Severity::Sev2), second());
    survivor.does(absorb(younger()));
    // Here the process dies. The next pass finds the effect, tells the other one, and is told.
    let merge = survivor.effect(|work| *work == Work::Merge(younger()));
    survivor.later("1h").starts(merge);
    let into = survivor.it.id;
    other.others = vec![OtherIncident::of(&survivor.it)];
    other.does(Command::MergeInto(into));
    survivor.settles();
    assert_eq!(other.it.ended, Some(Ending::Merged(survivor.it.id)));
    survivor.later("2m").settles();
    assert!(survivor.it.absorbed.contains(&younger()) && !survivor.it.effects.contains_key(&merge));
    let summary: Summary = serde_json::from_slice(&index(&other.it).summary).unwrap();
    assert_eq!(summary.merged_into, Some(survivor.it.id));
}

#[test]
fn telling_it_twice_changes_nothing() {
    let mut other = second();
    other.does(Command::MergeInto(older()));
    assert!(matches!(other.refuses(Command::MergeInto(older())), Refusal::NotNow { ended: true, .. }));
    let mut survivor = Scenario::declared(Severity::Sev2);
    survivor.does(absorb(younger()));
    assert!(matches!(survivor.refuses(absorb(younger())), Refusal::Already(_)), "it is still to be told");
    survivor.settles();
    let told = OtherIncident::new(younger()).that_ended(Ending::Merged(survivor.it.id));
    survivor.others = vec![told];
    assert!(matches!(survivor.refuses(absorb(younger())), Refusal::Already(_)), "it was told");
}

/// The other one may refuse: a mitigation runs there for hours. A person is told, and asks again when it is over.
#[test]
fn a_merge_that_was_refused_is_told_and_can_be_asked_for_again() {
    let mut survivor = Scenario::declared(Severity::Sev2);
    survivor.does(absorb(younger()));
    let merge = survivor.effect(|work| *work == Work::Merge(younger()));
    survivor.starts(merge);
    let records = survivor.concludes(merge, crate::world::failure(Applied::No, false, None));
    assert!(carried(&records).contains(&"person needed pager(responders)".to_owned()));
    survivor.does(absorb(younger()));
    survivor.effect(|work| *work == Work::Merge(younger()));
}

#[test]
fn only_an_open_incident_is_merged_and_only_into_one_that_is_not_closed_or_cancelled() {
    let third = IncidentId::new(crate::world::time("2026-03-02T12:00:00Z"), [8; 16]);
    for ending in [Ending::Closed, Ending::Cancelled, Ending::Merged(third)] {
        let mut survivor = Scenario::declared(Severity::Sev2);
        survivor.others = vec![OtherIncident::new(younger()).that_ended(ending)];
        let refusal = survivor.refuses(absorb(younger()));
        assert!(matches!(refusal, Refusal::Invalid { field: "other", .. }), "{ending:?}: {refusal}");
        let mut other = second();
        other.others = vec![OtherIncident::new(older()).that_ended(ending)];
        let merged = other.tries(Command::MergeInto(older()));
        let chained = matches!(ending, Ending::Merged(_));
        assert_eq!(
            merged.is_ok(),
            chained,
            "{ending:?}: an incident whose survivor was merged itself follows it"
        );
    }
}

#[test]
fn the_younger_one_drops_what_it_owed_and_tells_those_inside() {
    let mut other = second();
    other.goes_to(Phase::Communication).settles();
    other.does(crate::course::update("we look"));
    let records = other.does(Command::MergeInto(older()));
    assert!(other.it.obligations.is_empty());
    assert!(settled(&records).iter().all(|outcome| matches!(outcome, Outcome::Superseded { .. })));
    assert!(carried(&records).iter().all(|line| line.starts_with("merged ") && !line.contains("customers")));
    other.settles();
    assert!(other.it.is_settled());
}

#[test]
fn one_that_is_under_way_is_not_dropped() {
    let mut other = second();
    let opening = other.notice_on("chat", incident_core::model::notice::NoticeKind::Opening);
    other.starts(opening);
    other.does(Command::MergeInto(older()));
    assert!(other.it.effects.contains_key(&opening), "its outcome is still to come");
}

/// C is to become part of B when B becomes part of A: C must still hear of it.
#[test]
fn a_merge_still_to_be_told_outlives_the_next_merge() {
    let mut it = Scenario::declared(Severity::Sev2);
    it.does(absorb(younger()));
    it.does(Command::MergeInto(older()));
    it.effect(|work| *work == Work::Merge(younger()));
}

#[test]
fn but_not_a_false_alarm() {
    let mut it = Scenario::declared(Severity::Sev2);
    it.does(absorb(younger()));
    it.does(Command::Cancel(because("a test")));
    assert_eq!(it.effects(|work| *work == Work::Merge(younger())), []);
}

#[test]
fn follow_ups_and_their_tickets_stay_with_the_one_that_added_them() {
    let mut other = second();
    let todo = first(&other.does(crate::course::action(Some("bob"))));
    other.does(Command::MergeInto(older()));
    other.settles();
    let done = incident_core::rules::command::CompleteAction { action: todo, outcome: "done".to_owned() };
    let records = other.does(Command::CompleteAction(done));
    let reading_ends = "EffectSettled";
    assert_eq!(kinds(&records), ["ActionCompleted", "ObligationMet", "EffectPlanned", reading_ends]);
}

#[test]
fn their_tickets_are_linked_both_ways() {
    let (mut survivor, mut other) = (Scenario::declared(Severity::Sev2), second());
    survivor.does(absorb(younger()));
    other.does(Command::MergeInto(older()));
    for (it, other, relation) in [(survivor, younger(), "duplicated by"), (other, older(), "duplicate of")] {
        let link = LinkTo::Incident { other, relation: relation.to_owned() };
        it.effect(|work| *work == Work::Ticket(TicketWork::Link(link.clone())));
    }
}

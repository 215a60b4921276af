//! Action items live in their tickets: what people do there is read back, and ends or moves what is owed.

use incident_core::log::event::{Fact, Record};
use incident_core::log::incident::Ending;
use incident_core::model::effect::{Applied, EffectState, LinkTo, Outcome, TicketWork, Work};
use incident_core::model::id::Seq;
use incident_core::model::obligation::ObligationKind;
use incident_core::model::role::Identity;
use incident_core::model::severity::Severity;
use incident_core::model::ticket::{Ticket, TicketRef, TicketSeen, TicketState};
use incident_core::model::time::after;
use incident_core::rules::command::{Command, CompleteAction, EffectResult};

use crate::course::{action, facts, first};
use crate::effects::settled;
use crate::scenario::{Scenario, carried, kinds};
use crate::world::{failure, long, person, tickets};

/// An incident with one action item of bob's, whose ticket is open.
fn with_action() -> (Scenario, Seq) {
    let mut it = Scenario::declared(Severity::Sev3);
    let added = first(&it.does(action(Some("bob"))));
    it.settles();
    assert!(it.it.actions[&added].ticket.is_some());
    (it, added)
}

/// Reads the tickets after `change` was made to them.
pub(crate) fn reads(it: &mut Scenario, change: impl FnOnce(&mut Vec<Ticket>)) -> Vec<Record> {
    let reading = it.effect(|work| *work == Work::ReadTickets);
    let EffectState::Ready(at) = *it.state_of(reading) else { panic!("it waits") };
    it.now = it.now.max(at);
    it.starts(reading);
    let mut tickets = tickets(&it.it);
    change(&mut tickets);
    it.concludes(reading, EffectResult::Tickets(tickets))
}

fn seen(records: &[Record]) -> Vec<TicketSeen> {
    facts(records, |fact| match fact {
        Fact::ActionTicketSeen(it) => Some(it.shows.clone()),
        _ => None,
    })
}

fn owes(it: &Scenario, action: Seq) -> bool {
    it.it.obligation(ObligationKind::FollowUp(action)).is_some()
}

#[test]
fn tickets_are_read_every_six_hours_and_what_is_as_it_was_says_nothing() {
    let (mut it, action) = with_action();
    for hours in [6, 12, 18] {
        let reading = it.effect(|work| *work == Work::ReadTickets);
        let EffectState::Ready(at) = *it.state_of(reading) else { panic!("it waits") };
        assert_eq!(it.since_start(at), format!("{hours} h"));
        assert!(it.it.is_idle(it.now), "nothing is to be done until then");
        let records = reads(&mut it, |_| {});
        assert_eq!(kinds(&records), ["EffectSettled", "EffectPlanned"]);
    }
    assert!(owes(&it, action));
}

/// Backends answer in any order, and somebody may adopt another ticket.
#[test]
fn the_incidents_ticket_is_linked_to_those_of_its_follow_ups_whichever_comes_first() {
    let opening = |work: &Work| *work == Work::Ticket(TicketWork::Open);
    let filing = |work: &Work| matches!(work, Work::Ticket(TicketWork::FollowUp(_)));
    let linking = |work: &Work| matches!(work, Work::Ticket(TicketWork::Link(LinkTo::FollowUp(_))));
    for order in [[&opening as &dyn Fn(&Work) -> bool, &filing], [&filing, &opening]] {
        let mut it = Scenario::declared(Severity::Sev3);
        it.does(action(Some("bob")));
        for work in order {
            assert_eq!(it.effects(linking), []);
            let effect = it.effect(work);
            it.settles_but(|other| other.seq != effect);
        }
        it.effect(linking);
        it.settles();
        it.does(Command::AdoptTicket(TicketRef::new("shop#77")));
        it.effect(linking);
    }
}

#[test]
fn a_ticket_that_people_closed_ends_what_is_owed_and_the_reading() {
    let (mut it, action) = with_action();
    let records = reads(&mut it, |tickets| tickets[0].open = false);
    assert_eq!(seen(&records)[0].state, TicketState::Closed);
    assert!(it.it.actions[&action].done && !owes(&it, action));
    assert_eq!(it.effects(|work| *work == Work::ReadTickets), []);
    let done = Command::CompleteAction(CompleteAction { action, outcome: "x".to_owned() });
    assert!(it.tries(done).is_err(), "it is done already");
}

#[test]
fn a_day_or_an_assignee_that_people_changed_counts() {
    let (mut it, action) = with_action();
    let later = after(it.it.actions[&action].due, long("7d"));
    let records = reads(&mut it, |tickets| {
        tickets[0].due = Some(later);
        tickets[0].assignees = vec![Identity::new("forge", "stranger"), Identity::new("forge", "alice-m")];
    });
    let shows = &seen(&records)[0];
    assert_eq!((shows.owner.clone(), shows.due), (Some(person("alice")), Some(later)));
    assert_eq!(it.owed(ObligationKind::FollowUp(action)).due, later);
    assert_eq!(it.it.actions[&action].owner, Some(person("alice")));
    let same = |tickets: &mut Vec<Ticket>| {
        tickets[0].due = Some(later);
        tickets[0].assignees = vec![Identity::new("forge", "alice-m")];
    };
    assert_eq!(seen(&reads(&mut it, same)), [], "it was seen before");
}

#[test]
fn an_assignee_nobody_knows_takes_nobodys_item_away() {
    let (mut it, action) = with_action();
    let stranger =
        |tickets: &mut Vec<Ticket>| tickets[0].assignees = vec![Identity::new("forge", "stranger")];
    assert_eq!(seen(&reads(&mut it, stranger)), []);
    assert_eq!(it.it.actions[&action].owner, Some(person("bob")));
}

#[test]
fn a_ticket_that_is_gone_is_said_once_and_still_owed() {
    let (mut it, action) = with_action();
    assert_eq!(seen(&reads(&mut it, Vec::clear))[0].state, TicketState::Gone);
    assert_eq!(seen(&reads(&mut it, Vec::clear)), []);
    assert!(owes(&it, action));
}

#[test]
fn a_tracker_that_says_no_for_good_is_the_caretakers() {
    let (mut it, action) = with_action();
    let reading = it.effect(|work| *work == Work::ReadTickets);
    it.later("6h").starts(reading);
    let no = failure(Applied::No, false, None);
    let records = it.concludes(reading, no);
    assert!(matches!(settled(&records)[..], [Outcome::Refused { .. }]));
    assert_eq!(carried(&records), ["person needed mail(caretaker)"]);
    assert!(owes(&it, action), "and people are chased all the same");
}

#[test]
fn it_goes_on_after_the_incident_is_over() {
    let mut it = Scenario::declared(Severity::Sev3);
    let added = first(&it.does(action(Some("bob"))));
    it.settles();
    it.does(Command::Cancel(crate::course::because("it was a test")));
    assert_eq!(it.it.ended, Some(Ending::Cancelled));
    reads(&mut it, |tickets| tickets[0].open = false);
    assert!(!owes(&it, added));
}

/// A token may be revoked for a day: whoever closes a ticket meanwhile must not be chased for good.
#[test]
fn reading_goes_on_after_a_refusal_and_the_caretaker_hears_of_it_once() {
    let (mut it, action) = with_action();
    let mut told = 0;
    for _ in 0..5 {
        let reading = it.effect(|work| *work == Work::ReadTickets);
        let EffectState::Ready(at) = *it.state_of(reading) else { panic!("it waits") };
        it.now = it.now.max(at);
        it.starts(reading);
        let records = it.concludes(reading, failure(Applied::No, false, None));
        told += carried(&records).iter().filter(|line| line.contains("mail(caretaker)")).count();
    }
    assert_eq!(told, 1);
    reads(&mut it, |_| {});
    let reading = it.effect(|work| *work == Work::ReadTickets);
    it.later("6h").starts(reading);
    let records = it.concludes(reading, failure(Applied::No, false, None));
    assert!(carried(&records).iter().any(|line| line.contains("mail(caretaker)")), "it broke again");
    reads(&mut it, |tickets| tickets[0].open = false);
    assert!(!owes(&it, action));
}

//! Tickets that people move, delete or hide: the incident goes on with what is there.

use incident_core::log::event::{Fact, Record};
use incident_core::model::effect::{Applied, Outcome, Receipt, Repeat, TicketWork, Work};
use incident_core::model::id::Seq;
use incident_core::model::notice::NoticeKind;
use incident_core::model::role::Actor;
use incident_core::model::severity::Severity;
use incident_core::model::ticket::{Ticket, TicketRef};
use incident_core::rules::command::{Command, EffectResult, MoveTicket, Redact, RedactSlot};

use crate::course::{action, first, note, severity};
use crate::effects::settled;
use crate::follow_ups::reads;
use crate::scenario::{Scenario, kinds, notices};
use crate::world::failure;

fn sync(it: &Scenario) -> Seq {
    it.effect(|work| *work == Work::Ticket(TicketWork::Sync))
}

/// An incident whose ticket is there and is to be brought up to date.
fn with_ticket() -> Scenario {
    let mut it = Scenario::declared(Severity::Sev3);
    it.settles();
    it.does(severity(Severity::Sev2));
    it.settles_but(|effect| effect.work == Work::Ticket(TicketWork::Sync));
    it
}

fn gone(it: &mut Scenario, effect: Seq) -> Vec<Record> {
    it.starts(effect);
    it.concludes(effect, EffectResult::TicketGone { error: "it was deleted".to_owned() })
}

#[test]
fn a_ticket_that_cannot_be_read_is_not_taken_for_gone() {
    let mut it = Scenario::declared(Severity::Sev3);
    it.does(action(Some("bob")));
    it.settles();
    let hide = |tickets: &mut Vec<Ticket>| {
        for ticket in tickets {
            *ticket = Ticket::unread(ticket.reference.clone(), "the token may not see it");
        }
    };
    let records = reads(&mut it, hide);
    assert_eq!(kinds(&records), ["EffectSettled", "EffectPlanned"]);
    let Outcome::Done(receipt) = &settled(&records)[0] else { panic!("{records:?}") };
    assert!(receipt.degraded[0].ends_with("can't be read: the token may not see it"), "{receipt:?}");
    assert_eq!(it.it.actions.values().next().unwrap().seen, None);
}

#[test]
fn a_ticket_that_was_moved_has_its_new_name_whoever_says_so() {
    let new = TicketRef::new("web#5");
    let mut told = with_ticket();
    let old = told.it.ticket.clone().unwrap();
    let mut by_receipt = told.clone();
    told.does(Command::MoveTicket(MoveTicket { from: old.clone(), to: new.clone() }));
    let effect = sync(&by_receipt);
    by_receipt.starts(effect);
    let receipt = Receipt::new(new.as_str()).moved_from(old.as_str());
    let records = by_receipt.concludes(effect, EffectResult::Done(receipt));
    assert_eq!(kinds(&records), ["EffectSettled", "TicketAdopted"]);
    for it in [told, by_receipt] {
        assert_eq!(it.it.ticket.as_ref(), Some(&new));
    }

    let mut it = Scenario::declared(Severity::Sev3);
    let added = first(&it.does(action(Some("bob"))));
    it.settles();
    let move_it = |tickets: &mut Vec<Ticket>| tickets[0].moved_to = Some(TicketRef::new("web#6"));
    assert!(kinds(&reads(&mut it, move_it)).contains(&"TicketAdopted"));
    assert_eq!(it.it.actions[&added].ticket, Some(TicketRef::new("web#6")));
    let unknown = MoveTicket { from: TicketRef::new("shop#404"), to: TicketRef::new("web#7") };
    assert!(it.tries(Command::MoveTicket(unknown)).is_err());
}

#[test]
fn a_ticket_that_is_gone_is_opened_anew_once_and_the_change_is_made_there() {
    let mut it = with_ticket();
    let effect = sync(&it);
    let records = gone(&mut it, effect);
    assert!(matches!(&settled(&records)[0], Outcome::Refused { error } if error == "it was deleted"));
    let planned = |records: &[Record]| -> Vec<Work> {
        let planned = records.iter().filter_map(|record| match &record.fact {
            Fact::EffectPlanned(it) => Some(it.work.clone()),
            _ => None,
        });
        planned.filter(|work| matches!(work, Work::Ticket(_))).collect()
    };
    assert_eq!(planned(&records), [Work::Ticket(TicketWork::Open), Work::Ticket(TicketWork::Sync)]);
    let open = it.effect(|work| *work == Work::Ticket(TicketWork::Open));
    it.starts(open);
    it.concludes(open, EffectResult::Done(Receipt::new("shop#99")));
    assert_eq!(it.it.ticket, Some(TicketRef::new("shop#99")));
    // A tracker that loses every ticket gets no endless row of them.
    let again = sync(&it);
    let records = gone(&mut it, again);
    assert_eq!(planned(&records), []);
}

#[test]
fn everybody_may_take_their_own_note_out_and_nobody_elses() {
    let mut it = Scenario::declared(Severity::Sev3);
    let stranger = || Actor::human("forge", "stranger");
    let record = first(&it.as_actor(stranger()).does(note("hunter2")));
    let of_alice = first(&it.as_("alice").does(note("ours")));
    let redact = |it: &Scenario, record: Seq| {
        let slots = it.it.texts.of(record).into_iter().map(|(slot, text)| RedactSlot { slot, text });
        Command::Redact(Redact { record, slots: slots.collect(), because: "deleted there".to_owned() })
    };
    let (own, others) = (redact(&it, record), redact(&it, of_alice));
    assert!(it.as_actor(Actor::human("forge", "another")).tries(own.clone()).is_err());
    assert!(it.as_actor(Actor::Automation("stranger".to_owned())).tries(own.clone()).is_err());
    it.as_actor(stranger());
    assert!(it.tries(others).is_err());
    it.does(own);
    assert!(it.it.texts.of(record).is_empty());
}

#[test]
fn a_time_ahead_of_now_is_now() {
    let mut it = Scenario::declared(Severity::Sev3);
    it.occurred_at = Some(crate::world::time("2031-01-01T00:00:00Z"));
    let records = it.does(note("the sender's clock is ahead"));
    assert_eq!(records[0].occurred_at, records[0].recorded_at);
}

/// A look that failed, a word that never came, a time that passed: none of them says that no ticket was opened.
#[test]
fn a_ticket_that_may_be_open_is_looked_for_by_a_person_and_not_opened_blindly() {
    type Ending = fn(&mut Scenario, Seq) -> Vec<Record>;
    let refused: Ending = |it, open| {
        it.starts(open);
        it.concludes(open, failure(Applied::Maybe, true, None));
        it.later("2m").starts(open);
        let mut records = it.concludes(open, failure(Applied::Maybe, false, None));
        while it.it.effects.contains_key(&open) {
            it.later("6m").starts(open);
            records = it.concludes(open, failure(Applied::Maybe, false, None));
        }
        records
    };
    let silent: Ending = |it, open| {
        loop {
            let records = it.starts(open);
            if !it.it.effects.contains_key(&open) {
                return records;
            }
            it.later("2m");
        }
    };
    let late: Ending = |it, open| {
        it.starts(open);
        it.later("8d").does(Command::Wake)
    };
    let before: Ending = |it, open| {
        it.starts_as(open, Repeat::Converging);
        it.concludes(open, failure(Applied::Maybe, true, None));
        it.later("2m").starts_as(open, Repeat::Converging);
        it.concludes(open, failure(Applied::No, false, None))
    };
    for (name, ending) in [("refused", refused), ("silent", silent), ("late", late), ("before", before)] {
        let mut it = Scenario::declared(Severity::Sev2);
        let open = it.effect(|work| *work == Work::Ticket(TicketWork::Open));
        let records = ending(&mut it, open);
        assert!(
            settled(&records).iter().any(|it| matches!(it, Outcome::HandedToPerson { .. })),
            "{name}: {records:?}"
        );
        let said: Vec<String> = notices(&records)
            .iter()
            .filter(|notice| notice.kind == NoticeKind::PersonNeeded)
            .flat_map(|notice| notice.fixed.iter().map(|line| line.text.clone()))
            .collect();
        assert!(said.iter().any(|line| line.contains("may be open already")), "{name}: {said:?}");
    }
}

#[test]
fn a_ticket_that_was_certainly_not_opened_is_opened_by_hand() {
    let mut it = Scenario::declared(Severity::Sev2);
    let open = it.effect(|work| *work == Work::Ticket(TicketWork::Open));
    it.starts(open);
    it.concludes(open, failure(Applied::Maybe, true, None));
    // The look says No, and then the backend does.
    it.later("2m").starts(open);
    let records = it.concludes(open, failure(Applied::No, false, None));
    assert!(matches!(settled(&records)[0], Outcome::Refused { .. }), "{records:?}");
}

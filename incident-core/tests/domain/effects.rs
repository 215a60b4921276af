//! Carrying effects out: nothing is lost, nothing is repeated without a look, everything ends visibly.

use std::time::Duration;

use incident_core::log::event::{EffectStarted, Fact, Record};
use incident_core::model::effect::{Applied, EffectState, Outcome, Receipt, Repeat, Start, TicketWork, Work};
use incident_core::model::id::Seq;
use incident_core::model::notice::NoticeKind;
use incident_core::model::phase::Phase;
use incident_core::model::severity::Severity;
use incident_core::model::time::{after, since};
use incident_core::rules::command::{Command, EffectResult};

use crate::course::{action, facts, first, note};
use crate::scenario::{Scenario, kinds};
use crate::world::{failure, long};

const OPEN: Work = Work::Ticket(TicketWork::Open);

pub(crate) fn settled(records: &[Record]) -> Vec<Outcome> {
    facts(records, |fact| match fact {
        Fact::EffectSettled(settled) => Some(settled.outcome.clone()),
        _ => None,
    })
}

fn started(records: &[Record]) -> Option<EffectStarted> {
    facts(records, |fact| match fact {
        Fact::EffectStarted(started) => Some(started.clone()),
        _ => None,
    })
    .pop()
}

/// What went before.
#[derive(Debug, Clone, Copy)]
enum Went {
    /// No word came back.
    Lost,
    No,
    Maybe,
    CannotTell,
}

/// How `effect` goes on after what went before: how it begins again, or how it ends.
fn goes_on(mut it: Scenario, effect: Seq, repeat: Repeat, before: &[Went]) -> String {
    let mut last = it.starts_as(effect, repeat);
    for went in before {
        last = match went {
            Went::Lost => vec![],
            Went::No => it.concludes(effect, failure(Applied::No, true, None)),
            Went::Maybe => it.concludes(effect, failure(Applied::Maybe, true, None)),
            Went::CannotTell => it.concludes(effect, EffectResult::CannotTell),
        };
        if it.it.effects.contains_key(&effect) {
            last = it.later("2m").starts_as(effect, repeat);
        }
    }
    match (started(&last), &settled(&last)[..]) {
        (Some(started), _) => format!("{:?}", started.how),
        (None, [Outcome::HandedToPerson { .. }, ..]) => "a person".to_owned(),
        (None, outcomes) => format!("{outcomes:?}"),
    }
}

#[test]
fn how_an_effect_goes_on_depends_on_what_a_second_time_would_do() {
    use Went::{CannotTell, Lost, Maybe, No};
    let native = Repeat::Native { within: long("1h") };
    let short = Repeat::Native { within: long("1m") };
    let cases: [(&str, Repeat, &[Went], &str, &str); 19] = [
        // What, what a second time does, what went before; how a notice goes on, how a ticket does.
        ("known not to have happened", native, &[No], "Call", "Call"),
        ("known not to have happened", Repeat::Lookup, &[No], "Call", "Call"),
        ("known not to have happened", Repeat::Visible, &[No], "Call", "Call"),
        ("recognised by the backend", native, &[Lost], "Call", "Call"),
        ("recognised by the backend", native, &[Maybe], "Call", "Call"),
        ("no longer recognised", short, &[Lost], "CallMarked", "a person"),
        ("no longer recognised", short, &[Maybe], "CallMarked", "a person"),
        ("looked for", Repeat::Lookup, &[Lost], "Look", "Look"),
        ("looked for", Repeat::Lookup, &[Maybe], "Look", "Look"),
        ("looked for again", Repeat::Lookup, &[Lost, CannotTell], "Look", "Look"),
        ("looked for again", Repeat::Lookup, &[Lost, CannotTell, CannotTell], "Look", "Look"),
        (
            "looked for in vain",
            Repeat::Lookup,
            &[Lost, CannotTell, CannotTell, CannotTell],
            "CallMarked",
            "a person",
        ),
        ("nothing was done this time, but maybe before", Repeat::Lookup, &[Lost, No], "Look", "Look"),
        ("a person has the ticket since the first", Repeat::Visible, &[Maybe, No], "CallMarked", "[]"),
        ("nothing was done this time, but maybe before", native, &[Maybe, No], "Call", "Call"),
        ("harmless", Repeat::Converging, &[Lost], "Call", "Call"),
        ("harmless", Repeat::Converging, &[Maybe, CannotTell], "Call", "Call"),
        ("seen twice", Repeat::Visible, &[Lost], "CallMarked", "a person"),
        ("seen twice", Repeat::Visible, &[Maybe], "CallMarked", "a person"),
    ];
    for (what, repeat, before, notice, ticket) in cases {
        let it = Scenario::declared(Severity::Sev2);
        let opening = it.notice_on("chat", NoticeKind::Opening);
        assert_eq!(
            goes_on(it.clone(), opening, repeat, before),
            notice,
            "notice, {what}: {repeat:?} {before:?}"
        );
        let open = it.effect(|work| *work == OPEN);
        assert_eq!(goes_on(it, open, repeat, before), ticket, "ticket, {what}: {repeat:?} {before:?}");
    }
}

#[test]
fn a_mitigation_is_always_looked_for_and_never_repeated_blindly() {
    use Went::{CannotTell, Lost, Maybe, No};
    let cases: [(&[Went], &str); 6] = [
        (&[No], "Call"),
        (&[Lost], "Look"),
        (&[Maybe], "Look"),
        (&[Lost, Lost, Lost], "Look"),
        (&[Lost, No], "Look"),
        (&[Lost, CannotTell], "a person"),
    ];
    for (before, expected) in cases {
        for repeat in
            [Repeat::Converging, Repeat::Native { within: long("1d") }, Repeat::Lookup, Repeat::Visible]
        {
            let mut it = Scenario::declared(Severity::Sev2);
            let proposal = it.has_ordered("deployment/checkout");
            let execute = it.effect(|work| *work == Work::Execute(proposal));
            assert_eq!(goes_on(it, execute, repeat, before), expected, "{before:?} {repeat:?}");
        }
    }
}

#[test]
fn what_changes_nothing_outside_is_simply_done_again() {
    use Went::{CannotTell, Lost, Maybe};
    for before in [&[Lost][..], &[Maybe], &[CannotTell, CannotTell, CannotTell, CannotTell]] {
        let it = Scenario::declared(Severity::Sev2);
        let collect = it.effect(|work| *work == Work::Collect);
        assert_eq!(goes_on(it, collect, Repeat::Visible, before), "Call", "{before:?}");
    }
}

#[test]
fn a_claim_keeps_others_away_until_it_ends() {
    let mut it = Scenario::declared(Severity::Sev2);
    let page = it.notice_on("pager", NoticeKind::Page);
    it.starts(page);
    assert_eq!(it.starts(page), [], "somebody is at it");
    it.later("59s");
    assert_eq!(it.starts(page), []);
    it.later("1s");
    assert_eq!(started(&it.starts(page)).unwrap().attempt, 2);
}

#[test]
fn a_stale_workers_failure_changes_nothing() {
    let mut it = Scenario::declared(Severity::Sev2);
    let page = it.notice_on("pager", NoticeKind::Page);
    it.starts(page);
    it.later("2m").starts(page);
    for late in [
        failure(Applied::Maybe, true, None),
        failure(Applied::No, false, None),
        EffectResult::CannotTell,
        EffectResult::Pending { again: long("1h") },
    ] {
        assert_eq!(it.concludes_attempt(page, 1, late), []);
    }
    assert!(matches!(it.state_of(page), EffectState::Started { attempt: 2, .. }));
}

#[test]
fn a_stale_workers_success_settles() {
    let mut it = Scenario::declared(Severity::Sev2);
    let page = it.notice_on("pager", NoticeKind::Page);
    it.starts(page);
    it.later("2m").starts(page);
    let records = it.concludes_attempt(page, 1, EffectResult::Done(Receipt::new("m-1")));
    assert_eq!(settled(&records), [Outcome::Done(Receipt::new("m-1"))]);
    assert_eq!(it.concludes_attempt(page, 2, EffectResult::Done(Receipt::new("m-2"))), [], "once");
}

#[test]
fn a_late_word_counts_as_long_as_nobody_began_anew() {
    let mut it = Scenario::declared(Severity::Sev2);
    let page = it.notice_on("pager", NoticeKind::Page);
    it.starts(page);
    let records = it.later("5m").concludes(page, failure(Applied::No, true, None));
    assert_eq!(kinds(&records), ["EffectFailed"]);
}

#[test]
fn a_lane_goes_out_in_order() {
    let mut it = Scenario::declared(Severity::Sev2);
    it.goes_to(Phase::Investigation);
    let opening = it.notice_on("chat", NoticeKind::Opening);
    it.does(crate::course::update("we look"));
    let update = it.notice_on("chat", NoticeKind::Update);
    assert_eq!(it.starts(update), [], "not before the opening");
    it.starts(opening);
    assert_eq!(it.starts(update), [], "nor while that is under way");
    it.concludes(opening, failure(Applied::No, true, None));
    assert_eq!(it.starts(update), [], "nor while it waits to be tried again");
    it.later("2s").starts(opening);
    it.concludes(opening, EffectResult::Done(Receipt::new("m-1").in_conversation("c-1")));
    assert!(started(&it.starts(update)).is_some());
    assert_eq!(it.it.lanes["notices/chat"][0].conversation.as_deref(), Some("c-1"));
}

#[test]
fn a_lane_goes_on_when_its_first_was_refused() {
    let mut it = Scenario::declared(Severity::Sev2);
    it.goes_to(Phase::Investigation);
    let opening = it.notice_on("chat", NoticeKind::Opening);
    it.does(crate::course::update("we look"));
    it.starts(opening);
    it.concludes(opening, failure(Applied::No, false, None));
    let update = it.notice_on("chat", NoticeKind::Update);
    assert!(started(&it.starts(update)).is_some());
    assert!(!it.it.lanes.contains_key("notices/chat"), "it opens the conversation anew");
}

#[test]
fn a_lane_keeps_its_first_and_its_latest_receipt() {
    let mut it = Scenario::declared(Severity::Sev2);
    it.goes_to(Phase::Investigation).settles();
    for _ in 0..3 {
        it.does(crate::course::update("we look"));
        it.settles();
    }
    assert_eq!(it.it.lanes["notices/chat"].len(), 2);
}

#[test]
fn pages_wait_for_nobody() {
    let mut it = Scenario::declared(Severity::Sev2);
    let page = it.notice_on("pager", NoticeKind::Page);
    it.at("+30m").does(Command::Wake);
    let breach = it.it.effects.values().filter(|effect| effect.route == "pager" && effect.seq != page);
    let breach: Vec<Seq> = breach.filter(|effect| effect.lane.is_none()).map(|effect| effect.seq).collect();
    assert!(!breach.is_empty());
    assert!(breach.iter().all(|seq| it.due().start.contains(seq)), "although the first page never went out");
}

#[test]
fn what_wakes_somebody_goes_first() {
    let it = Scenario::declared(Severity::Sev2);
    let first = it.due().start[0];
    assert_eq!(first, it.notice_on("pager", NoticeKind::Page));
}

#[test]
fn an_update_that_the_next_ones_deadline_overtakes_ends_visibly() {
    let mut it = Scenario::declared(Severity::Sev2);
    it.goes_to(Phase::Investigation).settles();
    it.at("+10m").does(crate::course::update("we look"));
    let update = it.notice_on("chat", NoticeKind::Update);
    let records = it.at("+40m").does(Command::Wake);
    assert!(settled(&records).contains(&Outcome::Expired));
    assert!(!it.it.effects.contains_key(&update));
    assert_eq!(it.starts(update), []);
}

#[test]
fn what_is_under_way_does_not_expire() {
    let mut it = Scenario::declared(Severity::Sev2);
    it.goes_to(Phase::Investigation).settles();
    it.at("+10m").does(crate::course::update("we look"));
    let update = it.notice_on("chat", NoticeKind::Update);
    it.at("+39m30s").starts(update);
    it.at("+40m").does(Command::Wake);
    assert!(it.it.effects.contains_key(&update), "the call may still succeed");
    it.at("+40m30s").does(Command::Wake);
    assert!(!it.it.effects.contains_key(&update));
}

#[test]
fn nobody_is_woken_while_a_call_outlasts_its_effects_time() {
    let mut it = Scenario::declared(Severity::Sev4);
    it.does(Command::Acknowledge);
    it.settles_but(|effect| effect.work == Work::Collect);
    let collect = it.effect(|work| *work == Work::Collect);
    it.at("+9m30s").starts(collect);
    it.at("+10m");
    let until = after(it.now, long("30s"));
    assert_eq!((it.due().next, it.due().wake), (Some(until), false));
}

#[test]
fn a_retry_waits_as_long_as_the_backend_asks() {
    for (wait, least) in [(Some("90s"), "90s"), (None, "500ms")] {
        let mut it = Scenario::declared(Severity::Sev2);
        let opening = it.notice_on("chat", NoticeKind::Opening);
        it.starts(opening);
        it.concludes(opening, failure(Applied::No, true, wait));
        let EffectState::Ready(again) = *it.state_of(opening) else { panic!("{:?}", it.state_of(opening)) };
        let waits = since(again, it.now);
        assert!(waits >= long(least) && waits <= long(least) * 2, "{waits:?}");
        it.now = again;
        assert!(it.due().start.contains(&opening));
        it.now = incident_core::model::time::before(again, Duration::from_millis(1));
        assert!(!it.due().start.contains(&opening));
    }
}

/// A backend that asks to wait for ages doesn't take an effect away from us.
#[test]
fn no_backend_can_put_an_effect_off_for_good() {
    let mut it = Scenario::declared(Severity::Sev2);
    let proposal = it.has_ordered("deployment/checkout");
    let execute = it.effect(|work| *work == Work::Execute(proposal));
    it.starts(execute);
    it.concludes(execute, failure(Applied::Maybe, true, Some("300years")));
    assert!(it.it.effects[&execute].seq == execute);
    it.now = after(it.now, long("1d"));
    assert!(it.due().start.contains(&execute), "{:?}", it.state_of(execute));
}

#[test]
fn looking_again_at_once_is_looking_in_a_moment() {
    let mut it = Scenario::declared(Severity::Sev2);
    let proposal = it.has_ordered("deployment/checkout");
    it.settles_but(|effect| matches!(effect.work, Work::Verify(_)));
    let verify = it.effect(|work| *work == Work::Verify(proposal));
    it.starts(verify);
    it.concludes(verify, EffectResult::Pending { again: Duration::ZERO });
    assert!(!it.due().start.contains(&verify), "or an engine would do nothing else");
    it.later("1s");
    assert!(it.due().start.contains(&verify));
}

#[test]
fn an_outcome_of_another_kind_of_work_is_refused() {
    let mut it = Scenario::declared(Severity::Sev2);
    let proposal = it.has_ordered("deployment/checkout");
    let execute = it.effect(|work| *work == Work::Execute(proposal));
    let page = it.notice_on("pager", NoticeKind::Page);
    it.starts(execute);
    it.starts(page);
    let verified = || EffectResult::Verified { holds: true, detail: "x".to_owned() };
    for (effect, result) in [
        (execute, EffectResult::Done(Receipt::new("m"))),
        (execute, EffectResult::Collected(vec![])),
        (execute, verified()),
        (page, EffectResult::Collected(vec![])),
        (page, verified()),
    ] {
        let conclude = incident_core::rules::command::Conclude { effect, attempt: 1, result: result.clone() };
        let refusal = it.refuses(Command::Conclude(Box::new(conclude)));
        assert!(refusal.to_string().starts_with("result"), "{result:?}: {refusal}");
    }
}

#[test]
fn a_ticket_that_was_adopted_is_not_opened_again() {
    let mut it = Scenario::declared(Severity::Sev2);
    it.does(Command::AdoptTicket(incident_core::model::ticket::TicketRef::new("shop#9")));
    it.settles();
    assert_eq!(it.it.ticket.as_ref().map(incident_core::model::ticket::TicketRef::as_str), Some("shop#9"));
}

#[test]
fn nor_does_one_that_was_being_opened_take_its_place() {
    let mut it = Scenario::declared(Severity::Sev2);
    let open = it.effect(|work| *work == OPEN);
    it.starts(open);
    it.does(Command::AdoptTicket(incident_core::model::ticket::TicketRef::new("shop#9")));
    it.concludes(open, EffectResult::Done(Receipt::new("shop#10")));
    assert_eq!(it.it.ticket.as_ref().map(incident_core::model::ticket::TicketRef::as_str), Some("shop#9"));
}

#[test]
fn a_ticket_that_cannot_be_opened_waits_for_a_person_and_then_goes_on() {
    let mut it = Scenario::declared(Severity::Sev2);
    let open = it.effect(|work| *work == OPEN);
    it.starts(open);
    let records = it.concludes(open, failure(Applied::No, false, None));
    assert!(crate::scenario::carried(&records).contains(&"person needed pager(responders)".to_owned()));
    it.goes_to(Phase::Communication);
    it.does(crate::course::update("we look"));
    let comment = it.effect(|work| matches!(work, Work::Ticket(TicketWork::Comment(_))));
    assert_eq!(it.starts(comment), [], "there is no ticket");
    it.does(Command::AdoptTicket(incident_core::model::ticket::TicketRef::new("shop#9")));
    assert!(started(&it.starts(comment)).is_some());
}

#[test]
fn comments_that_wait_are_written_as_one() {
    let mut it = Scenario::declared(Severity::Sev2);
    let open = it.effect(|work| *work == OPEN);
    it.starts(open);
    it.goes_to(Phase::Communication);
    let told: Vec<Seq> = (0..25)
        .map(|n| {
            let records = it.does(crate::course::update(&format!("we look, {n}")));
            records.iter().find(|record| matches!(record.fact, Fact::UpdatePosted(_))).unwrap().seq
        })
        .collect();
    let waiting = it.it.effects.values().filter_map(|effect| match &effect.work {
        Work::Ticket(TicketWork::Comment(record)) => Some(vec![*record]),
        Work::Ticket(TicketWork::Comments(records)) => Some(records.clone()),
        _ => None,
    });
    let waiting: Vec<Vec<Seq>> = waiting.collect();
    assert_eq!(waiting.iter().map(Vec::len).collect::<Vec<_>>(), [20, 5]);
    assert_eq!(waiting.concat(), told, "each once, in order");
}

#[test]
fn a_changed_configuration_neither_sends_again_nor_forgets() {
    let mut it = Scenario::declared(Severity::Sev2);
    let page = it.notice_on("pager", NoticeKind::Page);
    it.live.notices.clear();
    it.live.tracker = None;
    it.later("1m").does(note("the configuration was changed"));
    assert!(it.due().start.contains(&page));
    let opened = it.it.effects.len();
    it.later("1m").does(Command::Wake);
    assert_eq!(it.it.effects.len(), opened);
}

#[test]
fn a_ticket_of_an_action_is_opened_before_it_is_closed() {
    let mut it = Scenario::declared(Severity::Sev2);
    let todo = first(&it.does(action(Some("bob"))));
    let outcome = "done at once".to_owned();
    it.does(Command::CompleteAction(incident_core::rules::command::CompleteAction { action: todo, outcome }));
    let close = it.effect(|work| *work == Work::Ticket(TicketWork::CloseFollowUp(todo)));
    assert_eq!(it.starts(close), []);
    it.does(Command::Cancel(crate::course::because("a test")));
    it.settles();
    assert!(
        it.records.iter().any(|record| matches!(&record.fact, Fact::EffectStarted(it) if it.effect == close))
    );
    assert_eq!(started(&it.records).unwrap().how, Start::Call);
}

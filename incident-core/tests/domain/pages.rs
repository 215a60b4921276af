//! A page that can't be sent goes another way, and whoever keeps the installation hears of it.

use incident_core::log::event::{Fact, Record};
use incident_core::model::effect::{Applied, EffectState, Outcome, Work};
use incident_core::model::id::Seq;
use incident_core::model::notice::NoticeKind;
use incident_core::model::phase::Phase;
use incident_core::model::route::Route;
use incident_core::model::severity::Severity;
use incident_core::rules::command::Command;

use crate::course::{advance_to, because, facts, resolve_anyway};
use crate::effects::settled;
use crate::samples::younger;
use crate::scenario::{Scenario, carried};
use crate::world::failure;

/// Fails `effect` until it ends; gives the last records and how many attempts it took.
fn fails(it: &mut Scenario, effect: Seq) -> (Vec<Record>, u32) {
    let mut attempts = 0;
    loop {
        attempts += 1;
        assert!(attempts < 1_000, "it is never given up");
        assert!(!it.starts(effect).is_empty());
        let records = it.concludes(effect, failure(Applied::Maybe, true, None));
        if !it.it.effects.contains_key(&effect) {
            return (records, attempts);
        }
        let (EffectState::Ready(next) | EffectState::Unknown(next)) = *it.state_of(effect) else {
            panic!("it was concluded");
        };
        it.now = next;
    }
}

/// Begins `effect` again and again, and no word ever comes back.
fn is_lost(it: &mut Scenario, effect: Seq) -> (Vec<Record>, u32) {
    for attempts in 0..1_000 {
        let records = it.starts(effect);
        if !it.it.effects.contains_key(&effect) {
            return (records, attempts);
        }
        it.later("1m");
    }
    panic!("it is never given up");
}

#[test]
fn a_page_that_fails_four_times_goes_out_on_the_next_route() {
    let mut it = Scenario::declared(Severity::Sev2);
    let page = it.notice_on("pager", NoticeKind::Page);
    let (records, attempts) = fails(&mut it, page);
    assert_eq!(attempts, 4);
    assert_eq!(carried(&records), ["page phone(responders)"]);
    let phone = it.notice_on("phone", NoticeKind::Page);
    assert_eq!(it.it.effects[&phone].instead_of, Some(page));
}

#[test]
fn so_does_one_that_no_engine_has_an_adapter_for_by_the_next_escalation() {
    let mut it = Scenario::declared(Severity::Sev2);
    let page = it.notice_on("pager", NoticeKind::Page);
    it.settles_but(|effect| effect.route == "pager");
    it.later("5m");
    let records = it.does(Command::Wake);
    assert_eq!(settled(&records), [Outcome::Expired]);
    assert_eq!(carried(&records), ["page phone(responders)"]);
    assert_eq!(it.it.effects[&it.notice_on("phone", NoticeKind::Page)].instead_of, Some(page));
}

#[test]
fn a_page_that_nobody_could_send_in_a_day_is_said_to_the_caretaker() {
    let mut it = Scenario::blank(crate::scenario::MONDAY);
    for route in &mut it.live.notices {
        route.fallback = None;
    }
    it.does(Command::Declare(Box::new(crate::scenario::declare(Severity::Sev2, it.start))));
    it.settles_but(|effect| effect.route == "pager");
    it.at("+24h");
    let records = it.does(Command::Wake);
    assert!(
        carried(&records).contains(&"person needed mail(caretaker)".to_owned()),
        "{:?}",
        carried(&records)
    );
}

#[test]
fn the_caretaker_hears_once_of_an_audience_without_a_route_and_nobody_is_told_in_each_phase_again() {
    let mut it = Scenario::blank(crate::scenario::MONDAY);
    it.live.notices.retain(|route| route.name != "chat" && route.name != "pager");
    let declare = Command::Declare(Box::new(crate::scenario::declare(Severity::Sev2, it.start)));
    let records = it.does(declare);
    let unreached = |records: &[Record]| {
        facts(records, |fact| match fact {
            Fact::AudienceUnreached(it) => Some(it.audience.as_str().to_owned()),
            _ => None,
        })
    };
    assert_eq!(unreached(&records), ["responders", "team", "leadership", "staff"]);
    let to_caretaker = |records: &[Record]| {
        carried(records).iter().filter(|it| *it == "person needed mail(caretaker)").count()
    };
    assert_eq!(to_caretaker(&records), 2, "of those on call, and of those who are told");
    assert!(
        carried(&records).contains(&"page mail(caretaker)".to_owned()),
        "the caretaker is better than nobody"
    );
    it.does(Command::Acknowledge);
    let records = it.does(advance_to(Phase::Communication));
    assert_eq!((unreached(&records).len(), to_caretaker(&records)), (0, 0));
    it.live.notices.push(Route::new("chat", &["team"]));
    let records = it.does(advance_to(Phase::Investigation));
    assert_eq!(carried(&records), ["opening chat(team)"], "once there is a route, it is used");
}

#[test]
fn so_does_one_that_is_refused_for_good() {
    let mut it = Scenario::declared(Severity::Sev2);
    let page = it.notice_on("pager", NoticeKind::Page);
    it.starts(page);
    let records = it.concludes(page, failure(Applied::No, false, None));
    assert_eq!(carried(&records), ["page phone(responders)"]);
}

#[test]
fn so_does_one_of_which_no_word_comes_back() {
    let mut it = Scenario::declared(Severity::Sev2);
    let page = it.notice_on("pager", NoticeKind::Page);
    let (records, attempts) = is_lost(&mut it, page);
    assert_eq!(attempts, 4);
    assert_eq!(carried(&records), ["page phone(responders)"]);
}

#[test]
fn the_caretaker_hears_when_the_last_route_fails_and_after_how_long() {
    let mut it = Scenario::declared(Severity::Sev2);
    let page = it.notice_on("pager", NoticeKind::Page);
    it.starts(page);
    it.concludes(page, failure(Applied::No, false, None));
    let phone = it.notice_on("phone", NoticeKind::Page);
    it.later("10m").starts(phone);
    let records = it.concludes(phone, failure(Applied::No, false, None));
    assert_eq!(carried(&records), ["person needed mail(caretaker)", "page chat(team)"]);
    let said = crate::scenario::notices(&records)[0].fixed[0].text.clone();
    assert!(said.contains("phone") && said.contains("given up after 10 min"), "{said}");
}

#[test]
fn the_caretakers_own_route_failing_tells_nobody_in_circles() {
    let mut it = Scenario::declared(Severity::Sev2);
    let opening = it.notice_on("chat", NoticeKind::Opening);
    it.starts(opening);
    it.concludes(opening, failure(Applied::No, false, None));
    let mail = it.notice_on("mail", NoticeKind::PersonNeeded);
    it.starts(mail);
    assert_eq!(carried(&it.concludes(mail, failure(Applied::No, false, None))), [] as [&str; 0]);
}

/// The second route in a row, or one whose fallback doesn't exist, has nowhere to go: it is tried to the end.
#[test]
fn a_page_is_not_given_up_early_where_there_is_no_other_way() {
    for phone in
        [Route::new("phone", &[]).with_fallback("pager"), Route::new("phone", &[]).with_fallback("horn")]
    {
        let mut it = Scenario::blank(crate::scenario::MONDAY);
        it.live.notices[1] = phone;
        it.does(crate::samples::sample(incident_core::rules::command::CommandKind::Declare));
        let page = it.notice_on("pager", NoticeKind::Page);
        it.starts(page);
        it.concludes(page, failure(Applied::No, false, None));
        let phone = it.notice_on("phone", NoticeKind::Page);
        let (records, attempts) = fails(&mut it, phone);
        assert_eq!(attempts, 60);
        assert_eq!(carried(&records), ["person needed mail(caretaker)", "page chat(team)"]);
    }
}

#[test]
fn an_answer_calls_off_the_pages_that_ask_for_one() {
    let mut it = Scenario::declared(Severity::Sev2);
    let page = it.notice_on("pager", NoticeKind::Page);
    let records = it.does(Command::Acknowledge);
    assert!(matches!(settled(&records)[..], [Outcome::Superseded { .. }]));
    assert!(!it.it.effects.contains_key(&page));
}

#[test]
fn an_answered_page_that_fails_goes_nowhere_else() {
    let mut it = Scenario::declared(Severity::Sev2);
    let page = it.notice_on("pager", NoticeKind::Page);
    it.starts(page);
    it.does(Command::Acknowledge);
    assert_eq!(carried(&it.concludes(page, failure(Applied::No, false, None))), [] as [&str; 0]);
}

#[test]
fn a_page_that_a_person_sent_outlives_the_answer() {
    let mut it = Scenario::declared(Severity::Sev2);
    it.does(Command::Escalate(because("I need a second pair of hands")));
    it.does(Command::Acknowledge);
    let page = it.notice_on("pager", NoticeKind::Page);
    it.starts(page);
    let records = it.concludes(page, failure(Applied::No, false, None));
    assert_eq!(carried(&records), ["page phone(responders)"]);
}

#[test]
fn a_page_of_a_reopened_incident_has_its_fallback_too() {
    let mut it = Scenario::declared(Severity::Sev2);
    it.does(Command::Acknowledge);
    it.does(resolve_anyway());
    it.settles().does(Command::Reopen(because("it came back")));
    let page = it.notice_on("pager", NoticeKind::Page);
    it.starts(page);
    let records = it.concludes(page, failure(Applied::No, false, None));
    assert_eq!(carried(&records), ["page phone(responders)"]);
}

#[test]
fn whatever_gives_up_says_so() {
    type Prepare = fn(&mut Scenario) -> Seq;
    let cases: [(&str, Prepare, &[&str]); 4] = [
        ("opening", |it| it.notice_on("chat", NoticeKind::Opening), &["person needed mail(caretaker)"]),
        (
            "merge",
            |it| {
                let absorb = incident_core::rules::command::Absorb {
                    other: younger(),
                    because: "one cause".to_owned(),
                };
                it.does(Command::Absorb(absorb));
                it.effect(|work| matches!(work, Work::Merge(_)))
            },
            &["person needed pager(responders)"],
        ),
        (
            "follow-up",
            |it| {
                let todo = crate::course::first(&it.does(crate::course::action(Some("bob"))));
                it.effect(|work| {
                    *work == Work::Ticket(incident_core::model::effect::TicketWork::FollowUp(todo))
                })
            },
            &["person needed mail(caretaker)"],
        ),
        (
            "plan",
            |it| {
                let proposal = crate::course::first(&it.does(crate::course::propose("deployment/a")));
                it.effect(|work| *work == Work::Plan(proposal))
            },
            &["mitigation pager(responders)"],
        ),
    ];
    for (what, prepare, told) in cases {
        let mut it = Scenario::declared(Severity::Sev2);
        let effect = prepare(&mut it);
        it.starts(effect);
        let records = it.concludes(effect, failure(Applied::No, false, None));
        let refused = facts(&records, |fact| match fact {
            Fact::EffectSettled(settled) if settled.effect == effect => Some(settled.outcome.clone()),
            _ => None,
        });
        assert!(matches!(refused[..], [Outcome::Refused { .. }]), "{what}");
        assert_eq!(carried(&records), told, "{what}");
    }
}

#[test]
fn a_mitigation_of_which_no_word_ever_comes_back_becomes_a_persons() {
    let mut it = Scenario::declared(Severity::Sev2);
    let proposal = it.has_ordered("deployment/checkout");
    let execute = it.effect(|work| *work == Work::Execute(proposal));
    let (records, attempts) = is_lost(&mut it, execute);
    assert_eq!(attempts, 60);
    assert!(matches!(settled(&records)[..], [Outcome::HandedToPerson { .. }]));
    assert!(carried(&records).contains(&"person needed pager(responders)".to_owned()));
}

/// A backend may ask for patience, and a page has a deadline of its own.
#[test]
fn a_page_waits_for_no_backend_longer_than_it_can() {
    // A page that has a fallback, one that has none: what it is asked to wait, whether it waits, and who is told.
    for (fallback, wait, waits, told) in [
        (true, "10s", true, &[][..]),
        (true, "30s", true, &[]),
        (true, "31s", false, &["page phone(responders)"]),
        (true, "24h", false, &["page phone(responders)"]),
        (false, "4m", true, &[]),
        (false, "5m", true, &[]),
        (false, "6m", false, &["person needed mail(caretaker)", "page chat(team)"]),
        (false, "24h", false, &["person needed mail(caretaker)", "page chat(team)"]),
        (false, "30y", false, &["person needed mail(caretaker)", "page chat(team)"]),
    ] {
        let mut it = Scenario::blank(crate::scenario::MONDAY);
        if !fallback {
            it.live.notices[0].fallback = None;
        }
        it.does(Command::Declare(Box::new(crate::scenario::declare(Severity::Sev1, it.start))));
        let page = it.notice_on("pager", NoticeKind::Page);
        it.starts(page);
        let records = it.concludes(page, failure(Applied::No, true, Some(wait)));
        assert_eq!(it.it.effects.contains_key(&page), waits, "{fallback} {wait}");
        assert_eq!(carried(&records), told, "{fallback} {wait}");
    }
}

/// Nobody is paged, the incident goes on: the whole chain fails at once, and each step is tried once.
#[test]
fn a_chain_that_fails_whole_is_climbed_once_at_once_and_again_by_the_deadlines() {
    let mut it = Scenario::blank(crate::scenario::MONDAY);
    it.live.notices[0].fallback = None;
    it.does(Command::Declare(Box::new(crate::scenario::declare(Severity::Sev1, it.start))));
    let mut failed = Vec::new();
    while let Some(page) = it.due().start.into_iter().find(
        |seq| matches!(&it.it.effects[seq].work, Work::Notify(notify) if notify.kind == NoticeKind::Page),
    ) {
        let Work::Notify(notify) = &it.it.effects[&page].work else { unreachable!() };
        failed.push(notify.audiences[0].to_string());
        it.starts(page);
        it.concludes(page, failure(Applied::No, false, None));
    }
    assert_eq!(failed, ["responders", "team", "leadership"]);
    let records = it.at("+15m").does(Command::Wake);
    assert!(carried(&records).iter().any(|line| line.starts_with("page ")), "{:?}", carried(&records));
}

/// A page on two routes of which one fails has been delivered by the other.
#[test]
fn one_of_two_routes_is_enough() {
    for first_delivers in [true, false] {
        let mut it = Scenario::blank(crate::scenario::MONDAY);
        it.live.notices[0].fallback = None;
        it.live.notices.push(Route::new("siren", &["responders"]));
        it.does(Command::Declare(Box::new(crate::scenario::declare(Severity::Sev1, it.start))));
        let [pager, siren] = ["pager", "siren"].map(|route| it.notice_on(route, NoticeKind::Page));
        let (works, fails) = if first_delivers { (pager, siren) } else { (siren, pager) };
        it.starts(works);
        it.concludes(works, crate::world::ideal(&it.it.clone(), &it.it.effects[&works].clone(), it.now));
        it.starts(fails);
        let records = it.concludes(fails, failure(Applied::No, false, None));
        assert_eq!(carried(&records), ["person needed mail(caretaker)"]);
    }
}

/// A step of the chain that no route reaches is passed over at once.
#[test]
fn a_step_without_a_route_is_skipped_and_said() {
    let reaching = |missing: &'static [&'static str]| {
        let mut it = Scenario::blank(crate::scenario::MONDAY);
        for route in &mut it.live.notices {
            route.audiences.retain(|it| !missing.contains(&it.as_str()));
        }
        it.does(Command::Declare(Box::new(crate::scenario::declare(Severity::Sev1, it.start))));
        it
    };
    let pages = |it: &Scenario| -> Vec<(String, String)> {
        let paged = it.records.iter().filter_map(|record| match &record.fact {
            Fact::EffectPlanned(incident_core::log::event::EffectPlanned {
                work: Work::Notify(notify),
                ..
            }) if notify.kind == NoticeKind::Page => {
                Some((it.since_start(record.recorded_at), notify.audiences[0].to_string()))
            }
            _ => None,
        });
        paged.collect()
    };
    for (missing, expected) in [
        (
            &[][..],
            &[("0 s", "responders"), ("15 min", "responders"), ("20 min", "team"), ("25 min", "leadership")]
                [..],
        ),
        (
            &["responders"],
            &[("0 s", "team"), ("15 min", "leadership"), ("20 min", "team"), ("25 min", "leadership")],
        ),
        (
            &["responders", "team"],
            &[
                ("0 s", "leadership"),
                ("15 min", "leadership"),
                ("20 min", "leadership"),
                ("25 min", "leadership"),
            ],
        ),
        (
            &["team"],
            &[
                ("0 s", "responders"),
                ("15 min", "responders"),
                ("20 min", "leadership"),
                ("25 min", "responders"),
            ],
        ),
        (
            &["responders", "team", "leadership"],
            &[
                ("0 s", "executives"),
                ("15 min", "executives"),
                ("20 min", "executives"),
                ("25 min", "executives"),
            ],
        ),
        (
            &["responders", "team", "leadership", "executives", "staff"],
            &[
                ("0 s", "caretaker"),
                ("15 min", "caretaker"),
                ("20 min", "caretaker"),
                ("25 min", "caretaker"),
            ],
        ),
    ] {
        let mut it = reaching(missing);
        it.passes("26m");
        let expected: Vec<_> =
            expected.iter().map(|(at, whom)| ((*at).to_owned(), (*whom).to_owned())).collect();
        assert_eq!(pages(&it), expected, "{missing:?}");
        let told = it.records.iter().filter_map(|record| match &record.fact {
            Fact::NoticeIssued(issued) if issued.kind == NoticeKind::PersonNeeded => {
                Some(issued.fixed.iter().map(|line| line.text.clone()).collect::<String>())
            }
            _ => None,
        });
        let told: String = told.collect();
        for audience in missing.iter().filter(|it| **it != "staff") {
            assert!(told.contains(&format!("\"{audience}\"")), "{audience}: {told}");
        }
    }
}

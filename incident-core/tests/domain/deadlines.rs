//! Every deadline is a recorded fact: opened with absolute times, moved by records only.

use chrono_tz::Tz;
use incident_core::log::event::{Fact, ObligationBreached};
use incident_core::model::notice::NoticeKind;
use incident_core::model::obligation::ObligationKind as K;
use incident_core::model::phase::Phase;
use incident_core::model::severity::Audience;
use incident_core::model::severity::Severity;
use incident_core::model::time::{after, since};
use incident_core::rules::command::{AddAction, Command};
use incident_core::runbook::Priority;

use crate::course::{action, facts, first, resolve_anyway, severity, update};
use crate::scenario::{MONDAY, Scenario, carried, count, declare, kinds, notices};
use crate::world::{long, time};

/// How long after a declaration on Monday at ten the acknowledgement and the first update are due.
#[test]
fn each_severity_has_its_deadlines() {
    for (level, acknowledge, update) in [
        (Severity::Sev1, "15 min", Some("15 min")),
        (Severity::Sev2, "30 min", Some("30 min")),
        (Severity::Sev3, "2 h", Some("2 h")),
        // Tuesday at five: the end of the next business day.
        (Severity::Sev4, "1 d 7 h", None),
    ] {
        let it = Scenario::declared(level);
        assert_eq!(it.due_in(K::Acknowledge), acknowledge, "{level}");
        let owed = it.it.obligation(K::Update).map(|owed| it.since_start(owed.due));
        assert_eq!(owed.as_deref(), update, "{level}");
    }
}

#[test]
fn what_is_owed_afterwards_ends_with_business_days() {
    for (level, post_mortem, meeting) in [
        (Severity::Sev1, Some("2026-03-02T17:00:00Z"), Some("2026-03-04T17:00:00Z")),
        (Severity::Sev2, Some("2026-03-02T17:00:00Z"), Some("2026-03-04T17:00:00Z")),
        (Severity::Sev3, None, None),
        (Severity::Sev4, None, None),
    ] {
        let mut it = Scenario::declared(level);
        it.at("+1h").does(resolve_anyway());
        let due = |kind| it.it.obligation(kind).map(|owed| owed.due);
        assert_eq!(due(K::PostMortem), post_mortem.map(time), "{level}");
        assert_eq!(due(K::Meeting), meeting.map(time), "{level}");
        assert!(due(K::Acknowledge).is_none() && due(K::Update).is_none(), "{level}");
    }
}

#[test]
fn a_follow_up_is_due_by_its_priority_or_its_own_date() {
    for (priority, due, expected) in [
        (Priority::Critical, None, "2026-03-03T17:00:00Z"),
        (Priority::High, None, "2026-03-09T17:00:00Z"),
        (Priority::Medium, None, "2026-03-30T17:00:00Z"),
        (Priority::Low, Some("2026-03-05T08:00:00Z"), "2026-03-05T08:00:00Z"),
    ] {
        let mut it = Scenario::declared(Severity::Sev2);
        let add = AddAction { what: "x".to_owned(), kind: None, priority, owner: None, due: due.map(time) };
        let action = first(&it.does(Command::AddAction(add)));
        assert_eq!(it.owed(K::FollowUp(action)).due, time(expected), "{priority}");
    }
}

#[test]
fn an_update_is_reminded_of_once_five_minutes_before() {
    let mut it = Scenario::declared(Severity::Sev2);
    it.does(Command::Acknowledge);
    it.settles().at("+24m59s");
    assert!(!it.due().wake);
    let records = it.at("+25m").does(Command::Wake);
    assert_eq!(kinds(&records)[0], "ObligationReminded");
    assert_eq!(carried(&records), ["reminder pager(responders)"]);
    assert_eq!(it.at("+26m").does(Command::Wake), [], "once");
}

#[test]
fn a_reminder_that_would_come_at_once_is_none() {
    let mut it = Scenario::with_runbook(Severity::Sev1, |it| it.reminders.before_update = long("15m"));
    assert_eq!(it.owed(K::Update).remind_at, None);
    assert_eq!(it.does(Command::Wake), []);
}

fn breaches(records: &[incident_core::log::event::Record]) -> Vec<ObligationBreached> {
    facts(records, |fact| match fact {
        Fact::ObligationBreached(breached) => Some(breached.clone()),
        _ => None,
    })
}

#[test]
fn five_hours_without_an_engine_are_one_breach_of_each_promise_with_a_count() {
    let mut it = Scenario::declared(Severity::Sev1);
    let records = it.at("+5h7m").does(Command::Wake);
    let breaches: Vec<(u32, Option<String>)> = breaches(&records)
        .into_iter()
        .map(|breach| (breach.missed, breach.next_due.map(|due| it.since_start(due))))
        .collect();
    // The acknowledgement doesn't come due again; every 15 minutes from 0:15 to 5:00 are 20 updates.
    assert_eq!(breaches, [(1, None), (20, Some("5 h 15 min".to_owned()))]);
    assert_eq!(count(&records, "Escalated"), 1, "one step, not a burst");
    assert_eq!(it.does(Command::Wake), []);
}

#[test]
fn a_breach_happened_at_the_deadline_and_was_recorded_now() {
    let mut it = Scenario::declared(Severity::Sev2);
    let records = it.at("+45m").does(Command::Wake);
    let breach = records.iter().find(|record| matches!(record.fact, Fact::ObligationBreached(_))).unwrap();
    assert_eq!(it.since_start(breach.occurred_at), "30 min");
    assert_eq!(it.since_start(breach.recorded_at), "45 min");
}

#[test]
fn a_deadline_is_breached_when_it_is_reached_and_not_before() {
    let mut it = Scenario::declared(Severity::Sev2);
    it.does(Command::Acknowledge);
    it.at("+29m59s").does(Command::Wake);
    assert_eq!(count(&it.records, "ObligationBreached"), 0);
    it.at("+30m").does(Command::Wake);
    assert_eq!(count(&it.records, "ObligationBreached"), 1);
}

#[test]
fn an_update_posted_late_begins_the_rhythm_anew() {
    let mut it = Scenario::declared(Severity::Sev2);
    it.at("+40m").does(Command::Wake);
    it.at("+50m").does(update("we look"));
    assert_eq!(it.due_in(K::Update), "1 h 20 min");
}

#[test]
fn an_escalation_of_the_severity_brings_deadlines_forward() {
    let mut it = Scenario::declared(Severity::Sev3);
    it.at("+10m").does(severity(Severity::Sev1));
    assert_eq!((it.due_in(K::Acknowledge), it.due_in(K::Update)), ("25 min".into(), "25 min".into()));
}

#[test]
fn an_escalation_never_grants_more_time() {
    let mut it = Scenario::declared(Severity::Sev2);
    it.at("+20m").does(severity(Severity::Sev1));
    assert_eq!((it.due_in(K::Acknowledge), it.due_in(K::Update)), ("30 min".into(), "30 min".into()));
}

#[test]
fn a_lower_severity_keeps_the_promise_and_slows_the_next_one() {
    let mut it = Scenario::declared(Severity::Sev1);
    it.at("+5m").does(severity(Severity::Sev3));
    assert_eq!(it.due_in(K::Update), "15 min");
    it.at("+10m").does(update("calmer"));
    assert_eq!(it.due_in(K::Update), "2 h 10 min");
}

#[test]
fn sev4_owes_no_update_until_it_gets_worse() {
    let mut it = Scenario::declared(Severity::Sev4);
    it.at("+1h").does(severity(Severity::Sev2));
    assert_eq!(it.due_in(K::Update), "1 h 30 min");
}

/// From SEV2 to SEV4 the promised update stays; missed, it doesn't come again. At SEV1 it must.
#[test]
fn a_promise_that_lapsed_is_made_again_when_the_severity_rises() {
    let mut it = Scenario::declared(Severity::Sev2);
    it.does(Command::Acknowledge);
    it.does(severity(Severity::Sev4));
    it.at("+31m").does(Command::Wake);
    it.at("+1h").does(severity(Severity::Sev1));
    assert_eq!(it.owed(K::Update).next().map(|next| it.since_start(next)), Some("1 h 10 min".into()));
    it.at("+1h15m").does(Command::Wake);
    assert_eq!(count(&it.records, "ObligationBreached"), 2);
}

#[test]
fn a_severity_that_stays_is_not_announced() {
    let mut it = Scenario::blank(MONDAY);
    it.does(crate::samples::sample(incident_core::rules::command::CommandKind::Declare));
    let records = it.does(severity(Severity::Sev2));
    assert!(it.it.severity_assigned);
    assert_eq!(carried(&records), [] as [&str; 0]);
}

#[test]
fn a_back_dated_start_breaches_nothing() {
    let mut it = Scenario::blank(MONDAY);
    it.occurred_at = Some(time("2026-03-02T05:00:00Z"));
    it.does(Command::Declare(Box::new(declare(Severity::Sev1, time("2026-03-02T05:00:00Z")))));
    assert_eq!(it.it.milestones.started, Some(time("2026-03-02T05:00:00Z")));
    assert_eq!(it.due_in(K::Acknowledge), "15 min", "from when it is recorded");
    assert_eq!(it.does(Command::Wake), []);
}

/// Closing times on the days around which the clocks jump, for a SEV4 declared the day before at noon.
#[test]
fn clocks_that_jump_move_no_deadline_away_from_the_wall() {
    for (zone, declared, due) in [
        // Spring: Sunday works here, so that the jump lies between.
        (Tz::Europe__Zurich, "2026-03-28T11:00:00Z", "2026-03-29T15:00:00Z"),
        (Tz::America__New_York, "2026-03-07T17:00:00Z", "2026-03-08T21:00:00Z"),
        (Tz::Australia__Lord_Howe, "2026-10-03T01:30:00Z", "2026-10-04T06:00:00Z"),
        // Autumn.
        (Tz::Europe__Zurich, "2026-10-24T10:00:00Z", "2026-10-25T16:00:00Z"),
        (Tz::America__New_York, "2026-10-31T16:00:00Z", "2026-11-01T22:00:00Z"),
        (Tz::Australia__Lord_Howe, "2026-04-04T01:00:00Z", "2026-04-05T06:30:00Z"),
    ] {
        let mut it = Scenario::blank(declared);
        it.runbook.calendar.zone = zone;
        it.runbook.calendar.weekdays =
            [0, 1, 2, 3, 4, 5, 6].map(|day| chrono::Weekday::try_from(day).unwrap()).to_vec();
        it.does(Command::Declare(Box::new(declare(Severity::Sev4, it.start))));
        assert_eq!(it.owed(K::Acknowledge).due, time(due), "{zone} {declared}");
    }
}

/// A rhythm is time that passes, whatever the wall shows: no update is owed an hour early or late.
#[test]
fn a_rhythm_does_not_jump_with_the_clocks() {
    for (zone, before) in [
        (Tz::Europe__Zurich, "2026-03-29T00:50:00Z"),
        (Tz::America__New_York, "2026-11-01T05:50:00Z"),
        (Tz::Australia__Lord_Howe, "2026-04-04T14:50:00Z"),
    ] {
        let mut it = Scenario::blank(before);
        it.runbook.calendar.zone = zone;
        it.does(Command::Declare(Box::new(declare(Severity::Sev1, it.start))));
        assert_eq!(since(it.owed(K::Update).due, it.start), long("15m"), "{zone}");
    }
}

#[test]
fn a_holiday_added_later_moves_nothing_open() {
    let mut it = Scenario::declared(Severity::Sev1);
    it.does(resolve_anyway());
    let before = it.it.obligations.clone();
    it.runbook.calendar.holidays = vec!["2026-03-04".parse().unwrap()];
    it.later("1m").does(crate::course::note("x"));
    it.does(Command::Wake);
    assert_eq!(it.it.obligations, before);
}

#[test]
fn a_changed_runbook_touches_nothing_until_somebody_asks() {
    let mut it = Scenario::declared(Severity::Sev2);
    it.does(Command::Acknowledge);
    let quicker = |it: &mut Scenario| {
        let policy = it.runbook.severities.get_mut(&Severity::Sev2).unwrap();
        policy.update_every = Some(long("10m"));
    };
    quicker(&mut it);
    it.at("+5m").does(update("as promised"));
    assert_eq!(it.due_in(K::Update), "35 min", "the old rhythm");
    it.at("+6m").does(Command::Replan);
    assert_eq!(it.due_in(K::Update), "16 min");
    it.at("+8m").does(update("as asked"));
    assert_eq!(it.due_in(K::Update), "18 min", "the new one");
}

#[test]
fn a_rhythm_that_the_runbook_begins_or_ends_follows_a_replan() {
    let mut it = Scenario::declared(Severity::Sev4);
    it.runbook.severities.get_mut(&Severity::Sev4).unwrap().update_every = Some(long("1h"));
    it.does(Command::Replan);
    assert_eq!(it.due_in(K::Update), "1 h", "begun");
    it.runbook.severities.get_mut(&Severity::Sev4).unwrap().update_every = None;
    it.does(Command::Replan);
    assert!(it.it.obligation(K::Update).is_none(), "ended");
    it.does(resolve_anyway());
    it.runbook.severities.get_mut(&Severity::Sev4).unwrap().update_every = Some(long("2h"));
    it.does(Command::Replan);
    assert!(it.it.obligation(K::Update).is_none(), "nobody owes updates after resolve");
}

#[test]
fn an_overdue_post_mortem_is_chased_every_week_and_wakes_nobody() {
    let mut it = Scenario::declared(Severity::Sev2);
    it.goes_to(Phase::PostIncident).passes("30d");
    let of = |kind: K| it.owed(kind).missed;
    assert_eq!((of(K::PostMortem), of(K::Meeting)), (5, 4));
    let after = it.it.milestones.resolved.unwrap();
    let pages = it.records.iter().filter(|record| record.recorded_at > after);
    assert!(notices(&pages.cloned().collect::<Vec<_>>()).iter().all(|notice| !notice.kind.is_page()));
}

/// A follow-up may come due while its incident goes on, or after it was called off.
#[test]
fn an_overdue_follow_up_wakes_nobody_whatever_its_incident_does() {
    for called_off in [false, true] {
        let mut it = Scenario::declared(Severity::Sev4);
        it.does(Command::Acknowledge);
        let todo = first(&it.does(action(Some("bob"))));
        if called_off {
            it.does(Command::Cancel(crate::course::because("a test")));
        }
        let records = it.settles().at("+8d").does(Command::Wake);
        assert_eq!(it.owed(K::FollowUp(todo)).missed, 1);
        assert_eq!(carried(&records), ["reminder chat(team)"], "called off: {called_off}");
        assert_eq!(notices(&records)[0].recipients, [crate::world::person("bob")]);
    }
}

#[test]
fn a_missed_promise_is_never_told_outside() {
    let mut it = Scenario::with_runbook(Severity::Sev1, |it| {
        it.escalation.chain[0].audience = Audience::new(Audience::CUSTOMERS);
    });
    it.goes_to(Phase::Communication).settles();
    it.at("+3h").does(Command::Wake);
    let outside = |line: &String| line.contains("customers") || line.contains("public");
    let internal = ["page", "breach", "reminder", "person needed"];
    let told = carried(&it.records).into_iter().filter(outside);
    assert!(told.filter(|line| internal.iter().any(|kind| line.starts_with(kind))).eq([] as [&str; 0]));
}

#[test]
fn every_notice_names_the_deadline_in_force() {
    let mut it = Scenario::declared(Severity::Sev2);
    it.goes_to(Phase::Investigation);
    it.at("+10m").does(update("we look"));
    it.at("+20m").does(severity(Severity::Sev1));
    it.at("+25m").does(update("we found it"));
    let said: Vec<(NoticeKind, Option<String>)> = notices(&it.records)
        .iter()
        .filter(|notice| matches!(notice.kind, NoticeKind::Update | NoticeKind::SeverityChanged))
        .map(|notice| (notice.kind, notice.next_update.map(|time| it.since_start(time))))
        .collect();
    let by = |kind, time: &str| (kind, Some(time.to_owned()));
    assert_eq!(
        said,
        [
            by(NoticeKind::Update, "40 min"),
            by(NoticeKind::SeverityChanged, "35 min"),
            by(NoticeKind::Update, "40 min")
        ]
    );
}

#[test]
fn an_incident_that_owes_something_is_looked_at_daily() {
    let mut it = Scenario::declared(Severity::Sev4);
    it.does(Command::Acknowledge);
    it.does(action(Some("bob")));
    it.settles();
    it.now = after(it.it.recorded_at, long("24h"));
    assert_eq!(kinds(&it.does(Command::Wake)), ["Reviewed"]);
}

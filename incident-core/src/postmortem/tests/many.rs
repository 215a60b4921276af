//! What is said over many incidents: the weekly review, and what happened before.

use std::collections::BTreeSet;
use std::time::Duration;

use super::{FollowUpReview, Recurrence, owned, recurrences, write};
use crate::log::incident::Ending;
use crate::log::index::Summary;
use crate::model::afterwards::ActionKind;
use crate::model::cause::CauseClass;
use crate::model::id::{IncidentId, Seq};
use crate::model::role::PersonId;
use crate::model::severity::Severity;
use crate::model::side::Side;
use crate::model::time::{Time, after};
use crate::rules::command::{AddAction, Command, CompleteAction, Declare};
use crate::rules::test_driver::Driver;
use crate::runbook::Priority;
use crate::runbook::finding_kind::FindingKind;

const DAY: Duration = Duration::from_secs(86_400);

fn adds(driver: &mut Driver, what: &str, owner: Option<&str>, due: &str) -> Seq {
    let (what, owner, due) = (owned(what), owner.map(PersonId::new), due.parse().ok());
    let (kind, priority) = (Some(ActionKind::Detect), Priority::Medium);
    driver.alice(Command::AddAction(AddAction { what, kind, priority, owner, due }))
}

/// An incident with an item that is late, one that is open, one that is nobody's, and one that was done.
fn with_items() -> Driver {
    let mut driver = Driver::declared(Declare::new("checkout | is down").severity(Severity::Sev2));
    driver.routes.tracker = None;
    adds(&mut driver, "alert *sooner*", Some("bob"), "2026-03-04T17:00:00Z");
    adds(&mut driver, "draw the queue", Some("alice"), "2026-03-30T17:00:00Z");
    adds(&mut driver, "nobody's", None, "2026-03-20T17:00:00Z");
    let done = adds(&mut driver, "test it", Some("bob"), "2026-03-06T17:00:00Z");
    driver.settle().wait(24 * 60);
    driver.bob(Command::CompleteAction(CompleteAction { action: done, outcome: owned("it runs") }));
    driver.wait(24 * 60 * 2).wake();
    driver.settle();
    driver
}

#[test]
fn the_review_says_what_is_late_open_done_and_nobodys() {
    let driver = with_items();
    let week = |since: &str| {
        let since: Time = since.parse().unwrap();
        FollowUpReview::of([&driver.incident], &driver.runbook, since, driver.now)
    };
    let review = week("2026-03-02T09:00:00Z");
    let what = |items: &[super::FollowUp]| items.iter().map(|it| it.what.clone()).collect::<Vec<_>>();
    assert_eq!(what(&review.overdue), ["alert *sooner*"]);
    assert_eq!(what(&review.open), ["nobody's", "draw the queue"]);
    assert_eq!(what(&review.adrift), ["nobody's"]);
    assert_eq!(what(&review.done), ["test it"]);
    assert_eq!(review.overdue[0].chased, 1);
    assert_eq!(week("2026-03-04T09:00:00Z").done, [], "it was told in the review before");
    insta::assert_snapshot!(review.to_markdown());
}

#[test]
fn a_drill_leaves_nothing_to_review() {
    let mut driver = Driver::declared(Declare::new("practice").severity(Severity::Sev2).drill());
    adds(&mut driver, "nothing", None, "2026-03-20T17:00:00Z");
    let review = FollowUpReview::of([&driver.incident], &driver.runbook, driver.now, driver.now);
    assert_eq!((review.open, review.adrift), (vec![], vec![]));
}

fn summary(service: &str, began: Time, class: CauseClass) -> Summary {
    let declare = Declare::new("it broke").service(service).severity(Severity::Sev2);
    let mut summary = Summary::of(&Driver::declared(declare).incident);
    summary.started_at = Some(began);
    summary.causes = BTreeSet::from([class]);
    summary
}

#[test]
fn the_same_service_and_class_within_the_time_is_a_recurrence() {
    let began: Time = "2026-03-02T10:00:00Z".parse().unwrap();
    let id = |last: u8| IncidentId::from_bytes([last; 16]);
    let this = summary("checkout", began, CauseClass::Data);
    let before = |days: u32| began - chrono::TimeDelta::days(i64::from(days));
    let same = |days| summary("checkout", before(days), CauseClass::Data);
    let with = |change: fn(&mut Summary)| {
        let mut other = same(9);
        change(&mut other);
        other
    };
    let cases = [
        ("nine days ago", same(9), true),
        ("ninety days ago", same(90), true),
        ("longer ago", same(91), false),
        ("later", summary("checkout", after(began, DAY), CauseClass::Data), false),
        ("another service", summary("cart", before(9), CauseClass::Data), false),
        ("another class", summary("checkout", before(9), CauseClass::Traffic), false),
        ("a drill", with(|it| it.side = Side::Drill), false),
        ("a false alarm", with(|it| it.ended = Some(Ending::Cancelled)), false),
        (
            "part of another",
            with(|it| it.ended = Some(Ending::Merged(IncidentId::from_bytes([0; 16])))),
            false,
        ),
        ("no service", with(|it| it.service = None), false),
        ("no start", with(|it| it.started_at = None), false),
    ];
    for (case, other, expect) in cases {
        let found = recurrences((id(9), &this), &[(id(1), other.clone())], 90 * DAY);
        assert_eq!(!found.is_empty(), expect, "{case}");
        assert_eq!(recurrences((id(1), &this), &[(id(1), other)], 90 * DAY), [], "{case}: not of itself");
    }
    let both = [(id(1), same(20)), (id(2), same(3))];
    let found = recurrences((id(9), &this), &both, 90 * DAY);
    let found: Vec<_> = found.iter().map(|Recurrence { incident, apart, .. }| (*incident, *apart)).collect();
    assert_eq!(found, [(id(2), 3 * DAY), (id(1), 20 * DAY)], "the latest first");
}

#[test]
fn a_recurrence_is_a_finding() {
    let driver = super::whole();
    let began = driver.incident.milestones.started.unwrap();
    let other = summary("checkout", began - chrono::TimeDelta::days(3), CauseClass::RecentDeployment);
    let others = [(IncidentId::from_bytes([1; 16]), other)];
    let document = write(&driver).with_others(&driver.incident, &others, &driver.runbook);
    assert_eq!(document.recurrences.len(), 1);
    let found = document.completeness.findings.iter().filter(|it| it.kind == FindingKind::Recurrence);
    assert_eq!(found.count(), 1);
    assert!(document.completeness.score < write(&driver).completeness.score);
    let again = document.clone().with_others(&driver.incident, &others, &driver.runbook);
    assert_eq!(again.completeness, document.completeness, "counted once");
}

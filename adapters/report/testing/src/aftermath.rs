//! What people do once an incident is over: write, ask why, decide, meet.

use incident_core::domain::afterwards::{ActionKind, CauseKind, Section};
use incident_core::domain::command::{
    AddAction, Close, Command, CompleteAction, DecideDocumentation, FindCause, HoldMeeting, LinkEvidence,
    PublishPostMortem, RequestReview, ScheduleMeeting, WriteSection,
};
use incident_core::domain::event::{CauseClass, Fact};
use incident_core::domain::runbook::Priority;
use incident_core::domain::time::after;
use incident_core::domain::{Digest, PersonId, Seq};
use std::time::Duration;

use super::driver::Driver;

fn people(names: &[&str]) -> Vec<PersonId> {
    names.iter().map(|name| PersonId::new(name)).collect()
}

/// Writes into a section, over what was there.
pub fn write(driver: &mut Driver, section: Section, text: &str) {
    let (text, based_on) = (text.to_owned(), driver.incident.document.version_of(section));
    driver.alice(Command::WriteSection(WriteSection { section, text, based_on }));
}

/// Answers a why.
pub fn because(driver: &mut Driver, under: Option<Seq>, statement: &str, kind: CauseKind) -> Seq {
    let class = under.is_none().then_some(CauseClass::RecentDeployment);
    driver.bob(Command::FindCause(FindCause { under, statement: statement.to_owned(), kind, class }))
}

/// Adds something to do.
pub(crate) fn add(
    driver: &mut Driver,
    what: &str,
    kind: ActionKind,
    priority: Priority,
    owner: Option<&str>,
) -> Seq {
    let (what, owner) = (what.to_owned(), owner.map(PersonId::new));
    let action = AddAction { what, kind: Some(kind), priority, owner, due: None };
    let action = driver.alice(Command::AddAction(action));
    driver.settle();
    action
}

/// Five whys with two branches, shown by what was kept and seen.
fn ask_why(driver: &mut Driver) {
    use CauseKind::{Cause, Contributing};
    let first = because(driver, None, "The order service drops orders that carry a voucher", Cause);
    let second =
        because(driver, Some(first), "Splitting an order loses every field that the new schema lacks", Cause);
    let third = because(driver, Some(second), "The schema was changed in two places, by hand", Cause);
    let root = because(driver, Some(third), "Nothing generates the schema from one source", Cause);
    let other = because(driver, Some(first), "No test buys anything with a voucher", Contributing);
    because(driver, Some(other), "Vouchers were thought to go away this spring", Contributing);
    let evidence = driver.incident.evidence.keys().copied().take(1).collect();
    driver.bob(Command::LinkEvidence(LinkEvidence { to: first, evidence, records: vec![Seq(2)] }));
    driver.bob(Command::LinkEvidence(LinkEvidence { to: root, evidence: vec![], records: vec![third] }));
}

fn write_all(driver: &mut Driver) {
    for (section, text) in [
        (
            Section::Summary,
            "For 37 minutes, one checkout in eight lost its order.\n\nA deployment changed how orders with vouchers \
             are split. Going back to the version before ended it; the 1,200 customers were told and refunded.",
        ),
        (Section::Trigger, "The deployment of version 42 at 13:50."),
        (Section::ContributingFactors, "The alert looks at errors.\nA lost order is none."),
        (Section::WentWell, "The rollback was approved within two minutes.\nEverybody knew who led."),
        (Section::CouldBeBetter, "Customers heard of it only after half an hour."),
        (Section::Lucky, "It was a Monday; on a Friday three times as many pay with vouchers."),
    ] {
        write(driver, section, text);
    }
    write(driver, Section::Lucky, "It was a Monday. On a Friday, three times as many pay with vouchers.");
}

/// From the day after to the close.
pub(crate) fn afterwards(driver: &mut Driver) {
    use ActionKind::{Detect, Prevent, Process};
    driver.wait(20);
    write_all(driver);
    ask_why(driver);
    let test = add(
        driver,
        "Test a checkout with a voucher before each deployment",
        Prevent,
        Priority::High,
        Some("bob"),
    );
    let alert = add(
        driver,
        "Alert on orders that are lost, not only on errors",
        Detect,
        Priority::Medium,
        Some("carol"),
    );
    add(driver, "Write down who tells customers", Process, Priority::Low, None);
    for (step, action, not_needed) in [
        ("update-alert-rules", Some(alert), None),
        ("update-diagrams", None, Some("Nothing in them changed")),
    ] {
        let (step, not_needed) = (step.to_owned(), not_needed.map(str::to_owned));
        driver.alice(Command::DecideDocumentation(DecideDocumentation { step, action, not_needed }));
    }
    let starts_at = after(driver.now, Duration::from_secs(20 * 3_600));
    let place = Some("https://meet.example/incidents".to_owned());
    let invitees = people(&["alice", "bob", "carol"]);
    driver.alice(Command::ScheduleMeeting(ScheduleMeeting { starts_at, length: None, invitees, place }));
    driver.alice(Command::RequestReview(RequestReview { reviewers: people(&["carol"]) }));
    driver.settle().wait(60);
    let (link, up_to) = (Some("https://docs.example/post-mortems/17".to_owned()), driver.incident.version);
    let override_because = Some("The rest is written at the meeting".to_owned());
    let sha256 = Digest::of(&[b"document"]);
    driver.alice(Command::PublishPostMortem(PublishPostMortem { link, sha256, up_to, override_because }));
    driver.settle().wait(60 * 24);
    driver.alice(Command::HoldMeeting(HoldMeeting { attendees: people(&["alice", "bob"]) }));
    let outcome = "It runs in CI".to_owned();
    driver.bob(Command::CompleteAction(CompleteAction { action: test, outcome }));
    driver.alice(Command::Close(Close { override_because: Some("Everybody agreed".to_owned()) }));
    driver.settle();
    let closed = driver.records.iter().any(|record| matches!(record.fact, Fact::Closed(_)));
    assert!(closed, "it is closed in the end");
}

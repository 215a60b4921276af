//! Insights: what is counted, what isn't, and how it reads.

#![allow(
    clippy::unwrap_used,
    missing_docs,
    reason = "a test fails by panicking, and documents itself by its name"
)]

mod support;

use incident_core::model::cause::CauseClass;
use incident_core::model::role::Actor;
use incident_core::model::severity::Severity;
use incident_core::model::time::Time;
use incident_core::rules::command::{Because, Command, Declare};
use incident_core::runbook::Runbook;
use incident_core::store::MemoryStore;
use incident_core::views::metrics::Interval;
use incident_report::{History, Import, Importing, Insights, Past, Period, insights_html};
use incident_report_testing::{Log, corpus};
use support::as_it_was;
use support::driver::Driver;

fn time(time: &str) -> Time {
    time.parse().unwrap()
}

fn year() -> Period {
    Period::new(time("2026-01-01T00:00:00Z"), time("2027-01-01T00:00:00Z"))
}

/// `count` incidents of checkout, two a month, each with a start that is known; the later, the sooner resolved.
async fn imported(count: u32) -> History {
    let lines: String = (0..count)
        .map(|at| {
            let (month, day, minutes) = (1 + at / 2, 3 + at % 2 * 10, 200 - at * 8);
            let declared = format!("2026-{month:02}-{day:02}T10:00:00Z");
            let resolved = time(&declared) + chrono::TimeDelta::minutes(minutes.into());
            format!(
                "{{\"id\":\"{at}\",\"title\":\"Number {at}\",\"service\":\"checkout\",\"severity\":\"sev2\",\
                 \"started_at\":\"{declared}\",\"declared_at\":\"{declared}\",\"resolved_at\":\"{}\",\"cause\":\"x\",\
                 \"cause_class\":\"traffic\"}}\n",
                resolved.to_rfc3339_opts(chrono::SecondsFormat::Secs, true)
            )
        })
        .collect();
    let (driver, store) = (corpus("outage"), MemoryStore::new());
    let now = time("2026-12-31T00:00:00Z");
    let how = Importing::new("test", Actor::human("chat", "alice"), &driver.runbook, now, [1; 16]);
    Import::read(&lines, &how).unwrap().commit(&store).await.unwrap();
    History::load(&store, year().from, year().until).await.unwrap()
}

fn past(log: Log) -> Past {
    Past::new(log.incident, log.records)
}

fn of(incidents: Vec<Past>) -> (History, Runbook) {
    let mut history = History::default();
    history.incidents = incidents;
    (history, corpus("outage").runbook)
}

fn played(driver: Driver) -> Past {
    Past::new(driver.incident, driver.records)
}

fn insights(history: &History, runbook: &Runbook) -> Insights {
    Insights::of(history, runbook, year(), time("2026-12-31T00:00:00Z"))
}

#[tokio::test]
async fn half_90_per_cent_and_the_change_within_the_period() {
    let insights = insights(&imported(24).await, &Runbook::default());
    let all = insights.all.figures.iter().find(|it| it.interval == Interval::Resolve).unwrap();
    // Lengths of 200, 192, … 16 minutes.
    assert_eq!((all.n, all.median_seconds, all.p90_seconds), (24, 104 * 60, 184 * 60));
    let trend = all.trend.unwrap();
    assert_eq!((trend.before_seconds, trend.after_seconds), (152 * 60, 56 * 60));
    assert_eq!(trend.per_cent(), -63);
    assert_eq!(insights.months.len(), 12);
    assert!(insights.months.iter().all(|month| month.severities[&Severity::Sev2] == 2));
}

#[tokio::test]
async fn a_trend_needs_enough_incidents_on_both_sides() {
    let insights = insights(&imported(9).await, &Runbook::default());
    assert!(insights.all.figures.iter().all(|it| it.trend.is_none()));
}

#[tokio::test]
async fn what_is_taken_over_has_lengths_and_no_promises() {
    let insights = insights(&imported(4).await, &Runbook::default());
    assert!(insights.promises.iter().all(|it| it.kept + it.broken + it.open_or_dropped == 0));
}

#[tokio::test]
async fn causes_and_repeats_are_found() {
    let insights = insights(&imported(4).await, &Runbook::default());
    assert_eq!(insights.causes.len(), 1);
    assert_eq!((insights.causes[0].class, insights.causes[0].incidents), (CauseClass::Traffic, 4));
    assert_eq!(insights.repeats.len(), 3, "the first repeats none: {:?}", insights.repeats);
    assert_eq!(insights.repeats[0].apart_seconds, 10 * 86_400);
}

#[test]
fn drills_false_alarms_and_what_lies_outside_are_left_out_and_counted() {
    let mut false_alarm = Driver::declare(Declare::new("Nothing"));
    false_alarm.alice(Command::Cancel(Because { because: "the probe was wrong".to_owned() }));
    let drill = Driver::declare(Declare::new("Practice").drill());
    let (history, runbook) = of(vec![past(corpus("outage")), played(false_alarm), played(drill)]);
    let insights = insights(&history, &runbook);
    assert_eq!((insights.incidents, insights.left_out.drills, insights.left_out.false_alarms), (1, 1, 1));
    let other = Period::new(time("2025-01-01T00:00:00Z"), time("2026-01-01T00:00:00Z"));
    let none = Insights::of(&history, &runbook, other, other.until);
    assert_eq!((none.incidents, none.left_out), (0, Default::default()));
}

#[test]
fn promises_are_kept_broken_or_neither() {
    let (history, runbook) = of(vec![past(corpus("outage")), past(corpus("relapse"))]);
    let insights = insights(&history, &runbook);
    let keeping = |what: &str| insights.promises.iter().find(|it| it.what == what).unwrap();
    let acknowledge = keeping("acknowledge the incident");
    assert!(acknowledge.kept >= 2, "{acknowledge:?}");
    let updates = keeping("post an update");
    assert!(updates.kept > 0 && updates.broken > 0, "{updates:?}");
    assert_eq!(updates.per_cent(), Some(updates.kept * 100 / (updates.kept + updates.broken)));
}

#[test]
fn follow_ups_age_until_they_are_done() {
    let (history, runbook) = of(vec![past(corpus("outage"))]);
    let open = |as_of: &str| Insights::of(&history, &runbook, year(), time(as_of)).follow_ups;
    let (early, late) = (open("2026-03-03T00:00:00Z"), open("2026-12-31T00:00:00Z"));
    assert_eq!(early.open, late.open);
    assert!(early.overdue < late.overdue || late.open == 0, "{early:?} {late:?}");
    for all in [&early, &late] {
        assert_eq!(all.ages.iter().map(|it| it.open).sum::<usize>(), all.open);
        assert_eq!(all.ages.iter().map(|it| it.overdue).sum::<usize>(), all.overdue);
    }
}

#[tokio::test]
async fn the_same_incidents_read_the_same() {
    let mut history = imported(12).await;
    let (ours, runbook) = of(vec![past(corpus("outage"))]);
    history.incidents.extend(ours.incidents);
    let insights = insights(&history, &runbook);
    as_it_was("insights.md", &insights.to_markdown());
    as_it_was("insights.json", &insights.to_json());
    // The style is that of every page, and changes with it.
    let page = insights_html(&insights);
    let (_, body) = page.split_once("<body").unwrap();
    as_it_was("insights.html", &format!("<body{body}"));
    assert_eq!(insights_html(&insights), insights_html(&insights));
}

#[test]
fn hostile_words_act_as_nothing() {
    let (history, runbook) = of(vec![past(corpus("hostile"))]);
    let insights = insights(&history, &runbook);
    let page = insights_html(&insights);
    assert!(!page.contains("<script") && !page.contains("<b>shop"), "{page}");
    let markdown = insights.to_markdown();
    assert!(!markdown.replace("\\<", "").contains('<'), "{markdown}");
}

#[test]
fn nothing_at_all_is_a_page_too() {
    let insights = insights(&History::default(), &Runbook::default());
    assert_eq!(insights.incidents, 0);
    assert!(insights_html(&insights).contains("Incidents declared in this time: 0."));
    assert!(insights.to_markdown().contains("Nothing is recorded."));
}

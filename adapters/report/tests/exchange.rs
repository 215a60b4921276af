//! What other programs read, and what is taken over from them.

#![allow(
    clippy::unwrap_used,
    missing_docs,
    reason = "a test fails by panicking, and documents itself by its name"
)]

mod support;

use incident_core::log::event::Fact;
use incident_core::log::incident::Ending;
use incident_core::model::id::{Digest, Seq};
use incident_core::model::obligation::ObligationKind;
use incident_core::model::role::Actor;
use incident_core::model::time::Time;
use incident_core::port::Store;
use incident_core::port::store::Query;
use incident_core::store::MemoryStore;
use incident_report::{
    History, Import, ImportError, Importing, Past, PastIncident, cloud_events, csv, ocsf, timeline_svg,
};
use incident_report_testing::{CORPUS, Log, corpus};
use support::as_it_was;

fn past(log: Log) -> Past {
    Past::new(log.incident, log.records)
}

fn now() -> Time {
    "2026-11-26T09:00:00Z".parse().unwrap()
}

const LINES: &str = concat!(
    r#"{"id":"OPS-7","title":"Checkout is down","service":"checkout","severity":"sev1","detected_by":"metric_alert","#,
    r#""started_at":"2026-01-05T08:00:00Z","declared_at":"2026-01-05T08:04:00Z","acknowledged_at":"2026-01-05T08:06:00Z","#,
    r#""mitigated_at":"2026-01-05T08:31:00Z","resolved_at":"2026-01-05T09:00:00Z","closed_at":"2026-01-12T10:00:00Z","#,
    r#""cause":"A bad deployment","cause_class":"recent_deployment","mitigation":"Rolled back to 41","#,
    r#""impact":{"users":1200,"customer_facing":true,"business":"No orders"},"link":"https://tracker.example/OPS-7","#,
    r#""notes":[{"at":"2026-01-05T08:20:00Z","text":"Version 42 went out at 08:00"}],"#,
    r#""actions":[{"what":"Test it","kind":"prevent","priority":"high","owner":"bob","done":true},"#,
    r#"{"what":"Alert on it","priority":"medium","due":"2026-12-24T00:00:00Z","done":false}]}"#,
    "\n\n",
    r#"{"id":"OPS-8","title":"Search is slow","severity":"sev3","declared_at":"2026-02-01T10:00:00Z","#,
    r#""resolved_at":"2026-02-01T12:00:00Z","cause":"Nobody knows"}"#,
    "\n",
);

fn importing(driver: &Log) -> Importing<'_> {
    Importing::new("jira", Actor::human("chat", "alice"), &driver.runbook, now(), [3; 16])
}

async fn imported(lines: &str) -> History {
    let (driver, store) = (corpus("outage"), MemoryStore::new());
    Import::read(lines, &importing(&driver)).unwrap().commit(&store).await.unwrap();
    history(&store).await
}

async fn history(store: &dyn Store) -> History {
    let (from, until) = ("2026-01-01T00:00:00Z".parse().unwrap(), "2027-01-01T00:00:00Z".parse().unwrap());
    History::load(store, from, until).await.unwrap()
}

/// The cells of a table, read as RFC 4180 says.
fn cells(table: &str) -> Vec<Vec<String>> {
    let (mut rows, mut row, mut cell) = (Vec::new(), Vec::new(), String::new());
    let mut characters = table.chars().peekable();
    let mut quoted = false;
    while let Some(character) = characters.next() {
        match character {
            '"' if quoted && characters.peek() == Some(&'"') => cell.extend(characters.next()),
            '"' => quoted = !quoted,
            ',' if !quoted => row.push(std::mem::take(&mut cell)),
            '\r' if !quoted => {
                assert_eq!(characters.next(), Some('\n'));
                row.push(std::mem::take(&mut cell));
                rows.push(std::mem::take(&mut row));
            }
            _ => cell.push(character),
        }
    }
    assert!(cell.is_empty() && row.is_empty() && !quoted, "the table ends within a line");
    rows
}

#[test]
fn three_incidents_as_csv() {
    let table = csv(&CORPUS.map(|name| past(corpus(name))));
    let rows = cells(&table);
    assert!(rows.iter().all(|row| row.len() == rows[0].len()), "{rows:?}");
    as_it_was("incidents.csv", &table.replace("\r\n", "\n"));
}

#[test]
fn no_cell_is_a_formula() {
    for title in ["=HYPERLINK(\"http://evil\")", "+1", "-1", "@SUM(A1)", "\tx", "a,\"b\"\r\nc", "plain"] {
        let mut driver = corpus("outage");
        driver.incident.service = Some(title.to_owned());
        let rows = cells(&csv(&[past(driver)]));
        assert_eq!(rows.len(), 2, "{title:?}");
        let cell = &rows[1][2];
        assert!(!cell.starts_with(['=', '+', '-', '@', '\t', '\r', '\n']), "{cell:?}");
        assert_eq!(cell.strip_prefix('\'').unwrap_or(cell), title);
    }
}

#[test]
fn events_are_unique_and_in_the_order_of_the_log() {
    let simple = past(corpus("outage"));
    let events = cloud_events(&simple, "https://incidents.example.org/").unwrap();
    let events: Vec<serde_json::Value> =
        events.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(events.len(), simple.records.len());
    for (at, event) in events.iter().enumerate() {
        assert_eq!(event["specversion"], "1.0");
        assert_eq!(event["id"], (at + 1).to_string());
        assert_eq!(
            event["source"],
            format!("https://incidents.example.org/incidents/{}", simple.incident.id)
        );
        assert!(event["type"].as_str().unwrap().starts_with("io.github.incident-rs."));
        assert!(event["time"].as_str().unwrap().ends_with('Z'));
        assert!(!event["data"]["what"].as_str().unwrap().contains(char::is_control));
    }
    as_it_was("cloud_event.json", &format!("{:#}\n", events[0]));
    assert!(cloud_events(&simple, "https://a b").is_err());
    assert!(cloud_events(&simple, "").is_err());
}

#[test]
fn a_finding_has_what_the_schema_requires() {
    let finding = ocsf(&corpus("outage").incident);
    // Required by the schema's class 2005, its base event and their objects.
    for name in [
        "activity_id",
        "category_uid",
        "class_uid",
        "finding_info_list",
        "metadata",
        "severity_id",
        "status_id",
        "time",
        "type_uid",
    ] {
        assert!(!finding[name].is_null(), "{name} is missing");
    }
    assert!(finding["finding_info_list"][0]["uid"].is_string());
    assert!(finding["metadata"]["product"].is_object() && finding["metadata"]["version"].is_string());
    assert!(finding["assignee"].is_object() || finding["assignee_group"].is_object());
    assert_eq!(finding["type_uid"], 200_503);
    as_it_was("ocsf.json", &format!("{finding:#}\n"));
}

#[tokio::test]
async fn what_is_taken_over_has_its_own_times_and_owes_what_is_open() {
    let history = imported(LINES).await;
    let (first, second) = (&history.incidents[0].incident, &history.incidents[1].incident);
    assert_eq!(history.incidents.len(), 2);
    let at = |time: &str| Some(time.parse::<Time>().unwrap());
    let milestones = &first.milestones;
    assert_eq!(milestones.started, at("2026-01-05T08:00:00Z"));
    assert_eq!(milestones.declared, at("2026-01-05T08:04:00Z"));
    assert_eq!(milestones.acknowledged, at("2026-01-05T08:06:00Z"));
    assert_eq!(milestones.mitigated, at("2026-01-05T08:31:00Z"));
    assert_eq!(milestones.resolved, at("2026-01-05T09:00:00Z"));
    assert_eq!(milestones.closed, at("2026-01-12T10:00:00Z"));
    assert_eq!(first.ended, Some(Ending::Closed));
    assert!(!second.start_known);
    let owed: Vec<_> = first.obligations.values().map(|it| it.kind).collect();
    assert!(matches!(owed[..], [ObligationKind::FollowUp(_)]), "{owed:?}");
    assert!(second.is_settled());
    for past in &history.incidents {
        assert!(past.incident.effects.is_empty());
        for record in &past.records {
            assert_eq!(record.recorded_at, now());
            assert_eq!(record.origin.source, "import");
            let said = matches!(
                record.fact,
                Fact::NoticeIssued(_) | Fact::AudienceUnreached(_) | Fact::EffectPlanned(_)
            );
            assert!(!said, "{record:?}");
        }
    }
}

/// Declared after the fact without a start, it would have begun when it was recorded.
#[tokio::test]
async fn a_start_that_was_only_assumed_is_nowhere() {
    let history = imported(LINES).await;
    for past in &history.incidents {
        let Past { incident, records, .. } = past;
        let is_known = incident.title_words() == "Checkout is down";
        assert_eq!(incident.start_known, is_known);
        let rows = cells(&csv(std::slice::from_ref(past)));
        let cell = |name: &str| {
            let at = rows[0].iter().position(|it| it == name).unwrap();
            rows[1][at].clone()
        };
        assert_eq!(cell("started_at"), if is_known { "2026-01-05T08:00:00Z" } else { "" });
        assert_eq!(cell("start_known"), is_known.to_string());
        let finding = ocsf(incident);
        assert_eq!(finding["start_time"].is_null(), !is_known);
        assert_eq!(finding["finding_info_list"][0]["first_seen_time"].is_null(), !is_known);
        assert_eq!(timeline_svg(incident, records).contains("began"), is_known);
        assert_eq!(PastIncident::of(past).unwrap().started_at.is_some(), is_known);
    }
}

#[tokio::test]
async fn an_import_may_begin_with_a_mark_and_end_its_lines_as_windows_does() {
    let as_it_is = imported(LINES).await;
    for lines in [
        format!("\u{feff}{LINES}"),
        LINES.replace('\n', "\r\n"),
        format!("\u{feff}{}", LINES.replace('\n', "\r\n")),
    ] {
        let history = imported(&lines).await;
        assert_eq!(history.incidents.len(), as_it_is.incidents.len());
    }
    let driver = corpus("outage");
    let pretty = LINES.lines().next().unwrap().replacen(',', ",\n", 1);
    let error = Import::read(&pretty, &importing(&driver)).unwrap_err();
    assert!(matches!(error, ImportError::Syntax { line: 1, .. }), "{error}");
}

#[test]
fn no_export_has_a_character_without_width_that_nobody_wrote() {
    for name in CORPUS {
        let past = past(corpus(name));
        let exports = [
            csv(std::slice::from_ref(&past)),
            cloud_events(&past, "https://incidents.example.org").unwrap(),
            ocsf(&past.incident).to_string(),
            PastIncident::of(&past).map(|it| it.to_line()).unwrap_or_default(),
        ];
        for export in exports {
            assert!(!export.contains("@\u{200b}"), "{name}: {export}");
        }
    }
}

#[tokio::test]
async fn what_was_taken_over_is_exported_as_it_came() {
    let driver = corpus("outage");
    let history = imported(LINES).await;
    let lines: String =
        history.incidents.iter().filter_map(PastIncident::of).map(|it| it.to_line()).collect();
    as_it_was("past_incidents.jsonl", &lines);
    let again = imported(&lines).await;
    let lines_again: String =
        again.incidents.iter().filter_map(PastIncident::of).map(|it| it.to_line()).collect();
    let but_ids = |lines: &str| -> Vec<String> {
        lines.lines().map(|line| line.split_once(",\"title\"").unwrap().1.to_owned()).collect()
    };
    assert_eq!(but_ids(&lines), but_ids(&lines_again));
    let simple = PastIncident::of(&past(driver)).unwrap();
    assert!(Import::read(&simple.to_line(), &importing(&corpus("outage"))).is_ok());
}

#[tokio::test]
async fn an_import_that_is_repeated_changes_nothing() {
    let (driver, store) = (corpus("outage"), MemoryStore::new());
    let import = Import::read(LINES, &importing(&driver)).unwrap();
    let first = import.commit(&store).await.unwrap();
    let again = Import::read(LINES, &importing(&driver)).unwrap().commit(&store).await.unwrap();
    assert_eq!((first.added.len(), first.present.len()), (2, 0));
    assert_eq!((again.added.len(), &again.present), (0, &first.added));
    assert_eq!(store.list(&Query::all()).await.unwrap().rows.len(), 2);
}

#[tokio::test]
async fn one_wrong_line_is_named_and_nothing_is_taken_over() {
    let good = LINES.lines().next().unwrap();
    let with = |from: &str, to: &str| good.replace(from, to);
    for (line, expect) in [
        ("{".to_owned(), "line 2, column 1: expected an object as JSON on one line"),
        ("7".to_owned(), "line 2: : expected an object"),
        (with("\"OPS-7\"", "\"OPS-7\""), "line 2: id: line 1 has it, too; expected one that is new"),
        (
            with("OPS-7", "X").replace("\"title\"", "\"titel\""),
            "line 2: title: it is missing; expected a text",
        ),
        (
            with("OPS-7", "X").replace("\"link\"", "\"url\""),
            "line 2: url: it isn't known; known there: notes, actions, id",
        ),
        (with("OPS-7", "X").replace("sev1", "s3cret"), "line 2: severity: expected sev1, sev2, sev3 or sev4"),
        (
            with("OPS-7", "X").replace("2026-01-05T08:06:00Z", "s3cret"),
            "line 2: acknowledged_at: expected a time such as",
        ),
        (
            with("OPS-7", "X").replace("2026-01-05T08:06:00Z", "2026-01-05T07:00:00Z"),
            "line 2: acknowledged_at: expected a time not before declared_at",
        ),
        (
            with("OPS-7", "X").replace("medium", "s3cret"),
            "line 2: actions[1].priority: expected critical, high",
        ),
        (with("OPS-7", "X").replace("\"text\"", "\"txt\""), "line 2: notes[0].text: it is missing"),
        (with("OPS-7", "X").replace("2026-01-12", "2036-01-12"), "line 2: closed_at: it is in the future"),
        (with("OPS-7", "X").replace("\"bob\"", "\"mallory\""), "line 2: the incident can't be written down"),
    ] {
        let driver = corpus("outage");
        let error = Import::read(&format!("{good}\n{line}\n"), &importing(&driver)).unwrap_err();
        assert!(error.to_string().starts_with(expect), "{error} isn't {expect}");
        assert!(!format!("{error:?}").contains("s3cret"), "{error:?}");
    }
    let driver = corpus("outage");
    let stranger = Importing::new("jira", Actor::human("chat", "eve"), &driver.runbook, now(), [3; 16]);
    assert!(matches!(Import::read(good, &stranger), Err(ImportError::Refused { line: 1, .. })));
}

#[tokio::test]
async fn a_history_has_what_was_declared_in_its_time_and_counts_what_it_can_not_read() {
    let (driver, store) = (corpus("outage"), MemoryStore::new());
    let import = Import::read(LINES, &importing(&driver)).unwrap();
    let ids = import.commit(&store).await.unwrap().added;
    let load = |from: &'static str, until: &'static str| {
        let store = &store;
        async move { History::load(store, from.parse().unwrap(), until.parse().unwrap()).await.unwrap() }
    };
    let found = load("2026-01-05T08:04:00Z", "2026-02-01T10:00:00Z").await;
    assert_eq!(found.incidents.iter().map(|it| it.incident.id).collect::<Vec<_>>(), ids[..1]);
    let found = load("2026-01-05T08:04:00.001Z", "2027-01-01T00:00:00Z").await;
    assert_eq!(found.incidents.iter().map(|it| it.incident.id).collect::<Vec<_>>(), ids[1..]);

    let mut log = store.load(ids[0], Seq::ZERO).await.unwrap();
    log[0].body = b"{}".to_vec();
    log[0].chain = Digest::default();
    let damaged = MemoryStore::new();
    let row = store.list(&Query::all()).await.unwrap().rows.remove(0);
    let index = incident_core::log::index::Index::new(row.version, None, row.urgency);
    let commit = incident_core::port::store::Commit::new(log, index, now());
    damaged.commit(ids[0], Seq::ZERO, &commit).await.unwrap();
    let found = history(&damaged).await;
    assert_eq!((found.incidents.len(), found.unreadable), (0, vec![ids[0]]));
}

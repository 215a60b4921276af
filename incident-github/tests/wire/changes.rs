//! What changed shortly before the incident.

use std::time::Duration;

use incident_core::model::time::{Time, after, before};
use incident_core::port::{Adapter, Capture, Collector, ErrorKind, Onset, PreflightContext, ReadContext};
use incident_github::{ChangesConfig, GithubBackend, GithubCollector, candidates};
use serde_json::{Value, json};

use crate::fake::{Fake, Fault, State, t0};
use crate::reading;

/// So many minutes before the start.
fn ago(minutes: u64) -> Time {
    before(t0(), Duration::from_secs(minutes * 60))
}

fn commit(sha: &str, minutes: u64, message: &str) -> Value {
    json!({
        "sha": sha, "html_url": "https://github.com/acme/shop/commit/x", "author": { "login": "alice" },
        "commit": { "message": message, "author": { "name": "Alice" }, "committer": { "date": ago(minutes) } },
    })
}

fn merge(number: u64, merged: Option<u64>, updated: u64) -> Value {
    json!({
        "number": number, "title": format!("Change no. {number}"), "merged_at": merged.map(ago), "updated_at": ago(updated),
        "merge_commit_sha": "0123456789abcdef", "user": { "login": "bob" }, "base": { "ref": "main" },
        "html_url": "https://github.com/acme/shop/pull/41",
    })
}

fn fill(state: &mut State) {
    state.changes.insert(
        "commits",
        vec![
            commit("aaaaaaaaaaaa", 10, "Raise the limit\n\npassword=hunter2hunter2"),
            commit("bbbbbbbbbbbb", 300, "long ago"),
        ],
    );
    state.changes.insert("pulls", vec![merge(41, Some(12), 1), merge(40, None, 5), merge(39, Some(200), 6)]);
    state.changes.insert(
        "releases",
        vec![json!({
            "tag_name": "v2.1", "name": "v2.1", "prerelease": false, "created_at": ago(50), "published_at": ago(40),
            "author": { "login": "carol" }, "html_url": "https://github.com/acme/shop/releases/tag/v2.1",
        })],
    );
    let deployed = |id: u64, minutes: u64| {
        json!({
            "id": id, "ref": "main", "sha": "cccccccccccc", "environment": "production", "created_at": ago(minutes),
            "creator": { "login": "deployer[bot]" },
        })
    };
    state.changes.insert("deployments", vec![deployed(2, 5), deployed(1, 30)]);
    state.changes.insert(
        "actions/runs",
        vec![json!({
            "id": 1, "name": "deploy", "head_branch": "main", "head_sha": "cccccccccccc", "event": "push",
            "status": "completed", "conclusion": "success", "created_at": ago(8), "run_started_at": ago(8),
            "actor": { "login": "alice" }, "html_url": "https://github.com/acme/shop/actions/runs/1",
        })],
    );
}

fn collector(fake: &Fake, repositories: &[&str]) -> GithubCollector {
    let mut changes = ChangesConfig::default();
    changes.repositories = repositories.iter().map(|name| (*name).to_owned()).collect();
    let mut config = fake.config();
    config.changes = Some(changes);
    GithubBackend::connect(config).unwrap().into_collector().unwrap()
}

fn document(capture: &Capture) -> Value {
    serde_json::from_slice(&capture.bytes).unwrap()
}

/// Later than the start by so many minutes.
fn collecting(minutes: u64) -> ReadContext {
    ReadContext::new(reading().incident, after(t0(), Duration::from_secs(minutes * 60)))
        .with_onset(Onset::Known(t0()))
}

#[tokio::test]
async fn what_changed_within_two_hours_is_there_with_the_latest_first() {
    let fake = Fake::start().await;
    fill(&mut fake.state());
    let captures = collector(&fake, &[]).collect(&collecting(15)).await.unwrap();
    assert_eq!(captures.len(), 1);
    assert_eq!((captures[0].name.as_str(), captures[0].truncated), ("changes/acme/shop", false));
    let document = document(&captures[0]);
    let shown: Vec<_> = document["changes"].as_array().unwrap().iter().collect();
    let kinds: Vec<_> = shown
        .iter()
        .map(|it| (it["kind"].as_str().unwrap(), it["seconds_before_start"].as_u64().unwrap() / 60))
        .collect();
    assert_eq!(
        kinds,
        [
            ("deployment", 5),
            ("workflow", 8),
            ("commit", 10),
            ("merge", 12),
            ("deployment", 30),
            ("release", 40)
        ]
    );
    assert_eq!(shown[0]["state"], "success");
    assert_eq!(shown[4]["state"], "failure");
    assert_eq!(
        shown[2]["title"], "Raise the limit",
        "the first line says what it is, and only that is taken down"
    );
    assert!(!String::from_utf8_lossy(&captures[0].bytes).contains("hunter2"));
}

#[tokio::test]
async fn candidates_begin_with_what_reached_users_last() {
    let fake = Fake::start().await;
    fill(&mut fake.state());
    let captures = collector(&fake, &[]).collect(&collecting(15)).await.unwrap();
    let likely: Vec<String> = candidates(&captures, 4).into_iter().map(|it| it.statement).collect();
    assert_eq!(
        likely,
        [
            "The deployment of acme/shop cccccccc to production by deployer[bot], 5 min before the start",
            "The deployment of acme/shop cccccccc to production by deployer[bot], 30 min before the start",
            "The release v2.1 of acme/shop by carol, 40 min before the start",
            "The merge of acme/shop#41 “Change no. 41” by bob, 12 min before the start",
        ]
    );
}

#[tokio::test]
async fn what_cannot_be_had_is_named_and_the_rest_is_there() {
    let fake = Fake::start().await;
    fill(&mut fake.state());
    fake.state()
        .read_faults
        .push_back(("/releases", Fault::answer(403, "Resource not accessible by integration")));
    let captures = collector(&fake, &["acme/shop", "acme/secret"]).collect(&collecting(1)).await.unwrap();
    assert!(captures.iter().all(|capture| capture.truncated));
    let (shop, secret) = (document(&captures[0]), document(&captures[1]));
    assert_eq!(shop["missing"][0]["what"], "releases");
    assert_eq!(shop["changes"].as_array().unwrap().len(), 5);
    assert_eq!(
        (&secret["repository"], &secret["missing"][0]["what"]),
        (&json!("acme/secret"), &json!("everything"))
    );
    let error = collector(&fake, &["acme/secret"]).collect(&collecting(1)).await.unwrap_err();
    assert_eq!(error.kind, ErrorKind::NotFound);
}

#[tokio::test]
async fn pages_are_read_until_they_are_older_and_a_list_without_end_is_cut() {
    for (count, minutes, pages, whole) in
        [(100, 60, 1, true), (101, 60, 2, true), (500, 60, 3, false), (500, 400, 1, true)]
    {
        let fake = Fake::start().await;
        fill(&mut fake.state());
        let merges = (0..count).map(|number| merge(number, Some(minutes), minutes)).collect();
        fake.state().changes.insert("pulls", merges);
        let captures = collector(&fake, &[]).collect(&collecting(1)).await.unwrap();
        let asked = fake.lines().iter().filter(|line| line.ends_with("/pulls")).count();
        assert_eq!((asked, !captures[0].truncated), (pages, whole), "{count} merges {minutes} min ago");
    }
}

/// Nobody knows when it started: nothing is dated from a start.
#[tokio::test]
async fn while_the_start_is_unknown_changes_count_from_the_declaration() {
    let fake = Fake::start().await;
    fill(&mut fake.state());
    let cx = collecting(15).with_onset(Onset::Assumed(t0()));
    let captures = collector(&fake, &[]).collect(&cx).await.unwrap();
    let document = document(&captures[0]);
    assert_eq!(document["started_at"], Value::Null);
    let changes = document["changes"].to_string();
    assert!(changes.contains("seconds_before_declaration") && !changes.contains("_start\""), "{changes}");
    let likely = candidates(&captures, 1);
    assert!(likely[0].statement.ends_with("before the declaration"), "{}", likely[0].statement);
}

#[tokio::test]
async fn preflight_asks_for_each_list_of_each_repository() {
    let fake = Fake::start().await;
    fill(&mut fake.state());
    fake.state().changes.remove("deployments");
    let found = collector(&fake, &[]).preflight(&PreflightContext::new(t0())).await.unwrap();
    let bad: Vec<_> =
        found.checks.iter().filter(|check| check.missing.is_some()).map(|it| it.what.as_str()).collect();
    assert_eq!((found.checks.len(), bad), (5, vec!["deployments of acme/shop"]));
}

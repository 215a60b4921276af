//! Whether it will work in an incident, found out before.

use incident_core::port::{Adapter, Preflight, PreflightContext};
use incident_github::GithubBackend;
use serde_json::json;

use crate::fake::{Fake, State, t0};

async fn preflight(change: impl Fn(&mut State), milestone: Option<&str>) -> Preflight {
    let fake = Fake::start().await;
    change(&mut fake.state());
    let mut config = fake.config();
    config.milestone = milestone.map(str::to_owned);
    let tracker = GithubBackend::connect(config).unwrap().into_tracker();
    let found = tracker.preflight(&PreflightContext::new(t0())).await.unwrap();
    assert!(fake.writes().is_empty(), "nothing is changed");
    found
}

#[tokio::test]
async fn what_is_as_it_should_be_is_good() {
    let found = preflight(|_| {}, None).await;
    assert!(found.is_good(), "{found:#?}");
    assert!(found.checks.len() >= 5, "{found:#?}");
}

#[tokio::test]
async fn each_thing_that_is_missing_is_named_with_what_to_do() {
    type Change = fn(&mut State);
    let cases: [(Change, Option<&str>, &str, &str); 8] = [
        (
            |state| state.visible = false,
            None,
            "the repository acme/shop",
            "doesn't exist, or the token may not see it",
        ),
        (|state| state.has_issues = false, None, "issues are disabled", "enable them"),
        (|state| state.archived = true, None, "the repository is archived", "unarchive"),
        (|state| (state.push, state.triage) = (false, false), None, "what the account may do", "grant it"),
        (|state| state.scopes = Some("gist, read:org"), None, "what the account may do", "scope `repo`"),
        (
            |state| {
                state.push = false;
                state.labels.remove("sev2");
            },
            None,
            "labels are missing",
            "create sev2",
        ),
        (|state| state.says_account = false, None, "whose the token is", "set `account`"),
        (|_| {}, Some("Q2"), "the milestone Q2", "create it"),
    ];
    for (change, milestone, what, then) in cases {
        let found = preflight(change, milestone).await;
        let bad: Vec<_> = found.checks.iter().filter(|check| check.missing.is_some()).collect();
        assert_eq!(bad.len(), 1, "{what}: {found:#?}");
        assert!(bad[0].what.contains(what), "{what}: {bad:?}");
        assert!(bad[0].missing.as_ref().unwrap().contains(then), "{then}: {bad:?}");
    }
}

#[tokio::test]
async fn labels_that_will_be_created_and_a_milestone_that_is_there_are_good() {
    let change = |state: &mut State| {
        state.labels.clear();
        state.milestones = vec![json!({ "number": 2, "title": "Q2", "state": "open" })];
    };
    let found = preflight(change, Some("Q2")).await;
    assert!(found.is_good(), "{found:#?}");
}

//! An incident on GitHub from both sides: what the engine does there, and what people do there.

#![allow(clippy::unwrap_used, reason = "helpers of tests fail as tests do")]

mod fake;

use std::sync::Arc;
use std::time::Duration;

use fake::{Fake, t0};
use incident_core::log::event::Fact;
use incident_core::log::incident::Incident;
use incident_core::model::role::Actor;
use incident_core::model::severity::Severity;
use incident_core::model::time::Time;
use incident_core::rules::command::{AddAction, Command};
use incident_core::runbook::Priority;
use incident_core::runtime::{CommandError, ManualClock};
use incident_core::store::MemoryStore;
use incident_core::{Declare, Engine, IncidentHandle};
use incident_github::{GithubBackend, TicketEvent};
use serde_json::{Value, json};

struct World {
    fake: Fake,
    engine: Engine,
    clock: Arc<ManualClock>,
    incident: IncidentHandle,
}

impl World {
    /// An incident at SEV2 with one action item, and an issue for each.
    async fn new() -> Self {
        let fake = Fake::start().await;
        let clock = Arc::new(ManualClock::new(t0()));
        let engine = Engine::builder(MemoryStore::new())
            .clock(Arc::clone(&clock) as _)
            .ports("github", GithubBackend::connect(fake.config()).unwrap().into_ports())
            .tracker("github")
            .pages_nobody()
            .build()
            .unwrap();
        let declare = Declare::new("checkout is slow").severity(Severity::Sev2);
        let incident = engine.declare(Actor::human("github", "alice"), declare).await.unwrap();
        let world = Self { fake, engine, clock, incident };
        world.run().await;
        let add = AddAction {
            what: "limit the pool".to_owned(),
            kind: None,
            priority: Priority::High,
            owner: None,
            due: None,
        };
        world.incident.send(Command::AddAction(add)).await.unwrap();
        world.run().await;
        world
    }

    async fn run(&self) {
        while self.engine.tick(Time::MAX_UTC).await.unwrap().ran > 0 {}
    }

    async fn state(&self) -> Incident {
        self.incident.state().await.unwrap()
    }

    /// A person does something to an issue, GitHub tells of it, and the engine hears what it asks.
    async fn hook(&self, number: u64, action: &str, more: &[(&str, Value)]) -> Vec<Result<(), CommandError>> {
        let issue = self.fake.state().issue(number).clone();
        let mut payload = json!({
            "action": action, "issue": issue, "repository": { "full_name": "acme/shop" },
            "sender": { "login": "bob", "type": "User" },
        });
        for (field, value) in more {
            payload[*field] = value.clone();
        }
        let event = if payload["comment"].is_object() { "issue_comment" } else { "issues" };
        let event =
            TicketEvent::read("incident-bot", event, payload.to_string().as_bytes()).unwrap().unwrap();
        if event.by == "bob" {
            assert_eq!(event.incident, Some(self.incident.id()));
        }
        let mut answers = Vec::new();
        for request in event.requests(&self.state().await) {
            answers.push(self.engine.send(self.incident.id(), request).await.map(drop));
        }
        answers
    }
}

#[tokio::test]
async fn an_incident_and_its_follow_up_are_issues_that_name_each_other() {
    let world = World::new().await;
    let state = world.fake.state();
    assert_eq!(state.issues.len(), 2);
    assert_eq!(state.issue(1)["title"], "[INCIDENT] checkout is slow");
    assert_eq!(state.issue(2)["title"], "limit the pool");
    assert!(state.issue(2)["body"].as_str().unwrap().contains("\nPart of acme/shop#1\n"));
}

#[tokio::test]
async fn closing_the_ticket_passes_no_gate_by_and_is_on_the_timeline() {
    let world = World::new().await;
    world.fake.state().edit(1, "state", json!("closed"));
    let answers = world.hook(1, "closed", &[]).await;
    assert!(answers[0].is_ok() && matches!(answers[1], Err(CommandError::Refused(_))), "{answers:?}");
    assert!(world.state().await.milestones.resolved.is_none());
    let before = world.incident.records().await.unwrap().len();
    let again = world.hook(1, "closed", &[]).await;
    assert!(again[0].is_ok(), "{again:?}");
    assert_eq!(world.incident.records().await.unwrap().len(), before, "the same event changes nothing twice");
}

#[tokio::test]
async fn a_severitys_label_sets_it_and_the_other_one_goes() {
    let world = World::new().await;
    let both = json!([{ "name": "incident" }, { "name": "sev2" }, { "name": "sev1" }]);
    world.fake.state().edit(1, "labels", both);
    let answers = world.hook(1, "labeled", &[("label", json!({ "name": "sev1" }))]).await;
    assert!(answers.len() == 1 && answers[0].is_ok(), "{answers:?}");
    assert_eq!(world.state().await.severity, Severity::Sev1);
    world.run().await;
    let labels = world.fake.state().issue(1)["labels"].clone();
    assert_eq!(labels, json!([{ "name": "incident" }, { "name": "sev1" }]));
}

#[tokio::test]
async fn a_comment_is_a_note_by_whom_it_is_from() {
    let world = World::new().await;
    let comment = json!({ "body": "the pool is full", "created_at": t0() });
    world.hook(1, "created", &[("comment", comment)]).await[0].as_ref().unwrap();
    let records = world.incident.records().await.unwrap();
    let last = records.iter().rev().find(|record| record.actor == Actor::human("github", "bob")).unwrap();
    assert_eq!(last.origin.source, "github");
}

#[tokio::test]
async fn a_follow_up_closed_on_github_is_done_by_its_webhook_or_by_reading() {
    for told in [true, false] {
        let world = World::new().await;
        {
            let mut state = world.fake.state();
            state.edit(2, "state", json!("closed"));
            state.edit(2, "state_reason", json!("not_planned"));
        }
        if told {
            let answers = world.hook(2, "closed", &[]).await;
            assert!(answers.len() == 1 && answers[0].is_ok(), "{answers:?}");
            assert!(world.hook(2, "closed", &[]).await.is_empty(), "it is done already");
        } else {
            world.clock.advance(Duration::from_secs(6 * 3_600));
            world.run().await;
        }
        let state = world.state().await;
        assert!(state.actions.values().all(|action| action.done), "{:?}", state.actions);
    }
}

/// The words of the incident's notes, oldest first.
async fn notes(world: &World) -> Vec<String> {
    let state = world.state().await;
    let records = world.incident.records().await.unwrap();
    let notes = records.iter().filter_map(|record| match &record.fact {
        Fact::Noted(note) => Some(state.texts.get(note.text).to_owned()),
        _ => None,
    });
    notes.collect()
}

#[tokio::test]
async fn a_deleted_or_edited_comment_leaves_no_words_in_its_note() {
    let world = World::new().await;
    let comment =
        |body: &str| json!({ "id": 7, "body": body, "created_at": t0(), "user": { "login": "bob" } });
    let from = |body: &str| json!({ "body": { "from": body } });
    world.hook(1, "created", &[("comment", comment("the password is hunter2"))]).await;
    let edit = [("comment", comment("the password is ****")), ("changes", from("the password is hunter2"))];
    for _ in 0..2 {
        for answer in world.hook(1, "edited", &edit).await {
            answer.unwrap();
        }
        assert_eq!(notes(&world).await, ["[redacted]", "edited: the password is ****"]);
    }
    // What arrives late changes nothing any more.
    world.hook(1, "created", &[("comment", comment("the password is hunter2"))]).await;
    for _ in 0..2 {
        for answer in world.hook(1, "deleted", &[("comment", comment("the password is ****"))]).await {
            answer.unwrap();
        }
        let expect = ["[redacted]", "[redacted]", "bob deleted their comment on the ticket acme/shop#1"];
        assert_eq!(notes(&world).await, expect);
    }
}

#[tokio::test]
async fn words_of_others_are_taken_out_by_persons_of_the_runbook_alone() {
    let world = World::new().await;
    let comment = json!({ "id": 7, "body": "hunter2", "created_at": t0(), "user": { "login": "bob" } });
    world.hook(1, "created", &[("comment", comment.clone())]).await;
    let stranger = json!({ "login": "mallory", "type": "User" });
    let answers = world.hook(1, "deleted", &[("comment", comment), ("sender", stranger)]).await;
    assert!(answers[0].is_ok() && matches!(answers[1], Err(CommandError::Refused(_))), "{answers:?}");
    assert_eq!(
        notes(&world).await,
        ["hunter2", "mallory deleted a comment of bob on the ticket acme/shop#1"]
    );
}

#[tokio::test]
async fn what_a_clock_ahead_of_ours_dates_is_taken_as_now() {
    let world = World::new().await;
    let ahead = "2030-01-01T00:00:00Z";
    let comment = json!({ "id": 7, "body": "the pool is full", "created_at": ahead });
    world.hook(1, "created", &[("comment", comment)]).await[0].as_ref().unwrap();
    let records = world.incident.records().await.unwrap();
    let noted = records.iter().find(|record| matches!(record.fact, Fact::Noted(_))).unwrap();
    assert_eq!(noted.occurred_at, noted.recorded_at);
}

#[tokio::test]
async fn a_transferred_ticket_goes_on_at_its_new_place_however_that_becomes_known() {
    for told in [true, false] {
        let world = World::new().await;
        let (incident, follow_up) = {
            let mut state = world.fake.state();
            (state.transfer(1), state.transfer(2))
        };
        if told {
            for (old, new) in [(1, incident), (2, follow_up)] {
                let to =
                    json!({ "new_issue": { "number": new }, "new_repository": { "full_name": "acme/web" } });
                world.hook(old, "transferred", &[("changes", to)]).await[0].as_ref().unwrap();
            }
        }
        world.incident.set_severity(Severity::Sev1, "worse").await.unwrap();
        world.clock.advance(Duration::from_secs(6 * 3_600));
        world.run().await;
        let state = world.state().await;
        assert_eq!(state.ticket.unwrap().as_str(), format!("acme/web#{incident}"));
        let action = state.actions.values().next().unwrap();
        assert_eq!(action.ticket.as_ref().unwrap().as_str(), format!("acme/web#{follow_up}"));
        let github = world.fake.state();
        let there =
            github.issues.iter().find(|issue| issue["number"] == incident && issue["moved"].is_null());
        let labels = there.unwrap()["labels"].to_string();
        assert!(labels.contains("sev1") && !labels.contains("sev2"), "{labels}");
        assert_eq!(github.issues.len(), 4, "nothing was opened anew");
    }
}

#[tokio::test]
async fn a_deleted_ticket_is_opened_anew_and_goes_on_there() {
    let world = World::new().await;
    world.fake.state().edit(1, "deleted", json!(true));
    world.incident.note("the pool is full").await.unwrap();
    world.incident.set_severity(Severity::Sev1, "worse").await.unwrap();
    world.run().await;
    let state = world.state().await;
    assert_eq!(state.ticket.unwrap().as_str(), "acme/shop#3");
    {
        let github = world.fake.state();
        assert_eq!(github.issues.len(), 3);
        assert!(github.issue(3)["labels"].to_string().contains("sev1"), "{}", github.issue(3));
    }
    // A tracker that loses that one as well gets no third for the same change.
    world.fake.state().edit(3, "deleted", json!(true));
    world.run().await;
    assert_eq!(world.fake.state().issues.len(), 3);
}

#[tokio::test]
async fn a_cancelled_incidents_ticket_is_closed_as_not_planned() {
    let world = World::new().await;
    world.incident.cancel("a false alarm").await.unwrap();
    world.run().await;
    let github = world.fake.state();
    assert_eq!(github.issue(1)["state_reason"], "not_planned");
}

//! People work on an action item in its ticket; the engine reads it there.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use incident_core::config::Ports;
use incident_core::local::Folder;
use incident_core::log::chain;
use incident_core::log::event::Relation;
use incident_core::model::id::{CommandId, Digest, IncidentId};
use incident_core::model::inert;
use incident_core::model::role::PersonId;
use incident_core::model::side::Side;
use incident_core::model::time::Time;
use incident_core::rules::command::{Absorb, AddAction, Command, Link, Request, Resolve};
use incident_core::runbook::Priority;
use incident_core::runtime::{CommandError, Engine, ManualClock};
use incident_core::store::MemoryStore;

use crate::world::{EVERYBODY, Shared, chat, human, runbook};
use crate::{clock, declare};

fn engine(clock: &Arc<ManualClock>, folder: &Path) -> Engine {
    Engine::builder(MemoryStore::new())
        .clock(Arc::clone(clock) as _)
        .runbook(runbook())
        .ports("chat", chat(&Shared::default()))
        .ports("board", Ports::new().with_tracker(Folder::new(folder)))
        .route("chat", &EVERYBODY)
        .tracker("board")
        .build()
        .unwrap()
}

async fn does(engine: &Engine, id: IncidentId, command: Command) {
    let request = Request::new(CommandId::named(&format!("{command:?}")), human("alice"), command);
    engine.send(id, request).await.unwrap();
    while engine.tick(Time::MAX_UTC).await.unwrap().ran > 0 {}
}

fn limit_the_pool() -> Command {
    let owner = Some(PersonId::new("bob"));
    Command::AddAction(AddAction {
        what: "limit the pool".to_owned(),
        kind: None,
        priority: Priority::High,
        owner,
        due: None,
    })
}

#[tokio::test]
async fn tickets_that_belong_together_name_each_other() {
    let (clock, folder) = (clock(), tempfile::tempdir().unwrap());
    let engine = engine(&clock, folder.path());
    let older = declare(&engine, Side::Live).await;
    clock.advance(Duration::from_secs(60));
    let younger = declare(&engine, Side::Live).await;
    does(&engine, older, limit_the_pool()).await;
    does(&engine, older, Command::Absorb(Absorb { other: younger, because: "one cause".to_owned() })).await;

    let (of_older, of_younger) =
        (engine.incident(older).state().await, engine.incident(younger).state().await);
    let (of_older, of_younger) = (of_older.unwrap(), of_younger.unwrap());
    let follow_up = of_older.actions.values().next().unwrap().ticket.clone().unwrap();
    let (one, other) = (of_older.ticket.unwrap(), of_younger.ticket.unwrap());
    for (ticket, relation, to) in
        [(&one, "duplicated by", &other), (&other, "duplicate of", &one), (&one, "follow-up", &follow_up)]
    {
        let text = std::fs::read_to_string(folder.path().join(ticket.as_str())).unwrap();
        let line = format!("{}: {}", inert::markdown(relation), inert::markdown(to.as_str()));
        assert!(text.contains(&line), "{line} in {text}");
    }
}

#[tokio::test]
async fn an_action_item_closed_in_its_ticket_is_done() {
    let (clock, folder) = (clock(), tempfile::tempdir().unwrap());
    let engine = engine(&clock, folder.path());
    let id = declare(&engine, Side::Live).await;
    does(&engine, id, limit_the_pool()).await;
    let state = engine.incident(id).state().await.unwrap();
    let ticket = state.actions.values().next().unwrap().ticket.clone().unwrap();

    let path = folder.path().join(ticket.as_str());
    let text = std::fs::read_to_string(&path).unwrap();
    assert!(text.contains("State: open"), "{text}");
    std::fs::write(&path, text.replace("State: open", "State: closed")).unwrap();
    clock.advance(Duration::from_secs(6 * 3_600));
    while engine.tick(Time::MAX_UTC).await.unwrap().ran > 0 {}

    let state = engine.incident(id).state().await.unwrap();
    assert!(state.actions.values().all(|action| action.done), "{:?}", state.actions);
}

/// Whoever can write the database can write a log anew whose chain fits, but not the comment that was made before.
#[tokio::test]
async fn the_closing_comment_keeps_the_head_of_the_chain() {
    let (clock, folder) = (clock(), tempfile::tempdir().unwrap());
    let engine = engine(&clock, folder.path());
    let id = declare(&engine, Side::Live).await;
    let override_because = Some("it is over".to_owned());
    does(&engine, id, Command::Resolve(Resolve { cause: "a full disk".to_owned(), override_because })).await;
    does(&engine, id, limit_the_pool()).await;

    let ticket = engine.incident(id).state().await.unwrap().ticket.unwrap();
    let text = std::fs::read_to_string(folder.path().join(ticket.as_str())).unwrap();
    let head = text.split_once("chain head ").map(|(_, head)| head[..64].to_owned());
    let head: Digest = head.unwrap_or_else(|| panic!("no head in {text}")).parse().unwrap();
    engine.incident(id).verify(Some(head)).await.unwrap();

    let records = engine.incident(id).records().await.unwrap();
    let (mut forged, origin) = (records, chain::origin(id));
    forged[0].recorded_at += chrono::TimeDelta::seconds(1);
    let (log, _) = chain::encode(&forged, origin);
    assert!(chain::verify(id, &log, None).is_ok(), "its chain fits");
    assert!(chain::verify(id, &log, Some(head)).is_err(), "and the comment tells");
}

/// The other incident is real, but practice is not; and one that doesn't exist is neither.
#[tokio::test]
async fn what_another_command_names_is_there_and_on_the_same_side() {
    let (clock, folder) = (clock(), tempfile::tempdir().unwrap());
    let engine = engine(&clock, folder.path());
    let drill = declare(&engine, Side::Drill).await;
    clock.advance(Duration::from_secs(60));
    let live = declare(&engine, Side::Live).await;
    let nobody = IncidentId::new(clock_now(&engine) + chrono::TimeDelta::hours(1), [1; 16]);
    let merge = |other| Command::Absorb(Absorb { other, because: "one cause".to_owned() });
    let link = |other| Command::Link(Link { other, relation: Relation::RelatedTo });
    for (id, command) in [
        (drill, merge(live)),
        (drill, merge(nobody)),
        (live, link(drill)),
        (drill, link(live)),
        (live, link(nobody)),
    ] {
        let request = Request::new(engine.new_command_id(), human("alice"), command.clone());
        let refused = engine.send(id, request).await;
        assert!(matches!(refused, Err(CommandError::Refused(_))), "{command:?}: {refused:?}");
    }
    while engine.tick(Time::MAX_UTC).await.unwrap().ran > 0 {}
    assert_eq!(engine.incident(live).state().await.unwrap().ended, None, "the real one goes on");
}

fn clock_now(engine: &Engine) -> Time {
    engine.new_incident_id().made_at()
}

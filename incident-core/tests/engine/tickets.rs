//! People work on an action item in its ticket; the engine reads it there.

use std::sync::Arc;
use std::time::Duration;

use incident_core::config::Ports;
use incident_core::domain::command::{AddAction, Command, Request};
use incident_core::domain::incident::Side;
use incident_core::domain::runbook::Priority;
use incident_core::domain::{CommandId, PersonId, Time};
use incident_core::local::Folder;
use incident_core::runtime::Engine;
use incident_core::store::MemoryStore;

use crate::world::{EVERYBODY, Shared, chat, human, runbook};
use crate::{clock, declare};

#[tokio::test]
async fn an_action_item_closed_in_its_ticket_is_done() {
    let (clock, folder) = (clock(), tempfile::tempdir().unwrap());
    let engine = Engine::builder(MemoryStore::new())
        .clock(Arc::clone(&clock) as _)
        .runbook(runbook())
        .ports("chat", chat(&Shared::default()))
        .ports("board", Ports::new().with_tracker(Folder::new(folder.path())))
        .route("chat", &EVERYBODY)
        .tracker("board")
        .build()
        .unwrap();
    let id = declare(&engine, Side::Live).await;
    let owner = Some(PersonId::new("bob"));
    let add = AddAction {
        what: "limit the pool".to_owned(),
        kind: None,
        priority: Priority::High,
        owner,
        due: None,
    };
    let request = Request::new(CommandId::named("add"), human("alice"), Command::AddAction(add));
    engine.send(id, request).await.unwrap();
    while engine.tick(Time::MAX_UTC).await.unwrap().ran > 0 {}
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

//! A declaration under a name happens once, whatever fails on the way.

use std::sync::Arc;

use incident_core::model::severity::Severity;
use incident_core::model::side::Side;
use incident_core::model::time::Time;
use incident_core::port::Store;
use incident_core::port::store::Query;
use incident_core::rules::command::Declare;
use incident_core::runtime::Engine;
use incident_core::store::MemoryStore;

use crate::clock;
use crate::failing::{Failing, Fails};
use crate::world::{Shared, engine, human};

const NAME: &str = "slash-command-42";

fn sev1() -> Declare {
    Declare::new("checkout is down").severity(Severity::Sev1)
}

async fn incidents(store: &MemoryStore) -> usize {
    store.list(&Query::all()).await.unwrap().rows.len()
}

/// The store fails at each call in turn, with and without its effect: a caller who repeats gets one incident and one page.
#[tokio::test]
async fn a_declaration_repeated_under_its_name_is_one_incident_and_one_page() {
    for fails in [Fails::Before, Fails::After] {
        for at in 1.. {
            let (store, clock, world) = (MemoryStore::new(), clock(), Shared::default());
            let failing = Arc::new(Failing::new(store.clone(), at, fails));
            let engine = engine(Arc::clone(&failing) as _, &clock, &world, 1);
            let mut handle = None;
            for _ in 0..3 {
                if let Ok(declared) = engine.declare_once(NAME, human("alice"), sev1()).await {
                    handle = Some(declared);
                }
            }
            let handle = handle.unwrap();
            assert_eq!(incidents(&store).await, 1, "{fails:?} at call {at}");
            if !failing.reached() {
                assert!(at > 3, "the sweep covers the calls of a declaration");
                break;
            }
            engine.tick(Time::MAX_UTC).await.unwrap();
            let pages = world.lock().unwrap().notices.iter().filter(|(_, kind, _)| kind.is_page()).count();
            assert!(pages <= 1, "{pages} pages after {fails:?} at call {at}");
            assert_eq!(handle.state().await.unwrap().title_words(), "checkout is down");
        }
    }
}

/// Two engines are asked at once, as when a chat sends its command to two replicas.
#[tokio::test]
async fn two_engines_declare_one_incident() {
    let (store, clock, world) = (MemoryStore::new(), clock(), Shared::default());
    let [a, b] = [1, 2].map(|seed| engine(Arc::new(store.clone()), &clock, &world, seed));
    let declare = |engine: Engine| async move { engine.declare_once(NAME, human("alice"), sev1()).await };
    let (a, b) = tokio::join!(declare(a), declare(b));
    assert_eq!(a.unwrap().id(), b.unwrap().id());
    assert_eq!(incidents(&store).await, 1);
}

#[tokio::test]
async fn the_name_is_kept_after_the_end_and_each_side_has_its_own() {
    let (store, clock, world) = (MemoryStore::new(), clock(), Shared::default());
    let engine = engine(Arc::new(store.clone()), &clock, &world, 1);
    let first = engine.declare_once(NAME, human("alice"), sev1()).await.unwrap();
    first.cancel("a false alarm").await.unwrap();
    assert!(first.state().await.unwrap().ended.is_some());
    let again = engine.declare_once(NAME, human("alice"), sev1()).await.unwrap();
    assert_eq!(again.id(), first.id());
    let drill = engine.declare_once(NAME, human("alice"), sev1().drill()).await.unwrap();
    assert_ne!(drill.id(), first.id());
    assert_eq!(drill.state().await.unwrap().side, Side::Drill);
    assert_eq!(incidents(&store).await, 2);
}

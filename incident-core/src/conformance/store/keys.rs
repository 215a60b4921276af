//! Names that at most one incident holds.

use super::StoreHarness;
use super::kit::{
    Adapt as _, NOW, Outcome, commit, ensure, held, holder, incident, ms, refresh, refused, same, snapshot,
    until,
};
use crate::log::index::Key;
use crate::model::id::Seq;
use crate::port::store::{CommitError, Held};

pub(super) async fn a_taken_key_is_refused_and_its_holder_named(harness: &dyn StoreHarness) -> Outcome {
    let store = harness.open().await;
    store.commit(incident(1), Seq::ZERO, &commit(0).keyed(&[held("taken")])).await?;
    store.commit(incident(2), Seq::ZERO, &commit(0).keyed(&[held("own")])).await?;
    let before = snapshot(&*store, &["free", "taken", "own"]).await?;

    let wanting = commit(1).keyed(&[held("free"), held("taken")]).waking(1).redacting(1, 0);
    match store.commit(incident(2), Seq(1), &wanting).await {
        Err(CommitError::KeyTaken { key, holder }) => {
            same("the key that is named", &key.as_str(), &"taken")?;
            same("the holder that is named", &holder, &incident(1))?;
        }
        other => ensure!(false, "naming a taken key gave {other:?}"),
    }
    let creating = commit(0).keyed(&[held("free"), held("taken")]);
    let result = store.commit(incident(3), Seq::ZERO, &creating).await;
    refused!(result, CommitError::KeyTaken { .. }, "creating an incident that names a taken key");
    let result = store.commit(incident(2), Seq(1), &refresh(1).keyed(&[held("taken")])).await;
    refused!(result, CommitError::KeyTaken { .. }, "refreshing a row that names a taken key");
    let after = snapshot(&*store, &["free", "taken", "own"]).await?;
    same("the store after refused commits", &after, &before)
}

pub(super) async fn a_key_is_held_until_its_time(harness: &dyn StoreHarness) -> Outcome {
    let store = harness.open().await;
    store.commit(incident(1), Seq::ZERO, &commit(0).keyed(&[until("key", NOW + 10)])).await?;
    for (now, expected) in [(NOW, Some(incident(1))), (NOW + 9, Some(incident(1))), (NOW + 10, None)] {
        same(&format!("the holder at {now}"), &holder(&*store, "key", now).await?, &expected)?;
    }
    let early = commit(0).keyed(&[held("key")]).at_time(NOW + 9);
    let result = store.commit(incident(2), Seq::ZERO, &early).await;
    refused!(result, CommitError::KeyTaken { .. }, "taking a key 1 ms before its end");
    let late = commit(0).keyed(&[held("key")]).at_time(NOW + 10);
    store.commit(incident(2), Seq::ZERO, &late).await?;
    same("the holder afterwards", &holder(&*store, "key", NOW + 10).await?, &Some(incident(2)))
}

pub(super) async fn a_key_not_named_is_free(harness: &dyn StoreHarness) -> Outcome {
    let store = harness.open().await;
    store.commit(incident(1), Seq::ZERO, &commit(0).keyed(&[held("a"), held("b"), held("c")])).await?;
    store.commit(incident(1), Seq(1), &commit(1).keyed(&[held("b"), held("c")])).await?;
    store.commit(incident(2), Seq::ZERO, &commit(0).keyed(&[held("a")])).await?;
    store.commit(incident(1), Seq(2), &refresh(2).keyed(&[held("c")])).await?;
    store.commit(incident(2), Seq(1), &commit(1).keyed(&[held("a"), held("b")])).await?;
    for (key, holds) in [("a", 2), ("b", 2), ("c", 1)] {
        same(&format!("the holder of {key}"), &holder(&*store, key, NOW).await?, &Some(incident(holds)))?;
    }
    Ok(())
}

pub(super) async fn an_incident_keeps_its_own_key(harness: &dyn StoreHarness) -> Outcome {
    let store = harness.open().await;
    let ends: [fn() -> Key; 4] =
        [|| held("key"), || held("key"), || until("key", NOW + 10), || until("key", NOW + 20)];
    for (at, key) in (0..).zip(ends) {
        store.commit(incident(1), Seq(at), &commit(at).keyed(&[key()])).await?;
        same("the holder", &holder(&*store, "key", NOW).await?, &Some(incident(1)))?;
    }
    same("the holder before the new end", &holder(&*store, "key", NOW + 19).await?, &Some(incident(1)))?;
    same("the holder at the new end", &holder(&*store, "key", NOW + 20).await?, &None)?;
    // What ran out is taken again, for good.
    store.commit(incident(1), Seq(4), &commit(4).keyed(&[held("key")]).at_time(NOW + 30)).await?;
    same("the holder at last", &holder(&*store, "key", NOW + 30).await?, &Some(incident(1)))
}

pub(super) async fn a_key_that_was_over_changes_hands(harness: &dyn StoreHarness) -> Outcome {
    let store = harness.open().await;
    store.commit(incident(1), Seq::ZERO, &commit(0).keyed(&[until("key", NOW + 10)])).await?;
    store.commit(incident(2), Seq::ZERO, &commit(0).keyed(&[held("key")]).at_time(NOW + 20)).await?;

    let back = commit(1).keyed(&[held("key")]).at_time(NOW + 30);
    match store.commit(incident(1), Seq(1), &back).await {
        Err(CommitError::KeyTaken { holder, .. }) => same("the holder named", &holder, &incident(2))?,
        other => ensure!(false, "taking back a key that went to another gave {other:?}"),
    }
    // The former holder's row doesn't name it any more: that frees nothing of the new holder's.
    store.commit(incident(1), Seq(1), &commit(1).at_time(NOW + 30)).await?;
    same("the holder", &holder(&*store, "key", NOW + 30).await?, &Some(incident(2)))
}

pub(super) async fn a_key_that_is_over_is_not_taken(harness: &dyn StoreHarness) -> Outcome {
    let store = harness.open().await;
    let ending = until("key", NOW + 10);
    store.commit(incident(1), Seq::ZERO, &commit(0).keyed(std::slice::from_ref(&ending))).await?;
    store.commit(incident(2), Seq::ZERO, &commit(0).keyed(&[held("key")]).at_time(NOW + 10)).await?;
    // The row of the first may go on naming it, but neither is refused nor takes it back.
    let naming = commit(1).keyed(std::slice::from_ref(&ending)).at_time(NOW + 20);
    store.commit(incident(1), Seq(1), &naming).await?;
    same("the holder", &holder(&*store, "key", NOW + 20).await?, &Some(incident(2)))?;

    store.commit(incident(2), Seq(1), &commit(1).keyed(&[until("key", NOW + 25)])).await?;
    store.commit(incident(1), Seq(2), &commit(2).keyed(&[ending]).at_time(NOW + 30)).await?;
    let last = store.holder("key").await?.map(|held| held.by);
    same("the last holder, when both are over", &last, &Some(incident(2)))
}

pub(super) async fn a_key_remembers_its_last_holder(harness: &dyn StoreHarness) -> Outcome {
    let store = harness.open().await;
    let ending = until("key", NOW + 10);
    let end = Held { by: incident(1), until: Some(ms(NOW + 10)) };
    store.commit(incident(1), Seq::ZERO, &commit(0).keyed(&[held("key")])).await?;
    let running = Held { by: incident(1), until: None };
    same("while it is held", &store.holder("key").await?, &Some(running))?;
    store.commit(incident(1), Seq(1), &commit(1).keyed(std::slice::from_ref(&ending))).await?;
    same("with an end", &store.holder("key").await?, &Some(end))?;
    store.commit(incident(1), Seq(2), &commit(2).keyed(&[ending]).at_time(NOW + 20)).await?;
    same("after the end, while the row names it", &store.holder("key").await?, &Some(end))?;
    store.commit(incident(1), Seq(3), &commit(3).at_time(NOW + 20)).await?;
    same("when no row names it", &store.holder("key").await?, &None)
}

pub(super) async fn names_are_bytes(harness: &dyn StoreHarness) -> Outcome {
    let store = harness.open().await;
    let long = "x".repeat(500);
    let longer = "x".repeat(501);
    let names =
        ["key", "Key", "key ", " key", "k%", "k_", "k'; --", "ä", "a\u{308}", "ſ", "🔥", &long, &longer];
    for (n, name) in (1..).zip(names) {
        same(&format!("the holder of {name:?} before"), &holder(&*store, name, NOW).await?, &None)?;
        store.commit(incident(n), Seq::ZERO, &commit(0).keyed(&[held(name)])).await?;
    }
    for (n, name) in (1..).zip(names) {
        same(&format!("the holder of {name:?}"), &holder(&*store, name, NOW).await?, &Some(incident(n)))?;
    }
    Ok(())
}

pub(super) async fn a_row_may_hold_many_keys(harness: &dyn StoreHarness) -> Outcome {
    let store = harness.open().await;
    let keys: Vec<_> = (0..200).map(|n| held(&format!("key/{n}"))).collect();
    store.commit(incident(1), Seq::ZERO, &commit(0).keyed(&keys)).await?;
    for key in &keys {
        same("the holder", &holder(&*store, &key.name, NOW).await?, &Some(incident(1)))?;
    }
    let result = store.commit(incident(2), Seq::ZERO, &commit(0).keyed(&keys[199..])).await;
    refused!(result, CommitError::KeyTaken { .. }, "the last of many keys");
    store.commit(incident(1), Seq(1), &commit(1)).await?;
    store.commit(incident(2), Seq::ZERO, &commit(0).keyed(&keys)).await?;
    Ok(())
}

pub(super) async fn a_key_is_named_once(harness: &dyn StoreHarness) -> Outcome {
    let store = harness.open().await;
    let twice = commit(0).keyed(&[held("key"), held("other"), until("key", NOW + 10)]);
    let result = store.commit(incident(1), Seq::ZERO, &twice).await;
    refused!(result, CommitError::Invalid(_), "a row that names a key twice");
    same("the holder", &holder(&*store, "key", NOW).await?, &None)
}

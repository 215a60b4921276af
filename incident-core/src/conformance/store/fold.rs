//! Rows of older and newer binaries.

use super::StoreHarness;
use super::kit::{
    Adapt as _, NOW, Outcome, claim, commit, ensure, held, incident, refresh, refused, same, snapshot,
};
use crate::model::effect::Urgency;
use crate::model::id::Seq;
use crate::port::store::CommitError;

pub(super) async fn rows_of_an_older_fold_are_offered(harness: &dyn StoreHarness) -> Outcome {
    let store = harness.open().await;
    let old = commit(0).by(1);
    store.commit(incident(1), Seq::ZERO, &old).await?;
    store.commit(incident(2), Seq::ZERO, &old.clone().waking(NOW + 5_000)).await?;
    store.commit(incident(3), Seq::ZERO, &old.clone().waking(NOW - 1)).await?;
    store.commit(incident(4), Seq::ZERO, &commit(0).by(2).waking(NOW)).await?;
    store.commit(incident(5), Seq::ZERO, &commit(0).by(2)).await?;
    store.commit(incident(6), Seq::ZERO, &old.by(0).urgent(Urgency::PAGE)).await?;

    let claimed = store.claim(&claim("worker", NOW).computed_by(2)).await?;
    let expected: Vec<_> = [6, 3, 4, 2, 1].map(incident).to_vec();
    same("what a newer binary claims", &claimed, &expected)?;
    let claimed = store.claim(&claim("other", NOW).computed_by(2)).await?;
    same("what another claims during the lease", &claimed, &vec![])?;

    store.commit(incident(1), Seq(1), &refresh(1).by(2)).await?;
    store.commit(incident(6), Seq(1), &commit(1).by(2)).await?;
    let claimed = store.claim(&claim("worker", NOW).computed_by(2)).await?;
    same("what is left after refreshing two", &claimed, &[3, 4, 2].map(incident).to_vec())
}

pub(super) async fn rows_of_a_newer_fold_are_not_offered(harness: &dyn StoreHarness) -> Outcome {
    let store = harness.open().await;
    store.commit(incident(1), Seq::ZERO, &commit(0).by(3).urgent(Urgency::PAGE).waking(1)).await?;
    store.commit(incident(2), Seq::ZERO, &commit(0).by(2).waking(2)).await?;
    let claimed = store.claim(&claim("old", NOW).computed_by(2)).await?;
    same("what an older binary claims", &claimed, &vec![incident(2)])?;
    let claimed = store.claim(&claim("new", NOW).computed_by(3)).await?;
    same("what the newer binary claims", &claimed, &vec![incident(1)])
}

pub(super) async fn a_newer_fold_is_never_overwritten(harness: &dyn StoreHarness) -> Outcome {
    let store = harness.open().await;
    store.commit(incident(1), Seq::ZERO, &commit(0).by(7).keyed(&[held("key")]).waking(1)).await?;
    let before = snapshot(&*store, &["key"]).await?;
    for older in [0, 1, 6] {
        match store.commit(incident(1), Seq(1), &commit(1).by(older).redacting(1, 0)).await {
            Err(CommitError::NewerFold { by }) => same("the fold that is named", &by, &7)?,
            other => ensure!(false, "a commit by fold {older} to a row by fold 7 gave {other:?}"),
        }
        let result = store.commit(incident(1), Seq(1), &refresh(1).by(older)).await;
        refused!(result, CommitError::NewerFold { .. }, "refreshing by fold {older} a row by fold 7");
    }
    same("the store after refused commits", &snapshot(&*store, &["key"]).await?, &before)?;
    store.commit(incident(1), Seq(1), &commit(1).by(7)).await?;
    store.commit(incident(1), Seq(2), &refresh(2).by(u32::MAX)).await?;
    let result = store.commit(incident(1), Seq(2), &commit(2).by(u32::MAX - 1)).await;
    refused!(result, CommitError::NewerFold { by: u32::MAX }, "a commit by the fold before the greatest");
    Ok(())
}

//! Leases on what wants to be looked at.

use super::StoreHarness;
use super::kit::{Adapt as _, NOW, Outcome, claim, commit, incident, ms, same};
use crate::model::effect::Urgency;
use crate::model::id::Seq;

pub(super) async fn only_what_is_due_is_offered(harness: &dyn StoreHarness) -> Outcome {
    let store = harness.open().await;
    store.commit(incident(1), Seq::ZERO, &commit(0).waking(NOW)).await?;
    store.commit(incident(2), Seq::ZERO, &commit(0).waking(NOW + 2_000)).await?;
    store.commit(incident(3), Seq::ZERO, &commit(0)).await?;
    for (now, expected) in [
        (NOW - 1, vec![]),
        (NOW, vec![incident(1)]),
        (NOW + 1_999, vec![incident(1)]),
        (NOW + 2_000, vec![incident(1), incident(2)]),
    ] {
        let claimed = store.claim(&claim("worker", now)).await?;
        same(&format!("what is claimed at {now}"), &claimed, &expected)?;
    }
    store.commit(incident(1), Seq(1), &commit(1)).await?;
    store.commit(incident(2), Seq(1), &commit(1).waking(NOW + 9_000)).await?;
    let claimed = store.claim(&claim("worker", NOW + 8_999)).await?;
    same("what is claimed after it was settled or moved", &claimed, &vec![])
}

pub(super) async fn the_urgent_go_first(harness: &dyn StoreHarness) -> Outcome {
    let store = harness.open().await;
    // Neither the order of ids nor that of creation is the order of the work.
    for (n, urgency, wake) in [
        (1, Urgency::BACKGROUND, 10),
        (2, Urgency::ROUTINE, 30),
        (6, Urgency(255), 90),
        (5, Urgency::PAGE, 80),
        (4, Urgency::PAGE, 70),
        (3, Urgency::ROUTINE, 20),
        (7, Urgency::PAGE, NOW + 1),
    ] {
        store.commit(incident(n), Seq::ZERO, &commit(0).urgent(urgency).waking(wake)).await?;
    }
    let order: Vec<_> = [6, 4, 5, 3, 2, 1].map(incident).to_vec();
    for limit in [0, 1, 3, 6, u32::MAX] {
        let mut wish = claim("worker", NOW);
        wish.limit = limit;
        let expected = order.iter().copied().take(limit as usize).collect();
        same(&format!("a claim of {limit}"), &store.claim(&wish).await?, &expected)?;
    }
    Ok(())
}

pub(super) async fn a_lease_keeps_others_out_until_it_ends(harness: &dyn StoreHarness) -> Outcome {
    let (store, other) = (harness.open().await, harness.open().await);
    for (n, wake) in [(1, 10), (2, 20), (3, 30)] {
        store.commit(incident(n), Seq::ZERO, &commit(0).waking(wake)).await?;
    }
    let mut first = claim("first", NOW);
    (first.limit, first.until) = (2, ms(NOW + 50));
    let taken = vec![incident(1), incident(2)];
    same("the first worker's claim", &store.claim(&first).await?, &taken)?;
    let rest = other.claim(&claim("second", NOW + 49)).await?;
    same("another's claim during the lease", &rest, &vec![incident(3)])?;
    let rest = other.claim(&claim("third", NOW + 50)).await?;
    same("another's claim at the lease's end", &rest, &taken)?;
    let lost = store.claim(&claim("first", NOW + 50)).await?;
    same("the first worker's claim after another took over", &lost, &vec![])
}

pub(super) async fn a_worker_gets_its_own_again(harness: &dyn StoreHarness) -> Outcome {
    let store = harness.open().await;
    store.commit(incident(1), Seq::ZERO, &commit(0).waking(NOW)).await?;
    for now in [NOW, NOW, NOW + 10] {
        let claimed = store.claim(&claim("worker", now)).await?;
        same(&format!("the same worker's claim at {now}"), &claimed, &vec![incident(1)])?;
    }
    // Claiming again set the lease's end anew: 1000 ms after the last claim.
    let claimed = store.claim(&claim("other", NOW + 1_009)).await?;
    same("another's claim before the renewed lease ends", &claimed, &vec![])?;
    let claimed = store.claim(&claim("other", NOW + 1_010)).await?;
    same("another's claim when the renewed lease ends", &claimed, &vec![incident(1)])
}

pub(super) async fn what_is_excepted_is_let_go(harness: &dyn StoreHarness) -> Outcome {
    let (store, other) = (harness.open().await, harness.open().await);
    for (n, wake) in [(1, 10), (2, 20), (3, 30), (4, 40)] {
        store.commit(incident(n), Seq::ZERO, &commit(0).waking(wake)).await?;
    }
    let mut two = claim("worker", NOW);
    two.limit = 2;
    same("the first claim", &store.claim(&two).await?, &[1, 2].map(incident).to_vec())?;
    same("another's claim", &other.claim(&claim("other", NOW)).await?, &[3, 4].map(incident).to_vec())?;

    // An excepted one takes no place in the limit, and one that doesn't exist is none.
    let without = two.clone().except([1, 3, 9].map(incident).to_vec());
    same("a claim without the first", &store.claim(&without).await?, &vec![incident(2)])?;
    let freed = claim("third", NOW + 1);
    same("what others find then", &other.claim(&freed).await?, &vec![incident(1)])?;

    let nothing = two.except([1, 2, 3, 4].map(incident).to_vec());
    same("a claim without any", &store.claim(&nothing).await?, &vec![])?;
    let rest = other.claim(&claim("fourth", NOW + 1)).await?;
    same("what others find when nothing else was claimed", &rest, &vec![incident(2)])
}

pub(super) async fn a_lease_guards_nothing(harness: &dyn StoreHarness) -> Outcome {
    let (store, other) = (harness.open().await, harness.open().await);
    store.commit(incident(1), Seq::ZERO, &commit(0).waking(NOW)).await?;
    store.claim(&claim("worker", NOW)).await?;
    // Somebody without a lease commits: only the version counts.
    other.commit(incident(1), Seq(1), &commit(1).waking(NOW)).await?;
    let claimed = other.claim(&claim("other", NOW + 999)).await?;
    same("another's claim during the lease, after a commit", &claimed, &vec![])?;
    let claimed = store.claim(&claim("worker", NOW + 999)).await?;
    same("the worker's claim after another's commit", &claimed, &vec![incident(1)])
}

pub(super) async fn the_next_wake_is_the_earliest(harness: &dyn StoreHarness) -> Outcome {
    let store = harness.open().await;
    same("of an empty store", &store.next_wake().await?, &None)?;
    store.commit(incident(1), Seq::ZERO, &commit(0)).await?;
    same("when nothing is owed", &store.next_wake().await?, &None)?;
    for (n, urgency, wake, expected) in [
        (2, Urgency::ROUTINE, 500, 500),
        (3, Urgency::PAGE, 700, 500),
        (4, Urgency::BACKGROUND, 300, 300),
        (5, Urgency::PAGE, 100, 100),
    ] {
        store.commit(incident(n), Seq::ZERO, &commit(0).urgent(urgency).waking(wake)).await?;
        same("the next wake", &store.next_wake().await?, &Some(ms(expected)))?;
    }
    store.claim(&claim("worker", NOW)).await?;
    same("while all are leased", &store.next_wake().await?, &Some(ms(100)))?;
    store.commit(incident(5), Seq(1), &commit(1)).await?;
    store.commit(incident(4), Seq(1), &commit(1).waking(NOW * 2)).await?;
    same("after the earliest were done", &store.next_wake().await?, &Some(ms(500)))
}

//! The ends of time, its grain, and hints.

use std::task::{Context, Poll, Waker};
use std::time::Duration;

use super::StoreHarness;
use super::kit::{Adapt as _, NOW, Outcome, commit, holder_at, incident, ms, refresh, refused, same};
use crate::log::index::Key;
use crate::model::id::Seq;
use crate::model::time::{Time, to_millis};
use crate::port::store::{Claim, CommitError, Query};

pub(super) async fn extreme_times_are_times(harness: &dyn StoreHarness) -> Outcome {
    let store = harness.open().await;
    let (first, last) = (to_millis(Time::MIN_UTC), to_millis(Time::MAX_UTC));
    let before_last = last - Duration::from_millis(1);
    let times = [last, ms(0), first, ms(-1), before_last];
    for (n, wake) in (1..).zip(times) {
        let mut row = commit(0);
        row.index.next_wake = Some(wake);
        row.index.keys = vec![Key::until(format!("key/{n}"), wake)];
        row.now = first;
        store.commit(incident(n), Seq::ZERO, &row).await?;
    }
    let rows = store.list(&Query::unsettled()).await?.rows;
    let listed: Vec<_> = rows.iter().filter_map(|row| row.next_wake).collect();
    same("the wakes as listed", &listed, &times.to_vec())?;
    same("the next wake", &store.next_wake().await?, &Some(first))?;

    for (now, due) in [
        (first, &[3][..]),
        (ms(-1), &[3, 4]),
        (before_last, &[3, 4, 2, 5]),
        (Time::MAX_UTC, &[3, 4, 2, 5, 1]),
    ] {
        let claimed = store.claim(&Claim::new("worker", now, Time::MAX_UTC, 10)).await?;
        same(&format!("what is due at {now}"), &claimed, &due.iter().copied().map(incident).collect())?;
    }
    // The lease to the end of time keeps others out until then.
    let others = store.claim(&Claim::new("other", before_last, last, 10)).await?;
    same("what another claims before the last time", &others, &vec![])?;

    same("a key until the last time", &holder_at(&*store, "key/1", before_last).await?, &Some(incident(1)))?;
    same("a key at the last time", &holder_at(&*store, "key/1", last).await?, &None)?;
    same("a key until the first time", &holder_at(&*store, "key/3", Time::MIN_UTC).await?, &None)?;
    same("a key before the epoch", &holder_at(&*store, "key/4", ms(-2)).await?, &Some(incident(4)))?;
    let mut taking = commit(0);
    taking.index.keys = vec![Key::held("key/1".to_owned())];
    taking.now = before_last;
    let result = store.commit(incident(9), Seq::ZERO, &taking).await;
    refused!(result, CommitError::KeyTaken { .. }, "taking a key before the last time");
    taking.now = Time::MAX_UTC;
    store.commit(incident(9), Seq::ZERO, &taking).await?;
    Ok(())
}

pub(super) async fn times_are_kept_to_the_millisecond(harness: &dyn StoreHarness) -> Outcome {
    let store = harness.open().await;
    let nanos = Duration::from_nanos;
    let mut row = commit(0);
    row.index.next_wake = Some(ms(NOW) + nanos(999_999));
    row.index.keys = vec![Key::until("key".to_owned(), ms(NOW + 1) + nanos(900_000))];
    store.commit(incident(1), Seq::ZERO, &row).await?;
    same("the next wake", &store.next_wake().await?, &Some(ms(NOW)))?;
    same("the listed wake", &store.list(&Query::all()).await?.rows[0].next_wake, &Some(ms(NOW)))?;
    let early = Claim::new("worker", ms(NOW) - nanos(1), ms(NOW), 10);
    same("a claim in the millisecond before", &store.claim(&early).await?, &vec![])?;
    let due = Claim::new("worker", ms(NOW) + nanos(1), ms(NOW + 5) + nanos(999_999), 10);
    same("a claim in the same millisecond", &store.claim(&due).await?, &vec![incident(1)])?;
    let over = Claim::new("other", ms(NOW + 5), ms(NOW + 9), 10);
    same("a claim in the millisecond of the lease's end", &store.claim(&over).await?, &vec![incident(1)])?;
    same("the holder in the key's last millisecond", &holder_at(&*store, "key", ms(NOW + 1)).await?, &None)?;
    let held = holder_at(&*store, "key", ms(NOW + 1) - nanos(1)).await?;
    same("the holder just before", &held, &Some(incident(1)))?;
    let mut taking = commit(0);
    taking.index.keys = vec![Key::held("key".to_owned())];
    taking.now = ms(NOW + 1) - nanos(1);
    let result = store.commit(incident(3), Seq::ZERO, &taking).await;
    refused!(result, CommitError::KeyTaken { .. }, "taking a key before its last millisecond");
    taking.now = ms(NOW + 1);
    store.commit(incident(3), Seq::ZERO, &taking).await?;
    // Before the epoch, too, a time belongs to the millisecond it began in.
    row.index.next_wake = Some(ms(-1) + nanos(500));
    store.commit(incident(2), Seq::ZERO, &refreshed(&row)).await?;
    same("the next wake before the epoch", &store.next_wake().await?, &Some(ms(-1)))
}

/// The commit for an incident of its own, without its keys.
fn refreshed(row: &crate::port::store::Commit) -> crate::port::store::Commit {
    let mut other = row.clone();
    other.index.keys.clear();
    other
}

pub(super) async fn hints_are_harmless(harness: &dyn StoreHarness) -> Outcome {
    let (store, other) = (harness.open().await, harness.open().await);
    let deaf = store.hints();
    let mut listening = other.hints();
    drop(store.hints());
    store.commit(incident(1), Seq::ZERO, &commit(0)).await?;
    for n in 0..600 {
        store.commit(incident(1), Seq(1), &refresh(1).waking(n)).await?;
        // Whatever a hint says, also that there are no more, the data speaks.
        if let Poll::Ready(None) = listening.as_mut().poll_next(&mut Context::from_waker(Waker::noop())) {
            listening = other.hints();
        }
    }
    let result = other.commit(incident(1), Seq::ZERO, &commit(0)).await;
    refused!(result, CommitError::Conflict, "creating the incident again");
    drop((deaf, listening));
    same("the next wake", &store.next_wake().await?, &Some(ms(599)))
}

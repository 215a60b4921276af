//! Several workers at once.

use std::sync::Arc;
use std::task::{Context, Waker};

use tokio::task::JoinSet;

use super::StoreHarness;
use super::kit::{
    Adapt as _, How, NOW, Outcome, claim, commit, commit_of, ensure, held, holder, incident, ms, record, same,
};
use crate::model::id::{IncidentId, Seq};
use crate::port::store::{Commit, CommitError, Store};

const RIVALS: u64 = 24;

/// What came of each rival's commit.
type Results = Vec<(u64, Result<(), CommitError>)>;

/// Commits of all rivals at once, every other one through a second handle.
async fn race(
    harness: &dyn StoreHarness,
    at: Seq,
    commits: Vec<(IncidentId, Commit)>,
) -> Result<Results, How> {
    let handles = [harness.open().await, harness.open().await];
    let start = Arc::new(tokio::sync::Barrier::new(commits.len()));
    let mut racing = JoinSet::new();
    for (n, (id, commit)) in (0_u64..).zip(commits) {
        let store = Arc::clone(&handles[usize::from(n % 2 == 1)]);
        let start = Arc::clone(&start);
        racing.spawn(async move {
            start.wait().await;
            (n, store.commit(id, at, &commit).await)
        });
    }
    Ok(racing.join_all().await)
}

/// The one that won; everybody else must have lost as `lost` says.
fn only_winner(results: Results, lost: impl Fn(&CommitError) -> bool) -> Result<u64, How> {
    let mut winners = Vec::new();
    for (n, result) in results {
        match result {
            Ok(()) => winners.push(n),
            Err(error) => ensure!(lost(&error), "a rival that lost was told {error:?}"),
        }
    }
    ensure!(winners.len() == 1, "{} of {RIVALS} rivals won", winners.len());
    Ok(winners[0])
}

async fn one_wins(harness: &dyn StoreHarness, at: u64) -> Outcome {
    let store = harness.open().await;
    for before in 0..at {
        store.commit(incident(1), Seq(before), &commit(before)).await?;
    }
    let commit = |n| commit_of(at, vec![record(&format!("rival {n}"), at + 1)]);
    let commits = (0..RIVALS).map(|n| (incident(1), commit(n))).collect();
    let results = race(harness, Seq(at), commits).await?;
    let winner = only_winner(results, |error| matches!(error, CommitError::Conflict))?;
    let log = store.load(incident(1), Seq(at)).await?;
    same("the log", &log, &vec![record(&format!("rival {winner}"), at + 1)])
}

pub(super) async fn one_wins_at_a_version(harness: &dyn StoreHarness) -> Outcome {
    one_wins(harness, 2).await
}

pub(super) async fn one_creates(harness: &dyn StoreHarness) -> Outcome {
    one_wins(harness, 0).await
}

pub(super) async fn one_holds_a_raced_key(harness: &dyn StoreHarness) -> Outcome {
    let store = harness.open().await;
    let commits = (0..RIVALS).map(|n| (incident(n), commit(0).keyed(&[held("key")]))).collect();
    let results = race(harness, Seq::ZERO, commits).await?;
    let named: Vec<_> = results
        .iter()
        .filter_map(|(_, result)| match result {
            Err(CommitError::KeyTaken { holder, .. }) => Some(*holder),
            _ => None,
        })
        .collect();
    let winner = only_winner(results, |error| matches!(error, CommitError::KeyTaken { .. }))?;
    let wrong = named.into_iter().find(|holder| *holder != incident(winner));
    ensure!(wrong.is_none(), "incident {winner} won, but {wrong:?} was named as the holder");
    same("the holder", &holder(&*store, "key", NOW).await?, &Some(incident(winner)))?;
    let created = store.list(&crate::port::store::Query::all()).await?.rows.len();
    ensure!(created == 1, "{created} incidents exist although one got the key");
    Ok(())
}

/// Loads and commits again until the commit is in.
async fn insist(store: &dyn Store, line: &str) -> Outcome {
    loop {
        let at = store.load(incident(1), Seq::ZERO).await?.last().map_or(0, |last| last.seq.0);
        match store.commit(incident(1), Seq(at), &commit_of(at, vec![record(line, at + 1)])).await {
            Err(CommitError::Conflict) => {}
            result => return Ok(result?),
        }
    }
}

pub(super) async fn rivals_lose_nothing(harness: &dyn StoreHarness) -> Outcome {
    let handles = [harness.open().await, harness.open().await];
    let mut racing = JoinSet::new();
    for rival in 0..6 {
        let store = Arc::clone(&handles[rival % 2]);
        racing.spawn(async move {
            for n in 0..5 {
                insist(&*store, &format!("{n} of {rival}")).await?;
            }
            Outcome::Ok(())
        });
    }
    for outcome in racing.join_all().await {
        outcome?;
    }
    let log = handles[0].load(incident(1), Seq::ZERO).await?;
    let seqs: Vec<_> = log.iter().map(|record| record.seq.0).collect();
    same("the sequences", &seqs, &(1..=30).collect())?;
    for (rival, n) in (0..6).flat_map(|rival| (0..5).map(move |n| (rival, n))) {
        let line = format!("{n} of {rival}");
        let times = log.iter().filter(|found| **found == record(&line, found.seq.0)).count();
        ensure!(times == 1, "the commit {line:?} stands {times} times");
    }
    Ok(())
}

pub(super) async fn a_commit_is_seen_whole(harness: &dyn StoreHarness) -> Outcome {
    let (store, reader) = (harness.open().await, harness.open().await);
    let writing = tokio::spawn(async move {
        for at in (0..60).step_by(3) {
            let three = (at + 1..=at + 3).map(|seq| record("three", seq)).collect();
            store.commit(incident(1), Seq(at), &commit_of(at, three)).await?;
        }
        Outcome::Ok(())
    });
    loop {
        let done = writing.is_finished();
        let seen = reader.load(incident(1), Seq::ZERO).await?;
        ensure!(seen.len() % 3 == 0, "{} records of commits of three were seen", seen.len());
        ensure!(!done || seen.len() == 60, "{} of 60 acknowledged records were seen", seen.len());
        if done {
            return writing.await.map_err(|error| How(error.to_string()))?;
        }
        tokio::task::yield_now().await;
    }
}

pub(super) async fn a_dropped_commit_is_whole_or_nothing(harness: &dyn StoreHarness) -> Outcome {
    let store = harness.open().await;
    for at in 0..8 {
        let next = commit_of(at * 2, vec![record("pair", at * 2 + 1), record("pair", at * 2 + 2)]);
        {
            let mut call = store.commit(incident(1), Seq(at * 2), &next);
            let _ = call.as_mut().poll(&mut Context::from_waker(Waker::noop()));
        }
        // The same commit again gets in or finds that it is in; both are fine, twice or half isn't.
        match store.commit(incident(1), Seq(at * 2), &next).await {
            Err(CommitError::Conflict) => {}
            result => result?,
        }
        let tail = store.load(incident(1), Seq(at * 2)).await?;
        same("the records of a commit that was dropped and repeated", &tail, &next.records)?;
    }
    Ok(())
}

pub(super) async fn claims_do_not_overlap(harness: &dyn StoreHarness) -> Outcome {
    const INCIDENTS: u64 = 40;
    let handles = [harness.open().await, harness.open().await];
    for n in 0..INCIDENTS {
        handles[0].commit(incident(n), Seq::ZERO, &commit(0).waking(NOW)).await?;
    }
    let mut racing = JoinSet::new();
    for worker in 0..8 {
        let store = Arc::clone(&handles[worker % 2]);
        racing.spawn(async move {
            let mut wish = claim(&format!("worker {worker}"), NOW);
            wish.limit = 5;
            wish.until = ms(NOW + 1_000);
            store.claim(&wish).await
        });
    }
    let mut taken = Vec::new();
    for claimed in racing.join_all().await {
        let claimed = claimed?;
        ensure!(claimed.len() <= 5, "a claim of 5 took {}", claimed.len());
        taken.extend(claimed);
    }
    taken.sort_unstable();
    let twice = taken.windows(2).find(|pair| pair[0] == pair[1]);
    ensure!(twice.is_none(), "two workers hold a lease on {:?}", twice.map(|pair| pair[0]));
    // Claims that pass each other by may leave some; they are there for the next one.
    taken.extend(handles[0].claim(&claim("late worker", NOW)).await?);
    taken.sort_unstable();
    same("what was claimed in the end", &taken, &(0..INCIDENTS).map(incident).collect())
}

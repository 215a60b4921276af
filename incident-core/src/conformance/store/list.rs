//! Listing the index, a page at a time.

use super::StoreHarness;
use super::kit::{Adapt as _, NOW, Outcome, claim, commit, ensure, held, holder, incident, ms, rows, same};
use crate::log::index::FOLD;
use crate::model::effect::Urgency;
use crate::model::id::{IncidentId, Seq};
use crate::port::store::{IndexRow, Query, Store};

async fn create(store: &dyn Store, incidents: impl IntoIterator<Item = u64>) -> Outcome {
    for n in incidents {
        store.commit(incident(n), Seq::ZERO, &commit(0)).await?;
    }
    Ok(())
}

fn ids(rows: &[IndexRow]) -> Vec<IncidentId> {
    rows.iter().map(|row| row.id).collect()
}

pub(super) async fn an_empty_store_is_empty(harness: &dyn StoreHarness) -> Outcome {
    let store = harness.open().await;
    for filled in [false, true] {
        same("the log of an unknown incident", &store.load(incident(9), Seq::ZERO).await?, &vec![])?;
        same("its tail", &store.load(incident(9), Seq(u64::MAX)).await?, &vec![])?;
        same("the holder of an unknown key", &holder(&*store, "nobody's", NOW).await?, &None)?;
        let page = store.list(&Query::all().after(Some(incident(9)))).await?;
        ensure!(page.rows.is_empty() && !page.more, "the page after the last shows {page:?}");
        same("what is claimed", &store.claim(&claim("worker", NOW)).await?, &vec![])?;
        if !filled {
            create(&*store, 1..=2).await?;
        }
    }
    Ok(())
}

pub(super) async fn pages_are_in_order_of_id(harness: &dyn StoreHarness) -> Outcome {
    let store = harness.open().await;
    // Multiplying by 7 modulo 121 creates them out of order.
    create(&*store, (1..=120).map(|n| n * 7 % 121)).await?;
    let all: Vec<_> = (1..=120).map(incident).collect();
    for limit in [0, 1, 7, 60, 119, 120, 121, u32::MAX] {
        let query = Query::all().limit(limit);
        let first = store.list(&query).await?;
        let full = (query.page_size() as usize).min(120);
        ensure!(first.rows.len() == full, "a page of {limit} has {} rows", first.rows.len());
        ensure!(first.more || full == 120, "a page of {limit} of 120 rows says that it is the last");
        let listed = ids(&rows(&*store, query).await?);
        same(&format!("all pages of {limit}"), &listed, &all)?;
    }
    Ok(())
}

pub(super) async fn pages_hold_under_writes(harness: &dyn StoreHarness) -> Outcome {
    let (store, writer) = (harness.open().await, harness.open().await);
    let lasting: Vec<_> = (1..=40).map(|n| n * 10).collect();
    create(&*store, lasting.iter().copied()).await?;
    let mut listed = Vec::new();
    let mut query = Query::all().limit(3);
    let mut version = 1;
    loop {
        let page = store.list(&query).await?;
        listed.extend(ids(&page.rows));
        if !page.more {
            break;
        }
        query = query.after(listed.last().copied());
        // New ones before and after the place reached, and every one that lasts is written to.
        create(&*writer, [version * 10 - 5, 203 + version * 10, 1_000 - version]).await?;
        for n in &lasting {
            let busy = commit(version).urgent(Urgency::PAGE).waking(NOW);
            writer.commit(incident(*n), Seq(version), &busy).await?;
        }
        version += 1;
        ensure!(version < 100, "the listing doesn't come to an end");
    }
    let sorted = listed.windows(2).all(|pair| pair[0] < pair[1]);
    ensure!(sorted, "the listing isn't in strict order of id: {listed:?}");
    let missed = lasting.iter().find(|n| !listed.contains(&incident(**n)));
    ensure!(missed.is_none(), "incident {missed:?} existed all the time and was not listed");
    Ok(())
}

pub(super) async fn the_settled_can_be_left_out(harness: &dyn StoreHarness) -> Outcome {
    let store = harness.open().await;
    for n in 1..=30 {
        let row = if n % 3 == 0 { commit(0).waking(NOW * 9) } else { commit(0) };
        store.commit(incident(n), Seq::ZERO, &row).await?;
    }
    let owing: Vec<_> = (1..=10).map(|n| incident(n * 3)).collect();
    for limit in [0, 1, 3, 10, 11] {
        let listed = ids(&rows(&*store, Query::unsettled().limit(limit)).await?);
        same(&format!("the unsettled in pages of {limit}"), &listed, &owing)?;
    }
    let after = ids(&rows(&*store, Query::unsettled().after(Some(incident(9)))).await?);
    same("the unsettled after the ninth", &after, &owing[3..].to_vec())?;
    store.commit(incident(3), Seq(1), &commit(1)).await?;
    store.commit(incident(4), Seq(1), &commit(1).waking(1)).await?;
    let first = store.list(&Query::unsettled().limit(2)).await?;
    same("the unsettled after changes", &ids(&first.rows), &[4, 6].map(incident).to_vec())
}

pub(super) async fn a_row_comes_back_as_committed(harness: &dyn StoreHarness) -> Outcome {
    let store = harness.open().await;
    let summaries = [Vec::new(), vec![0], b"{\"title\":\"\xff\xfe\"}".to_vec(), vec![b'x'; 100_000]];
    for (n, summary) in (0..).zip(summaries) {
        let mut row = commit(n).urgent(Urgency(255)).waking(-5).keyed(&[held("key")]).by(FOLD);
        row.index.summary = summary;
        store.commit(incident(1), Seq(n), &row).await?;
        let rows = store.list(&Query::all()).await?.rows;
        same("the row", &rows, &vec![IndexRow::new(incident(1), row.index)])?;
        same("its next wake", &rows[0].next_wake, &Some(ms(-5)))?;
    }
    Ok(())
}

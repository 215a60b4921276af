//! P5: one alert in a quiet system, until its page arrives.

use std::fs::File;
use std::io::Write as _;
use std::time::Duration;

use hyper::body::Bytes;
use tempfile::TempDir;
use tokio::time::Instant;

use crate::row::{Line, Row, Scale, seconds};
use crate::sample::{Spread, percentile};
use crate::storm::alerts::body;
use crate::storm::sender::Sender;
use crate::storm::sink::Sink;
use crate::storm::{Taker, Who};
use crate::{machine, runtime};

const ALERTS: usize = 400;
const PATIENCE: Duration = Duration::from_secs(5);
/// What a record of a page takes on the disk.
const BYTES: usize = 4_096;

/// A way from an alert to a page.
struct Way {
    who: Who,
    taker: Taker,
    sender: Sender,
    sink: Sink,
    took: Vec<f64>,
}

pub(super) fn quiet(scale: Scale) -> Row {
    runtime().block_on(async {
        let alerts = scale.of(ALERTS).max(20);
        let ours = match way(Who::Ours).await {
            Ok(way) => way,
            Err(why) => return Row::not_run("p50 / p99", "≤ Alertmanager + 1.5 syncs", &why),
        };
        let (mut ways, mut why) = (vec![ours], None);
        match way(Who::Alertmanager).await {
            Ok(way) => ways.push(way),
            Err(error) => why = Some(error),
        }
        let folder = TempDir::new().expect("a folder to write to");
        let mut file = File::create(folder.path().join("log")).expect("a file to write to");
        let (raw_sink, mut syncs, mut raw) = (Sink::start().await, Vec::new(), Vec::new());
        let raw_sender = Sender::connect(raw_sink.address(), 1).await.expect("the sink is there");
        let cpu = machine::cpu(Some(ways[0].taker.process()));
        for n in 0..alerts {
            // Whoever is first in one turn is second in the next.
            if ways.len() == 2 {
                ways.swap(0, 1);
            }
            for way in &mut ways {
                one(way, n).await;
            }
            let begun = Instant::now();
            file.write_all(&[7; BYTES]).expect("the disk has room");
            file.sync_data().expect("the disk syncs");
            syncs.push(begun.elapsed().as_secs_f64());
            raw_sender.send(vec![Bytes::from_static(&[b' '; 1_024])]).await.expect("the sink answers");
            raw.push(begun.elapsed().as_secs_f64());
        }
        ways.sort_by_key(|way| way.who != Who::Ours);
        let cpu = machine::cpu(Some(ways[0].taker.process())).saturating_sub(cpu).as_secs_f64();
        told(&ways, &syncs, &raw, cpu / alerts as f64, why)
    })
}

async fn way(who: Who) -> Result<Way, String> {
    let sink = Sink::start().await;
    let taker = who.start(sink.address()).await?;
    let sender = Sender::connect(taker.address(), 1).await?;
    Ok(Way { who, taker, sender, sink, took: Vec::new() })
}

/// One alert of a group of its own; the notices of the one before are over by then.
async fn one(way: &mut Way, n: usize) {
    let group = u32::try_from(n).expect("a small number");
    let alert = body(way.who, &[(n, n)]);
    let begun = Instant::now();
    let sent = way.sender.send(vec![alert]);
    let paged = way.sink.page_of(group, begun + PATIENCE);
    let (sent, paged) = tokio::join!(sent, paged);
    sent.expect("the alert is taken in");
    way.took.push(paged.saturating_duration_since(begun).as_secs_f64());
    way.sink.until(way.who.notices(n + 1), Instant::now() + PATIENCE).await;
}

fn told(ways: &[Way], syncs: &[f64], raw: &[f64], cpu: f64, why: Option<String>) -> Row {
    let both =
        |took: &[f64]| format!("{} / {}", seconds(percentile(took, 0.5)), seconds(percentile(took, 0.99)));
    let ours = &ways[0].took;
    let text = format!("{}, CPU {}", both(ours), seconds(cpu));
    let floor = ours.iter().zip(raw).map(|(ours, raw)| ours / raw).collect();
    let sync = percentile(syncs, 0.5);
    let goal = "–";
    let mut line = Line::new("p50 / p99, beside fdatasync + loopback round trip", text.clone(), goal, false)
        .beside(both(raw), Spread::of(floor), |_| true);
    line.met = None;
    let mut row = Row::default().line(line);
    let goal = "p50 ≤ Alertmanager + 1.5 × one sync";
    let Some(other) = ways.get(1) else {
        let why = why.unwrap_or_default();
        return row.line(Line::not_run("p50 / p99, beside Alertmanager", goal, &why));
    };
    let most = percentile(&other.took, 0.5) + 1.5 * sync;
    let ratio = Spread::of(ours.iter().map(|took| took / most).collect());
    let beside = format!("{}, a sync {}", both(&other.took), seconds(sync));
    let line = Line::new("p50 / p99, ratio to the goal", text, goal, false);
    row = row.line(line.beside(beside, ratio, |ratio| ratio <= 1.0));
    let points = [4, 40, 400]
        .into_iter()
        .filter(|n| *n <= ours.len())
        .map(|n| (n as f64, percentile(&ours[..n], 0.5)));
    row.growing("P5 page, after so many", points.collect())
}

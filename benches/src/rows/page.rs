//! P11: the post-mortem of a large incident as a page.

use std::fs;

use incident_core::PostMortem;
use incident_report::post_mortem_html;
use incident_report_testing::{Browser, Log, crowded};
use tempfile::TempDir;

use crate::row::{Line, Row, Scale, bytes, seconds, spread};
use crate::sample::{Slice, Spread, alternate, timed};

const RECORDS: usize = 5_000;
/// How wide a page is opened, in pixels.
const WIDTH: u32 = 1_280;

pub(super) fn page(scale: Scale) -> Row {
    let log = crowded(scale.of(RECORDS).max(100));
    let slice = |took: std::time::Duration| Slice { figure: took.as_secs_f64(), operations: 1 };
    let pair =
        alternate(scale.rounds(9), || slice(timed(|| html(&log)).0), || slice(timed(|| as_json(&log)).0));
    let ours = format!("{}, {}", spread(pair.ours, seconds), bytes(html(&log).len() as f64));
    let line = Line::new("log → page", ours, "≤ 10×", false);
    let line = line.beside(spread(pair.beside, seconds), pair.ratio, |it| it <= 10.0);
    Row::default().line(line).line(loaded(&log, scale.rounds(5)))
}

fn html(log: &Log) -> String {
    let document = PostMortem::write(&log.incident, &log.records, &log.runbook).with_head(log.head);
    post_mortem_html(&document, &log.incident, &log.records)
}

fn as_json(log: &Log) -> usize {
    let json = |record: &incident_core::log::event::Record| {
        serde_json::to_vec(&record.fact).expect("a fact is JSON").len()
    };
    log.records.iter().map(json).sum()
}

/// How long a browser takes to the end of the page's load event.
fn loaded(log: &Log, rounds: usize) -> Line {
    let (what, goal) = ("load event in headless Chromium", "≤ 1 s");
    if !Browser::is_installed() {
        return Line::not_run(what, goal, "Chromium isn't installed (Debian: chromium)");
    }
    let folder = TempDir::new().expect("a folder to write to");
    let file = folder.path().join("page.html");
    fs::write(&file, html(log)).expect("the file is written");
    let mut browser = Browser::start();
    let took = (0..rounds).map(|_| browser.open(&file, WIDTH, false).load_millis() / 1e3);
    let took = Spread::of(took.collect());
    Line::new(what, spread(took, seconds), goal, took.median <= 1.0)
}

//! P12: what an open incident takes in memory.

use std::process::Command;

use incident_core::domain::chain;
use incident_core::domain::incident::Incident;

use crate::row::{Line, Row, Scale, bytes, spread};
use crate::sample::Spread;
use crate::{id_of, log, machine};

const INCIDENTS: usize = 20_000;
const EVENTS: usize = 20;
const TIMES: usize = 5;

pub(super) fn memory(scale: Scale) -> Row {
    let size: usize = log(EVENTS).iter().map(|record| record.body.len()).sum();
    let program = std::env::current_exe().expect("this program is a file");
    let count = scale.of(INCIDENTS).max(1_000);
    let each = (0..scale.rounds(TIMES)).filter_map(|_| {
        // In a process of its own: here, memory that was let go of would be taken again.
        let out = Command::new(&program).args(["hold", &count.to_string()]).output().ok()?;
        String::from_utf8(out.stdout).ok()?.trim().parse::<f64>().ok()
    });
    let each: Vec<f64> = each.collect();
    if each.is_empty() {
        return Row::not_run("bytes", "≤ 1.0×", "the process that holds them failed");
    }
    let ratio = Spread::of(each.iter().map(|held| held / size as f64).collect());
    let line = Line::new("bytes", spread(Spread::of(each), bytes), "≤ 1.0×", false);
    Row::default().line(line.beside(bytes(size as f64), ratio, |ratio| ratio <= 1.0))
}

/// Holds so many incidents, and says what one takes: the program of the process that `memory` starts.
#[must_use]
pub fn hold(count: usize) -> f64 {
    let stored = log(EVENTS);
    let id = id_of(&stored);
    let before = machine::resident(None);
    let held: Vec<Incident> =
        (0..count).map(|_| chain::fold(id, &stored).expect("the corpus folds").0).collect();
    let after = machine::resident(None);
    assert_eq!(held.len(), count);
    after.saturating_sub(before) as f64 / count as f64
}

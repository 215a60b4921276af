//! P9: how many hours of incidents the simulation plays in a second, on one thread.
//!
//! What it plays is the simulation of `incident-core/tests`: three replicas, and one in twenty calls, commits and passes
//! fails.
#![allow(missing_docs, reason = "a program, not a library")]
#![allow(dead_code, clippy::unwrap_used, reason = "it is made of a test, of which it uses a part")]
#![allow(clippy::print_stdout, reason = "it prints what it measured")]

#[path = "../incident-core/tests/simulation/adapters.rs"]
mod adapters;
#[path = "../incident-core/tests/simulation/defects.rs"]
mod defects;
#[path = "../incident-core/tests/simulation/dice.rs"]
mod dice;
#[path = "../incident-core/tests/simulation/people.rs"]
mod people;
#[path = "../incident-core/tests/simulation/promises.rs"]
mod promises;
#[path = "../incident-core/tests/simulation/remote.rs"]
mod remote;
#[path = "../incident-core/tests/simulation/sim.rs"]
mod sim;
#[path = "../incident-core/tests/simulation/store.rs"]
mod store;

use dice::{Dice, Weather};
use incident_benches::machine;
use incident_benches::row::{Line, Row, count, spread};
use incident_benches::sample::{Spread, timed};
use sim::Setup;

const SEEDS: u64 = 60;
const TIMES: u64 = 7;
const GOAL: f64 = 10_000.0;
const SETUP: Setup = Setup { weather: Weather { crash: 50, store: 50, call: 50 }, replicas: 3 };

fn main() {
    let cpu = machine::cpu(None);
    let mut all = 0.0;
    let rates = (0..TIMES).map(|time| {
        let (took, hours) = timed(|| {
            (time * SEEDS..(time + 1) * SEEDS)
                .map(|seed| {
                    let run = sim::run_as(seed, Dice::new(seed), SETUP, None);
                    assert!(run.broken.is_none(), "seed {seed} breaks a promise");
                    run.hours
                })
                .sum::<f64>()
        });
        all += hours;
        hours / took.as_secs_f64()
    });
    let rates = Spread::of(rates.collect());
    let cpu = machine::cpu(None).saturating_sub(cpu).as_secs_f64() / all;
    let shown = format!("{}, CPU {:.0} µs an hour", spread(rates, count), cpu * 1e6);
    let row =
        Row::default().line(Line::new("3 replicas, 5 % faults", shown, "≥ 10,000", rates.median >= GOAL));
    println!("{}", serde_json::to_string(&row).unwrap());
}

//! Many engines, one store, a world that fails: a seed is a trace, and in each of thousands the promises hold.
//!
//! A seed that breaks one is named with how to replay it: `replay` runs the seed in the file `incident-core/seed.txt`.

#![allow(
    clippy::unwrap_used,
    clippy::print_stderr,
    missing_docs,
    reason = "a test fails by panicking, documents itself by its name, and reports"
)]

mod adapters;
mod defects;
mod dice;
mod people;
mod promises;
mod remote;
mod sim;
mod store;

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};

use defects::Defect;
use promises::Watch;
use sim::Run;

/// The runs of sound seeds, and the first that breaks a promise.
type Runs = (Vec<(u64, Run)>, Option<(u64, Run)>);

/// Runs seeds on every core, until one breaks a promise.
fn seeds(from: u64, count: u64, defect: Option<Defect>) -> Runs {
    let next = AtomicU64::new(from);
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    let runs: Vec<(u64, Run)> = std::thread::scope(|scope| {
        let workers: Vec<_> = (0..threads)
            .map(|_| {
                scope.spawn(|| {
                    let mut runs = Vec::new();
                    loop {
                        let seed = next.fetch_add(1, Ordering::Relaxed);
                        if seed >= from + count {
                            return runs;
                        }
                        let mut run = sim::run(seed, defect);
                        if run.broken.is_some() {
                            next.store(from + count, Ordering::Relaxed);
                        } else {
                            run.watch = Watch::default();
                        }
                        runs.push((seed, run));
                    }
                })
            })
            .collect();
        workers.into_iter().flat_map(|worker| worker.join().unwrap()).collect()
    });
    let (mut broken, sound): (Vec<_>, Vec<_>) = runs.into_iter().partition(|(_, run)| run.broken.is_some());
    broken.sort_by_key(|(seed, _)| *seed);
    (sound, broken.into_iter().next())
}

fn hold(count: u64) {
    let (sound, broken) = seeds(1, count, None);
    let mut faults: BTreeMap<&str, usize> = BTreeMap::new();
    for (fault, times) in sound.iter().flat_map(|(_, run)| &run.faults) {
        *faults.entry(fault).or_default() += times;
    }
    let hours: f64 = sound.iter().map(|(_, run)| run.hours).sum();
    let incidents: usize = sound.iter().map(|(_, run)| run.incidents).sum();
    let storms: usize = sound.iter().map(|(_, run)| run.storms).sum();
    eprintln!(
        "{} seeds, {incidents} incidents, {storms} of them storms, {hours:.0} incident-hours; faults: {faults:?}",
        sound.len()
    );
    if let Some((seed, run)) = broken {
        report(seed, &run);
    }
    assert!(storms > 0, "alerts are gathered in some of the seeds");
}

fn report(seed: u64, run: &Run) -> ! {
    let broken = run.broken.as_ref().unwrap();
    let about = broken.how.split([' ', ':']).next().unwrap_or_default();
    let trace = run.watch.trace();
    let of_it = trace.iter().filter(|line| line.contains(about));
    let tail =
        of_it.rev().take(60).collect::<Vec<_>>().into_iter().rev().cloned().collect::<Vec<_>>().join("\n");
    panic!(
        "promise {} is broken by seed {seed}: {}\n\nthe end of its trace:\n{tail}\n\nreplay: echo {seed} > \
         incident-core/seed.txt && cargo test -p incident-core --all-features --test simulation replay -- --ignored",
        broken.promise, broken.how,
    );
}

#[test]
fn the_promises_hold_in_two_thousand_seeds() {
    hold(2_000);
}

#[test]
#[ignore = "takes some minutes"]
fn the_promises_hold_in_ten_thousand_seeds() {
    hold(10_000);
}

#[test]
#[ignore = "runs the seed in seed.txt"]
fn replay() {
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/seed.txt");
    let seed = std::fs::read_to_string(file).unwrap().trim().parse().unwrap();
    let run = sim::run(seed, None);
    eprintln!("{}", run.watch.trace().join("\n"));
    if run.broken.is_some() {
        report(seed, &run);
    }
}

fn trace(seed: u64) -> Vec<String> {
    sim::run(seed, None).watch.trace()
}

#[test]
fn a_seed_is_a_trace() {
    for seed in [3, 17, 42] {
        let (first, second) = (trace(seed), trace(seed));
        let differs = first.iter().zip(&second).find(|(one, other)| one != other);
        assert!(first == second, "seed {seed} isn't the same twice: {differs:#?}");
    }
    assert_ne!(trace(3), trace(4));
}

/// A defect is found, and by the promise that it breaks.
fn is_found(defect: Defect, promise: u8) {
    let (sound, broken) = seeds(1, 400, Some(defect));
    let Some((seed, run)) = broken else { panic!("{defect:?} isn't found in {} seeds", sound.len()) };
    let broken = run.broken.unwrap();
    assert_eq!(broken.promise, promise, "{defect:?}, seed {seed}: {}", broken.how);
}

#[test]
fn a_stale_index_that_hides_a_fresh_effect_is_found() {
    is_found(Defect::StaleIndex, 2);
}

#[test]
fn a_receipt_for_what_was_not_sent_is_found() {
    is_found(Defect::RecordsBeforeDoing, 2);
}

#[test]
fn repeating_without_looking_is_found() {
    is_found(Defect::NeverFinds, 3);
}

#[test]
fn a_wait_that_is_ignored_is_found() {
    is_found(Defect::HidesTheWait, 4);
}

#[test]
fn a_notice_that_overtakes_another_is_found() {
    is_found(Defect::SendsOutOfOrder, 5);
}

#[test]
fn carrying_out_what_nobody_agreed_to_is_found() {
    is_found(Defect::ExecutesAnotherPlan, 6);
}

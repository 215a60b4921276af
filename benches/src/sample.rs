//! Measuring two things beside each other, and what of it is told.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use tokio::time::Instant;

use crate::machine;

/// A median with what lies around it.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Spread {
    /// The middle one.
    pub median: f64,
    /// The least.
    pub least: f64,
    /// The greatest.
    pub most: f64,
}

impl Spread {
    /// Of at least one value.
    #[must_use]
    pub fn of(mut values: Vec<f64>) -> Self {
        values.sort_unstable_by(f64::total_cmp);
        Self { median: values[values.len() / 2], least: values[0], most: values[values.len() - 1] }
    }
}

/// What one slice of time came to.
#[derive(Debug, Clone, Copy)]
pub struct Slice {
    /// The figure that is compared: a rate, a latency.
    pub figure: f64,
    /// How many operations it took, for the CPU of one.
    pub operations: u64,
}

/// Two things, measured in the same run.
#[derive(Debug, Clone, Copy)]
pub struct Pair {
    /// Ours.
    pub ours: Spread,
    /// What it is held against.
    pub beside: Spread,
    /// Ours by the other, of slices that follow each other.
    pub ratio: Spread,
    /// CPU of one operation of ours, in µs.
    pub cpu: f64,
    /// CPU of one operation of the other, in µs.
    pub cpu_beside: f64,
}

/// Measures slices of both in turns, each first as often as the other, after one of each that doesn't count.
pub fn alternate(rounds: usize, mut ours: impl FnMut() -> Slice, mut beside: impl FnMut() -> Slice) -> Pair {
    let (mut a, mut b) = (Vec::new(), Vec::new());
    let (mut cpu_a, mut cpu_b) = ((Duration::ZERO, 0), (Duration::ZERO, 0));
    for round in 0..=rounds {
        let mut measure = |is_ours: bool| {
            let before = machine::cpu(None);
            let slice = if is_ours { ours() } else { beside() };
            let spent = machine::cpu(None).saturating_sub(before);
            if round == 0 {
                return;
            }
            let (figures, cpu) = if is_ours { (&mut a, &mut cpu_a) } else { (&mut b, &mut cpu_b) };
            figures.push(slice.figure);
            *cpu = (cpu.0 + spent, cpu.1 + slice.operations);
        };
        let first = round % 2 == 0;
        measure(first);
        measure(!first);
    }
    let ratio = a.iter().zip(&b).map(|(a, b)| a / b).collect();
    let each = |(spent, count): (Duration, u64)| spent.as_secs_f64() * 1e6 / count.max(1) as f64;
    Pair {
        ours: Spread::of(a),
        beside: Spread::of(b),
        ratio: Spread::of(ratio),
        cpu: each(cpu_a),
        cpu_beside: each(cpu_b),
    }
}

/// Does something again and again for `length`, and gives the median time of one in seconds.
pub fn latency(length: Duration, mut operation: impl FnMut()) -> Slice {
    let begun = Instant::now();
    let mut took = Vec::new();
    while begun.elapsed() < length {
        let start = Instant::now();
        operation();
        took.push(start.elapsed().as_secs_f64());
    }
    let operations = took.len() as u64;
    Slice { figure: Spread::of(took).median, operations }
}

/// The time that something takes.
pub fn timed<T>(operation: impl FnOnce() -> T) -> (Duration, T) {
    let start = Instant::now();
    let done = operation();
    (start.elapsed(), done)
}

/// The value that `share` of all don't exceed.
#[must_use]
pub fn percentile(values: &[f64], share: f64) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_unstable_by(f64::total_cmp);
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a place in the list")]
    let place = ((sorted.len() as f64 * share) as usize).min(sorted.len() - 1);
    sorted[place]
}

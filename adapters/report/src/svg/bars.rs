//! What held for a while as bars, never thinner than can be seen and never more than there is room for.

use incident_core::Time;
use incident_core::model::id::Seq;
use incident_core::model::time::{since, spoken, stamp};

use super::axis::{Axis, Px};
use super::story::Run;

/// The thinnest bar.
const THIN: Px = 3;

/// A run in its place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Bar<T> {
    pub(crate) left: Px,
    pub(crate) right: Px,
    pub(crate) what: T,
    /// The record it began with.
    pub(crate) record: Seq,
    pub(crate) from: Time,
    pub(crate) to: Time,
    /// How many shorter ones it covers.
    pub(crate) covers: usize,
}

/// `runs` in their places; of those that share one, `worse` says which is shown.
pub(crate) fn bars<T: Copy + PartialEq>(
    runs: &[Run<T>],
    axis: &Axis,
    worse: impl Fn(T, T) -> bool,
) -> Vec<Bar<T>> {
    let mut bars: Vec<Bar<T>> = Vec::new();
    for run in runs {
        let left = axis.x(run.from);
        let right = axis.x(run.to).max(left + THIN);
        let Run { from, to, what, record } = *run;
        let mut bar = Bar { left, right, what, record, from, to, covers: 0 };
        match bars.last_mut() {
            Some(last) if right <= last.right => {
                if worse(what, last.what) {
                    (last.what, last.record) = (what, record);
                }
                last.to = to.max(last.to);
                last.covers += 1;
                continue;
            }
            Some(last) if left <= last.right + THIN => {
                last.right = last.right.max(left);
                bar.left = last.right;
                bar.right = right.max(bar.left + THIN);
            }
            _ => {}
        }
        bars.push(bar);
    }
    // Where shorter ones were covered, what is shown may go on in the next.
    bars.dedup_by(|next, bar| {
        let goes_on = next.what == bar.what && next.left == bar.right;
        if goes_on {
            (bar.right, bar.to) = (next.right, next.to.max(bar.to));
            bar.covers += 1 + next.covers;
        }
        goes_on
    });
    bars
}

impl<T> Bar<T> {
    pub(crate) fn width(&self) -> Px {
        self.right - self.left
    }

    /// `what`, and from when to when.
    pub(crate) fn tells(&self, what: &str) -> String {
        let more = match self.covers {
            0 => String::new(),
            more => format!(" ({more} shorter ones among it)"),
        };
        let lasted = spoken(since(self.to, self.from));
        format!("{what}{more}: {} to {}, {lasted}", stamp(self.from), stamp(self.to))
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use incident_core::model::time::after;

    use super::*;
    use crate::svg::axis::Span;

    /// Runs of so many seconds, in order.
    fn runs(lengths: &[(u64, u8)]) -> (Vec<Run<u8>>, Axis) {
        let start = Time::UNIX_EPOCH;
        let mut at = start;
        let mut runs = Vec::new();
        for (seconds, what) in lengths {
            let to = after(at, Duration::from_secs(*seconds));
            runs.push(Run { from: at, to, what: *what, record: Seq(runs.len() as u64) });
            at = to;
        }
        let all = Span { from: start, to: at };
        (runs, Axis::new(all, all, 0, 1_000))
    }

    #[test]
    fn a_blip_of_the_worse_kind_is_seen_in_a_long_calm() {
        let (runs, axis) = runs(&[(50_000, 0), (1, 9), (50_000, 0)]);
        let bars = bars(&runs, &axis, |one, other| one > other);
        assert_eq!(bars.iter().map(|bar| bar.what).collect::<Vec<_>>(), [0, 9, 0]);
        assert_eq!(bars[1].width(), THIN);
        assert_eq!((bars[0].right, bars[1].right), (bars[1].left, bars[2].left));
    }

    #[test]
    fn thousands_of_changes_are_no_more_bars_than_there_is_room_for() {
        let flapping: Vec<(u64, u8)> = (0..20_000).map(|at| (30, u8::from(at % 2 == 0))).collect();
        let (runs, axis) = runs(&flapping);
        let bars = bars(&runs, &axis, |one, other| one > other);
        assert!(bars.len() <= 335, "{}", bars.len());
        assert!(bars.windows(2).all(|pair| pair[0].right <= pair[1].left));
        assert_eq!(bars.iter().map(|bar| 1 + bar.covers).sum::<usize>(), 20_000);
    }
}

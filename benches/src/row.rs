//! One row of the table: what was measured, beside what, and whether it reaches its goal.

use serde::{Deserialize, Serialize};

use crate::sample::Spread;

/// How much is measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scale {
    /// As the table says.
    Full,
    /// A hundredth, to see that it works.
    Tiny,
}

impl Scale {
    /// `count`, or a hundredth of it.
    #[must_use]
    pub fn of(self, count: usize) -> usize {
        match self {
            Self::Full => count,
            Self::Tiny => (count / 100).max(1),
        }
    }

    /// How often two things are measured in turns.
    #[must_use]
    pub fn rounds(self, count: usize) -> usize {
        match self {
            Self::Full => count,
            Self::Tiny => 2,
        }
    }
}

/// What came of a row.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Row {
    /// Its lines in the table.
    pub lines: Vec<Line>,
    /// How the time grows with the work.
    pub growth: Vec<Growth>,
}

/// A line of the table.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Line {
    /// What is measured.
    pub what: String,
    /// Ours.
    pub ours: String,
    /// What it is held against.
    pub beside: String,
    /// Ours by the other.
    pub ratio: Option<Spread>,
    /// What is to be reached.
    pub goal: String,
    /// Whether it is.
    pub met: Option<bool>,
}

/// The time of one piece of work, at several amounts of it.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Growth {
    /// What is done.
    pub name: String,
    /// The amount, and the seconds that one piece of it takes.
    pub points: Vec<(f64, f64)>,
}

impl Row {
    /// A row that says why it wasn't run.
    #[must_use]
    pub fn not_run(what: &str, goal: &str, why: &str) -> Self {
        Self::default().line(Line::not_run(what, goal, why))
    }

    /// With another line.
    #[must_use]
    pub fn line(mut self, line: Line) -> Self {
        self.lines.push(line);
        self
    }

    /// With the time of one piece of work at several amounts.
    #[must_use]
    pub fn growing(mut self, name: &str, points: Vec<(f64, f64)>) -> Self {
        self.growth.push(Growth { name: name.to_owned(), points });
        self
    }
}

impl Line {
    /// What was measured, without anything beside it.
    #[must_use]
    pub fn new(what: &str, ours: String, goal: &str, met: bool) -> Self {
        let (what, goal) = (what.to_owned(), goal.to_owned());
        Self { what, ours, beside: "–".to_owned(), ratio: None, goal, met: Some(met) }
    }

    /// Beside something, whose ratio reaches the goal if `reached` says so of its median.
    #[must_use]
    pub fn beside(mut self, beside: String, ratio: Spread, reached: impl Fn(f64) -> bool) -> Self {
        self.beside = beside;
        self.met = Some(reached(ratio.median));
        self.ratio = Some(ratio);
        self
    }

    /// Why it wasn't measured.
    #[must_use]
    pub fn not_run(what: &str, goal: &str, why: &str) -> Self {
        let ours = format!("not run: {why}");
        let (what, goal) = (what.to_owned(), goal.to_owned());
        Self { what, ours, beside: "–".to_owned(), ratio: None, goal, met: None }
    }
}

/// Seconds as people read them.
#[must_use]
pub fn seconds(value: f64) -> String {
    match value {
        _ if value >= 1.0 => format!("{value:.2} s"),
        _ if value >= 1e-3 => format!("{:.2} ms", value * 1e3),
        _ if value >= 1e-6 => format!("{:.1} µs", value * 1e6),
        _ => format!("{:.0} ns", value * 1e9),
    }
}

/// A count or a rate as people read it.
#[must_use]
pub fn count(value: f64) -> String {
    match value {
        _ if value >= 1e6 => format!("{:.2}M", value / 1e6),
        _ if value >= 1e4 => format!("{:.1}k", value / 1e3),
        _ => format!("{value:.0}"),
    }
}

/// Bytes as people read them.
#[must_use]
pub fn bytes(value: f64) -> String {
    match value {
        _ if value >= f64::from(1 << 20) => format!("{:.1} MiB", value / f64::from(1 << 20)),
        _ if value >= 1024.0 => format!("{:.1} KiB", value / 1024.0),
        _ => format!("{value:.0} B"),
    }
}

/// A median and what lies around it.
#[must_use]
pub fn spread(value: Spread, shown: impl Fn(f64) -> String) -> String {
    format!("{} ({}–{})", shown(value.median), shown(value.least), shown(value.most))
}

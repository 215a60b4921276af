//! Health checks, as they are written down.

use std::fmt;
use std::time::Duration;

use serde::Deserialize;
use serde_json::Value;

/// One health check.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct ProbeConfig {
    /// What to GET.
    pub path: String,
    /// The status that means well; 200 unless set.
    #[serde(default = "ok")]
    pub status: u16,
    /// What must be true of the answer's JSON.
    #[serde(default)]
    pub require: Vec<Comparison>,
    /// An answer that takes longer is red, whatever it says.
    #[serde(default, with = "humantime_serde")]
    pub slower_than: Option<Duration>,
}

impl ProbeConfig {
    /// Well if a GET of `path` answers 200.
    #[must_use]
    pub fn new(path: &str) -> Self {
        Self { path: path.to_owned(), status: ok(), require: Vec::new(), slower_than: None }
    }
}

/// Something that must be true of a JSON document.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct Comparison {
    /// Where to look, as a JSON pointer: `/checks/0/error_rate`.
    pub pointer: String,
    /// How to compare what is there.
    pub op: Op,
    /// With what; a number, unless only equality is asked.
    pub value: Value,
}

impl Comparison {
    /// What is at `pointer` compares to `value` as `op` says.
    #[must_use]
    pub fn new(pointer: &str, op: Op, value: Value) -> Self {
        Self { pointer: pointer.to_owned(), op, value }
    }
}

/// How two values compare.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Op {
    /// Equal.
    Eq,
    /// Not equal.
    Ne,
    /// Less.
    Lt,
    /// Less or equal.
    Le,
    /// Greater.
    Gt,
    /// Greater or equal.
    Ge,
}

impl fmt::Display for Op {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Eq => "=",
            Self::Ne => "≠",
            Self::Lt => "<",
            Self::Le => "≤",
            Self::Gt => ">",
            Self::Ge => "≥",
        })
    }
}

fn ok() -> u16 {
    200
}

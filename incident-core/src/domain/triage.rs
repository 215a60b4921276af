//! The decision tree that turns a few answers into a severity.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};

use super::severity::Severity;

/// What was answered to a question of the tree.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Answer {
    /// Yes.
    Yes,
    /// No.
    No,
    /// Nobody knows yet; the worse branch is taken.
    Unknown,
}

impl fmt::Display for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Yes => "yes",
            Self::No => "no",
            Self::Unknown => "unknown",
        })
    }
}

/// A tree of questions, given as nodes by name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TriageTree {
    /// The node asked first.
    pub first: String,
    /// Every question by its short name.
    pub questions: BTreeMap<String, Question>,
}

/// One question of the tree.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Question {
    /// What is asked.
    pub ask: String,
    /// Where a yes leads.
    pub yes: Branch,
    /// Where a no leads.
    pub no: Branch,
}

/// Where an answer leads.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Branch {
    /// To another question; written `{ ask = "name" }`.
    Ask(String),
    /// To a severity; written `{ severity = "sev1" }`.
    Severity(Severity),
}

/// The way somebody took through the tree, kept with the incident.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct TriagePath {
    /// The questions asked, by name, with their answers, in order.
    pub answers: Vec<(String, Answer)>,
    /// Where it led.
    pub severity: Severity,
}

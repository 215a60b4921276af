//! The decision tree that turns a few answers into a severity.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use serde::{Deserialize, Serialize};

use crate::model::severity::Severity;

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

impl TriageTree {
    /// The way from the first question to a severity.
    ///
    /// A question without an answer, or with [`Answer::Unknown`], takes the branch from which the worse severity can be
    /// reached by whatever answers; if both reach the same, it takes the yes branch. So what nobody knows never makes an
    /// incident look smaller. Answers to questions that the way doesn't touch are ignored.
    ///
    /// # Errors
    ///
    /// [`TriageError`] if the way, or a branch that had to be weighed for it, meets a question that doesn't exist or
    /// never ends.
    pub fn walk(&self, answers: &BTreeMap<String, Answer>) -> Result<TriagePath, TriageError> {
        let mut path = Vec::new();
        let mut name = &self.first;
        for _ in 0..=self.questions.len() {
            let question = self.question(name)?;
            let answer = answers.get(name).copied().unwrap_or(Answer::Unknown);
            path.push((name.clone(), answer));
            let branch = match answer {
                Answer::Yes => &question.yes,
                Answer::No => &question.no,
                Answer::Unknown if self.worst(&question.no)? < self.worst(&question.yes)? => &question.no,
                Answer::Unknown => &question.yes,
            };
            match branch {
                Branch::Ask(next) => name = next,
                Branch::Severity(severity) => return Ok(TriagePath { answers: path, severity: *severity }),
            }
        }
        Err(TriageError::Endless { question: name.clone() })
    }

    /// The worst severity that `branch` can lead to.
    fn worst(&self, branch: &Branch) -> Result<Severity, TriageError> {
        let mut worst = None;
        let mut seen = BTreeSet::new();
        let mut open = vec![branch];
        while let Some(branch) = open.pop() {
            match branch {
                Branch::Severity(severity) => {
                    worst = Some(worst.map_or(*severity, |worst| (*severity).min(worst)));
                }
                Branch::Ask(name) if seen.insert(name) => {
                    let question = self.question(name)?;
                    open.extend([&question.yes, &question.no]);
                }
                Branch::Ask(_) => {}
            }
        }
        // Only a ring of questions has no severity in reach, and `seen` then holds every one of them.
        worst.ok_or_else(|| TriageError::Endless {
            question: seen.first().map_or_else(String::new, |name| (*name).clone()),
        })
    }

    fn question(&self, name: &str) -> Result<&Question, TriageError> {
        self.questions.get(name).ok_or_else(|| TriageError::Missing { question: name.to_owned() })
    }
}

/// The tree can't be walked.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TriageError {
    /// A branch leads to a question that isn't there.
    #[error("the triage tree has no question {question:?}")]
    Missing {
        /// The question's name.
        question: String,
    },
    /// Questions lead back to each other.
    #[error("the triage tree never ends: its questions come back to {question:?}")]
    Endless {
        /// A question of the ring.
        question: String,
    },
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::runbook::Runbook;

    fn ask(name: &str) -> Branch {
        Branch::Ask(name.to_owned())
    }

    fn tree(questions: &[(&str, Branch, Branch)]) -> TriageTree {
        TriageTree {
            first: "a".to_owned(),
            questions: questions
                .iter()
                .map(|(name, yes, no)| {
                    let question = Question { ask: String::new(), yes: yes.clone(), no: no.clone() };
                    ((*name).to_owned(), question)
                })
                .collect(),
        }
    }

    #[test]
    fn the_default_tree_gives_the_corrected_table() {
        use Severity::{Sev1, Sev2, Sev3, Sev4};
        const NAMES: [&str; 5] =
            ["data_loss", "security_breach", "completely_down", "several_users", "function_critical"];
        // y: yes, n: no, u: unknown, -: not answered.
        for (answers, severity, asked) in [
            ("ynnnn", Sev1, 1),
            ("nynnn", Sev1, 2),
            ("nnynn", Sev1, 3),
            ("nnnyy", Sev2, 5),
            ("nnnyn", Sev3, 5),
            ("nnnnn", Sev4, 4),
            ("nnnny", Sev4, 4),
            ("nnnyu", Sev2, 5),
            ("nnnu-", Sev2, 5),
            ("nnnun", Sev3, 5),
            ("nnu--", Sev1, 3),
            ("nu---", Sev1, 2),
            ("u----", Sev1, 1),
            ("-nnnn", Sev1, 1),
            ("-----", Sev1, 1),
        ] {
            let given = NAMES.iter().zip(answers.chars()).filter_map(|(name, answer)| {
                let answer = match answer {
                    'y' => Answer::Yes,
                    'n' => Answer::No,
                    'u' => Answer::Unknown,
                    _ => return None,
                };
                Some(((*name).to_owned(), answer))
            });
            let path = Runbook::default().triage.walk(&given.collect()).unwrap();
            assert_eq!((path.severity, path.answers.len()), (severity, asked), "{answers}");
        }
    }

    #[test]
    fn an_unknown_answer_takes_the_no_branch_if_that_is_worse() {
        let tree = tree(&[
            ("a", Branch::Severity(Severity::Sev3), ask("b")),
            ("b", Branch::Severity(Severity::Sev4), Branch::Severity(Severity::Sev2)),
        ]);
        let path = tree.walk(&BTreeMap::new()).unwrap();
        assert_eq!(path.severity, Severity::Sev2);
        assert_eq!(path.answers, [("a".to_owned(), Answer::Unknown), ("b".to_owned(), Answer::Unknown)]);
    }

    #[test]
    fn a_broken_tree_is_an_error_and_never_a_hang() {
        let sev4 = Branch::Severity(Severity::Sev4);
        let missing = |name: &str| Err(TriageError::Missing { question: name.to_owned() });
        let endless = |name: &str| Err(TriageError::Endless { question: name.to_owned() });
        for (questions, answer, expect) in [
            (vec![], Answer::Yes, missing("a")),
            (vec![("a", ask("x"), sev4.clone())], Answer::Yes, missing("x")),
            (vec![("a", ask("x"), sev4.clone())], Answer::No, Ok(Severity::Sev4)),
            (vec![("a", ask("x"), sev4.clone())], Answer::Unknown, missing("x")),
            (vec![("a", ask("a"), sev4.clone())], Answer::Yes, endless("a")),
            (vec![("a", ask("b"), ask("b")), ("b", ask("a"), ask("a"))], Answer::Unknown, endless("a")),
            (vec![("a", ask("a"), sev4)], Answer::Unknown, endless("a")),
        ] {
            let answers = [("a".to_owned(), answer)].into();
            let walked = tree(&questions).walk(&answers).map(|path| path.severity);
            assert_eq!(walked, expect, "{questions:?} {answer}");
        }
    }
}

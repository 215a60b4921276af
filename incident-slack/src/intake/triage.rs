//! Triage by buttons: one question at a time, along the runbook's tree.

use std::collections::BTreeMap;

use incident_core::model::id::IncidentId;
use incident_core::rules::command as c;
use incident_core::rules::command::Command;
use incident_core::runbook::Runbook;
use incident_core::runbook::triage::{Answer as Reply, TriageTree};

use super::{Answer, InteractionError};
use crate::blocks::escape::{brief, len, readable};
use crate::blocks::kit::{actions, button, plain, section};

pub(super) const TRIAGE: &str = "incident_triage_";
/// Characters of a button's value.
const VALUE: usize = 2_000;

/// The answers that somebody has given so far. A button carries them, so nothing has to be remembered between two clicks.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Triaging {
    /// The incident.
    pub incident: IncidentId,
    /// The answers, by the name of the question.
    pub answers: BTreeMap<String, Reply>,
}

impl Triaging {
    /// Before the first question.
    #[must_use]
    pub fn new(incident: IncidentId) -> Self {
        Self { incident, answers: BTreeMap::new() }
    }

    /// The next question with its buttons; none if the answers lead to a severity.
    #[must_use]
    pub fn question(&self, runbook: &Runbook) -> Option<Answer> {
        let name = next_question(&runbook.triage, &self.answers)?;
        let ask = &runbook.triage.questions.get(&name)?.ask;
        let values = [("yes", Reply::Yes), ("no", Reply::No), ("unknown", Reply::Unknown)];
        let buttons: Vec<_> = values
            .into_iter()
            .map(|(word, reply)| (word, self.with(&name, reply).value()))
            .filter(|(_, value)| len(value) <= VALUE)
            .map(|(word, value)| button(&format!("{TRIAGE}{word}"), &title(word), &value, None, None))
            .collect();
        let number = self.answers.len() + 1;
        let all = list(&runbook.triage);
        let mut blocks = vec![section(plain(&brief(&readable(&format!("Question {number}: {ask}")), 2_900)))];
        if !buttons.is_empty() {
            blocks.push(actions(&buttons));
        }
        if self.answers.is_empty() {
            blocks.push(section(plain(&brief(&readable(&all), 2_900))));
        }
        Some(Answer::laid_out(ask, blocks))
    }

    /// The command that records the answers.
    #[must_use]
    pub fn command(&self) -> Command {
        Command::Triage(c::Triage { answers: self.answers.clone() })
    }

    fn with(&self, question: &str, reply: Reply) -> Self {
        let mut next = self.clone();
        next.answers.insert(question.to_owned(), reply);
        next
    }

    fn value(&self) -> String {
        let answers = serde_json::to_string(&self.answers).unwrap_or_default();
        format!("v1|{}|{answers}", self.incident)
    }

    pub(super) fn read(value: &str) -> Result<Self, InteractionError> {
        let parts: Vec<&str> = value.splitn(3, '|').collect();
        let ["v1", incident, answers] = parts[..] else { return Err(InteractionError::Foreign) };
        let incident = incident.parse().map_err(|_| InteractionError::Foreign)?;
        let answers = serde_json::from_str(answers).map_err(|_| InteractionError::Foreign)?;
        Ok(Self { incident, answers })
    }
}

/// The question that the tree asks after these answers; none if they lead to a severity.
pub(super) fn next_question(tree: &TriageTree, answers: &BTreeMap<String, Reply>) -> Option<String> {
    let path = tree.walk(answers).ok()?;
    path.answers.into_iter().map(|(question, _)| question).find(|question| !answers.contains_key(question))
}

/// The questions, as far as the tree asks them of somebody who never gets to a severity, and how to answer in one line.
fn list(tree: &TriageTree) -> String {
    use incident_core::runbook::triage::Branch;
    let (mut lines, mut next) = (Vec::new(), Some(&tree.first));
    while let Some(question) = next.and_then(|name| tree.questions.get(name)) {
        lines.push(format!("{}. {}", lines.len() + 1, question.ask));
        let branches = [&question.no, &question.yes];
        next = branches.into_iter().find_map(|branch| match branch {
            Branch::Ask(name) => Some(name),
            Branch::Severity(_) => None,
        });
        if lines.len() > tree.questions.len() {
            break;
        }
    }
    format!(
        "Or answer in one line, in this order, as far as you are asked: /incident triage no no no yes yes\n{}\nUnknown counts \
         as the worse answer.",
        lines.join("\n")
    )
}

fn title(word: &str) -> String {
    let (first, rest) = word.split_at(1);
    format!("{}{rest}", first.to_uppercase())
}

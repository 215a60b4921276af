//! Why text is no settings, and where, without repeating what may be a secret.

use crate::config::hidden;
use crate::runbook::RunbookProblem;
use crate::runbook::parse::line::{line_at, line_of};
use crate::runbook::parse::node::{Step, Trouble};

/// Settings that can't be read. It says where and never repeats what was there.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("settings, line {line}: {problem}")]
#[non_exhaustive]
pub struct SettingsError {
    /// The line, from 1: of the field, or of the table that it is missing in.
    pub line: usize,
    /// The field's full path, what is wrong with it and what was expected.
    pub problem: String,
}

impl SettingsError {
    /// `text` is no TOML.
    pub(super) fn syntax(text: &str, error: &toml::de::Error) -> Self {
        let line = line_at(text, error.span().map_or(0, |span| span.start));
        Self { line, problem: format!("not TOML: {}", error.message()) }
    }

    /// `text` is TOML, but no settings.
    pub(super) fn new(text: &str, trouble: Trouble) -> Self {
        let names_type = {
            let keys: Vec<_> = trouble.path().collect();
            match &keys[..] {
                [Step::Key(_), Step::Key(adapters), _, Step::Key(tag)] => {
                    adapters == "adapters" && tag == "type"
                }
                [Step::Key(evidence), Step::Key(tag)] => evidence == "evidence" && tag == "type",
                _ => false,
            }
        };
        let line = line_of(text, &trouble);
        let unfit = |step: &Step| match step {
            Step::Key(key) => Some(key.clone()).filter(|key| !hidden::is_field(key)),
            Step::Index(_) => None,
        };
        let hidden: Vec<String> = trouble.path().filter_map(unfit).collect();
        let error = RunbookProblem::from(trouble);
        let mut problem = error.to_string();
        for key in hidden {
            // A key that is no bare word is shown in quotes.
            problem = problem.replace(&format!("{key:?}"), "…").replace(&key, "…");
        }
        if names_type && matches!(error, RunbookProblem::WrongType { .. }) {
            problem
                .push_str("; a crate that brings another must be named in code: `use incident_slack as _;`");
        }
        Self { line, problem }
    }
}

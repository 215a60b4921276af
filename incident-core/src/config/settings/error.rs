//! Why text is no settings, and where, without repeating what may be a secret.

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use crate::config::hidden;
use crate::domain::runbook::RunbookError;
use crate::domain::runbook::parse::node::{Step, Trouble};

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
        let error = RunbookError::from(trouble);
        let mut problem = error.to_string();
        for key in hidden {
            // A key that is no bare word is shown in quotes.
            problem = problem.replace(&format!("{key:?}"), "…").replace(&key, "…");
        }
        if names_type && matches!(error, RunbookError::WrongType { .. }) {
            problem
                .push_str("; a crate that brings another must be named in code: `use incident_slack as _;`");
        }
        Self { line, problem }
    }
}

fn line_at(text: &str, at: usize) -> usize {
    text.get(..at).map_or(1, |before| before.matches('\n').count() + 1)
}

/// The line of the innermost part of the path that is written down.
fn line_of(text: &str, trouble: &Trouble) -> usize {
    let Ok(table) = DeTable::parse(text) else { return 1 };
    let mut at = 0;
    let mut within: Option<&DeValue<'_>> = None;
    for step in trouble.path() {
        let found = match (step, within) {
            (Step::Key(key), None) => entry(table.get_ref(), key),
            (Step::Key(key), Some(DeValue::Table(table))) => entry(table, key),
            (Step::Index(index), Some(DeValue::Array(items))) => {
                items.get(*index).map(|item| (item.span().start, item.get_ref()))
            }
            _ => None,
        };
        let Some((start, value)) = found else { break };
        (at, within) = (start, Some(value));
    }
    line_at(text, at)
}

fn entry<'t, 'i>(table: &'t DeTable<'i>, key: &str) -> Option<(usize, &'t DeValue<'i>)> {
    let named = |name: &Spanned<std::borrow::Cow<'_, str>>| name.get_ref() == key;
    table.iter().find(|(name, _)| named(name)).map(|(name, value)| (name.span().start, value.get_ref()))
}

//! Where in a TOML text a value stands.

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::node::{Step, Trouble};

/// The line of a byte of `text`, from 1.
pub(crate) fn line_at(text: &str, at: usize) -> usize {
    text.get(..at).map_or(1, |before| before.matches('\n').count() + 1)
}

/// The line, from 1, of the innermost part of the trouble's path that `text` contains.
pub(crate) fn line_of(text: &str, trouble: &Trouble) -> usize {
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

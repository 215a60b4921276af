//! Feature flags and the list of their changes.

use std::collections::BTreeMap;

use serde::Serialize;

/// All flags, by name.
#[derive(Debug, Default)]
pub(crate) struct Flags(BTreeMap<String, Vec<Change>>);

/// One change of a flag. The last one is its state.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Change {
    pub(crate) version: u64,
    pub(crate) value: bool,
    /// The id that the caller gave, so that a call that is sent again changes nothing.
    pub(crate) effect: Option<String>,
}

/// What came of setting a flag.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// It is as the change says, now or since an earlier call with the same id.
    Set(Change),
    /// It isn't at the version that the caller saw.
    Stale,
    /// There is no such flag.
    Unknown,
}

impl Flags {
    /// One flag called `name`, off.
    pub(crate) fn with(name: &str) -> Self {
        let off = Change { version: 1, value: false, effect: None };
        Self(BTreeMap::from([(name.to_owned(), vec![off])]))
    }

    pub(crate) fn is_on(&self, name: &str) -> bool {
        self.get(name).is_some_and(|last| last.value)
    }

    pub(crate) fn get(&self, name: &str) -> Option<&Change> {
        self.0.get(name)?.last()
    }

    /// What happened to the flag, oldest first, without how it began.
    pub(crate) fn changes(&self, name: &str) -> Option<&[Change]> {
        self.0.get(name)?.get(1..)
    }

    /// Sets a flag: once for each `effect`, and only at the version `seen`, if either is given.
    pub(crate) fn set(
        &mut self,
        name: &str,
        value: bool,
        effect: Option<&str>,
        seen: Option<u64>,
    ) -> Outcome {
        let Some(changes) = self.0.get_mut(name) else { return Outcome::Unknown };
        let Some(last) = changes.last().cloned() else { return Outcome::Unknown };
        // Before the version is looked at: a call that was done must be answered as done.
        if effect.is_some() && changes.iter().any(|change| change.effect.as_deref() == effect) {
            return Outcome::Set(last);
        }
        if seen.is_some_and(|seen| seen != last.version) {
            return Outcome::Stale;
        }
        let change = Change { version: last.version + 1, value, effect: effect.map(str::to_owned) };
        changes.push(change.clone());
        Outcome::Set(change)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_effect_changes_a_flag_once() {
        let mut flags = Flags::with("f");
        for _ in 0..2 {
            assert!(matches!(flags.set("f", true, Some("e"), Some(1)), Outcome::Set(it) if it.version == 2));
        }
        assert_eq!(flags.changes("f").unwrap().len(), 1);
        assert!(matches!(flags.set("f", true, None, None), Outcome::Set(it) if it.version == 3));
    }

    #[test]
    fn a_version_that_passed_changes_nothing() {
        let mut flags = Flags::with("f");
        assert_eq!(flags.set("f", true, Some("e"), Some(7)), Outcome::Stale);
        assert_eq!(flags.set("g", true, None, None), Outcome::Unknown);
        assert!(!flags.is_on("f"));
        assert_eq!(flags.changes("f"), Some(&[][..]));
    }
}

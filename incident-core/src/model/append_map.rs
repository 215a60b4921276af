//! A map that grows with the log, and takes as long to copy however much is in it.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

/// How long a run may be that is still written to: as much is copied if a copy shares it.
const SHORT: usize = 16;

/// How much longer a run is than the next one. Less makes more runs, and so a look take longer; more moves entries oftener.
const STEP: usize = 8;

/// Keys and their values, which copies share: every decision copies the state, and these grow with each command.
///
/// Sorted runs, the oldest and longest first, each more than `STEP` times as long as the next. So there are few of them to
/// look into, and what is in them was moved few times.
#[derive(Clone)]
pub struct AppendMap<K, V> {
    runs: Vec<Arc<Vec<(K, V)>>>,
}

impl<K: Ord + Clone, V: Clone> AppendMap<K, V> {
    /// The value of `key`.
    #[must_use]
    pub fn get(&self, key: &K) -> Option<&V> {
        self.runs.iter().rev().find_map(|run| place(run, key).ok().map(|at| &run[at].1))
    }

    /// Whether `key` has a value.
    #[must_use]
    pub fn contains_key(&self, key: &K) -> bool {
        self.get(key).is_some()
    }

    /// Gives `key` a value, instead of the one it may have.
    pub(crate) fn insert(&mut self, key: K, value: V) {
        if self.runs.last().is_none_or(|run| run.len() >= SHORT) {
            self.runs.push(Arc::default());
        }
        let Some(run) = self.runs.last_mut().map(Arc::make_mut) else { return };
        match place(run, &key) {
            Ok(at) => run[at].1 = value,
            Err(at) => run.insert(at, (key, value)),
        }
        if run.len() >= SHORT {
            self.merge();
        }
    }

    fn merge(&mut self) {
        while let [.., older, newer] = &self.runs[..]
            && older.len() <= STEP * newer.len()
        {
            let merged = merged(older, newer);
            self.runs.truncate(self.runs.len() - 2);
            self.runs.push(Arc::new(merged));
        }
    }
}

/// Both in order; of a key that both have, what the newer one says.
fn merged<K: Ord + Clone, V: Clone>(mut older: &[(K, V)], newer: &[(K, V)]) -> Vec<(K, V)> {
    let mut merged = Vec::with_capacity(older.len() + newer.len());
    for entry in newer {
        let at = older.partition_point(|(key, _)| *key < entry.0);
        let replaces = older.get(at).is_some_and(|(key, _)| *key == entry.0);
        merged.extend_from_slice(&older[..at]);
        merged.push(entry.clone());
        older = &older[at + usize::from(replaces)..];
    }
    merged.extend_from_slice(older);
    merged
}

impl<K: Ord, V> AppendMap<K, V> {
    /// All of them, in order.
    pub(crate) fn all(&self) -> BTreeMap<&K, &V> {
        self.runs.iter().flat_map(|run| run.iter()).map(|(key, value)| (key, value)).collect()
    }
}

fn place<K: Ord, V>(run: &[(K, V)], key: &K) -> Result<usize, usize> {
    run.binary_search_by(|(other, _)| other.cmp(key))
}

impl<K, V> Default for AppendMap<K, V> {
    fn default() -> Self {
        Self { runs: Vec::new() }
    }
}

impl<K: Ord, V: PartialEq> PartialEq for AppendMap<K, V> {
    fn eq(&self, other: &Self) -> bool {
        self.all() == other.all()
    }
}

impl<K: Ord + fmt::Debug, V: fmt::Debug> fmt::Debug for AppendMap<K, V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.all().fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_a_map_whatever_the_order() {
        let (mut appended, mut map) = (AppendMap::default(), BTreeMap::new());
        for n in 0_u64..2_000 {
            let key = n * 7_919 % 1_201;
            appended.insert(key, n);
            map.insert(key, n);
            assert_eq!(appended.get(&key), Some(&n));
        }
        assert_eq!(appended.all(), map.iter().collect());
        assert!(!appended.contains_key(&1_201));
    }

    #[test]
    fn a_copy_is_not_changed_by_what_comes_later() {
        let mut appended = AppendMap::default();
        for n in 0..40 {
            let copy = appended.clone();
            appended.insert(n, n);
            assert!(!copy.contains_key(&n));
        }
    }

    #[test]
    fn there_are_few_runs() {
        let mut appended = AppendMap::default();
        (0..100_000).for_each(|n| appended.insert(n, ()));
        assert!(appended.runs.len() < 7, "{}", appended.runs.len());
    }
}

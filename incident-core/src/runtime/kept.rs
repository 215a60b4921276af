//! What an engine keeps although nobody uses it, up to a number.

use std::collections::BTreeMap;
use std::sync::Arc;

/// How many are kept at least.
const LEAST: usize = 1_024;

/// Things by their keys. When there are many, those that nobody uses are given up.
#[derive(Debug)]
pub(super) struct Kept<K, V> {
    things: BTreeMap<K, Arc<V>>,
    /// When to look for what nobody uses: as many in use aren't looked through at each call.
    most: usize,
}

impl<K: Ord, V: Default> Kept<K, V> {
    /// The thing of `key`, a new one if there is none.
    pub(super) fn of(&mut self, key: K) -> Arc<V> {
        if self.things.len() >= self.most {
            self.things.retain(|_, thing| Arc::strong_count(thing) > 1);
            self.most = LEAST.max(2 * self.things.len());
        }
        Arc::clone(self.things.entry(key).or_default())
    }

    /// The thing of `key`, if it is kept.
    pub(super) fn get(&self, key: &K) -> Option<&Arc<V>> {
        self.things.get(key)
    }
}

impl<K, V> Default for Kept<K, V> {
    fn default() -> Self {
        Self { things: BTreeMap::new(), most: LEAST }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_used_stays_and_the_rest_is_given_up_in_time() {
        let mut kept = Kept::<usize, ()>::default();
        let used: Vec<_> = (0..3_000).map(|key| kept.of(key)).collect();
        (3_000..50_000).for_each(|key| drop(kept.of(key)));
        assert!(kept.things.len() <= 2 * 3_000, "{}", kept.things.len());
        assert!(used.iter().enumerate().all(|(key, thing)| Arc::ptr_eq(thing, &kept.of(key))));
    }
}

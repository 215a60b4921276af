//! A small map in order of its keys, whose copies share its values.

use std::borrow::Borrow;
use std::fmt;
use std::ops::Index;
use std::sync::Arc;

/// Keys and their values, in order of the keys.
///
/// Every decision copies the state, and changes little of it: a copy of this map shares each value until one of the two
/// changes it. It is made for some dozens of entries, most of which are added at the end.
#[derive(Clone, PartialEq, Eq)]
pub struct CowMap<K, V> {
    entries: Vec<(K, Arc<V>)>,
}

impl<K, V> CowMap<K, V> {
    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// Keys and values, in order.
    pub fn iter(&self) -> Iter<'_, K, V> {
        fn parts<K, V>((key, value): &(K, Arc<V>)) -> (&K, &V) {
            (key, value)
        }
        self.entries.iter().map(parts::<K, V> as fn(&(K, Arc<V>)) -> (&K, &V))
    }

    /// The keys, in order.
    pub fn keys(&self) -> impl DoubleEndedIterator<Item = &K> + ExactSizeIterator {
        self.entries.iter().map(|(key, _)| key)
    }

    /// The values, in order of their keys.
    pub fn values(&self) -> impl DoubleEndedIterator<Item = &V> + ExactSizeIterator {
        self.entries.iter().map(|(_, value)| &**value)
    }
}

impl<K: Ord, V> CowMap<K, V> {
    /// The value of `key`.
    #[must_use]
    pub fn get<Q: Ord + ?Sized>(&self, key: &Q) -> Option<&V>
    where
        K: Borrow<Q>,
    {
        self.place(key).ok().map(|at| &*self.entries[at].1)
    }

    /// Whether `key` has a value.
    #[must_use]
    pub fn contains_key<Q: Ord + ?Sized>(&self, key: &Q) -> bool
    where
        K: Borrow<Q>,
    {
        self.place(key).is_ok()
    }

    /// Keys before `end` and their values, in order.
    pub fn before<Q: Ord + ?Sized>(&self, end: &Q) -> impl DoubleEndedIterator<Item = (&K, &V)>
    where
        K: Borrow<Q>,
    {
        let (Ok(end) | Err(end)) = self.place(end);
        self.iter().take(end)
    }

    /// Gives `key` a value, instead of the one it may have.
    pub(crate) fn insert(&mut self, key: K, value: V) {
        match self.place(&key) {
            Ok(at) => self.entries[at].1 = Arc::new(value),
            Err(at) => self.entries.insert(at, (key, Arc::new(value))),
        }
    }

    /// Takes `key` and its value out.
    pub(crate) fn remove(&mut self, key: &K) -> Option<Arc<V>> {
        self.place(key).ok().map(|at| self.entries.remove(at).1)
    }

    fn place<Q: Ord + ?Sized>(&self, key: &Q) -> Result<usize, usize>
    where
        K: Borrow<Q>,
    {
        // Most are looked for or added at the end.
        match self.entries.last() {
            Some((last, _)) if last.borrow() < key => Err(self.entries.len()),
            _ => self.entries.binary_search_by(|(other, _)| other.borrow().cmp(key)),
        }
    }
}

impl<K: Ord, V: Clone> CowMap<K, V> {
    /// The value of `key`, to change.
    pub(crate) fn get_mut(&mut self, key: &K) -> Option<&mut V> {
        self.place(key).ok().map(|at| Arc::make_mut(&mut self.entries[at].1))
    }

    /// The first value that `is_it`, to change.
    pub(crate) fn find_mut(&mut self, is_it: impl Fn(&V) -> bool) -> Option<&mut V> {
        self.entries.iter_mut().find(|(_, value)| is_it(value)).map(|(_, value)| Arc::make_mut(value))
    }
}

impl<K, V> Default for CowMap<K, V> {
    fn default() -> Self {
        Self { entries: Vec::new() }
    }
}

impl<K: fmt::Debug, V: fmt::Debug> fmt::Debug for CowMap<K, V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(self).finish()
    }
}

impl<K: Ord + Borrow<Q>, Q: Ord + ?Sized, V> Index<&Q> for CowMap<K, V> {
    type Output = V;

    fn index(&self, key: &Q) -> &V {
        self.get(key).expect("the key has a value")
    }
}

/// Keys and values of a [`CowMap`], in order.
pub type Iter<'a, K, V> = std::iter::Map<std::slice::Iter<'a, (K, Arc<V>)>, fn(&(K, Arc<V>)) -> (&K, &V)>;

impl<'a, K, V> IntoIterator for &'a CowMap<K, V> {
    type Item = (&'a K, &'a V);
    type IntoIter = Iter<'a, K, V>;

    fn into_iter(self) -> Iter<'a, K, V> {
        self.iter()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    #[test]
    fn it_is_a_map_whatever_the_order() {
        let (mut shared, mut map) = (CowMap::default(), BTreeMap::new());
        for n in 0_u64..400 {
            let key = n * 7_919 % 101;
            if n % 3 == 0 {
                assert_eq!(shared.remove(&key).map(Arc::unwrap_or_clone), map.remove(&key));
            } else {
                shared.insert(key, n);
                map.insert(key, n);
            }
            assert_eq!(shared.get(&key), map.get(&key));
            assert!(shared.iter().eq(&map));
            assert!(shared.before(&key).eq(map.range(..key)));
        }
    }

    #[test]
    fn a_copy_is_not_changed_by_what_comes_later() {
        let mut shared = CowMap::default();
        shared.insert(1, "one".to_owned());
        let copy = shared.clone();
        assert!(std::ptr::eq(&shared[&1], &copy[&1]));
        shared.get_mut(&1).unwrap().push('!');
        shared.insert(2, "two".to_owned());
        assert_eq!((copy.len(), &*copy[&1]), (1, "one"));
    }
}

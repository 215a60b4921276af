//! Chance, from a seed alone; and the faults that it brings.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use tokio::sync::Notify;

/// Numbers that are the same for the same seed (splitmix).
#[derive(Debug, Clone)]
pub(crate) struct Dice(Arc<Mutex<u64>>);

impl Dice {
    pub(crate) fn new(seed: u64) -> Self {
        Self(Arc::new(Mutex::new(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ 0x1234_5678_9abc_def0)))
    }

    pub(crate) fn number(&self) -> u64 {
        let mut state = self.0.lock().unwrap();
        *state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = *state;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    pub(crate) fn below(&self, bound: usize) -> usize {
        usize::try_from(self.number() % u64::try_from(bound.max(1)).unwrap()).unwrap()
    }

    /// Whether something happens that happens in so many of a thousand cases.
    pub(crate) fn permille(&self, chance: usize) -> bool {
        chance > 0 && self.below(1_000) < chance
    }

    pub(crate) fn one<T: Copy>(&self, of: &[T]) -> T {
        of[self.below(of.len())]
    }
}

/// How stormy a seed is: chances in a thousand.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Weather {
    pub(crate) crash: usize,
    pub(crate) store: usize,
    pub(crate) call: usize,
}

/// What goes wrong, while it may, and how often it did.
#[derive(Debug, Clone)]
pub(crate) struct Faults {
    pub(crate) dice: Dice,
    shared: Arc<Mutex<(Weather, BTreeMap<&'static str, usize>)>>,
}

impl Faults {
    pub(crate) fn new(dice: Dice, weather: Weather) -> Self {
        Self { dice, shared: Arc::new(Mutex::new((weather, BTreeMap::new()))) }
    }

    pub(crate) fn weather(&self) -> Weather {
        self.shared.lock().unwrap().0
    }

    /// The storm is over.
    pub(crate) fn end(&self) {
        self.shared.lock().unwrap().0 = Weather::default();
    }

    pub(crate) fn count(&self, fault: &'static str) {
        *self.shared.lock().unwrap().1.entry(fault).or_default() += 1;
    }

    pub(crate) fn counted(&self) -> BTreeMap<&'static str, usize> {
        self.shared.lock().unwrap().1.clone()
    }

    /// Lets others go first, as often as chance has it.
    pub(crate) async fn yields(&self) {
        for _ in 0..self.dice.below(3) {
            tokio::task::yield_now().await;
        }
    }
}

/// How long a process lives: what its store and adapters still do for it. After that none of its calls goes on, although its
/// tasks are still there.
#[derive(Debug, Clone, Default)]
pub(crate) struct Life {
    left: Arc<Mutex<Option<usize>>>,
    over: Arc<Notify>,
}

impl Life {
    /// Ends it after so many more steps of its calls.
    pub(crate) fn ends_after(&self, steps: usize) {
        *self.left.lock().unwrap() = Some(steps);
    }

    /// Goes on, unless the process is dead.
    pub(crate) async fn goes_on(&self) {
        let dead = match &mut *self.left.lock().unwrap() {
            None => false,
            Some(0) => true,
            Some(left) => {
                *left -= 1;
                false
            }
        };
        if dead {
            self.over.notify_one();
            std::future::pending::<()>().await;
        }
    }

    /// Waits for its end.
    pub(crate) async fn ended(&self) {
        self.over.notified().await;
    }
}

//! Turns: what callers ask for while somebody's turn is under way is done together in the next one.

use std::collections::VecDeque;
use std::future::Future;
use std::sync::Mutex;

use tokio::sync::oneshot;

use super::engine::locked;
use super::finishing::Finishing;

/// What waits for a turn, and what those whose turn it is know.
#[derive(Debug)]
pub(super) struct Lane<T, R, S> {
    waiting: Mutex<VecDeque<(T, oneshot::Sender<R>)>>,
    pub(super) turn: tokio::sync::Mutex<S>,
}

impl<T, R, S> Lane<T, R, S> {
    /// Queues `item` and waits for what came of it; none if nobody answered. `turn` waits for a turn and does what waits
    /// then; it finishes although the caller is gone.
    pub(super) async fn ask(&self, item: T, turn: impl Future<Output = ()> + Send + 'static) -> Option<R> {
        let (reply, mut answer) = oneshot::channel();
        locked(&self.waiting).push_back((item, reply));
        let turn = Finishing::new(turn);
        let answered = tokio::select! {
            biased;
            // Another caller's turn may have done it.
            answered = &mut answer => answered,
            () = turn => answer.await,
        };
        answered.ok()
    }

    /// The first that waits, and those after it up to one that doesn't fit.
    pub(super) fn take(&self, mut fits: impl FnMut(&T) -> bool) -> (Vec<T>, Vec<oneshot::Sender<R>>) {
        let mut waiting = locked(&self.waiting);
        std::iter::from_fn(|| waiting.pop_front_if(|(item, _)| fits(item))).unzip()
    }
}

impl<T, R, S: Default> Default for Lane<T, R, S> {
    fn default() -> Self {
        Self { waiting: Mutex::default(), turn: tokio::sync::Mutex::default() }
    }
}

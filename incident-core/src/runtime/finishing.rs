//! Work that ends although whoever waits for it goes away.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use tokio::runtime::Handle;

/// A future that its caller drives, for that costs no change of threads; what is left of it when the caller drops it goes
/// on as a task.
pub(super) struct Finishing<F: Future<Output = ()> + Send + 'static> {
    rest: Option<Pin<Box<F>>>,
    runtime: Handle,
}

impl<F: Future<Output = ()> + Send + 'static> Finishing<F> {
    /// Of `work`, on the runtime that this is called in.
    pub(super) fn new(work: F) -> Self {
        Self { rest: Some(Box::pin(work)), runtime: Handle::current() }
    }
}

impl<F: Future<Output = ()> + Send + 'static> Future for Finishing<F> {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        // Out of its place while it is polled: nothing is left of work that panics.
        let Some(mut rest) = self.rest.take() else { return Poll::Ready(()) };
        let polled = rest.as_mut().poll(cx);
        if polled.is_pending() {
            self.rest = Some(rest);
        }
        polled
    }
}

impl<F: Future<Output = ()> + Send + 'static> Drop for Finishing<F> {
    fn drop(&mut self) {
        if let Some(rest) = self.rest.take() {
            self.runtime.spawn(rest);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::future::poll_fn;
    use std::panic::AssertUnwindSafe;
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};

    use futures_util::FutureExt as _;

    use super::*;

    #[tokio::test]
    async fn what_its_caller_drops_goes_on_and_what_panicked_does_not() {
        for (panics, polled) in [(false, 2), (true, 1)] {
            let polls = Arc::new(AtomicUsize::new(0));
            let counted = Arc::clone(&polls);
            let mut work = Finishing::new(poll_fn(move |_| {
                counted.fetch_add(1, Ordering::Relaxed);
                assert!(!panics, "it fails");
                Poll::Pending
            }));
            assert_eq!(AssertUnwindSafe(&mut work).catch_unwind().now_or_never().is_some(), panics);
            drop(work);
            tokio::task::yield_now().await;
            assert_eq!(polls.load(Ordering::Relaxed), polled, "{panics}");
        }
    }
}

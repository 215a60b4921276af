//! Calls into adapters: each in a task of its own, with a deadline, and caught if it panics or blocks its thread.

use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::runtime::{Handle, RuntimeFlavor};
use tokio::task::JoinHandle;
use tokio::time::Instant;

use super::places::Backend;

/// How much longer than its deadline a call may take: the adapter's own deadline comes first, and says more.
const LONGER: Duration = Duration::from_millis(250);

/// The outcome of a call to `backend`, or why there is none. Whether the backend did what it was asked is unknown then.
///
/// The call runs as a task of its own, so one that blocks its thread keeps nothing else waiting. Dropping this future stops
/// the call.
pub(super) async fn call<T: Send + 'static>(
    backend: &Arc<Backend>,
    time: Duration,
    call: impl Future<Output = T> + Send + 'static,
) -> Result<T, &'static str> {
    let runtime = Handle::current();
    let many_threads = runtime.runtime_flavor() != RuntimeFlavor::CurrentThread;
    let mut task = if backend.blocks() && !many_threads {
        let on = runtime.clone();
        Stopped(runtime.spawn_blocking(move || on.block_on(tokio::time::timeout(time + LONGER, call)).ok()))
    } else {
        let call = Box::pin(call);
        let watched = Watched { call, backend: Arc::clone(backend), many_threads };
        Stopped(runtime.spawn(async move { Some(watched.await) }))
    };
    tokio::select! {
        // The time first: a call that wasn't polled for long doesn't go on after it.
        biased;
        () = tokio::time::sleep(time + LONGER) => Err(LATE),
        ended = &mut task.0 => match ended {
            Ok(outcome) => outcome.ok_or(LATE),
            Err(error) if error.is_panic() => Err(PANICKED),
            Err(_) => Err("the call was stopped because the process shuts down"),
        },
    }
}

const LATE: &str = "the call took longer than its deadline";
const PANICKED: &str = "the adapter panicked";

/// What an adapter answers at once, or that it panicked.
pub(super) fn ask<T>(question: impl FnOnce() -> T) -> Result<T, &'static str> {
    catch_unwind(AssertUnwindSafe(question)).map_err(|_| PANICKED)
}

/// A task that is stopped when dropped.
struct Stopped<T>(JoinHandle<T>);

impl<T> Drop for Stopped<T> {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// A call whose time on its thread is measured.
struct Watched<F> {
    call: Pin<Box<F>>,
    backend: Arc<Backend>,
    many_threads: bool,
}

impl<F: Future> Future for Watched<F> {
    type Output = F::Output;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        let begun = Instant::now();
        let polled = if self.many_threads && !self.backend.is_trusted() {
            // Hands the other tasks of this thread to another one first.
            tokio::task::block_in_place(|| self.call.as_mut().poll(cx))
        } else {
            self.call.as_mut().poll(cx)
        };
        self.backend.polled(begun.elapsed());
        if polled.is_ready() {
            self.backend.ended();
        }
        polled
    }
}

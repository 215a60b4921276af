//! The requests of the last while, and what they say about the shop's health.

use std::collections::VecDeque;
use std::time::Duration;

use serde::Serialize;
use tokio::time::Instant;

/// Requests that are kept at most, so that a long window under load stays small.
const MOST: usize = 20_000;

/// A sliding window over requests.
#[derive(Debug)]
pub(crate) struct Window {
    length: Duration,
    requests: VecDeque<Request>,
}

#[derive(Debug)]
struct Request {
    at: Instant,
    took: Duration,
    is_good: bool,
}

/// What the window shows. Without requests there is nothing to show.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(crate) struct Health {
    pub(crate) requests: usize,
    /// The share of requests that failed, from 0 to 1.
    pub(crate) error_rate: Option<f64>,
    /// The time within which 95 of 100 requests were answered, in milliseconds.
    pub(crate) p95_ms: Option<f64>,
}

impl Window {
    pub(crate) fn new(length: Duration) -> Self {
        Self { length, requests: VecDeque::new() }
    }

    pub(crate) fn add(&mut self, at: Instant, took: Duration, is_good: bool) {
        if self.requests.len() == MOST {
            self.requests.pop_front();
        }
        self.requests.push_back(Request { at, took, is_good });
    }

    pub(crate) fn health(&mut self, now: Instant) -> Health {
        while self.requests.front().is_some_and(|oldest| now.duration_since(oldest.at) > self.length) {
            self.requests.pop_front();
        }
        let requests = self.requests.len();
        if requests == 0 {
            return Health { requests, error_rate: None, p95_ms: None };
        }
        let failed = self.requests.iter().filter(|request| !request.is_good).count();
        let mut times: Vec<_> = self.requests.iter().map(|request| request.took).collect();
        let rank = (requests * 95).div_ceil(100) - 1;
        let (_, p95, _) = times.select_nth_unstable(rank);
        Health {
            requests,
            error_rate: Some(failed as f64 / requests as f64),
            p95_ms: Some(p95.as_secs_f64() * 1000.0),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_in_the_window_counts() {
        let start = Instant::now();
        let second = Duration::from_secs(1);
        let mut window = Window::new(second * 10);
        assert_eq!(window.health(start), Health { requests: 0, error_rate: None, p95_ms: None });
        for failed in 0..4 {
            window.add(start, second * 2, failed > 0);
        }
        window.add(start + second * 5, second, true);
        let all = Health { requests: 5, error_rate: Some(0.2), p95_ms: Some(2000.0) };
        assert_eq!(window.health(start + second * 10), all);
        let last = Health { requests: 1, error_rate: Some(0.0), p95_ms: Some(1000.0) };
        assert_eq!(window.health(start + second * 11), last);
    }
}

//! Two hundred updates at once: within GitHub's limits, in order, and none lost. Time is turned by hand.

use std::time::Duration;

use incident_core::model::ticket::{CommentTicket, TicketChange};
use incident_core::port::{ErrorKind, Retry, Tracker};
use incident_github::{GithubBackend, GithubConfig, GithubTracker};

use crate::fake::Fake;
use crate::{first, ticket};

const UPDATES: usize = 200;

/// Says `words` as the engine would: waits as long as it is told, and tries again.
async fn say(tracker: &GithubTracker, number: u64, issue: u64, words: &str) {
    let change = TicketChange::Comment(CommentTicket::new(ticket(issue), words));
    loop {
        match tracker.apply(&first(number), &change).await {
            Ok(_) => return,
            Err(error) => {
                let Retry::After(Some(wait)) = error.retry else { panic!("{error}") };
                assert_eq!(error.kind, ErrorKind::RateLimited, "{error}");
                tokio::time::sleep(wait).await;
            }
        }
    }
}

/// When each write came, in the fake's time.
fn times(fake: &Fake) -> Vec<Duration> {
    fake.writes().iter().map(|asked| asked.after).collect()
}

/// The most writes in any window of this length.
fn densest(times: &[Duration], window: Duration) -> usize {
    times
        .iter()
        .map(|from| times.iter().filter(|at| **at >= *from && **at < *from + window).count())
        .max()
        .unwrap_or(0)
}

fn tracker(fake: &Fake) -> GithubTracker {
    GithubBackend::with_client(GithubConfig::new("acme/shop"), fake.client()).unwrap().into_tracker()
}

#[tokio::test(start_paused = true)]
async fn a_storm_of_updates_stays_within_the_limits_and_in_order() {
    let fake = Fake::in_memory();
    fake.state().put_issue("incident-bot", "the incident", "");
    let tracker = tracker(&fake);
    for number in 0..UPDATES {
        say(&tracker, number as u64 + 1, 1, &format!("update {number}.")).await;
    }
    let said = fake.state().said(1);
    assert_eq!(said.len(), UPDATES);
    for (number, words) in said.iter().enumerate() {
        assert!(words.starts_with(&format!("update {number}.")), "{words} came as no. {number}");
    }
    let times = times(&fake);
    assert!(times.windows(2).all(|pair| pair[1] - pair[0] >= Duration::from_secs(1)), "{times:?}");
    assert_eq!(densest(&times, Duration::from_secs(60)), 60, "a second apart, a minute has 60");
}

#[tokio::test(start_paused = true)]
async fn incidents_share_the_limits_of_a_minute_and_an_hour() {
    let fake = Fake::in_memory();
    let mut config = GithubConfig::new("acme/shop");
    config.content.spacing = Duration::from_millis(100);
    config.content.per_hour = 150;
    let tracker = GithubBackend::with_client(config, fake.client()).unwrap().into_tracker();
    for number in 1..=10 {
        fake.state().put_issue("incident-bot", &format!("incident {number}"), "");
    }
    let tracker = &tracker;
    let incidents = (1..=10).map(|issue| async move {
        for number in 0..UPDATES as u64 / 10 {
            say(tracker, issue * 1_000 + number, issue, &format!("update {number}.")).await;
        }
    });
    futures_util::future::join_all(incidents).await;
    let times = times(&fake);
    assert_eq!(times.len(), UPDATES);
    assert_eq!(densest(&times, Duration::from_secs(60)), 80);
    assert_eq!(densest(&times, Duration::from_secs(3600)), 150);
    for issue in 1..=10 {
        let said = fake.state().said(issue);
        let in_order =
            said.iter().enumerate().all(|(number, it)| it.starts_with(&format!("update {number}.")));
        assert!(in_order && said.len() == UPDATES / 10, "{said:?}");
    }
}

//! Real replicas on a real PostgreSQL: killed, stopped, cut off, and their server with them. Nothing is lost, and nothing
//! is done twice. What takes longer or measures is run by hand:
//! `cargo test -p incident-replica --test fleet -- --ignored --nocapture`.

#![allow(
    clippy::unwrap_used,
    clippy::print_stderr,
    missing_docs,
    reason = "a test fails by panicking, documents itself by its name, and measures real time"
)]

mod backend;
mod checks;
mod fleet;
mod people;

use std::time::Duration;

use fleet::{Fleet, LEASE};
use incident_postgres_testing::Server;
use people::People;
use tokio::time::{Instant, sleep, timeout};

/// Numbers that look random and are the same each time.
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % bound as u64).unwrap()
    }
}

/// Brings every case to its end.
async fn comes_to_rest(people: &mut People, fleet: &mut Fleet) {
    let rest = async {
        loop {
            fleet.revive();
            people.go_on().await;
            let mut busy = people.open();
            for case in people.cases.iter().filter(|case| case.closed) {
                let state = people.desk.incident(case.id).state().await;
                busy += usize::from(!state.is_ok_and(|state| state.effects.is_empty()));
            }
            if busy == 0 {
                return;
            }
            sleep(Duration::from_millis(20)).await;
        }
    };
    if timeout(Duration::from_secs(120), rest).await.is_err() {
        let mut left = Vec::new();
        for case in &people.cases {
            let state = people.desk.incident(case.id).state().await.unwrap();
            if state.ended.is_none() || !state.effects.is_empty() {
                let stages: Vec<_> = state.mitigations.values().map(|it| it.stage).collect();
                let effects = state.effects.values().map(|it| (&it.work, &it.route, &it.state, it.attempts));
                let effects: Vec<_> = effects.collect();
                left.push(format!("{} in {}: {stages:?} {effects:?}", case.id, state.phase));
            }
        }
        panic!("{} cases don't come to an end: {left:#?}", left.len());
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whatever_dies_nothing_is_lost_and_nothing_done_twice() {
    survives(100).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "takes some minutes"]
async fn also_a_thousand_times() {
    survives(1_000).await;
}

async fn survives(kills: usize) {
    let mut fleet = Fleet::with(Server::start(), 3).await;
    let mut people = People::at(fleet.desk().await);
    let mut numbers = Numbers(0x9e37_79b9_7f4a_7c15);
    let (mut killed, mut stops, mut crashes, mut cuts) = (0, 0, 0, 0);
    let begun = Instant::now();
    for round in 0.. {
        if killed >= kills {
            break;
        }
        while people.open() < 12 {
            people.declare().await;
        }
        fleet.revive();
        // The next blow falls after a few more calls, so that it falls at all kinds of moments.
        let until = fleet.backend.inbox.lock().unwrap().calls + numbers.below(6);
        let some = async {
            while fleet.backend.inbox.lock().unwrap().calls < until {
                people.go_on().await;
                sleep(Duration::from_millis(2)).await;
            }
        };
        let _ = timeout(Duration::from_millis(400), some).await;
        let n = numbers.below(3);
        match round % 50 {
            17 => {
                fleet.signal(n, "-STOP");
                let past = Instant::now() + LEASE * 2;
                while Instant::now() < past {
                    people.go_on().await;
                    sleep(Duration::from_millis(20)).await;
                }
                fleet.signal(n, "-CONT");
                stops += 1;
            }
            33 => {
                fleet.server.crash_and_restart();
                crashes += 1;
            }
            7 | 41 => {
                fleet.relay.set_down(true);
                people.go_on().await;
                fleet.relay.set_down(false);
                cuts += 1;
            }
            _ => {
                fleet.kill(n);
                fleet.start(n);
                killed += 1;
            }
        }
    }
    comes_to_rest(&mut people, &mut fleet).await;
    let tickets = fleet.tickets();
    let inbox = std::mem::take(&mut *fleet.backend.inbox.lock().unwrap());
    let count = checks::all_is_well(&people, &inbox, &tickets).await;
    assert!(count.executed > 0 && count.breaches > 0, "{count:?}");
    eprintln!(
        "{killed} kills, {stops} stops past the lease, {crashes} crashes of the server, {cuts} cuts in {:.0?}; \
         {} incidents, {} effects, {} executions, {} repeats marked as such, {} breaches",
        begun.elapsed(),
        people.cases.len(),
        count.effects,
        count.executed,
        count.repeats,
        count.breaches,
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "measures"]
async fn how_soon_another_takes_over() {
    let mut fleet = Fleet::with(Server::start(), 2).await;
    let mut people = People::at(fleet.desk().await);
    let mut taken = Vec::new();
    for _ in 0..10 {
        fleet.backend.inbox.lock().unwrap().holds = true;
        let id = people.declare().await;
        let came = |fleet: &Fleet| {
            let inbox = fleet.backend.inbox.lock().unwrap();
            inbox
                .notices
                .iter()
                .filter(|it| it.effect.starts_with(&id.to_string()))
                .cloned()
                .collect::<Vec<_>>()
        };
        while came(&fleet).is_empty() {
            sleep(Duration::from_millis(1)).await;
        }
        // Whoever began it dies; the log says who that was.
        let records = people.desk.incident(id).records().await.unwrap();
        let worker = records.iter().find_map(|record| match &record.fact {
            incident_core::log::event::Fact::EffectStarted(started) => Some(started.worker.clone()),
            _ => None,
        });
        let n = usize::from(worker.as_deref() == Some("replica-1"));
        let (died, before) = (Instant::now(), came(&fleet));
        fleet.kill(n);
        fleet.backend.inbox.lock().unwrap().holds = false;
        loop {
            let again = came(&fleet);
            let repeated =
                again.iter().skip(before.len()).find(|it| before.iter().any(|b| b.effect == it.effect));
            if let Some(repeated) = repeated {
                taken.push(repeated.at - died);
                break;
            }
            sleep(Duration::from_millis(1)).await;
        }
        fleet.start(n);
        comes_to_rest(&mut people, &mut fleet).await;
    }
    taken.sort_unstable();
    eprintln!("lease {LEASE:?}; taken over after {:.2?} (median), {:.2?} (longest)", taken[5], taken[9]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "measures"]
async fn how_much_replicas_do() {
    for replicas in [1, 3] {
        let mut fleet = Fleet::with(Server::durable(), replicas).await;
        let mut people = People::at(fleet.desk().await);
        let begun = Instant::now();
        while begun.elapsed() < Duration::from_secs(20) {
            while people.open() < 32 {
                people.declare().await;
            }
            people.go_on().await;
        }
        let (seconds, kinds) = (begun.elapsed().as_secs_f64(), people.kinds().await);
        let effects = kinds.get("EffectSettled").copied().unwrap_or(0);
        let records: usize = kinds.values().sum();
        eprintln!(
            "{replicas} replicas: {:.0} commands/s, {:.0} effects/s, {:.0} records/s",
            people.answered as f64 / seconds,
            effects as f64 / seconds,
            records as f64 / seconds,
        );
        fleet.revive();
    }
}

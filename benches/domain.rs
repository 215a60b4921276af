//! The pure part: reading a log, deciding, and what is due.
#![allow(missing_docs, reason = "a measurement is called what it measures")]

use std::hint::black_box;
use std::time::Duration;

use divan::Bencher;
use divan::counter::ItemsCount;
use incident_benches::{folded, id_of, log};
use incident_core::log::chain;
use incident_core::log::chain::StoredRecord;
use incident_core::log::incident::Incident;
use incident_core::model::id::{CommandId, IncidentId};
use incident_core::model::role::Actor;
use incident_core::model::route::{Route, Routes};
use incident_core::model::severity::{Audience, Severity};
use incident_core::model::time::Time;
use incident_core::model::time::after;
use incident_core::rules::command::{Command, Declare, Note, PostUpdate, Request};
use incident_core::rules::context::Context;
use incident_core::rules::decide::decide;
use incident_core::rules::due::due;
use incident_core::runbook::Runbook;

const RECORDS: usize = 200;
/// The incident of the corpus is in its investigation then, with effects and deadlines open.
const UNDER_WAY: usize = 60;
const INCIDENTS: usize = 10_000;

fn main() {
    divan::main();
}

mod log_of_200 {
    use super::*;

    /// The least that reading takes: the bodies as JSON of no kind.
    #[divan::bench]
    fn parse_to_value(bencher: Bencher<'_, '_>) {
        let log = log(RECORDS);
        bencher.counter(ItemsCount::new(RECORDS)).bench(|| parse(black_box(&log)));
    }

    #[divan::bench]
    fn decode(bencher: Bencher<'_, '_>) {
        let log = log(RECORDS);
        bencher
            .counter(ItemsCount::new(RECORDS))
            .bench(|| black_box(&log).iter().map(chain::decode).collect::<Result<Vec<_>, _>>());
    }

    /// What the engine does: the links checked, the records read, the state folded.
    #[divan::bench]
    fn fold(bencher: Bencher<'_, '_>) {
        let log = log(RECORDS);
        let id = id_of(&log);
        bencher.counter(ItemsCount::new(RECORDS)).bench(|| chain::fold(id, black_box(&log)));
    }

    #[divan::bench]
    fn verify(bencher: Bencher<'_, '_>) {
        let log = log(RECORDS);
        let id = id_of(&log);
        bencher.counter(ItemsCount::new(RECORDS)).bench(|| chain::verify(id, black_box(&log), None));
    }

    fn parse(log: &[StoredRecord]) -> Vec<serde_json::Value> {
        let body = |stored: &StoredRecord| serde_json::from_slice(&stored.body).expect("a body is JSON");
        log.iter().map(body).collect()
    }
}

/// Every incident of 10,000 looked at once.
#[divan::bench]
fn due_of_10000(bencher: Bencher<'_, '_>) {
    let one = folded(&log(UNDER_WAY));
    assert!(!one.is_settled(), "an incident that owes nothing measures nothing");
    let now = after(one.recorded_at, Duration::from_secs(120));
    let all: Vec<Incident> = std::iter::repeat_n(one, INCIDENTS).collect();
    bencher
        .counter(ItemsCount::new(INCIDENTS))
        .bench(|| black_box(&all).iter().map(|incident| due(incident, now)).filter(|due| due.wake).count());
}

mod decide_one {
    use super::*;

    #[divan::bench]
    fn declare(bencher: Bencher<'_, '_>) {
        let declare = Declare::new("checkout is down").severity(Severity::Sev1).service("checkout");
        let blank = Incident::blank(IncidentId::new(Time::UNIX_EPOCH, [7; 16]));
        measure(bencher, &blank, Command::Declare(Box::new(declare)));
    }

    #[divan::bench]
    fn note(bencher: Bencher<'_, '_>) {
        measure(bencher, &folded(&log(UNDER_WAY)), Command::Note(Note { text: "seen".to_owned() }));
    }

    #[divan::bench]
    fn update(bencher: Bencher<'_, '_>) {
        let progress = "the last deployment is suspected".to_owned();
        let update = PostUpdate { progress, next_steps: None, eta: None, public: None };
        measure(bencher, &folded(&log(UNDER_WAY)), Command::PostUpdate(update));
    }

    fn measure(bencher: Bencher<'_, '_>, incident: &Incident, command: Command) {
        let (runbook, drill) = (Runbook::default(), Routes::default());
        let mut live = Routes::default();
        let audiences = [Audience::RESPONDERS, Audience::TEAM, Audience::LEADERSHIP, Audience::CUSTOMERS];
        live.notices = vec![Route::new("chat", &audiences)];
        let cx = Context {
            now: after(incident.recorded_at, Duration::from_secs(60)),
            runbook: &runbook,
            digest: runbook.digest(),
            live: &live,
            drill: &drill,
            taken: &[],
            others: &[],
            open_incidents: Some(1),
            entropy: [9; 16],
        };
        let request = Request::new(CommandId::named("measured"), Actor::human("chat", "alice"), command);
        let decision = decide(incident, &request, &cx).expect("the command is possible");
        assert!(!decision.records.is_empty(), "the command is carried out");
        bencher.bench(|| decide(black_box(incident), black_box(&request), &cx));
    }
}

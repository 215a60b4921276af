//! P7: thousands of escalations that are due at the same instant.

use std::sync::Arc;
use std::time::Duration;

use incident_core::log::incident::Incident;
use incident_core::model::id::CommandId;
use incident_core::model::obligation::ObligationKind;
use incident_core::model::role::Actor;
use incident_core::model::route::{Route, Routes};
use incident_core::model::severity::Severity;
use incident_core::model::time::Time;
use incident_core::port::{Clock as _, Store};
use incident_core::rules::command::{Command, Declare, Request};
use incident_core::rules::context::Context;
use incident_core::rules::decide::decide;
use incident_core::runbook::Runbook;
use incident_core::runtime::{Engine, IncidentHandle, ManualClock, SystemClock};
use incident_postgres::{Options, PostgresStore};
use incident_postgres_testing::Server;
use incident_sqlite::SqliteStore;
use tempfile::TempDir;
use tokio::time::Instant;

use crate::row::{Line, Row, Scale, seconds, spread};
use crate::runtime;
use crate::sample::{Spread, timed};
use crate::storm::endpoint::{EVERYBODY, notifier};
use crate::storm::sink::Sink;

const ESCALATIONS: usize = 6_000;
const TIMES: usize = 5;
const PATIENCE: Duration = Duration::from_secs(30);
/// How long one store is measured, at least once.
const BUDGET: Duration = Duration::from_secs(100);

/// What became of one surge.
struct Surge {
    planned: Duration,
    delivered: Duration,
    missing: usize,
}

pub(super) fn surge(scale: Scale) -> Row {
    let count = scale.of(ESCALATIONS);
    let mut row = Row::default();
    let mut planned = Vec::new();
    let sqlite = |folder: &TempDir| -> Arc<dyn Store> {
        Arc::new(SqliteStore::open(folder.path().join("incidents.db")).expect("the store opens"))
    };
    row = row.line(delivered("SQLite", count, scale, sqlite, &mut planned));
    if Server::is_installed() {
        let server = Server::durable();
        let postgres = |_: &TempDir| -> Arc<dyn Store> {
            let options = Options::new(&server.address(&server.database())).expect("it is an address");
            Arc::new(runtime().block_on(PostgresStore::open(options)).expect("the store opens"))
        };
        row = row.line(delivered("PostgreSQL", count, scale, postgres, &mut planned));
    } else {
        let why = "PostgreSQL isn't installed (Debian: postgresql)";
        row = row.line(Line::not_run("delivered, durable on PostgreSQL", "≤ 2 s", why));
    }
    let planned = Spread::of(planned);
    let met = planned.median <= 0.05;
    row.lines.insert(0, Line::new("planned, one thread", spread(planned, seconds), "≤ 50 ms", met));
    let points = [100, 10, 1].map(|part| {
        let folder = TempDir::new().expect("a folder to write to");
        let some = (count / part).max(1);
        let one = runtime().block_on(break_over(sqlite(&folder), some));
        (some as f64, one.delivered.as_secs_f64() / some as f64)
    });
    row.growing("P7 escalation delivered", points.to_vec())
}

fn delivered(
    name: &str,
    count: usize,
    scale: Scale,
    open: impl Fn(&TempDir) -> Arc<dyn Store>,
    planned: &mut Vec<f64>,
) -> Line {
    let (begun, mut took, mut missing) = (Instant::now(), Vec::new(), 0);
    for round in 0..scale.rounds(TIMES) {
        if round > 0 && begun.elapsed() > BUDGET {
            break;
        }
        let folder = TempDir::new().expect("a folder to write to");
        let one = runtime().block_on(break_over(open(&folder), count));
        planned.push(one.planned.as_secs_f64());
        took.push(one.delivered.as_secs_f64());
        missing += one.missing;
    }
    let took = Spread::of(took);
    let remark = if missing > 0 { format!("{missing} didn't come in time; ") } else { String::new() };
    let what = format!("delivered, durable on {name}");
    let met = took.median <= 2.0 && missing == 0;
    Line::new(&what, format!("{remark}{}", spread(took, seconds)), "≤ 2 s", met)
}

/// Declares `count` incidents at one instant, lets everybody be told, and turns the clock to when nobody has answered.
async fn break_over(store: Arc<dyn Store>, count: usize) -> Surge {
    let sink = Sink::start().await;
    let clock = Arc::new(ManualClock::new(SystemClock.now()));
    let runbook = runbook();
    let engine = Engine::builder_on(store)
        .clock(Arc::clone(&clock) as _)
        .runbook(runbook.clone())
        .ports("hook", notifier(&sink.address().to_string()))
        .route("hook", &EVERYBODY)
        .parallel(256)
        .build()
        .expect("the engine can be built");
    let looping = engine.clone();
    let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
    let running = tokio::spawn(async move {
        looping
            .run(async {
                let _ = stopped.await;
            })
            .await;
    });
    let incidents = declare(&engine, count).await;
    arrived(&sink, count * 2).await;
    let states = states(&incidents).await;
    let due = states[0].obligation(ObligationKind::Acknowledge).expect("somebody is to answer").due;
    let planned = plan(&states, &runbook, due);

    let begun = Instant::now();
    clock.set(due);
    let (last, missing) = arrived(&sink, count * 3).await;
    let _ = stop.send(());
    let _ = running.await;
    Surge { planned, delivered: last.duration_since(begun), missing }
}

/// Nothing but the escalation is due at that instant.
fn runbook() -> Runbook {
    let mut runbook = Runbook::default();
    if let Some(policy) = runbook.severities.get_mut(&Severity::Sev3) {
        policy.update_every = None;
    }
    runbook
}

async fn declare(engine: &Engine, count: usize) -> Vec<IncidentHandle> {
    let all = (0..count).map(|n| {
        let engine = engine.clone();
        tokio::spawn(async move {
            let title = format!("checkout {n} is slow");
            let what = Declare::new(&title).severity(Severity::Sev3).service("checkout");
            engine.declare(Actor::human("chat", "alice"), what).await.expect("it is declared")
        })
    });
    let declared = futures_util::future::join_all(all.collect::<Vec<_>>()).await;
    declared.into_iter().map(|it| it.expect("it is declared")).collect()
}

/// Waits for so many requests, and says when the last came and how many didn't.
async fn arrived(sink: &Sink, count: usize) -> (Instant, usize) {
    let end = Instant::now() + PATIENCE;
    sink.requested(count, end).await;
    (Instant::now(), count.saturating_sub(sink.requests()))
}

/// The states once nothing of them is under way: that they were told is recorded, too.
async fn states(incidents: &[IncidentHandle]) -> Vec<Incident> {
    let mut states = Vec::with_capacity(incidents.len());
    for incident in incidents {
        let state = loop {
            let state = incident.state().await.expect("it can be read");
            if state.effects.is_empty() {
                break state;
            }
            tokio::time::sleep(Duration::from_millis(2)).await;
        };
        states.push(state);
    }
    states
}

fn plan(states: &[Incident], runbook: &Runbook, now: Time) -> Duration {
    let mut live = Routes::default();
    live.notices = vec![Route::new("hook", &EVERYBODY)];
    let drill = Routes::default();
    let cx = Context {
        now,
        runbook,
        digest: runbook.digest(),
        live: &live,
        drill: &drill,
        taken: &[],
        others: &[],
        open_incidents: None,
        entropy: [9; 16],
    };
    let wake = Request::new(CommandId::named("wake"), Actor::Engine, Command::Wake);
    let (took, ()) = timed(|| {
        for state in states {
            let decision = decide(state, &wake, &cx).expect("a timer is always right");
            assert!(!decision.after.effects.is_empty(), "somebody is paged");
        }
    });
    took
}

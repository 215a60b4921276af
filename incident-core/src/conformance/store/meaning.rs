//! What records mean to an engine that reads them from the store: logs that another version or a broken disk wrote.

use std::sync::Arc;
use std::time::Duration;

use super::StoreHarness;
use super::kit::{How, Outcome, ensure, ms, rows, same};
use crate::log::chain;
use crate::log::chain::{StoredRecord, Unreadable};
use crate::log::index::{FOLD, Index, index};
use crate::model::effect::Urgency;
use crate::model::id::{Digest, IncidentId, Seq};
use crate::model::role::{Actor, Identity, Person, PersonId};
use crate::model::signal::{Detection, Signal};
use crate::model::time::Time;
use crate::port::store::{Claim, Commit, IndexRow, Query, Store};
use crate::rules::command::Declare;
use crate::runbook::Runbook;
use crate::runtime::{AuditProblem, CommandError, Engine, ManualClock, SeededEntropy};
use crate::store::MemoryStore;

/// When the incidents begin: a Friday morning.
const BEGIN: i64 = 1_774_000_000_000;

fn engine(store: Arc<dyn Store>, clock: &Arc<ManualClock>, number: u64) -> Result<Engine, How> {
    let mut runbook = Runbook::default();
    let name = "Alice".to_owned();
    let person = Person { name, identities: vec![Identity::new("chat", "alice")], roles: Vec::new() };
    runbook.persons.insert(PersonId::new("alice"), person);
    let builder = Engine::builder_on(store).clock(Arc::clone(clock) as _).runbook(runbook);
    let builder = builder.entropy(Arc::new(SeededEntropy::new(number))).worker(&format!("engine {number}"));
    builder.pages_nobody().build().map_err(|error| How(format!("an engine can't be built: {error}")))
}

fn alice() -> Actor {
    Actor::human("chat", "alice")
}

async fn declare(engine: &Engine, title: &str) -> Result<IncidentId, How> {
    let declared = engine.declare(alice(), Declare::new(title)).await;
    Ok(declared.map_err(|error| How(format!("an incident can't be declared: {error}")))?.id())
}

async fn log(store: &dyn Store, id: IncidentId) -> Result<Vec<StoredRecord>, How> {
    Ok(store.load(id, Seq::ZERO).await?)
}

async fn row(store: &dyn Store, id: IncidentId) -> Result<IndexRow, How> {
    let found = rows(store, Query::all()).await?.into_iter().find(|row| row.id == id);
    found.ok_or_else(|| How(format!("incident {id} isn't listed")))
}

/// Appends a record that no engine of this version would write, due at once; gives its place.
async fn append(
    store: &dyn Store,
    id: IncidentId,
    write: impl FnOnce(&StoredRecord) -> (Vec<u8>, Option<Digest>),
) -> Result<Seq, How> {
    let log = log(store, id).await?;
    let last = log.last().ok_or_else(|| How("a declared incident has no log".to_owned()))?;
    let (body, link) = write(last);
    let seq = last.seq.next();
    let chain = link.unwrap_or_else(|| chain::link(last.chain, seq, &body));
    let record = StoredRecord { seq, body, slots: Vec::new(), chain };
    let row = Index::new(seq, Some(ms(BEGIN)), Urgency::PAGE);
    store.commit(id, last.seq, &Commit::new(vec![record], row, ms(BEGIN))).await?;
    Ok(seq)
}

/// The last record's body with a kind of fact that doesn't exist yet.
fn of_a_newer_kind(last: &StoredRecord) -> Vec<u8> {
    let body = String::from_utf8_lossy(&last.body).into_owned();
    let Some((before, rest)) = body.split_once("\"fact\":{\"") else { return Vec::new() };
    let kind = rest.split('"').next().unwrap_or_default();
    format!("{before}\"fact\":{{\"telepathy{}", &rest[kind.len()..]).into_bytes()
}

/// The incident is left alone and named by everything that reads it, its bytes stay, and the incident beside it goes on.
async fn is_left_alone(
    harness: &dyn StoreHarness,
    write: fn(&StoredRecord) -> (Vec<u8>, Option<Digest>),
    expected: fn(&Unreadable) -> bool,
) -> Outcome {
    let clock = Arc::new(ManualClock::new(ms(BEGIN)));
    let writer = engine(harness.open().await, &clock, 1)?;
    let strange = declare(&writer, "checkout is down").await?;
    let plain = declare(&writer, "search is slow").await?;
    let store = harness.open().await;
    append(&*store, strange, write).await?;
    let before = log(&*store, strange).await?;
    let reader = engine(harness.open().await, &clock, 2)?;
    clock.advance(Duration::from_secs(3_600));

    let tick = reader.tick(Time::MAX_UTC).await?;

    let answer = reader.incident(strange).as_actor(alice()).acknowledge().await;
    let Err(CommandError::Unreadable(problem)) = answer else {
        return Err(How(format!("a command to an incident that can't be read gave {answer:?}")));
    };
    ensure!(expected(&problem), "a command was refused with {problem}");
    same("what a pass says of it", &tick.unreadable.get(&strange), &Some(&problem.to_string()))?;
    let findings = reader.audit().await?.findings.into_iter();
    let of_it: Vec<_> = findings.filter(|it| it.incident == strange).map(|it| it.problem).collect();
    same("what an audit finds", &of_it, &vec![AuditProblem::Unreadable(problem)])?;
    same("its log afterwards", &log(&*store, strange).await?, &before)?;
    let wake = row(&*store, plain).await?.next_wake;
    ensure!(wake > Some(reader.now()), "the incident beside it has been waiting since {wake:?}");
    Ok(())
}

pub(super) async fn a_newer_kind_is_left_alone(harness: &dyn StoreHarness) -> Outcome {
    let newer = |last: &StoredRecord| (of_a_newer_kind(last), None);
    is_left_alone(
        harness,
        newer,
        |why| matches!(why, Unreadable::UnknownKind { kind, .. } if kind == "telepathy"),
    )
    .await
}

pub(super) async fn an_unreadable_record_is_left_alone(harness: &dyn StoreHarness) -> Outcome {
    let torn = |last: &StoredRecord| (last.body[..last.body.len() / 2].to_vec(), None);
    is_left_alone(harness, torn, |why| matches!(why, Unreadable::Malformed { .. })).await
}

pub(super) async fn a_broken_chain_is_left_alone(harness: &dyn StoreHarness) -> Outcome {
    let unchained = |last: &StoredRecord| (last.body.clone(), Some(last.chain));
    is_left_alone(harness, unchained, |why| matches!(why, Unreadable::BrokenChain { .. })).await
}

pub(super) async fn a_log_proves_that_it_is_whole(harness: &dyn StoreHarness) -> Outcome {
    let clock = Arc::new(ManualClock::new(ms(BEGIN)));
    let writer = engine(harness.open().await, &clock, 1)?;
    let id = declare(&writer, "the customer's name is in the title").await?;
    let told = writer.incident(id).as_actor(alice());
    told.acknowledge().await.map_err(|error| How(format!("an acknowledgement failed: {error}")))?;
    let whole = log(&*harness.open().await, id).await?;
    let head = whole.last().map(|record| record.chain);
    told.redact(Seq(1), "a name").await.map_err(|error| How(format!("a redaction failed: {error}")))?;

    let redacted = log(&*harness.open().await, id).await?;
    ensure!(
        !redacted
            .iter()
            .any(|it| it.slots.iter().any(|slot| String::from_utf8_lossy(slot).contains("customer"))),
        "a redacted text is still there"
    );
    let reader = engine(harness.open().await, &clock, 2)?;
    let verified = reader.incident(id).verify(head).await;
    let verified = verified.map_err(|error| How(format!("a redacted log doesn't verify: {error}")))?;
    same("how far it is whole", &Some(verified.version), &redacted.last().map(|record| record.seq))
}

pub(super) async fn a_stale_index_is_rebuilt_from_the_log(harness: &dyn StoreHarness) -> Outcome {
    let clock = Arc::new(ManualClock::new(ms(BEGIN)));
    let elsewhere = MemoryStore::new();
    let old = engine(Arc::new(elsewhere.clone()), &clock, 1)?;
    let alert = Signal::firing("pod-1", "errors", Detection::MetricAlert).with_label("service", "checkout");
    let taken = old.ingest("prometheus", vec![alert]).await;
    let taken = taken.map_err(|error| How(format!("an alert isn't taken in: {error}")))?;
    let store = harness.open().await;
    // Rows of an older fold: one that would never wake, hides its key and its urgency, and one that wakes for nothing.
    let settled = declare(&old, "checkout is down").await?;
    old.tick(Time::MAX_UTC).await?;
    let stale = [(taken.declared[0], None), (settled, Some(ms(BEGIN)))];
    for (id, wake) in stale {
        let records = log(&elsewhere, id).await?;
        let version = Seq(records.len() as u64);
        let row = Index::new(version, wake, Urgency::BACKGROUND).computed_by(FOLD - 1);
        store.commit(id, Seq::ZERO, &Commit::new(records, row, ms(BEGIN))).await?;
    }

    let reader = engine(harness.open().await, &clock, 2)?;
    reader.tick(Time::MAX_UTC).await?;

    for (id, _) in stale {
        let (incident, _) = chain::fold(id, &log(&*store, id).await?).map_err(|why| How(why.to_string()))?;
        let rebuilt = index(&incident);
        for key in &rebuilt.keys {
            let held = store.holder(&key.name).await?.map(|held| held.by);
            same("who holds what the log says", &held, &Some(id))?;
        }
        same("the row", &row(&*store, id).await?, &IndexRow::new(id, rebuilt))?;
    }
    let again = store.claim(&Claim::new("engine 3", reader.now(), ms(BEGIN + 1_000), 10)).await?;
    same("what is claimed after that", &again, &vec![])
}

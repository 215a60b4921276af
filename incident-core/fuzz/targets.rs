//! What any bytes from outside must not do: panic, or be taken for something they aren't. Each target
//! says whether it took them. Run by the fuzzer, and over
//! the seeds and some thousand changes of them by `tests/fuzz.rs`.

#![allow(
    dead_code,
    missing_docs,
    unreachable_pub,
    clippy::unwrap_used,
    reason = "each target uses one function"
)]

use std::collections::BTreeMap;
use std::sync::{Arc, LazyLock};

use incident_core::PostMortem;
use incident_core::config::Settings;
use incident_core::log::chain;
use incident_core::log::chain::{StoredRecord, decode, encode, link, origin};
use incident_core::log::fold::evolve;
use incident_core::log::incident::Incident;
use incident_core::log::index::index;
use incident_core::log::wake::next_wake;
use incident_core::model::id::{IncidentId, Seq};
use incident_core::model::inert;
use incident_core::model::signal::Signal;
use incident_core::model::time::Time;
use incident_core::rules::due::due;
use incident_core::runbook::Runbook;
use incident_core::runtime::{AuditProblem, Engine, ManualClock, SeededEntropy};
use incident_core::store::MemoryStore;
use incident_core::views::redact::redact;
use incident_core::views::timeline::timeline;

static RUNBOOK: LazyLock<Runbook> = LazyLock::new(Runbook::default);

fn start() -> Time {
    Time::from_timestamp_millis(1_774_000_000_000).unwrap()
}

fn id() -> IncidentId {
    IncidentId::new(start(), [7; 16])
}

/// The bytes of a stored record: a record that can be told, or a reason.
pub fn event(data: &[u8]) -> bool {
    let seq = Seq(1);
    let chain = link(origin(id()), seq, data);
    let stored = StoredRecord { seq, body: data.to_vec(), slots: Vec::new(), chain };
    let folded = chain::fold(id(), std::slice::from_ref(&stored));
    match decode(&stored) {
        Ok(record) => {
            let (again, _) = encode(std::slice::from_ref(&record), origin(id()));
            assert_eq!(
                decode(&again[0]).unwrap(),
                record,
                "what was read is written so that it reads the same"
            );
            let mut incident = Incident::blank(id());
            evolve(&mut incident, &record);
            assert_eq!(next_wake(&incident).is_none(), incident.is_settled());
            for now in [Time::MIN_UTC, start(), Time::MAX_UTC] {
                let _ = due(&incident, now);
            }
            let _ = index(&incident);
            for entry in timeline(&incident, std::slice::from_ref(&record)) {
                assert_eq!(entry.what, inert::line(&entry.what), "a line of the timeline is inert");
            }
            let document = PostMortem::write(&incident, std::slice::from_ref(&record), &RUNBOOK);
            let _ = (document.to_markdown(), document.to_json());
            true
        }
        Err(reason) => {
            assert!(folded.is_err() && !reason.to_string().is_empty(), "{reason}");
            false
        }
    }
}

/// TOML over the default runbook: a runbook that can be written down again, or a reason.
pub fn runbook(data: &[u8]) -> bool {
    let Ok(text) = std::str::from_utf8(data) else { return false };
    match Runbook::from_toml(text) {
        Ok(runbook) => {
            let again = Runbook::from_toml(&runbook.to_toml()).unwrap();
            assert_eq!(again.digest(), runbook.digest());
            let _ = runbook.lint();
            let _ = runbook.to_markdown();
            true
        }
        Err(error) => {
            assert!(!error.to_string().is_empty());
            false
        }
    }
}

/// The TOML of settings: settings that can be held against a runbook, or a reason.
pub fn settings(data: &[u8]) -> bool {
    let Ok(text) = std::str::from_utf8(data) else { return false };
    match Settings::from_toml(text) {
        Ok(settings) => {
            let _ = format!("{settings:?}");
            true
        }
        Err(error) => {
            assert!(!error.to_string().is_empty());
            false
        }
    }
}

/// Alerts from a webhook, as JSON: each is in an incident, or counted as in none.
pub fn signals(data: &[u8]) -> bool {
    let Ok(signals) = serde_json::from_slice::<Vec<Signal>>(data) else { return false };
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    runtime.block_on(async {
        let engine = Engine::builder(MemoryStore::new())
            .clock(Arc::new(ManualClock::new(start())))
            .entropy(Arc::new(SeededEntropy::new(1)))
            .pages_nobody()
            .build()
            .unwrap();
        let count = signals.len();
        match engine.ingest("webhook", signals).await {
            Ok(taken) => {
                assert!(
                    taken.unmatched + taken.pointless + taken.declared.len() + taken.joined.len() <= count
                );
                for id in taken.declared {
                    engine.incident(id).verify(None).await.unwrap();
                }
                let mut findings = engine.audit().await.unwrap().findings;
                // This engine can page nobody, and the audit says so.
                findings.retain(|it| it.problem != AuditProblem::NobodyReached);
                assert!(findings.is_empty(), "{findings:?}");
                true
            }
            Err(error) => {
                assert!(error.refusal().is_some(), "an alert is refused in words: {error}");
                false
            }
        }
    })
}

/// A phrase and what fills its gaps, parted by the first zero byte; and all that makes text harmless.
pub fn template(data: &[u8]) -> bool {
    let text = String::from_utf8_lossy(data);
    let (phrase, figure) = text.split_once('\0').unwrap_or((&text, "{lead}"));
    let mut runbook = Runbook::default();
    runbook.phrases.insert("opening".to_owned(), phrase.to_owned());
    let _ = runbook.lint();
    let said = runbook.say("opening", &BTreeMap::from([("summary", figure.to_owned())]));
    let gaps = phrase.matches("{summary}").count();
    // A sentence with another gap is left out, because that one has no value. A line ends without white space.
    if gaps > 0 && gaps == phrase.matches('{').count() {
        assert!(said.contains(figure.trim_end()), "{said:?} lacks {figure:?}");
    }
    for text in [&*said, phrase, figure] {
        let line = inert::line(text);
        assert!(!line.chars().any(char::is_control), "{line:?}");
        assert_eq!(inert::line(&line), line, "what is harmless stays as it is");
        assert_eq!(
            inert::unmarked(&inert::markdown(text)),
            inert::unmarked(&inert::markdown(&inert::unmarked(&inert::markdown(text))))
        );
        for bytes in [3, 16, 1_024] {
            assert!(inert::clip(text, bytes).len() <= bytes);
        }
        let redacted = redact(text.as_bytes());
        assert_eq!(redact(&redacted.bytes).count, 0, "nothing that was taken out is taken out again");
    }
    true
}

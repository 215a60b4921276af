//! What must hold once everything has come to rest.

use std::collections::{BTreeMap, BTreeSet};

use incident_core::log::event::{Fact, Record};
use incident_core::model::effect::{Outcome, Work};
use incident_core::model::id::{IncidentId, Seq};

use crate::backend::Inbox;
use crate::people::People;

/// What was counted, for people.
#[derive(Debug, Default)]
pub(crate) struct Count {
    pub(crate) effects: usize,
    pub(crate) executed: usize,
    pub(crate) repeats: usize,
    pub(crate) breaches: usize,
}

/// Nothing is lost, nothing is done twice, every breach is recorded once, and the audit is clean.
pub(crate) async fn all_is_well(people: &People, inbox: &Inbox, tickets: &[String]) -> Count {
    let mut count = Count::default();
    let mut recorded = BTreeSet::new();
    for case in &people.cases {
        let handle = people.desk.incident(case.id);
        handle.verify(None).await.unwrap();
        let records = handle.records().await.unwrap();
        effects(case.id, &records, inbox, tickets, &mut count, &mut recorded);
        breaches(&records, &mut count);
    }
    for (effect, times) in &inbox.switched {
        assert_eq!(*times, 1, "{effect} switched a flag once");
        assert!(recorded.contains(effect), "what {effect} did is on the record");
    }
    let audit = people.desk.audit().await.unwrap();
    assert!(audit.is_clean(), "{audit:?}");
    count
}

fn effects(
    id: IncidentId,
    records: &[Record],
    inbox: &Inbox,
    tickets: &[String],
    count: &mut Count,
    recorded: &mut BTreeSet<String>,
) {
    let mut outcomes: BTreeMap<Seq, Vec<&Outcome>> = BTreeMap::new();
    for record in records {
        if let Fact::EffectSettled(settled) = &record.fact {
            outcomes.entry(settled.effect).or_default().push(&settled.outcome);
        }
    }
    for record in records {
        let Fact::EffectPlanned(planned) = &record.fact else { continue };
        let effect = format!("{id}-{}", record.seq.0);
        let outcome = match outcomes.get(&record.seq).map(Vec::as_slice) {
            Some([outcome]) => *outcome,
            other => panic!("{effect} ended once: {other:?}"),
        };
        count.effects += 1;
        let done = matches!(outcome, Outcome::Done(_));
        let pointless = matches!(outcome, Outcome::Superseded { .. } | Outcome::Expired);
        match &planned.work {
            Work::Notify(notify) => {
                let came: Vec<_> = inbox.notices.iter().filter(|it| it.effect == effect).collect();
                let plain = came.iter().filter(|it| !it.marked).count();
                assert!(done || pointless, "{effect}, a notice ({}): {outcome:?}", notify.kind);
                assert!(!done || !came.is_empty(), "{effect} says it came, and it didn't");
                assert!(plain <= 1, "{effect} came {plain} times without being marked as a repeat");
                assert!(
                    planned.route != "room" || came.len() <= 1,
                    "{effect} came twice where ids are known"
                );
                count.repeats += came.len().saturating_sub(1);
            }
            Work::Execute(_) => {
                let times = inbox.switched.get(&effect).copied().unwrap_or(0);
                let refused = matches!(outcome, Outcome::Refused { .. });
                assert!(done || refused || pointless, "{effect}, an execution: {outcome:?}");
                assert_eq!(times, usize::from(done), "{effect}: {outcome:?}");
                count.executed += times;
                recorded.insert(effect);
            }
            Work::Ticket(_) => {
                assert!(done || pointless, "{effect}, a ticket: {outcome:?}");
                let marked: usize =
                    tickets.iter().map(|text| text.matches(&format!("{effect} ")).count()).sum();
                assert!(marked <= 1, "{effect} is written {marked} times into tickets");
            }
            Work::Plan(_) => {
                // The incident before on the same flag was refused, so nobody had turned it round.
                let already = |error: &str| error.contains("is already so");
                let refused = matches!(&outcome, Outcome::Refused { error } if already(error));
                assert!(done || refused || pointless, "{effect}, a plan: {outcome:?}");
            }
            work => assert!(done || pointless, "{effect}, {work:?}: {outcome:?}"),
        }
    }
}

fn breaches(records: &[Record], count: &mut Count) {
    let mut seen = BTreeSet::new();
    for record in records {
        if let Fact::ObligationBreached(breached) = &record.fact {
            let first = seen.insert((breached.obligation, record.occurred_at));
            assert!(
                first,
                "the breach of {} at {} is recorded once",
                breached.obligation, record.occurred_at
            );
            assert!(record.occurred_at <= record.recorded_at);
            count.breaches += 1;
        }
    }
}

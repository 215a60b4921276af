//! Whatever is sent, it is read in full or refused in words that aren't the sender's.

#![allow(clippy::unwrap_used, reason = "helpers of tests fail as tests do")]

use std::collections::BTreeMap;

use incident_core::model::signal::SignalState;
use incident_prometheus::Webhook;
use proptest::prelude::*;
use serde_json::{Value, json};

/// An alert as a sender might write it, and what is to be read of it.
#[derive(Debug, Clone)]
struct Sent {
    labels: BTreeMap<String, String>,
    summary: String,
    resolved: bool,
    unknown: Value,
}

fn sent() -> impl Strategy<Value = Sent> {
    let labels = prop::collection::btree_map(".{1,12}", ".{0,24}", 0..8);
    let unknown =
        prop_oneof![Just(Value::Null), any::<f32>().prop_map(|it| json!([it])), ".*".prop_map(Value::from)];
    (labels, ".{1,40}", any::<bool>(), unknown).prop_map(|(labels, summary, resolved, unknown)| Sent {
        labels,
        summary,
        resolved,
        unknown,
    })
}

fn body(alerts: &[Sent]) -> Vec<u8> {
    let alerts: Vec<Value> = alerts
        .iter()
        .map(|it| {
            let status = if it.resolved { "resolved" } else { "firing" };
            json!({ "zz": it.unknown, "status": status, "labels": it.labels, "annotations": { "summary": it.summary } })
        })
        .collect();
    serde_json::to_vec(&json!({ "version": "4", "alerts": alerts, "other": { "alerts": 1 } })).unwrap()
}

proptest! {
    #[test]
    fn every_alert_is_read_as_it_was_sent(alerts in prop::collection::vec(sent(), 0..6)) {
        let read = Webhook::parse(&body(&alerts)).unwrap().signals;
        prop_assert_eq!(read.len(), alerts.len());
        for (signal, sent) in read.iter().zip(&alerts) {
            prop_assert_eq!(&signal.labels, &sent.labels);
            prop_assert_eq!(&signal.summary, &sent.summary);
            prop_assert_eq!(signal.state == SignalState::Resolved, sent.resolved);
        }
    }

    #[test]
    fn a_part_of_a_body_is_refused(alerts in prop::collection::vec(sent(), 1..3), cut in 0.0..1.0_f64) {
        let whole = body(&alerts);
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a place in the body")]
        let end = (cut * whole.len() as f64) as usize;
        prop_assert!(Webhook::parse(&whole[..end]).is_err());
    }

    #[test]
    fn no_change_of_a_body_makes_it_panic(
        alerts in prop::collection::vec(sent(), 0..3),
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..8),
    ) {
        let mut body = body(&alerts);
        for (place, byte) in changes {
            let at = place.index(body.len());
            body[at] = byte;
        }
        if let Err(error) = Webhook::parse(&body) {
            prop_assert!(!error.to_string().is_empty());
        }
    }
}

//! Verbs about mitigations and the permanent fix.

use incident_core::model::mitigation::Mitigation;
use incident_core::rules::command as c;
use incident_core::rules::command::Command;
use serde_json::{Map, Value};

use super::super::wish::{Decision, Wish};
use super::super::words::{name, parts, split};
use super::{Asking, Known, Verb, act, given, named, record, wish};

type Read = Result<Verb, String>;

pub(super) const MITIGATIONS: &[Known] = &[
    Known {
        names: &["propose"],
        usage: "SYSTEM KIND key:value … REASON, such as: propose shop switch-feature feature:pricing on:no it broke with it",
        read: propose,
    },
    Known { names: &["approve"], usage: "PLAN DIGEST", read: |text, it| decide(text, it, Decision::Approve) },
    Known { names: &["reject"], usage: "PLAN REASON", read: reject },
    Known { names: &["execute"], usage: "PLAN DIGEST", read: |text, it| decide(text, it, Decision::Execute) },
    Known { names: &["undo"], usage: "MITIGATION REASON", read: undo },
    Known { names: &["settle"], usage: "MITIGATION yes|no HOW YOU KNOW", read: settle },
    Known {
        names: &["fix"],
        usage: "change|regression-test|staging|deployment|verification WHAT [| link: ADDRESS]",
        read: fix,
    },
];

/// The catalogue of the core, by its own names: `roll-back workload:deployment/shop to_revision:41`.
fn propose(text: &str, asking: &Asking<'_>) -> Read {
    let (system, rest) = split(text);
    let (kind, mut rest) = split(rest);
    if system.is_empty() || kind.is_empty() {
        return Err("the system and the kind of mitigation are missing".to_owned());
    }
    let mut fields = Map::from_iter([("kind".to_owned(), Value::from(name(kind).replace('-', "_")))]);
    loop {
        let (word, after) = split(rest);
        let Some((key, value)) = word.split_once(':').filter(|(_, value)| !value.is_empty()) else { break };
        fields.insert(name(key).replace('-', "_"), value_of(key, value));
        rest = after;
    }
    let mitigation: Mitigation = serde_json::from_value(fields.into()).map_err(|error| {
        // The message names fields of ours and repeats no value.
        let why = error.to_string();
        let why = why.split(['`', '"']).collect::<Vec<_>>().join("'");
        format!("this mitigation can't be read: {}", super::super::answer::first_line(&why))
    })?;
    let because = given(rest, "the reason", asking)?;
    Ok(act(Command::Propose(c::Propose { mitigation, system: system.to_owned(), because })))
}

/// What a field of a mitigation holds: revisions and names are text even where they are numbers.
fn value_of(key: &str, value: &str) -> Value {
    match (name(key).as_str(), name(value).as_str()) {
        ("on", "yes" | "true" | "on") => true.into(),
        ("on", "no" | "false" | "off") => false.into(),
        ("replicas" | "longer_than_seconds" | "longer-than-seconds", number) => {
            number.parse::<u64>().map_or_else(|_| value.into(), Value::from)
        }
        ("columns", _) => value.split(',').map(Value::from).collect(),
        ("limits" | "requests" | "parameters", _) => {
            let pairs = value.split(',').filter_map(|pair| pair.split_once('='));
            pairs.map(|(key, value)| (key.to_owned(), Value::from(value))).collect()
        }
        _ => value.into(),
    }
}

/// A plan is agreed to by its number and its digest, because another plan may have taken its place.
fn decide(text: &str, _: &Asking<'_>, decision: Decision) -> Read {
    let (proposal, rest) = record(text)?;
    let (digest, _) = split(rest);
    let digest = name(digest);
    if digest.len() < 6 || !digest.bytes().all(|it| it.is_ascii_hexdigit()) {
        return Err("the plan's digest is missing; it stands beside the plan".to_owned());
    }
    Ok(wish(Wish::Decide { proposal, digest, decision }))
}

fn reject(text: &str, asking: &Asking<'_>) -> Read {
    let (proposal, why) = record(text)?;
    Ok(act(Command::Reject(c::Reject { proposal, because: given(why, "the reason", asking)? })))
}

fn undo(text: &str, asking: &Asking<'_>) -> Read {
    let (mitigation, why) = record(text)?;
    Ok(act(Command::Undo(c::Undo { mitigation, because: given(why, "the reason", asking)? })))
}

fn settle(text: &str, asking: &Asking<'_>) -> Read {
    let (proposal, rest) = record(text)?;
    let (answer, how) = split(rest);
    let happened = match name(answer).as_str() {
        "yes" => true,
        "no" => false,
        _ => return Err("yes or no is missing: whether it was carried out".to_owned()),
    };
    let because = given(how, "how you know", asking)?;
    Ok(act(Command::SettleMitigation(c::SettleMitigation { proposal, happened, because })))
}

fn fix(text: &str, asking: &Asking<'_>) -> Read {
    let (step, rest) = split(text);
    let step = named(step)
        .ok_or("the step is missing: change, regression-test, staging, deployment, verification")?;
    let (what, parts) = parts(rest, &["link"])?;
    let link = parts.into_iter().next().map(|(_, link)| asking.words(&link));
    Ok(act(Command::RecordFix(c::RecordFix { step, what: given(&what, "what was done", asking)?, link })))
}

//! Verbs of what comes after the fix: action items, the post-mortem, the meeting, the close.

use incident_core::model::afterwards::Section;
use incident_core::rules::command as c;
use incident_core::rules::command::Command;
use incident_core::runbook::Priority;

use super::super::clock::{Toward, time};
use super::super::wish::Wish;
use super::super::words::{name, parts, people, person, split};
use super::{Asking, Known, Verb, act, given, named, over, record, wish};

type Read = Result<Verb, String>;

pub(super) const AFTERWARDS: &[Known] = &[
    Known {
        names: &["action"],
        usage: "WHAT [| owner: @person] [| due: 2026-12-01 17:00] [| priority: critical|high|medium|low] \
                [| kind: prevent|mitigate|detect|process]",
        read: action,
    },
    Known { names: &["owner"], usage: "ACTION @person", read: owner },
    Known { names: &["done"], usage: "ACTION WHAT CAME OF IT", read: done },
    Known {
        names: &["postmortem", "post-mortem", "pm"],
        usage: "[edit SECTION | write SECTION TEXT | why [CAUSE] TEXT | proof CAUSE RECORD … | doc STEP ACTION|not-needed \
                REASON | owner @person | review @person … | return REASON | publish [| over: REASON]]",
        read: post_mortem,
    },
    Known {
        names: &["meeting"],
        usage: "TIME [| place: LINK] [| with: @person …] | held @person … | cancel REASON",
        read: meeting,
    },
    Known { names: &["close"], usage: "[| over: REASON]", read: close },
];

fn action(text: &str, asking: &Asking<'_>) -> Read {
    let (what, parts) = parts(text, &["owner", "due", "priority", "kind"])?;
    let part = |key: &str| parts.iter().find(|(it, _)| *it == key).map(|(_, words)| words.as_str());
    let owner = part("owner").map(|who| person(who, asking.user, asking.runbook)).transpose()?;
    let due = part("due").map(|due| time(due, asking.now, Toward::Future)).transpose()?.map(|(due, _)| due);
    let priority = part("priority").map_or(Some(Priority::Medium), named);
    let priority = priority.ok_or("the priority is critical, high, medium or low")?;
    let kind = part("kind").map(|kind| named(kind).ok_or("the kind is prevent, mitigate, detect or process"));
    let what = given(&what, "what is to be done", asking)?;
    Ok(act(Command::AddAction(c::AddAction { what, kind: kind.transpose()?, priority, owner, due })))
}

fn owner(text: &str, asking: &Asking<'_>) -> Read {
    let (action, who) = record(text)?;
    let owner = Some(person(who, asking.user, asking.runbook)?);
    Ok(act(Command::AssignAction(c::AssignAction { action, owner, due: None })))
}

fn done(text: &str, asking: &Asking<'_>) -> Read {
    let (action, outcome) = record(text)?;
    let outcome = given(outcome, "what came of it", asking)?;
    Ok(act(Command::CompleteAction(c::CompleteAction { action, outcome })))
}

fn post_mortem(text: &str, asking: &Asking<'_>) -> Read {
    let (what, rest) = split(text);
    match name(what).as_str() {
        "" | "status" => Ok(wish(Wish::PostMortem)),
        "write" => {
            let (section, text) = section(rest)?;
            Ok(wish(Wish::Write { section, text: given(text, "the text", asking)? }))
        }
        "edit" => Ok(wish(Wish::Edit { section: section(rest)?.0 })),
        "why" => {
            let (under, statement) = record(rest).map_or((None, rest), |(seq, rest)| (Some(seq), rest));
            let statement = given(statement, "why it happened", asking)?;
            let kind = incident_core::model::afterwards::CauseKind::Cause;
            Ok(act(Command::FindCause(c::FindCause { under, statement, kind, class: None })))
        }
        "proof" => {
            let (to, rest) = record(rest)?;
            let records: Result<Vec<_>, String> =
                rest.split_whitespace().map(|word| record(word).map(|(seq, _)| seq)).collect();
            Ok(act(Command::LinkEvidence(c::LinkEvidence { to, evidence: Vec::new(), records: records? })))
        }
        "doc" => documentation(rest, asking),
        "owner" => {
            let owner = person(rest, asking.user, asking.runbook)?;
            Ok(act(Command::AssignPostMortem(c::AssignPostMortem { owner })))
        }
        "review" => {
            let reviewers = people(rest, asking.user, asking.runbook)?;
            if reviewers.is_empty() {
                return Err("the reviewers are missing".to_owned());
            }
            Ok(act(Command::RequestReview(c::RequestReview { reviewers })))
        }
        "return" => {
            let because = given(rest, "the reason", asking)?;
            Ok(act(Command::ReturnReview(c::Because { because })))
        }
        "publish" => {
            let (_, because) = over(&format!("publish {rest}"), asking)?;
            Ok(wish(Wish::Publish { because }))
        }
        _ => Err("this can't be done with a post-mortem".to_owned()),
    }
}

fn section(text: &str) -> Result<(Section, &str), String> {
    let (word, rest) = split(text);
    let section = named(word).ok_or_else(|| {
        "the section is missing: summary, impact, detection, trigger, contributing-factors, root-cause, resolution, \
         went-well, could-be-better, lucky, actions …"
            .to_owned()
    })?;
    Ok((section, rest))
}

fn documentation(text: &str, asking: &Asking<'_>) -> Read {
    let (step, rest) = split(text);
    let (decision, why) = split(rest);
    let (action, not_needed) = if name(decision) == "not-needed" {
        (None, Some(given(why, "the reason", asking)?))
    } else {
        let (action, _) =
            record(rest).map_err(|_| "the action item's number, or not-needed, is missing".to_owned())?;
        (Some(action), None)
    };
    let decide = c::DecideDocumentation { step: name(step), action, not_needed };
    Ok(act(Command::DecideDocumentation(decide)))
}

fn meeting(text: &str, asking: &Asking<'_>) -> Read {
    let (word, rest) = split(text);
    match name(word).as_str() {
        "held" => {
            let attendees = people(rest, asking.user, asking.runbook)?;
            Ok(act(Command::HoldMeeting(c::HoldMeeting { attendees })))
        }
        "cancel" => {
            let because = given(rest, "the reason", asking)?;
            Ok(act(Command::CancelMeeting(c::Because { because })))
        }
        _ => {
            let (when, parts) = parts(text, &["place", "with"])?;
            let (starts_at, _) = time(&when, asking.now, Toward::Future)?;
            let part = |key: &str| parts.iter().find(|(it, _)| *it == key).map(|(_, words)| words.as_str());
            let invitees = people(part("with").unwrap_or_default(), asking.user, asking.runbook)?;
            let place = part("place").map(|place| asking.words(place));
            let schedule = c::ScheduleMeeting { starts_at, length: None, invitees, place };
            Ok(act(Command::ScheduleMeeting(schedule)))
        }
    }
}

fn close(text: &str, asking: &Asking<'_>) -> Read {
    let (_, override_because) = over(&format!("close {text}"), asking)?;
    Ok(act(Command::Close(c::Close { override_because })))
}

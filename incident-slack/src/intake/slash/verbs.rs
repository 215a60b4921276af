//! Verbs of the response: declare, steer, tell.

use std::collections::BTreeMap;

use incident_core::log::event::Relation;
use incident_core::model::id::Seq;
use incident_core::model::impact::Impact;
use incident_core::model::phase::Phase;
use incident_core::model::role::Role;
use incident_core::model::severity::Severity;
use incident_core::model::side::Side;
use incident_core::rules::command as c;
use incident_core::rules::command::{Command, Declare};
use incident_core::runbook::triage::Answer as Reply;

use super::super::clock::{Toward, time};
use super::super::triage::next_question;
use super::super::words::{name, parts, person, split};
use super::{Asking, Known, Verb, act, given, named, over, record};

type Read = Result<Verb, String>;

pub(super) const RESPONSE: &[Known] = &[
    Known {
        names: &["declare", "new"],
        usage: "(a form), or [sev1..sev4] [drill] [service:NAME] WHAT IS WRONG",
        read: declare,
    },
    Known { names: &["ack", "acknowledge"], usage: "", read: |_, _| Ok(act(Command::Acknowledge)) },
    Known { names: &["status"], usage: "", read: |_, _| Ok(Verb::Status) },
    Known { names: &["list"], usage: "", read: |_, _| Ok(Verb::List) },
    Known { names: &["oncall", "on-call"], usage: "", read: |_, _| Ok(Verb::OnCall) },
    Known {
        names: &["page", "escalate"],
        usage: "REASON",
        read: |text, it| because(text, it, Command::Escalate),
    },
    Known { names: &["started", "start"], usage: "09:50 | 15 min ago", read: started },
    Known { names: &["tick", "done-step"], usage: "STEP", read: tick },
    Known { names: &["skip"], usage: "STEP REASON", read: skip },
    Known { names: &["triage"], usage: "(buttons), or yes|no|unknown …", read: triage },
    Known { names: &["severity", "sev"], usage: "sev1..sev4 REASON", read: severity },
    Known {
        names: &["impact"],
        usage: "[users:N] [share:N%] [services:A,B] [data-loss:yes|no] [security:yes|no] [customers:yes|no] \
                [requests:N] WHAT IT DOES TO WHOM",
        read: impact,
    },
    Known { names: &["assign"], usage: "ROLE @person | me", read: assign },
    Known {
        names: &["update"],
        usage: "TEXT [| next: TEXT] [| eta: TEXT] [| public: WORDS FOR CUSTOMERS]",
        read: update,
    },
    Known { names: &["note"], usage: "TEXT", read: note },
    Known { names: &["hypothesis"], usage: "WHAT MAY HAVE HAPPENED", read: hypothesis },
    Known { names: &["confirm"], usage: "HYPOTHESIS REASON", read: |text, it| judge(text, it, true) },
    Known {
        names: &["rule-out", "ruleout"],
        usage: "HYPOTHESIS REASON",
        read: |text, it| judge(text, it, false),
    },
    Known { names: &["attest"], usage: "CHECK green|red WHAT YOU SAW", read: attest },
    Known { names: &["advance", "next"], usage: "[| over: REASON]", read: advance },
    Known { names: &["back"], usage: "PHASE REASON", read: back },
    Known { names: &["resolve"], usage: "CAUSE [| over: REASON]", read: resolve },
    Known { names: &["reopen"], usage: "REASON", read: |text, it| because(text, it, Command::Reopen) },
    Known { names: &["cancel"], usage: "REASON", read: |text, it| because(text, it, Command::Cancel) },
    Known { names: &["merge"], usage: "#a1b2c3 REASON", read: merge },
    Known { names: &["link"], usage: "#a1b2c3 [recurrence-of|caused-by|related-to]", read: link },
];

fn because(text: &str, asking: &Asking<'_>, command: fn(c::Because) -> Command) -> Read {
    Ok(act(command(c::Because { because: given(text, "the reason", asking)? })))
}

fn declare(text: &str, asking: &Asking<'_>) -> Read {
    let mut declare = Declare::new("");
    let mut rest = text.trim();
    if rest.is_empty() {
        return Ok(Verb::DeclareForm);
    }
    loop {
        let (word, after) = split(rest);
        if let Some((severity, after)) = severity_first(rest) {
            declare.severity = Some(severity);
            rest = after;
            continue;
        }
        if name(word) == "drill" {
            declare.side = Side::Drill;
            rest = after;
            continue;
        }
        let is_service = word.get(..8).is_some_and(|it| it.eq_ignore_ascii_case("service:"));
        if !is_service {
            break;
        }
        // A phone's keyboard puts a space behind the colon.
        let (service, after) = if word.len() > 8 { (&word[8..], after) } else { split(after) };
        declare.service = Some(asking.words(service)).filter(|it| !it.is_empty());
        rest = after;
    }
    declare.title = given(rest, "what is wrong", asking)?;
    Ok(Verb::Declare(Box::new(declare)))
}

/// The severity that `text` begins with: `sev1`, `SEV-1`, `Sev 1`.
fn severity_first(text: &str) -> Option<(Severity, &str)> {
    let (word, rest) = split(text);
    let word = name(word).replace(['-', '_'], "");
    if word == "sev" {
        let (digit, rest) = split(rest);
        return Some((format!("sev{}", name(digit)).parse().ok()?, rest));
    }
    Some((word.parse().ok()?, rest))
}

fn severity(text: &str, asking: &Asking<'_>) -> Read {
    let missing = || "the severity is missing: sev1, sev2, sev3 or sev4".to_owned();
    let (severity, why) = severity_first(text).ok_or_else(missing)?;
    let because = given(why, "the reason", asking)?;
    Ok(act(Command::SetSeverity(c::SetSeverity { severity, because })))
}

fn started(text: &str, asking: &Asking<'_>) -> Read {
    let (began, why) = time(text, asking.now, Toward::Past)?;
    let because = if why.trim().is_empty() { "the start is known now".to_owned() } else { asking.words(why) };
    // The first record is the declaration; its time is the incident's start.
    let correct = c::Correct { record: Seq(1), text: None, occurred_at: Some(began), because };
    Ok(act(Command::Correct(correct)))
}

fn step(text: &str) -> Result<(String, &str), String> {
    let (word, rest) = split(text);
    let step = name(word);
    if step.is_empty() {
        Err("the step is missing; /incident status names them".to_owned())
    } else {
        Ok((step, rest))
    }
}

fn tick(text: &str, _: &Asking<'_>) -> Read {
    let (step, _) = step(text)?;
    Ok(act(Command::TickStep(c::TickStep { step, skipped: None })))
}

fn skip(text: &str, asking: &Asking<'_>) -> Read {
    let (step, why) = step(text)?;
    Ok(act(Command::TickStep(c::TickStep { step, skipped: Some(given(why, "the reason", asking)?) })))
}

/// Without answers the questions are asked; with some, they answer them in the order in which they are asked.
fn triage(text: &str, asking: &Asking<'_>) -> Read {
    if text.trim().is_empty() {
        return Ok(Verb::Triage);
    }
    let mut answers = BTreeMap::new();
    for word in text.split_whitespace() {
        let (question, reply) = word.split_once([':', '=']).unwrap_or(("", word));
        let reply = match name(reply).as_str() {
            "yes" | "y" => Reply::Yes,
            "no" | "n" => Reply::No,
            "unknown" => Reply::Unknown,
            _ => return Err("an answer is yes, no or unknown".to_owned()),
        };
        let question = match question {
            "" => next_question(&asking.runbook.triage, &answers)
                .ok_or("there are more answers than questions")?,
            question => name(question).replace('-', "_"),
        };
        answers.insert(question, reply);
    }
    Ok(act(Command::Triage(c::Triage { answers })))
}

fn impact(text: &str, asking: &Asking<'_>) -> Read {
    let (mut impact, mut words) = (Impact::<String>::default(), Vec::new());
    for word in text.split(' ') {
        let Some((key, value)) = word.split_once(':').filter(|(_, value)| !value.is_empty()) else {
            words.push(word);
            continue;
        };
        let count = || {
            value.replace(['\'', ',', '_'], "").parse::<u64>().map_err(|_| format!("{key}: takes a number"))
        };
        let yes = || match name(value).as_str() {
            "yes" | "y" => Ok(Some(true)),
            "no" | "n" => Ok(Some(false)),
            "unknown" => Ok(None),
            _ => Err(format!("{key}: takes yes, no or unknown")),
        };
        match name(key).as_str() {
            "users" => impact.users = Some(count()?),
            "requests" => impact.failed_requests = Some(count()?),
            "slo-minutes" => impact.slo_minutes = Some(count()?),
            "share" => {
                let share =
                    value.trim_end_matches('%').parse().map_err(|_| "share: takes a number".to_owned())?;
                impact.users_percent = Some(share);
            }
            "services" => impact.services = value.split(',').map(|it| asking.words(it)).collect(),
            "data-loss" => impact.data_loss = yes()?,
            "security" => impact.security_breach = yes()?,
            "customers" => impact.customer_facing = yes()?,
            "cost" => impact.money = Some(asking.words(value)),
            _ => words.push(word),
        }
    }
    impact.business = given(&words.join(" "), "what it does to whom", asking).ok();
    if impact == Impact::default() {
        return Err("the impact is missing".to_owned());
    }
    Ok(act(Command::AssessImpact(Box::new(impact))))
}

fn update(text: &str, asking: &Asking<'_>) -> Read {
    let (progress, parts) = parts(text, &["next", "eta", "public"])?;
    let progress = given(&progress, "what was found or done", asking)?;
    let part = |key: &str| parts.iter().find(|(it, _)| *it == key).map(|(_, words)| asking.words(words));
    let (next_steps, eta, public) = (part("next"), part("eta"), part("public"));
    Ok(act(Command::PostUpdate(c::PostUpdate { progress, next_steps, eta, public })))
}

fn note(text: &str, asking: &Asking<'_>) -> Read {
    Ok(act(Command::Note(c::Note { text: given(text, "the text", asking)? })))
}

fn hypothesis(text: &str, asking: &Asking<'_>) -> Read {
    let statement = given(text, "what may have happened", asking)?;
    Ok(act(Command::Hypothesise(c::Hypothesise { statement, class: None })))
}

fn judge(text: &str, asking: &Asking<'_>, confirmed: bool) -> Read {
    let (hypothesis, why) = record(text)?;
    let because = given(why, "the reason", asking)?;
    Ok(act(Command::JudgeHypothesis(c::JudgeHypothesis { hypothesis, confirmed, because })))
}

fn attest(text: &str, asking: &Asking<'_>) -> Read {
    let (check, rest) = split(text);
    let (colour, seen) = split(rest);
    let colour = named(colour).ok_or("green or red is missing")?;
    let detail = given(seen, "what you saw", asking)?;
    Ok(act(Command::Attest(c::Attest { check: name(check), colour, detail })))
}

fn advance(text: &str, asking: &Asking<'_>) -> Read {
    let (_, why) = over(&format!("advance {text}"), asking)?;
    // An override names where it leads, and only the next phase is meant.
    Ok(act(Command::Advance(c::Advance { to: None, override_because: why })))
}

fn back(text: &str, asking: &Asking<'_>) -> Read {
    let (phase, why) = split(text);
    let phases = || Phase::ALL.map(|phase| phase.to_string().to_lowercase()).join(", ");
    let to = named(phase).ok_or_else(|| format!("the phase is missing: {}", phases()))?;
    Ok(act(Command::StepBack(c::StepBack { to, because: given(why, "the reason", asking)? })))
}

fn resolve(text: &str, asking: &Asking<'_>) -> Read {
    let (cause, override_because) = over(text, asking)?;
    let cause = given(&cause, "the cause, in a line,", asking)?;
    Ok(act(Command::Resolve(c::Resolve { cause, override_because })))
}

fn merge(text: &str, asking: &Asking<'_>) -> Read {
    let (other, why) = split(text);
    let other = asking.incident(other).ok_or("the other incident is missing; /incident list names them")?;
    Ok(Verb::Merge { other, because: given(why, "the reason", asking)? })
}

fn link(text: &str, asking: &Asking<'_>) -> Read {
    let (other, relation) = split(text);
    let other = asking.incident(other).ok_or("the other incident is missing; /incident list names them")?;
    let relation = if relation.is_empty() { Some(Relation::RelatedTo) } else { named(relation) };
    let relation = relation.ok_or("the relation is recurrence-of, caused-by or related-to")?;
    Ok(act(Command::Link(c::Link { other, relation })))
}

fn assign(text: &str, asking: &Asking<'_>) -> Read {
    let (role_name, who) = split(text);
    let names = || ROLES.map(|(name, _)| name).join(", ");
    let role = ROLES.into_iter().find(|(it, _)| *it == name(role_name));
    let (_, role) = role.ok_or_else(|| format!("the role is missing; there are {}", names()))?;
    let to = person(who, asking.user, asking.runbook)?;
    Ok(act(Command::Assign(c::Assign { role, to })))
}

const ROLES: [(&str, Role); 10] = [
    ("commander", Role::Commander),
    ("lead", Role::Commander),
    ("deputy", Role::Deputy),
    ("scribe", Role::Scribe),
    ("ops", Role::OpsLead),
    ("comms", Role::CommsLead),
    ("customers", Role::CustomerLiaison),
    ("internal", Role::InternalLiaison),
    ("expert", Role::SubjectExpert),
    ("responder", Role::Responder),
];

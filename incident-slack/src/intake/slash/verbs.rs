//! What stands behind each word of the slash command.

use incident_core::domain::command as c;
use incident_core::domain::command::{Command, Declare};
use incident_core::domain::incident::Side;
use incident_core::domain::role::{Identity, PersonId, Role};
use incident_core::domain::runbook::Runbook;
use incident_core::domain::severity::Severity;

use super::{Verb, split};

/// One thing that can be asked for.
pub(super) struct Known {
    /// How it is called; the first name is the usual one.
    pub(super) names: &'static [&'static str],
    /// What stands behind it.
    pub(super) usage: &'static str,
    pub(super) read: fn(&str, &str, &Runbook) -> Result<Verb, String>,
}

pub(super) const VERBS: [Known; 14] = [
    Known { names: &["declare", "new"], usage: "[sev1..sev4] [drill] [service:NAME] TITLE", read: declare },
    Known { names: &["update"], usage: "TEXT [| next: TEXT] [| eta: TEXT]", read: update },
    Known { names: &["severity", "sev"], usage: "sev1..sev4 BECAUSE", read: severity },
    Known { names: &["ack", "acknowledge"], usage: "", read: |_, _, _| Ok(act(Command::Acknowledge)) },
    Known { names: &["assign"], usage: "ROLE @person | me", read: assign },
    Known { names: &["note"], usage: "TEXT", read: note },
    Known { names: &["hypothesis"], usage: "TEXT", read: hypothesis },
    Known {
        names: &["escalate", "page"],
        usage: "BECAUSE",
        read: |text, _, _| because(text, Command::Escalate),
    },
    Known { names: &["advance"], usage: "", read: |_, _, _| Ok(advance()) },
    Known { names: &["resolve"], usage: "CAUSE", read: resolve },
    Known { names: &["reopen"], usage: "BECAUSE", read: |text, _, _| because(text, Command::Reopen) },
    Known { names: &["cancel"], usage: "BECAUSE", read: |text, _, _| because(text, Command::Cancel) },
    Known { names: &["close"], usage: "", read: |_, _, _| Ok(close()) },
    Known { names: &["status"], usage: "", read: |_, _, _| Ok(Verb::Status) },
];

fn act(command: Command) -> Verb {
    Verb::Act(Box::new(command))
}

fn given(text: &str, what: &str) -> Result<String, String> {
    let text = text.trim();
    if text.is_empty() { Err(format!("{what} is missing")) } else { Ok(text.to_owned()) }
}

fn because(text: &str, command: fn(c::Because) -> Command) -> Result<Verb, String> {
    Ok(act(command(c::Because { because: given(text, "the reason")? })))
}

fn declare(text: &str, _: &str, _: &Runbook) -> Result<Verb, String> {
    let mut declare = Declare::new("");
    let mut rest = text.trim();
    loop {
        let (word, after) = split(rest);
        if let Ok(severity) = word.parse::<Severity>() {
            declare.severity = Some(severity);
        } else if word.eq_ignore_ascii_case("drill") {
            declare.side = Side::Drill;
        } else if let Some(service) = word.strip_prefix("service:").filter(|name| !name.is_empty()) {
            declare.service = Some(service.to_owned());
        } else {
            break;
        }
        rest = after;
    }
    declare.title = given(rest, "the title")?;
    Ok(Verb::Declare(Box::new(declare)))
}

fn update(text: &str, _: &str, _: &Runbook) -> Result<Verb, String> {
    let mut parts = text.split('|').map(str::trim);
    let progress = given(parts.next().unwrap_or_default(), "what was found or done")?;
    let (mut next_steps, mut eta) = (None, None);
    for part in parts {
        match part.split_once(':').map(|(label, words)| (label.trim().to_lowercase(), words.trim())) {
            Some((label, words)) if label == "next" && next_steps.is_none() => {
                next_steps = Some(words.to_owned());
            }
            Some((label, words)) if label == "eta" && eta.is_none() => eta = Some(words.to_owned()),
            _ => return Err("behind a | comes next: or eta:, each once".to_owned()),
        }
    }
    Ok(act(Command::PostUpdate(c::PostUpdate { progress, next_steps, eta, public: None })))
}

fn severity(text: &str, _: &str, _: &Runbook) -> Result<Verb, String> {
    let (word, why) = split(text);
    let severity: Severity =
        word.parse().map_err(|_| "the severity is missing: sev1, sev2, sev3 or sev4".to_owned())?;
    Ok(act(Command::SetSeverity(c::SetSeverity { severity, because: given(why, "the reason")? })))
}

fn note(text: &str, _: &str, _: &Runbook) -> Result<Verb, String> {
    Ok(act(Command::Note(c::Note { text: given(text, "the text")? })))
}

fn hypothesis(text: &str, _: &str, _: &Runbook) -> Result<Verb, String> {
    let statement = given(text, "what may have happened")?;
    Ok(act(Command::Hypothesise(c::Hypothesise { statement, class: None })))
}

fn resolve(text: &str, _: &str, _: &Runbook) -> Result<Verb, String> {
    let cause = given(text, "the cause, in a line,")?;
    Ok(act(Command::Resolve(c::Resolve { cause, override_because: None })))
}

fn advance() -> Verb {
    act(Command::Advance(c::Advance { to: None, override_because: None }))
}

fn close() -> Verb {
    act(Command::Close(c::Close { override_because: None }))
}

fn assign(text: &str, user: &str, runbook: &Runbook) -> Result<Verb, String> {
    let (role_name, who) = split(text);
    let names = || ROLES.map(|(name, _)| name).join(", ");
    let role = ROLES.into_iter().find(|(name, _)| name.eq_ignore_ascii_case(role_name));
    let (_, role) = role.ok_or_else(|| format!("the role is missing; there are {}", names()))?;
    let to = person(who.trim(), user, runbook)?;
    Ok(act(Command::Assign(c::Assign { role, to })))
}

const ROLES: [(&str, Role); 9] = [
    ("commander", Role::Commander),
    ("deputy", Role::Deputy),
    ("scribe", Role::Scribe),
    ("ops", Role::OpsLead),
    ("comms", Role::CommsLead),
    ("customers", Role::CustomerLiaison),
    ("internal", Role::InternalLiaison),
    ("expert", Role::SubjectExpert),
    ("responder", Role::Responder),
];

/// The person meant by `me`, a mention, or a short name of the runbook's.
fn person(who: &str, user: &str, runbook: &Runbook) -> Result<PersonId, String> {
    let mentioned = who.strip_prefix("<@").and_then(|it| it.strip_suffix('>'));
    let mentioned = mentioned.map(|it| it.split_once('|').map_or(it, |(id, _)| id));
    let account = if who.eq_ignore_ascii_case("me") { Some(user) } else { mentioned };
    if let Some(account) = account {
        let known = runbook.person_of(&Identity::new("slack", account)).cloned();
        return known.ok_or_else(|| {
            format!(
                "the runbook knows nobody with this account; add slack:{account} to a person's identities"
            )
        });
    }
    let named = PersonId::new(&who.trim_start_matches('@').to_lowercase());
    if runbook.persons.contains_key(&named) {
        return Ok(named);
    }
    Err("the person is missing: mention them, or give their short name in the runbook".to_owned())
}

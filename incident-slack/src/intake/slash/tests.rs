use incident_core::domain::command as c;
use incident_core::domain::role::{Identity, Person, PersonId, Role};
use incident_core::domain::severity::Severity;
use serde_json::json;

use super::*;

fn runbook() -> Runbook {
    let mut runbook = Runbook::default();
    let alice = Person {
        name: "Alice".to_owned(),
        identities: vec![Identity::new("slack", "U1")],
        roles: Vec::new(),
    };
    runbook.persons.insert(PersonId::new("alice"), alice);
    runbook
}

fn parse(text: &str) -> Result<Slash, SlashError> {
    Slash::parse(text, "U1", &runbook())
}

fn act(text: &str) -> Command {
    match parse(text).unwrap().verb {
        Verb::Act(command) => *command,
        other => panic!("{other:?}"),
    }
}

#[test]
fn each_verb_becomes_its_command() {
    let because = |text: &str| c::Because { because: text.to_owned() };
    let assign = || Command::Assign(c::Assign { role: Role::Commander, to: PersonId::new("alice") });
    for (text, expect) in [
        ("ack", Command::Acknowledge),
        ("  ACKNOWLEDGE ", Command::Acknowledge),
        (
            "severity sev1 all of Europe",
            Command::SetSeverity(c::SetSeverity {
                severity: Severity::Sev1,
                because: "all of Europe".to_owned(),
            }),
        ),
        ("note a &lt; b", Command::Note(c::Note { text: "a < b".to_owned() })),
        ("escalate nobody answers", Command::Escalate(because("nobody answers"))),
        ("reopen it is back", Command::Reopen(because("it is back"))),
        ("cancel a test", Command::Cancel(because("a test"))),
        ("assign commander me", assign()),
        ("assign Commander &lt;@U1|alice&gt;", assign()),
        ("assign commander <@U1>", assign()),
        ("assign commander @alice", assign()),
        (
            "update found it | next: roll back | ETA: 15 min",
            Command::PostUpdate(c::PostUpdate {
                progress: "found it".to_owned(),
                next_steps: Some("roll back".to_owned()),
                eta: Some("15 min".to_owned()),
                public: None,
            }),
        ),
        (
            "resolve a bad index",
            Command::Resolve(c::Resolve { cause: "a bad index".to_owned(), override_because: None }),
        ),
        (
            "hypothesis the cache",
            Command::Hypothesise(c::Hypothesise { statement: "the cache".to_owned(), class: None }),
        ),
        ("advance", Command::Advance(c::Advance { to: None, override_because: None })),
        ("close", Command::Close(c::Close { override_because: None })),
    ] {
        assert_eq!(act(text), expect, "{text}");
    }
    assert_eq!(parse("status").unwrap().verb, Verb::Status);
    assert_eq!(parse("").unwrap().verb, Verb::Help);
}

#[test]
fn an_incident_is_declared_with_what_is_known() {
    let Verb::Declare(declare) = parse("declare SEV1 drill service:checkout Checkout fails").unwrap().verb
    else {
        panic!("a declaration")
    };
    assert_eq!(declare.severity, Some(Severity::Sev1));
    assert_eq!(declare.side, incident_core::Side::Drill);
    assert_eq!(declare.service.as_deref(), Some("checkout"));
    assert_eq!(declare.title, "Checkout fails");
}

#[test]
fn an_incident_may_be_named_first() {
    for (text, incident) in [
        ("ack #A1b2c3", Some("a1b2c3")),
        ("note #a1b2c3 #hash", Some("a1b2c3")),
        ("note #123 is a ticket", None),
        ("note #ticket", None),
    ] {
        assert_eq!(parse(text).unwrap().incident.as_deref(), incident, "{text}");
    }
}

#[test]
fn an_error_says_how_it_is_written() {
    for (text, says) in [
        ("declare", "/incident declare [sev1..sev4]"),
        ("declare sev1", "the title is missing"),
        ("update", "/incident update TEXT"),
        ("update x | maybe", "next: or eta:"),
        ("severity high because", "sev1, sev2, sev3 or sev4"),
        ("severity sev2", "the reason is missing"),
        ("assign boss me", "commander, deputy"),
        ("assign commander <@U9>", "slack:U9"),
        ("assign commander", "the person is missing"),
        ("resovle x", "did you mean resolve?"),
        ("res", "did you mean resolve?"),
        ("acl", "did you mean ack?"),
        ("statsu", "did you mean status?"),
        ("dance", "/incident help"),
        ("🦀", "/incident help"),
    ] {
        let error = parse(text).unwrap_err().to_string();
        assert!(error.contains(says), "{text}: {error}");
    }
    assert!(VERBS.iter().all(|verb| HELP.contains(verb.names[0])));
}

#[test]
fn a_command_arrives_as_a_form_or_as_a_payload() {
    let form = b"command=%2Fincident&text=note+a%26b&user_id=U1&channel_id=C1&trigger_id=13.37&response_url=https%3A%2F%2Fhooks.slack.com%2Fx";
    let payload = json!({"command": "/incident", "text": "note a&b", "user_id": "U1", "channel_id": "C1",
        "trigger_id": "13.37", "response_url": "https://hooks.slack.com/x"});
    let command = SlashCommand::from_form(form).unwrap();
    assert_eq!(Some(&command), SlashCommand::from_payload(&payload).as_ref());
    let request = |command: &SlashCommand| command.request(Command::Acknowledge);
    assert_eq!(request(&command).id, request(&command).id, "delivered twice it is one command");
    assert_eq!(request(&command).actor, Actor::human("slack", "U1"));
    assert_eq!(SlashCommand::from_form(b"text=ack"), None);
}

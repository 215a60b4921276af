use incident_core::model::role::{Identity, Person, PersonId, Role};
use incident_core::model::severity::Severity;
use incident_core::rules::command as c;
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

fn incident() -> IncidentId {
    "019ab7a0-0000-7000-8000-000000a1b2c3".parse().unwrap()
}

fn parse(text: &str) -> Result<Slash, SlashError> {
    let now = "2026-11-26T10:00:00Z".parse().unwrap();
    Slash::parse(text, &Asking { user: "U1", runbook: &runbook(), known: &[incident()], now })
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
        ("assign lead me.", assign()),
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
        ("page nobody answers", Command::Escalate(because("nobody answers"))),
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
fn an_incident_may_be_named_and_every_other_number_is_a_word() {
    for (text, named) in [
        ("ack #A1b2c3", true),
        ("#a1b2c3 ack", true),
        ("#a1b2c3", true),
        ("#a1b2c3: note it is back", true),
        ("note #a1b2c3 #hash", true),
        ("note #4711 is a ticket", false),
        ("note #471100 is a ticket", false),
        ("note #ticket", false),
        ("declare #4711 orders are stuck", false),
        ("declare #a1b2c3 came back", false),
    ] {
        assert_eq!(parse(text).unwrap().incident.is_some(), named, "{text}");
    }
    for (text, title) in [
        ("declare #4711 orders are stuck", "#4711 orders are stuck"),
        ("declare #a1b2c3 is back", "#a1b2c3 is back"),
    ] {
        let Verb::Declare(declare) = parse(text).unwrap().verb else { panic!("a declaration") };
        assert_eq!(declare.title, title);
    }
    for text in ["ack #ffffff", "#ffffff ack", "close #ffff"] {
        let said = parse(text).map(|slash| slash.incident);
        assert!(said.is_err() || text.starts_with("close"), "{text}: {said:?}");
    }
}

#[test]
fn what_phones_and_slack_make_of_a_command_is_understood() {
    for text in [
        "ack",
        "ack.",
        "Ack",
        " ack\u{a0}",
        "\u{200f}ack",
        "ack\u{200b}",
        "/incident ack",
        "/incident Ack.",
        "\u{feff}ack!",
    ] {
        assert_eq!(act(text), Command::Acknowledge, "{text:?}");
    }
    for text in [
        "declare\u{a0}sev1\u{a0}service:checkout Checkout fails",
        "Declare Sev1 Service:checkout Checkout fails",
        "declare SEV-1 service: checkout Checkout fails",
        "declare sev 1 SERVICE:checkout Checkout fails",
        "/incident declare service:checkout sev1 Checkout fails",
    ] {
        let Verb::Declare(declare) = parse(text).unwrap().verb else { panic!("a declaration") };
        let found = (declare.title.as_str(), declare.service.as_deref(), declare.severity);
        assert_eq!(found, ("Checkout fails", Some("checkout"), Some(Severity::Sev1)), "{text:?}");
    }
    let Command::SetSeverity(set) = act("severity SEV-1 all of Europe") else { panic!("a severity") };
    assert_eq!((set.severity, set.because.as_str()), (Severity::Sev1, "all of Europe"));
    for (text, progress, next) in [
        ("update Paging <@U1|bob> now", "Paging @Alice now", None),
        ("update Paging &lt;@U1|bob&gt; now", "Paging @Alice now", None),
        (
            "update graph <https://g.example/d/1|g.example/d/1> | next: roll back",
            "graph https://g.example/d/1",
            Some("roll back"),
        ),
        ("update found it | next: <@U1|bob> rolls back", "found it", Some("@Alice rolls back")),
        (
            "update ran `kubectl logs x | grep -c 500`, 4000 hits",
            "ran `kubectl logs x | grep -c 500`, 4000 hits",
            None,
        ),
        ("update found it | see grafana.example", "found it | see grafana.example", None),
        ("Update found it | Next: roll back", "found it", Some("roll back")),
        ("update line one\nline two | next: a\nb", "line one\nline two", Some("a\nb")),
    ] {
        let Command::PostUpdate(update) = act(text) else { panic!("an update") };
        assert_eq!((update.progress.as_str(), update.next_steps.as_deref()), (progress, next), "{text}");
    }
    let Command::Note(note) = act("note ran kubectl logs x | grep -c 500") else { panic!("a note") };
    assert_eq!(note.text, "ran kubectl logs x | grep -c 500");
}

#[test]
fn the_whole_response_can_be_written() {
    use incident_core::rules::command::CommandKind as K;
    for (text, kind) in [
        ("started 09:50", K::Correct),
        ("started 15 min ago", K::Correct),
        ("tick confirm-incident", K::TickStep),
        ("skip check-dns there is no cluster", K::TickStep),
        ("triage no no no yes yes", K::Triage),
        ("triage data-loss:yes", K::Triage),
        (
            "impact users:1'200 share:5% services:checkout,api data-loss:no customers:yes orders fail",
            K::AssessImpact,
        ),
        ("hypothesis the cache", K::Hypothesise),
        ("confirm 12 the graph shows it", K::JudgeHypothesis),
        ("rule-out #12 it was before", K::JudgeHypothesis),
        ("propose shop switch-feature feature:pricing on:no it broke with it", K::Propose),
        ("propose k8s roll-back workload:deployment/shop to_revision:41 the last one was good", K::Propose),
        ("propose k8s scale workload:deployment/shop replicas:6 load", K::Propose),
        ("propose db end-queries database:orders longer-than-seconds:300 they block", K::Propose),
        ("propose db add-index database:orders table:items columns:a,b slow", K::Propose),
        ("reject 12 too risky", K::Reject),
        ("undo 12 it does harm", K::Undo),
        ("settle 12 yes I looked", K::SettleMitigation),
        ("fix deployment version 43 is out | link: https://ci.example/43", K::RecordFix),
        ("attest user-reports green nobody complains", K::Attest),
        ("advance | over: the tracker is down", K::Advance),
        ("back investigation it is red again", K::StepBack),
        ("resolve a cold cache | over: no probes here", K::Resolve),
        ("link #a1b2c3 caused-by", K::Link),
        (
            "action warm the cache | owner: me | priority: high | kind: prevent | due: 2026-12-01 17:00",
            K::AddAction,
        ),
        ("owner 12 me", K::AssignAction),
        ("done 12 it is warm", K::CompleteAction),
        ("postmortem why the cache was cold", K::FindCause),
        ("postmortem why 12 nobody warmed it", K::FindCause),
        ("postmortem proof 12 3 4", K::LinkEvidence),
        ("postmortem doc update-runbook not-needed it says so", K::DecideDocumentation),
        ("postmortem doc update-runbook 12", K::DecideDocumentation),
        ("postmortem owner me", K::AssignPostMortem),
        ("postmortem review me", K::RequestReview),
        ("postmortem return the cause is missing", K::ReturnReview),
        ("meeting tomorrow 14:00 | place: https://meet.example/x", K::ScheduleMeeting),
        ("meeting held me", K::HoldMeeting),
        ("meeting cancel nobody has time", K::CancelMeeting),
        ("close | over: the tickets are elsewhere", K::Close),
    ] {
        assert_eq!(act(text).kind(), kind, "{text}");
    }
    let Command::AssessImpact(impact) = act("impact users:1200 share:5% customers:yes orders fail") else {
        panic!()
    };
    assert_eq!(
        (impact.users, impact.users_percent, impact.customer_facing),
        (Some(1_200), Some(5.0), Some(true))
    );
    assert_eq!(impact.business.as_deref(), Some("orders fail"));
    let Command::Triage(triage) = act("triage no no no yes yes") else { panic!() };
    let path = runbook().triage.walk(&triage.answers).unwrap();
    assert_eq!((path.severity, path.answers.len()), (Severity::Sev2, 5));
    assert!(matches!(parse("merge #a1b2c3 the same").unwrap().verb, Verb::Merge { .. }));
    assert!(matches!(parse("approve 12 a1b2c3d4e5f6").unwrap().verb, Verb::Wish(_)));
    assert!(matches!(parse("postmortem publish | over: late").unwrap().verb, Verb::Wish(_)));
    assert_eq!(parse("list").unwrap().verb, Verb::List);
    assert_eq!(parse("triage").unwrap().verb, Verb::Triage);
    assert_eq!(parse("declare").unwrap().verb, Verb::DeclareForm);
}

#[test]
fn an_error_says_how_it_is_written() {
    for (text, says) in [
        ("declare sev2", "/incident declare (a form), or [sev1..sev4]"),
        ("declare sev1", "What is wrong is missing"),
        ("update", "/incident update TEXT"),
        ("update x | next: a | next: b", "next: is there twice"),
        ("approve 12", "digest is missing"),
        ("propose shop switch-feature pricing", "can't be read: missing field"),
        ("confirm the cache", "the number is missing"),
        ("impact", "The impact is missing"),
        ("started soon", "the time is missing"),
        ("triage yes maybe", "an answer is yes, no or unknown"),
        ("triage yes yes", "more answers than questions"),
        ("back nowhere x", "detection, triage"),
        ("merge #ffffff x", "the other incident is missing"),
        ("severity high because", "sev1, sev2, sev3 or sev4"),
        ("severity sev2", "the reason is missing"),
        ("assign boss me", "commander, lead, deputy"),
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
        assert!(error.to_lowercase().contains(&says.to_lowercase()), "{text}: {error}");
    }
    assert!(verbs().all(|verb| help().contains(&format!("/incident {}", verb.names[0]))));
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

use incident_core::runbook::Runbook;
use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;

/// JSON of any shape, with the keys that are looked for.
fn any_payload() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<String>().prop_map(Value::from),
        "[0-9.|v#:-]{0,24}".prop_map(Value::from),
        prop::sample::select(vec![
            "block_actions",
            "message_action",
            APPROVE,
            REJECT,
            ACKNOWLEDGE,
            ADD_TO_TIMELINE
        ])
        .prop_map(Value::from),
    ];
    let keys =
        ["type", "user", "id", "actions", "action_id", "value", "message", "ts", "channel", "event", "item"];
    leaf.prop_recursive(4, 48, 6, move |inner| {
        let key = prop::sample::select(keys.to_vec()).prop_map(str::to_owned);
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..3).prop_map(Value::from),
            prop::collection::btree_map(key, inner, 0..6).prop_map(|map| json!(map)),
        ]
    })
}

/// The first words of real commands.
fn verb_names() -> impl Strategy<Value = String> {
    let names: Vec<String> =
        help().lines().filter_map(|line| line.split_whitespace().nth(1).map(str::to_owned)).collect();
    prop::sample::select(names)
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_words_of_a_command_break_anything(text in any::<String>(), verb in prop_oneof!["[a-z]{0,12}", verb_names()], user in any::<String>()) {
        let runbook = Runbook::default();
        for text in [text.clone(), format!("{verb} {text}"), format!("assign commander <@{text}>")] {
            let asking = Asking { user: &user, runbook: &runbook, known: &[], now: incident_core::Time::UNIX_EPOCH };
            if let Err(error) = Slash::parse(&text, &asking) {
                prop_assert!(error.usage.starts_with("/incident"), "{}", error);
                let answer = Answer::unreadable(&error).to_json();
                prop_assert!(!answer["text"].as_str().unwrap_or_default().contains('<'));
            }
        }
    }

    #[test]
    fn no_bytes_and_no_payload_break_anything(body in any::<Vec<u8>>(), payload in any_payload()) {
        let form = [b"payload=".as_slice(), &body].concat();
        let _ = (Interaction::from_form(&form), SlashCommand::from_form(&body), Event::from_body(&body));
        let _ = (Event::from_payload(&payload), SlashCommand::from_payload(&payload));
        if let Ok(Interaction::Button { intake, .. }) = Interaction::from_payload(&payload) {
            prop_assert!(matches!(intake.request.actor, incident_core::Actor::Human(_)));
        }
    }
}

#[test]
fn the_commands_of_a_stranger_count_only_where_they_call_for_help() {
    use incident_core::model::id::CommandId;
    use incident_core::model::role::{Actor, Identity, Person, PersonId};
    use incident_core::rules::command::{Because, Command, Declare, Note, Request};
    let mut runbook = Runbook::default();
    let request = |user: &str, command: &Command| {
        Request::new(CommandId::named("x"), Actor::human("slack", user), command.clone())
    };
    let because = || Because { because: "x".to_owned() };
    let all = [
        (Command::Declare(Box::new(Declare::new("x"))), true),
        (Command::Escalate(because()), true),
        (Command::Note(Note { text: "x".to_owned() }), true),
        (Command::Acknowledge, false),
        (Command::Cancel(because()), false),
        (Command::Reopen(because()), false),
        (Command::Close(incident_core::rules::command::Close { override_because: None }), false),
    ];
    for (command, _) in &all {
        assert!(permit(&request("U9", command), &runbook).is_ok(), "a runbook without people lets everybody");
    }
    let mut alice = Person { name: "Alice".to_owned(), identities: Vec::new(), roles: Vec::new() };
    alice.identities.push(Identity::new("slack", "U1"));
    runbook.persons.insert(PersonId::new("alice"), alice);
    for (command, counts) in &all {
        assert!(permit(&request("U1", command), &runbook).is_ok());
        let stranger = permit(&request("U9", command), &runbook);
        assert_eq!(stranger.is_ok(), *counts, "{command:?}");
        if let Err(told) = stranger {
            assert!(told.text().contains("slack:U9") && told.text().contains("page"), "{told:?}");
        }
    }
}

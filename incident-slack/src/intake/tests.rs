use incident_core::domain::runbook::Runbook;
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

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_words_of_a_command_break_anything(text in any::<String>(), verb in "[a-z]{0,12}", user in any::<String>()) {
        let runbook = Runbook::default();
        for text in [text.clone(), format!("{verb} {text}"), format!("assign commander <@{text}>")] {
            if let Err(error) = Slash::parse(&text, &user, &runbook) {
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

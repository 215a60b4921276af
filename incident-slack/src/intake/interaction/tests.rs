use serde_json::json;

use super::*;

fn incident() -> IncidentId {
    IncidentId::new(incident_core::Time::UNIX_EPOCH, [7; 16])
}

fn plan() -> Approval {
    Approval { incident: incident(), proposal: Seq(12), digest: Digest::sha256(b"plan") }
}

fn click(action: &str, value: &str) -> Value {
    json!({
        "type": "block_actions",
        "user": {"id": "U1"},
        "container": {"message_ts": "1.000100"},
        "actions": [{"action_id": action, "value": value, "action_ts": "2.000200"}],
        "response_url": "https://hooks.slack.com/actions/x",
    })
}

fn intake(payload: &Value) -> Intake {
    match Interaction::from_payload(payload).unwrap() {
        Interaction::Button { intake, .. } => *intake,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_button_means_the_plan_that_was_shown() {
    let asked = intake(&click(APPROVE, &plan().to_string()));
    let expect = Approve { proposal: Seq(12), digest: plan().digest, break_glass: None };
    assert_eq!(asked.incident, incident());
    assert_eq!(asked.request.command, Command::Approve(expect));
    assert_eq!(asked.request.actor, Actor::human("slack", "U1"));
    let Command::Reject(reject) = intake(&click(REJECT, &plan().to_string())).request.command else {
        panic!("a rejection")
    };
    assert_eq!(reject.proposal, Seq(12));
    let acknowledge = intake(&click(ACKNOWLEDGE, &Approval::incident(incident())));
    assert_eq!(acknowledge.request.command, Command::Acknowledge);
}

#[test]
fn a_click_that_is_delivered_twice_is_one_command_and_another_click_another() {
    let first = click(APPROVE, &plan().to_string());
    let mut second = first.clone();
    second["actions"][0]["action_ts"] = "3.000300".into();
    assert_eq!(intake(&first).request.id, intake(&first).request.id);
    assert_ne!(intake(&first).request.id, intake(&second).request.id);
}

#[test]
fn what_is_not_ours_is_told_from_what_is_no_interaction() {
    let value = plan().to_string();
    for (payload, expect) in [
        (click("other_app", &value), InteractionError::Foreign),
        (click(APPROVE, "v2|x"), InteractionError::Foreign),
        (click(APPROVE, &value[..value.len() - 1]), InteractionError::Foreign),
        (click(APPROVE, &format!("{value}|x")), InteractionError::Foreign),
        (click(APPROVE, &value.replace("|12|", "|x|")), InteractionError::Foreign),
        (click(ACKNOWLEDGE, "v1|"), InteractionError::Foreign),
        (json!({"type": "view_submission"}), InteractionError::Foreign),
        (json!({"type": "message_action", "callback_id": "other"}), InteractionError::Foreign),
        (json!({"type": "message_action", "callback_id": ADD_TO_TIMELINE}), InteractionError::Malformed),
        (json!({}), InteractionError::Malformed),
        (json!([1]), InteractionError::Malformed),
    ] {
        assert_eq!(Interaction::from_payload(&payload), Err(expect), "{payload}");
    }
    let mut nobody = click(APPROVE, &value);
    nobody["user"] = Value::Null;
    assert_eq!(Interaction::from_payload(&nobody), Err(InteractionError::Malformed));
    for body in [&b"payload=%7B"[..], b"", b"\xff\xfe"] {
        assert_eq!(Interaction::from_form(body), Err(InteractionError::Malformed));
    }
}

#[test]
fn a_shortcut_quotes_the_message() {
    let payload = json!({
        "type": "message_action", "callback_id": ADD_TO_TIMELINE, "user": {"id": "U2"},
        "channel": {"id": "C1"}, "response_url": "https://hooks.slack.com/x",
        "message": {"ts": "1795662000.123456", "user": "U1", "text": "it is the cache"},
    });
    let Interaction::Quote { quote, .. } = Interaction::from_payload(&payload).unwrap() else {
        panic!("a quote")
    };
    assert_eq!((quote.author.as_str(), quote.by.as_str(), quote.channel.as_str()), ("U1", "U2", "C1"));
    assert_eq!(quote.text, "it is the cache");
    let text = payload.to_string();
    let form: String =
        url::form_urlencoded::Serializer::new(String::new()).append_pair("payload", &text).finish();
    assert!(matches!(Interaction::from_form(form.as_bytes()), Ok(Interaction::Quote { .. })));
}

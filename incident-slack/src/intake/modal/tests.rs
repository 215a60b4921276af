use incident_core::rules::command::CommandKind;

use super::super::Interaction;
use super::*;
use crate::blocks::limits_of_slack as limits;

fn sent(view: &Value, values: &[(&str, Value)]) -> Value {
    let values: serde_json::Map<String, Value> =
        values.iter().map(|(name, value)| ((*name).to_owned(), json!({ *name: value }))).collect();
    json!({
        "type": "view_submission", "user": {"id": "U1"}, "trigger_id": "1.1",
        "view": {
            "id": "V1", "callback_id": view["callback_id"], "private_metadata": view["private_metadata"],
            "state": {"values": values},
        },
    })
}

fn typed(text: &str) -> Value {
    json!({"type": "plain_text_input", "value": text})
}

fn chosen(value: &str) -> Value {
    json!({"type": "static_select", "selected_option": {"value": value}})
}

fn submission(payload: &Value) -> Submission {
    match Interaction::from_payload(payload).unwrap() {
        Interaction::Submission(submission) => *submission,
        other => panic!("{other:?}"),
    }
}

#[test]
fn the_form_to_declare_asks_for_three_things_and_requires_one() {
    let form = Modal::declare("C1");
    assert_eq!(limits::view_offences(form.to_json()), Vec::<String>::new());
    let unsure = sent(form.to_json(), &[("what", typed(" Orders\n fail ")), ("severity", chosen("unsure"))]);
    let Submission { channel, filled: Filled::Declare(declare), .. } = submission(&unsure) else { panic!() };
    assert_eq!((declare.title.as_str(), declare.severity, channel.as_str()), ("Orders fail", None, "C1"));
    let full = [("what", typed("x")), ("severity", chosen("sev1")), ("service", typed("checkout"))];
    let Filled::Declare(declare) = submission(&sent(form.to_json(), &full)).filled else { panic!() };
    assert_eq!((declare.severity, declare.service.as_deref()), (Some(Severity::Sev1), Some("checkout")));
}

#[test]
fn a_field_that_cannot_be_taken_is_told_so_at_the_field() {
    let form = Modal::declare("C1");
    for (values, field) in [
        (vec![("what", typed(" \n "))], "what"),
        (vec![("what", Value::Null)], "what"),
        (vec![("what", typed("x")), ("severity", chosen("sev9"))], "severity"),
    ] {
        let error = Interaction::from_payload(&sent(form.to_json(), &values)).unwrap_err();
        let response = error.response().unwrap();
        assert_eq!(response["response_action"], "errors");
        assert!(response["errors"][field].as_str().is_some_and(|it| it.len() > 10), "{response}");
    }
}

#[test]
fn odd_forms_are_foreign_or_malformed_and_never_panic() {
    let edit = |about: &str| json!({"callback_id": "incident_edit", "private_metadata": about});
    for about in ["", "v1", "v1|x|summary|1|C1", "v1||||", "v2|a|b|c|d", "v1|a|b|c|d|e"] {
        let payload = sent(&edit(about), &[("text", typed("x"))]);
        assert_eq!(Interaction::from_payload(&payload), Err(InteractionError::Foreign), "{about}");
    }
    let other = sent(&json!({"callback_id": "theirs"}), &[]);
    assert_eq!(Interaction::from_payload(&other), Err(InteractionError::Foreign));
    let bare = json!({"type": "view_submission", "view": {"callback_id": DECLARE}});
    assert_eq!(Interaction::from_payload(&bare), Err(InteractionError::Malformed));
}

#[test]
fn a_form_that_slack_delivers_twice_is_one_request() {
    let payload = sent(Modal::declare("").to_json(), &[("what", typed("x"))]);
    let (one, two) = (submission(&payload), submission(&payload));
    assert_eq!(one.request(Command::Acknowledge).id, two.request(Command::Acknowledge).id);
    assert_eq!(one.request(Command::Acknowledge).command.kind(), CommandKind::Acknowledge);
}

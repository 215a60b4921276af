use incident_core::port::{Applied, Retry};
use serde_json::json;
use slack_morphism::errors::*;

use super::*;

fn refusal(code: &str, body: &Value) -> AdapterError {
    let mut body = body.clone();
    body["ok"] = false.into();
    body["error"] = code.into();
    let error = SlackClientApiError::new(code.to_owned()).with_http_response_body(body.to_string());
    Failure::of(SlackClientError::ApiError(error)).into_error("try", Purpose::Write)
}

#[test]
fn each_code_says_what_to_do_and_whether_it_happened() {
    use Applied::{Maybe, No};
    use ErrorKind::*;
    for (code, kind, applied, retry) in [
        ("invalid_auth", Auth, No, true),
        ("token_revoked", Auth, No, true),
        ("missing_scope", Permission, No, true),
        ("not_in_channel", Permission, No, true),
        ("restricted_action", Permission, No, true),
        ("org_login_required", Permission, No, true),
        ("accesslimited", Permission, No, true),
        ("channel_not_found", NotFound, No, true),
        ("team_not_found", Config, No, true),
        ("is_archived", Refused, No, true),
        ("name_taken", Conflict, No, false),
        ("invalid_blocks", Invalid, No, false),
        ("no_text", Invalid, No, false),
        ("msg_blocks_too_long", TooLarge, No, false),
        ("metadata_too_large", TooLarge, No, false),
        ("ratelimited", RateLimited, No, true),
        ("message_limit_exceeded", RateLimited, No, true),
        ("external_channel_migrating", Unavailable, No, true),
        ("fatal_error", Unavailable, Maybe, true),
        ("internal_error", Unavailable, Maybe, true),
        ("service_unavailable", Unavailable, No, true),
        ("message_not_found", NotFound, No, false),
        ("edit_window_closed", Refused, No, false),
        ("something_new", Refused, No, true),
    ] {
        let error = refusal(code, &json!({}));
        assert_eq!((error.kind, error.applied), (kind, applied), "{code}");
        assert_eq!(error.retry != Retry::Never, retry, "{code}");
        assert!(error.context.contains(code), "{error}");
    }
}

#[test]
fn a_missing_scope_is_named_with_what_there_is() {
    let error = refusal("missing_scope", &json!({"needed": "chat:write", "provided": "pins:write,im:read"}));
    assert!(error.context.contains("needed chat:write, provided pins:write,im:read"), "{error}");
}

#[test]
fn nothing_of_an_answer_but_words_of_the_api_is_repeated() {
    let secret = "hunter2 <b>\u{1b}[2J";
    let errors = [
        refusal(secret, &json!({"needed": secret, "provided": secret})),
        Failure::of(SlackClientError::HttpError(
            SlackClientHttpError::new(hyper::StatusCode::BAD_GATEWAY)
                .with_http_response_body(secret.to_owned()),
        ))
        .into_error("try", Purpose::Write),
        Failure::of(SlackClientError::ProtocolError(
            SlackClientProtocolError::new(serde_json::from_str::<Value>("{").unwrap_err())
                .with_json_body(secret.to_owned()),
        ))
        .into_error("try", Purpose::Write),
        Failure::of(SlackClientError::RateLimitError(
            SlackRateLimitError::new().with_http_response_body(secret.to_owned()),
        ))
        .into_error("try", Purpose::Write),
    ];
    for error in errors {
        assert!(!format!("{error} {error:?}").contains("hunter2"), "{error:?}");
    }
}

#[test]
fn each_status_says_what_to_do_and_whether_it_happened() {
    for (status, kind, applied, retry) in [
        (302, ErrorKind::Config, Applied::No, true),
        (400, ErrorKind::Invalid, Applied::No, true),
        (401, ErrorKind::Auth, Applied::No, true),
        (403, ErrorKind::Permission, Applied::No, true),
        (404, ErrorKind::NotFound, Applied::No, true),
        (407, ErrorKind::Auth, Applied::No, true),
        (408, ErrorKind::Unavailable, Applied::Maybe, true),
        (413, ErrorKind::TooLarge, Applied::No, false),
        (418, ErrorKind::Invalid, Applied::No, true),
        (500, ErrorKind::Unavailable, Applied::Maybe, true),
        (503, ErrorKind::Unavailable, Applied::Maybe, true),
    ] {
        let error = Failure::Status(status).into_error("try", Purpose::Write);
        assert_eq!((error.kind, error.applied), (kind, applied), "{status}");
        assert_eq!(error.retry != Retry::Never, retry, "{status}");
        let read = Failure::Status(status).into_error("try", Purpose::Read);
        assert_eq!(read.applied, Applied::No, "a read changes nothing, {status}");
    }
}

#[test]
fn a_wait_is_passed_on_and_bounded() {
    for (asked, passed) in [(17, 17), (301, 300), (4_294_967_295, 300)] {
        let error = Failure::Waits(Some(Duration::from_secs(asked))).into_error("try", Purpose::Write);
        assert_eq!(error.retry, Retry::After(Some(Duration::from_secs(passed))));
        assert_eq!((error.kind, error.applied), (ErrorKind::RateLimited, Applied::No));
    }
}

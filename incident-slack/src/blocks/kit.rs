//! The blocks of Block Kit that are used here. Every text is escaped already.

use serde_json::{Value, json};

/// Text that shows as it is written: neither markup nor emoji.
pub(crate) fn plain(escaped: &str) -> Value {
    json!({ "type": "plain_text", "text": escaped, "emoji": false })
}

/// Markup of ours: names and addresses in it become no links by themselves.
pub(crate) fn markup(text: &str) -> Value {
    json!({ "type": "mrkdwn", "text": text, "verbatim": true })
}

pub(crate) fn header(escaped: &str) -> Value {
    json!({ "type": "header", "text": plain(escaped) })
}

#[allow(clippy::needless_pass_by_value, reason = "it becomes a part of the block")]
pub(crate) fn section(text: Value) -> Value {
    json!({ "type": "section", "text": text })
}

pub(crate) fn fields(fields: &[Value]) -> Value {
    json!({ "type": "section", "fields": fields })
}

pub(crate) fn context(text: &str) -> Value {
    json!({ "type": "context", "elements": [markup(text)] })
}

/// A button that asks again before it does anything, if `confirm` says what.
pub(crate) fn button(
    action: &str,
    words: &str,
    value: &str,
    style: Option<&str>,
    confirm: Option<&str>,
) -> Value {
    let mut button = json!({ "type": "button", "action_id": action, "text": plain(words), "value": value });
    if let Some(style) = style {
        button["style"] = style.into();
    }
    if let Some(question) = confirm {
        button["confirm"] = json!({
            "title": plain(words),
            "text": plain(question),
            "confirm": plain("Yes"),
            "deny": plain("No"),
        });
    }
    button
}

pub(crate) fn actions(buttons: &[Value]) -> Value {
    json!({ "type": "actions", "elements": buttons })
}

/// The block under a name, by which it is found again in a message.
pub(crate) fn named(mut block: Value, id: &str) -> Value {
    block["block_id"] = id.into();
    block
}

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

/// A field of a form, under the name that its errors are shown at.
pub(crate) fn input(name: &str, label: &str, element: &Value, optional: bool) -> Value {
    json!({ "type": "input", "block_id": name, "label": plain(label), "element": element, "optional": optional })
}

/// A text field. What it begins with is shown as it is, so it isn't escaped.
pub(crate) fn text_input(name: &str, content: &str, most: usize, multiline: bool) -> Value {
    let mut element = json!({
        "type": "plain_text_input",
        "action_id": name,
        "multiline": multiline,
        "min_length": 1,
        "max_length": most,
    });
    if !content.is_empty() {
        element["initial_value"] = content.into();
    }
    element
}

pub(crate) fn option(words: &str, value: &str) -> Value {
    json!({ "text": plain(words), "value": value })
}

/// A list to choose from; the first option is chosen already.
pub(crate) fn select(name: &str, options: &[Value]) -> Value {
    let mut select = json!({ "type": "static_select", "action_id": name, "options": options });
    if let Some(first) = options.first() {
        select["initial_option"] = first.clone();
    }
    select
}

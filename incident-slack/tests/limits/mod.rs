//! What Slack's documentation says a message may have, written from the documentation alone: the code under test has its own
//! figures.
//!
//! Slack counts characters and doesn't say of which kind; the larger of the two usual ones has to fit.

#![allow(dead_code, reason = "each test uses a part of it")]

use std::collections::BTreeSet;

use serde_json::Value;

/// What is wrong with a message; nothing if Slack would take it.
pub(crate) fn offences(message: &Value) -> Vec<String> {
    let mut found = Offences::default();
    let blocks = message["blocks"].as_array().cloned().unwrap_or_default();
    found.unless(blocks.len() <= 50, "a message has at most 50 blocks");
    let mut ids = BTreeSet::new();
    for block in &blocks {
        if let Some(id) = block["block_id"].as_str() {
            found.unless(len(id) <= 255, "a block_id has at most 255 characters");
            found.unless(ids.insert(id.to_owned()), "a block_id is unique in a message");
        }
        found.block(block);
    }
    found.unless(found.total <= 13_000, "the texts of all blocks have about 13,000 characters at most");
    let text = message["text"].as_str().unwrap_or_default();
    found.unless(!text.trim().is_empty(), "a message with blocks has a text for notifications");
    found.unless(len(text) <= 4_000, "a text of more than 4,000 characters can't be edited");
    found.list
}

/// What is wrong with the view of a modal; nothing if Slack would take it.
pub(crate) fn view_offences(view: &Value) -> Vec<String> {
    let mut found = Offences::default();
    found.unless(view["type"] == "modal", "a form is a modal");
    for name in ["title", "submit", "close"] {
        found.text(&view[name], 24, "a view's title and buttons have 1 to 24 characters");
    }
    let at_most = |key: &str, most| view[key].as_str().is_none_or(|text| len(text) <= most);
    found.unless(at_most("callback_id", 255), "a callback_id has at most 255 characters");
    found.unless(at_most("private_metadata", 3_000), "private_metadata has at most 3,000 characters");
    let blocks = view["blocks"].as_array().cloned().unwrap_or_default();
    found.unless((1..=100).contains(&blocks.len()), "a view has 1 to 100 blocks");
    blocks.iter().for_each(|block| found.block(block));
    found.list
}

#[derive(Default)]
struct Offences {
    list: Vec<String>,
    total: usize,
}

impl Offences {
    fn unless(&mut self, holds: bool, rule: &str) {
        if !holds {
            self.list.push(rule.to_owned());
        }
    }

    fn block(&mut self, block: &Value) {
        match block["type"].as_str().unwrap_or_default() {
            "header" => {
                self.unless(block["text"]["type"] == "plain_text", "a header is plain text");
                self.text(&block["text"], 150, "a header's text has 1 to 150 characters");
            }
            "section" => {
                let fields = block["fields"].as_array();
                self.unless(block["text"].is_object() || fields.is_some(), "a section has a text or fields");
                if block["text"].is_object() {
                    self.text(&block["text"], 3_000, "a section's text has 1 to 3,000 characters");
                }
                if let Some(fields) = fields {
                    self.unless((1..=10).contains(&fields.len()), "a section has 1 to 10 fields");
                    for field in fields {
                        self.text(field, 2_000, "a field has 1 to 2,000 characters");
                    }
                }
            }
            "context" => {
                let elements = block["elements"].as_array().cloned().unwrap_or_default();
                self.unless((1..=10).contains(&elements.len()), "a context has 1 to 10 elements");
                for element in &elements {
                    self.text(element, 3_000, "a text has 1 to 3,000 characters");
                }
            }
            "actions" => {
                let elements = block["elements"].as_array().cloned().unwrap_or_default();
                self.unless((1..=25).contains(&elements.len()), "actions have 1 to 25 elements");
                elements.iter().for_each(|element| self.button(element));
            }
            "input" => self.input(block),
            "divider" => {}
            other => self.list.push(format!("{other:?} is no block that is expected here")),
        }
    }

    fn input(&mut self, block: &Value) {
        self.text(&block["label"], 2_000, "a label has 1 to 2,000 characters");
        let element = &block["element"];
        match element["type"].as_str() {
            Some("plain_text_input") => {
                let first = element["initial_value"].as_str().unwrap_or_default();
                let most = element["max_length"].as_u64().unwrap_or(3_000);
                self.unless(most <= 3_000, "a field takes at most 3,000 characters");
                self.unless(len(first) as u64 <= most, "what a field begins with fits in it");
            }
            Some("static_select") => {
                let options = element["options"].as_array().cloned().unwrap_or_default();
                self.unless((1..=100).contains(&options.len()), "a list has 1 to 100 options");
                for option in &options {
                    self.text(&option["text"], 75, "an option has 1 to 75 characters");
                    let value = option["value"].as_str().unwrap_or_default();
                    self.unless((1..=150).contains(&len(value)), "an option's value has 1 to 150 characters");
                }
                let first = &element["initial_option"];
                self.unless(first.is_null() || options.contains(first), "the first choice is an option");
            }
            _ => self.list.push("an input is a text or a list".to_owned()),
        }
    }

    fn button(&mut self, button: &Value) {
        self.unless(button["type"] == "button", "an element here is a button");
        self.unless(button["text"]["type"] == "plain_text", "a button's text is plain text");
        self.text(&button["text"], 75, "a button's text has 1 to 75 characters");
        let at_most = |key: &str, most| button[key].as_str().is_none_or(|text| len(text) <= most);
        self.unless(at_most("value", 2_000), "a button's value has at most 2,000 characters");
        self.unless(at_most("action_id", 255), "an action_id has at most 255 characters");
        let style = &button["style"];
        self.unless(
            style.is_null() || style == "primary" || style == "danger",
            "a style is primary or danger",
        );
        let confirm = &button["confirm"];
        if confirm.is_object() {
            self.text(&confirm["title"], 100, "a confirmation's title has 1 to 100 characters");
            self.text(&confirm["text"], 300, "a confirmation's text has 1 to 300 characters");
            self.text(&confirm["confirm"], 30, "a confirmation's yes has 1 to 30 characters");
            self.text(&confirm["deny"], 30, "a confirmation's no has 1 to 30 characters");
        }
    }

    fn text(&mut self, object: &Value, most: usize, rule: &str) {
        let text = object["text"].as_str().unwrap_or_default();
        self.total += len(text);
        self.unless((1..=most).contains(&len(text)), rule);
        self.unless(is_whole(text), "an entity is whole: & stands only before amp;, lt; or gt;");
        match object["type"].as_str() {
            Some("plain_text") => {
                self.unless(!text.contains(['<', '>']), "plain text is escaped");
                self.unless(object["emoji"] == false, "plain text shows no emoji that somebody wrote");
            }
            Some("mrkdwn") => self.unless(object["verbatim"] == true, "markup links nothing by itself"),
            _ => self.list.push("a text is plain_text or mrkdwn".to_owned()),
        }
    }
}

/// The mentions, links and dates in the markup of a message: everything in angle brackets.
pub(crate) fn acting(message: &Value) -> Vec<String> {
    let mut found = Vec::new();
    visit(message, &mut |object| {
        if object["type"] == "mrkdwn" {
            found.extend(brackets(object["text"].as_str().unwrap_or_default()));
        }
    });
    found.extend(brackets(message["text"].as_str().unwrap_or_default()));
    found
}

/// Every text of a message, as it is read.
pub(crate) fn readable(message: &Value) -> String {
    let mut texts = vec![message["text"].as_str().unwrap_or_default().to_owned()];
    visit(&message["blocks"], &mut |object| {
        let is_text = object["type"] == "mrkdwn" || object["type"] == "plain_text";
        texts.extend(object["text"].as_str().filter(|_| is_text).map(str::to_owned));
    });
    texts.join("\n").replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")
}

fn brackets(text: &str) -> Vec<String> {
    let parts = text.split('<').skip(1);
    parts.filter_map(|part| part.split_once('>')).map(|(inside, _)| inside.to_owned()).collect()
}

fn visit(value: &Value, see: &mut impl FnMut(&Value)) {
    see(value);
    match value {
        Value::Array(items) => items.iter().for_each(|item| visit(item, see)),
        Value::Object(fields) => fields.values().for_each(|field| visit(field, see)),
        _ => {}
    }
}

fn is_whole(text: &str) -> bool {
    let entity = |rest: &str| ["amp;", "lt;", "gt;"].iter().any(|name| rest.starts_with(name));
    text.split('&').skip(1).all(entity)
}

fn len(text: &str) -> usize {
    text.chars().count().max(text.encode_utf16().count())
}

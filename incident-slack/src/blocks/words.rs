//! What people and alerts wrote, laid out as plain text; what doesn't fit is kept for a second message.

use incident_core::model::notice::{Label, Line, Notice, NoticeKind};
use serde_json::Value;

use super::escape::{clip, escape, len, readable};
use super::kit::{named, plain, section};
use super::limits::{SECTION, WORDS};

/// The name that begins the ids of blocks with words.
pub(super) const WORDS_ID: &str = "ir_words";

const CUT: &str = "… truncated; the rest follows";

/// Words in the making.
pub(super) struct Words {
    pub(super) blocks: Vec<Value>,
    pub(super) rest: String,
    left: usize,
}

impl Words {
    /// What a notice says: its phrase where that is what was prepared for it, else line by line.
    pub(super) fn of(notice: &Notice) -> Self {
        let mut words = Self { blocks: Vec::new(), rest: String::new(), left: WORDS };
        if is_phrase(notice) {
            words.say(None, &notice.said);
        } else {
            labels(&notice.lines).into_iter().for_each(|label| {
                let lines = notice.lines.iter().filter(|line| line.label == label);
                let texts: Vec<&str> = lines.map(|line| line.text.as_str()).collect();
                words.say(Some(label), &texts.join("\n"));
            });
        }
        words
    }

    fn say(&mut self, label: Option<Label>, text: &str) {
        let text = readable(text);
        if text.trim().is_empty() {
            return;
        }
        let label = label.map(|label| format!("{label}\n")).unwrap_or_default();
        let room = SECTION.min(self.left).saturating_sub(label.len());
        let (shown, rest) = clip(&text, room);
        let cut = if rest.is_empty() { String::new() } else { format!("\n{CUT}") };
        self.left = self.left.saturating_sub(len(&shown) + label.len());
        let id = format!("{WORDS_ID}_{}", self.blocks.len());
        self.blocks.push(named(section(plain(&format!("{label}{}{cut}", shown.trim_end()))), &id));
        if !rest.is_empty() {
            self.rest.push_str(&label);
            self.rest.push_str(rest.trim_start());
            self.rest.push('\n');
        }
    }
}

/// Whether the runbook's phrase is what was prepared for readers of this notice; the lines are, otherwise.
fn is_phrase(notice: &Notice) -> bool {
    let phrase_first =
        matches!(notice.kind, NoticeKind::Opening | NoticeKind::Resolved | NoticeKind::Reopened);
    notice.lines.is_empty() || (phrase_first && !notice.said.is_empty())
}

/// What a notice says, in one text that isn't escaped yet.
pub(super) fn in_short(notice: &Notice) -> String {
    if is_phrase(notice) {
        return readable(&notice.said).trim().to_owned();
    }
    let lines = notice.lines.iter().filter(|line| !line.text.trim().is_empty());
    let lines: Vec<String> = lines.map(|line| format!("{}: {}", line.label, readable(&line.text))).collect();
    lines.join("\n")
}

/// The labels of `lines`, each once, in their order.
fn labels(lines: &[Line<String>]) -> Vec<Label> {
    let mut labels: Vec<Label> = Vec::new();
    for line in lines {
        if !labels.contains(&line.label) {
            labels.push(line.label);
        }
    }
    labels
}

/// What didn't fit, as far as one more message holds it, and how many characters it doesn't.
pub(super) fn continued(rest: &str) -> (Vec<Value>, String) {
    const SECTIONS: usize = 4;
    let (mut blocks, mut left) = (Vec::new(), rest.trim_end());
    while !left.is_empty() && blocks.len() < SECTIONS {
        let (shown, after) = clip(left, SECTION);
        blocks.push(section(plain(&shown)));
        left = after;
    }
    let mut text = clip(rest, super::limits::FALLBACK).0;
    if !left.is_empty() {
        let more =
            format!("… truncated; {} more characters are in the incident's record", left.chars().count());
        blocks.push(section(plain(&more)));
        text = escape(&more);
    }
    (blocks, text)
}

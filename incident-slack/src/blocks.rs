//! From a notice to Block Kit with a plain text beside it. Pure.

mod approval;
mod card;
mod course;
pub(crate) mod escape;
pub(crate) mod kit;
pub(crate) mod limits;
mod page;
mod words;

use incident_core::model::notice::Notice;
use incident_core::model::time::stamp;
use serde_json::Value;

use words::{WORDS_ID, Words};

/// What of a message is the installation's choice.
#[derive(Debug, Clone, Default)]
pub(crate) struct Style {
    /// Whom a page mentions besides its recipients.
    pub(crate) mentions: Vec<String>,
    /// Whether there are buttons.
    pub(crate) buttons: bool,
    /// Whether somebody has to pass on what is for people outside.
    pub(crate) passes_on: bool,
}

/// A message, ready to be posted.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Message {
    /// What notifications and screen readers say.
    pub(crate) text: String,
    /// What is shown.
    pub(crate) blocks: Vec<Value>,
    /// What of the words didn't fit, for [`continued`].
    pub(crate) rest: String,
}

/// The message that an incident is known by, begun with this notice.
pub(crate) fn root(notice: &Notice, style: &Style) -> Message {
    if notice.kind.is_page() {
        let (blocks, rest) = page::page(notice, style);
        return Message { text: fallback(notice), blocks, rest };
    }
    let words = Words::of(notice);
    let mut blocks = card::card(notice);
    blocks.extend(page::whom(notice, style));
    blocks.extend(words.blocks);
    blocks.extend(notice.approval.into_iter().flat_map(|it| approval::request(notice, it, style)));
    blocks.extend(card::foot(notice));
    Message { text: fallback(notice), blocks, rest: words.rest }
}

/// A message below that one.
pub(crate) fn reply(notice: &Notice, style: &Style) -> Message {
    let words = Words::of(notice);
    let mut blocks = vec![course::headline(notice)];
    blocks.extend(page::whom(notice, style));
    blocks.extend(words.blocks);
    blocks.extend(notice.approval.into_iter().flat_map(|it| approval::request(notice, it, style)));
    blocks.extend(course::below(notice));
    Message { text: fallback(notice), blocks, rest: words.rest }
}

/// The message that an incident is known by, as of this notice. It keeps the words that it began with: `shown` are the
/// blocks that it has.
pub(crate) fn refreshed(notice: &Notice, shown: &[Value]) -> Message {
    let begun_with = |block: &&Value| {
        block["block_id"].as_str().is_some_and(|id| id.starts_with(WORDS_ID) || id == page::OUTSIDE_ID)
    };
    let mut blocks = card::card(notice);
    blocks.extend(shown.iter().filter(begun_with).take(kept() + 1).cloned());
    blocks.extend(course::latest(notice));
    blocks.extend(card::foot(notice));
    Message { text: fallback(notice), blocks, rest: String::new() }
}

/// The message that an incident is known by, as of now: it keeps the words that it began with and the latest news.
pub(crate) fn restated(notice: &Notice, shown: &[Value]) -> Message {
    let is_kept = |block: &&Value| {
        let id = block["block_id"].as_str().unwrap_or_default();
        id.starts_with(WORDS_ID) || id.starts_with(course::LATEST_ID) || id == page::OUTSIDE_ID
    };
    let mut blocks = card::card(notice);
    blocks.extend(shown.iter().filter(is_kept).take(kept() + 3).cloned());
    blocks.extend(card::foot(notice));
    Message { text: fallback(notice), blocks, rest: String::new() }
}

/// What of a message's words didn't fit; none if all did.
pub(crate) fn continued(rest: &str) -> Option<Message> {
    if rest.trim().is_empty() {
        return None;
    }
    let (blocks, text) = words::continued(rest);
    Some(Message { text, blocks, rest: String::new() })
}

/// Where the incident's own channel is, for those who are paged elsewhere.
pub(crate) fn announcement(notice: &Notice, room: &str) -> Message {
    let what = format!("{}{} · {}", card::marks(notice), notice.severity, escape::readable(&notice.title));
    let what = escape::brief(&what.replace('\n', " "), limits::FIELD);
    let place = escape::channel(room).unwrap_or_default();
    let blocks = vec![kit::section(kit::plain(&what)), kit::context(&format!("Incident channel: {place}"))];
    Message { text: format!("{what} – incident channel: {place}"), blocks, rest: String::new() }
}

/// The channel's topic.
pub(crate) fn topic(notice: &Notice) -> String {
    let title = escape::readable(&notice.title).replace('\n', " ");
    let status = card::status(notice);
    escape::brief(&format!("{}{} · {status} · {title}", card::marks(notice), notice.severity), limits::TOPIC)
}

/// How many blocks with words a message has at most: one for each label, and one for a phrase.
fn kept() -> usize {
    12
}

/// The whole notice as plain text, with times in UTC.
fn fallback(notice: &Notice) -> String {
    const CUT: &str = "\n… truncated";
    let next = card::next_update(notice).and(notice.next_update);
    let next = next.map(|time| format!("\nNext update by {}", stamp(time))).unwrap_or_default();
    let text = notice.to_text();
    let (shown, rest) = escape::clip(&text, limits::FALLBACK - CUT.len() - next.len());
    let cut = if rest.is_empty() { "" } else { CUT };
    format!("{shown}{cut}{next}")
}

#[cfg(test)]
#[path = "../tests/limits/mod.rs"]
pub(crate) mod limits_of_slack;

#[cfg(test)]
mod tests;

//! Small pieces that every part of the page is made of.

use chrono::SecondsFormat;
use incident_core::Time;
use incident_core::model::id::Seq;
use incident_core::model::inert;
use incident_core::model::time::stamp;
use incident_core::postmortem::{Statement, Written};
use maud::{Markup, html};

use super::Report;

/// How many records are named before the rest is folded away.
const NAMED: usize = 6;
/// How many statements are shown before the rest is.
const SAID: usize = 20;

impl Report<'_> {
    /// The records that say so, each leading to its line.
    pub(super) fn cite(&self, records: &[Seq]) -> Markup {
        let (named, more) = records.split_at(records.len().min(NAMED));
        html! {
            @if !named.is_empty() {
                " "
                span class="cites" {
                    @for seq in named { (self.record(*seq)) " " }
                    @if !more.is_empty() {
                        details class="more" {
                            summary { "and " (more.len()) " more" }
                            @for seq in more { (self.record(*seq)) " " }
                        }
                    }
                }
            }
        }
    }

    /// The number of a record, leading to its line if the page has it.
    pub(super) fn record(&self, seq: Seq) -> Markup {
        html! {
            @if self.lines.contains(&seq) { a class="cite" href={ "#r" (seq.0) } { (seq) } }
            @else { span class="cite" { (seq) } }
        }
    }

    /// What the log says, a statement a line; many are folded away.
    pub(super) fn statements(&self, statements: &[Statement]) -> Markup {
        let (shown, more) = statements.split_at(statements.len().min(SAID));
        let list = |statements: &[Statement]| {
            html! { ul class="says" { @for it in statements { li dir="auto" { (it.text) (self.cite(&it.records)) } } } }
        };
        html! {
            @if !shown.is_empty() { (list(shown)) }
            @if !more.is_empty() { details { summary { (more.len()) " more" } (list(more)) } }
        }
    }

    /// What a person wrote: paragraphs and lines are kept, and everything in them is text.
    pub(super) fn prose(&self, it: &Written) -> Markup {
        let mut paragraphs: Vec<Vec<&str>> = vec![Vec::new()];
        for line in it.text.lines().map(str::trim) {
            match paragraphs.last_mut() {
                Some(paragraph) if !line.is_empty() => paragraph.push(line),
                _ => paragraphs.push(Vec::new()),
            }
        }
        paragraphs.retain(|paragraph| !paragraph.is_empty());
        let edits = if it.edits > 1 { format!(", {} times written", it.edits) } else { String::new() };
        html! {
            div class="prose" {
                @for paragraph in &paragraphs {
                    p dir="auto" { @for (at, line) in paragraph.iter().enumerate() { @if at > 0 { br; } (line) } }
                }
                p class="by" { "Written by " (it.by) ", " (time(it.at)) (edits) (self.cite(&[it.record])) }
            }
        }
    }
}

/// A point in time, UTC.
pub(super) fn time(at: Time) -> Markup {
    html! { time datetime=(at.to_rfc3339_opts(SecondsFormat::Secs, true)) { (stamp(at)) } }
}

/// A link that can be followed if it is one to the web, and its text otherwise.
pub(super) fn link(url: &str, shown: &str) -> Markup {
    let web = url.starts_with("https://") || url.starts_with("http://");
    let plain = url.bytes().all(|byte| byte.is_ascii_graphic() && !matches!(byte, b'<' | b'>' | b'"'));
    html! {
        @if web && plain { a class="out" href=(url) rel="noopener noreferrer" { (inert::line(shown)) } }
        @else { span class="dead" { (inert::line(shown)) } }
    }
}

/// A word in a frame, whose class gives it a colour.
pub(super) fn chip(class: &str, words: &str) -> Markup {
    html! { span class={ "chip " (class) } { (words) } }
}

/// A table in a frame that scrolls by itself where there is no room.
pub(super) fn table(label: &str, head: &[&str], rows: &Markup) -> Markup {
    html! {
        div class="scroll" role="region" aria-label=(label) tabindex="0" {
            table {
                thead { tr { @for name in head { th scope="col" { (name) } } } }
                tbody { (rows) }
            }
        }
    }
}

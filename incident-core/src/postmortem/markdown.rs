//! The document as Markdown.

mod parts;

use std::fmt::{self, Write};

use super::document::{Part, PostMortem, Statement, Written};
use crate::log::incident::Ending;
use crate::model::afterwards::Section;
use crate::model::id::Seq;
use crate::model::inert;
use crate::model::side::Side;
use crate::model::time::stamp;

impl PostMortem {
    /// The document as Markdown: a statement a line, each with the records that say so, always in the same order.
    ///
    /// The same document always gives the same text, so it can be kept under version control and compared. Whatever
    /// people or alerts wrote shows as they wrote it and acts as nothing else; only links to `http` and `https` can be
    /// followed. Of the timeline it prints what is key.
    #[must_use]
    pub fn to_markdown(&self) -> String {
        let mut out = String::new();
        // Writing to a string can't fail.
        let _ = write(self, &mut out);
        out
    }
}

fn write(it: &PostMortem, out: &mut String) -> fmt::Result {
    writeln!(out, "# Post-mortem: {}\n", text(&it.title.text))?;
    if it.side == Side::Drill {
        writeln!(out, "> **DRILL** – an exercise, nothing was broken.\n")?;
    }
    header(it, out)?;
    for part in &it.sections {
        section(it, part, out)?;
    }
    heading(out, "Still missing")?;
    for finding in &it.completeness.findings {
        let blocks = if finding.blocks { ", before it is published" } else { "" };
        let (what, place) = (text(&finding.to_string()), finding.section);
        writeln!(out, "- {what} – {place}, with `{}`{blocks}{}", finding.command, cite(&finding.records))?;
    }
    if it.completeness.findings.is_empty() {
        writeln!(out, "Nothing is missing.")?;
    }
    heading(out, "Source")?;
    writeln!(out, "- Records: #1 to {}", it.up_to)?;
    match it.head {
        Some(head) => writeln!(out, "- Chain head: `{head}`"),
        None => writeln!(out, "- Chain head: not given"),
    }
}

fn header(it: &PostMortem, out: &mut String) -> fmt::Result {
    let worst = if it.worst == it.severity { String::new() } else { format!(", at worst {}", it.worst) };
    let ended = match it.ended {
        Some(Ending::Closed) => ", closed".to_owned(),
        Some(Ending::Cancelled) => ", cancelled as a false alarm".to_owned(),
        Some(Ending::Merged(into)) => format!(", merged into `{into}`"),
        None => String::new(),
    };
    writeln!(out, "- Incident: `{}`", it.incident)?;
    writeln!(out, "- Severity: {}{worst}", it.severity)?;
    writeln!(out, "- Status: {}{ended}", it.status)?;
    let owner = it.document.owner.as_ref().map_or_else(|| "nobody yet".to_owned(), |owner| text(owner));
    writeln!(out, "- Document: {}, owned by {owner}", it.document.status)?;
    for step in &it.document.steps {
        let lacking: Vec<String> = step.overridden.iter().map(|kind| format!("`{kind}`")).collect();
        let lacking = if lacking.is_empty() {
            String::new()
        } else {
            format!(", although it lacked {}", lacking.join(", "))
        };
        let because =
            step.because.as_ref().map_or_else(String::new, |because| format!(": {}", text(because)));
        let (status, at, by) = (step.status, stamp(step.at), text(&step.by));
        writeln!(out, "  - {status}: {at}, {by}{lacking}{because}{}", cite(&[step.record]))?;
    }
    if let Some(service) = &it.service {
        writeln!(out, "- Service: {}", text(service))?;
    }
    for date in &it.dates {
        writeln!(out, "- {}: {}{}", date.what, stamp(date.at), cite(&date.records))?;
    }
    writeln!(
        out,
        "- Complete: {} %, still missing: {}",
        it.completeness.score,
        it.completeness.findings.len()
    )
}

fn section(it: &PostMortem, part: &Part, out: &mut String) -> fmt::Result {
    heading(out, &part.section.to_string())?;
    let mut rest = String::new();
    part.beside().iter().try_for_each(|it| statement(it, &mut rest))?;
    match part.section {
        Section::RootCause => parts::causes(it, &mut rest)?,
        Section::Resolution => parts::mitigations(it, &mut rest)?,
        Section::Communication => parts::communication(it, &mut rest)?,
        Section::ResponseTimes => parts::times(it, &mut rest)?,
        Section::Timeline => parts::timeline(it, &mut rest)?,
        Section::Actions => parts::actions(it, &mut rest)?,
        Section::Documentation => parts::documentation(it, &mut rest)?,
        Section::Meeting => parts::meeting(it, &mut rest)?,
        Section::Links => parts::links(it, &mut rest)?,
        Section::Evidence => parts::evidence(it, &mut rest)?,
        _ => {}
    }
    match (&part.written, part.section) {
        (Some(written), _) => prose(written, out)?,
        (None, Section::Trigger | Section::WentWell | Section::CouldBeBetter | Section::Lucky) => {
            writeln!(out, "_To be written._")?;
        }
        (None, _) if rest.is_empty() => writeln!(out, "Nothing is recorded.")?,
        (None, _) => {}
    }
    let parted = part.written.is_some() && !rest.is_empty();
    write!(out, "{}{rest}", if parted { "\n" } else { "" })
}

/// What a person wrote: its lines and paragraphs are kept, and everything in them is text.
fn prose(it: &Written, out: &mut String) -> fmt::Result {
    let mut lines = it.text.lines().map(str::trim).peekable();
    while let Some(line) = lines.next() {
        let goes_on = !line.is_empty() && lines.peek().is_some_and(|next| !next.is_empty());
        writeln!(out, "{}{}", first(&text(line)), if goes_on { "\\" } else { "" })?;
    }
    let edits = if it.edits > 1 { format!(", {} times written", it.edits) } else { String::new() };
    writeln!(out, "\n_Written by {}, {}{edits}_{}", text(&it.by), stamp(it.at), cite(&[it.record]))
}

fn heading(out: &mut String, title: &str) -> fmt::Result {
    writeln!(out, "\n## {title}\n")
}

fn statement(it: &Statement, out: &mut String) -> fmt::Result {
    writeln!(out, "- {}{}", first(&text(&it.text)), cite(&it.records))
}

/// `text` at the beginning of an item, where a mark or a number would begin a list in the list.
fn first(text: &str) -> String {
    let digits = text.trim_start_matches(|letter: char| letter.is_ascii_digit());
    let mut letters = digits.chars();
    let (mark, next) = (letters.next(), letters.next());
    match mark {
        Some('.' | ')') if digits.len() < text.len() && next.is_none_or(char::is_whitespace) => {
            let (number, rest) = text.split_at(text.len() - digits.len());
            format!("{number}\\{rest}")
        }
        Some('-' | '+' | '=') if digits.len() == text.len() => format!("\\{text}"),
        _ => text.to_owned(),
    }
}

fn text(words: &str) -> String {
    inert::markdown(words)
}

/// The records that say so, after a space: ` [#12, #14]`; nothing if what is said follows from the state alone.
fn cite(records: &[Seq]) -> String {
    if records.is_empty() {
        return String::new();
    }
    let records: Vec<String> = records.iter().map(Seq::to_string).collect();
    format!(" [{}]", records.join(", "))
}

/// A link that can be followed if it is one to the web, and its text otherwise.
fn link(url: &str) -> String {
    let web = url.starts_with("https://") || url.starts_with("http://");
    let plain = url.bytes().all(|byte| byte.is_ascii_graphic() && !matches!(byte, b'<' | b'>'));
    if web && plain { format!("<{url}>") } else { text(url) }
}

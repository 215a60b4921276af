//! The document as Markdown.

use std::fmt::{self, Write};

use super::account::{ActionItem, MitigationAccount};
use super::document::{PostMortem, Statement};
use crate::domain::id::Seq;
use crate::domain::incident::{Ending, Side};
use crate::domain::inert;
use crate::domain::metrics::Interval;
use crate::domain::plan::Reversible;
use crate::domain::role::Actor;
use crate::domain::time::{spoken, stamp};
use crate::domain::timeline::{Entry, Importance};

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
    section(out, "Summary", &it.summary)?;
    section(out, "Impact", &it.impact)?;
    section(out, "Detection", &it.detection)?;
    section(out, "Root cause", &it.root_cause)?;
    heading(out, "Mitigations")?;
    for mitigation in &it.mitigations {
        account(mitigation, out)?;
    }
    or_nothing(out, it.mitigations.is_empty())?;
    section(out, "Permanent fix", &it.fix)?;
    section(out, "Roles", &it.roles)?;
    section(out, "Communication", &it.communication)?;
    times(it, out)?;
    heading(out, "Timeline")?;
    for entry in it.timeline.iter().filter(|entry| entry.importance == Importance::Key) {
        moment(it, entry, out)?;
    }
    for title in ["What went well", "What could be better", "Where we were lucky"] {
        heading(out, title)?;
        writeln!(out, "_To be written._")?;
    }
    heading(out, "Action items")?;
    it.actions.iter().try_for_each(|item| action(item, out))?;
    or_nothing(out, it.actions.is_empty())?;
    heading(out, "Links")?;
    it.links.iter().try_for_each(|url| writeln!(out, "- {}", link(url)))?;
    or_nothing(out, it.links.is_empty())?;
    evidence(it, out)?;
    heading(out, "Still missing")?;
    it.missing.iter().try_for_each(|missing| writeln!(out, "- {missing}"))?;
    or_nothing(out, it.missing.is_empty())?;
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
    if let Some(service) = &it.service {
        writeln!(out, "- Service: {}", text(service))?;
    }
    it.dates.iter().try_for_each(|date| statement(date, out))?;
    writeln!(out, "- Still missing: {}", it.missing.len())
}

fn account(it: &MitigationAccount, out: &mut String) -> fmt::Result {
    let undoes = it.undoes.map_or_else(String::new, |undone| format!("Take back {undone}: "));
    let outcome = [Some(it.proposal), it.executed, it.verified].into_iter().flatten();
    let outcome: Vec<Seq> = outcome.collect();
    writeln!(out, "- {undoes}{}, with {}: {}{}", text(&it.what), text(&it.system), it.stage, cite(&outcome))?;
    if let Some((record, digest)) = it.plan {
        writeln!(out, "  - Plan `{digest}`{}", cite(&[record]))?;
    }
    for change in &it.changes {
        writeln!(out, "    - Change: {}: {} → {}", text(&change.what), text(&change.from), text(&change.to))?;
    }
    for approval in &it.approvals {
        let alone = if approval.alone { ", alone, in an emergency" } else { "" };
        writeln!(out, "  - Approved by {}{alone}{}", text(&approval.person), cite(&[approval.record]))?;
    }
    let way_back = match (it.undone_by, it.reversible) {
        (Some(by), _) => format!("taken back{}", cite(&[by])),
        (None, Some(Reversible::Yes)) => "there is one".to_owned(),
        (None, Some(Reversible::Partly)) => "there is one in part".to_owned(),
        (None, Some(Reversible::NothingToRestore)) => "there is nothing to restore".to_owned(),
        (None, Some(Reversible::No)) => "there is none".to_owned(),
        (None, None) => "not planned".to_owned(),
    };
    writeln!(out, "  - Way back: {way_back}")
}

fn times(it: &PostMortem, out: &mut String) -> fmt::Result {
    heading(out, "Response times")?;
    for interval in Interval::ALL {
        let length = it.times.get(interval).map_or_else(|| "not known".to_owned(), spoken);
        writeln!(out, "- {interval} ({}): {length}", interval.bounds())?;
    }
    Ok(())
}

fn moment(it: &PostMortem, entry: &Entry, out: &mut String) -> fmt::Result {
    let who = match &entry.actor {
        Actor::Engine => String::new(),
        actor => format!(", {}", text(it.names.get(actor).map_or(&actor.to_string(), |name| name))),
    };
    let late = if entry.late { format!(", recorded {}", stamp(entry.recorded_at)) } else { String::new() };
    let seqs: Vec<Seq> = [entry.seq].into_iter().chain(entry.corrected_by).collect();
    writeln!(out, "- {}{who}{late}: {}{}", stamp(entry.occurred_at), text(&entry.what), cite(&seqs))?;
    if let Some(was) = &entry.was {
        writeln!(out, "  - Before its correction: {}, {}", stamp(was.occurred_at), text(&was.what))?;
    }
    entry.link.as_ref().map_or(Ok(()), |url| writeln!(out, "  - See {}", link(url)))
}

fn action(it: &ActionItem, out: &mut String) -> fmt::Result {
    let mark = if it.action.done { "x" } else { " " };
    let owner = it.owner.as_ref().map_or_else(|| "no owner".to_owned(), |owner| text(owner));
    let ticket =
        it.action.ticket.as_ref().map_or_else(|| "no ticket".to_owned(), |ticket| text(ticket.as_str()));
    let (priority, due) = (it.action.priority, stamp(it.action.due));
    writeln!(
        out,
        "- [{mark}] Do: {} – {owner}, {priority}, due {due}, {ticket}{}",
        text(&it.what),
        cite(&[it.record])
    )
}

fn evidence(it: &PostMortem, out: &mut String) -> fmt::Result {
    heading(out, "Evidence")?;
    for kept in &it.evidence {
        let truncated = if kept.item.truncated { ", cut short" } else { "" };
        writeln!(
            out,
            "- Kept from {}: {} ({}, {} bytes{truncated}, {} secrets taken out), SHA-256 `{}`{}",
            text(&kept.collector),
            text(&kept.item.name),
            text(&kept.item.media_type),
            kept.item.bytes,
            kept.item.redactions,
            kept.item.sha256,
            cite(&[kept.record]),
        )?;
    }
    or_nothing(out, it.evidence.is_empty())
}

fn heading(out: &mut String, title: &str) -> fmt::Result {
    writeln!(out, "\n## {title}\n")
}

fn section(out: &mut String, title: &str, statements: &[Statement]) -> fmt::Result {
    heading(out, title)?;
    statements.iter().try_for_each(|it| statement(it, out))?;
    or_nothing(out, statements.is_empty())
}

fn or_nothing(out: &mut String, empty: bool) -> fmt::Result {
    if empty { writeln!(out, "Nothing is recorded.") } else { Ok(()) }
}

fn statement(it: &Statement, out: &mut String) -> fmt::Result {
    writeln!(out, "- {}{}", first(&text(&it.text)), cite(&it.records))
}

/// `text` at the beginning of an item, where a mark or a number would begin a list in the list.
fn first(text: &str) -> String {
    let digits = text.trim_start_matches(|letter: char| letter.is_ascii_digit());
    match digits.chars().next() {
        Some('.' | ')') if digits.len() < text.len() => {
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

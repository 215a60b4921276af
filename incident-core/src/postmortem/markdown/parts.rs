//! The parts of the document that are more than sentences.

use std::fmt::{self, Write};

use super::{cite, first, link, text};
use crate::model::afterwards::CauseKind;
use crate::model::id::Seq;
use crate::model::obligation::ObligationKind;
use crate::model::plan::Reversible;
use crate::model::role::Actor;
use crate::model::time::{since, spoken, stamp};
use crate::postmortem::account::MitigationAccount;
use crate::postmortem::cause::{CauseNode, HypothesisAccount};
use crate::postmortem::document::PostMortem;
use crate::postmortem::follow_up::{ActionItem, DocumentationState};
use crate::postmortem::promise::Promise;
use crate::views::timeline::{Entry, Importance};

pub(super) fn causes(it: &PostMortem, out: &mut String) -> fmt::Result {
    if !it.causes.is_empty() {
        writeln!(out, "- Why did it happen?")?;
    }
    it.causes.iter().try_for_each(|node| cause(node, 1, out))?;
    it.hypotheses.iter().try_for_each(|it| hypothesis(it, out))
}

fn cause(it: &CauseNode, depth: usize, out: &mut String) -> fmt::Result {
    let class = it.class.map_or_else(String::new, |class| format!(" ({class})"));
    let kind = match (it.is_root(), it.kind) {
        (true, CauseKind::Cause) => "Root cause",
        (false, CauseKind::Cause) => "Because",
        (_, CauseKind::Contributing) => "Contributing",
    };
    let indent = "  ".repeat(depth);
    writeln!(out, "{indent}- {kind}{class}: {}{}", text(&it.statement.text), cite(&it.statement.records))?;
    for digest in &it.evidence {
        writeln!(out, "{indent}  - Shown by `{digest}`")?;
    }
    it.whys.iter().try_for_each(|why| cause(why, depth + 1, out))
}

fn hypothesis(it: &HypothesisAccount, out: &mut String) -> fmt::Result {
    let class = it.class.map_or_else(String::new, |class| format!(" ({class})"));
    let verdict = match it.confirmed {
        None => "undecided",
        Some(true) => "confirmed",
        Some(false) => "ruled out",
    };
    let (words, records) = (text(&it.statement.text), cite(&it.statement.records));
    writeln!(out, "- Hypothesis{class}, {verdict}: {words}{records}")
}

pub(super) fn mitigations(it: &PostMortem, out: &mut String) -> fmt::Result {
    it.mitigations.iter().try_for_each(|it| mitigation(it, out))
}

fn mitigation(it: &MitigationAccount, out: &mut String) -> fmt::Result {
    let undoes = it.undoes.map_or_else(String::new, |undone| format!("Take back {undone}: "));
    let outcome = [Some(it.proposal), it.executed, it.verified].into_iter().flatten();
    let outcome: Vec<Seq> = outcome.collect();
    let (what, system) = (text(&it.what), text(&it.system));
    writeln!(out, "- Mitigation: {undoes}{what}, with {system}: {}{}", it.stage, cite(&outcome))?;
    if let (Some(record), Some(digest)) = (it.plan, it.digest) {
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

pub(super) fn communication(it: &PostMortem, out: &mut String) -> fmt::Result {
    for gap in &it.gaps {
        let apart = match gap.to {
            Some(to) => format!("{} instead of {}", spoken(since(to, gap.from)), spoken(gap.promised)),
            None => format!("none since, instead of {}", spoken(gap.promised)),
        };
        writeln!(out, "- Gap: {apart}, from {}{}", stamp(gap.from), cite(&gap.records))?;
    }
    // What is owed of action items is told with them.
    let told = it.promises.iter().filter(|it| !matches!(it.kind, ObligationKind::FollowUp(_)));
    told.into_iter().try_for_each(|it| promise(it, out))
}

fn promise(it: &Promise, out: &mut String) -> fmt::Result {
    let outcome = match (it.kept_at, it.dropped_at) {
        (Some(at), _) if it.is_kept_in_time() => format!("kept {}", stamp(at)),
        (Some(at), _) => format!("kept late, {}", stamp(at)),
        (None, Some(at)) => format!("no longer owed from {}", stamp(at)),
        (None, None) => "still owed".to_owned(),
    };
    let missed = match it.missed {
        0 => String::new(),
        1 => ", 1 deadline missed".to_owned(),
        missed => format!(", {missed} deadlines missed"),
    };
    writeln!(out, "- Promised: {} by {}: {outcome}{missed}{}", it.kind, stamp(it.due), cite(&it.records))
}

pub(super) fn times(it: &PostMortem, out: &mut String) -> fmt::Result {
    for metric in &it.metrics {
        let length = metric.length.map_or_else(|| "not known".to_owned(), spoken);
        let target = match (&metric.target, metric.kept) {
            (None, _) => String::new(),
            (Some(target), None) => format!(", promised within {target}"),
            (Some(target), Some(true)) => format!(", promised within {target}: kept"),
            (Some(target), Some(false)) => format!(", promised within {target}: missed"),
        };
        let (interval, bounds) = (metric.interval, &metric.bounds);
        writeln!(out, "- {interval} ({bounds}): {length}{target}{}", cite(&metric.records))?;
    }
    for span in &it.severities {
        let length = span.to.map_or_else(|| "to the end".to_owned(), |to| spoken(since(to, span.from)));
        writeln!(out, "- {}: {length}, from {}{}", span.severity, stamp(span.from), cite(&[span.record]))?;
    }
    for span in &it.phases {
        let length = span.to.map_or_else(|| "not left".to_owned(), |to| spoken(since(to, span.from)));
        let usual = format!("{} to {}", spoken(span.expected_from), spoken(span.expected_to));
        writeln!(out, "- {}: {length}, usually {usual}{}", span.phase, cite(&span.records))?;
    }
    Ok(())
}

pub(super) fn timeline(it: &PostMortem, out: &mut String) -> fmt::Result {
    let key = it.timeline.iter().filter(|entry| entry.importance == Importance::Key);
    key.into_iter().try_for_each(|entry| moment(it, entry, out))
}

fn moment(it: &PostMortem, entry: &Entry, out: &mut String) -> fmt::Result {
    let who = match &entry.actor {
        Actor::Engine => String::new(),
        actor => {
            let actor = actor.to_string();
            format!(", {}", text(it.names.get(&actor).unwrap_or(&actor)))
        }
    };
    let late = if entry.late { format!(", recorded {}", stamp(entry.recorded_at)) } else { String::new() };
    let seqs: Vec<Seq> = [entry.seq].into_iter().chain(entry.corrected_by).collect();
    writeln!(out, "- {}{who}{late}: {}{}", stamp(entry.occurred_at), text(&entry.what), cite(&seqs))?;
    if let Some(was) = &entry.was {
        writeln!(out, "  - Before its correction: {}, {}", stamp(was.occurred_at), text(&was.what))?;
    }
    entry.link.as_ref().map_or(Ok(()), |url| writeln!(out, "  - See {}", link(url)))
}

pub(super) fn actions(it: &PostMortem, out: &mut String) -> fmt::Result {
    for it in &it.recurrences {
        let (incident, title, apart) = (it.incident, text(&it.title), spoken(it.apart));
        writeln!(out, "- It happened before, {apart} earlier: {title} (`{incident}`)")?;
    }
    it.actions.iter().try_for_each(|item| action(item, out))
}

fn action(it: &ActionItem, out: &mut String) -> fmt::Result {
    let mark = if it.done_at.is_some() { "x" } else { " " };
    let kind = it.kind.map_or_else(|| "Do".to_owned(), |kind| kind.to_string());
    let owner = it.owner.as_ref().map_or_else(|| "no owner".to_owned(), |owner| text(owner));
    let ticket = it.ticket.as_ref().map_or_else(|| "no ticket".to_owned(), |ticket| text(ticket.as_str()));
    let done = it.done_at.map_or_else(String::new, |at| format!(", done {}", stamp(at)));
    let missed = if it.missed > 0 { format!(", chased {} times", it.missed) } else { String::new() };
    let (what, priority, due) = (text(&it.what), it.priority, stamp(it.due));
    writeln!(
        out,
        "- [{mark}] {kind}: {what} – {owner}, {priority}, due {due}, {ticket}{missed}{done}{}",
        cite(&it.records)
    )
}

pub(super) fn documentation(it: &PostMortem, out: &mut String) -> fmt::Result {
    for item in &it.documentation {
        let state = match &item.state {
            DocumentationState::Undecided => "undecided".to_owned(),
            DocumentationState::Action(action) => format!("action item {action}"),
            DocumentationState::NotNeeded(reason) => format!("not needed, {}", text(reason)),
            DocumentationState::Done => "done".to_owned(),
        };
        let records: Vec<Seq> = item.record.into_iter().collect();
        writeln!(out, "- {} – {state}{}", first(&text(&item.what)), cite(&records))?;
    }
    Ok(())
}

pub(super) fn meeting(it: &PostMortem, out: &mut String) -> fmt::Result {
    let meeting = &it.meeting;
    if let Some(promised) = meeting.promised_by {
        writeln!(out, "- Promised by {}", stamp(promised))?;
    }
    if let Some(announced) = &meeting.announced {
        let (starts, length) = (stamp(announced.starts_at), spoken(announced.length));
        let off = if announced.cancelled { ", called off" } else { "" };
        let place = announced.place.as_ref().map_or_else(String::new, |place| format!(", {}", link(place)));
        writeln!(out, "- Announced for {starts}, {length}{place}{off}{}", cite(&[announced.record]))?;
        let names: Vec<String> = announced.invitees.iter().map(|it| text(&it.name)).collect();
        writeln!(out, "  - Invited: {}", names.join(", "))?;
    }
    if meeting.promised_by.is_some() || meeting.announced.is_some() {
        for point in &meeting.agenda {
            writeln!(out, "  - Agenda: {}, {}", spoken(point.length), text(&point.topic))?;
        }
    }
    Ok(())
}

pub(super) fn links(it: &PostMortem, out: &mut String) -> fmt::Result {
    it.links.iter().try_for_each(|it| writeln!(out, "- {}{}", link(&it.url), cite(&it.records)))
}

pub(super) fn evidence(it: &PostMortem, out: &mut String) -> fmt::Result {
    for kept in &it.evidence {
        let truncated = if kept.item.truncated { ", cut short" } else { "" };
        writeln!(
            out,
            "- Kept from {}: {} ({}, {} bytes{truncated}, {}), SHA-256 `{}`{}",
            text(&kept.collector),
            text(&kept.item.name),
            text(&kept.item.media_type),
            kept.item.bytes,
            kept.item.redaction(),
            kept.item.sha256,
            cite(&[kept.record]),
        )?;
    }
    Ok(())
}

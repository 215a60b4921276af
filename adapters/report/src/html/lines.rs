//! The timeline: every record as a line, the less important ones folded away.

use chrono::{NaiveDate, SecondsFormat, SubsecRound};
use incident_core::model::role::Actor;
use incident_core::model::time::stamp;
use incident_core::views::timeline::{Entry, EntryKind, Importance};
use maud::{Markup, html};

use super::Report;
use super::words::link;

impl Report<'_> {
    /// The whole timeline, a list a day; a box shows the details, and so does a link to one.
    pub(super) fn timeline(&self) -> Markup {
        let details = self.it.timeline.iter().filter(|entry| entry.importance == Importance::Detail).count();
        html! {
            @if details > 0 {
                input type="checkbox" id="all";
                label for="all" {
                    "Show all " (self.it.timeline.len()) " records, also the " (details) " that are details"
                }
            }
            div class="days" {
                @for (day, entries) in days(&self.it.timeline) {
                    h3 { (day.format("%A, %-d %B %Y")) " (UTC)" }
                    ol class="lines" { @for entry in entries { (self.line(entry)) } }
                }
            }
        }
    }

    fn line(&self, entry: &Entry) -> Markup {
        let class = match entry.importance {
            Importance::Key => "line",
            Importance::Detail => "line detail",
        };
        html! {
            li id={ "r" (entry.seq.0) } class=(class) {
                time datetime=(entry.occurred_at.to_rfc3339_opts(SecondsFormat::Secs, true)) {
                    (entry.occurred_at.time().trunc_subsecs(0))
                }
                " "
                span class="kind" { (kind(entry.kind)) }
                " "
                div class="what" dir="auto" {
                    (entry.what)
                    @if let Some(url) = &entry.link { " " (link(url, url)) }
                    @if let Some(was) = &entry.was {
                        p class="was" dir="auto" {
                            "Before its correction"
                            @if let Some(by) = entry.corrected_by { " " (self.record(by)) }
                            ": " (stamp(was.occurred_at)) ", " (was.what)
                        }
                    }
                }
                " "
                span class="who" { (self.who(entry)) @if entry.late { ", recorded " (stamp(entry.recorded_at)) } }
                " "
                @if let Some(mark) = self.marked.get(&entry.seq) {
                    a class="seq" href={ "#m" (mark.0) } title="Show in the picture" { (entry.seq) }
                } @else {
                    span class="seq" { (entry.seq) }
                }
            }
        }
    }

    fn who(&self, entry: &Entry) -> String {
        match &entry.actor {
            Actor::Engine => "engine".to_owned(),
            actor => {
                let account = actor.to_string();
                self.it.names.get(&account).cloned().unwrap_or(account)
            }
        }
    }
}

/// `entries` by the day they happened on.
fn days(entries: &[Entry]) -> Vec<(NaiveDate, &[Entry])> {
    let same = |one: &Entry, other: &Entry| one.occurred_at.date_naive() == other.occurred_at.date_naive();
    let days = entries.chunk_by(same);
    days.filter_map(|day| Some((day.first()?.occurred_at.date_naive(), day))).collect()
}

fn kind(kind: EntryKind) -> &'static str {
    match kind {
        EntryKind::Alert => "alert",
        EntryKind::Course => "course",
        EntryKind::Decision => "decision",
        EntryKind::Finding => "finding",
        EntryKind::Communication => "said",
        EntryKind::Mitigation => "mitigation",
        EntryKind::Check => "check",
        EntryKind::Deadline => "deadline",
        EntryKind::FollowUp => "follow-up",
        EntryKind::Amendment => "amendment",
        EntryKind::Engine => "engine",
        _ => "other",
    }
}

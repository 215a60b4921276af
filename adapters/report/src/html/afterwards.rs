//! What is left to do: action items, documentation, the meeting, and what the document lacks.

use incident_core::model::inert;
use incident_core::model::time::spoken;
use incident_core::postmortem::{ActionItem, Announced, DocumentationState, Finding};
use maud::{Markup, html};

use super::Report;
use super::sections::place;
use super::words::{chip, link, time};

impl Report<'_> {
    pub(super) fn actions(&self) -> Markup {
        html! {
            @if !self.it.recurrences.is_empty() {
                h3 { "It happened before" }
                ul class="says" {
                    @for it in &self.it.recurrences {
                        li { (it.title) ", " (spoken(it.apart)) " earlier, incident " code { (it.incident) } }
                    }
                }
            }
            @if !self.it.actions.is_empty() {
                ul class="items" { @for it in &self.it.actions { (self.action(it)) } }
            }
        }
    }

    fn action(&self, it: &ActionItem) -> Markup {
        html! {
            li {
                p class="lead" dir="auto" { (it.what) (self.cite(&it.records)) }
                p class="meta" {
                    @match it.done_at {
                        Some(at) => { (chip("good", "✓ done")) span { (time(at)) } }
                        None => { (chip("", "○ open")) span { "due " (time(it.due)) } }
                    }
                    @match &it.owner {
                        Some(owner) => { span { (owner) } }
                        None => (chip("bad", "✗ no owner")),
                    }
                    span { (it.priority) " priority" }
                    @if let Some(kind) = it.kind { span { (kind) } }
                    @if let Some(ticket) = &it.ticket { span { "ticket " (inert::line(ticket.as_str())) } }
                    @else { span { "no ticket" } }
                    @if it.missed > 0 { (chip("bad", &format!("✗ chased {} times", it.missed))) }
                }
            }
        }
    }

    pub(super) fn documentation(&self) -> Markup {
        html! {
            @if !self.it.documentation.is_empty() {
                ul class="items" {
                    @for it in &self.it.documentation {
                        li {
                            p class="lead" dir="auto" { (it.what) @if let Some(record) = it.record { (self.cite(&[record])) } }
                            p class="meta" {
                                @match &it.state {
                                    DocumentationState::Done => (chip("good", "✓ done")),
                                    DocumentationState::Action(action) => {
                                        (chip("", "○ action item")) (self.cite(&[*action]))
                                    }
                                    DocumentationState::NotNeeded(reason) => {
                                        (chip("", "not needed")) span { (reason) }
                                    }
                                    _ => (chip("doubt", "? undecided")),
                                }
                            }
                        }
                    }
                }
            }
        }
    }

    pub(super) fn meeting(&self) -> Markup {
        let it = &self.it.meeting;
        html! {
            @if let Some(announced) = &it.announced { (self.announced(announced)) }
            @else if it.held.is_none() && let Some(by) = it.promised_by {
                p { "Promised by " (time(by)) "." }
            }
            @if let Some(held) = it.held {
                p { "Held, with " (it.attendees.join(", ")) "." (self.cite(&[held])) }
            }
            @if it.held.is_none() && !it.agenda.is_empty() {
                ol class="agenda" {
                    @for point in &it.agenda { li { (point.topic) ", " (spoken(point.length)) } }
                }
            }
        }
    }

    fn announced(&self, it: &Announced) -> Markup {
        let invitees: Vec<&str> = it.invitees.iter().map(|invitee| invitee.name.as_str()).collect();
        html! {
            p {
                @if it.cancelled { (chip("bad", "✗ called off")) " " }
                (time(it.starts_at)) ", " (spoken(it.length))
                @if let Some(place) = &it.place { ", " (link(place, place)) }
                ". Invited: " (invitees.join(", ")) "." (self.cite(&[it.record]))
            }
        }
    }

    pub(super) fn missing(&self) -> Markup {
        let blocking = self.it.completeness.findings.iter().filter(|finding| finding.blocks).count();
        html! {
            p {
                "The document is " strong { (self.it.completeness.score) " % complete" } "; "
                @match blocking {
                    0 => "the runbook wants none of these before it is published.",
                    1 => "the runbook wants one of these before it is published.",
                    count => { "the runbook wants " (count) " of these before it is published." }
                }
            }
            ul class="items findings" { @for it in &self.it.completeness.findings { (self.finding(it)) } }
        }
    }

    fn finding(&self, it: &Finding) -> Markup {
        html! {
            li {
                p class="lead" dir="auto" { (it.to_string()) (self.cite(&it.records)) }
                p class="meta" {
                    @if it.blocks { (chip("bad", "! before publishing")) }
                    a href={ "#" (place(it.section)) } { (it.section) }
                    span { "command " code { (it.command) } }
                }
            }
        }
    }
}

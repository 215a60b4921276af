//! What a reader sees first: what it is called, how bad it was, how long it lasted, what came of it.

use incident_core::log::incident::Ending;
use incident_core::model::afterwards::Section;
use incident_core::model::inert;
use incident_core::model::severity::Severity;
use incident_core::model::side::Side;
use incident_core::model::time::spoken;
use incident_core::views::metrics::Interval;
use maud::{Markup, html};

use super::Report;
use super::words::{chip, time};

impl Report<'_> {
    pub(super) fn header(&self) -> Markup {
        let it = self.it;
        html! {
            @if it.side == Side::Drill {
                p class="drill" { strong { "Drill" } " – an exercise, nothing was broken." }
            }
            p class="eyebrow" {
                (chip(severity_class(it.worst), &it.worst.to_string()))
                @if it.worst != it.severity { (chip(severity_class(it.severity), &format!("{} at last", it.severity))) }
                (chip("", &it.ended.map_or_else(|| it.status.to_string(), ended)))
                "Post-mortem, " (it.document.status)
            }
            h1 dir="auto" { (it.title.text) }
            dl class="facts" {
                @if let Some(service) = &it.service { (fact("Service", &html! { (inert::line(service)) })) }
                (fact("Owner", &html! { (it.document.owner.as_deref().unwrap_or("nobody yet")) }))
                @for date in &it.dates {
                    (fact(&date.what, &html! { (time(date.at)) (self.cite(&date.records)) }))
                }
            }
        }
    }

    /// The summary, the figures and the picture.
    pub(super) fn summary(&self, picture: &Markup) -> Markup {
        html! {
            section id="summary" aria-labelledby="summary-h" {
                h2 id="summary-h" { "Summary" }
                (self.words(Section::Summary))
                (self.figures())
            }
            section id="picture" aria-labelledby="picture-h" {
                h2 id="picture-h" { "The incident at a glance" }
                figure {
                    div class="scroll" role="region" aria-label="Picture of the incident" tabindex="0" { (picture) }
                    figcaption {
                        "Point at anything to read what it is; a mark leads to its line of the timeline. A number stands \
                         for several. The timeline has all of it in words."
                    }
                }
            }
        }
    }

    fn figures(&self) -> Markup {
        let it = self.it;
        let times = [
            ("Lasted", Interval::Resolve),
            ("Acknowledged after", Interval::Acknowledge),
            ("Mitigated after", Interval::Mitigate),
            ("Users had it for", Interval::Recover),
        ];
        let times =
            times.into_iter().filter_map(|(name, interval)| Some((name, spoken(it.times.get(interval)?))));
        let promised = it.updates.kept.saturating_add(it.updates.missed);
        html! {
            dl class="figures" {
                @for (name, length) in times { (figure(name, &length)) }
                @if let Some(users) = it.impact.users { (figure("Users", &grouped(users))) }
                @if let Some(share) = it.impact.users_percent { (figure("of all users", &format!("{share} %"))) }
                @if let Some(failed) = it.impact.failed_requests { (figure("Requests failed", &grouped(failed))) }
                @if promised > 0 { (figure("Updates in time", &format!("{} of {promised}", it.updates.kept))) }
                (figure("Complete", &format!("{} %", it.completeness.score)))
            }
        }
    }
}

fn ended(ending: Ending) -> String {
    match ending {
        Ending::Closed => "closed".to_owned(),
        Ending::Cancelled => "false alarm".to_owned(),
        Ending::Merged(into) => format!("merged into {}", into.short()),
        _ => "ended".to_owned(),
    }
}

fn severity_class(severity: Severity) -> &'static str {
    match severity {
        Severity::Sev1 => "sev1",
        Severity::Sev2 => "sev2",
        Severity::Sev3 => "sev3",
        Severity::Sev4 => "sev4",
    }
}

fn fact(name: &str, value: &Markup) -> Markup {
    html! { div { dt { (name) } dd { (value) } } }
}

fn figure(name: &str, value: &str) -> Markup {
    html! { div { dt { (name) } dd { (value) } } }
}

/// `48200` as `48 200`, which reads the same everywhere.
pub(super) fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let groups = digits.as_bytes().rchunks(3).rev().map(String::from_utf8_lossy);
    groups.collect::<Vec<_>>().join("\u{202f}")
}

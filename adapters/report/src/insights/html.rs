//! Insights as a page: plots first, every figure of them in a table beside.

use incident_core::model::severity::Severity;
use incident_core::views::metrics::Interval;
use maud::{Markup, html};

use super::plot::{Caption, Share, Spread, columns, spreads};
use super::words::{ages, class, counted, day, period, seconds, severity_class, share, trend};
use super::{Group, Insights};
use crate::html::page::page;

const STYLE: &str = include_str!("plot.css");

/// The insights as one HTML page that needs nothing besides itself, as [`post_mortem_html`](crate::post_mortem_html) does.
///
/// Each plot's figures are in a table, too. The same insights always give the same bytes.
#[must_use]
pub fn insights_html(it: &Insights) -> String {
    let contents = [
        ("times", "Response times"),
        ("services", "By service"),
        ("promises", "Promises"),
        ("causes", "Causes"),
        ("follow-ups", "Follow-ups"),
    ];
    let title = format!("Incidents from {}", period(&it.period));
    page(
        &title,
        STYLE,
        &html! { p class="eyebrow" { "Insights" } h1 { (title) } p { (counted(it)) } (overview(it)) },
        &contents.map(|(id, name)| (id.to_owned(), name.to_owned())),
        &[times(it), services(it), promises(it), causes(it), follow_ups(it)],
        &html! {
            p { "Half of the incidents took no longer than the median, 90 % of them no longer than the length beside it; \
                 both are lengths that really occurred. Below ten incidents the second says little. Times are UTC." }
        },
    )
}

fn overview(it: &Insights) -> Markup {
    let median = |interval| {
        let figure = it.all.figures.iter().find(|figure| figure.interval == interval);
        figure.map_or_else(|| "–".to_owned(), |figure| seconds(figure.median_seconds))
    };
    let kept: usize = it.promises.iter().map(|it| it.kept).sum();
    let due: usize = it.promises.iter().map(|it| it.kept + it.broken).sum();
    let share = (kept * 100).checked_div(due).map_or_else(|| "–".to_owned(), |share| format!("{share} %"));
    let figures = [
        ("Incidents", it.incidents.to_string()),
        ("Median to acknowledge", median(Interval::Acknowledge)),
        ("Median to resolve", median(Interval::Resolve)),
        ("Promises kept", share),
        ("Follow-ups overdue", it.follow_ups.overdue.to_string()),
    ];
    html! { dl class="figures" { @for (name, value) in &figures { div { dt { (name) } dd { (value) } } } } }
}

fn times(it: &Insights) -> Markup {
    let labels: Vec<String> = it.months.iter().map(|month| month.month.clone()).collect();
    let stack = |severities: &std::collections::BTreeMap<Severity, usize>| -> Vec<Share> {
        let count = |severity| severities.get(&severity).copied().unwrap_or_default();
        Severity::ALL.map(|it| (severity_class(it), it.to_string(), count(it))).to_vec()
    };
    let stacks: Vec<Vec<Share>> = it.months.iter().map(|month| stack(&month.severities)).collect();
    let spread = |interval| -> Vec<Spread> {
        let figure = |month: &super::Month| {
            let figure = month.figures.iter().find(|figure| figure.interval == interval)?;
            Some((figure.median_seconds, figure.p90_seconds, figure.n))
        };
        it.months.iter().map(figure).collect()
    };
    let says = "A dot is the median of a month; the bar ends where 90 % of them lie";
    html! {
        section id="times" {
            h2 { "Response times" }
            (columns(&Caption {
                id: "per-month",
                title: "Incidents per month, by severity",
                says: "SEV1 is lowest in each column".to_owned(),
            }, &labels, &stacks))
            @for interval in [Interval::Acknowledge, Interval::Mitigate, Interval::Resolve] {
                @let id = format!("{interval}").replace(' ', "-");
                @let title = capital(&format!("{interval}, {}", interval.bounds()));
                (spreads(&Caption { id: &id, title: &title, says: says.to_owned() }, &labels, &spread(interval)))
            }
            h3 { "All, and by severity" }
            (groups(std::iter::once(&it.all).chain(&it.severities)))
        }
    }
}

fn services(it: &Insights) -> Markup {
    html! {
        section id="services" {
            h2 { "By service" }
            (groups(it.services.iter()))
        }
    }
}

fn groups<'a>(groups: impl Iterator<Item = &'a Group>) -> Markup {
    html! {
        div class="scroll" { table {
            thead { tr {
                th { "Of" } th { "Interval" } th class="n" { "n" } th class="n" { "Median" } th class="n" { "90 %" }
                th { "First half → second half" }
            } }
            tbody {
                @for group in groups { @for figure in &group.figures {
                    tr {
                        th scope="row" { (group.name) " (" (group.incidents) ")" }
                        td { (figure.interval) }
                        td class="n" { (figure.n) }
                        td class="n" { (seconds(figure.median_seconds)) }
                        td class="n" { (seconds(figure.p90_seconds)) }
                        td { (trend(figure)) }
                    }
                } }
            }
        } }
    }
}

fn promises(it: &Insights) -> Markup {
    let labels: Vec<String> = it.promises.iter().map(|it| it.what.clone()).collect();
    let stack = |it: &super::Keeping| -> Vec<Share> {
        vec![("kept", "kept in time".to_owned(), it.kept), ("broken", "broken".to_owned(), it.broken)]
    };
    let stacks: Vec<Vec<Share>> = it.promises.iter().map(stack).collect();
    html! {
        section id="promises" {
            h2 { "Promises" }
            (columns(&Caption {
                id: "promises-plot",
                title: "What was owed by a time",
                says: "Kept in time below, broken above".to_owned(),
            }, &labels, &stacks))
            div class="scroll" { table {
                thead { tr {
                    th { "Owed" } th class="n" { "Kept in time" } th class="n" { "Broken" } th class="n" { "Share kept" }
                    th class="n" { "Deadlines missed" } th class="n" { "Open or dropped" }
                } }
                tbody { @for keeping in &it.promises {
                    tr {
                        th scope="row" { (capital(&keeping.what)) }
                        td class="n" { (keeping.kept) } td class="n" { (keeping.broken) }
                        td class="n" { (share(keeping)) } td class="n" { (keeping.deadlines_missed) }
                        td class="n" { (keeping.open_or_dropped) }
                    }
                } }
            } }
        }
    }
}

fn causes(it: &Insights) -> Markup {
    let services = |services: &std::collections::BTreeMap<String, usize>| {
        let mut services: Vec<_> = services.iter().collect();
        services.sort_by_key(|(_, count)| std::cmp::Reverse(**count));
        services.iter().map(|(service, count)| format!("{service} {count}")).collect::<Vec<_>>().join(", ")
    };
    html! {
        section id="causes" {
            h2 { "Causes" }
            div class="scroll" { table {
                thead { tr { th { "Class" } th class="n" { "Incidents" } th { "Services" } } }
                tbody {
                    @for causes in &it.causes {
                        tr {
                            th scope="row" { (capital(class(causes.class))) }
                            td class="n" { (causes.incidents) }
                            td { (services(&causes.services)) }
                        }
                    }
                    tr { th scope="row" { "No class of cause" } td class="n" { (it.without_cause) } td {} }
                }
            } }
            @if !it.repeats.is_empty() {
                h3 { "Again" }
                ul class="says" { @for repeat in &it.repeats {
                    li {
                        (repeat.title) " (" code { (repeat.incident) } ") repeats " code { (repeat.repeats) } " of "
                        (repeat.service) ", " (seconds(repeat.apart_seconds)) " before: "
                        (repeat.classes.iter().map(|it| class(*it)).collect::<Vec<_>>().join(", "))
                    }
                } }
            }
        }
    }
}

fn follow_ups(it: &Insights) -> Markup {
    let all = &it.follow_ups;
    let labels: Vec<String> = ages(&all.ages).map(|(name, _)| name).collect();
    let stack = |it: &super::Age| -> Vec<Share> {
        vec![
            ("broken", "overdue".to_owned(), it.overdue),
            ("open", "not due yet".to_owned(), it.open - it.overdue),
        ]
    };
    let stacks: Vec<Vec<Share>> = all.ages.iter().map(stack).collect();
    html! {
        section id="follow-ups" {
            h2 { "Follow-ups" }
            p {
                (all.done) " are done, " (all.done_in_time) " of them in time. " (all.open) " are open: " (all.overdue)
                " are overdue, " (all.without_owner) " have no owner."
            }
            (columns(&Caption {
                id: "ages",
                title: "Open action items by age",
                says: "Overdue below, not due yet above".to_owned(),
            }, &labels, &stacks))
            @if !all.oldest.is_empty() {
                div class="scroll" { table {
                    thead { tr { th { "Longest overdue" } th { "Owner" } th { "Due" } th { "Incident" } } }
                    tbody { @for late in &all.oldest {
                        tr {
                            th scope="row" { (late.what) }
                            td { (late.owner.as_deref().unwrap_or("nobody")) }
                            td { (day(late.due)) }
                            td { code { (late.incident) } " " (late.record) }
                        }
                    } }
                } }
            }
        }
    }
}

fn capital(words: &str) -> String {
    let mut characters = words.chars();
    let first = characters.next().map(|it| it.to_uppercase().to_string()).unwrap_or_default();
    format!("{first}{}", characters.as_str())
}

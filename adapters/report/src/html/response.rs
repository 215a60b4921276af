//! What was done and said: mitigations, communication, times beside their targets.

use incident_core::log::mitigation::Stage;
use incident_core::model::inert;
use incident_core::model::plan::Reversible;
use incident_core::model::time::{since, spoken};
use incident_core::postmortem::{MitigationAccount, Promise};
use maud::{Markup, html};

use super::Report;
use super::words::{chip, table, time};

impl Report<'_> {
    pub(super) fn mitigations(&self) -> Markup {
        html! {
            @if !self.it.mitigations.is_empty() {
                ul class="items" { @for it in &self.it.mitigations { (self.mitigation(it)) } }
            }
        }
    }

    fn mitigation(&self, it: &MitigationAccount) -> Markup {
        let outcome: Vec<_> = [Some(it.proposal), it.executed, it.verified].into_iter().flatten().collect();
        html! {
            li {
                p class="lead" dir="auto" {
                    @if let Some(undone) = it.undoes { "Take back " (self.record(undone)) ": " }
                    (it.what) (self.cite(&outcome))
                }
                p class="meta" {
                    (stage(it.stage))
                    (self.way_back(it))
                    span { "with " (inert::line(&it.system)) }
                    @if let (Some(plan), Some(digest)) = (it.plan, it.digest) {
                        span { "plan " code { (digest.short()) } (self.cite(&[plan])) }
                    }
                    @for approval in &it.approvals {
                        span {
                            "approved by " (approval.person)
                            @if approval.alone { ", alone, in an emergency" }
                            (self.cite(&[approval.record]))
                        }
                    }
                }
                @if !it.changes.is_empty() {
                    ul class="changes" {
                        @for change in &it.changes {
                            li {
                                (inert::line(&change.what)) ": "
                                code { (inert::line(&change.from)) } " → " code { (inert::line(&change.to)) }
                            }
                        }
                    }
                }
            }
        }
    }

    fn way_back(&self, it: &MitigationAccount) -> Markup {
        let words = match (it.undone_by, it.reversible) {
            (Some(by), _) => return html! { span { (chip("", "↶ taken back")) (self.cite(&[by])) } },
            (None, Some(Reversible::Yes)) => "can be taken back",
            (None, Some(Reversible::Partly)) => "can be taken back in part",
            (None, Some(Reversible::NothingToRestore)) => "nothing to restore",
            (None, Some(Reversible::No)) => "no way back",
            (None, None) => "not planned",
        };
        html! { span { (words) } }
    }

    pub(super) fn communication(&self) -> Markup {
        html! {
            @if !self.it.gaps.is_empty() {
                h3 { "Updates that came too late" }
                ul class="says" {
                    @for gap in &self.it.gaps {
                        li {
                            @match gap.to {
                                Some(to) => (spoken(since(to, gap.from))),
                                None => "None since",
                            }
                            " instead of " (spoken(gap.promised)) ", from " (time(gap.from)) (self.cite(&gap.records))
                        }
                    }
                }
            }
            @if !self.it.promises.is_empty() {
                details {
                    summary { "All " (self.it.promises.len()) " promises, and how they were kept" }
                    (table(
                        "Promises",
                        &["What", "Due", "Outcome", "Records"],
                        &html! { @for it in &self.it.promises { (self.promise(it)) } },
                    ))
                }
            }
        }
    }

    fn promise(&self, it: &Promise) -> Markup {
        html! {
            tr {
                th scope="row" { (it.kind) }
                td { (time(it.due)) }
                td {
                    @match (it.kept_at, it.dropped_at) {
                        (Some(at), _) if it.is_kept_in_time() => { "✓ " (time(at)) }
                        (Some(at), _) => { "✗ late, " (time(at)) }
                        (None, Some(at)) => { "no longer owed from " (time(at)) }
                        (None, None) => "open",
                    }
                    @if it.missed > 0 { ", " (it.missed) " missed" }
                }
                td { (self.cite(&it.records)) }
            }
        }
    }

    pub(super) fn times(&self) -> Markup {
        html! {
            (table("Response times", &["Interval", "Took", "Target", "Kept", "Records"], &self.metrics()))
            @if !self.it.phases.is_empty() {
                (table("Phases", &["Phase", "Took", "Usually", "Compared", "Records"], &self.phases()))
            }
            @if self.it.severities.len() > 1 {
                (table("Severities", &["Severity", "Lasted", "From", "Records"], &self.severities()))
            }
        }
    }

    fn metrics(&self) -> Markup {
        html! {
            @for it in &self.it.metrics {
                tr {
                    th scope="row" { (it.interval) br; span class="aside" { (it.bounds) } }
                    td class="number" { (it.length.map_or_else(|| "not known".to_owned(), spoken)) }
                    td { (it.target.as_deref().unwrap_or("–")) }
                    td {
                        @match it.kept {
                            Some(true) => (chip("good", "✓ kept")),
                            Some(false) => (chip("bad", "✗ missed")),
                            None => "–",
                        }
                    }
                    td { (self.cite(&it.records)) }
                }
            }
        }
    }

    fn phases(&self) -> Markup {
        html! {
            @for it in &self.it.phases {
                @let length = it.to.map(|to| since(to, it.from));
                tr {
                    th scope="row" { (it.phase) }
                    td class="number" { (length.map_or_else(|| "not left".to_owned(), spoken)) }
                    td { (spoken(it.expected_from)) " to " (spoken(it.expected_to)) }
                    td {
                        @match length {
                            Some(length) if length > it.expected_to => (chip("doubt", "longer")),
                            Some(length) if length < it.expected_from => (chip("", "shorter")),
                            Some(_) => (chip("good", "as usual")),
                            None => "–",
                        }
                    }
                    td { (self.cite(&it.records)) }
                }
            }
        }
    }

    fn severities(&self) -> Markup {
        html! {
            @for it in &self.it.severities {
                @let length = it.to.map(|to| spoken(since(to, it.from)));
                tr {
                    th scope="row" { (it.severity) }
                    td class="number" { (length.as_deref().unwrap_or("to the end")) }
                    td { (time(it.from)) }
                    td { (self.cite(&[it.record])) }
                }
            }
        }
    }
}

/// How far a mitigation came; the sign says what the colour says.
fn stage(stage: Stage) -> Markup {
    match stage {
        Stage::Holds => chip("good", "✓ holds"),
        Stage::Failed => chip("bad", "✗ failed"),
        Stage::Unclear => chip("doubt", "? unclear"),
        stage => chip("", &stage.to_string()),
    }
}

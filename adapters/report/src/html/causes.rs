//! Why it happened: the whys as a tree, and the hypotheses on the way.

use incident_core::model::afterwards::CauseKind;
use incident_core::model::id::Digest;
use incident_core::postmortem::{CauseNode, HypothesisAccount};
use maud::{Markup, html};

use super::Report;
use super::words::chip;

impl Report<'_> {
    pub(super) fn causes(&self) -> Markup {
        html! {
            @if !self.it.causes.is_empty() {
                p class="ask" { "Why did it happen?" }
                (self.whys(&self.it.causes))
            }
            @if !self.it.hypotheses.is_empty() {
                h4 { "Hypotheses" }
                ul class="items" { @for it in &self.it.hypotheses { (self.hypothesis(it)) } }
            }
        }
    }

    /// The answers to one why, each with those below it. The fold bounds how deep they lie.
    fn whys(&self, nodes: &[CauseNode]) -> Markup {
        html! {
            ul class="whys" {
                @for node in nodes {
                    li {
                        (match (node.kind, node.is_root()) {
                            (CauseKind::Contributing, _) => chip("", "contributing"),
                            (_, true) => chip("root", "root cause"),
                            _ => chip("", "because"),
                        })
                        " " (node.statement.text) (self.cite(&node.statement.records))
                        @if let Some(class) = node.class { p class="aside" { "Class: " (class) } }
                        (self.shown(&node.evidence))
                        @if !node.whys.is_empty() {
                            p class="ask" { "Why?" }
                            (self.whys(&node.whys))
                        }
                    }
                }
            }
        }
    }

    fn hypothesis(&self, it: &HypothesisAccount) -> Markup {
        html! {
            li {
                p class="lead" dir="auto" { (it.statement.text) (self.cite(&it.statement.records)) }
                p class="meta" {
                    (match it.confirmed {
                        Some(true) => chip("good", "✓ confirmed"),
                        Some(false) => chip("", "✗ ruled out"),
                        None => chip("doubt", "? undecided"),
                    })
                    @if let Some(class) = it.class { span { (class) } }
                }
                (self.shown(&it.evidence))
            }
        }
    }

    /// The evidence that shows something, leading to where it is listed.
    fn shown(&self, evidence: &[Digest]) -> Markup {
        html! {
            @if !evidence.is_empty() {
                p class="aside" {
                    "Shown by "
                    @for (at, digest) in evidence.iter().enumerate() {
                        @if at > 0 { ", " }
                        @if self.kept.contains(digest) { a href={ "#e" (digest) } { code { (digest.short()) } } }
                        @else { code { (digest.short()) } }
                    }
                }
            }
        }
    }
}

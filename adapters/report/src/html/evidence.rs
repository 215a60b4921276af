//! What was kept, where to look further, and how the document can be checked.

use std::collections::BTreeSet;

use incident_core::model::inert;
use incident_core::postmortem::DocumentStep;
use maud::{Markup, html};

use super::Report;
use super::words::{link, time};

impl Report<'_> {
    pub(super) fn evidence(&self) -> Markup {
        let mut named = BTreeSet::new();
        html! {
            @if !self.it.evidence.is_empty() {
                ul class="items" {
                    @for kept in &self.it.evidence {
                        @let item = &kept.item;
                        // The same bytes may have been kept twice, and an id is given once.
                        @let id = named.insert(item.sha256).then(|| format!("e{}", item.sha256));
                        li id=[id] {
                            p class="lead" dir="auto" { (inert::line(&item.name)) (self.cite(&[kept.record])) }
                            p class="meta" {
                                span { "from " (inert::line(&kept.collector)) }
                                span { (inert::line(&item.media_type)) }
                                span { (item.bytes) " bytes" @if item.truncated { ", cut short" } }
                                span { (item.redaction()) }
                                span { "SHA-256 " code { (item.sha256) } }
                            }
                        }
                    }
                }
            }
        }
    }

    pub(super) fn links(&self) -> Markup {
        html! {
            @if !self.it.links.is_empty() {
                ul class="says" {
                    @for it in &self.it.links { li { (link(&it.url, &it.url)) (self.cite(&it.records)) } }
                }
            }
        }
    }

    /// Which records it is made of, and the chain's head to compare with.
    pub(super) fn footer(&self) -> Markup {
        html! {
            p {
                "Made from records #1 to " (self.it.up_to) " of incident " code { (self.it.incident) } ". "
                @match self.it.head {
                    Some(head) => { "Head of the log's chain: " code { (head) } "." }
                    None => "The head of the log's chain wasn't given.",
                }
            }
            @if !self.it.document.steps.is_empty() {
                ul class="says" { @for it in &self.it.document.steps { (self.step(it)) } }
            }
            p { "The numbers lead to the lines of the timeline; the numbers there lead to the picture. All times are UTC." }
        }
    }

    /// How the document came a step further.
    fn step(&self, it: &DocumentStep) -> Markup {
        let lacked: Vec<String> = it.overridden.iter().map(ToString::to_string).collect();
        html! {
            li {
                "Document " (it.status) " from " (time(it.at)) ", " (it.by)
                @if !lacked.is_empty() { ", although it lacked " (lacked.join(", ")) }
                @if let Some(because) = &it.because { ": " (because) }
                (self.cite(&[it.record]))
            }
        }
    }
}

//! The post-mortem as one page that needs nothing besides itself.
//!
//! [maud](https://maud.lambda.xyz) makes it: a template looks like the page, everything that isn't said to be markup is
//! escaped, and it weighs two macro crates at build time and none when it runs. Only `page.rs` says of anything that it
//! is markup already, and that is our own style sheet.

mod afterwards;
mod causes;
mod evidence;
mod head;
mod lines;
pub(crate) mod page;
mod response;
mod sections;
mod words;

use std::collections::{BTreeMap, BTreeSet};

use incident_core::log::event::Record;
use incident_core::log::incident::Incident;
use incident_core::model::id::{Digest, Seq};
use incident_core::postmortem::PostMortem;

use crate::svg::Picture;

/// The post-mortem as one HTML page, with the incident drawn as [`timeline_svg`](crate::timeline_svg) draws it.
///
/// `document` is written from `incident` and its whole log, `records`, in order. The page is self-contained: no script,
/// no font, no image, no style from elsewhere, and a content security policy that lets none in. It is light or dark as
/// the reader's system is, reads well on paper and on a screen of 360 pixels, and works without a mouse. Each statement
/// names the records that say so, each number leads to its line of the timeline and from there to its mark in the
/// picture.
///
/// All words of people and machines are text; a link is one only if it leads to `http` or `https`. The same document and
/// log always give the same bytes.
#[must_use]
pub fn post_mortem_html(document: &PostMortem, incident: &Incident, records: &[Record]) -> String {
    let picture = Picture::draw(incident, records, &document.timeline, true);
    let report = Report {
        it: document,
        lines: document.timeline.iter().map(|entry| entry.seq).collect(),
        kept: document.evidence.iter().map(|kept| kept.item.sha256).collect(),
        marked: picture.marked,
    };
    let contents = sections::contents(&report);
    page::page(
        &format!("Post-mortem: {}", document.title.text),
        "",
        &report.header(),
        &contents,
        &report.main(&picture.markup),
        &report.footer(),
    )
}

/// A document on its way to the page.
struct Report<'a> {
    it: &'a PostMortem,
    /// The records that have a line.
    lines: BTreeSet<Seq>,
    /// The records that are in the picture, and the record whose mark shows them.
    marked: BTreeMap<Seq, Seq>,
    /// The evidence that was kept.
    kept: BTreeSet<Digest>,
}

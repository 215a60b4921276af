//! From the picture to the lines of the timeline, and back.

use std::collections::BTreeMap;

use incident_core::model::id::Seq;
use maud::{Markup, html};

/// Where marks lead, and which record has which mark: an id is given once.
///
/// The keyboard passes these links over: there may be hundreds, and the timeline has the same in words.
#[derive(Debug)]
pub(crate) struct Links {
    to_lines: bool,
    marked: BTreeMap<Seq, Seq>,
}

impl Links {
    /// Marks lead to the lines of the timeline on the same page if there are such.
    pub(crate) fn new(to_lines: bool) -> Self {
        Self { to_lines, marked: BTreeMap::new() }
    }

    /// The records that are in the picture, and the record whose mark shows them.
    pub(crate) fn into_marked(self) -> BTreeMap<Seq, Seq> {
        self.marked
    }

    /// `shape` as the mark of `record`, with what it tells when it is pointed at.
    pub(crate) fn mark(&mut self, record: Seq, tells: &str, class: &str, shape: &Markup) -> Markup {
        let new = self.to_lines && !self.marked.contains_key(&record);
        if new {
            self.marked.insert(record, record);
        }
        self.link(record, new.then(|| format!("m{}", record.0)), tells, class, shape)
    }

    /// The mark of `record` shows `other`, too.
    pub(crate) fn shows(&mut self, record: Seq, other: Seq) {
        if let Some(mark) = self.marked.get(&record).copied() {
            self.marked.entry(other).or_insert(mark);
        }
    }

    /// `shape` that leads to `record` and isn't its mark.
    pub(crate) fn lead(&self, record: Seq, tells: &str, class: &str, shape: &Markup) -> Markup {
        self.link(record, None, tells, class, shape)
    }

    fn link(&self, record: Seq, id: Option<String>, tells: &str, class: &str, shape: &Markup) -> Markup {
        html! {
            @if self.to_lines {
                a id=[id] class=(class) href={ "#r" (record.0) } tabindex="-1" { title { (tells) } (shape) }
            } @else {
                g class=(class) { title { (tells) } (shape) }
            }
        }
    }
}

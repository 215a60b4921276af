//! The incident as a picture: an SVG timeline in which the shape says what the colour says.

mod axis;
mod bars;
mod frame;
mod links;
mod marks;
mod promise;
mod rows;
mod story;
mod words;

use std::collections::BTreeMap;

use incident_core::log::event::Record;
use incident_core::log::incident::Incident;
use incident_core::model::id::Seq;
use incident_core::views::timeline::{Entry, timeline};
use maud::{Markup, PreEscaped, html};

use crate::on_lines::on_lines;

use axis::{Axis, Px};
use links::Links;
use rows::{Row, rows};
use story::Story;

/// How the picture looks, by itself and in a page: colours for light and dark, in the page's own if it has some.
pub(crate) const STYLE: &str = include_str!("style.css");

const WIDTH: Px = 940;
/// Where the plot begins, after the rows' names.
const LEFT: Px = 128;
const RIGHT: Px = WIDTH - 14;
/// Room for the names of the milestones.
const TOP: Px = 34;
/// Room for the strip of all records.
const STRIP: Px = 22;
/// Room for the axis and the key.
const BOTTOM: Px = 66;

/// The timeline of `incident` as an SVG document of its own, drawn from its whole log in order.
///
/// It has bands for severity and phases; bars for firing alerts, checks and mitigations; the cadence of updates as it
/// was promised and kept; and marks for what was said, found and decided. Thousands of records are as large as a few
/// dozen: what lies on each other is one mark with a number. Pointing at a mark tells what it is.
///
/// The axis is in UTC and broken where weeks before or after the response would squeeze it. The same log always gives
/// the same bytes.
#[must_use]
pub fn timeline_svg(incident: &Incident, records: &[Record]) -> String {
    let entries = timeline(incident, records);
    let drawn = Picture::draw(incident, records, &entries, false).markup.into_string();
    // XML has no place for these two, wherever they come from.
    on_lines(&drawn.replace(['\u{fffe}', '\u{ffff}'], "\u{fffd}"))
}

/// The drawn timeline.
#[derive(Debug)]
pub(crate) struct Picture {
    pub(crate) markup: Markup,
    /// The records that are in it, and the record whose mark shows them: `#m1` for record 1.
    pub(crate) marked: BTreeMap<Seq, Seq>,
}

impl Picture {
    /// Draws `incident` from its `records` and the `entries` of its timeline; within a page marks lead to `#r1` and so on.
    pub(crate) fn draw(incident: &Incident, records: &[Record], entries: &[Entry], in_page: bool) -> Self {
        let story = Story::tell(incident, records, entries);
        let axis = Axis::new(story.response, story.all, LEFT, RIGHT);
        let mut links = Links::new(in_page);
        let rows = rows(&story, &axis, &mut links);
        let plot_end = TOP + rows.iter().map(|row| row.height).sum::<Px>() + STRIP;
        let height = plot_end + BOTTOM;
        let markup = html! {
            svg class="picture" xmlns="http://www.w3.org/2000/svg" viewBox={ "0 0 " (WIDTH) " " (height) }
                role="img" aria-labelledby="picture-title picture-text" {
                title id="picture-title" { "Timeline of the incident" }
                desc id="picture-text" { (words::describe(incident, &story)) }
                @if !in_page { style { (PreEscaped(STYLE)) } }
                (frame::patterns())
                (frame::grid(&axis, plot_end))
                (frame::milestones(&story, &axis, plot_end))
                @for (top, row) in stacked(&rows) {
                    g transform={ "translate(0 " (top) ")" } {
                        text class="name" x="0" y=(row.middle + 4) { (row.label) }
                        (row.drawn)
                    }
                }
                g {
                    text class="name" x="0" y=(plot_end - 5) { "All records" }
                    (marks::strip(entries, &axis, plot_end, STRIP - 4, &links))
                }
                (frame::key(plot_end + 54))
            }
        };
        Self { markup, marked: links.into_marked() }
    }
}

/// Each row and where it begins.
fn stacked(rows: &[Row]) -> impl Iterator<Item = (Px, &Row)> {
    rows.iter().scan(TOP, |next, row| {
        let top = *next;
        *next += row.height;
        Some((top, row))
    })
}

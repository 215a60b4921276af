//! The incident as a picture: an SVG timeline in which the shape says what the colour says.

mod axis;
mod bars;
mod links;
mod marks;
mod promise;
mod rows;
mod story;
mod words;

use std::collections::BTreeMap;

use incident_core::domain::event::Record;
use incident_core::domain::incident::Incident;
use incident_core::domain::timeline::{Entry, timeline};
use incident_core::domain::Seq;
use maud::{Markup, PreEscaped, html};

use axis::{Axis, Px};
use links::Links;
use rows::rows;
use story::{Shape, Story};

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
    drawn.replace(['\u{fffe}', '\u{ffff}'], "\u{fffd}")
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
        let strip_at = TOP + rows.iter().map(|row| row.height).sum::<Px>();
        let plot_end = strip_at + STRIP;
        let height = plot_end + BOTTOM;
        let mut top = TOP;
        let markup = html! {
            svg class="picture" xmlns="http://www.w3.org/2000/svg" viewBox={ "0 0 " (WIDTH) " " (height) }
                role="img" aria-labelledby="picture-title picture-text" {
                title id="picture-title" { "Timeline of the incident" }
                desc id="picture-text" { (words::describe(incident, &story)) }
                @if !in_page { style { (PreEscaped(STYLE)) } }
                (patterns())
                (grid(&axis, plot_end))
                (milestones(&story, &axis, plot_end))
                @for row in &rows {
                    g transform={ "translate(0 " (top) ")" } {
                        text class="name" x="0" y=(row.middle + 4) { (row.label) }
                        (row.drawn)
                    }
                    @let _ = top += row.height;
                }
                g {
                    text class="name" x="0" y=(plot_end - 5) { "All records" }
                    (marks::strip(entries, &axis, plot_end, STRIP - 4, &links))
                }
                (key(plot_end + 54))
            }
        };
        Self { markup, marked: links.into_marked() }
    }
}

/// Hatching, so that what is overdue or red is told apart without its colour.
fn patterns() -> Markup {
    html! {
        defs {
            @for name in ["red", "late", "unnoticed"] {
                pattern id={ "hatch-" (name) } class={ "hatch " (name) } width="5" height="5"
                    patternUnits="userSpaceOnUse" patternTransform="rotate(45)" {
                    rect width="5" height="5" {}
                    path d="M0 0v5" {}
                }
            }
        }
    }
}

/// The axis with its ticks, and their lines behind everything.
fn grid(axis: &Axis, bottom: Px) -> Markup {
    html! {
        g class="axis" {
            path d={ "M" (LEFT) " " (bottom) "H" (RIGHT) } {}
            text class="name" x="0" y=(bottom + 16) { "UTC" }
            @for tick in axis.ticks() {
                path class="line" d={ "M" (tick.x) " " (TOP) "V" (bottom + 4) } {}
                text x=(tick.x) y=(bottom + 16) text-anchor="middle" { (tick.label) }
                @if let Some(beneath) = tick.beneath {
                    text class="beneath" x=(tick.x) y=(bottom + 29) text-anchor="middle" { (beneath) }
                }
            }
            @for x in axis.breaks() {
                rect class="break" x=(x - 6) y=(TOP) width="12" height=(bottom - TOP) {}
                path d={ "M" (x - 6) " " (bottom + 5) "l4-10m4 10l4-10" } {}
            }
        }
    }
}

/// Lines where the incident began, was noticed, and so on; names where there is room, on two lines.
fn milestones(story: &Story<'_>, axis: &Axis, bottom: Px) -> Markup {
    let mut places: Vec<(Px, String)> = Vec::new();
    for (at, name) in &story.milestones {
        let x = axis.x(*at);
        match places.last_mut() {
            Some((before, names)) if x - *before < 3 => names.push_str(&format!(", {name}")),
            _ => places.push((x, (*name).to_owned())),
        }
    }
    let mut ends = [0; 2];
    html! {
        g class="milestones" {
            @for (x, names) in &places {
                @let wide = 6 * Px::try_from(names.chars().count()).unwrap_or(WIDTH);
                @let before = x + wide > RIGHT;
                @let from = if before { x - wide - 4 } else { *x };
                @let line = ends.iter().position(|end| from >= *end);
                path d={ "M" (x) " " (if line == Some(0) { 4 } else { 18 }) "V" (bottom) } { title { (names) } }
                @if let Some(line) = line {
                    @let _ = ends[line] = from + wide + 10;
                    @let y = if line == 0 { 12 } else { 26 };
                    @let (anchor, at) = if before { ("end", x - 4) } else { ("start", x + 4) };
                    text x=(at) y=(y) text-anchor=(anchor) { (names) }
                }
            }
        }
    }
}

/// What the shapes mean.
fn key(y: Px) -> Markup {
    let meanings = [
        (Shape::Triangle, "alert, page"),
        (Shape::Circle, "update"),
        (Shape::Ring, "other notice, end of alerts"),
        (Shape::Diamond, "finding"),
        (Shape::Star, "cause"),
        (Shape::Square, "decision"),
        (Shape::Cross, "went wrong"),
    ];
    let mut x = 6;
    html! {
        g class="key" {
            @for (shape, meaning) in meanings {
                g class={ "mark " (marks::class(shape)) } { (marks::draw(shape, x, y)) }
                text x=(x + 10) y=(y + 4) { (meaning) }
                @let _ = x += 36 + 5 * Px::try_from(meaning.len()).unwrap_or(0);
            }
            path class="deadline" d={ "M" (x - 3) " " (y - 2) "h6l-3 5z" } {}
            text x=(x + 8) y=(y + 4) { "update due" }
            rect class="late" x=(x + 80) y=(y - 6) width="16" height="12" {}
            text x=(x + 102) y=(y + 4) { "late or red" }
        }
    }
}

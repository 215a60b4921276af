//! What stands around the rows: the axis, the milestones, the hatching, the key.

use maud::{Markup, html};

use super::axis::{Axis, Px};
use super::marks;
use super::story::{Shape, Story};
use super::{LEFT, RIGHT, TOP, WIDTH};

/// Hatching, so that what is overdue or red is told apart without its colour.
pub(super) fn patterns() -> Markup {
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
pub(super) fn grid(axis: &Axis, bottom: Px) -> Markup {
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
pub(super) fn milestones(story: &Story<'_>, axis: &Axis, bottom: Px) -> Markup {
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
        g class="milestones" { @for (x, names) in &places { (milestone(*x, names, bottom, &mut ends)) } }
    }
}

/// One line and its name; `ends` is how far the names on each of the two lines reach.
fn milestone(x: Px, names: &str, bottom: Px, ends: &mut [Px; 2]) -> Markup {
    let wide = 6 * Px::try_from(names.chars().count()).unwrap_or(WIDTH);
    let before = x + wide > RIGHT;
    let from = if before { x - wide - 4 } else { x };
    let line = ends.iter().position(|end| from >= *end);
    if let Some(line) = line {
        ends[line] = from + wide + 10;
    }
    let top = if line == Some(0) { 4 } else { 18 };
    let (anchor, at) = if before { ("end", x - 4) } else { ("start", x + 4) };
    html! {
        path d={ "M" (x) " " (top) "V" (bottom) } { title { (names) } }
        @if line.is_some() { text x=(at) y=(top + 8) text-anchor=(anchor) { (names) } }
    }
}

/// What the shapes mean.
pub(super) fn key(y: Px) -> Markup {
    let meanings = [
        (Shape::Triangle, "alert, page"),
        (Shape::Circle, "update"),
        (Shape::Ring, "other notice, end of alerts"),
        (Shape::Diamond, "finding"),
        (Shape::Star, "cause"),
        (Shape::Square, "decision"),
        (Shape::Cross, "went wrong"),
    ];
    let width = |meaning: &str| 36 + 5 * Px::try_from(meaning.len()).unwrap_or(0);
    let places = meanings.iter().scan(6, |next, (shape, meaning)| {
        let x = *next;
        *next += width(meaning);
        Some((x, *shape, *meaning))
    });
    let end = 6 + meanings.iter().map(|(_, meaning)| width(meaning)).sum::<Px>();
    html! {
        g class="key" {
            @for (x, shape, meaning) in places {
                g class={ "mark " (marks::class(shape)) } { (marks::draw(shape, x, y)) }
                text x=(x + 10) y=(y + 4) { (meaning) }
            }
            path class="deadline" d={ "M" (end - 3) " " (y - 2) "h6l-3 5z" } {}
            text x=(end + 8) y=(y + 4) { "update due" }
            rect class="late" x=(end + 84) y=(y - 6) width="16" height="12" {}
            text x=(end + 106) y=(y + 4) { "late or red" }
        }
    }
}

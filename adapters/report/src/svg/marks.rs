//! Moments as marks: each a shape, and a number where they would lie on each other.

use incident_core::model::inert;
use incident_core::model::time::stamp;
use incident_core::views::timeline::Entry;
use maud::{Markup, html};

use super::axis::{Axis, Px};
use super::links::Links;
use super::story::{Lane, Moment, Shape};

/// How many units a mark has for itself.
const COLUMN: Px = 18;
/// How many units of the strip of all records are one column.
const THIN: Px = 4;
/// How many moments a number tells of when it is pointed at.
const TOLD: usize = 4;
/// How many bytes of each.
const WORDS: usize = 120;

/// The marks of `lane`, on a row whose middle is at `y`.
pub(crate) fn lane(
    moments: &[Moment<'_>],
    lane: Lane,
    axis: &Axis,
    y: Px,
    links: &mut Links,
) -> Option<Markup> {
    let groups = apart(moments, lane, axis);
    (!groups.is_empty()).then(|| html! { @for (x, group) in &groups { (mark(*x, y, group, links)) } })
}

/// The moments of `lane` in their places; those that would lie on each other together, in the place of the first.
fn apart<'a, 'b>(moments: &'b [Moment<'a>], lane: Lane, axis: &Axis) -> Vec<(Px, Vec<&'b Moment<'a>>)> {
    let mut groups: Vec<(Px, Vec<&Moment<'_>>)> = Vec::new();
    for moment in moments.iter().filter(|moment| moment.lane == lane) {
        let x = axis.x(moment.entry.occurred_at);
        match groups.last_mut() {
            Some((from, group)) if x - *from < COLUMN => group.push(moment),
            _ => groups.push((x, vec![moment])),
        }
    }
    groups
}

fn mark(x: Px, y: Px, group: &[&Moment<'_>], links: &mut Links) -> Markup {
    let Some(first) = group.first() else { return html! {} };
    // What weighs most is shown of those that lie on each other.
    let shape = group.iter().map(|moment| moment.shape).max().unwrap_or(first.shape);
    let class = format!("mark {}", class(shape));
    let drawn = if group.len() == 1 { draw(shape, x, y) } else { number(group.len(), x, y) };
    let mark = links.mark(first.entry.seq, &tells(group), &class, &drawn);
    group.iter().for_each(|moment| links.shows(first.entry.seq, moment.entry.seq));
    mark
}

/// What is said when a mark is pointed at.
fn tells(group: &[&Moment<'_>]) -> String {
    let mut told: Vec<String> = group.iter().take(TOLD).map(|moment| tell(moment.entry)).collect();
    if group.len() > TOLD {
        told.push(format!("… and {} more", group.len() - TOLD));
    }
    told.join("\n")
}

fn tell(entry: &Entry) -> String {
    format!("{} {} {}", stamp(entry.occurred_at), entry.seq, inert::clip(&entry.what, WORDS))
}

pub(crate) fn class(shape: Shape) -> &'static str {
    match shape {
        Shape::Ring => "ring",
        Shape::Circle => "circle",
        Shape::Square => "square",
        Shape::Diamond => "diamond",
        Shape::Star => "star",
        Shape::Triangle => "triangle",
        Shape::Cross => "cross",
    }
}

/// `shape` around a point.
pub(crate) fn draw(shape: Shape, x: Px, y: Px) -> Markup {
    let path = match shape {
        Shape::Ring | Shape::Circle => return html! { circle cx=(x) cy=(y) r="4.5" {} },
        Shape::Square => format!("M{} {}h8v8h-8z", x - 4, y - 4),
        Shape::Diamond => format!("M{x} {}l5.5 5.5-5.5 5.5-5.5-5.5z", y - 5),
        Shape::Triangle => format!("M{x} {}l5.5 9.5h-11z", y - 5),
        Shape::Cross => format!("M{} {}l8 8m0-8l-8 8", x - 4, y - 4),
        Shape::Star => {
            format!("M{x} {}l2 4.5 5 .5-3.7 3.3 1 4.9-4.3-2.5-4.3 2.5 1-4.9-3.7-3.3 5-.5z", y - 7)
        }
    };
    html! { path d=(path) {} }
}

/// How many lie here.
fn number(count: usize, x: Px, y: Px) -> Markup {
    let words = match count {
        ..1_000 => count.to_string(),
        1_000..10_000 => format!("{}.{}k", count / 1_000, count % 1_000 / 100),
        _ => format!("{}k", count / 1_000),
    };
    let half = 4 + 3 * Px::try_from(words.len()).unwrap_or(3).clamp(1, 4);
    let half = half.min(COLUMN / 2 + 1);
    html! {
        rect x=(x - half) y=(y - 7) width=(2 * half) height="14" rx="7" {}
        text class="count" x=(x) y=(y + 4) text-anchor="middle" { (words) }
    }
}

/// All records as a strip that is higher where more happened, on `height` units above `y`.
pub(crate) fn strip(entries: &[Entry], axis: &Axis, y: Px, height: Px, links: &Links) -> Markup {
    let mut columns: Vec<(Px, Vec<&Entry>)> = Vec::new();
    for entry in entries {
        let x = axis.x(entry.occurred_at) / THIN * THIN;
        match columns.last_mut() {
            Some((at, column)) if *at == x => column.push(entry),
            _ => columns.push((x, vec![entry])),
        }
    }
    let log = |count: usize| Px::from(count.max(1).ilog2());
    let most = columns.iter().map(|(_, column)| log(column.len())).max().unwrap_or(0).max(3);
    html! {
        @for (x, column) in &columns {
            @if let [first, .., last] | [first @ last] = &column[..] {
                @let tall = 3 + (height - 3) * log(column.len()) / most;
                @let bar = html! { rect x=(x) y=(y - tall) width=(THIN - 1) height=(tall) {} };
                (links.lead(first.seq, &strip_tells(column.len(), first, last), "strip", &bar))
            }
        }
    }
}

fn strip_tells(count: usize, first: &Entry, last: &Entry) -> String {
    if count == 1 {
        return tell(first);
    }
    format!("{count} records, {} to {}", stamp(first.occurred_at), stamp(last.occurred_at))
}

#[cfg(test)]
mod tests {
    use incident_core::views::timeline::timeline;
    use incident_report_testing::crowded;

    use super::*;
    use crate::svg::story::Story;

    #[test]
    fn marks_lie_beside_each_other_and_none_is_lost() {
        let log = crowded(1_000);
        let entries = timeline(&log.incident, &log.records);
        let story = Story::tell(&log.incident, &log.records, &entries);
        let axis = Axis::new(story.response, story.all, 0, 800);
        for lane in Lane::ALL {
            let groups = apart(&story.moments, lane, &axis);
            assert!(groups.windows(2).all(|pair| pair[1].0 - pair[0].0 >= COLUMN), "{lane:?}");
            let shown: usize = groups.iter().map(|(_, group)| group.len()).sum();
            assert_eq!(shown, story.moments.iter().filter(|moment| moment.lane == lane).count(), "{lane:?}");
        }
    }
}

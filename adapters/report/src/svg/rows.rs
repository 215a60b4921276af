//! The rows of the picture: severity, phases, alerts, checks, mitigations, updates, moments.

use incident_core::Time;
use incident_core::model::colour::Colour;
use incident_core::model::id::Seq;
use incident_core::model::inert;
use incident_core::model::phase::Phase;
use incident_core::model::severity::Severity;
use incident_core::model::time::stamp;
use maud::{Markup, html};

use super::axis::{Axis, Px};
use super::bars::{Bar, bars};
use super::links::Links;
use super::marks::{self, draw};
use super::promise::Wait;
use super::story::{Course, Lane, Shape, Step, Story};

/// One row: what stands before it, and how high it is.
#[derive(Debug)]
pub(crate) struct Row {
    pub(crate) label: String,
    /// Where the label's middle is.
    pub(crate) middle: Px,
    pub(crate) height: Px,
    pub(crate) drawn: Markup,
}

/// How wide a letter is, more or less, for what has to fit.
const LETTER: Px = 7;
/// How many checks and how many mitigations have rows of their own.
const CHECKS: usize = 8;
const MITIGATIONS: usize = 8;
/// How many letters a label in front of a row has.
const LABEL: usize = 18;

impl Row {
    fn new(label: &str, middle: Px, height: Px, drawn: Markup) -> Self {
        Self { label: shorten(label, LABEL), middle, height, drawn }
    }
}

/// All rows of `story`, from top to bottom; none that would be empty.
pub(crate) fn rows(story: &Story<'_>, axis: &Axis, links: &mut Links) -> Vec<Row> {
    let mut rows = vec![severities(story, axis, links), phases(story, axis, links)];
    rows.extend(moments(story, Lane::Alerts, "Alerts", axis, links));
    rows.extend(checks(story, axis, links));
    rows.extend(mitigations(story, axis, links));
    rows.extend(updates(story, axis, links));
    for lane in Lane::ALL.into_iter().filter(|lane| *lane != Lane::Alerts) {
        rows.extend(moments(story, lane, name(lane), axis, links));
    }
    rows
}

fn name(lane: Lane) -> &'static str {
    match lane {
        Lane::Alerts => "Alerts",
        Lane::Notices => "Notices",
        Lane::Findings => "Findings",
        Lane::Decisions => "Decisions",
        Lane::Trouble => "Went wrong",
        Lane::FollowUps => "Follow-ups",
    }
}

fn severities(story: &Story<'_>, axis: &Axis, links: &mut Links) -> Row {
    let drawn = html! {
        @for bar in bars(&story.severities, axis, Severity::is_worse_than) {
            @let (class, tall) = match bar.what {
                Severity::Sev1 => ("bar sev1", 20),
                Severity::Sev2 => ("bar sev2", 16),
                Severity::Sev3 => ("bar sev3", 9),
                Severity::Sev4 => ("bar sev4", 5),
            };
            @let inside = tall > 12;
            @let words = fits(&bar.what.to_string(), &bar);
            @let at = if inside { 22 - tall / 2 + 4 } else { 19 - tall };
            @let shape = html! {
                rect x=(bar.left) y=(22 - tall) width=(bar.width()) height=(tall) {}
                @if let Some(words) = words {
                    text class=(if inside { "on" } else { "over" }) x=(bar.left + 6) y=(at) { (words) }
                }
            };
            (links.mark(bar.record, &bar.tells(&bar.what.to_string()), class, &shape))
        }
    };
    Row::new("Severity", 13, 26, drawn)
}

fn phases(story: &Story<'_>, axis: &Axis, links: &mut Links) -> Row {
    let drawn = html! {
        @for bar in bars(&story.phases, axis, |_, _| false) {
            @let (class, words) = match bar.what {
                None => ("bar phase unnoticed", "not noticed yet".to_owned()),
                Some(phase) => (phase_class(phase), phase.to_string()),
            };
            @let shape = html! {
                rect x=(bar.left) y="2" width=(bar.width()) height="20" {}
                @if let Some(words) = fits(&words, &bar) {
                    text x=(bar.left + 6) y="16" { (words) }
                }
            };
            (links.mark(bar.record, &bar.tells(&words), class, &shape))
        }
    };
    Row::new("Phase", 12, 30, drawn)
}

fn phase_class(phase: Phase) -> &'static str {
    match phase {
        Phase::Detection => "bar phase detection",
        Phase::Triage => "bar phase triage",
        Phase::Communication => "bar phase communication",
        Phase::Investigation => "bar phase investigation",
        Phase::Resolution => "bar phase resolution",
        Phase::Recovery => "bar phase recovery",
        Phase::PostIncident => "bar phase afterwards",
    }
}

fn moments(story: &Story<'_>, lane: Lane, label: &str, axis: &Axis, links: &mut Links) -> Option<Row> {
    let marks = marks::lane(&story.moments, lane, axis, 11, links)?;
    let firing = if lane == Lane::Alerts { &story.firing[..] } else { &[] };
    let drawn = html! {
        @for bar in bars(firing, axis, |one, other| one > other) {
            @let shape = html! { rect x=(bar.left) y="8" width=(bar.width()) height="6" {} };
            (links.lead(bar.record, &bar.tells(&format!("{} firing", bar.what)), "bar firing", &shape))
        }
        (marks)
    };
    Some(Row::new(label, 11, 23, drawn))
}

/// A row a check: the worse it is, the taller.
fn checks(story: &Story<'_>, axis: &Axis, links: &Links) -> Vec<Row> {
    let row = |(name, runs): (&&str, &Vec<_>)| {
        let name = inert::line(name);
        let drawn = html! {
            @for bar in bars(runs, axis, |one, other| one != Colour::Green && other == Colour::Green) {
                @let (class, y, tall) = match bar.what {
                    Colour::Green => ("bar green", 7, 3),
                    Colour::Red => ("bar red", 2, 13),
                    Colour::Unknown => ("bar unknown", 5, 7),
                };
                @let shape = html! { rect x=(bar.left) y=(y) width=(bar.width()) height=(tall) {} };
                (links.lead(bar.record, &bar.tells(&format!("{name} {}", bar.what)), class, &shape))
            }
        };
        Row::new(&format!("✓ {name}"), 8, 17, drawn)
    };
    let mut rows: Vec<Row> = story.checks.iter().take(CHECKS).map(row).collect();
    rows.extend(others(story.checks.len(), CHECKS, "checks"));
    rows
}

fn mitigations(story: &Story<'_>, axis: &Axis, links: &mut Links) -> Vec<Row> {
    let labels = ["Mitigations"].into_iter().chain(std::iter::repeat(""));
    let shown = story.mitigations.iter().take(MITIGATIONS).zip(labels);
    let mut rows: Vec<Row> = shown.map(|(it, label)| mitigation(it, label, axis, links)).collect();
    rows.extend(others(story.mitigations.len(), MITIGATIONS, "mitigations"));
    rows
}

fn mitigation(course: &Course, label: &str, axis: &Axis, links: &mut Links) -> Row {
    let (proposed, until) = (axis.x(course.proposed), axis.x(course.until));
    let executed = course.executed.map(|at| axis.x(at));
    let right = until.max(proposed + 2);
    let words = format!("{}: {}", course.what, course.ended);
    // The words begin at the bar, or end at the plot's end where they would leave it.
    let room = usize::try_from((axis.right() - proposed) / LETTER).unwrap_or(0);
    let ends = room < words.chars().count().min(24);
    let (x, anchor) = if ends { (axis.right(), "end") } else { (proposed, "start") };
    let shown = if ends { shorten(&words, 60) } else { shorten(&words, room) };
    let tells = format!("{words}, proposed {}", stamp(course.proposed));
    let shape = html! {
        text x=(x) y="10" text-anchor=(anchor) { (shown) }
        path class="planned" d={ "M" (proposed) " 21H" (executed.unwrap_or(right)) } {}
        @if let Some(executed) = executed {
            rect x=(executed) y="18" width=((right - executed).max(2)) height="6" {}
        }
    };
    let drawn = html! {
        (links.mark(course.proposal, &tells, "mitigation", &shape))
        @for (at, record, step) in apart(&course.steps, axis) {
            @let (class, said, shape) = match step {
                Step::Proposed => ("step proposed", "proposed", draw(Shape::Ring, at, 21)),
                Step::Approved => ("step approved", "approved", draw(Shape::Square, at, 21)),
                Step::Executed => ("step executed", "carried out", draw(Shape::Diamond, at, 21)),
                Step::Held => ("step held", "holds", draw(Shape::Circle, at, 21)),
                Step::Failed => ("step failed", "came to nothing", draw(Shape::Cross, at, 21)),
            };
            (links.mark(record, &format!("{record} {}: {said}", course.what), class, &shape))
        }
    };
    Row::new(label, 21, 33, drawn)
}

/// The steps in their places; of those that would lie on each other the last.
fn apart(steps: &[(Time, Seq, Step)], axis: &Axis) -> Vec<(Px, Seq, Step)> {
    let mut placed: Vec<(Px, Seq, Step)> = Vec::new();
    for (at, record, step) in steps {
        let x = axis.x(*at);
        if placed.last().is_some_and(|(before, ..)| x - before < 11) {
            placed.pop();
        }
        placed.push((x, *record, *step));
    }
    placed
}

/// What was promised above, what was kept below.
fn updates(story: &Story<'_>, axis: &Axis, links: &Links) -> Option<Row> {
    let updates = &story.updates;
    if updates.waits.is_empty() {
        return None;
    }
    let drawn = html! {
        @for bar in bars(&updates.waits, axis, |one, other| one > other) {
            @let (class, words, y, tall) = match bar.what {
                Wait::InTime => ("bar kept", "Update promised", 13, 4),
                Wait::Late => ("bar late", "Update overdue", 9, 12),
            };
            @let shape = html! { rect x=(bar.left) y=(y) width=((bar.width() - 1).max(1)) height=(tall) {} };
            (links.lead(bar.record, &bar.tells(words), class, &shape))
        }
        @for (x, at, record) in spaced(&updates.due, axis, 8) {
            @let shape = html! { path d={ "M" (x - 3) " 4h6l-3 5z" } {} };
            (links.lead(record, &format!("Update due {}", stamp(at)), "due", &shape))
        }
        @for (x, at, record) in spaced(&updates.given, axis, 10) {
            (links.lead(record, &format!("Update given {}", stamp(at)), "given", &draw(Shape::Circle, x, 15)))
        }
    };
    Some(Row::new("Updates", 15, 30, drawn))
}

/// The times in their places, without those too close to the one before.
fn spaced(times: &[(Time, Seq)], axis: &Axis, least: Px) -> Vec<(Px, Time, Seq)> {
    let mut placed: Vec<(Px, Time, Seq)> = Vec::new();
    for (at, record) in times {
        let x = axis.x(*at);
        if placed.last().is_none_or(|(before, ..)| x - before >= least) {
            placed.push((x, *at, *record));
        }
    }
    placed
}

fn others(count: usize, shown: usize, what: &str) -> Option<Row> {
    let more = count.checked_sub(shown).filter(|more| *more > 0)?;
    Some(Row::new(&format!("+ {more} {what}"), 8, 17, html! {}))
}

/// As much of `words` as the bar has room for, if that is something.
fn fits<T>(words: &str, bar: &Bar<T>) -> Option<String> {
    let room = usize::try_from((bar.width() - 8) / LETTER).unwrap_or(0);
    (room >= words.chars().count().min(4)).then(|| shorten(words, room))
}

/// The first `letters` letters of `words`, with `…` if there are more.
fn shorten(words: &str, letters: usize) -> String {
    match words.char_indices().nth(letters) {
        None => words.to_owned(),
        Some(_) => words.chars().take(letters.saturating_sub(1)).chain(['…']).collect(),
    }
}

//! Plots as SVG, drawn here: two shapes are all that is needed, in the palette of the page, without a script.
//!
//! Positions are whole numbers made from whole numbers, so the same figures give the same bytes on every machine.

use maud::{Markup, html};

use super::words::seconds;

type Px = u64;

const WIDTH: Px = 1_000;
const HEIGHT: Px = 250;
/// Room for the axis' names on the left, and for the labels below.
const LEFT: Px = 64;
const TOP: Px = 12;
const BOTTOM: Px = 28;
const PLOT: Px = HEIGHT - TOP - BOTTOM;

/// A plot's id in the page, its title, and what it shows in words.
pub(super) struct Caption<'a> {
    pub(super) id: &'a str,
    pub(super) title: &'a str,
    pub(super) says: String,
}

/// What lies in a column: how it is drawn, how it is called, how many.
pub(super) type Share = (&'static str, String, usize);

/// A column for each label, its shares on top of each other.
pub(super) fn columns(caption: &Caption<'_>, labels: &[String], stacks: &[Vec<Share>]) -> Markup {
    let total = |stack: &Vec<Share>| stack.iter().map(|(_, _, count)| *count as u64).sum::<u64>();
    let step = nice(stacks.iter().map(total).max().unwrap_or_default().div_ceil(4));
    let most = step * 4;
    let height = |count: u64| count * PLOT / most;
    let places = Places::new(labels.len());
    frame(
        caption,
        &html! {
            @for line in 0..=4 {
                (rule(TOP + PLOT - height(line * step), &(line * step).to_string()))
            }
            @for (at, stack) in stacks.iter().enumerate() {
                @for (class, name, count, below) in piled(stack) {
                    @let top = TOP + PLOT - height(below + count);
                    rect class=(class) x=(places.left(at)) y=(top) width=(places.width())
                        height=(height(below + count) - height(below)) {
                        title { (labels[at]) ": " (count) " " (name) }
                    }
                }
            }
            (places.labels(labels))
        },
    )
}

/// The shares that there are, each with how many lie below it.
fn piled(stack: &[Share]) -> impl Iterator<Item = (&'static str, &str, u64, u64)> {
    let there = stack.iter().filter(|(_, _, count)| *count > 0);
    there.scan(0, |height, (class, name, count)| {
        let (count, below) = (*count as u64, *height);
        *height += count;
        Some((*class, name.as_str(), count, below))
    })
}

/// Half and 90 % of several lengths of time, in seconds, and how many there are.
pub(super) type Spread = Option<(u64, u64, usize)>;

/// For each label a bar from the median to the length that 90 % don't exceed, on a scale that a minute and a week both fit.
pub(super) fn spreads(caption: &Caption<'_>, labels: &[String], spreads: &[Spread]) -> Markup {
    let known = || spreads.iter().flatten();
    let scale = Scale::over(
        known().map(|(median, _, _)| *median).min().unwrap_or(60),
        known().map(|(_, most, _)| *most).max().unwrap_or(3_600),
    );
    let places = Places::new(labels.len());
    frame(
        caption,
        &html! {
            @for tick in scale.ticks() { (rule(scale.at(*tick), &seconds(*tick))) }
            @for (at, spread) in spreads.iter().enumerate() {
                @if let Some((median, most, n)) = spread {
                    @let (low, high, middle) = (scale.at(*median), scale.at(*most), places.middle(at));
                    g class="spread" {
                        title { (labels[at]) ": median " (seconds(*median)) ", 90 % within " (seconds(*most)) ", n = " (n) }
                        rect x=(middle - 4) y=(high) width="8" height=((low - high).max(1)) {}
                        path d={ "M" (middle - 9) " " (high) "h18" } {}
                        circle cx=(middle) cy=(low) r="5.5" {}
                    }
                }
            }
            (places.labels(labels))
        },
    )
}

fn frame(caption: &Caption<'_>, drawn: &Markup) -> Markup {
    let (title, text) = (format!("{}-title", caption.id), format!("{}-text", caption.id));
    html! {
        figure {
            div class="scroll" {
                svg class="picture plot" xmlns="http://www.w3.org/2000/svg" viewBox={ "0 0 " (WIDTH) " " (HEIGHT) }
                    role="img" aria-labelledby={ (title) " " (text) } {
                    title id=(title) { (caption.title) }
                    desc id=(text) { (caption.says) }
                    (drawn)
                }
            }
            figcaption { (caption.title) ". " (caption.says) }
        }
    }
}

fn rule(y: Px, name: &str) -> Markup {
    html! {
        g class="axis" {
            path class="line" d={ "M" (LEFT) " " (y) "H" (WIDTH) } {}
            text x=(LEFT - 8) y=(y + 4) text-anchor="end" { (name) }
        }
    }
}

/// Where the columns are.
struct Places {
    each: Px,
    every: usize,
}

impl Places {
    fn new(count: usize) -> Self {
        let count = count.max(1);
        // A label needs 62 pixels.
        let every = (count as u64 * 62).div_ceil(WIDTH - LEFT);
        Self { each: (WIDTH - LEFT) / count as u64, every: usize::try_from(every).unwrap_or(1).max(1) }
    }

    fn width(&self) -> Px {
        (self.each * 3 / 5).clamp(1, 64)
    }

    fn middle(&self, at: usize) -> Px {
        LEFT + self.each * at as u64 + self.each / 2
    }

    fn left(&self, at: usize) -> Px {
        self.middle(at) - self.width() / 2
    }

    fn labels(&self, labels: &[String]) -> Markup {
        html! {
            g class="axis" {
                @for (at, label) in labels.iter().enumerate().step_by(self.every) {
                    text x=(self.middle(at)) y=(HEIGHT - 8) text-anchor="middle" { (label) }
                }
            }
        }
    }
}

/// A scale on which each step is about four times the one before; between two ticks it is even.
struct Scale(&'static [u64]);

const TICKS: [u64; 12] =
    [0, 15, 60, 300, 900, 3_600, 14_400, 86_400, 604_800, 2_592_000, 31_536_000, 315_360_000];

impl Scale {
    fn over(least: u64, most: u64) -> Self {
        let first = TICKS.iter().rposition(|tick| *tick <= least).unwrap_or(0).min(TICKS.len() - 2);
        let last = TICKS.iter().position(|tick| *tick >= most).unwrap_or(TICKS.len() - 1).max(first + 1);
        Self(&TICKS[first..=last])
    }

    fn ticks(&self) -> &[u64] {
        self.0
    }

    fn at(&self, length: u64) -> Px {
        let steps = self.0.len() as u64 - 1;
        let length = length.clamp(self.0[0], self.0[self.0.len() - 1]);
        let step = self.0.windows(2).position(|pair| length <= pair[1]).unwrap_or(0);
        let (low, high) = (self.0[step], self.0[step + 1]);
        let up = (step as u64 * PLOT + (length - low) * PLOT / (high - low)) / steps;
        TOP + PLOT - up
    }
}

/// The least of 1, 2, 5, 10, 20, … that isn't below `least`.
fn nice(least: u64) -> u64 {
    let mut power = 1_u64;
    loop {
        for factor in [1, 2, 5] {
            if power.saturating_mul(factor) >= least {
                return power.saturating_mul(factor);
            }
        }
        power = power.saturating_mul(10);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_scale_has_room_for_every_length() {
        for (least, most) in
            [(0, 0), (1, 59), (60, 60), (300, 5_000_000), (0, u64::MAX), (u64::MAX, u64::MAX)]
        {
            let scale = Scale::over(least, most);
            assert!(scale.ticks().len() >= 2, "{least} {most}");
            for length in [least, most] {
                assert!((TOP..=TOP + PLOT).contains(&scale.at(length)), "{length} in {least} {most}");
            }
            assert!(scale.at(most) <= scale.at(least), "{least} {most}");
        }
    }

    #[test]
    fn steps_are_nice_and_large_enough() {
        for (least, expect) in [(0, 1), (1, 1), (3, 5), (6, 10), (11, 20), (201, 500)] {
            assert_eq!(nice(least), expect);
        }
    }
}

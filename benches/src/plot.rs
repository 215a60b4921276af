//! How the time of one piece of work grows with its amount, as an SVG.

use std::fmt::Write as _;

use crate::row::{Growth, count};

const WIDTH: f64 = 860.0;
const HEIGHT: f64 = 520.0;
const LEFT: f64 = 70.0;
const RIGHT: f64 = 250.0;
const TOP: f64 = 50.0;
const BOTTOM: f64 = 60.0;
/// The plot shows a piece that takes from a tenth to a hundred times as long as in the smallest amount.
const LOWEST: f64 = -1.0;
const HIGHEST: f64 = 2.0;
/// Amounts from 1 to 10,000,000.
const MOST: f64 = 7.0;
const COLOURS: [&str; 12] = [
    "#4477aa", "#ee6677", "#228833", "#ccbb44", "#66ccee", "#aa3377", "#888888", "#994f00", "#006cd1",
    "#1a1a1a", "#e69f00", "#7b4fa0",
];

/// Draws them. A line that keeps its height grows linearly; one that rises does worse.
#[must_use]
pub fn svg(all: &[Growth]) -> String {
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {HEIGHT}\" font-family=\"sans-serif\" \
         font-size=\"12\">\n<rect width=\"{WIDTH}\" height=\"{HEIGHT}\" fill=\"white\"/>\n\
         <text x=\"{LEFT}\" y=\"24\" font-size=\"15\">Time of one piece of work, by how many there are; 1 is that of the \
         fewest</text>\n"
    );
    grid(&mut svg);
    for (n, growth) in all.iter().enumerate() {
        line(&mut svg, n, growth);
    }
    svg.push_str("</svg>\n");
    svg
}

fn grid(svg: &mut String) {
    let (bottom, right) = (HEIGHT - BOTTOM, WIDTH - RIGHT);
    for (exponent, shown) in [(-1.0, "0.1"), (0.0, "1"), (1.0, "10"), (2.0, "100")] {
        let y = y(exponent);
        let _ =
            writeln!(svg, "<line x1=\"{LEFT}\" y1=\"{y:.1}\" x2=\"{right}\" y2=\"{y:.1}\" stroke=\"#ddd\"/>");
        let _ = writeln!(
            svg,
            "<text x=\"{}\" y=\"{:.1}\" text-anchor=\"end\">{shown}</text>",
            LEFT - 8.0,
            y + 4.0
        );
    }
    for exponent in 0..=7_i32 {
        let x = x(f64::from(exponent));
        let shown = count(10_f64.powi(exponent));
        let _ =
            writeln!(svg, "<line x1=\"{x:.1}\" y1=\"{TOP}\" x2=\"{x:.1}\" y2=\"{bottom}\" stroke=\"#eee\"/>");
        let _ =
            writeln!(svg, "<text x=\"{x:.1}\" y=\"{}\" text-anchor=\"middle\">{shown}</text>", bottom + 18.0);
    }
    let _ = writeln!(
        svg,
        "<text x=\"{}\" y=\"{}\" text-anchor=\"middle\">pieces of work</text>",
        (LEFT + right) / 2.0,
        bottom + 40.0
    );
}

fn line(svg: &mut String, n: usize, growth: &Growth) {
    let mut points = growth.points.clone();
    points.sort_unstable_by(|a, b| a.0.total_cmp(&b.0));
    let Some((_, first)) = points.first().copied() else { return };
    let at = |(work, took): &(f64, f64)| (x(work.log10()), y((took / first).log10()));
    let colour = COLOURS[n % COLOURS.len()];
    let path: Vec<String> = points.iter().map(at).map(|(x, y)| format!("{x:.1},{y:.1}")).collect();
    let _ = writeln!(
        svg,
        "<polyline points=\"{}\" fill=\"none\" stroke=\"{colour}\" stroke-width=\"2\"/>",
        path.join(" ")
    );
    for (x, y) in points.iter().map(at) {
        let _ = writeln!(svg, "<circle cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"3\" fill=\"{colour}\"/>");
    }
    let (x, y) = (WIDTH - RIGHT + 16.0, TOP + 20.0 * n as f64);
    let _ =
        writeln!(svg, "<rect x=\"{x}\" y=\"{:.1}\" width=\"12\" height=\"12\" fill=\"{colour}\"/>", y - 10.0);
    let name = growth.name.replace('&', "&amp;").replace('<', "&lt;");
    let _ = writeln!(svg, "<text x=\"{}\" y=\"{y:.1}\">{name}</text>", x + 18.0);
}

fn x(exponent: f64) -> f64 {
    LEFT + (WIDTH - LEFT - RIGHT) * exponent.clamp(0.0, MOST) / MOST
}

fn y(exponent: f64) -> f64 {
    let share = (exponent.clamp(LOWEST, HIGHEST) - LOWEST) / (HIGHEST - LOWEST);
    HEIGHT - BOTTOM - (HEIGHT - TOP - BOTTOM) * share
}

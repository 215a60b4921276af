//! P4: storms of alerts, with their notices.

use std::time::Duration;

use tokio::runtime::Runtime;
use tokio::time::Instant;

use crate::row::{Line, Row, Scale, bytes, count, seconds, spread};
use crate::runtime;
use crate::sample::Spread;
use crate::storm::alertmanager::Alertmanager;
use crate::storm::alerts::Shape;
use crate::storm::{Outcome, Who, storm};

const ALERTS: usize = 50_000;
/// How long a storm's last notice is waited for.
const PATIENCE: Duration = Duration::from_secs(45);
/// How long one shape is measured, at least five times unless that is over.
const BUDGET: Duration = Duration::from_secs(150);

/// A shape's name, its groups, and how often as many alerts are to be accepted.
const SHAPES: [(&str, usize, usize, usize, f64); 3] = [
    ("500 groups, 64 a POST", 500, 64, 8, 5.0),
    ("each its own group, 64 a POST", ALERTS, 64, 8, 10.0),
    ("500 groups, 1 a POST", 500, 1, 64, 3.0),
];

pub(super) fn storms(scale: Scale) -> Row {
    let runtime = runtime();
    let mut row = Row::default();
    for (name, groups, per_post, connections, goal) in SHAPES {
        let alerts = scale.of(ALERTS);
        let shape = Shape { alerts, groups: groups.min(alerts), per_post, connections };
        for line in measured(&runtime, name, &shape, goal, scale) {
            row = row.line(line);
        }
    }
    let points: Vec<_> = [100, 10, 1]
        .into_iter()
        .filter_map(|part| {
            let alerts = (scale.of(ALERTS) / part).max(1);
            let shape = Shape { alerts, groups: alerts, per_post: 64, connections: 8 };
            let outcome = runtime.block_on(storm(Who::Ours, &shape, PATIENCE)).ok()?;
            (outcome.missing == 0).then(|| (alerts as f64, outcome.told.as_secs_f64() / alerts as f64))
        })
        .collect();
    row.growing("P4 alert of its own group, told", points)
}

/// The storms of both in turns, and the lines they make.
fn measured(runtime: &Runtime, name: &str, shape: &Shape, goal: f64, scale: Scale) -> Vec<Line> {
    let begun = Instant::now();
    let (mut ours, mut others) = (Vec::new(), Vec::new());
    for round in 0..scale.rounds(5) {
        if round > 0 && begun.elapsed() > BUDGET {
            break;
        }
        let who = [Who::Ours, Who::Alertmanager];
        let order = if round % 2 == 0 { who } else { [who[1], who[0]] };
        for who in order {
            match runtime.block_on(storm(who, shape, PATIENCE)) {
                Ok(outcome) if who == Who::Ours => ours.push(outcome),
                Ok(outcome) => others.push(outcome),
                // Without it, ours is still told; its own failure ends the row.
                Err(why) if who == Who::Ours => return vec![Line::not_run(name, "–", &why)],
                Err(_) => {}
            }
        }
    }
    let n = shape.alerts as f64;
    let missing: usize = ours.iter().map(|it| it.missing).sum();
    let told = if missing > 0 { format!("{missing} notices didn't come in time; ") } else { String::new() };
    let rate = move |it: &Outcome| n / it.accepting.as_secs_f64();
    let figures = Figures { ours: &ours, others: &others, name };
    vec![
        figures.line("accepted alerts/s", &rate, count, "", &format!("≥ {goal}×"), |it| it >= goal),
        figures.line("CPU an alert", &|it| it.cpu.as_secs_f64() / n, seconds, "", "≤ 0.125×", |it| {
            it <= 0.125
        }),
        figures.line(
            "first POST → last notice",
            &|it| it.told.as_secs_f64(),
            seconds,
            &told,
            "≤ 0.2×",
            |it| it <= 0.2,
        ),
        figures.line("peak memory", &|it| it.peak as f64, bytes, "", "≤ 0.5×", |it| it <= 0.5),
    ]
}

struct Figures<'a> {
    ours: &'a [Outcome],
    others: &'a [Outcome],
    name: &'a str,
}

impl Figures<'_> {
    fn line(
        &self,
        what: &str,
        figure: &dyn Fn(&Outcome) -> f64,
        shown: fn(f64) -> String,
        remark: &str,
        goal: &str,
        reached: impl Fn(f64) -> bool,
    ) -> Line {
        let ours: Vec<f64> = self.ours.iter().map(figure).collect();
        let others: Vec<f64> = self.others.iter().map(figure).collect();
        let what = format!("{}: {what}", self.name);
        let text = format!("{remark}{}", spread(Spread::of(ours.clone()), shown));
        let line = Line::new(&what, text, goal, false);
        if others.is_empty() {
            let beside = if Alertmanager::program().is_none() {
                "not run: Alertmanager isn't installed (Debian: prometheus-alertmanager)"
            } else {
                "not run: Alertmanager failed"
            };
            return Line { beside: beside.to_owned(), met: None, ..line };
        }
        let ratio = Spread::of(ours.iter().zip(&others).map(|(ours, other)| ours / other).collect());
        line.beside(spread(Spread::of(others), shown), ratio, reached)
    }
}

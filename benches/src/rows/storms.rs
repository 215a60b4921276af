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

/// One storm, and who takes it in beside Alertmanager.
struct Case {
    name: &'static str,
    ours: Who,
    groups: usize,
    per_post: usize,
    connections: usize,
    /// How often as many alerts are to be accepted; none has no goals.
    goal: Option<f64>,
}

/// As the default runbook takes them, which gathers storms, and without that.
const CASES: [Case; 6] = [
    Case {
        name: "500 groups, 64 a POST",
        ours: Who::Gathering,
        groups: 500,
        per_post: 64,
        connections: 8,
        goal: Some(5.0),
    },
    Case {
        name: "500 groups, 64 a POST, each an incident",
        ours: Who::Ours,
        groups: 500,
        per_post: 64,
        connections: 8,
        goal: Some(5.0),
    },
    Case {
        name: "each its own group, 64 a POST",
        ours: Who::Gathering,
        groups: ALERTS,
        per_post: 64,
        connections: 8,
        goal: Some(10.0),
    },
    Case {
        name: "each its own group, 64 a POST, each an incident",
        ours: Who::Ours,
        groups: ALERTS,
        per_post: 64,
        connections: 8,
        goal: None,
    },
    Case {
        name: "500 groups, 1 a POST",
        ours: Who::Gathering,
        groups: 500,
        per_post: 1,
        connections: 64,
        goal: Some(3.0),
    },
    Case {
        name: "500 groups, 1 a POST, each an incident",
        ours: Who::Ours,
        groups: 500,
        per_post: 1,
        connections: 64,
        goal: Some(3.0),
    },
];

impl Case {
    fn shape(&self, alerts: usize) -> Shape {
        let groups = self.groups.min(alerts);
        Shape { alerts, groups, per_post: self.per_post, connections: self.connections }
    }
}

pub(super) fn storms(scale: Scale) -> Row {
    let runtime = runtime();
    let mut row = Row::default();
    for case in &CASES {
        for line in measured(&runtime, case, scale) {
            row = row.line(line);
        }
    }
    for case in CASES.iter().filter(|case| case.groups == ALERTS) {
        let points: Vec<_> = [100, 10, 1]
            .into_iter()
            .filter_map(|part| {
                let alerts = (scale.of(ALERTS) / part).max(1);
                let shape = Shape { groups: alerts, ..case.shape(alerts) };
                let outcome = runtime.block_on(storm(case.ours, &shape, PATIENCE)).ok()?;
                let took = outcome.told.max(outcome.accepting).as_secs_f64();
                (outcome.missing == 0).then(|| (alerts as f64, took / alerts as f64))
            })
            .collect();
        let what = if case.ours == Who::Gathering { "gathered" } else { "told by itself" };
        row = row.growing(&format!("P4 alert of its own group, {what}"), points);
    }
    row
}

/// The storms of both in turns, and the lines they make.
fn measured(runtime: &Runtime, case: &Case, scale: Scale) -> Vec<Line> {
    let (shape, name) = (case.shape(scale.of(ALERTS)), case.name);
    let begun = Instant::now();
    let (mut ours, mut others, mut alone) = (Vec::new(), Vec::new(), Vec::new());
    for round in 0..scale.rounds(5) {
        if round > 0 && begun.elapsed() > BUDGET {
            break;
        }
        let who = [case.ours, Who::Alertmanager];
        let order = if round % 2 == 0 { who } else { [who[1], who[0]] };
        if case.ours == Who::Gathering {
            alone.extend(runtime.block_on(storm(Who::Endpoint, &shape, PATIENCE)));
        }
        for who in order {
            match runtime.block_on(storm(who, &shape, PATIENCE)) {
                Ok(outcome) if who == case.ours => ours.push(outcome),
                Ok(outcome) => others.push(outcome),
                // Without it, ours is still told; its own failure ends the row.
                Err(why) if who == case.ours => return vec![Line::not_run(name, "–", &why)],
                Err(_) => {}
            }
        }
    }
    let n = shape.alerts as f64;
    let missing: usize = ours.iter().map(|it| it.missing).sum();
    let told = if missing > 0 { format!("{missing} notices didn't come in time; ") } else { String::new() };
    let rate = move |it: &Outcome| n / it.accepting.as_secs_f64();
    let figures = Figures { ours: &ours, others: &others, name };
    let lines = vec![
        figures.line(
            "accepted alerts/s",
            &rate,
            count,
            "",
            &format!("≥ {}×", case.goal.unwrap_or_default()),
            |it| it >= case.goal.unwrap_or_default(),
        ),
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
    ];
    match (case.ours, case.goal) {
        (Who::Gathering, _) => [lines, vec![floor(name, &alone, n)]].concat(),
        (_, Some(_)) => lines,
        _ => lines.into_iter().map(|line| Line { goal: "–".to_owned(), met: None, ..line }).collect(),
    }
}

/// What no endpoint can be faster than: it reads the POSTs, and takes nothing in.
fn floor(name: &str, alone: &[Outcome], n: f64) -> Line {
    let accepted = Spread::of(alone.iter().map(|it| n / it.accepting.as_secs_f64()).collect());
    let cpu = Spread::of(alone.iter().map(|it| it.cpu.as_secs_f64() / n).collect());
    let text = format!("{} alerts/s, CPU {}", spread(accepted, count), spread(cpu, seconds));
    Line {
        met: None,
        ..Line::new(&format!("{name}: the endpoint alone, taking nothing in"), text, "–", false)
    }
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

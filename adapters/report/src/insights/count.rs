//! From incidents to figures.

use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::time::Duration;

use chrono::{Datelike as _, NaiveDate};
use incident_core::model::cause::CauseClass;
use incident_core::model::inert;
use incident_core::model::obligation::ObligationKind;
use incident_core::model::severity::Severity;
use incident_core::model::time::Time;
use incident_core::model::time::since;
use incident_core::postmortem::recurrences;
use incident_core::runbook::Runbook;
use incident_core::views::metrics::{Interval, statistics};

use super::case::{Case, Why};
use super::{
    Age, Causes, Figure, FollowUps, Group, Insights, Keeping, LeftOut, Month, Overdue, Period, Repeat, Trend,
};
use crate::history::History;

/// Up to how many days the ages of open action items are counted.
const AGES: [u64; 4] = [7, 30, 90, 180];
/// How many of the oldest overdue action items are named.
const OLDEST: usize = 10;
/// No period is counted over more months.
const MOST_MONTHS: usize = 240;

pub(super) fn count(history: &History, runbook: &Runbook, period: Period, as_of: Time) -> Insights {
    let mut left_out = LeftOut { unreadable: history.unreadable.len(), ..LeftOut::default() };
    let mut cases = Vec::new();
    for past in &history.incidents {
        let Some(declared) = past.incident.milestones.declared.filter(|it| period.contains(*it)) else {
            continue;
        };
        match Case::of(past, declared, runbook) {
            Ok(case) => cases.push(case),
            Err(Why::Drill) => left_out.drills += 1,
            Err(Why::FalseAlarm) => left_out.false_alarms += 1,
            Err(Why::Merged) => left_out.merged += 1,
        }
    }
    cases.sort_by_key(|case| case.id);
    let of = |severity: &Severity| cases.iter().filter(|it| it.severity == *severity).collect::<Vec<_>>();
    let severities = Severity::ALL.iter().map(|it| (it, of(it))).filter(|(_, cases)| !cases.is_empty());
    Insights {
        period,
        as_of,
        incidents: cases.len(),
        left_out,
        all: group("all", &cases.iter().collect::<Vec<_>>(), period),
        severities: severities.map(|(name, cases)| group(&name.to_string(), &cases, period)).collect(),
        services: services(&cases, period),
        months: months(&cases, period),
        promises: promises(&cases, as_of),
        causes: causes(&cases),
        without_cause: cases.iter().filter(|it| it.causes.is_empty()).count(),
        repeats: repeats(&cases, runbook.afterwards.recurrence_within),
        follow_ups: follow_ups(&cases, as_of),
    }
}

fn group(name: &str, cases: &[&Case], period: Period) -> Group {
    let figures = Interval::ALL.into_iter().filter_map(|interval| {
        let (first, second): (Vec<&Case>, Vec<&Case>) =
            cases.iter().partition(|case| case.declared < period.middle());
        let (first, second) = (lengths(&first, interval), lengths(&second, interval));
        let enough = first.len() >= Trend::FEWEST && second.len() >= Trend::FEWEST;
        let trend = || Some((statistics(&first)?, statistics(&second)?));
        let trend = enough.then(trend).flatten().map(|(before, after)| Trend {
            before_seconds: before.median.as_secs(),
            after_seconds: after.median.as_secs(),
        });
        figure(cases, interval).map(|figure| Figure { trend, ..figure })
    });
    Group { name: name.to_owned(), incidents: cases.len(), figures: figures.collect() }
}

fn lengths(cases: &[&Case], interval: Interval) -> Vec<Duration> {
    cases.iter().filter_map(|case| case.times.get(interval)).collect()
}

fn figure(cases: &[&Case], interval: Interval) -> Option<Figure> {
    let it = statistics(&lengths(cases, interval))?;
    let (median_seconds, p90_seconds) = (it.median.as_secs(), it.p90.as_secs());
    Some(Figure { interval, n: it.n, median_seconds, p90_seconds, trend: None })
}

fn services(cases: &[Case], period: Period) -> Vec<Group> {
    let mut by_service: BTreeMap<&str, Vec<&Case>> = BTreeMap::new();
    for case in cases {
        if let Some(service) = &case.service {
            by_service.entry(service).or_default().push(case);
        }
    }
    let mut groups: Vec<Group> =
        by_service.iter().map(|(service, cases)| group(service, cases, period)).collect();
    groups.sort_by_key(|group| Reverse(group.incidents));
    groups
}

fn months(cases: &[Case], period: Period) -> Vec<Month> {
    let name = |date: NaiveDate| format!("{:04}-{:02}", date.year(), date.month());
    let mut months = Vec::new();
    let mut first = period.from.date_naive().with_day(1);
    while let Some(date) = first.filter(|date| {
        months.len() < MOST_MONTHS && date.and_time(chrono::NaiveTime::MIN).and_utc() < period.until
    }) {
        let within: Vec<&Case> =
            cases.iter().filter(|case| name(case.declared.date_naive()) == name(date)).collect();
        let mut severities = BTreeMap::new();
        within.iter().for_each(|case| *severities.entry(case.severity).or_default() += 1);
        let figures = Interval::ALL.into_iter().filter_map(|interval| figure(&within, interval)).collect();
        months.push(Month { month: name(date), severities, figures });
        first = date.checked_add_months(chrono::Months::new(1));
    }
    months
}

/// What is owed, in words, and how to tell it.
type Kind = (&'static str, fn(ObligationKind) -> bool);

fn promises(cases: &[Case], as_of: Time) -> Vec<Keeping> {
    let kinds: [Kind; 5] = [
        ("acknowledge the incident", |kind| kind == ObligationKind::Acknowledge),
        ("post an update", |kind| kind == ObligationKind::Update),
        ("publish the post-mortem", |kind| kind == ObligationKind::PostMortem),
        ("hold the review meeting", |kind| kind == ObligationKind::Meeting),
        ("finish an action item", |kind| matches!(kind, ObligationKind::FollowUp(_))),
    ];
    let keeping = |(what, is): Kind| {
        let mut keeping =
            Keeping { what: what.to_owned(), kept: 0, broken: 0, deadlines_missed: 0, open_or_dropped: 0 };
        for promise in cases.iter().flat_map(|case| &case.promises).filter(|it| is(it.kind)) {
            let ended = promise.kept_at.or(promise.dropped_at);
            keeping.deadlines_missed += u64::from(promise.missed);
            if promise.is_kept_in_time() {
                keeping.kept += 1;
            } else if promise.missed > 0
                || promise.kept_at.is_some()
                || (ended.is_none() && promise.due < as_of)
            {
                keeping.broken += 1;
            } else {
                keeping.open_or_dropped += 1;
            }
        }
        keeping
    };
    kinds.into_iter().map(keeping).collect()
}

fn causes(cases: &[Case]) -> Vec<Causes> {
    let mut by_class: BTreeMap<CauseClass, Causes> = BTreeMap::new();
    for case in cases {
        for class in &case.causes {
            let causes = by_class.entry(*class).or_insert_with(|| Causes {
                class: *class,
                incidents: 0,
                services: BTreeMap::new(),
            });
            causes.incidents += 1;
            if let Some(service) = &case.service {
                *causes.services.entry(service.clone()).or_default() += 1;
            }
        }
    }
    let mut causes: Vec<Causes> = by_class.into_values().collect();
    causes.sort_by_key(|it| Reverse(it.incidents));
    causes
}

fn repeats(cases: &[Case], within: Duration) -> Vec<Repeat> {
    let mut by_service: BTreeMap<
        &str,
        Vec<(incident_core::model::id::IncidentId, incident_core::log::index::Summary)>,
    > = BTreeMap::new();
    for case in cases.iter().filter(|case| !case.causes.is_empty()) {
        if let (Some(service), Some(summary)) = (&case.service, &case.summary) {
            by_service.entry(service).or_default().push((case.id, summary.clone()));
        }
    }
    let mut repeats: Vec<Repeat> = Vec::new();
    for others in by_service.values() {
        for (id, summary) in others {
            let latest = recurrences((*id, summary), others, within).into_iter().next();
            repeats.extend(latest.map(|it| Repeat {
                incident: *id,
                title: inert::line(&summary.title),
                repeats: it.incident,
                service: it.service,
                classes: it.classes.into_iter().collect(),
                apart_seconds: it.apart.as_secs(),
            }));
        }
    }
    repeats.sort_by_key(|it| it.incident);
    repeats
}

fn follow_ups(cases: &[Case], as_of: Time) -> FollowUps {
    let ages = AGES.map(Some).into_iter().chain([None]);
    let mut all = FollowUps {
        ages: ages.map(|up_to_days| Age { up_to_days, open: 0, overdue: 0 }).collect(),
        ..FollowUps::default()
    };
    let mut late = Vec::new();
    for case in cases {
        for action in &case.actions {
            let promise = case.promises.iter().find(|it| it.kind == ObligationKind::FollowUp(action.record));
            // What was done before it was taken over from elsewhere was promised to somebody else.
            let Some(promise) = promise else { continue };
            if action.done_at.is_some() {
                all.done += 1;
                all.done_in_time += usize::from(promise.is_kept_in_time());
                continue;
            }
            let overdue = action.due < as_of;
            all.open += 1;
            all.overdue += usize::from(overdue);
            all.without_owner += usize::from(action.owner.is_none());
            let days = since(as_of, promise.since).as_secs() / 86_400;
            let bucket = all.ages.iter_mut().find(|age| age.up_to_days.is_none_or(|most| days <= most));
            if let Some(age) = bucket {
                age.open += 1;
                age.overdue += usize::from(overdue);
            }
            if overdue {
                late.push(Overdue {
                    incident: case.id,
                    record: action.record,
                    what: action.what.clone(),
                    owner: action.owner.clone(),
                    due: action.due,
                });
            }
        }
    }
    late.sort_by_key(|it| (it.due, it.incident, it.record));
    late.truncate(OLDEST);
    all.oldest = late;
    all
}

//! Figures in words, the same in Markdown and on the page.

use std::time::Duration;

use incident_core::model::cause::CauseClass;
use incident_core::model::severity::Severity;
use incident_core::model::time::Time;
use incident_core::model::time::{spoken, stamp};

use super::{Age, Figure, Insights, Keeping, LeftOut, Period};

pub(super) fn seconds(length: u64) -> String {
    spoken(Duration::from_secs(length))
}

pub(super) fn day(time: Time) -> String {
    time.format("%Y-%m-%d").to_string()
}

pub(super) fn period(it: &Period) -> String {
    format!(
        "{} to {}",
        day(it.from),
        day(incident_core::model::time::before(it.until, Duration::from_millis(1)))
    )
}

pub(super) fn counted(it: &Insights) -> String {
    let LeftOut { drills, false_alarms, merged, unreadable } = it.left_out;
    format!(
        "Incidents declared in this time: {}. Not counted: {drills} drills, {false_alarms} false alarms, {merged} that \
         became part of another, {unreadable} whose log can't be read. Counted at {}.",
        it.incidents,
        stamp(it.as_of)
    )
}

/// The change within the period: `4 h 10 min → 2 h (−52 %)`.
pub(super) fn trend(it: &Figure) -> String {
    it.trend.map_or_else(
        || "–".to_owned(),
        |trend| {
            let (before, after) = (seconds(trend.before_seconds), seconds(trend.after_seconds));
            let change = trend.per_cent();
            let sign = if change < 0 { "−" } else { "+" };
            format!("{before} → {after} ({sign}{} %)", change.unsigned_abs())
        },
    )
}

pub(super) fn share(it: &Keeping) -> String {
    it.per_cent().map_or_else(|| "–".to_owned(), |share| format!("{share} %"))
}

pub(super) fn age(it: &Age, before: Option<u64>) -> String {
    match (it.up_to_days, before) {
        (Some(most), None) => format!("up to {most} days"),
        (Some(most), Some(before)) => format!("{} to {most} days", before + 1),
        (None, Some(before)) => format!("more than {before} days"),
        (None, None) => "any age".to_owned(),
    }
}

/// Each age with what to call it.
pub(super) fn ages(ages: &[Age]) -> impl Iterator<Item = (String, &Age)> {
    let before = std::iter::once(None).chain(ages.iter().map(|it| it.up_to_days));
    ages.iter().zip(before).map(|(it, before)| (age(it, before), it))
}

pub(super) fn class(it: CauseClass) -> &'static str {
    match it {
        CauseClass::RecentDeployment => "recent deployment",
        CauseClass::ResourceExhaustion => "resource exhaustion",
        CauseClass::OutsideDependency => "outside dependency",
        CauseClass::Traffic => "traffic",
        CauseClass::Data => "data",
        _ => "another class",
    }
}

pub(super) fn severity_class(it: Severity) -> &'static str {
    match it {
        Severity::Sev1 => "sev1",
        Severity::Sev2 => "sev2",
        Severity::Sev3 => "sev3",
        Severity::Sev4 => "sev4",
    }
}

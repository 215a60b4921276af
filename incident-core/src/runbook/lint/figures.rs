//! Whether the numbers make sense.

use std::time::Duration;

use super::{Findings, key};
use crate::model::severity::{Severity, Within};
use crate::model::time::spoken;
use crate::runbook::Runbook;

pub(super) fn check(runbook: &Runbook, found: &mut Findings) {
    zeros(runbook, found);
    months(runbook, found);
    rhythms(runbook, found);
    let safety = &runbook.safety;
    if safety.min_healthy_percent > 100 {
        let what = format!("{} is more than all", safety.min_healthy_percent);
        found.error("safety.min_healthy_percent", what, "give a share from 0 to 100");
    }
    if safety.budget_per_hour == 0 {
        found.warning(
            "safety.budget_per_hour",
            "no mitigation may ever run",
            "allow some, if that isn't meant",
        );
    }
    let calendar = &runbook.calendar;
    if calendar.weekdays.is_empty() {
        let what = "there are no business days, so each counts 24 hours";
        found.error("calendar.weekdays", what, "name the days on which people work");
    }
    if calendar.closes <= calendar.opens {
        let what = "the working day ends before it begins";
        found.error("calendar.closes", what, "let it be after `opens`; split a night shift at midnight");
    }
}

fn zeros(runbook: &Runbook, found: &mut Findings) {
    let Runbook { escalation, reminders, recovery, safety, afterwards, signals, .. } = runbook;
    let lengths = [
        ("escalation.every", escalation.every),
        ("reminders.chase_every", reminders.chase_every),
        ("afterwards.read_tickets_every", afterwards.read_tickets_every),
        ("afterwards.timeline_gap", afterwards.timeline_gap),
        ("recovery.hold", recovery.hold),
        ("recovery.probe_every", recovery.probe_every),
        ("safety.plan_lifetime", safety.plan_lifetime),
        ("safety.verify_within", safety.verify_within),
        ("signals.storm.within", signals.storm.within),
    ];
    let mut zero = |place: String, length| {
        if length == Some(Duration::ZERO) {
            found.error(place, "it is zero", "give it a length, such as \"15m\"");
        }
    };
    for (place, length) in lengths {
        zero(place.to_owned(), Some(length));
    }
    for (severity, policy) in &runbook.severities {
        zero(format!("severities.{}.update_every", key(severity)), policy.update_every);
        zero(format!("severities.{}.respond_within", key(severity)), elapsed(policy.respond_within));
    }
    zero("afterwards.post_mortem".to_owned(), elapsed(afterwards.post_mortem));
    zero("afterwards.meeting".to_owned(), elapsed(afterwards.meeting));
    for (priority, within) in &afterwards.follow_ups {
        zero(format!("afterwards.follow_ups.{}", key(priority)), elapsed(*within));
    }
}

/// A response is counted in minutes and hours. A figure of a month is a slip: `M` means months, and `m` minutes.
fn months(runbook: &Runbook, found: &mut Findings) {
    const MONTH: Duration = Duration::from_secs(30 * 86_400);
    let Runbook { escalation, reminders, recovery, safety, signals, .. } = runbook;
    let lengths = [
        ("escalation.every", escalation.every),
        ("reminders.before_update", reminders.before_update),
        ("recovery.hold", recovery.hold),
        ("recovery.probe_every", recovery.probe_every),
        ("recovery.watch", recovery.watch),
        ("safety.plan_lifetime", safety.plan_lifetime),
        ("safety.cooldown", safety.cooldown),
        ("signals.flap_window", signals.flap_window),
        ("signals.storm.within", signals.storm.within),
    ];
    let mut month = |place: String, length: Option<Duration>| {
        if let Some(length) = length.filter(|length| *length >= MONTH) {
            let what = format!("it is {}; expected less than a month", spoken(length));
            found.error(place, what, "write minutes with a small m, such as \"10m\": M means months");
        }
    };
    for (place, length) in lengths {
        month(place.to_owned(), Some(length));
    }
    for (severity, policy) in &runbook.severities {
        month(format!("severities.{}.update_every", key(severity)), policy.update_every);
        month(format!("severities.{}.respond_within", key(severity)), elapsed(policy.respond_within));
    }
}

fn elapsed(within: Within) -> Option<Duration> {
    match within {
        Within::Elapsed(length) => Some(length),
        _ => None,
    }
}

fn rhythms(runbook: &Runbook, found: &mut Findings) {
    let recovery = &runbook.recovery;
    if recovery.probe_every.as_millis().saturating_mul(5) > recovery.hold.as_millis().saturating_mul(2) {
        let what = format!(
            "looking every {} can't show that something held for {}: readings must lie within 2/5 of it",
            spoken(recovery.probe_every),
            spoken(recovery.hold)
        );
        found.error("recovery.probe_every", what, "look more often, or hold longer");
    }
    let before = runbook.reminders.before_update;
    let cadences = Severity::ALL
        .into_iter()
        .filter_map(|severity| Some((severity, runbook.severity(severity).update_every?)));
    if let Some((severity, every)) = cadences.min_by_key(|(_, every)| *every)
        && before >= every
    {
        let what = format!(
            "{} before an update is no reminder where {severity} has one every {}",
            spoken(before),
            spoken(every)
        );
        found.error("reminders.before_update", what, "remind later");
    }
}

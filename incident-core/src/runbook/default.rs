//! The runbook that this project implements. Every figure is a default that a team can replace.

mod phases;
mod words;

use std::collections::BTreeMap;
use std::time::Duration;

use chrono::{NaiveTime, Weekday};
use chrono_tz::Tz;

use super::{
    Afterwards, AgendaItem, ApprovalRule, Check, CheckedBy, Escalation, EscalationStep, Priority, Recovery,
    Reminders, Runbook, Safety,
};
use crate::model::mitigation::MitigationKind;
use crate::model::severity::{Audience, Severity, SeverityPolicy, Within};
use crate::model::signal::StormPolicy;
use crate::model::signal::{SignalPolicy, SignalRule, WorseNews};
use crate::runbook::calendar::Calendar;
use crate::runbook::finding_kind::FindingKind as Lacks;
use crate::runbook::triage::{Branch, Question, TriageTree};

pub use words::PLACEHOLDERS;

const MINUTE: Duration = Duration::from_secs(60);
const HOUR: Duration = Duration::from_secs(3_600);
const DAY: Duration = Duration::from_secs(86_400);

impl Default for Runbook {
    /// The runbook that this project implements, without persons: a team names its own.
    ///
    /// Because an approval counts for a person, no mitigation can be approved until the runbook names some.
    fn default() -> Self {
        Self {
            title: "Incident response".to_owned(),
            severities: severities(),
            triage: triage(),
            phases: phases::all(),
            escalation: Escalation {
                every: 5 * MINUTE,
                chain: audiences(&[Audience::RESPONDERS, Audience::TEAM, Audience::LEADERSHIP])
                    .into_iter()
                    .map(|audience| EscalationStep { audience, persons: vec![] })
                    .collect(),
            },
            reminders: Reminders { before_update: 5 * MINUTE, before_follow_up: DAY, chase_every: 7 * DAY },
            recovery: recovery(),
            safety: safety(),
            afterwards: afterwards(),
            signals: SignalPolicy {
                rules: vec![SignalRule {
                    matches: BTreeMap::new(),
                    severity: None,
                    service_label: "service".to_owned(),
                    group_by: vec![],
                }],
                severities: words::severities(),
                unknown: Severity::Sev2,
                worse: WorseNews::Raise,
                quiet: HOUR,
                flap_window: 15 * MINUTE,
                // More pages than two a minute tell nobody anything.
                storm: StormPolicy { incidents: 20, within: 10 * MINUTE },
            },
            calendar: Calendar {
                zone: Tz::UTC,
                weekdays: vec![Weekday::Mon, Weekday::Tue, Weekday::Wed, Weekday::Thu, Weekday::Fri],
                opens: NaiveTime::from_hms_opt(9, 0, 0).unwrap_or_default(),
                closes: NaiveTime::from_hms_opt(17, 0, 0).unwrap_or_default(),
                holidays: vec![],
            },
            persons: BTreeMap::new(),
            phrases: words::phrases(),
            public: strings(&words::PUBLIC),
            card: words::card(),
        }
    }
}

fn severities() -> BTreeMap<Severity, SeverityPolicy> {
    use Audience as To;
    let policy =
        |meaning: &str, respond_within, update_every, to: &[&str], examples: &[&str]| SeverityPolicy {
            meaning: meaning.to_owned(),
            respond_within,
            update_every,
            audiences: audiences(to),
            audiences_if_customer_facing: vec![],
            status_page: false,
            examples: strings(examples),
        };
    BTreeMap::from([
        (
            Severity::Sev1,
            SeverityPolicy {
                audiences_if_customer_facing: audiences(&[To::PUBLIC]),
                status_page: true,
                ..policy(
                    "complete outage",
                    Within::Elapsed(15 * MINUTE),
                    Some(15 * MINUTE),
                    &[To::RESPONDERS, To::TEAM, To::LEADERSHIP, To::EXECUTIVES, To::CUSTOMERS],
                    &["service down", "data loss", "security breach"],
                )
            },
        ),
        (
            Severity::Sev2,
            SeverityPolicy {
                status_page: true,
                ..policy(
                    "major degradation",
                    Within::Elapsed(30 * MINUTE),
                    Some(30 * MINUTE),
                    &[To::RESPONDERS, To::TEAM, To::LEADERSHIP, To::STAFF, To::CUSTOMERS],
                    &["partial outage", "significant slowness"],
                )
            },
        ),
        (
            Severity::Sev3,
            policy(
                "minor impact",
                Within::Elapsed(2 * HOUR),
                Some(2 * HOUR),
                &[To::TEAM],
                &["limited functionality", "minor slowness"],
            ),
        ),
        (
            Severity::Sev4,
            policy(
                "minimal impact",
                Within::NextBusinessDay,
                None,
                &[To::TEAM],
                &["cosmetic defect", "documentation"],
            ),
        ),
    ])
}

fn triage() -> TriageTree {
    use Severity::{Sev1, Sev2, Sev3, Sev4};
    let ask = |name: &str| Branch::Ask(name.to_owned());
    let question =
        |name: &str, ask: &str, yes, no| (name.to_owned(), Question { ask: ask.to_owned(), yes, no });
    TriageTree {
        first: "data_loss".to_owned(),
        questions: BTreeMap::from([
            question(
                "data_loss",
                "Was data lost or spoiled?",
                Branch::Severity(Sev1),
                ask("security_breach"),
            ),
            question(
                "security_breach",
                "Was security breached?",
                Branch::Severity(Sev1),
                ask("completely_down"),
            ),
            question(
                "completely_down",
                "Is the service completely down?",
                Branch::Severity(Sev1),
                ask("several_users"),
            ),
            question(
                "several_users",
                "Are several users affected?",
                ask("function_critical"),
                Branch::Severity(Sev4),
            ),
            question(
                "function_critical",
                "Is the affected function critical?",
                Branch::Severity(Sev2),
                Branch::Severity(Sev3),
            ),
        ]),
    }
}

fn recovery() -> Recovery {
    let check = |name: &str, what: &str, by| (name.to_owned(), Check { what: what.to_owned(), by });
    Recovery {
        checks: BTreeMap::from([
            check("pods-ready", "every pod is ready", CheckedBy::Probe),
            check("health", "the health endpoint answers 200", CheckedBy::Probe),
            check("error-rate", "the error rate is below 0.1 %", CheckedBy::Probe),
            check("latency-p95", "the 95th percentile of the latency is below 200 ms", CheckedBy::Probe),
            check("no-alert-firing", "none of the incident's alerts fires", CheckedBy::Signals),
            check("user-reports", "those who reported the problem say that it is gone", CheckedBy::Person),
        ]),
        hold: 15 * MINUTE,
        probe_every: MINUTE,
        watch: 15 * MINUTE,
    }
}

/// At SEV1 whoever proposes may also approve, since waiting for a second person costs more than it saves; what can't be
/// undone takes two persons always.
fn safety() -> Safety {
    let rule = |persons, proposer_counts| ApprovalRule { persons, roles: vec![], proposer_counts };
    Safety {
        approvals: Severity::ALL
            .into_iter()
            .map(|severity| (severity, rule(1, severity == Severity::Sev1)))
            .collect(),
        by_kind: BTreeMap::from([
            (MitigationKind::EndQueries, rule(2, true)),
            (MitigationKind::ClearCache, rule(2, true)),
        ]),
        plan_lifetime: 15 * MINUTE,
        verify_within: 60 * MINUTE,
        budget_per_hour: 6,
        cooldown: 5 * MINUTE,
        min_healthy_percent: 50,
        storm_brake: 25,
        break_glass: vec![],
        automation: BTreeMap::new(),
    }
}

fn afterwards() -> Afterwards {
    let agenda = [
        ("timeline", 10),
        ("root cause, by five whys", 20),
        ("what went well", 10),
        ("what to improve", 15),
        ("action items, each with an owner and a due date", 5),
    ];
    Afterwards {
        read_tickets_every: 6 * 60 * MINUTE,
        post_mortem: Within::SameBusinessDay,
        meeting: Within::BusinessDays(2),
        required_for: vec![Severity::Sev1, Severity::Sev2],
        agenda: agenda
            .into_iter()
            .map(|(topic, minutes)| AgendaItem { topic: topic.to_owned(), length: minutes * MINUTE })
            .collect(),
        publish_needs: vec![
            Lacks::Start,
            Lacks::Impact,
            Lacks::Trigger,
            Lacks::Cause,
            Lacks::CauseEvidence,
            Lacks::Hypothesis,
            Lacks::Name,
            Lacks::WentWell,
            Lacks::CouldBeBetter,
            Lacks::Lucky,
            Lacks::Actions,
            Lacks::ActionOwner,
            Lacks::Documentation,
            Lacks::Review,
        ],
        documentation: strings(&[
            "update-runbook",
            "update-diagrams",
            "update-dashboards",
            "update-alert-rules",
        ]),
        timeline_gap: 30 * MINUTE,
        recurrence_within: 90 * DAY,
        follow_ups: BTreeMap::from([
            (Priority::Critical, Within::NextBusinessDay),
            (Priority::High, Within::BusinessDays(5)),
            (Priority::Medium, Within::BusinessDays(20)),
            (Priority::Low, Within::BusinessDays(60)),
        ]),
    }
}

fn audiences(names: &[&str]) -> Vec<Audience> {
    names.iter().map(|name| Audience::new(name)).collect()
}

fn strings(texts: &[&str]) -> Vec<String> {
    texts.iter().map(|text| (*text).to_owned()).collect()
}

//! What the default runbook says in notices, and the commands on its card.

use std::collections::BTreeMap;

use super::super::CardLine;
use crate::model::signal::WordMeans;

/// What a phrase may name in braces, and what is put in its place. Times are UTC.
pub const PLACEHOLDERS: [(&str, &str); 29] = [
    ("severity", "the severity: `SEV1`"),
    ("old_severity", "the severity before a change"),
    ("status", "the status word: `investigating`"),
    ("phase", "the phase: `Investigation`"),
    ("summary", "the title: what is wrong, in a line"),
    ("impact", "the business impact that was assessed, the meaning of the severity, or `not assessed yet`"),
    ("affected", "who or what is affected, or `unknown`"),
    ("service", "the service"),
    ("started_at", "when it started, or `unknown`"),
    ("now", "when the notice was issued"),
    ("lead", "the incident lead, or `none yet`"),
    ("actor", "the person who did what the notice reports"),
    ("reason", "why"),
    ("progress", "what was reached since the last update"),
    ("next_steps", "what is done next"),
    ("eta", "when it is expected to be over, or `unknown`"),
    ("public", "what an update tells people outside the organisation"),
    ("respond_within", "the time left to acknowledge: `15 min`"),
    ("update_every", "the rhythm of updates: `every 15 min` or `as needed`"),
    ("next_update", "when the next update is due, or `when there is news`"),
    ("due", "when what the notice is about is or was due"),
    ("owed", "what is to be done: `publish the post-mortem`"),
    ("mitigation", "the mitigation, in words"),
    ("outcome", "how it ended"),
    ("duration", "how long the incident lasted: `2 h 30 min`"),
    ("resolved_at", "when it was resolved"),
    ("root_cause", "the root cause in a line, or `to be determined`"),
    ("watch", "for how long the service is watched after resolve: `15 min`"),
    ("meeting", "when the review meeting is due"),
];

/// What people outside the organisation may read by default.
pub(super) const PUBLIC: [&str; 11] = [
    "severity",
    "status",
    "service",
    "started_at",
    "now",
    "public",
    "update_every",
    "next_update",
    "duration",
    "resolved_at",
    "watch",
];

pub(super) fn phrases() -> BTreeMap<String, String> {
    [
        ("drill", "DRILL: this is an exercise. Nothing is broken."),
        (
            "page",
            "Severity: {severity} (was {old_severity})\nReason: {reason}\nImpact: {impact}\nService: {service}\n\
             Started: {started_at}\nAcknowledge within: {respond_within}\nAction: {owed}",
        ),
        (
            "escalation",
            "Escalation: {outcome}\nNot acknowledged by: {due}\nReason: {reason}\nImpact: {impact}\n\
             Service: {service}\nIncident lead: {lead}\nAction: {owed}",
        ),
        (
            "opening",
            "Impact: {impact}\nAffected: {affected}\nStarted: {started_at}\nIncident lead: {lead}\n\
             Updates: {update_every}\nNext update: {next_update}",
        ),
        (
            "update",
            "Progress: {progress}\nNext steps: {next_steps}\nETA: {eta}\nIncident lead: {lead}\n\
             Next update: {next_update}",
        ),
        (
            "severity_changed",
            "Severity: {severity} (was {old_severity})\nReason: {reason}\nUpdates: {update_every}\n\
             Next update: {next_update}",
        ),
        ("reminder", "Action: {owed}\nDue: {due}"),
        ("overdue", "Overdue: {owed}\nDue: {due}"),
        ("approval_wanted", "Approval needed: {mitigation}\nProposed by: {actor}"),
        ("mitigation_ended", "Mitigation: {mitigation}\nOutcome: {outcome}"),
        (
            "resolved",
            "All recovery checks are green. Monitoring continues for {watch}.\nDuration: {duration}\n\
             Root cause: {root_cause}",
        ),
        (
            "resolved_unchecked",
            "Not every recovery check was green. Monitoring continues for {watch}.\nDuration: {duration}\n\
             Root cause: {root_cause}",
        ),
        ("details_follow", "Details will follow in the post-mortem, due {due}."),
        ("reopened", "Reason: {reason}\nIncident lead: {lead}\nNext update: {next_update}"),
        ("cancelled", "This was a false alarm.\nReason: {reason}"),
        ("public_title", "Incident affecting {service}"),
        (
            "public_opening",
            "We are investigating an incident affecting {service}. We are working to restore normal service.\n\
             Started: {started_at}\nNext update: {next_update}",
        ),
        (
            "public_update",
            "{public}\nStatus: {status}. We continue to work on this incident.\nNext update: {next_update}",
        ),
        (
            "public_severity_changed",
            "We have reassessed this incident and continue to work on it.\nUpdates: {update_every}\n\
             Next update: {next_update}",
        ),
        (
            "public_resolved",
            "This incident is resolved. We continue to monitor the service for {watch}.\nDuration: {duration}",
        ),
        (
            "public_reopened",
            "The incident affecting {service} has returned. We are working on it again.\nNext update: {next_update}",
        ),
        ("public_cancelled", "This was a false alarm. No action is needed."),
        ("ticket_title", "[INCIDENT] {summary}"),
        ("ticket_closed", "Resolved at {resolved_at} after {duration}. Root cause: {root_cause}."),
        ("post_mortem_scheduled", "Post-mortem scheduled for {due}. Review meeting scheduled for {meeting}."),
    ]
    .into_iter()
    .map(|(name, words)| (name.to_owned(), words.to_owned()))
    .collect()
}

pub(super) fn card() -> Vec<CardLine> {
    [
        ("health", "curl --fail --silent --show-error --max-time 5 https://<service>/healthz"),
        ("logs", "kubectl logs --selector app=<name> --all-containers --prefix --since=1h --tail=100"),
        ("pods", "kubectl get pods --selector app=<name> --output wide"),
        ("rollback, the revisions", "kubectl rollout history deployment/<name>"),
        ("rollback, to one of them", "kubectl rollout undo deployment/<name> --to-revision=<revision>"),
        ("scale", "kubectl scale deployment/<name> --replicas=<count>"),
        (
            "metrics, the share of failed requests",
            "curl --fail --silent --show-error --max-time 10 --data-urlencode \
             'query=sum(rate(http_requests_total{status=~\"5..\"}[5m])) / sum(rate(http_requests_total[5m]))' \
             https://<prometheus>/api/v1/query",
        ),
        ("restart", "kubectl rollout restart deployment/<name>"),
        ("recent changes", "git log --since='2 hours ago' --format='%h %cI %an %s' origin/main"),
    ]
    .into_iter()
    .map(|(purpose, command)| CardLine { purpose: purpose.to_owned(), command: command.to_owned() })
    .collect()
}

/// What the usual words of the label `severity` mean.
pub(super) fn severities() -> BTreeMap<String, WordMeans> {
    let words: [(WordMeans, &[&str]); 5] = [
        (
            WordMeans::Sev1,
            &["critical", "crit", "emergency", "emerg", "fatal", "disaster", "page", "p1", "sev1"],
        ),
        (WordMeans::Sev2, &["error", "high", "major", "urgent", "alert", "p2", "sev2"]),
        (WordMeans::Sev3, &["warning", "warn", "medium", "moderate", "average", "minor", "p3", "sev3"]),
        (WordMeans::Sev4, &["low", "ticket", "notice", "p4", "sev4"]),
        (WordMeans::Ignore, &["none", "info", "informational", "information", "debug", "p5"]),
    ];
    let each = words.into_iter().flat_map(|(means, words)| words.iter().map(move |word| (*word, means)));
    each.map(|(word, means)| (word.to_owned(), means)).collect()
}

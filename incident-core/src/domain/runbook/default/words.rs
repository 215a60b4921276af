//! What the default runbook says in notices, and the commands on its card.

use std::collections::BTreeMap;

use super::super::CardLine;

/// What a phrase may name in braces, and what is put in its place. Times are UTC.
pub const PLACEHOLDERS: [(&str, &str); 28] = [
    ("severity", "the severity: `SEV1`"),
    ("old_severity", "the severity before a change"),
    ("status", "the status word: `investigating`"),
    ("phase", "the phase: `Investigation`"),
    ("summary", "what is wrong, in a line"),
    ("impact", "what it does"),
    ("affected", "whom it affects"),
    ("service", "the service"),
    ("started_at", "when it began"),
    ("now", "when the notice was made"),
    ("lead", "who commands"),
    ("actor", "who did what the notice reports"),
    ("reason", "why"),
    ("progress", "what was reached since the last update"),
    ("next_steps", "what is done next"),
    ("eta", "when it is expected to be over, or `unknown`"),
    ("respond_within", "the time to acknowledge: `15 min`"),
    ("update_every", "the rhythm of updates: `every 15 min` or `as needed`"),
    ("next_update", "when the next update is due, or `when there is news`"),
    ("due", "when what the notice is about is or was due"),
    ("owed", "what is owed: `the post-mortem`"),
    ("mitigation", "the mitigation, in words"),
    ("outcome", "how it ended"),
    ("duration", "how long the incident lasted: `2 h 30 min`"),
    ("resolved_at", "when it was resolved"),
    ("root_cause", "the cause, in a line"),
    ("watch", "for how long the service is watched after resolve: `15 min`"),
    ("meeting", "when the review meeting is due"),
];

pub(super) fn phrases() -> BTreeMap<String, String> {
    [
        ("drill", "DRILL – an exercise, nothing is broken."),
        ("page", "{severity}, {service}: {summary}. Acknowledge within {respond_within}."),
        ("escalation", "Nobody has acknowledged {severity} on {service}, due {due}: {summary}."),
        ("acknowledged", "{actor} has acknowledged the incident and is looking into it."),
        (
            "opening",
            "{severity}, {status}: {summary}. Impact: {impact}. Affected: {affected}. Began: {started_at}. \
             Lead: {lead}. Updates: {update_every}, the next one {next_update}.",
        ),
        (
            "update",
            "{severity}, {status}, as of {now}. Progress: {progress}. Next steps: {next_steps}. \
             Expected to be over: {eta}. Next update: {next_update}.",
        ),
        (
            "severity_changed",
            "Now {severity}, before {old_severity}: {reason}. Updates: {update_every}, the next one {next_update}.",
        ),
        ("phase_changed", "{severity}, {status}: the response is now in {phase}. Next update: {next_update}."),
        ("mitigation_proposed", "Proposed by {actor}, waiting for approval: {mitigation}."),
        ("mitigation_ended", "{mitigation}: {outcome}."),
        (
            "resolved",
            "Resolved: {summary}. All services work normally again and stay watched for {watch}. \
             Duration: {duration}. Cause: {root_cause}.",
        ),
        ("details_follow", "Details follow in the post-mortem, due {due}."),
        ("reopened", "{severity}, {status} again: {summary}. Next update: {next_update}."),
        ("reminder", "Due {due}: {owed}."),
        ("overdue", "Overdue since {due}: {owed}."),
        ("ticket_title", "[INCIDENT] {summary}"),
        ("ticket_opened", "{severity}. Began: {started_at}. Impact: {impact}. Lead: {lead}."),
        ("ticket_closed", "Resolved at {resolved_at} after {duration}. Cause: {root_cause}."),
        ("post_mortem_scheduled", "Post-mortem scheduled for {due}, review meeting for {meeting}."),
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

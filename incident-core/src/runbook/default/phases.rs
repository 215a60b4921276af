//! The phases of the default runbook: how long, until when, and what to do.
//!
//! A command names what to fill in as `<…>`. None prints a secret, flushes everything or undoes without saying what.

use std::collections::BTreeMap;
use std::time::Duration;

use super::{HOUR, MINUTE};
use crate::model::phase::{Expected, Gate, Phase, PhasePolicy, Step};
use crate::model::role::Role;
use crate::model::role::Role::{Commander, CommsLead, OpsLead, Responder, Scribe};

/// A step: its id, whose it is, what to do, and a command that helps or nothing.
type Line = (&'static str, Role, &'static str, &'static str);

pub(super) fn all() -> BTreeMap<Phase, PhasePolicy> {
    Phase::ALL.into_iter().map(|phase| (phase, policy(phase))).collect()
}

fn policy(phase: Phase) -> PhasePolicy {
    let (from, to, gates, steps): (Duration, Duration, Vec<Gate>, &[Line]) = match phase {
        Phase::Detection => {
            let confirmed = Gate::Step("confirm-incident".to_owned());
            (MINUTE, 5 * MINUTE, vec![Gate::Acknowledged, Gate::StartKnown, confirmed], DETECTION)
        }
        Phase::Triage => (2 * MINUTE, 5 * MINUTE, vec![Gate::SeverityAssigned, Gate::ImpactAssessed], TRIAGE),
        Phase::Communication => (5 * MINUTE, 5 * MINUTE, vec![Gate::AudiencesNotified], COMMUNICATION),
        Phase::Investigation => (10 * MINUTE, 30 * MINUTE, vec![Gate::Hypotheses(2)], INVESTIGATION),
        Phase::Resolution => (5 * MINUTE, 30 * MINUTE, vec![Gate::MitigatedOrFixed], RESOLUTION),
        Phase::Recovery => (15 * MINUTE, 30 * MINUTE, vec![Gate::ChecksHeld], RECOVERY),
        Phase::PostIncident => {
            (HOUR, 2 * HOUR, vec![Gate::PostMortemPublished, Gate::ActionsFiled], POST_INCIDENT)
        }
    };
    let steps = steps.iter().map(|(id, who, what, how)| Step {
        id: (*id).to_owned(),
        what: (*what).to_owned(),
        who: *who,
        how: (!how.is_empty()).then(|| (*how).to_owned()),
    });
    PhasePolicy { expected: Expected { from, to }, gates, steps: steps.collect() }
}

const DETECTION: &[Line] = &[
    (
        "ack-alert",
        Responder,
        "Acknowledge the alert, or silence it for a short while, so that it stops paging.",
        "",
    ),
    (
        "verify-health",
        Responder,
        "Ask the health endpoint yourself.",
        "curl --fail --silent --show-error --max-time 5 https://<service>/healthz",
    ),
    ("check-dashboard", Responder, "Look at the service's dashboard: what changed, and since when?", ""),
    (
        "check-last-deployment",
        Responder,
        "See whether the last deployment has finished.",
        "kubectl rollout status deployment/<name> --watch=false",
    ),
    ("note-start", Responder, "Write down when it began, in UTC, and how it was noticed.", ""),
    ("confirm-incident", Responder, "Confirm that it is an incident, and write down what is seen.", ""),
    (
        "open-ticket",
        Responder,
        "See that the ticket is open: titled `[INCIDENT] …`, labelled `incident` and the severity, with the start time.",
        "",
    ),
];

const TRIAGE: &[Line] = &[
    (
        "answer-triage",
        Commander,
        "Answer the triage questions; what nobody knows counts as the worse answer.",
        "",
    ),
    ("assign-severity", Commander, "Assign the severity, and say why if it isn't the one triage gave.", ""),
    ("assess-users", Commander, "Count the users affected, and their share of all.", ""),
    ("assess-services", Commander, "Name the services and features affected.", ""),
    ("assess-business", Commander, "Say what it does to the business.", ""),
    ("assess-data", Commander, "Find out whether data was lost or spoiled.", ""),
    ("assess-security", Commander, "Find out whether security was breached.", ""),
];

const COMMUNICATION: &[Line] = &[
    ("name-roles", Commander, "Say who commands, who writes the timeline and who writes the notices.", ""),
    ("send-opening", CommsLead, "Send the first notice to every audience of the severity.", ""),
    (
        "update-status-page",
        CommsLead,
        "Show the incident on the status page if the severity calls for it.",
        "",
    ),
    ("keep-rhythm", CommsLead, "From now on, send an update before each deadline and name the next one.", ""),
    (
        "keep-timeline",
        Scribe,
        "From now on, write everything that is seen, decided and done on the timeline.",
        "",
    ),
];

const INVESTIGATION: &[Line] = &[
    (
        "look-at-changes",
        OpsLead,
        "What changed? Deployments first: most incidents follow one.",
        "kubectl rollout history deployment/<name>",
    ),
    (
        "look-at-commits",
        OpsLead,
        "Which commits came in shortly before it began?",
        "git log --since='2 hours ago' --format='%h %cI %an %s' origin/main",
    ),
    (
        "look-at-config",
        OpsLead,
        "Which configuration changed? Names and versions only, never values.",
        "kubectl get configmaps,secrets --output custom-columns=KIND:.kind,NAME:.metadata.name,VERSION:.metadata.resourceVersion",
    ),
    (
        "list-pods",
        OpsLead,
        "List the pods: ready, restarts, age, node.",
        "kubectl get pods --selector app=<name> --output wide",
    ),
    (
        "describe-pods",
        OpsLead,
        "Describe one that isn't well; don't paste its environment anywhere.",
        "kubectl describe pod <pod>",
    ),
    (
        "check-pod-usage",
        OpsLead,
        "Compare what the containers use with their limits.",
        "kubectl top pods --selector app=<name> --containers",
    ),
    ("check-node-usage", OpsLead, "See whether the nodes have room.", "kubectl top nodes"),
    (
        "read-events",
        OpsLead,
        "Read the events in order.",
        "kubectl get events --sort-by=.metadata.creationTimestamp",
    ),
    (
        "read-logs",
        OpsLead,
        "Read the logs of every pod, not of one.",
        "kubectl logs --selector app=<name> --all-containers --prefix --since=1h --tail=100",
    ),
    (
        "check-db-connections",
        OpsLead,
        "Count the database's connections by state.",
        "SELECT state, count(*) FROM pg_stat_activity WHERE backend_type = 'client backend' GROUP BY state;",
    ),
    (
        "check-db-queries",
        OpsLead,
        "Find the queries that have run longest.",
        "SELECT pid, usename, state, now() - query_start AS runs_for, left(query, 80) FROM pg_stat_activity \
         WHERE backend_type = 'client backend' AND state <> 'idle' AND pid <> pg_backend_pid() ORDER BY query_start;",
    ),
    (
        "check-db-locks",
        OpsLead,
        "Find who waits for whom.",
        "SELECT pid, pg_blocking_pids(pid) AS blocked_by, wait_event_type FROM pg_stat_activity \
         WHERE cardinality(pg_blocking_pids(pid)) > 0;",
    ),
    (
        "check-db-sizes",
        OpsLead,
        "Find the largest tables.",
        "SELECT relid::regclass, pg_size_pretty(pg_total_relation_size(relid)) FROM pg_stat_user_tables \
         ORDER BY pg_total_relation_size(relid) DESC LIMIT 20;",
    ),
    (
        "check-dependencies",
        OpsLead,
        "Ask the outside dependencies, and read their status pages.",
        "curl --silent --show-error --max-time 5 --output /dev/null --write-out '%{http_code}\\n' https://<dependency>/",
    ),
    (
        "check-dns",
        OpsLead,
        "Resolve the service's name inside the cluster.",
        "kubectl run dns-check --rm --stdin --restart=Never --image=busybox:1.36 -- nslookup <service>.<namespace>.svc.cluster.local",
    ),
    (
        "check-reachability",
        OpsLead,
        "Call the service from inside the cluster.",
        "kubectl run reach-check --rm --stdin --restart=Never --image=busybox:1.36 -- wget -q -T 5 -O - http://<service>.<namespace>:<port>/healthz",
    ),
    ("read-traces", OpsLead, "Look at the slowest spans and at those with errors.", ""),
    (
        "check-error-share",
        OpsLead,
        "What share of the requests fails?",
        "curl --fail --silent --show-error --max-time 10 --data-urlencode \
         'query=sum(rate(http_requests_total{status=~\"5..\"}[5m])) / sum(rate(http_requests_total[5m]))' \
         https://<prometheus>/api/v1/query",
    ),
    (
        "check-slowness",
        OpsLead,
        "How slow is the slowest twentieth?",
        "curl --fail --silent --show-error --max-time 10 --data-urlencode \
         'query=histogram_quantile(0.95, sum by (le) (rate(http_request_duration_seconds_bucket[5m])))' \
         https://<prometheus>/api/v1/query",
    ),
    ("check-cache-hits", OpsLead, "Has the cache's hit rate dropped?", "redis-cli INFO stats"),
    (
        "classify-cause",
        OpsLead,
        "Which class is it? A recent deployment (a bug, configuration, limits), exhausted resources (memory, CPU, disk, \
         connections), an outside dependency (an API, a database, the network), unusual traffic (an attack, success, \
         bots), or bad data (corrupt, oversized, endless).",
        "",
    ),
    (
        "write-hypotheses",
        OpsLead,
        "Write down the two or three likeliest causes, each with what would prove it.",
        "",
    ),
];

const RESOLUTION: &[Line] = &[
    (
        "pick-mitigation",
        Commander,
        "Pick the mitigation that ends the harm soonest: recovery comes before the cause.",
        "",
    ),
    (
        "roll-back",
        OpsLead,
        "After a deployment: roll back to the last good revision, by its number.",
        "kubectl rollout undo deployment/<name> --to-revision=<revision>",
    ),
    ("scale", OpsLead, "Under load: add replicas.", "kubectl scale deployment/<name> --replicas=<count>"),
    (
        "raise-limits",
        OpsLead,
        "Out of memory or throttled: raise the container's limits.",
        "kubectl set resources deployment/<name> --containers=<container> --limits=memory=<amount>",
    ),
    ("restart", OpsLead, "Stuck: restart, a few at a time.", "kubectl rollout restart deployment/<name>"),
    ("restart-instance", OpsLead, "One bad pod: restart that one.", "kubectl delete pod <pod>"),
    (
        "switch-feature-off",
        OpsLead,
        "One feature at fault: turn it off.",
        "kubectl set env deployment/<name> --containers=<container> <FEATURE>=false",
    ),
    ("route-away", OpsLead, "Beyond help for now: route traffic away, or to the maintenance page.", ""),
    (
        "relieve-database",
        OpsLead,
        "A query at fault: cancel it by its pid – never every old one, which would hit replication and backups.",
        "SELECT pg_cancel_backend(<pid>);",
    ),
    (
        "add-index",
        OpsLead,
        "An index is missing: add it without locking the table.",
        "CREATE INDEX CONCURRENTLY <index> ON <table> (<column>);",
    ),
    (
        "clear-cache",
        OpsLead,
        "Bad entries in a cache: clear those by their prefix, never everything.",
        "redis-cli --scan --pattern '<prefix>:*' | xargs -d '\\n' -r -n 1 redis-cli UNLINK",
    ),
    ("fix-on-branch", OpsLead, "For the permanent fix: make the change on a branch, and link it.", ""),
    ("fix-tested", OpsLead, "Add the test that would have caught it.", ""),
    ("fix-staged", OpsLead, "Try the fix in staging, and write down the result.", ""),
    ("fix-deployed", OpsLead, "Deploy the fix.", "kubectl rollout status deployment/<name> --timeout=10m"),
    ("fix-verified", OpsLead, "Verify that the fix does what it should.", ""),
];

const RECOVERY: &[Line] = &[
    (
        "check-pods-ready",
        OpsLead,
        "Every pod is ready, not merely running.",
        "kubectl wait --for=condition=Ready pod --selector app=<name> --timeout=60s",
    ),
    (
        "check-health",
        OpsLead,
        "The health endpoint answers 200.",
        "curl --fail --silent --show-error --max-time 5 https://<service>/healthz",
    ),
    ("check-error-rate", OpsLead, "The error rate is back to normal.", ""),
    ("check-latency", OpsLead, "The latency is back to normal.", ""),
    ("check-alerts", OpsLead, "No alert of the incident fires.", ""),
    ("check-user-reports", CommsLead, "Those who reported the problem say that it is gone.", ""),
    (
        "wait-for-hold",
        Commander,
        "Wait until every check has held; if one turns red, go back to the investigation.",
        "",
    ),
];

const POST_INCIDENT: &[Line] = &[
    (
        "preserve-evidence",
        Scribe,
        "Preserve the logs, metrics and traces around the incident, two hours of them at least.",
        "",
    ),
    ("write-post-mortem", Commander, "Write the post-mortem, without blame, and have it reviewed.", ""),
    ("schedule-meeting", Commander, "Schedule the review meeting with everybody who responded.", ""),
    ("hold-meeting", Commander, "Hold the meeting by its agenda.", ""),
    (
        "file-action-items",
        Commander,
        "File each action item as a ticket labelled `incident-followup` and its priority, with an owner and a due date.",
        "",
    ),
    ("update-runbook", Commander, "The runbook itself: an action item, or not needed.", ""),
    ("update-diagrams", OpsLead, "Diagrams: an action item, or not needed.", ""),
    ("update-dashboards", OpsLead, "Dashboards: an action item, or not needed.", ""),
    ("update-alert-rules", OpsLead, "Alert rules: an action item, or not needed.", ""),
];

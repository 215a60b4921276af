//! The alerts of a storm, as either is sent them.

use std::fmt::Write as _;

use hyper::body::Bytes;
use incident_core::port::Clock as _;
use incident_core::runtime::SystemClock;

use super::Who;

/// How many alerts, of how many groups, sent how.
#[derive(Debug, Clone, Copy)]
pub struct Shape {
    /// How many, all different.
    pub alerts: usize,
    /// Of how many services.
    pub groups: usize,
    /// How many a POST.
    pub per_post: usize,
    /// On how many connections.
    pub connections: usize,
}

impl Shape {
    /// The bodies of all POSTs.
    #[must_use]
    pub fn bodies(&self, who: Who) -> Vec<Bytes> {
        // One group after the other, as webhooks of groups come.
        let alerts: Vec<(usize, usize)> =
            (0..self.alerts).map(|n| (n, n * self.groups / self.alerts)).collect();
        alerts.chunks(self.per_post).map(|chunk| body(who, chunk)).collect()
    }
}

/// One POST with alerts of these numbers, each with that of its group.
#[must_use]
pub fn body(who: Who, numbered: &[(usize, usize)]) -> Bytes {
    let now = SystemClock.now().to_rfc3339();
    let mut alerts = String::new();
    for (n, group) in numbered {
        if !alerts.is_empty() {
            alerts.push(',');
        }
        let _ = write!(
            alerts,
            r#"{{"status":"firing","labels":{{"alertname":"ErrorRate","pod":"pod-{n}","service":"service-{group}","severity":"warning"}},"annotations":{{"description":"5.2 % of the requests fail","summary":"error rate above 5 %"}},"startsAt":"{now}","generatorURL":"http://metrics.example:9090/graph?g0.expr=error_rate+%3E+0.05&g0.tab=1""#
        );
        // Alertmanager makes the fingerprint itself, and sends it on.
        let rest = format!(r#","endsAt":"0001-01-01T00:00:00Z","fingerprint":"{n:016x}"}}"#);
        alerts.push_str(if who == Who::Alertmanager { "}" } else { &rest });
    }
    Bytes::from(match who {
        Who::Ours | Who::Gathering | Who::Endpoint => format!(
            r#"{{"receiver":"incidents","status":"firing","alerts":[{alerts}],"groupLabels":{{}},"commonLabels":{{"alertname":"ErrorRate"}},"commonAnnotations":{{}},"externalURL":"http://alerts.example:9093","version":"4","groupKey":"{{}}:{{}}","truncatedAlerts":0}}"#
        ),
        Who::Alertmanager => format!("[{}]", alerts.replace(r#""status":"firing","#, "")),
    })
}

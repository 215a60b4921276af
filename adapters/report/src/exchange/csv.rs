//! A table of incidents as CSV (RFC 4180), which a spreadsheet can't be talked into running.

use incident_core::domain::incident::{Ending, Side};
use incident_core::domain::metrics::{Interval, ResponseTimes};
use incident_core::domain::time::to_millis;
use incident_core::domain::{Severity, Time};

use crate::history::Past;

/// The columns before those of the intervals.
const COLUMNS: [&str; 16] = [
    "id",
    "title",
    "service",
    "severity",
    "drill",
    "phase",
    "ended",
    "commander",
    "started_at",
    "start_known",
    "declared_at",
    "acknowledged_at",
    "mitigated_at",
    "recovered_at",
    "resolved_at",
    "closed_at",
];
/// Those after them.
const COUNTS: [&str; 3] = ["actions", "actions_open", "link"];

/// A table with a line for each incident, drills included and marked.
///
/// Times are UTC as RFC 3339 has them, lengths of time are in seconds; what isn't known is empty. A cell in which a
/// spreadsheet would see a formula – it begins with `=`, `+`, `-`, `@`, a tab or a line break – gets a `'` before it, so
/// whoever reads such a cell back takes that away.
///
/// ```
/// # use incident_report::csv;
/// assert!(csv(&[]).starts_with("id,title,service,severity,"));
/// ```
#[must_use]
pub fn csv(incidents: &[Past]) -> String {
    let mut table = Table(String::new());
    let intervals = Interval::ALL.map(|it| format!("{}_seconds", it.to_string().replace(' ', "_")));
    table.row(
        COLUMNS
            .iter()
            .map(ToString::to_string)
            .chain(intervals)
            .chain(COUNTS.iter().map(ToString::to_string)),
    );
    incidents.iter().for_each(|past| table.row(cells(past)));
    table.0
}

fn cells(past: &Past) -> impl Iterator<Item = String> {
    let it = &past.incident;
    let at = &it.milestones;
    let ended = it.ended.map_or_else(String::new, |ended| match ended {
        Ending::Closed => "closed".to_owned(),
        Ending::Cancelled => "cancelled".to_owned(),
        Ending::Merged(into) => format!("merged into {into}"),
        _ => "ended".to_owned(),
    });
    let times = ResponseTimes::of(it);
    let fixed = [
        it.id.to_string(),
        it.title_words().to_owned(),
        it.service.clone().unwrap_or_default(),
        severity(it.severity),
        (it.side == Side::Drill).to_string(),
        it.phase.to_string(),
        ended,
        it.commander().map(ToString::to_string).unwrap_or_default(),
        time(at.started),
        it.start_known.to_string(),
        time(at.declared),
        time(at.acknowledged),
        time(at.mitigated),
        time(at.recovered),
        time(at.resolved),
        time(at.closed),
    ];
    let lengths =
        Interval::ALL.map(|it| times.get(it).map(|length| length.as_secs().to_string()).unwrap_or_default());
    let open = it.actions.values().filter(|action| !action.done).count();
    let counts =
        [it.actions.len().to_string(), open.to_string(), it.links.iter().next().cloned().unwrap_or_default()];
    fixed.into_iter().chain(lengths).chain(counts)
}

fn severity(severity: Severity) -> String {
    severity.to_string()
}

fn time(time: Option<Time>) -> String {
    time.map(|time| to_millis(time).to_rfc3339_opts(chrono::SecondsFormat::AutoSi, true)).unwrap_or_default()
}

struct Table(String);

impl Table {
    fn row(&mut self, cells: impl Iterator<Item = String>) {
        for (at, cell) in cells.enumerate() {
            if at > 0 {
                self.0.push(',');
            }
            self.cell(&cell);
        }
        self.0.push_str("\r\n");
    }

    fn cell(&mut self, words: &str) {
        let harmless = if words.starts_with(['=', '+', '-', '@', '\t', '\r', '\n']) { "'" } else { "" };
        // NUL ends a cell early in some readers.
        let words = words.replace('\0', "");
        if harmless.is_empty() && !words.contains([',', '"', '\r', '\n']) {
            self.0.push_str(&words);
        } else {
            self.0.push_str(&format!("\"{harmless}{}\"", words.replace('"', "\"\"")));
        }
    }
}

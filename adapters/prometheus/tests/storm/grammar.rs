//! What senders write: missing, empty, odd and changed fields, in every combination that chance makes.

use std::fmt::Write as _;
use std::time::Duration;

use incident_core::model::time::Time;

/// Chance that is the same for the same seed.
pub(crate) struct Dice(u64);

impl Dice {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15))
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut it = self.0;
        it = (it ^ (it >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        it = (it ^ (it >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        it ^ (it >> 31)
    }

    pub(crate) fn below(&mut self, end: usize) -> usize {
        usize::try_from(self.next() % u64::try_from(end.max(1)).unwrap()).unwrap()
    }

    pub(crate) fn one_of<'t, T>(&mut self, of: &'t [T]) -> Option<&'t T> {
        of.get(self.below(of.len()))
    }

    fn text(&mut self, of: &[&'static str]) -> &'static str {
        self.one_of(of).copied().unwrap()
    }

    /// Whether something happens that happens once in so many times.
    fn once_in(&mut self, times: usize) -> bool {
        self.below(times) == 0
    }
}

/// JSON values that may stand where a text belongs.
const ODD: [&str; 14] = [
    "null",
    "0",
    "-1.5e300",
    "true",
    "\"\"",
    "\" \"",
    "[]",
    "{\"a\":[1]}",
    "NaN",
    "\"\\ud83d\"",
    "\"\\u0000\"",
    "\"\\u202e\"",
    "\"a\tb\"",
    "\"C:\\odd\"",
];

/// One POST.
pub(crate) fn webhook(dice: &mut Dice, now: Time) -> Vec<u8> {
    let mut alerts: Vec<String> = (0..=dice.below(4)).map(|_| alert(dice, now)).collect();
    if dice.once_in(12) {
        alerts.push(dice.text(&ODD).to_owned());
    }
    let mut body = String::new();
    if dice.once_in(10) {
        body.push('\u{feff}');
    }
    body.push_str("{\"version\":\"4\"");
    for name in ["receiver", "groupKey", "truncatedAlerts", "commonAnnotations", "status"] {
        match dice.below(8) {
            0 => drop(write!(body, ",\"{name}\":{}", dice.text(&ODD))),
            1 => drop(write!(body, ",\"{name}\":\"resolved\"")),
            _ => {}
        }
    }
    let _ = write!(body, ",\"alerts\":[{}]}}", alerts.join(","));
    if dice.once_in(5) {
        body.push_str("\r\n\n");
    }
    let mut bytes = body.into_bytes();
    if dice.once_in(15) {
        // A byte that isn't UTF-8, in place of a letter of some text.
        let letters: Vec<usize> = (0..bytes.len()).filter(|at| bytes[*at] == b'k').collect();
        if let Some(at) = dice.one_of(&letters) {
            bytes[*at] = 0xff;
        }
    }
    bytes
}

fn alert(dice: &mut Dice, now: Time) -> String {
    let fields = [
        ("status", status(dice)),
        ("labels", labels(dice)),
        ("annotations", annotations(dice)),
        ("startsAt", starts(dice, now)),
        ("endsAt", ends(dice, now)),
        ("fingerprint", fingerprint(dice)),
        ("generatorURL", link(dice)),
    ];
    let mut written = Vec::new();
    for (name, value) in fields {
        match dice.below(40) {
            0 => {}
            1 => written.push(format!("\"{name}\":{}", dice.text(&ODD))),
            2 => written.extend([format!("\"{name}\":{}", dice.text(&ODD)), format!("\"{name}\":{value}")]),
            _ => written.push(format!("\"{name}\":{value}")),
        }
    }
    format!("{{{}}}", written.join(","))
}

fn status(dice: &mut Dice) -> String {
    let words =
        ["firing", "firing", "firing", "firing", "resolved", "resolved", "Firing", "suppressed", "ok"];
    format!("\"{}\"", dice.text(&words))
}

fn labels(dice: &mut Dice) -> String {
    let mut labels = Vec::new();
    let names = ["DiskFull", "HighErrorRate", "Watchdog", "节点状态", "kube pod not ready"];
    if !dice.once_in(8) {
        labels.push(format!("\"alertname\":\"{}\"", dice.text(&names)));
    }
    let services = ["checkout", "search", "cart", "billing", "mail", "check\\u200bout", "@here <!channel>"];
    match dice.below(6) {
        0 => {}
        1 => labels.push(format!("\"service\":{}", dice.text(&ODD))),
        _ => labels.push(format!("\"service\":\"{}\"", dice.text(&services))),
    }
    let words = [
        "critical", "Critical", "page", "P1", "error", "warning", "warn", "info", "none", "minor", "low",
        "orange", "", " ",
    ];
    match dice.below(8) {
        0 => {}
        1 => labels.push(format!("\"severity\":{}", dice.text(&ODD))),
        _ => labels.push(format!("\"severity\":\"{}\"", dice.text(&words))),
    }
    if dice.once_in(4) {
        labels.push(format!("\"pod\":\"pod-{}\"", dice.below(5)));
    }
    if dice.once_in(60) {
        labels.extend((0..200).map(|n| format!("\"l{n}\":\"{n}\"")));
    }
    format!("{{{}}}", labels.join(","))
}

fn annotations(dice: &mut Dice) -> String {
    let name = dice.text(&["summary", "title", "message", "description", "runbook_url"]);
    match dice.below(6) {
        0 => format!("{{\"{name}\":{}}}", dice.text(&ODD)),
        1 => format!("{{\"{name}\":\"{}\"}}", "ek ".repeat(3_000)),
        _ => format!("{{\"{name}\":\"the disk is full: kaput\",\"value\":\"0.9\"}}"),
    }
}

/// A start on a coarse grid, so that occurrences come again.
fn starts(dice: &mut Dice, now: Time) -> String {
    let hour = 3_600 - u64::try_from(now.timestamp().rem_euclid(3_600)).unwrap();
    let back = Duration::from_secs(u64::try_from(dice.below(3)).unwrap() * 3_600);
    let time = now + Duration::from_secs(hour) - Duration::from_secs(3_600) - back;
    match dice.below(12) {
        0 => format!("\"{}\"", time.format("%Y-%m-%dT%H:%M:%S")),
        1 => "\"0001-01-01T00:00:00Z\"".to_owned(),
        2 => format!("\"{}\"", (now + Duration::from_secs(1)).to_rfc3339()),
        3 => "\"2099-01-01T00:00:00Z\"".to_owned(),
        4 => format!("\"{}\"", time.format("%Y-%m-%dT%H:%M:%S%.3f+0000")),
        5 => time.timestamp().to_string(),
        _ => format!("\"{}\"", time.to_rfc3339()),
    }
}

fn ends(dice: &mut Dice, now: Time) -> String {
    match dice.below(5) {
        0 => "\"0001-01-01T00:00:00Z\"".to_owned(),
        1 => "\"2099-01-01T00:00:00Z\"".to_owned(),
        2 => "\"never\"".to_owned(),
        _ => format!("\"{}\"", now.to_rfc3339()),
    }
}

fn fingerprint(dice: &mut Dice) -> String {
    match dice.below(4) {
        0 => "\"\"".to_owned(),
        1 => dice.below(9).to_string(),
        _ => format!("\"f{}\"", dice.below(12)),
    }
}

fn link(dice: &mut Dice) -> String {
    match dice.below(4) {
        0 => "\"\"".to_owned(),
        1 => format!("\"http://metrics.example/graph?{}\"", "q".repeat(5_000)),
        2 => "\"javascript:alert(1)\"".to_owned(),
        _ => "\"http://metrics.example/graph\"".to_owned(),
    }
}

//! A table of incidents as CSV (RFC 4180), which a spreadsheet can't be talked into running.

use incident_core::log::incident::Ending;
use incident_core::model::severity::Severity;
use incident_core::model::side::Side;
use incident_core::model::time::Time;
use incident_core::model::time::to_millis;
use incident_core::views::metrics::{Interval, ResponseTimes};

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
/// Times are UTC as RFC 3339 has them, lengths of time are in seconds; what isn't known is empty, and so is a start that
/// was only assumed. Control characters and those without a width are left out. A cell in which a spreadsheet may then see
/// a formula – after any white space it begins with `=`, `+`, `-`, `@`, `%`, `|`, or a wide or small form of these, or it
/// begins with a tab or a line break – gets a `'` before it, so a program that reads such a cell back takes that away.
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
        time(it.known_start()),
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

/// What people see of `words`: some readers end a cell at a NUL, and drop what has no width. What joins letters and emoji
/// stays.
fn cleaned(words: &str) -> String {
    let is_hidden = |character: char| {
        let is_break = matches!(character, '\t' | '\n' | '\r');
        character.is_control() && !is_break
            || matches!(character, '\u{ad}' | '\u{200b}' | '\u{200e}' | '\u{200f}' | '\u{61c}' | '\u{180e}')
            || matches!(character, '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}')
            || matches!(character, '\u{fff9}'..='\u{fffb}')
    };
    words.chars().filter(|character| !is_hidden(*character)).collect()
}

/// Whether a spreadsheet may take the cell for a formula. Some trim white space before they look, some take wide forms for
/// the plain ones.
fn may_be_formula(words: &str) -> bool {
    let joins_nothing = |first: char| {
        first.is_whitespace() || matches!(first, '\u{200c}' | '\u{200d}' | '\u{fe00}'..='\u{fe0f}')
    };
    let first = words.trim_start_matches(joins_nothing).chars().next();
    words.starts_with(['\t', '\r', '\n']) || first.is_some_and(|first| FORMULAS.contains(&first))
}

/// What a formula or a command begins with, and how else that is written: wide, small, raised, lowered, and as a sign of
/// mathematics.
const FORMULAS: [char; 29] = [
    '=', '\u{ff1d}', '\u{fe66}', '\u{207c}', '\u{208c}', '\u{a78a}', // equals
    '+', '\u{ff0b}', '\u{fe62}', '\u{207a}', '\u{208a}', // plus
    '-', '\u{ff0d}', '\u{fe63}', '\u{207b}', '\u{208b}', '\u{2212}', '\u{2010}', '\u{2011}',
    '\u{2796}', // minus
    '@', '\u{ff20}', '\u{fe6b}', // at
    '%', '\u{ff05}', '\u{fe6a}', // per cent
    '|', '\u{ff5c}', '\u{ffe8}', // bar
];

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
        // Cleaned first, then judged: what is left out could hide what a formula begins with.
        let words = cleaned(words);
        let harmless = if may_be_formula(&words) { "'" } else { "" };
        if harmless.is_empty() && !words.contains([',', '"', '\r', '\n']) {
            self.0.push_str(&words);
        } else {
            self.0.push_str(&format!("\"{harmless}{}\"", words.replace('"', "\"\"")));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(words: &str) -> String {
        let mut table = Table(String::new());
        table.cell(words);
        table.0
    }

    #[test]
    fn a_cell_is_cleaned_and_then_judged() {
        let hidden = [
            "", "\0", "\u{feff}", "\u{200b}", "\u{2060}", "\u{202e}", "\u{ad}", "\u{200d}", "\u{7f}",
            "\u{1b}",
        ];
        let spaces = ["", " ", "\u{a0}", "\u{3000}", "\u{2003}", "\u{85}", "\t", "\r\n"];
        for (before, space) in hidden.iter().flat_map(|before| spaces.map(|space| (before, space))) {
            for formula in FORMULAS {
                for words in [
                    format!("{before}{space}{formula}HYPERLINK(\"http://evil\",\"x\")"),
                    format!("{space}{before}{formula}1+1"),
                    format!("{before}{space}{before}{formula}"),
                ] {
                    let cell = written(&words);
                    assert!(cell.starts_with("\"'"), "{words:?}: {cell:?}");
                    assert!(!cell.contains(['\0', '\u{feff}', '\u{200b}']), "{words:?}: {cell:?}");
                }
            }
        }
    }

    #[test]
    fn words_stay_as_they_are() {
        for (words, cell) in [
            ("checkout is down", "checkout is down"),
            ("1+1=2", "1+1=2"),
            ("a\u{200b}@\u{200b}b", "a@b"),
            ("\u{5e9}\u{5e8}\u{5ea}", "\u{5e9}\u{5e8}\u{5ea}"),
            ("\u{1f469}\u{200d}\u{1f692} down", "\u{1f469}\u{200d}\u{1f692} down"),
            ("say \"no\", please", "\"say \"\"no\"\", please\""),
        ] {
            assert_eq!(written(words), cell);
        }
    }
}

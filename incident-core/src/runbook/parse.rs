//! The runbook as TOML: what a team writes is laid over the default.

pub(crate) mod line;
pub(crate) mod node;

use serde::Deserialize;
use toml::{Table, Value};

use self::line::{line_at, line_of};
use self::node::{Node, Trouble};
use super::Runbook;

impl Runbook {
    /// The runbook that `text` makes of the default: tables merge, arrays and single values replace.
    ///
    /// What the default has and a team has not is taken out with `false`: a recovery check, a question of the tree, a
    /// rule in `safety.by_kind`, a severity's `update_every`, a word in `signals.severities`. A deadline or a branch is replaced as a whole, so that
    /// `{ business_days = 2 }` may take the place of `{ elapsed = "1h" }`.
    ///
    /// It is read, not judged: see [`lint`](Self::lint).
    ///
    /// ```
    /// # use incident_core::model::severity::Severity;
    /// # use incident_core::runbook::Runbook;
    /// let runbook = Runbook::from_toml("severities.sev2.update_every = '20m'")?;
    /// assert_eq!(runbook.severity(Severity::Sev2).cadence(), "every 20 min");
    ///
    /// let error = Runbook::from_toml("recovery.held = '20m'").unwrap_err();
    /// assert_eq!(
    ///     error.to_string(),
    ///     "runbook, line 1: `recovery.held` isn't known; known there: checks, hold, probe_every, watch"
    /// );
    /// # Ok::<(), incident_core::runbook::RunbookError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`RunbookError`] for text that isn't TOML, for a key that doesn't exist, and for a value of the wrong kind. It
    /// names the line and the full path, and never repeats a value.
    pub fn from_toml(text: &str) -> Result<Self, RunbookError> {
        let written: Table = text.parse().map_err(|error| RunbookError::syntax(text, &error))?;
        let mut table = Table::try_from(Self::default()).expect(WRITABLE);
        lay_over(&mut table, written, &mut Vec::new());
        Self::deserialize(Node(Value::Table(table))).map_err(|trouble| RunbookError::new(text, trouble))
    }

    /// The runbook as TOML that [`from_toml`](Self::from_toml) reads back; what was taken out is written as `false`.
    ///
    /// Missing severities, phases, priorities, approval rules and phrases come back from the default, as
    /// [`lint`](Self::lint) warns.
    #[must_use]
    pub fn to_toml(&self) -> String {
        let mut table = Table::try_from(self).expect(WRITABLE);
        let default = Table::try_from(Self::default()).expect(WRITABLE);
        if mark_removed(&mut table, &default, &mut Vec::new()) {
            return toml::to_string_pretty(&table).expect(WRITABLE);
        }
        // Written from the type, the fields keep the order in which they are best read.
        toml::to_string_pretty(self).expect(WRITABLE)
    }
}

const WRITABLE: &str = "a runbook has only named fields, text, whole numbers below 2^32 and yes or no";

/// A runbook that can't be read. It says where, and never repeats a value.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("runbook, line {line}: {problem}")]
#[non_exhaustive]
pub struct RunbookError {
    /// The line, from 1: of the field, or of the table that lacks it.
    pub line: usize,
    /// What is wrong there, and what was expected.
    pub problem: RunbookProblem,
}

impl RunbookError {
    fn syntax(text: &str, error: &toml::de::Error) -> Self {
        let line = line_at(text, error.span().map_or(0, |span| span.start));
        Self { line, problem: RunbookProblem::Syntax(error.message().to_owned()) }
    }

    fn new(text: &str, trouble: Trouble) -> Self {
        Self { line: line_of(text, &trouble), problem: RunbookProblem::from(trouble) }
    }
}

/// Why text is no runbook.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RunbookProblem {
    /// It isn't TOML: what is wrong, in the parser's words.
    #[error("not TOML: {0}")]
    Syntax(String),
    /// A key doesn't exist.
    #[error("`{at}` isn't known; known there: {}", known.join(", "))]
    UnknownKey {
        /// The key's full path.
        at: String,
        /// The keys that are known beside it.
        known: Vec<String>,
    },
    /// A value isn't of the kind that belongs there.
    #[error("`{at}` is {found}; expected {expected}")]
    WrongType {
        /// The field's full path.
        at: String,
        /// The kind of what is there.
        found: String,
        /// What belongs there.
        expected: String,
    },
    /// A value is missing that has no default.
    #[error("`{at}` is missing")]
    Missing {
        /// The field's full path.
        at: String,
    },
}

/// The entries that a team may take out with `false`; `*` stands for any key.
const REMOVABLE: [&[&str]; 5] = [
    &["recovery", "checks", "*"],
    &["triage", "questions", "*"],
    &["safety", "by_kind", "*"],
    &["severities", "*", "update_every"],
    &["signals", "severities", "*"],
];

/// The keys of tables that stand for one of several choices, of which a second one would make no sense.
const CHOICES: [&str; 4] = ["elapsed", "business_days", "ask", "severity"];

fn lay_over(base: &mut Table, written: Table, path: &mut Vec<String>) {
    for (key, value) in written {
        path.push(key.clone());
        match (base.get_mut(&key), value) {
            (Some(_), Value::Boolean(false)) if is_removable(path) => {
                base.remove(&key);
            }
            (Some(Value::Table(base)), Value::Table(written)) if !is_choice(base) => {
                lay_over(base, written, path);
            }
            (_, value) => {
                base.insert(key, value);
            }
        }
        path.pop();
    }
}

/// Writes `false` where `table` lacks what was taken out of `default`, and says whether it did.
fn mark_removed(table: &mut Table, default: &Table, path: &mut Vec<String>) -> bool {
    let mut marked = false;
    for (key, value) in default {
        path.push(key.clone());
        match (table.get_mut(key), value) {
            (Some(Value::Table(table)), Value::Table(default)) => {
                marked |= mark_removed(table, default, path);
            }
            (None, _) if is_removable(path) => {
                table.insert(key.clone(), Value::Boolean(false));
                marked = true;
            }
            _ => {}
        }
        path.pop();
    }
    marked
}

fn is_choice(table: &Table) -> bool {
    table.len() == 1 && table.keys().all(|key| CHOICES.contains(&key.as_str()))
}

fn is_removable(path: &[String]) -> bool {
    REMOVABLE.iter().any(|place| {
        place.len() == path.len() && place.iter().zip(path).all(|(name, key)| *name == "*" || name == key)
    })
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::model::severity::{Severity, Within};

    #[test]
    fn what_is_written_reads_back() {
        let mut runbook = Runbook::default();
        assert_eq!(Runbook::from_toml(""), Ok(runbook.clone()));
        assert_eq!(Runbook::from_toml(&runbook.to_toml()), Ok(runbook.clone()));
        runbook.recovery.hold = Duration::from_secs(1_234_567);
        runbook.afterwards.post_mortem = Within::Elapsed(Duration::from_millis(1_500));
        runbook.calendar.holidays = vec!["2026-12-25".parse().unwrap()];
        runbook.title = "Ours: \"quoted\"\nand `more` <b>".to_owned();
        assert_eq!(Runbook::from_toml(&runbook.to_toml()), Ok(runbook.clone()));
        runbook.recovery.checks.remove("health");
        runbook.triage.questions.clear();
        runbook.safety.by_kind.clear();
        runbook.severities.get_mut(&Severity::Sev1).unwrap().update_every = None;
        assert_eq!(Runbook::from_toml(&runbook.to_toml()), Ok(runbook));
    }

    #[test]
    fn tables_merge_and_everything_else_replaces() {
        let runbook = Runbook::from_toml(
            r#"
            title = "Ours"
            calendar = { zone = "Europe/Zurich", opens = 08:30:00, holidays = [2026-12-25] }
            persons.alice = { name = "Alice", identities = ["slack:U1"], roles = ["commander"] }
            [severities.sev3]
            respond_within = { business_days = 2 }
            update_every = false
            [triage.questions]
            several_users = { no = { ask = "function_critical" } }
            [recovery.checks]
            latency-p95 = false
            [afterwards]
            post_mortem = { elapsed = "36h" }
            required_for = ["sev1"]
            "#,
        )
        .unwrap();
        let mut expect = Runbook { title: "Ours".to_owned(), ..Runbook::default() };
        expect.calendar.zone = "Europe/Zurich".parse().unwrap();
        expect.calendar.opens = "08:30".parse().unwrap();
        expect.calendar.holidays = vec!["2026-12-25".parse().unwrap()];
        let alice = crate::model::role::Person {
            name: "Alice".to_owned(),
            identities: vec![crate::model::role::Identity::new("slack", "U1")],
            roles: vec![crate::model::role::Role::Commander],
        };
        expect.persons.insert(crate::model::role::PersonId::new("alice"), alice);
        let sev3 = expect.severities.get_mut(&Severity::Sev3).unwrap();
        (sev3.respond_within, sev3.update_every) = (Within::BusinessDays(2), None);
        expect.triage.questions.get_mut("several_users").unwrap().no =
            crate::runbook::triage::Branch::Ask("function_critical".to_owned());
        expect.recovery.checks.remove("latency-p95");
        expect.afterwards.post_mortem = Within::Elapsed(Duration::from_secs(36 * 3_600));
        expect.afterwards.required_for = vec![Severity::Sev1];
        assert_eq!(runbook, expect);
    }

    #[test]
    fn an_error_names_the_place_and_what_belongs_there() {
        for (text, expect) in [
            ("a b", "not TOML: key with no value, expected `=`"),
            ("title = 'x'\n\ntitle = 'y'", "not TOML: duplicate key"),
            (
                "escalations.every = '5m'",
                "`escalations` isn't known; known there: title, severities, triage, phases, escalation, reminders, \
                 recovery, safety, afterwards, signals, calendar, persons, phrases, public, card",
            ),
            (
                "severities.sev5.meaning = 'x'",
                "`severities.sev5` isn't known; known there: sev1, sev2, sev3, sev4",
            ),
            (
                "severities.sev1.status-page = true",
                "`severities.sev1.status-page` isn't known; known there: meaning, respond_within, update_every, \
                 audiences, audiences_if_customer_facing, status_page, examples",
            ),
            (
                "afterwards.meeting = { days = 2 }",
                "`afterwards.meeting.days` isn't known; known there: elapsed, same_business_day, \
                 next_business_day, business_days",
            ),
            ("recovery.hold = 15", "`recovery.hold` is an integer; expected a duration, such as \"15m\""),
            ("recovery.hold = 'sesame'", "`recovery.hold` is a string; expected a duration, such as \"15m\""),
            (
                "severities.sev1.update_every = 'sesame'",
                "`severities.sev1.update_every` is a string; expected a duration, such as \"15m\"",
            ),
            (
                "severities.sev1.status_page = 'sesame'",
                "`severities.sev1.status_page` is a string; expected a boolean",
            ),
            (
                "safety.min_healthy_percent = 300",
                "`safety.min_healthy_percent` is an integer; expected a whole number from 0 to 255",
            ),
            (
                "safety.storm_brake = -1",
                "`safety.storm_brake` is an integer; expected a whole number from 0 to 4294967295",
            ),
            ("recovery = 'sesame'", "`recovery` is a string; expected a table"),
            ("escalation.chain = 'sesame'", "`escalation.chain` is a string; expected an array"),
            ("persons.'a b'.name = 7", "`persons.\"a b\".name` is an integer; expected a string"),
            ("persons.alice.roles = ['commander']", "`persons.alice.name` is missing"),
            (
                "escalation.chain = [{ audience = 'team' }, { persons = [] }]",
                "`escalation.chain[1].audience` is missing",
            ),
            (
                "recovery.checks.health.by = 'sesame'",
                "`recovery.checks.health.by` is a string; expected one of: probe, signals, person",
            ),
            (
                "afterwards.meeting = 'elapsed'",
                "`afterwards.meeting` is a string; expected a table, such as { elapsed = … }",
            ),
            (
                "afterwards.meeting = { elapsed = '1h', business_days = 2 }",
                "`afterwards.meeting` is a table; expected one of: elapsed, same_business_day, next_business_day, \
                 business_days",
            ),
            (
                "afterwards.meeting = { same_business_day = 1 }",
                "`afterwards.meeting.same_business_day` is an integer; expected no value, only the name",
            ),
            ("calendar.zone = 'sesame'", "`calendar.zone` is a string; expected an IANA timezone string"),
            (
                "calendar.weekdays = ['Mon', 'sesame']",
                "`calendar.weekdays[1]` is a string; expected a weekday, such as \"Mon\"",
            ),
        ] {
            let error = Runbook::from_toml(text).expect_err(text);
            assert_eq!(error.problem.to_string(), expect, "{text}");
            let error = error.to_string();
            assert!(!error.contains("sesame"), "{error}");
        }
    }

    #[test]
    fn an_error_names_the_line() {
        for (text, line) in [
            ("a b", 1),
            ("title = 'x'\n\ntitle = 'y'", 3),
            ("title = 'x'\n[recovery]\nwatch = '1h'\nhold = 15", 4),
            ("# persons\n[persons.alice]\nroles = ['commander']", 2),
            ("\n[[escalation.chain]]\naudience = 'team'\n[[escalation.chain]]\npersons = []", 4),
        ] {
            assert_eq!(Runbook::from_toml(text).expect_err(text).line, line, "{text}");
        }
    }
}

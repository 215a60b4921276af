//! Whether the phrases promise what the figures do.

use std::time::Duration;

use super::Findings;
use crate::model::severity::Severity;
use crate::model::time::spoken;
use crate::runbook::phrase::{Part, parts};
use crate::runbook::{PLACEHOLDERS, Runbook};

pub(super) fn check(runbook: &Runbook, found: &mut Findings) {
    let known = Runbook::default().phrases;
    public(runbook, found);
    for (name, phrase) in &runbook.phrases {
        let place = format!("phrases.{name}");
        if !known.contains_key(name) {
            let names: Vec<_> = known.keys().map(String::as_str).collect();
            let what = format!("no notice uses a phrase called {name:?}");
            found.warning(place.clone(), what, format!("use one of: {}", names.join(", ")));
        }
        for part in parts(phrase) {
            if let Part::Gap(gap) = part
                && PLACEHOLDERS.iter().all(|(known, _)| *known != gap)
            {
                let known: Vec<_> = PLACEHOLDERS.iter().map(|(known, _)| *known).collect();
                let then = format!("use one of: {}", known.join(", "));
                found.warning(
                    place.clone(),
                    format!("no figure is called {{{gap}}}, so its sentence is never said"),
                    then,
                );
            }
        }
        for typed in cadences(phrase) {
            cadence(runbook, name, phrase, typed, found);
        }
    }
}

/// Whether the phrases for people outside name only what they may read.
fn public(runbook: &Runbook, found: &mut Findings) {
    let exists = |name: &str| name == "links" || PLACEHOLDERS.iter().any(|(known, _)| *known == name);
    for (index, name) in runbook.public.iter().enumerate().filter(|(_, name)| !exists(name)) {
        let known: Vec<_> = PLACEHOLDERS.iter().map(|(known, _)| *known).collect();
        let what = format!("no figure is called {name:?}");
        let then = format!("use one of: links, {}", known.join(", "));
        found.error(format!("public[{index}]"), what, then);
    }
    for (name, phrase) in runbook.phrases.iter().filter(|(name, _)| name.starts_with("public_")) {
        for part in parts(phrase) {
            if let Part::Gap(gap) = part
                && exists(gap)
                && runbook.public.iter().all(|it| it != gap)
            {
                let what = format!("{{{gap}}} isn't public, so its sentence is never said");
                let then = format!("take it out of the phrase, or add \"{gap}\" to `public`");
                found.warning(format!("phrases.{name}"), what, then);
            }
        }
    }
}

/// A typed cadence is wrong as soon as one severity that the phrase is said at has another.
fn cadence(runbook: &Runbook, name: &str, phrase: &str, typed: Duration, found: &mut Findings) {
    let words: Vec<_> = tokens(name).chain(tokens(phrase)).collect();
    let named = |severity: &Severity| words.contains(&severity.to_string().to_ascii_lowercase());
    let any_named = Severity::ALL.iter().any(named);
    let wrong = Severity::ALL
        .into_iter()
        .filter(|severity| !any_named || named(severity))
        .find(|severity| runbook.severity(*severity).update_every != Some(typed));
    let place = format!("phrases.{name}");
    let then = "write {update_every} and it always says what is due";
    match wrong {
        Some(severity) => {
            let promised = runbook.severity(severity).cadence();
            let what = format!("it says every {}, but updates at {severity} come {promised}", spoken(typed));
            found.error(place, what, then);
        }
        None => {
            let what = format!("it types every {}, which holds only until the table changes", spoken(typed));
            found.warning(place, what, then);
        }
    }
}

/// The lengths of time that `text` says something happens every.
fn cadences(text: &str) -> Vec<Duration> {
    let words: Vec<_> = tokens(text).collect();
    let after_every = |at: usize| -> Option<Duration> {
        let next = |by: usize| words.get(at + by).map(String::as_str);
        let first = next(1)?;
        let digits = first.find(|character: char| !character.is_ascii_digit()).unwrap_or(first.len());
        match first.split_at(digits) {
            ("", "half") => Some(unit(next(2).filter(|word| !matches!(*word, "an" | "a")).or(next(3))?)? / 2),
            ("", word) => unit(word).or_else(|| times(number(word)?, unit(next(2)?)?)),
            (count, "") => times(count.parse().ok()?, unit(next(2)?)?),
            (count, word) => times(count.parse().ok()?, unit(word)?),
        }
    };
    let cadence = |(at, word): (usize, &String)| match word.as_str() {
        "every" | "each" => after_every(at),
        "hourly" => unit("hour"),
        "daily" => unit("day"),
        "weekly" => unit("week"),
        _ => None,
    };
    words.iter().enumerate().filter_map(cadence).collect()
}

fn tokens(text: &str) -> impl Iterator<Item = String> {
    text.split(|character: char| !character.is_alphanumeric())
        .filter(|word| !word.is_empty())
        .map(str::to_ascii_lowercase)
}

fn times(count: u64, unit: Duration) -> Option<Duration> {
    unit.as_secs().checked_mul(count).map(Duration::from_secs)
}

fn number(word: &str) -> Option<u64> {
    const NUMBERS: [(&str, u64); 12] = [
        ("two", 2),
        ("three", 3),
        ("four", 4),
        ("five", 5),
        ("six", 6),
        ("eight", 8),
        ("ten", 10),
        ("twelve", 12),
        ("fifteen", 15),
        ("twenty", 20),
        ("thirty", 30),
        ("sixty", 60),
    ];
    NUMBERS.iter().find(|(name, _)| *name == word).map(|(_, number)| *number)
}

fn unit(word: &str) -> Option<Duration> {
    let seconds = match word {
        "s" | "sec" | "secs" | "second" | "seconds" => 1,
        "m" | "min" | "mins" | "minute" | "minutes" => 60,
        "h" | "hr" | "hrs" | "hour" | "hours" => 3_600,
        "d" | "day" | "days" => 86_400,
        "week" | "weeks" => 604_800,
        _ => return None,
    };
    Some(Duration::from_secs(seconds))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn typed_cadences_are_recognised() {
        for (text, minutes) in [
            ("Updates every 15 minutes.", vec![15]),
            ("updates EVERY 30min, really", vec![30]),
            ("every 2-hour window, and every hour", vec![120, 60]),
            ("every half hour, every half an hour", vec![30, 30]),
            ("every fifteen minutes or hourly", vec![15, 60]),
            ("each day", vec![1_440]),
            ("every service, every 5 of them, everybody", vec![]),
            ("every 99999999999999999999 h, every 18446744073709551615 h, every", vec![]),
            ("{update_every} 15 minutes", vec![15]),
            ("within 15 minutes", vec![]),
        ] {
            let expect: Vec<_> =
                minutes.into_iter().map(|minutes| Duration::from_secs(60 * minutes)).collect();
            assert_eq!(cadences(text), expect, "{text}");
        }
    }
}

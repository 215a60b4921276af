//! Phrases: words with named gaps, which figures fill.

use std::collections::BTreeMap;

use super::Runbook;

impl Runbook {
    /// The phrase called `name` with each `{gap}` filled from `figures`. A sentence with a gap that has no figure is left
    /// out, and so is a line of which nothing is left.
    ///
    /// What is filled in is not read for gaps again, so text from outside can't reach a figure.
    ///
    /// ```
    /// # use incident_core::runbook::Runbook;
    /// let mut runbook = Runbook::default();
    /// runbook.phrases.insert("page".to_owned(), "Service: {service}. Acknowledge within {respond_within}.".to_owned());
    /// let said = runbook.say("page", &[("service", "checkout".to_owned())].into());
    /// assert_eq!(said, "Service: checkout.");
    /// ```
    #[must_use]
    pub fn say(&self, name: &str, figures: &BTreeMap<&str, String>) -> String {
        let sentence = |sentence: &str| {
            let filled = parts(sentence).map(|part| match part {
                Part::Words(words) => Some(words),
                Part::Gap(gap) => figures.get(gap).map(String::as_str),
            });
            filled.collect::<Option<String>>()
        };
        let line = |line: &str| {
            let said: String = line.split_inclusive(". ").filter_map(sentence).collect();
            said.trim_end().to_owned()
        };
        let lines = self.phrase(name).lines().map(line).filter(|line| !line.is_empty());
        lines.collect::<Vec<_>>().join("\n")
    }

    /// Whether the phrase called `name` has this gap.
    pub(crate) fn phrase_has(&self, name: &str, gap: &str) -> bool {
        parts(self.phrase(name)).any(|part| part == Part::Gap(gap))
    }
}

/// A piece of a phrase.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Part<'a> {
    /// Words, said as they are.
    Words(&'a str),
    /// The name between two braces.
    Gap(&'a str),
}

/// The pieces of `phrase`, in order. A brace that opens no gap is a word.
pub(super) fn parts(phrase: &str) -> impl Iterator<Item = Part<'_>> {
    let is_name =
        |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_');
    let mut rest = phrase;
    std::iter::from_fn(move || {
        if rest.is_empty() {
            return None;
        }
        let gap =
            rest.strip_prefix('{').and_then(|inner| inner.split_once('}')).filter(|(name, _)| is_name(name));
        if let Some((name, after)) = gap {
            rest = after;
            return Some(Part::Gap(name));
        }
        let end = rest
            .char_indices()
            .skip(1)
            .find(|(_, character)| *character == '{')
            .map_or(rest.len(), |(at, _)| at);
        let (words, after) = rest.split_at(end);
        rest = after;
        Some(Part::Words(words))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gaps_are_told_from_words() {
        use Part::{Gap, Words};
        for (phrase, expect) in [
            ("", vec![]),
            ("{a}", vec![Gap("a")]),
            ("say {a}{b_c}!", vec![Words("say "), Gap("a"), Gap("b_c"), Words("!")]),
            ("{{a}", vec![Words("{"), Gap("a")]),
            ("{A} {}", vec![Words("{A} "), Words("{}")]),
            ("ü{ö", vec![Words("ü"), Words("{ö")]),
        ] {
            assert_eq!(parts(phrase).collect::<Vec<_>>(), expect, "{phrase}");
        }
    }

    #[test]
    fn a_sentence_without_its_figure_is_left_out() {
        for (phrase, said) in [
            ("Now {severity}. Before {old_severity}. Go on.", "Now SEV1. Go on."),
            ("Before {old_severity}. Now {severity}.", "Now SEV1."),
            ("Severity: {severity} (was {old_severity})\nLead: {lead}", "Lead: Alice"),
            ("{old_severity}\n{nonsense}", ""),
            ("v1.2 of {lead}", "v1.2 of Alice"),
            ("", ""),
        ] {
            let mut runbook = Runbook::default();
            runbook.phrases.insert("page".to_owned(), phrase.to_owned());
            let figures = [("severity", "SEV1".to_owned()), ("lead", "Alice".to_owned())].into();
            assert_eq!(runbook.say("page", &figures), said, "{phrase}");
        }
    }

    #[test]
    fn what_is_filled_in_is_not_read_again() {
        let mut runbook = Runbook::default();
        runbook.phrases.insert("greeting".to_owned(), "{summary} by {lead}".to_owned());
        let figures = [("summary", "{lead}".to_owned()), ("lead", "Alice".to_owned())].into();
        assert_eq!(runbook.say("greeting", &figures), "{lead} by Alice");
    }
}

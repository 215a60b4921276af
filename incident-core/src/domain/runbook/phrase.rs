//! Phrases: words with named gaps, which figures fill.

use std::collections::BTreeMap;

use super::Runbook;

impl Runbook {
    /// The phrase called `name` with each `{gap}` filled from `figures`; a gap that has no figure reads `unknown`.
    ///
    /// What is filled in is not read for gaps again, so text from outside can't reach a figure.
    ///
    /// ```
    /// # use incident_core::domain::Runbook;
    /// let said = Runbook::default().say("mitigation_ended", &[("mitigation", "restart".to_owned())].into());
    /// assert_eq!(said, "restart: unknown.");
    /// ```
    #[must_use]
    pub fn say(&self, name: &str, figures: &BTreeMap<&str, String>) -> String {
        parts(self.phrase(name))
            .map(|part| match part {
                Part::Words(words) => words,
                Part::Gap(gap) => figures.get(gap).map_or("unknown", String::as_str),
            })
            .collect()
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
    fn what_is_filled_in_is_not_read_again() {
        let mut runbook = Runbook::default();
        runbook.phrases.insert("greeting".to_owned(), "{summary} by {lead}".to_owned());
        let figures = [("summary", "{lead}".to_owned()), ("lead", "Alice".to_owned())].into();
        assert_eq!(runbook.say("greeting", &figures), "{lead} by Alice");
    }
}

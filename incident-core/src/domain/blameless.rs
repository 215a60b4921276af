//! Finding persons in words that should name roles.

use std::collections::BTreeMap;

use super::role::{Identity, PersonId};
use super::runbook::Runbook;

/// The names that stand for persons, in lower case.
#[derive(Debug, Clone, Default)]
pub(crate) struct Names(BTreeMap<String, Option<PersonId>>);

/// A shorter name is too often a word.
const SHORTEST: usize = 3;

impl Names {
    /// The persons whom `runbook` knows: their short and full names, the parts of these, and their accounts.
    pub(crate) fn of(runbook: &Runbook) -> Self {
        let mut names = Self::default();
        for (id, person) in &runbook.persons {
            let parts = person.name.split_whitespace();
            for name in parts.chain([person.name.as_str(), id.as_str()]) {
                names.add(name, Some(id));
            }
            person.identities.iter().for_each(|identity| names.add_identity(identity, Some(id)));
        }
        names
    }

    /// With an account that acts on the timeline, whoever's it is.
    pub(crate) fn add_identity(&mut self, identity: &Identity, person: Option<&PersonId>) {
        let whole = identity.as_str();
        let account = whole.split_once(':').map_or(whole, |(_, account)| account);
        self.add(whole, person);
        self.add(account, person);
    }

    fn add(&mut self, name: &str, person: Option<&PersonId>) {
        let name = name.trim().to_lowercase();
        if name.chars().count() >= SHORTEST {
            self.0.entry(name).or_insert_with(|| person.cloned());
        }
    }

    /// Who is named in `text`: the longest name that is there for each person, as a word of its own.
    pub(crate) fn in_text(&self, text: &str) -> Vec<(String, Option<PersonId>)> {
        let text = text.to_lowercase();
        let mut found: Vec<(String, Option<PersonId>)> = Vec::new();
        let there = self.0.iter().filter(|(name, _)| has_word(&text, name));
        for (name, person) in there {
            let same = found.iter_mut().find(|(other, whose)| match person {
                Some(_) => whose == person,
                None => whose.is_none() && (other.contains(name.as_str()) || name.contains(other.as_str())),
            });
            match same {
                Some((longest, _)) if name.len() > longest.len() => longest.clone_from(name),
                Some(_) => {}
                None => found.push((name.clone(), person.clone())),
            }
        }
        found
    }
}

/// Whether `word` stands in `text` with no letter or digit beside it.
fn has_word(text: &str, word: &str) -> bool {
    text.match_indices(word).any(|(at, _)| {
        let before = text[..at].chars().next_back();
        let after = text[at + word.len()..].chars().next();
        [before, after].into_iter().flatten().all(|beside| !beside.is_alphanumeric())
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::role::Person;

    #[test]
    fn a_person_is_found_by_any_name_and_a_word_is_not_a_person() {
        let mut runbook = Runbook::default();
        let identities = vec![Identity::new("chat", "U024BE")];
        let person = Person { name: "Alice Ash".to_owned(), identities, roles: vec![] };
        runbook.persons.insert(PersonId::new("alice-a"), person);
        let mut names = Names::of(&runbook);
        names.add_identity(&Identity::new("forge", "mallory"), None);
        for (text, expect) in [
            ("Alice pushed the wrong tag", vec!["alice"]),
            ("ALICE ASH, as alice-a, pushed", vec!["alice ash"]),
            ("u024be pushed; ash fell", vec!["u024be"]),
            ("mallory (forge:mallory) pushed", vec!["forge:mallory"]),
            ("the hash of malice was wrong", vec![]),
            ("é", vec![]),
        ] {
            let found: Vec<String> = names.in_text(text).into_iter().map(|(name, _)| name).collect();
            assert_eq!(found, expect, "{text}");
        }
    }
}

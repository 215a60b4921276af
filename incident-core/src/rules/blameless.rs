//! Finding persons in words that should name roles.

use std::collections::BTreeMap;

use crate::model::role::{Identity, PersonId};
use crate::runbook::Runbook;

/// The names that stand for persons, and whose they are.
#[derive(Debug, Clone, Default)]
pub(crate) struct Names(BTreeMap<Name, Option<PersonId>>);

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Name {
    /// Part of a name, with its capital: many a surname is a word without it.
    Exact(String),
    /// A whole name or an account, in lower case.
    Any(String),
}

/// A shorter name is too often a word.
const SHORTEST: usize = 3;

impl Names {
    /// The persons whom `runbook` knows: their short and full names, the parts of these, and their accounts.
    pub(crate) fn of(runbook: &Runbook) -> Self {
        let mut names = Self::default();
        for (id, person) in &runbook.persons {
            for part in person.name.split_whitespace() {
                names.add(Name::Exact(part.to_owned()), Some(id));
            }
            names.add(Name::Any(person.name.trim().to_lowercase()), Some(id));
            names.add(Name::Any(id.as_str().to_lowercase()), Some(id));
            person.identities.iter().for_each(|identity| names.add_identity(identity, Some(id)));
        }
        names
    }

    /// With an account that acts on the timeline, whoever's it is.
    pub(crate) fn add_identity(&mut self, identity: &Identity, person: Option<&PersonId>) {
        let whole = identity.as_str().to_lowercase();
        let account = whole.split_once(':').map_or(whole.as_str(), |(_, account)| account).to_owned();
        self.add(Name::Any(account), person);
        self.add(Name::Any(whole), person);
    }

    fn add(&mut self, name: Name, person: Option<&PersonId>) {
        let (Name::Exact(words) | Name::Any(words)) = &name;
        if words.chars().count() >= SHORTEST {
            self.0.entry(name).or_insert_with(|| person.cloned());
        }
    }

    /// Who is named in `text`: the longest name that is there for each person, as a word of its own.
    pub(crate) fn in_text(&self, text: &str) -> Vec<(String, Option<PersonId>)> {
        let lower = text.to_lowercase();
        let mut found: Vec<(String, Option<PersonId>)> = Vec::new();
        for (name, person) in &self.0 {
            let (name, there) = match name {
                Name::Exact(name) => (name, has_word(text, name)),
                Name::Any(name) => (name, has_word(&lower, name)),
            };
            if !there {
                continue;
            }
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
    use crate::model::role::Person;

    #[test]
    fn a_person_is_found_by_any_name_and_a_word_is_not_a_person() {
        let mut runbook = Runbook::default();
        let identities = vec![Identity::new("chat", "U024BE")];
        let person = Person { name: "Alice Ash".to_owned(), identities, roles: vec![] };
        runbook.persons.insert(PersonId::new("alice-a"), person);
        let mut names = Names::of(&runbook);
        names.add_identity(&Identity::new("forge", "mallory"), None);
        for (text, expect) in [
            ("Alice pushed the wrong tag", vec!["Alice"]),
            ("ALICE ASH, as alice-a, pushed", vec!["alice ash"]),
            ("u024be pushed; ash fell", vec!["u024be"]),
            ("it took Ash a minute", vec!["Ash"]),
            ("mallory (forge:mallory) pushed", vec!["forge:mallory"]),
            ("the hash of malice was wrong", vec![]),
            ("é", vec![]),
        ] {
            let found: Vec<String> = names.in_text(text).into_iter().map(|(name, _)| name).collect();
            assert_eq!(found, expect, "{text}");
        }
    }
}

//! Free text, kept beside the records so that it can be taken out again.
//!
//! A record's body holds only the salted digest of what somebody wrote; the words lie in a slot beside it. Emptying
//! the slot removes the words and leaves the chain, the fold and every decision as they were.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::model::append_map::AppendMap;
use crate::model::id::{Digest, Seq};
use crate::model::role::Identity;

/// The most bytes a text may have.
pub(crate) const LONGEST_TEXT: usize = 16 * 1024;
/// The most bytes a title may have.
pub(crate) const LONGEST_TITLE: usize = 256;
/// The most bytes a name or a label may have.
pub(crate) const LONGEST_NAME: usize = 512;
/// The most bytes a link may have. A link into a dashboard carries a whole query.
pub(crate) const LONGEST_LINK: usize = 2048;

/// A piece of free text, named by the salted digest of its words.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Text(Digest);

/// The words of one [`Text`] and the salt that keeps its digest from being guessed.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Slot {
    salt: [u8; 16],
    words: Arc<str>,
}

impl std::fmt::Debug for Slot {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Slot({} bytes)", self.words.len())
    }
}

impl Slot {
    /// A slot for `words`.
    #[must_use]
    pub fn new(salt: [u8; 16], words: &str) -> Self {
        Self { salt, words: words.into() }
    }

    /// The name that a record's body gives to these words.
    #[must_use]
    pub fn text(&self) -> Text {
        Text(Digest::of(&[&self.salt, self.words.as_bytes()]))
    }

    /// The words.
    #[must_use]
    pub fn words(&self) -> &Arc<str> {
        &self.words
    }

    /// The slot as a store keeps it: the salt, then the words; nothing once it was emptied.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        if self.is_emptied() {
            return Vec::new();
        }
        [&self.salt[..], self.words.as_bytes()].concat()
    }

    /// What stands for a slot that was emptied, so that those after it keep their places.
    #[must_use]
    pub(crate) fn emptied() -> Self {
        Self::new([0; 16], "")
    }

    /// Whether it was emptied.
    #[must_use]
    pub fn is_emptied(&self) -> bool {
        self.salt == [0; 16] && self.words.is_empty()
    }

    /// The slot from [`to_bytes`](Self::to_bytes); `None` if it was emptied or isn't a slot.
    #[must_use]
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let (salt, words) = bytes.split_first_chunk::<16>()?;
        Some(Self { salt: *salt, words: std::str::from_utf8(words).ok()?.into() })
    }
}

/// The words that are still there, by name; none stands where words were taken out.
#[derive(Clone, Default)]
pub struct Texts {
    kept: AppendMap<Text, Option<Kept>>,
    /// Who wrote each note down: they may take their own words out again.
    authors: AppendMap<Seq, Identity>,
}

impl std::fmt::Debug for Texts {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_map().entries(self.kept.all().into_iter().filter(|(_, kept)| kept.is_some())).finish()
    }
}

/// Words, and the record and slot they lie in.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Kept {
    words: Arc<str>,
    record: Seq,
    slot: u32,
}

impl Texts {
    /// What stands where words were taken out.
    pub const REDACTED: &'static str = "[redacted]";

    /// The words of `text`, or [`REDACTED`](Self::REDACTED).
    #[must_use]
    pub fn get(&self, text: Text) -> &str {
        self.look_up(text).map_or(Self::REDACTED, |kept| &kept.words)
    }

    /// Whether the words of `text` are still there.
    #[must_use]
    pub fn has(&self, text: Text) -> bool {
        self.look_up(text).is_some()
    }

    /// The record that the words of `text` belong to, and the place of their slot in it; none once they were taken out.
    #[must_use]
    pub fn place(&self, text: Text) -> Option<(Seq, u32)> {
        self.look_up(text).map(|kept| (kept.record, kept.slot))
    }

    /// The texts of `record` whose words are still there, with the places of their slots.
    #[must_use]
    pub fn of(&self, record: Seq) -> Vec<(u32, Text)> {
        let all = self.kept.all().into_iter().filter_map(|(text, kept)| Some((text, kept.as_ref()?)));
        let of_record = all.filter(|(_, kept)| kept.record == record);
        let mut places: Vec<_> = of_record.map(|(text, kept)| (kept.slot, *text)).collect();
        places.sort_unstable_by_key(|(slot, _)| *slot);
        places
    }

    /// Who wrote the note of `record`, if a human being did.
    #[must_use]
    pub fn author(&self, record: Seq) -> Option<&Identity> {
        self.authors.get(&record)
    }

    pub(crate) fn wrote(&mut self, record: Seq, author: &Identity) {
        self.authors.insert(record, author.clone());
    }

    pub(crate) fn put(&mut self, slots: &[Slot], record: Seq) {
        for (slot, place) in slots.iter().zip(0..).filter(|(slot, _)| !slot.is_emptied()) {
            let kept = Kept { words: Arc::clone(&slot.words), record, slot: place };
            self.kept.insert(slot.text(), Some(kept));
        }
    }

    pub(crate) fn take_out(&mut self, text: Text) {
        if self.has(text) {
            self.kept.insert(text, None);
        }
    }

    fn look_up(&self, text: Text) -> Option<&Kept> {
        self.kept.get(&text)?.as_ref()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_words_have_different_names_under_different_salts() {
        assert_ne!(Slot::new([1; 16], "a").text(), Slot::new([2; 16], "a").text());
    }

    #[test]
    fn an_emptied_slot_is_no_slot() {
        assert_eq!(Slot::from_bytes(&[]), None);
        let slot = Slot::new([3; 16], "hello");
        assert_eq!(Slot::from_bytes(&slot.to_bytes()), Some(slot));
    }
}

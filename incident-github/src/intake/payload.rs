//! What a webhook's body says, read field by field: one that is missing or odd doesn't hide the others.

use incident_core::model::inert::clip;
use incident_core::model::time::Time;
use serde_json::Value;

use super::IntakeError;
use crate::reference::{Issue, Repository, is_account, is_same_account};

/// What GitHub itself calls an account that is gone.
const GHOST: &str = "ghost";
/// Bytes of a name, a title or an action that are read.
const MOST: usize = 512;

/// A webhook of the kinds that are read.
pub(super) struct Payload {
    event: String,
    body: Value,
}

/// Who did it.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Sender {
    /// A person, managed users, mannequins and those who are gone included.
    Person(String),
    /// Our own account, a bot or an App.
    Machine,
}

impl Payload {
    /// # Errors
    /// [`IntakeError`] if `body` isn't a JSON document.
    pub(super) fn read(event: &str, body: &[u8]) -> Result<Self, IntakeError> {
        let body = body.strip_prefix(b"\xef\xbb\xbf").unwrap_or(body);
        let wrong = |problem| IntakeError { event: event.to_owned(), problem };
        let read = serde_json::from_slice(body).ok();
        // What a parser says of it may quote it.
        let body: Value = match read.or_else(|| serde_json::from_str(&mended(body)).ok()) {
            Some(body @ Value::Object(_)) => body,
            Some(_) => return Err(wrong("it isn't a JSON object")),
            None if body.starts_with(b"payload=") => {
                return Err(wrong("it is form-encoded; set the webhook's content type to application/json"));
            }
            None => return Err(wrong("it isn't JSON")),
        };
        Ok(Self { event: event.to_owned(), body })
    }

    fn wrong(&self, problem: &'static str) -> IntakeError {
        IntakeError { event: self.event.clone(), problem }
    }

    /// The text at `pointer`, shortened.
    pub(super) fn text(&self, pointer: &str) -> Option<String> {
        self.whole_text(pointer).map(|text| clip(text, MOST))
    }

    /// The text at `pointer`.
    pub(super) fn whole_text(&self, pointer: &str) -> Option<&str> {
        self.body.pointer(pointer)?.as_str()
    }

    pub(super) fn time(&self, pointer: &str) -> Option<Time> {
        self.whole_text(pointer)?.parse().ok()
    }

    pub(super) fn number(&self, pointer: &str) -> Option<u64> {
        self.body.pointer(pointer)?.as_u64()
    }

    pub(super) fn has(&self, pointer: &str) -> bool {
        self.body.pointer(pointer).is_some_and(|value| !value.is_null())
    }

    /// An address to look at.
    pub(super) fn link(&self, pointer: &str) -> Option<String> {
        let link = self.whole_text(pointer)?;
        let is_web = link.starts_with("https://") || link.starts_with("http://");
        (is_web && link.len() <= MOST).then(|| link.to_owned())
    }

    pub(super) fn action(&self) -> Result<String, IntakeError> {
        self.text("/action").ok_or_else(|| self.wrong("`action` is missing"))
    }

    /// The issue that it is about.
    pub(super) fn issue(&self) -> Result<Issue, IntakeError> {
        let number = self.number("/issue/number").ok_or_else(|| self.wrong("`issue.number` is missing"))?;
        let named = match self.whole_text("/repository/full_name") {
            Some(name) => Repository::parse(name),
            None => self.whole_text("/issue/repository_url").and_then(repository_of),
        };
        let repository = named.ok_or_else(|| self.wrong("`repository.full_name` is missing"))?;
        Ok(Issue { repository, number })
    }

    /// Who did it. An account that GitHub doesn't name any more is still a person's.
    pub(super) fn sender(&self, account: &str) -> Result<Sender, IntakeError> {
        let Some(login) = self.whole_text("/sender/login") else {
            return Ok(Sender::Person(GHOST.to_owned()));
        };
        if !is_account(login) {
            return Err(self.wrong("`sender.login` isn't an account's name"));
        }
        let is_machine = self.whole_text("/sender/type") == Some("Bot") || login.ends_with("[bot]");
        if is_machine || is_same_account(login, account) {
            return Ok(Sender::Machine);
        }
        Ok(Sender::Person(login.to_owned()))
    }

    /// The account at `pointer`, if one is named there.
    pub(super) fn account(&self, pointer: &str) -> Option<String> {
        self.whole_text(pointer).filter(|login| is_account(login)).map(str::to_owned)
    }
}

/// The repository of an API's address: `https://api.github.com/repos/acme/shop`.
fn repository_of(address: &str) -> Option<Repository> {
    Repository::parse(address.rsplit_once("/repos/")?.1)
}

/// `body` as JSON can say it: with U+FFFD for bytes that aren't UTF-8, and for half a surrogate pair.
fn mended(body: &[u8]) -> String {
    let text = String::from_utf8_lossy(body);
    let mut mended = String::with_capacity(text.len());
    let mut rest = text.as_ref();
    while let Some(place) = rest.find('\\') {
        let (before, escape) = rest.split_at(place);
        mended.push_str(before);
        let follows = escape.get(6..).and_then(surrogate);
        let length = match (surrogate(escape), follows) {
            (Some(0xd800..0xdc00), Some(0xdc00..0xe000)) => 12,
            (Some(_), _) => {
                mended.push('\u{fffd}');
                rest = &escape[6..];
                continue;
            }
            (None, _) => escape.char_indices().nth(2).map_or(escape.len(), |(end, _)| end),
        };
        mended.push_str(&escape[..length]);
        rest = &escape[length..];
    }
    mended + rest
}

/// The surrogate that `text` begins with, if it begins with one as JSON escapes it.
fn surrogate(text: &str) -> Option<u16> {
    let digits = text.strip_prefix("\\u")?.get(..4)?;
    let unit = u16::from_str_radix(digits, 16).ok()?;
    (0xd800..0xe000).contains(&unit).then_some(unit)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn half_a_pair_is_replaced_and_nothing_else() {
        for (body, expect) in [
            (r#"{"a":"\ud83d"}"#, "{\"a\":\"\u{fffd}\"}"),
            (r#"{"a":"\ud83d\ud83d\ude00"}"#, "{\"a\":\"\u{fffd}\\ud83d\\ude00\"}"),
            (r#"{"a":"\ude00x\n"}"#, "{\"a\":\"\u{fffd}x\\n\"}"),
            (r#"{"a":"\\ud83d"}"#, r#"{"a":"\\ud83d"}"#),
            (r#"{"a":"\u00e9é"}"#, r#"{"a":"\u00e9é"}"#),
            ("\\", "\\"),
            ("\\é", "\\é"),
            ("\\ud83", "\\ud83"),
        ] {
            assert_eq!(mended(body.as_bytes()), expect, "{body}");
        }
        assert_eq!(mended(b"\"\xff\""), "\"\u{fffd}\"");
    }
}

//! Taking secrets out of evidence before it is kept.
//!
//! It knows the shapes that secrets come in, not the secrets: it is a net under collectors that take none in the first
//! place, and no proof that nothing is left.

mod flag;
mod name;
mod pair;
mod shape;

use std::ops::Range;

use crate::model::text::Texts;

/// Evidence without the secrets that were recognised.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Redacted {
    /// What is left: UTF-8, with [`Texts::REDACTED`] where a secret was. Bytes that aren't UTF-8 became `U+FFFD`.
    pub bytes: Vec<u8>,
    /// How many secrets were taken out.
    pub count: usize,
}

impl std::fmt::Debug for Redacted {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Redacted({} bytes, {} taken out)", self.bytes.len(), self.count)
    }
}

/// Takes out what looks like a secret, in time linear in the length.
///
/// That is: the values of keys with words such as password, token, secret or API key anywhere in their name, in
/// environment, JSON, YAML, SQL and command-line notation, as the next element of a list, and where an entry names its
/// key in one field and has the value in the next; `-u user:password` and passwords behind short flags; `Authorization`
/// and `Cookie` headers; passwords and accounts in URLs, signatures in their queries; private keys in PEM; tokens that
/// show their kind by a prefix – AWS, GitHub, GitLab, Slack, Stripe, JWT; and what looks random. What isn't a value stays:
/// `max_tokens`, `secretName`, `token: false`, `password is wrong`.
///
/// ```
/// # use incident_core::views::redact::redact;
/// let redacted = redact(b"DB_PASSWORD=hunter2 retries=3");
/// assert_eq!(redacted.bytes, b"DB_PASSWORD=[redacted] retries=3");
/// assert_eq!(redacted.count, 1);
/// ```
#[must_use]
pub fn redact(bytes: &[u8]) -> Redacted {
    let text = String::from_utf8_lossy(bytes);
    let mut left = String::with_capacity(text.len());
    let (mut copied, mut count) = (0, 0);
    let mut place = Place::start(&text);
    while place.at < text.len() {
        match place.secret() {
            Some(secret) => {
                // After a quoted key the value ends before the bracket.
                let done = text[secret.start..].starts_with(Texts::REDACTED)
                    && Texts::REDACTED.starts_with(&text[secret.clone()]);
                if !done {
                    left.push_str(&text[copied..secret.start]);
                    left.push_str(Texts::REDACTED);
                    (copied, count) = (secret.end, count + 1);
                }
                place.move_to(secret.end);
            }
            None => place.move_to(place.at + 1),
        }
    }
    left.push_str(&text[copied..]);
    Redacted { bytes: left.into_bytes(), count }
}

/// Whether a variable, key or flag of this name holds a secret, as far as a name tells.
///
/// ```
/// # use incident_core::views::redact::names_secret;
/// assert!(names_secret("STRIPE_KEY") && names_secret("--db-password"));
/// assert!(!names_secret("TOKEN_FILE") && !names_secret("primary_key"));
/// ```
#[must_use]
pub fn names_secret(name: &str) -> bool {
    name::of_secret(name.trim_start_matches('-').as_bytes()).is_some()
}

/// A place in a text. Everything that is looked for begins and ends with ASCII, so bytes will do.
struct Place<'a> {
    text: &'a [u8],
    at: usize,
    /// Whether nothing but indentation, a list's dash and quotes stand before it on its line.
    leads_line: bool,
}

impl<'a> Place<'a> {
    fn start(text: &'a str) -> Self {
        Self { text: text.as_bytes(), at: 0, leads_line: true }
    }

    fn move_to(&mut self, at: usize) {
        self.leads_line = at == self.at + 1
            && match self.text[self.at] {
                b'\n' => true,
                b' ' | b'\t' | b'-' | b'"' | b'\'' => self.leads_line,
                _ => false,
            };
        self.at = at;
    }

    /// The secret that begins here, or whose key does.
    fn secret(&self) -> Option<Range<usize>> {
        let before = self.at.checked_sub(1).map_or(b' ', |at| self.text[at]);
        let begins_word = !(before.is_ascii_alphanumeric() || before == b'_');
        match self.text[self.at] {
            b'-' if before != b'-' => {
                let key = shape::private_key(self.text, self.at);
                key.or_else(|| flag::value(self.text, self.at)).or_else(|| self.pair())
            }
            b':' => shape::account(self.text, self.at),
            _ if !begins_word => None,
            _ if matches!(before, b'.' | b'-') && !self.is_flag() => shape::token(self.text, self.at),
            _ => {
                let token = shape::token(self.text, self.at).or_else(|| self.pair());
                token.or_else(|| shape::random(self.text, self.at))
            }
        }
    }

    /// Whether a command-line flag's name begins here.
    fn is_flag(&self) -> bool {
        let before = &self.text[..self.at];
        match before {
            [.., b'-', b'-', b'-'] | [b'-'] => before.len() == 1,
            [.., b'-', b'-'] => true,
            [.., before, b'-'] => {
                before.is_ascii_whitespace() || matches!(before, b'"' | b'\'' | b'[' | b',')
            }
            _ => false,
        }
    }

    fn pair(&self) -> Option<Range<usize>> {
        let flag = self.is_flag();
        let in_query = matches!(self.at.checked_sub(1).map(|at| self.text[at]), Some(b'?' | b'&'));
        pair::value(self.text, self.at, &pair::Around { flag, in_query, leads_line: self.leads_line })
    }
}

/// Where the run of bytes that begins at `at` and that `belongs` ends.
fn run(text: &[u8], at: usize, belongs: impl Fn(u8) -> bool) -> usize {
    text[at..].iter().position(|byte| !belongs(*byte)).map_or(text.len(), |length| at + length)
}

#[cfg(test)]
mod tests;

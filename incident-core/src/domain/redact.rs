//! Taking secrets out of evidence before it is kept.
//!
//! It knows the shapes that secrets come in, not the secrets: it is a net under collectors that take none in the first
//! place, and no proof that nothing is left.

mod pair;
mod shape;

use std::ops::Range;

use super::text::Texts;

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
/// That is: the values of keys called password, token, secret, API key and the like, in environment, JSON, YAML and
/// command-line notation; `Authorization` and `Cookie` headers; passwords and accounts in URLs, signatures in their
/// queries; private keys in PEM; and tokens that show their kind by a prefix – AWS, GitHub, GitLab, Slack, Stripe, JWT.
/// What isn't a value stays: `max_tokens`, `secretName`, `token: false`, `password is wrong`.
///
/// ```
/// # use incident_core::domain::redact::redact;
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
            b'-' if before != b'-' => shape::private_key(self.text, self.at).or_else(|| self.pair()),
            b':' => shape::account(self.text, self.at),
            _ if !begins_word => None,
            _ if matches!(before, b'.' | b'-') && !self.is_flag() => shape::token(self.text, self.at),
            _ => shape::token(self.text, self.at).or_else(|| self.pair()),
        }
    }

    /// Whether a command-line flag's name begins here.
    fn is_flag(&self) -> bool {
        self.text[..self.at].ends_with(b"--") && !self.text[..self.at].ends_with(b"---")
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

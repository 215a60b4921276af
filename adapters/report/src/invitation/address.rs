//! Addresses of people, as a calendar names them (RFC 5321 and 6531, RFC 6068).

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

/// What stands for itself in a `mailto:` URI; all else is encoded.
const ENCODED: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'.')
    .remove(b'-')
    .remove(b'_')
    .remove(b'~')
    .remove(b'!')
    .remove(b'$')
    .remove(b'\'')
    .remove(b'*')
    .remove(b'+');

/// The `mailto:` URI of an address; none if it isn't one. A domain of another script is written as the name system has it.
pub(super) fn uri(email: &str) -> Option<String> {
    let (account, domain) = email.rsplit_once('@')?;
    let domain = idna::domain_to_ascii_strict(domain).ok()?;
    let fits = account.len() <= 64 && !domain.is_empty() && domain.len() <= 253;
    (is_account(account) && fits)
        .then(|| format!("mailto:{}@{domain}", utf8_percent_encode(account, ENCODED)))
}

/// Whether it is words with dots between them. Quoted ones are refused: hardly anything takes them.
fn is_account(account: &str) -> bool {
    let is_plain = |character: char| {
        character.is_ascii_alphanumeric() || "!#$%&'*+-/=?^_`{|}~".contains(character) || is_letter(character)
    };
    account.split('.').all(|word| !word.is_empty() && word.chars().all(is_plain))
}

fn is_letter(character: char) -> bool {
    !character.is_ascii() && character.is_alphanumeric()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_an_address_is_written_so_that_nothing_in_it_means_anything_else() {
        for (email, expect) in [
            ("alice@example.org", "alice@example.org"),
            ("siobhan.o'brien@example.org", "siobhan.o'brien@example.org"),
            ("a&b@example.org", "a%26b@example.org"),
            ("ops/oncall@example.org", "ops%2Foncall@example.org"),
            ("a.b+c@sub.example.org", "a.b+c@sub.example.org"),
            ("x#y?z=%1;@example.org", ""),
            ("x#y@example.org", "x%23y@example.org"),
            ("50%=x@example.org", "50%25%3Dx@example.org"),
            ("j\u{f6}rg@example.org", "j%C3%B6rg@example.org"),
            ("ann@m\u{fc}nchen.example", "ann@xn--mnchen-3ya.example"),
            ("ann@\u{4f8b}\u{3048}.example", "ann@xn--r8jz45g.example"),
            ("root@localhost", "root@localhost"),
        ] {
            let expect = Some(format!("mailto:{expect}")).filter(|it| it != "mailto:");
            assert_eq!(uri(email), expect, "{email}");
        }
    }

    #[test]
    fn what_is_none_is_refused() {
        for email in [
            "",
            "alice",
            "@example.org",
            "alice@",
            "a b@example.org",
            "a@b c",
            "a@@example.org",
            ".a@example.org",
            "a.@example.org",
            "a..b@example.org",
            "\"a b\"@example.org",
            "<a@example.org>",
            "a@example.org,b@example.org",
            "a@exa_mple.org",
            "a@example..org",
            "a@-example.org",
            "a\r\nATTENDEE:x@example.org",
            "a@example.org\r\nX:y",
            "a\u{202e}@example.org",
            "a\0@example.org",
            "a@[127.0.0.1]",
            "Alice <alice@example.org>",
            "mailto:alice@example.org",
        ] {
            assert_eq!(uri(email), None, "{email:?}");
        }
    }
}

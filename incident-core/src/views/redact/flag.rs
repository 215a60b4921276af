//! Secrets after short command-line flags.

use std::ops::Range;

use super::run;

/// Programs, the flag of their password, whether it may be attached to the flag, and whether it may follow it.
const PROGRAMS: [(&[u8], u8, bool, bool); 8] = [
    (b"mysql", b'p', true, false),
    (b"mariadb", b'p', true, false),
    (b"sshpass", b'p', true, true),
    (b"redis-cli", b'a', true, true),
    (b"mongo", b'p', false, true),
    (b"ldap", b'w', false, true),
    (b"login", b'p', false, true),
    (b"psexec", b'p', false, true),
];
/// How far back on its line a program's name is searched.
const BACK: usize = 256;

/// The secret after the flag whose dash is at `at`: `-u user:secret`, and `-psecret` of a program that takes it so.
pub(super) fn value(text: &[u8], at: usize) -> Option<Range<usize>> {
    let before = at.checked_sub(1).map_or(b' ', |at| text[at]);
    if !(before.is_ascii_whitespace() || matches!(before, b'"' | b'\'' | b'[' | b',')) {
        return None;
    }
    let dashes = run(&text[..text.len().min(at + 2)], at, |byte| byte == b'-');
    let name =
        run(&text[..text.len().min(dashes + 16)], dashes, |byte| byte.is_ascii_alphabetic() || byte == b'-');
    if dashes - at == 2 {
        let takes_account = matches!(&text[dashes..name], b"user" | b"proxy-user" | b"userpass");
        return takes_account.then(|| following(text, name)).flatten().and_then(|word| account(text, word));
    }
    let flag = *text.get(dashes)?;
    let attached = word(text, dashes + 1);
    if flag == b'u' {
        let word = if attached.is_empty() { following(text, dashes + 1)? } else { attached };
        return account(text, word);
    }
    let line = text[..at].iter().rev().take(BACK).take_while(|byte| **byte != b'\n').count();
    let line = &text[at - line..at];
    let known = PROGRAMS.iter().find(|(program, of, ..)| {
        *of == flag && line.windows(program.len()).any(|part| part.eq_ignore_ascii_case(program))
    });
    match known {
        Some((_, _, true, _)) if !attached.is_empty() => Some(attached),
        Some((_, _, _, true)) if attached.is_empty() => following(text, dashes + 1),
        // In a list the program may be elsewhere, but hardly anything else looks like this.
        None if flag == b'p' && before != b' ' && attached.len() >= 6 => {
            let is = |test: fn(&u8) -> bool| text[attached.clone()].iter().any(test);
            (is(u8::is_ascii_alphabetic) && is(u8::is_ascii_digit)).then_some(attached)
        }
        _ => None,
    }
}

/// The word that begins at `at`: up to a blank, a quote or a comma.
fn word(text: &[u8], at: usize) -> Range<usize> {
    let end =
        run(text, at.min(text.len()), |byte| !byte.is_ascii_whitespace() && !b"\"',]\\;|&".contains(&byte));
    at.min(text.len())..end
}

/// The word after the one that ends at `at`: behind blanks, a sign, or the quotes and commas of a list.
fn following(text: &[u8], at: usize) -> Option<Range<usize>> {
    let start = run(&text[..text.len().min(at + 12)], at, |byte| b" =\"',\\\t".contains(&byte));
    let word = word(text, start);
    (start > at && !word.is_empty() && text[start] != b'-').then_some(word)
}

/// The password in `user:password`; two numbers are a user and a group.
fn account(text: &[u8], word: Range<usize>) -> Option<Range<usize>> {
    let colon = word.start + text[word.clone()].iter().position(|byte| *byte == b':')?;
    let secret = colon + 1..word.end;
    let numbers = text[word.clone()].iter().all(|byte| byte.is_ascii_digit() || *byte == b':');
    let fits =
        colon > word.start && !secret.is_empty() && !numbers && !text[secret.clone()].starts_with(b"//");
    fits.then_some(secret)
}

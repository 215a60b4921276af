//! Making untrusted text harmless where it is shown to people.

/// Everything `text` says, in one line that can't move the cursor, reorder what is read or mention anybody.
///
/// Control and direction characters become a visible escape, line breaks a space, and an `@` before a word gets a
/// zero-width space behind it.
///
/// ```
/// # use incident_core::domain::inert::line;
/// assert_eq!(line("down\n\u{1b}[2J@here"), "down \\u{1b}[2J@\u{200b}here");
/// ```
#[must_use]
pub fn line(text: &str) -> String {
    let mut inert = String::with_capacity(text.trim().len());
    push_line(&mut inert, text);
    inert
}

/// Appends [`line()`].
pub(crate) fn push_line(inert: &mut String, text: &str) {
    let text = text.trim();
    // Most of what is said has nothing in it that acts.
    if text.bytes().all(|byte| matches!(byte, b' '..=b'~') && byte != b'@') {
        return inert.push_str(text);
    }
    let mut characters = text.chars().peekable();
    while let Some(character) = characters.next() {
        match character {
            '\n' | '\r' | '\t' | '\u{2028}' | '\u{2029}' => inert.push(' '),
            '@' if characters.peek().is_some_and(|next| next.is_alphanumeric()) => {
                inert.push_str("@\u{200b}");
            }
            _ if is_unsafe(character) => inert.extend(character.escape_unicode()),
            _ => inert.push(character),
        }
    }
}

/// What `text` says in one line of at most `bytes`, with control and direction characters as visible escapes.
///
/// For words that a machine handed over and that are kept: mentions stay as they are, because [`line()`] defuses them where
/// they are shown.
#[must_use]
pub fn plain(text: &str, bytes: usize) -> String {
    let mut plain = String::with_capacity(text.len().min(bytes));
    for character in text.trim().chars() {
        match character {
            '\n' | '\r' | '\t' | '\u{2028}' | '\u{2029}' => plain.push(' '),
            _ if is_unsafe(character) => plain.extend(character.escape_unicode()),
            _ => plain.push(character),
        }
        if plain.len() > bytes {
            return clip(&plain, bytes);
        }
    }
    plain
}

/// Everything `text` says, as Markdown that shows it as written: [`line()`], with Markdown's own characters escaped.
#[must_use]
pub fn markdown(text: &str) -> String {
    let mut inert = String::with_capacity(text.len());
    for character in line(text).chars() {
        if matches!(character, '\\' | '`' | '*' | '_' | '[' | ']' | '<' | '>' | '#' | '|' | '~' | '!' | '&') {
            inert.push('\\');
        }
        inert.push(character);
    }
    inert
}

/// What [`markdown`] was made of, up to the characters that [`line()`] made harmless.
#[must_use]
pub fn unmarked(markdown: &str) -> String {
    let mut text = String::with_capacity(markdown.len());
    let mut characters = markdown.chars().peekable();
    while let Some(character) = characters.next() {
        match (character, characters.peek()) {
            ('\\', Some(next)) if next.is_ascii_punctuation() => text.extend(characters.next()),
            ('@', Some('\u{200b}')) => {
                characters.next();
                text.push('@');
            }
            _ => text.push(character),
        }
    }
    text
}

/// The start of `text`, at most `bytes` long, ending between characters; with `…` if something was cut.
#[must_use]
pub fn clip(text: &str, bytes: usize) -> String {
    if text.len() <= bytes {
        return text.to_owned();
    }
    let mut end = bytes.saturating_sub('…'.len_utf8());
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    format!("{}…", &text[..end])
}

fn is_unsafe(character: char) -> bool {
    character.is_control()
        || matches!(character, '\u{200e}' | '\u{200f}' | '\u{061c}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_survives_that_acts() {
        for (hostile, inert) in [
            ("a\u{202e}b", "a\\u{202e}b"),
            ("x\r\ny", "x  y"),
            ("mail me@example.org", "mail me@\u{200b}example.org"),
            ("50 @ 3", "50 @ 3"),
            ("\u{7}", "\\u{7}"),
        ] {
            assert_eq!(line(hostile), inert);
        }
        assert_eq!(markdown("<script>`x`"), "\\<script\\>\\`x\\`");
    }

    #[test]
    fn clipping_keeps_characters_whole() {
        assert_eq!(clip("ééééé", 6), "é…");
        assert_eq!(clip("abc", 3), "abc");
    }
}

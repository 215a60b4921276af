//! Making untrusted text harmless where it is shown to people.

/// Everything `text` says, in one line that can't move the cursor, reorder what is read or mention anybody.
///
/// Control characters and those that turn the direction of other words become a visible escape, line breaks a space, and
/// an `@` before a word gets a zero-width space behind it. The marks that only say where a word of their own direction is,
/// and the flags that are spelt out in tags, stay.
///
/// ```
/// # use incident_core::model::inert::line;
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
            BLACK_FLAG => {
                inert.push(character);
                let tags = flag_tags(characters.clone());
                inert.extend(characters.by_ref().take(tags));
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

/// What the flags of England, Scotland and Wales begin with.
const BLACK_FLAG: char = '\u{1f3f4}';

/// How many tags spell out a flag; none if anything else is hidden in them.
fn flag_tags(mut after: impl Iterator<Item = char>) -> usize {
    const MOST: usize = 6;
    let is_letter = |tag: &char| matches!(tag, '\u{e0030}'..='\u{e0039}' | '\u{e0061}'..='\u{e007a}');
    let letters: Vec<char> = after.by_ref().take(MOST + 1).collect();
    let count = letters.iter().take_while(|tag| is_letter(tag)).count();
    if count > 0 && letters.get(count) == Some(&'\u{e007f}') { count + 1 } else { 0 }
}

fn is_unsafe(character: char) -> bool {
    character.is_control()
        || matches!(character, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}')
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
            ("\u{2067}a\u{2069}", "\\u{2067}a\\u{2069}"),
            // Tags that spell out anything but a flag hide words.
            ("a\u{e0068}\u{e0069}", "a\\u{e0068}\\u{e0069}"),
            ("\u{1f3f4}\u{e0068}\u{e0069}", "\u{1f3f4}\\u{e0068}\\u{e0069}"),
        ] {
            assert_eq!(line(hostile), inert);
        }
        assert_eq!(markdown("<script>`x`"), "\\<script\\>\\`x\\`");
    }

    #[test]
    fn words_of_every_script_and_flags_stay_as_they_are() {
        for words in [
            "\u{5e9}\u{5e8}\u{5ea} (API v2)\u{200f}!",
            "\u{61c}\u{62a}\u{639}\u{637}\u{651}\u{644} 42\u{200e}",
            "\u{1f1e9}\u{1f1ea} \u{1f3f4}\u{e0067}\u{e0062}\u{e0073}\u{e0063}\u{e0074}\u{e007f} \u{1f3f4} \u{1f3f4}\u{200d}\u{2620}\u{fe0f}",
            "\u{645}\u{6cc}\u{200c}\u{62e}\u{648}\u{627}\u{647}\u{645} \u{1f469}\u{200d}\u{1f692}",
        ] {
            assert_eq!(line(words), words);
        }
    }

    #[test]
    fn clipping_keeps_characters_whole() {
        assert_eq!(clip("ééééé", 6), "é…");
        assert_eq!(clip("abc", 3), "abc");
    }
}

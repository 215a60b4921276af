//! Incident text as GitHub's Markdown that mentions nobody, refers to nothing and breaks out of nothing.

use incident_core::model::inert;

/// The most characters of an issue's body or a comment; GitHub takes 65,536, and some room is left for what frames it.
pub(crate) const MOST: usize = 65_000;
/// The most characters of a title; GitHub takes 256.
const MOST_OF_TITLE: usize = 250;
/// The most characters of one line before it is made inert, which makes it longer by a factor of ten at most.
const MOST_OF_LINE: usize = 4_000;
/// Parts an `@`, a `#` or a path from what would make a mention or a reference of it, and isn't seen.
const APART: char = '\u{200b}';
/// What GitHub makes a reference of, if a number follows.
const REFERENCES: [&str; 6] = ["gh-", "/issues/", "/pull/", "/pulls/", "/discussions/", "/commit/"];

/// A title that mentions nobody, cut between characters if it is too long. GitHub shows titles as they are, so nothing
/// in them is escaped.
pub(crate) fn title(text: &str) -> String {
    let inert = parted(&inert::line(text));
    match inert.char_indices().nth(MOST_OF_TITLE) {
        None if inert.is_empty() => "(no title)".to_owned(),
        None => inert,
        Some((end, _)) => format!("{}…", &inert[..end]),
    }
}

/// What a title was before it was made inert.
pub(crate) fn without_parting(title: &str) -> String {
    title.replace(APART, "")
}

/// The lines of a text, each inert; an overlong one becomes several, and empty ones go.
pub(crate) fn lines(text: &str) -> Vec<String> {
    let short = text.lines().flat_map(pieces).map(|piece| line(&piece));
    short.filter(|line| !line.is_empty()).collect()
}

/// One line as Markdown that shows it as written.
pub(crate) fn line(text: &str) -> String {
    let mut markdown = String::with_capacity(text.len() + 8);
    for (place, character) in inert::markdown(&parted(text.trim())).char_indices() {
        // A line must begin neither a list nor a heading, and math must not begin anywhere.
        let opens = place == 0 && matches!(character, '-' | '+' | '=');
        let numbers = matches!(character, '.' | ')')
            && !markdown.is_empty()
            && markdown.bytes().all(|byte| byte.is_ascii_digit());
        if opens || numbers || character == '$' {
            markdown.push('\\');
        }
        markdown.push(character);
    }
    markdown
}

/// Paragraphs, one after the other, in as many parts as they need.
pub(crate) fn paragraphs(lines: &[String]) -> Vec<String> {
    pack(lines, "", "\n\n", MOST)
}

/// A list, in as many parts as it needs.
pub(crate) fn list(lines: &[String]) -> Vec<String> {
    pack(lines, "- ", "\n", MOST)
}

/// A list of at most so many characters, that says if something was left out.
pub(crate) fn list_within(lines: &[String], most: usize) -> String {
    const MORE: &str = "\n- …";
    let parts = pack(lines, "- ", "\n", most - MORE.len());
    match parts.as_slice() {
        [whole] => whole.clone(),
        _ => format!("{}{MORE}", parts[0]),
    }
}

/// Joins `lines` to parts that each fit in one place. There is one part at least.
fn pack(lines: &[String], before: &str, between: &str, most: usize) -> Vec<String> {
    let mut parts = vec![String::new()];
    let mut length = 0;
    for line in lines {
        let more = line.chars().count() + before.len() + between.len();
        if length > 0 && length + more > most {
            parts.push(String::new());
            length = 0;
        }
        let part = parts.last_mut().expect("there is one part at least");
        if !part.is_empty() {
            part.push_str(between);
        }
        part.push_str(before);
        part.push_str(line);
        length += more;
    }
    parts
}

/// Puts an unseen character where GitHub would see a mention or a reference. Escapes don't help: it looks for them after
/// the Markdown was read.
fn parted(text: &str) -> String {
    let mut parted = String::with_capacity(text.len() + 8);
    let mut characters = text.chars().peekable();
    while let Some(character) = characters.next() {
        if character.is_ascii_digit() && refers(&parted) {
            parted.push(APART);
        }
        parted.push(character);
        let next = characters.peek();
        if matches!(character, '@' | '#') && next.is_some_and(|next| !next.is_whitespace() && *next != APART)
        {
            parted.push(APART);
        }
    }
    parted
}

fn refers(before: &str) -> bool {
    let tail: Vec<char> = before.chars().rev().take(13).map(|it| it.to_ascii_lowercase()).collect();
    REFERENCES
        .iter()
        .any(|it| it.len() <= tail.len() && it.chars().rev().eq(tail[..it.len()].iter().copied()))
}

/// A line in pieces that aren't too long, cut at a space if there is one near the end.
fn pieces(line: &str) -> Vec<String> {
    let mut pieces = Vec::new();
    let mut rest = line;
    while let Some((most, _)) = rest.char_indices().nth(MOST_OF_LINE) {
        let space = rest[..most].rfind(' ').filter(|space| *space > most / 2);
        let (piece, after) = rest.split_at(space.unwrap_or(most));
        pieces.push(piece.to_owned());
        rest = after;
    }
    pieces.push(rest.to_owned());
    pieces
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_in_a_line_acts() {
        for (hostile, inert) in [
            ("ask @alice", "ask @\u{200b}alice"),
            ("ask @acme/on-call", "ask @\u{200b}acme/on-call"),
            ("closes #17", "closes \\#\u{200b}17"),
            ("see acme/shop#17", "see acme/shop\\#\u{200b}17"),
            ("see GH-17", "see GH-\u{200b}17"),
            ("https://github.com/acme/shop/issues/17", "https://github.com/acme/shop/issues/\u{200b}17"),
            ("/pull/3", "/pull/\u{200b}3"),
            ("```\u{202e}", "\\`\\`\\`\\\\u{202e}"),
            ("<!-- ir:op=x -->", "\\<\\!-- ir:op=x --\\>"),
            ("[x](javascript:alert(1))", "\\[x\\](javascript:alert(1))"),
            ("<img src=x>", "\\<img src=x\\>"),
            ("&#64;alice", "\\&\\#\u{200b}64;alice"),
            ("- [ ] do it", "\\- \\[ \\] do it"),
            ("1. do it", "1\\. do it"),
            ("    code", "code"),
            ("===", "\\==="),
            ("costs $x$", "costs \\$x\\$"),
            ("50 @ 3 # 4", "50 @ 3 \\# 4"),
            ("v1.2.3 on 10-12", "v1.2.3 on 10-12"),
        ] {
            assert_eq!(line(hostile), inert, "{hostile}");
        }
    }

    /// What GitHub would make something of, by its own rules: escapes first, then references in what is left.
    fn acts(markdown: &str, escapes: bool) -> Option<String> {
        let mut shown = String::new();
        let mut characters = markdown.chars();
        while let Some(character) = characters.next() {
            match character {
                '\\' if escapes => shown.extend(characters.next()),
                '`' | '<' | '[' | '*' | '_' | '~' | '|' | '&' if escapes => {
                    return Some(character.to_string());
                }
                _ => shown.push(character),
            }
        }
        let shown = shown.to_lowercase();
        let all = ["@a", "@1", "#1", "gh-1", "/issues/1", "/pull/1"];
        all.into_iter().find(|act| shown.contains(act)).map(str::to_owned)
    }

    #[test]
    fn no_combination_of_parts_acts() {
        let parts = [
            "@", "a", "#", "1", "GH-", "/issues/", "/pull/", "\u{200b}", "\\", "`", " ", "\n", "<!--",
            "&#64;", "[a](",
        ];
        for count in 0..parts.len().pow(4) {
            let place = |power: u32| parts[count / parts.len().pow(power) % parts.len()];
            let text = format!("{}{}{}{}", place(0), place(1), place(2), place(3));
            assert_eq!(acts(&line(&text), true), None, "{text:?} became {:?}", line(&text));
            assert_eq!(acts(&title(&text), false), None, "{text:?} became {:?}", title(&text));
        }
    }

    #[test]
    fn a_title_is_cut_between_characters_and_mentions_nobody() {
        assert_eq!(title("[INCIDENT] ask @alice #1"), "[INCIDENT] ask @\u{200b}alice #\u{200b}1");
        assert_eq!(without_parting(&title("ask @alice")), "ask @alice");
        assert_eq!(title(" \n"), "(no title)");
        let long = title(&"é".repeat(1_000));
        assert_eq!((long.chars().count(), long.ends_with("é…")), (251, true));
    }

    #[test]
    fn a_long_text_is_in_parts_that_fit_and_nothing_is_lost() {
        let text = format!("{}\n\n{}\nlast", "word ".repeat(20_000), "🔥`".repeat(30_000));
        let parts = paragraphs(&lines(&text));
        assert!(parts.len() > 1);
        assert!(parts.iter().all(|part| part.chars().count() <= MOST));
        let whole = parts.join("\n\n");
        assert_eq!(whole.matches("word").count(), 20_000);
        assert_eq!(whole.matches('🔥').count(), 30_000);
        assert!(whole.ends_with("last"));
        assert_eq!(list(&lines("a\n\nb")), ["- a\n- b"]);
        assert_eq!(paragraphs(&[]), [""], "there is one part at least");
    }
}

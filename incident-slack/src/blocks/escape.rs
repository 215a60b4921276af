//! Text from outside as Slack shows it: as it was written.

use incident_core::model::inert;
use incident_core::model::time::{Time, stamp};
use url::Url;

use super::limits;

/// `text` with what acts on a screen made visible; its lines stay.
pub(crate) fn readable(text: &str) -> String {
    text.lines().map(inert::line).collect::<Vec<_>>().join("\n")
}

/// The three characters that begin a mention, a link or an entity, each once.
pub(crate) fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    text.chars().for_each(|character| push(&mut escaped, character));
    escaped
}

/// The start of `text`, escaped, in at most `most` characters, and what of `text` was left. Neither a character nor an
/// entity is cut, and a word only if it is long.
pub(crate) fn clip(text: &str, most: usize) -> (String, &str) {
    let (mut used, mut word_ends, mut end) = (0, 0, text.len());
    for (at, character) in text.char_indices() {
        used += width(character);
        if used > most {
            let within_word = !character.is_whitespace() && word_ends > 0 && at - word_ends < 40;
            end = if within_word { word_ends } else { at };
            break;
        }
        if character.is_whitespace() {
            word_ends = at + character.len_utf8();
        }
    }
    (escape(&text[..end]), &text[end..])
}

/// [`clip`] with a `…` where something is left out.
pub(crate) fn brief(text: &str, most: usize) -> String {
    let (whole, rest) = clip(text, most);
    if rest.is_empty() { whole } else { format!("{}…", clip(text, most.saturating_sub(1)).0.trim_end()) }
}

/// How many characters `escaped` counts as.
pub(crate) fn len(escaped: &str) -> usize {
    escaped.encode_utf16().count()
}

/// A time in the reader's zone, in UTC where that can't be shown.
pub(crate) fn date(time: Time) -> String {
    format!("<!date^{}^{{date_short_pretty}}, {{time}}|{}>", time.timestamp(), stamp(time))
}

/// A mention of the user with this id; none if it isn't an id.
pub(crate) fn user(id: &str) -> Option<String> {
    is_id(id, &['U', 'W']).then(|| format!("<@{id}>"))
}

/// A link to the channel with this id; none if it isn't an id.
pub(crate) fn channel(id: &str) -> Option<String> {
    is_id(id, &['C', 'G']).then(|| format!("<#{id}>"))
}

/// A mention of many; none if it names nobody that Slack knows.
pub(crate) fn many(whom: &str) -> Option<String> {
    match whom {
        "here" | "channel" | "everyone" => Some(format!("<!{whom}>")),
        group if is_id(group, &['S']) => Some(format!("<!subteam^{group}>")),
        _ => None,
    }
}

/// A link to a page, as it can be written; none if it leads anywhere else.
pub(crate) fn link(text: &str) -> Option<String> {
    let url = escape(&web(text)?);
    (len(&url) <= limits::LINK).then(|| format!("<{url}>"))
}

/// The address of a page, in characters that end no link.
pub(crate) fn web(text: &str) -> Option<String> {
    let url = Url::parse(text).ok().filter(|url| ["http", "https"].contains(&url.scheme()))?;
    url.host_str()?;
    Some(url.as_str().replace('|', "%7C"))
}

/// Whether `text` is an id of Slack's that begins with one of `kinds`.
pub(crate) fn is_id(text: &str, kinds: &[char]) -> bool {
    let of_kind = text.starts_with(|first| kinds.contains(&first));
    let belongs = |byte: u8| byte.is_ascii_uppercase() || byte.is_ascii_digit();
    of_kind && (2..=32).contains(&text.len()) && text.bytes().all(belongs)
}

fn push(escaped: &mut String, character: char) {
    match character {
        '&' => escaped.push_str("&amp;"),
        '<' => escaped.push_str("&lt;"),
        '>' => escaped.push_str("&gt;"),
        _ => escaped.push(character),
    }
}

fn width(character: char) -> usize {
    match character {
        '&' => 5,
        '<' | '>' => 4,
        _ => character.len_utf16(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_that_acts_survives() {
        for (hostile, shown) in [
            ("<!channel> & <@U1>", "&lt;!channel&gt; &amp; &lt;@U1&gt;"),
            ("&lt;!here&gt;", "&amp;lt;!here&amp;gt;"),
            ("<https://evil|bank>", "&lt;https://evil|bank&gt;"),
        ] {
            assert_eq!(escape(hostile), shown);
        }
        assert_eq!(readable("a\u{202e}\r\nb\u{7}"), "a\\u{202e}\nb\\u{7}");
    }

    #[test]
    fn clipping_cuts_neither_characters_nor_entities() {
        for (text, most, kept, rest) in [
            ("a&b", 5, "a", "&b"),
            ("a&b", 6, "a&amp;", "b"),
            ("🔥🔥", 3, "🔥", "🔥"),
            ("éé", 1, "é", "é"),
            ("one two", 5, "one ", "two"),
            ("short", 5, "short", ""),
            ("", 0, "", ""),
            ("x", 0, "", "x"),
        ] {
            assert_eq!(clip(text, most), (kept.to_owned(), rest), "{text} {most}");
            assert!(len(&clip(text, most).0) <= most);
        }
        assert_eq!(brief("one two three", 8), "one two…");
    }

    #[test]
    fn only_ids_become_mentions_and_only_pages_links() {
        assert_eq!(user("U024BE7LH").as_deref(), Some("<@U024BE7LH>"));
        for hostile in ["U1> <!channel", "u024", "C024BE7LH", "", "U", "UÉÉ"] {
            assert_eq!(user(hostile), None, "{hostile}");
        }
        assert_eq!(many("here").as_deref(), Some("<!here>"));
        assert_eq!(many("S0123").as_deref(), Some("<!subteam^S0123>"));
        assert_eq!(many("S1|x"), None);
        for (text, shown) in [
            ("https://a.example/x?a=1&b=2", Some("<https://a.example/x?a=1&amp;b=2>")),
            ("https://a.example/x|<!channel>", Some("<https://a.example/x%7C%3C!channel%3E>")),
            ("javascript:alert(1)", None),
            ("mailto:a@b.example", None),
            ("nothing", None),
        ] {
            assert_eq!(link(text).as_deref(), shown);
        }
    }
}

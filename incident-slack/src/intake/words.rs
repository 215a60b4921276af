//! What people typed, as they meant it: Slack's own references as words, and the characters that phones and keyboards add.

use incident_core::model::role::{Identity, PersonId};
use incident_core::runbook::Runbook;

/// What was written, before Slack escaped it.
pub(crate) fn unescape(text: &str) -> String {
    text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")
}

/// `text`, which has no escapes any more, with mentions, channels and links as people read them: `<@U1|bob>` as `@Bob`.
pub(crate) fn references(text: &str, runbook: &Runbook) -> String {
    let (mut words, mut rest) = (String::new(), text);
    while let Some((before, after)) = rest.split_once('<') {
        words.push_str(before);
        match after.split_once('>').and_then(|(inside, after)| Some((reference(inside, runbook)?, after))) {
            Some((said, after)) => {
                words.push_str(&said);
                rest = after;
            }
            None => {
                words.push('<');
                rest = after;
            }
        }
    }
    words.push_str(rest);
    words
}

/// What stands between angle brackets, in words; none if it is no reference of Slack's.
fn reference(inside: &str, runbook: &Runbook) -> Option<String> {
    let (name, label) = inside.split_once('|').map_or((inside, ""), |(name, label)| (name, label));
    let labelled = |id: &str| if label.is_empty() { id.to_owned() } else { label.to_owned() };
    if let Some(user) = name.strip_prefix('@') {
        let person = runbook.person_of(&Identity::new("slack", user)).and_then(|it| runbook.persons.get(it));
        return Some(format!("@{}", person.map_or_else(|| labelled(user), |person| person.name.clone())));
    }
    if let Some(channel) = name.strip_prefix('#') {
        return Some(format!("#{}", labelled(channel)));
    }
    if let Some(group) = name.strip_prefix('!') {
        let group = group.strip_prefix("subteam^").unwrap_or(group);
        let group = if group.starts_with("date^") { "" } else { group };
        let said = labelled(group);
        return Some(if label.is_empty() { format!("@{said}") } else { said });
    }
    let address = name.strip_prefix("mailto:").unwrap_or(name);
    let is_link = ["http://", "https://", "mailto:", "tel:"].iter().any(|scheme| name.starts_with(scheme));
    let bare =
        |url: &str| url.split_once("://").map_or(url, |(_, bare)| bare).trim_end_matches('/').to_owned();
    is_link.then(|| match label {
        "" => address.to_owned(),
        label if bare(label) == bare(address) => address.to_owned(),
        label => format!("{label} ({address})"),
    })
}

/// The account that a mention names: `<@U1|bob>`.
pub(crate) fn mentioned(word: &str) -> Option<&str> {
    let inside = word.strip_prefix("<@")?.strip_suffix('>')?;
    Some(inside.split_once('|').map_or(inside, |(id, _)| id))
}

/// One line of a command without what nobody sees: marks of direction, joiners, other kinds of spaces.
pub(crate) fn visible(text: &str) -> String {
    let shown = text.chars().filter(|character| !is_invisible(*character));
    shown.map(|character| if is_space(character) { ' ' } else { character }).collect()
}

fn is_invisible(character: char) -> bool {
    // Joiners stay: Persian and emoji need them.
    matches!(character, '\u{200b}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{2069}'
        | '\u{feff}' | '\u{ad}' | '\u{61c}')
}

fn is_space(character: char) -> bool {
    character.is_whitespace() && character != '\n'
}

/// The first word and what follows it.
pub(crate) fn split(text: &str) -> (&str, &str) {
    let text = text.trim_start();
    let (word, rest) = text.split_once(char::is_whitespace).unwrap_or((text, ""));
    (word, rest.trim_start())
}

/// A name as somebody typed it: in any case, with a full stop or a colon that the keyboard put behind it.
pub(crate) fn name(word: &str) -> String {
    word.trim_matches(|it: char| it.is_ascii_punctuation() && it != '-' && it != '_').to_lowercase()
}

/// What stands behind each key.
pub(crate) type Parts<'k> = Vec<(&'k str, String)>;

/// `text` up to the first ` | key:` of `keys`, and what stands behind each key. Every other bar is a word.
///
/// # Errors
/// The key that is there twice.
pub(crate) fn parts<'k>(text: &str, keys: &[&'k str]) -> Result<(String, Parts<'k>), String> {
    let (mut whole, mut found): (Vec<&str>, Vec<(&str, Vec<&str>)>) = (Vec::new(), Vec::new());
    for piece in text.split('|') {
        let key = piece.split_once(':').and_then(|(key, words)| {
            let key = name(key.trim());
            Some((*keys.iter().find(|it| **it == key)?, words))
        });
        match (key, found.last_mut()) {
            (Some((key, words)), _) if !whole.is_empty() => {
                if found.iter().any(|(it, _)| *it == key) {
                    return Err(format!("{key}: is there twice"));
                }
                found.push((key, vec![words]));
            }
            (_, Some((_, words))) => words.push(piece),
            (_, None) => whole.push(piece),
        }
    }
    let joined = |pieces: &[&str]| pieces.join("|").trim().to_owned();
    let found = found.iter().map(|(key, words)| (*key, joined(words))).filter(|(_, words)| !words.is_empty());
    Ok((joined(&whole), found.collect()))
}

/// The person meant by `me`, a mention, or a short name of the runbook's.
///
/// # Errors
/// What is missing, and where to add it.
pub(crate) fn person(who: &str, user: &str, runbook: &Runbook) -> Result<PersonId, String> {
    let who = who.trim().trim_end_matches(['.', ',']);
    let account = if who.eq_ignore_ascii_case("me") { Some(user) } else { mentioned(who) };
    if let Some(account) = account {
        let known = runbook.person_of(&Identity::new("slack", account)).cloned();
        return known.ok_or_else(|| {
            format!(
                "the runbook names nobody with this account; add slack:{account} to a person's identities"
            )
        });
    }
    let named = PersonId::new(&who.trim_start_matches('@').to_lowercase());
    if runbook.persons.contains_key(&named) {
        return Ok(named);
    }
    Err("the person is missing: mention them, or give their short name in the runbook".to_owned())
}

/// Several persons, one a word.
///
/// # Errors
/// What is wrong with the first that isn't known.
pub(crate) fn people(text: &str, user: &str, runbook: &Runbook) -> Result<Vec<PersonId>, String> {
    // A mention's label may have spaces in it.
    let spaced = text.replace('>', "> ");
    let words = spaced.split(|it: char| it.is_whitespace() || it == ',').filter(|word| !word.is_empty());
    words.map(|who| person(who, user, runbook)).collect()
}

#[cfg(test)]
mod tests {
    use incident_core::model::role::Person;

    use super::*;

    fn runbook() -> Runbook {
        let mut runbook = Runbook::default();
        let mut bob = Person { name: "Bob B.".to_owned(), identities: Vec::new(), roles: Vec::new() };
        bob.identities.push(Identity::new("slack", "W012A3CDE"));
        runbook.persons.insert(PersonId::new("bob"), bob);
        runbook
    }

    #[test]
    fn slacks_references_read_as_words() {
        for (text, words) in [
            ("Paging <@W012A3CDE|bob> now", "Paging @Bob B. now"),
            ("Paging &lt;@W012A3CDE|bob&gt; now", "Paging @Bob B. now"),
            ("ask <@U9|carol>, <@U8>", "ask @carol, @U8"),
            ("see <#C1|ops> and <#C2>", "see #ops and #C2"),
            ("<!here> <!subteam^S1|@sre> <!date^1^{date}|yesterday>", "@here @sre yesterday"),
            ("graph <https://g.example/d/1|g.example/d/1>", "graph https://g.example/d/1"),
            ("<https://g.example/d/1|the graph>", "the graph (https://g.example/d/1)"),
            ("<mailto:a@b.example|a@b.example>", "a@b.example"),
            ("a < b > c <", "a < b > c <"),
            ("p95 &lt; 200 ms &amp;amp; &gt; x", "p95 < 200 ms &amp; > x"),
        ] {
            assert_eq!(references(&unescape(text), &runbook()), words, "{text}");
        }
    }

    #[test]
    fn only_a_known_key_behind_a_bar_divides() {
        let keys = ["next", "eta"];
        for (text, whole, found) in [
            (
                "found it | next: roll back | ETA: 15 min",
                "found it",
                vec![("next", "roll back"), ("eta", "15 min")],
            ),
            (
                "found it | Next: roll back | Eta: 15 min",
                "found it",
                vec![("next", "roll back"), ("eta", "15 min")],
            ),
            ("ran `logs x | grep -c 500`, 4000 hits", "ran `logs x | grep -c 500`, 4000 hits", vec![]),
            ("x | see grafana.example", "x | see grafana.example", vec![]),
            ("x | see: y | next: a | b", "x | see: y", vec![("next", "a | b")]),
            ("line one\nline two | next: a\nb", "line one\nline two", vec![("next", "a\nb")]),
            ("x | next:", "x", vec![]),
            ("next: a", "next: a", vec![]),
        ] {
            let found: Vec<(&str, String)> =
                found.into_iter().map(|(key, it)| (key, it.to_owned())).collect();
            assert_eq!(parts(text, &keys), Ok((whole.to_owned(), found)), "{text}");
        }
        assert!(parts("x | next: a | next: b", &keys).is_err());
    }
}

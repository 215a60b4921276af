//! What the channel of an incident is called.

use incident_core::model::notice::Notice;

/// Characters of a channel's name.
const MOST: usize = 80;
/// Digits of the incident's id in it: enough to be its own.
const DIGITS: usize = 10;

/// The name of the `number`-th channel of an incident: `inc-checkout-fails-0a1b2c3d4e`, then `inc-…-2`.
///
/// The title in it is for people and may be corrected later; the end is what it is known by.
pub(super) fn of(prefix: &str, notice: &Notice, number: usize) -> String {
    let end = end(notice, number);
    let room = MOST.saturating_sub(prefix.len() + end.len());
    let slug = slug(&notice.title, room.min(40));
    let drill = if notice.drill { "drill-" } else { "" };
    let name = format!("{prefix}{drill}{slug}");
    format!("{}{end}", name.get(..MOST - end.len()).unwrap_or(&name))
}

/// Whether a channel called `name` is one of this incident's.
pub(super) fn is_of(name: &str, prefix: &str, notice: &Notice) -> bool {
    name.starts_with(prefix) && (1..=super::ROOMS).any(|number| name.ends_with(&end(notice, number)))
}

fn end(notice: &Notice, number: usize) -> String {
    let id = notice.incident.to_string().replace('-', "");
    let digits = &id[id.len().saturating_sub(DIGITS)..];
    if number > 1 { format!("-{digits}-{number}") } else { format!("-{digits}") }
}

/// `title` in the letters that a name may have; none of others, whose case isn't Slack's to guess.
fn slug(title: &str, most: usize) -> String {
    let mut slug = String::new();
    for character in title.chars().map(|it| it.to_ascii_lowercase()) {
        if character.is_ascii_lowercase() || character.is_ascii_digit() {
            slug.push(character);
        } else if !slug.is_empty() && !slug.ends_with('-') {
            slug.push('-');
        }
        if slug.len() >= most {
            break;
        }
    }
    let slug = slug.trim_end_matches('-');
    if slug.is_empty() { "incident".to_owned() } else { slug.to_owned() }
}

#[cfg(test)]
mod tests {
    use incident_core::Time;
    use incident_core::model::id::{IncidentId, Seq};
    use incident_core::model::notice::NoticeKind;

    use super::*;

    fn notice(title: &str) -> Notice {
        let incident = IncidentId::new(Time::UNIX_EPOCH, [171; 16]);
        Notice::new(incident, Seq(1), NoticeKind::Opening, Vec::new(), title)
    }

    #[test]
    fn a_name_is_one_that_slack_takes_and_belongs_to_the_incident() {
        for (title, number, name) in [
            ("Checkout fails!", 1, "inc-checkout-fails-ababababab"),
            ("Checkout fails!", 2, "inc-checkout-fails-ababababab-2"),
            ("  ÜBER – 日本  ", 1, "inc-ber-ababababab"),
            ("💥", 1, "inc-incident-ababababab"),
            ("", 1, "inc-incident-ababababab"),
        ] {
            let got = of("inc-", &notice(title), number);
            assert_eq!(got, name);
            assert!(is_of(&got, "inc-", &notice("renamed since")), "{got}");
        }
        let long = of("an-unusual-prefix-20", &notice(&"x".repeat(300)), 9);
        assert!(long.len() <= 80, "{long}");
        assert!(!is_of("inc-checkout-fails-0000000000", "inc-", &notice("x")));
        assert!(!is_of("other-checkout-fails-ababababab", "inc-", &notice("x")));
    }
}

//! Content lines of RFC 5545: folded at 75 octets, ended by CRLF, with nothing in a value that ends it early.
//!
//! Written here because what there is for it lets a line break in an address begin a property of its own.

use incident_core::model::time::Time;

/// The octets of a line before it is folded (RFC 5545, 3.1).
const LONGEST: usize = 75;

/// One event in a calendar, in the making.
pub(super) struct Calendar(String);

impl Calendar {
    pub(super) fn begin(method: &str) -> Self {
        let mut calendar = Self(String::new());
        calendar.plain("BEGIN", "VCALENDAR");
        calendar.plain("VERSION", "2.0");
        calendar.plain("PRODID", "-//incident//incident-report//EN");
        calendar.plain("CALSCALE", "GREGORIAN");
        calendar.plain("METHOD", method);
        calendar.plain("BEGIN", "VEVENT");
        calendar
    }

    pub(super) fn end(mut self) -> String {
        self.plain("END", "VEVENT");
        self.plain("END", "VCALENDAR");
        self.0
    }

    /// A value of our own.
    pub(super) fn plain(&mut self, name: &str, value: &str) {
        self.line(&format!("{name}:{value}"));
    }

    /// A point in time, UTC (RFC 5545, 3.3.5, form 2), whose year has four digits.
    pub(super) fn time(&mut self, name: &str, time: Time) {
        let last = Time::from_timestamp(253_402_300_799, 0).unwrap_or(Time::UNIX_EPOCH);
        let time = time.clamp(Time::UNIX_EPOCH, last);
        self.plain(name, &time.format("%Y%m%dT%H%M%SZ").to_string());
    }

    /// Somebody's words (RFC 5545, 3.3.11).
    pub(super) fn text(&mut self, name: &str, words: &str) {
        let mut value = String::with_capacity(words.len());
        for character in visible(words) {
            match character {
                '\n' => value.push_str("\\n"),
                '\\' | ';' | ',' => value.extend(['\\', character]),
                _ => value.push(character),
            }
        }
        self.plain(name, &value);
    }

    /// A person at a checked address; in the name, which is a parameter, a quote can't be escaped (3.1).
    pub(super) fn person(&mut self, property: &str, name: &str, parameters: &str, uri: &str) {
        let name: String = visible(name).map(|it| if matches!(it, '"' | '\n') { ' ' } else { it }).collect();
        self.line(&format!("{property};CN=\"{}\"{parameters}:{uri}", name.trim()));
    }

    fn line(&mut self, line: &str) {
        let mut room = LONGEST;
        for character in line.chars() {
            if character.len_utf8() > room {
                self.0.push_str("\r\n ");
                room = LONGEST - 1;
            }
            self.0.push(character);
            room -= character.len_utf8();
        }
        self.0.push_str("\r\n");
    }
}

/// The characters of `words` that a reader sees, with every kind of line break as one.
fn visible(words: &str) -> impl Iterator<Item = char> {
    let mut before = ' ';
    words.chars().filter_map(move |character| {
        let before = std::mem::replace(&mut before, character);
        match character {
            '\n' if before == '\r' => None,
            '\r' | '\n' | '\u{85}' | '\u{2028}' | '\u{2029}' => Some('\n'),
            '\t' => Some(' '),
            // Marks that turn the direction of what follows would show an agenda as something else.
            '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => None,
            _ if character.is_control() => None,
            _ => Some(character),
        }
    })
}

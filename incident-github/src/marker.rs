//! The line that says of which effect an issue or a comment is, hidden from readers.
//!
//! Anybody can copy it: it counts only where our own account is the author.

use incident_core::model::id::EffectId;
use incident_core::model::time::Time;

const BEGIN: &str = "<!-- ir:";
const END: &str = "-->";

/// What the line says.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Marker {
    pub(crate) effect: EffectId,
    /// Which part of a text that was too long for one place, from 1.
    pub(crate) part: usize,
    /// When the follow-up was due as it was opened: the text has only the day.
    pub(crate) due: Option<Time>,
}

impl Marker {
    /// Of the first part of what `effect` writes.
    pub(crate) fn new(effect: EffectId) -> Self {
        Self { effect, part: 1, due: None }
    }

    pub(crate) fn part(mut self, part: usize) -> Self {
        self.part = part;
        self
    }

    /// The line, as it is written.
    pub(crate) fn line(&self) -> String {
        let mut line = format!("{BEGIN}op={} incident={}", self.effect, self.effect.incident);
        if self.part > 1 {
            line.push_str(&format!(" part={}", self.part));
        }
        if let Some(due) = self.due {
            line.push_str(&format!(" due={}", due.to_rfc3339()));
        }
        format!("{line} {END}")
    }

    /// The first such line of `body`. No text of ours can hold one, for it is escaped.
    pub(crate) fn read(body: &str) -> Option<Self> {
        body.lines().find_map(Self::parse)
    }

    fn parse(line: &str) -> Option<Self> {
        let fields = line.trim().strip_prefix(BEGIN)?.strip_suffix(END)?;
        let field = |name: &str| {
            let mut fields = fields.split_whitespace();
            fields.find_map(|field| field.strip_prefix(name)?.strip_prefix('='))
        };
        let part = field("part").map_or(Some(1), |part| part.parse().ok())?;
        Some(Self {
            effect: field("op")?.parse().ok()?,
            part,
            due: field("due").and_then(|it| it.parse().ok()),
        })
    }
}

#[cfg(test)]
mod tests {
    use incident_core::model::id::{IncidentId, Seq};

    use super::*;

    fn effect() -> EffectId {
        EffectId { incident: IncidentId::new(Time::UNIX_EPOCH, [7; 16]), seq: Seq(12) }
    }

    #[test]
    fn what_is_written_is_read_back() {
        let due = "2026-12-01T17:00:00Z".parse().ok();
        for marker in
            [Marker::new(effect()), Marker::new(effect()).part(3), Marker { due, ..Marker::new(effect()) }]
        {
            let body = format!("words\r\n\r\n{}\r\nadded by hand", marker.line());
            assert_eq!(Marker::read(&body), Some(marker), "{body}");
        }
    }

    #[test]
    fn what_only_looks_like_a_marker_is_none() {
        let id = effect();
        for line in [
            String::new(),
            "<!-- ir:op= -->".to_owned(),
            "<!-- ir:op=1-2 -->".to_owned(),
            format!("<!-- ir:incident={} -->", id.incident),
            format!("<!-- ir:op={id} part=x -->"),
            format!("\\<!-- ir:op={id} -->"),
            format!("> <!-- ir:op={id} -->"),
            format!("<!-- ir:op={id}"),
        ] {
            assert_eq!(Marker::read(&line), None, "{line}");
        }
    }
}

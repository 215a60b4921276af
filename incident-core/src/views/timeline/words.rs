//! The small words that lines of the timeline are made of.

use std::fmt::{self, Write as _};

use chrono::Timelike;

use crate::log::event::{FixStep, Relation};
use crate::model::cause::CauseClass;
use crate::model::obligation::ObligationKind;
use crate::model::phase::Gate;
use crate::model::time::Time;

impl fmt::Display for CauseClass {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::RecentDeployment => "recent deployment",
            Self::ResourceExhaustion => "resource exhaustion",
            Self::OutsideDependency => "outside dependency",
            Self::Traffic => "traffic",
            Self::Data => "data",
        })
    }
}

impl fmt::Display for FixStep {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Change => "change",
            Self::RegressionTest => "regression test",
            Self::Staging => "staging",
            Self::Deployment => "deployment",
            Self::Verification => "verification",
        })
    }
}

impl fmt::Display for Relation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::RecurrenceOf => "recurrence of",
            Self::CausedBy => "caused by",
            Self::RelatedTo => "related to",
        })
    }
}

/// What is owed, as a thing.
pub(super) fn thing(kind: Option<ObligationKind>) -> String {
    match kind {
        Some(ObligationKind::Acknowledge) => "acknowledgement".to_owned(),
        Some(ObligationKind::Update) => "update".to_owned(),
        Some(ObligationKind::PostMortem) => "post-mortem".to_owned(),
        Some(ObligationKind::Meeting) => "review meeting".to_owned(),
        Some(ObligationKind::FollowUp(action)) => format!("action item {action}"),
        None => "what was owed".to_owned(),
    }
}

/// `time` as it is said on the day of `near`: `14:45 UTC`, with the date on another day.
pub(super) fn clock(time: Time, near: Time) -> String {
    let clock = format!("{:02}:{:02} UTC", time.hour(), time.minute());
    let day = time.date_naive();
    if day == near.date_naive() { clock } else { format!("{day} {clock}") }
}

/// `words` with a capital at its beginning.
pub(super) fn capital(words: &str) -> String {
    let mut letters = words.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}

/// `1 alert`, `2 alerts`.
pub(super) fn count(number: usize, one: &str) -> String {
    if number == 1 { format!("1 {one}") } else { format!("{number} {one}s") }
}

/// Several things in one line.
pub(super) fn list<T: fmt::Display>(things: impl IntoIterator<Item = T>) -> String {
    let mut list = String::new();
    for (at, thing) in things.into_iter().enumerate() {
        let comma = if at == 0 { "" } else { ", " };
        // Writing to a string can't fail.
        let _ = write!(list, "{comma}{thing}");
    }
    list
}

/// `, overriding: …`, if gates were overridden.
pub(super) fn overriding(gates: &[Gate]) -> String {
    if gates.is_empty() {
        return String::new();
    }
    let gates: Vec<_> = gates.iter().map(ToString::to_string).collect();
    format!(", overriding: {}", gates.join("; "))
}

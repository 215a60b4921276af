//! What the crew writes into the post-mortem: why it happened, five sections, and who shall read it.

use incident_core::log::incident::Incident;
use incident_core::model::afterwards::{CauseKind, Section};
use incident_core::model::cause::CauseClass;
use incident_core::model::id::{CommandId, Seq};
use incident_core::model::role::PersonId;
use incident_core::rules::command::{Command, FindCause, LinkEvidence, RequestReview, WriteSection};

/// Each why, and the answer that the next one asks about.
const WHYS: [(&str, &str); 3] = [
    ("why/1", "The new pricing asked for each price once an item, more often than the shop can answer"),
    ("why/2", "It was never on for more than a few customers before"),
    ("why/3", "A feature is on for everybody or for nobody"),
];

const SECTIONS: [(Section, &str); 5] = [
    (
        Section::Summary,
        "The new pricing was turned on for everybody.\nFour of ten checkouts failed until it was off.",
    ),
    (Section::Trigger, "The feature new-pricing was turned on."),
    (Section::WentWell, "The feature could be turned off, and was, in minutes."),
    (Section::CouldBeBetter, "Failed checkouts were noticed by their rate alone, and late."),
    (Section::Lucky, "The old pricing still worked."),
];

/// What is to be written next, with the key of its command; none once all of it is.
pub(crate) fn next(
    incident: &Incident,
    reviewer: &PersonId,
    id: &impl Fn(&str) -> CommandId,
) -> Option<(String, String, Command)> {
    let seq = |key: &str| incident.commands.get(&id(key)).copied();
    let hypothesis = seq("hypothesis/flag")?;
    let show = |to: Seq, key: String| {
        let (evidence, records) = (incident.evidence.keys().take(16).copied().collect(), vec![hypothesis]);
        let command = Command::LinkEvidence(LinkEvidence { to, evidence, records });
        Some((key, format!("link what shows {to}"), command))
    };
    if seq("shown/hypothesis").is_none() {
        return show(hypothesis, "shown/hypothesis".to_owned());
    }
    let mut under = None;
    for (key, statement) in WHYS {
        let Some(cause) = seq(key) else {
            let (kind, class) = (CauseKind::Cause, Some(CauseClass::RecentDeployment));
            let command = FindCause { under, statement: statement.to_owned(), kind, class };
            return Some((key.to_owned(), "answer why".to_owned(), Command::FindCause(command)));
        };
        if seq(&format!("shown/{key}")).is_none() {
            return show(cause, format!("shown/{key}"));
        }
        under = Some(cause);
    }
    for (section, text) in SECTIONS {
        if !incident.document.sections.contains_key(&section) {
            let command = WriteSection { section, text: text.to_owned(), based_on: Seq::ZERO };
            let (key, what) = (format!("write/{section}"), format!("write the section “{section}”"));
            return Some((key, what, Command::WriteSection(command)));
        }
    }
    seq("review").is_none().then(|| {
        let command = RequestReview { reviewers: vec![reviewer.clone()] };
        ("review".to_owned(), "have the post-mortem read".to_owned(), Command::RequestReview(command))
    })
}

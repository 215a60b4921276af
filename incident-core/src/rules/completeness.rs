//! What a post-mortem still lacks, as far as the state shows it: what is checked before it is published.

use std::fmt;

use serde::Serialize;

use crate::log::event::FixStep;
use crate::log::incident::Incident;
use crate::log::mitigation::Stage;
use crate::model::afterwards::{DocumentStatus, Section};
use crate::model::id::Seq;
use crate::model::obligation::ObligationKind;
use crate::model::text::Text;
use crate::rules::blameless::Names;
use crate::rules::command::CommandKind;
use crate::runbook::Runbook;
use crate::runbook::finding_kind::FindingKind;

/// Something that a post-mortem lacks. `Display` says what to do about it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct Finding {
    /// What it is.
    pub kind: FindingKind,
    /// The section to mend.
    pub section: Section,
    /// The command to mend it with.
    pub command: CommandKind,
    /// Whether the runbook wants it mended before the document is published.
    pub blocks: bool,
    /// The records it is about, if it is about some.
    pub records: Vec<Seq>,
    /// What exactly, in one inert line of plain text; empty if the kind says all.
    pub detail: String,
}

impl Finding {
    /// A finding of `kind` about `records`, under `runbook`.
    #[must_use]
    pub fn new(kind: FindingKind, records: &[Seq], detail: &str, runbook: &Runbook) -> Self {
        Self {
            kind,
            section: kind.section(),
            command: kind.command(),
            blocks: kind.may_block() && runbook.afterwards.publish_needs.contains(&kind),
            records: records.to_vec(),
            detail: crate::model::inert::line(detail),
        }
    }

    /// What is wrong, in one inert line of plain text.
    #[must_use]
    pub fn what(&self) -> String {
        let (what, _) = self.kind.words();
        if self.detail.is_empty() { what.to_owned() } else { format!("{what} ({})", self.detail) }
    }

    /// What to do about it.
    #[must_use]
    pub fn then(&self) -> &'static str {
        self.kind.words().1
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.what(), self.then())
    }
}

impl FindingKind {
    /// The command to mend it with.
    #[must_use]
    pub fn command(self) -> CommandKind {
        use CommandKind as C;
        match self {
            Self::Resolution => C::Resolve,
            Self::Start => C::Correct,
            Self::Impact | Self::ImpactUnknown => C::AssessImpact,
            Self::Trigger
            | Self::Name
            | Self::UpdateGap
            | Self::WentWell
            | Self::CouldBeBetter
            | Self::Lucky => C::WriteSection,
            Self::Cause | Self::Whys => C::FindCause,
            Self::CauseEvidence => C::LinkEvidence,
            Self::Hypothesis => C::JudgeHypothesis,
            Self::Mitigation => C::RecordFix,
            Self::Commander => C::Assign,
            Self::TimelineHole | Self::Evidence => C::Note,
            Self::Recurrence | Self::Actions | Self::ActionTicket | Self::ActionKind => C::AddAction,
            Self::ActionOwner => C::AssignAction,
            Self::Documentation => C::DecideDocumentation,
            Self::Meeting | Self::MeetingLate => C::ScheduleMeeting,
            Self::Review => C::RequestReview,
            Self::Outdated => C::PublishPostMortem,
        }
    }
}

/// What the post-mortem of `incident` lacks, as far as its state shows it, in the order of the document.
///
/// What only the whole log shows – late updates, holes in the timeline – is found by
/// [`PostMortem::write`](crate::PostMortem::write) and blocks nothing, for it can only be explained.
#[must_use]
pub fn findings(incident: &Incident, runbook: &Runbook) -> Vec<Finding> {
    let mut found = of_the_whole(incident, runbook);
    found.extend(of_causes(incident, runbook));
    found.extend(of_follow_ups(incident, runbook));
    found.extend(names(incident, runbook, &Names::of(runbook)));
    found.sort();
    found
}

/// What nobody wrote, found out or did.
fn of_the_whole(incident: &Incident, runbook: &Runbook) -> Vec<Finding> {
    use FindingKind as K;
    let document = &incident.document;
    let unwritten = |section| !document.sections.contains_key(&section);
    let required = runbook.afterwards.required_for.contains(&incident.severity);
    let confirmed = incident.hypotheses.values().any(|it| it.confirmed == Some(true));
    let held = incident.mitigations.values().any(|it| it.undoes.is_none() && it.stage == Stage::Holds);
    let counted = incident.impact.as_ref().is_none_or(crate::model::impact::Impact::is_counted);
    let announced = document.meeting.as_ref().is_some_and(|meeting| !meeting.cancelled);
    let changed = document.published_up_to.is_some_and(|up_to| document.changed_at() > up_to);
    let lacks = [
        (incident.milestones.resolved.is_none(), K::Resolution),
        (!incident.start_known, K::Start),
        (incident.impact.is_none(), K::Impact),
        (!counted, K::ImpactUnknown),
        (unwritten(Section::Trigger), K::Trigger),
        (!confirmed && document.causes.is_empty() && unwritten(Section::RootCause), K::Cause),
        (document.causes.is_empty(), K::Whys),
        (!held && !incident.fix.contains(&FixStep::Deployment), K::Mitigation),
        (incident.commander().is_none(), K::Commander),
        (unwritten(Section::WentWell), K::WentWell),
        (unwritten(Section::CouldBeBetter), K::CouldBeBetter),
        (unwritten(Section::Lucky), K::Lucky),
        (incident.actions.is_empty() && unwritten(Section::Actions), K::Actions),
        (required && document.meeting_held.is_none() && !announced, K::Meeting),
        (incident.evidence.is_empty(), K::Evidence),
        (document.status == DocumentStatus::Draft, K::Review),
        (document.status >= DocumentStatus::Published && changed, K::Outdated),
    ];
    let lacks = lacks.into_iter().filter(|(lacks, _)| *lacks);
    lacks.map(|(_, kind)| Finding::new(kind, &[], "", runbook)).collect()
}

/// What is wrong with single causes and hypotheses.
fn of_causes(incident: &Incident, runbook: &Runbook) -> Vec<Finding> {
    let mut found = Vec::new();
    for (seq, cause) in &incident.document.causes {
        if cause.proof.is_empty() {
            let words = incident.texts.get(cause.statement);
            found.push(Finding::new(FindingKind::CauseEvidence, &[*seq], words, runbook));
        }
    }
    for (seq, hypothesis) in &incident.hypotheses {
        let kind = match hypothesis.confirmed {
            None => FindingKind::Hypothesis,
            Some(true) if hypothesis.proof.is_empty() => FindingKind::CauseEvidence,
            Some(_) => continue,
        };
        found.push(Finding::new(kind, &[*seq], incident.texts.get(hypothesis.statement), runbook));
    }
    found
}

/// What is wrong with single action items, with the documentation and with the meeting.
fn of_follow_ups(incident: &Incident, runbook: &Runbook) -> Vec<Finding> {
    let mut found = Vec::new();
    for (seq, action) in incident.actions.iter().filter(|(_, action)| !action.done) {
        for (lacks, kind) in [
            (action.owner.is_none(), FindingKind::ActionOwner),
            (action.ticket.is_none() && incident.ticket.is_some(), FindingKind::ActionTicket),
            (action.kind.is_none(), FindingKind::ActionKind),
        ] {
            if lacks {
                found.push(Finding::new(kind, &[*seq], incident.texts.get(action.what), runbook));
            }
        }
    }
    for step in runbook.afterwards.documentation.iter().filter(|step| !incident.steps.contains(*step)) {
        found.push(Finding::new(FindingKind::Documentation, &[], step, runbook));
    }
    let promised = incident.obligation(ObligationKind::Meeting).map(|owed| owed.due);
    if let (Some(meeting), Some(promised)) = (&incident.document.meeting, promised)
        && !meeting.cancelled
        && meeting.starts_at > promised
    {
        let detail = format!("promised by {}", crate::model::time::stamp(promised));
        found.push(Finding::new(FindingKind::MeetingLate, &[meeting.seq], &detail, runbook));
    }
    found
}

/// Whom of `names` the sections about causes name, and the role to name instead.
pub(crate) fn names(incident: &Incident, runbook: &Runbook, names: &Names) -> Vec<Finding> {
    let mut found = Vec::new();
    for (seq, section, text) in about_causes(incident) {
        for (name, person) in names.in_text(incident.texts.get(text)) {
            let held = incident.roles.iter().find(|(_, holder)| Some(*holder) == person.as_ref());
            let role = held.map_or("responder".to_owned(), |(role, _)| role.to_string());
            let detail = format!("“{name}”; say “the {role}”");
            let finding = Finding::new(FindingKind::Name, &[seq], &detail, runbook);
            found.push(Finding { section, ..finding });
        }
    }
    found
}

/// The texts that say why it happened, each with its record and its section.
fn about_causes(incident: &Incident) -> Vec<(Seq, Section, Text)> {
    let document = &incident.document;
    let written = document.sections.iter().filter(|(section, _)| section.is_about_causes());
    let written = written.map(|(section, version)| (version.seq, *section, version.text));
    let causes = document.causes.iter().map(|(seq, it)| (*seq, Section::RootCause, it.statement));
    let hypotheses = incident.hypotheses.iter().map(|(seq, it)| (*seq, Section::RootCause, it.statement));
    written.chain(causes).chain(hypotheses).collect()
}

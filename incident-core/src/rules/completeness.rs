//! What a post-mortem still lacks, as far as the state shows it: what is checked before it is published.

use std::fmt;

use serde::{Deserialize, Serialize};

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

impl fmt::Display for FindingKind {
    /// The name, as the runbook writes it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.serialize(f)
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.what(), self.then())
    }
}

macro_rules! kinds {
    ($($(#[$doc:meta])* $kind:ident => $section:ident, $command:ident, $what:literal, $then:literal;)*) => {
        /// What a post-mortem may lack.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
        #[serde(rename_all = "snake_case")]
        #[non_exhaustive]
        pub enum FindingKind { $($(#[$doc])* $kind,)* }

        impl FindingKind {
            /// Every kind, in the order of the document.
            pub const ALL: &'static [Self] = &[$(Self::$kind),*];

            /// The section to mend.
            #[must_use]
            pub fn section(self) -> Section {
                match self { $(Self::$kind => Section::$section,)* }
            }

            /// The command to mend it with.
            #[must_use]
            pub fn command(self) -> CommandKind {
                match self { $(Self::$kind => CommandKind::$command,)* }
            }

            /// Whether it can keep a document from being published: what only the whole log shows can't, and what only
            /// publishing mends can't.
            #[must_use]
            pub fn may_block(self) -> bool {
                !matches!(self, Self::UpdateGap | Self::TimelineHole | Self::Recurrence | Self::Outdated)
            }

            /// What is wrong, and what to do.
            fn words(self) -> (&'static str, &'static str) {
                match self { $(Self::$kind => ($what, $then),)* }
            }
        }
    };
}

kinds! {
    /// It isn't over yet.
    Resolution => Summary, Resolve, "The incident isn't resolved", "finish the response first";
    /// Nobody knows when it began.
    Start => Detection, Correct, "The start isn't known", "correct the first record's time";
    /// Nobody assessed the impact.
    Impact => Impact, AssessImpact, "The impact isn't assessed", "assess it, users and failed requests at least";
    /// Nobody counted what it did.
    ImpactUnknown => Impact, AssessImpact, "Nothing of the impact is counted",
        "assess users, their share, failed requests, money or minutes of the objective";
    /// Nobody wrote what set it off.
    Trigger => Trigger, WriteSection, "No trigger is named", "write what set it off, or that nothing did";
    /// Neither a cause was found nor a possible one confirmed.
    Cause => RootCause, FindCause, "No cause is named", "confirm a hypothesis, or answer the first why";
    /// The whys weren't asked.
    Whys => RootCause, FindCause, "Nobody asked why", "answer why it happened, and why that, five times";
    /// Nothing shows a cause.
    CauseEvidence => RootCause, LinkEvidence, "Nothing shows a cause",
        "link evidence or the records that show it";
    /// A possible cause is neither confirmed nor ruled out.
    Hypothesis => RootCause, JudgeHypothesis, "A hypothesis is undecided", "confirm it, or rule it out";
    /// A cause section names somebody.
    Name => RootCause, WriteSection, "A person is named among the causes", "name the role instead";
    /// Nothing that was done held, and no fix was deployed.
    Mitigation => Resolution, RecordFix, "Nothing that was done held, and no fix is deployed",
        "record the fix, and say how it ended";
    /// Nobody led.
    Commander => Roles, Assign, "Nobody had command", "assign the role, even afterwards";
    /// An update came later than promised, or never.
    UpdateGap => Communication, WriteSection, "Updates were further apart than promised", "write why";
    /// Nothing is on the timeline for long.
    TimelineHole => Timeline, Note, "The timeline has a hole", "note what happened then, with its time";
    /// Nobody wrote what went well.
    WentWell => WentWell, WriteSection, "What went well isn't written", "write it";
    /// Nobody wrote what could be better.
    CouldBeBetter => CouldBeBetter, WriteSection, "What could be better isn't written", "write it";
    /// Nobody wrote where we were lucky.
    Lucky => Lucky, WriteSection, "Where we were lucky isn't written", "write it";
    /// It happened before.
    Recurrence => Actions, AddAction, "The same happened before", "see which action items were to prevent it";
    /// Nothing is to be done afterwards.
    Actions => Actions, AddAction, "There are no action items",
        "add one, or write into the section why nothing has to change";
    /// An action item has no owner.
    ActionOwner => Actions, AssignAction, "An action item has no owner", "name one, in its ticket if it has one";
    /// An action item has no ticket although the incident has one.
    ActionTicket => Actions, AddAction, "An action item has no ticket", "file it by hand, or add it again";
    /// Nobody said what an action item is good for.
    ActionKind => Actions, AddAction, "An action item doesn't say what it is good for",
        "say whether it prevents, mitigates, detects or is about working together";
    /// Nobody decided whether documentation has to be brought up to date.
    Documentation => Documentation, DecideDocumentation, "Documentation is undecided",
        "name the action item, or say why none is needed";
    /// The review meeting is neither announced nor held.
    Meeting => Meeting, ScheduleMeeting, "The review meeting isn't announced", "schedule it";
    /// The review meeting is announced for later than promised.
    MeetingLate => Meeting, ScheduleMeeting, "The review meeting is later than promised", "move it";
    /// No evidence was kept.
    Evidence => Evidence, Note, "No evidence is kept",
        "preserve logs, metrics and traces before they expire, and note where";
    /// Nobody was asked to read it.
    Review => Summary, RequestReview, "Nobody was asked to review it", "request a review";
    /// What people wrote changed after it was published.
    Outdated => Summary, PublishPostMortem, "It changed since it was published", "publish it again";
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

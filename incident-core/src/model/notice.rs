//! What is said, to whom, and how it reads as plain text.

use std::collections::BTreeMap;
use std::fmt;
use std::fmt::Write as _;

use serde::{Deserialize, Serialize};

use crate::model::effect::Receipt;
use crate::model::id::{Digest, IncidentId, Seq};
use crate::model::inert;
use crate::model::phase::Status;
use crate::model::role::PersonId;
use crate::model::severity::{Audience, Severity};
use crate::model::time::Time;

/// What a notice is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum NoticeKind {
    /// Somebody must act now.
    Page,
    /// The incident was declared.
    Opening,
    /// How it goes.
    Update,
    /// The severity changed.
    SeverityChanged,
    /// Something is due soon.
    Reminder,
    /// Something promised wasn't done in time.
    Breach,
    /// A plan waits for approval.
    ApprovalWanted,
    /// A mitigation was carried out, failed, or was undone.
    Mitigation,
    /// A machine can't tell what happened: a person must look.
    PersonNeeded,
    /// It is over.
    Resolved,
    /// It came back.
    Reopened,
    /// It was a false alarm.
    Cancelled,
    /// It is part of another incident.
    Merged,
    /// The post-mortem can be read.
    PostMortemPublished,
    /// Nothing is left to decide; follow-ups go on.
    Closed,
}

impl NoticeKind {
    /// Every kind.
    pub const ALL: [Self; 15] = [
        Self::Page,
        Self::Opening,
        Self::Update,
        Self::SeverityChanged,
        Self::Reminder,
        Self::Breach,
        Self::ApprovalWanted,
        Self::Mitigation,
        Self::PersonNeeded,
        Self::Resolved,
        Self::Reopened,
        Self::Cancelled,
        Self::Merged,
        Self::PostMortemPublished,
        Self::Closed,
    ];

    /// The name of the runbook's phrase for it, if there is one; without, its lines say everything.
    #[must_use]
    pub fn phrase(self) -> Option<&'static str> {
        match self {
            Self::Page => Some("page"),
            Self::Opening => Some("opening"),
            Self::Update => Some("update"),
            Self::SeverityChanged => Some("severity_changed"),
            Self::Reminder => Some("reminder"),
            Self::Breach => Some("overdue"),
            Self::ApprovalWanted => Some("approval_wanted"),
            Self::Mitigation => Some("mitigation_ended"),
            Self::Resolved => Some("resolved"),
            Self::Reopened => Some("reopened"),
            Self::Cancelled => Some("cancelled"),
            _ => None,
        }
    }

    /// The name of the phrase for people outside the organisation; none if they never get a notice of this kind.
    #[must_use]
    pub fn public_phrase(self) -> Option<&'static str> {
        match self {
            Self::Opening => Some("public_opening"),
            Self::Update => Some("public_update"),
            Self::SeverityChanged => Some("public_severity_changed"),
            Self::Resolved => Some("public_resolved"),
            Self::Reopened => Some("public_reopened"),
            Self::Cancelled => Some("public_cancelled"),
            _ => None,
        }
    }

    /// Whether it must wake somebody: it goes before everything else and in no lane.
    #[must_use]
    pub fn is_page(self) -> bool {
        matches!(self, Self::Page | Self::Breach | Self::PersonNeeded)
    }
}

impl fmt::Display for NoticeKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Page => "page",
            Self::Opening => "opening",
            Self::Update => "update",
            Self::SeverityChanged => "severity changed",
            Self::Reminder => "reminder",
            Self::Breach => "breach",
            Self::ApprovalWanted => "approval wanted",
            Self::Mitigation => "mitigation",
            Self::PersonNeeded => "person needed",
            Self::Resolved => "resolved",
            Self::Reopened => "reopened",
            Self::Cancelled => "cancelled",
            Self::Merged => "merged",
            Self::PostMortemPublished => "post-mortem published",
            Self::Closed => "closed",
        })
    }
}

/// A notice, ready for one route. What people or alerts wrote in it is untrusted: an adapter escapes it for its backend.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Notice {
    /// The incident.
    pub incident: IncidentId,
    /// The record of the log that this notice was issued in.
    pub seq: Seq,
    /// What it is about.
    pub kind: NoticeKind,
    /// For whom.
    pub audiences: Vec<Audience>,
    /// The severity when it was issued.
    pub severity: Severity,
    /// The status when it was issued.
    pub status: Status,
    /// What the incident is called.
    pub title: String,
    /// The service that is affected, if known.
    pub service: Option<String>,
    /// Whether this is a drill; every message of one says so.
    pub drill: bool,
    /// When the incident started, UTC; none while the start is unknown.
    pub started_at: Option<Time>,
    /// When this was issued, UTC.
    pub issued_at: Time,
    /// Who leads.
    pub commander: Option<PersonId>,
    /// When the next update comes, UTC, as the deadline in force says.
    pub next_update: Option<Time>,
    /// The people it names, with their accounts.
    pub recipients: Vec<Recipient>,
    /// The people who take part in the response so far, with their accounts.
    #[serde(skip)]
    pub responders: Vec<Recipient>,
    /// Where the incident is discussed on the route that carries this notice: the latest receipt that names a conversation.
    #[serde(skip)]
    pub conversation: Option<Receipt>,
    /// What it says below its headline: the runbook's phrase, then the lines that the phrase has no gap for. Plain text of
    /// several lines, to be escaped like every other.
    pub said: String,
    /// What the runbook's phrases may name, by [the name of the gap](crate::runbook::PLACEHOLDERS), for whoever says it in
    /// words of their own. What has no value isn't in it.
    #[serde(skip)]
    pub figures: BTreeMap<&'static str, String>,
    /// What it says, line by line, for backends that lay it out themselves.
    pub lines: Vec<Line<String>>,
    /// The lines that the runbook's phrase has no gap for.
    #[serde(skip)]
    pub besides: Vec<Line<String>>,
    /// The plan that waits for approval, if that's what it is about.
    pub approval: Option<ApprovalRequest>,
    /// Links to look at, such as the ticket.
    pub links: Vec<String>,
    /// The SHA-256 of the document it tells of: an evidence store may have its bytes.
    pub document: Option<Digest>,
    /// Whether this notice may have been delivered before; it says so.
    pub possible_repeat: bool,
}

/// Somebody a notice names.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Recipient {
    /// The person.
    pub person: PersonId,
    /// The person's name.
    pub name: String,
    /// The person's accounts, `system:account`.
    pub identities: Vec<crate::model::role::Identity>,
}

impl Recipient {
    /// A recipient without accounts.
    #[must_use]
    pub fn new(person: PersonId, name: &str) -> Self {
        Self { person, name: name.to_owned(), identities: Vec::new() }
    }
}

/// What an approval button must carry.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct ApprovalRequest {
    /// The plan, by the record that holds it.
    pub plan: Seq,
    /// The digest of exactly that plan.
    pub digest: Digest,
}

impl ApprovalRequest {
    /// A request to approve `plan` as it was digested.
    #[must_use]
    pub fn new(plan: Seq, digest: Digest) -> Self {
        Self { plan, digest }
    }
}

/// One labelled line of a notice. `T` is [`Text`](crate::model::text::Text) in the log and `String` in a [`Notice`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Line<T> {
    /// What the line is.
    pub label: Label,
    /// What it says.
    pub text: T,
}

/// What a line of a notice is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Label {
    /// The point in a sentence.
    Summary,
    /// What it does to whom.
    Impact,
    /// Who or what is affected.
    Affected,
    /// What was found or done.
    Progress,
    /// What comes next.
    NextSteps,
    /// When it may be over.
    Eta,
    /// Why.
    Because,
    /// The cause, in a line.
    Cause,
    /// How long it took.
    Duration,
    /// What is planned to be done.
    Plan,
    /// What to do now.
    Do,
    /// By when it is to be done.
    Due,
    /// What people outside the organisation are told.
    Public,
}

impl Label {
    /// Every label.
    pub const ALL: [Self; 13] = [
        Self::Summary,
        Self::Impact,
        Self::Affected,
        Self::Progress,
        Self::NextSteps,
        Self::Eta,
        Self::Because,
        Self::Cause,
        Self::Duration,
        Self::Plan,
        Self::Do,
        Self::Due,
        Self::Public,
    ];

    /// The [gap of a phrase](crate::runbook::PLACEHOLDERS) that the first line with this label fills.
    #[must_use]
    pub fn gap(self) -> &'static str {
        match self {
            Self::Summary => "outcome",
            Self::Impact => "impact",
            Self::Affected => "affected",
            Self::Progress => "progress",
            Self::NextSteps => "next_steps",
            Self::Eta => "eta",
            Self::Because => "reason",
            Self::Cause => "root_cause",
            Self::Duration => "duration",
            Self::Plan => "mitigation",
            Self::Do => "owed",
            Self::Due => "due",
            Self::Public => "public",
        }
    }
}

impl fmt::Display for Label {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Summary => "Summary",
            Self::Impact => "Impact",
            Self::Affected => "Affected",
            Self::Progress => "Progress",
            Self::NextSteps => "Next steps",
            Self::Eta => "ETA",
            Self::Because => "Reason",
            Self::Cause => "Root cause",
            Self::Duration => "Duration",
            Self::Plan => "Plan",
            Self::Do => "Action",
            Self::Due => "Due",
            Self::Public => "Public message",
        })
    }
}

impl Notice {
    /// A notice with what every notice has; the rest is set through its fields.
    #[must_use]
    pub fn new(
        incident: IncidentId,
        seq: Seq,
        kind: NoticeKind,
        audiences: Vec<Audience>,
        title: &str,
    ) -> Self {
        Self {
            incident,
            seq,
            kind,
            audiences,
            severity: Severity::Sev2,
            status: Status::Investigating,
            title: title.to_owned(),
            service: None,
            drill: false,
            started_at: None,
            issued_at: Time::UNIX_EPOCH,
            commander: None,
            next_update: None,
            recipients: Vec::new(),
            responders: Vec::new(),
            conversation: None,
            said: String::new(),
            figures: BTreeMap::new(),
            lines: Vec::new(),
            besides: Vec::new(),
            approval: None,
            links: Vec::new(),
            document: None,
            possible_repeat: false,
        }
    }

    /// The first line: `[DRILL] SEV2 investigating – checkout is slow`, inert.
    #[must_use]
    pub fn headline(&self) -> String {
        let drill = if self.drill { "[DRILL] " } else { "" };
        let repeat = if self.possible_repeat { "[possibly sent before] " } else { "" };
        let kind = match self.kind {
            NoticeKind::Opening | NoticeKind::Update | NoticeKind::Resolved => String::new(),
            kind => format!("{} – ", kind.to_string().to_uppercase()),
        };
        let title = inert::line(&self.title);
        format!("{drill}{repeat}{kind}{} {} – {title}", self.severity, self.status)
    }

    /// The whole notice as plain text, inert: no control characters, no mentions.
    #[must_use]
    pub fn to_text(&self) -> String {
        let mut text = self.headline();
        for said in self.said.lines().filter(|said| !said.trim().is_empty()) {
            write!(text, "\n{}", inert::line(said)).expect("a String takes every write");
        }
        let mut line = |label: &dyn fmt::Display, words: &str| {
            write!(text, "\n{label}: {}", inert::line(words)).expect("a String takes every write");
        };
        if self.said.is_empty() {
            self.lines.iter().for_each(|each| line(&each.label, &each.text));
        }
        if !self.recipients.is_empty() {
            let names: Vec<_> = self.recipients.iter().map(|who| who.name.as_str()).collect();
            line(&"To", &names.join(", "));
        }
        if let Some(request) = self.approval {
            line(&"Approve", &format!("plan {} with digest {}", request.plan, request.digest));
        }
        for link in &self.links {
            line(&"See", link);
        }
        text
    }
}

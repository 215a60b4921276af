//! The document that a webhook posts.

use incident_core::model::inert;
use incident_core::model::notice::{ApprovalRequest, Label, Notice, NoticeKind};
use incident_core::model::phase::Status;
use incident_core::model::role::Identity;
use incident_core::model::severity::{Audience, Severity};
use incident_core::model::time::Time;
use incident_core::port::EffectContext;
use serde::Serialize;

/// What grows when a field changes its meaning or goes; a new field doesn't count.
const SCHEMA: u32 = 1;

/// A notice as JSON. Every text is inert: one line, no control characters, no mentions.
#[derive(Debug, Serialize)]
pub(crate) struct Payload<'a> {
    schema: u32,
    id: String,
    incident: String,
    seq: u64,
    kind: NoticeKind,
    severity: Severity,
    status: Status,
    audiences: &'a [Audience],
    drill: bool,
    possible_repeat: bool,
    title: String,
    service: Option<String>,
    headline: String,
    text: String,
    started_at: Option<Time>,
    issued_at: Time,
    next_update: Option<Time>,
    commander: Option<String>,
    lines: Vec<Line>,
    recipients: Vec<Recipient<'a>>,
    approval: Option<ApprovalRequest>,
    links: Vec<&'a str>,
}

#[derive(Debug, Serialize)]
struct Line {
    label: Label,
    text: String,
}

#[derive(Debug, Serialize)]
struct Recipient<'a> {
    person: &'a str,
    name: String,
    identities: Vec<&'a str>,
}

impl<'a> Payload<'a> {
    pub(crate) fn new(cx: &EffectContext, notice: &'a Notice) -> Self {
        Self {
            schema: SCHEMA,
            id: cx.effect.to_string(),
            incident: notice.incident.to_string(),
            seq: notice.seq.0,
            kind: notice.kind,
            severity: notice.severity,
            status: notice.status,
            audiences: &notice.audiences,
            drill: notice.drill,
            possible_repeat: notice.possible_repeat,
            title: inert::line(&notice.title),
            service: notice.service.as_deref().map(inert::line),
            headline: notice.headline(),
            text: notice.to_text(),
            started_at: notice.started_at,
            issued_at: notice.issued_at,
            next_update: notice.next_update,
            commander: notice.commander.as_ref().map(|who| inert::line(who.as_str())),
            lines: notice
                .lines
                .iter()
                .map(|line| Line { label: line.label, text: inert::line(&line.text) })
                .collect(),
            recipients: notice
                .recipients
                .iter()
                .map(|who| Recipient {
                    person: who.person.as_str(),
                    name: inert::line(&who.name),
                    identities: who.identities.iter().map(Identity::as_str).collect(),
                })
                .collect(),
            approval: notice.approval,
            // Whoever shows a link makes it one to click, so only what leads to a page goes out.
            links: notice.links.iter().map(String::as_str).filter(|link| is_web(link)).collect(),
        }
    }
}

fn is_web(link: &str) -> bool {
    (link.starts_with("https://") || link.starts_with("http://"))
        && link.chars().all(|character| !character.is_control() && !character.is_whitespace())
}

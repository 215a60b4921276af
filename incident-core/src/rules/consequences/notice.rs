//! Notices: what is said, and which routes carry it to whom.

use std::time::Duration;

use super::caretaker;
use crate::log::event::{AudienceUnreached, EffectPlanned, NoticeIssued};
use crate::log::incident::notice_lane;
use crate::model::effect::Urgency;
use crate::model::effect::{Notify, Work};
use crate::model::id::{Digest, Seq};
use crate::model::notice::{ApprovalRequest, Label, Line, NoticeKind};
use crate::model::obligation::ObligationKind;
use crate::model::role::PersonId;
use crate::model::route::Route;
use crate::model::severity::{Audience, Severity};
use crate::model::text::Text;
use crate::model::time::{Time, after};
use crate::rules::decide::Draft;

/// How long a notice is worth sending that nothing overtakes.
pub(super) const WORTH_SENDING: Duration = Duration::from_secs(24 * 3_600);

/// The least time that a page gets on its first route.
const SHORTEST_WAIT: Duration = Duration::from_secs(60);

/// A notice in the making.
pub(super) struct Said {
    kind: NoticeKind,
    phrase: Option<String>,
    recipients: Vec<PersonId>,
    lines: Vec<Line<Text>>,
    fixed: Vec<Line<String>>,
    approval: Option<ApprovalRequest>,
    document: Option<Digest>,
    old_severity: Option<Severity>,
}

impl Said {
    pub(super) fn new(kind: NoticeKind) -> Self {
        let (recipients, lines, fixed) = Default::default();
        let (phrase, approval, document, old_severity) = Default::default();
        Self { kind, phrase, recipients, lines, fixed, approval, document, old_severity }
    }

    /// In this phrase of the runbook instead of the kind's own.
    pub(super) fn phrase(mut self, name: &str) -> Self {
        self.phrase = Some(name.to_owned());
        self
    }

    pub(super) fn line(mut self, label: Label, text: Text) -> Self {
        self.lines.push(Line { label, text });
        self
    }

    pub(super) fn maybe(self, label: Label, text: Option<Text>) -> Self {
        match text {
            Some(text) => self.line(label, text),
            None => self,
        }
    }

    pub(super) fn fixed(mut self, label: Label, words: &str) -> Self {
        if !words.is_empty() {
            self.fixed.push(Line { label, text: words.to_owned() });
        }
        self
    }

    pub(super) fn to(mut self, recipients: Vec<PersonId>) -> Self {
        self.recipients = recipients;
        self
    }

    pub(super) fn approval(mut self, proposal: Seq, digest: Digest) -> Self {
        self.approval = Some(ApprovalRequest::new(proposal, digest));
        self
    }

    pub(super) fn of_document(mut self, sha256: Digest) -> Self {
        self.document = Some(sha256);
        self
    }

    pub(super) fn old_severity(mut self, severity: Severity) -> Self {
        self.old_severity = Some(severity);
        self
    }
}

impl Draft<'_> {
    /// Issues a notice and plans an effect on every route that reaches one of `audiences`.
    ///
    /// People outside the organisation get kinds that are meant for them, and an effect of their own: what they read is
    /// rendered apart from what people inside read. Gives the notice's record; none if there is nobody to tell.
    pub(super) fn say(&mut self, said: Said, audiences: &[Audience]) -> Option<Seq> {
        let kind = said.kind;
        let meant = |it: &&Audience| !it.is_external() || kind.public_phrase().is_some();
        let audiences: Vec<Audience> = audiences.iter().filter(meant).cloned().collect();
        if audiences.is_empty() {
            return None;
        }
        let next_update = self.state.obligation(ObligationKind::Update).map(|owed| owed.due);
        let notice = self.follows(
            self.cx.now,
            NoticeIssued {
                kind,
                severity: self.state.severity,
                status: self.state.phase.status(),
                commander: self.state.commander().cloned(),
                next_update,
                recipients: said.recipients,
                lines: said.lines,
                fixed: said.fixed,
                approval: said.approval,
                document: said.document,
                phrase: said.phrase,
                old_severity: said.old_severity,
            },
        );
        self.unreached(notice, &audiences);
        for route in &self.routes().notices {
            for part in [inside(&audiences), outside(&audiences)] {
                let to: Vec<Audience> = part.into_iter().filter(|it| route.audiences.contains(it)).collect();
                if !to.is_empty() {
                    let notify = Notify { notice, audiences: to, kind };
                    let expires_at = expiry(self, kind, next_update, route);
                    plan_notice(self, notify, &route.name, expires_at, None);
                }
            }
        }
        Some(notice)
    }

    /// Like [`say`](Self::say), passing over the audiences in `skipped`, which no route reaches.
    pub(super) fn say_past(&mut self, skipped: &[Audience], said: Said, audience: Audience) {
        if let Some(notice) = self.say(said, &[audience]) {
            let news = skipped.iter().filter(|it| !self.state.unreached.contains(*it)).cloned();
            let news: Vec<_> = news.collect();
            self.unreached(notice, &news);
        }
    }

    /// Records which of `audiences` no route reaches; the caretaker hears of each once.
    fn unreached(&mut self, notice: Seq, audiences: &[Audience]) {
        let routes = self.routes();
        let mut news = Vec::new();
        for audience in audiences.iter().filter(|audience| routes.to(audience).next().is_none()) {
            if !self.state.unreached.contains(audience) {
                news.push(audience.clone());
            }
            self.follows(self.cx.now, AudienceUnreached { audience: audience.clone(), notice });
        }
        if !news.is_empty() {
            caretaker::hears_of_missing_routes(self, &news);
        }
    }
}

/// An update is pointless once the next one is due, a reminder once the time is over. A page that has another way doesn't
/// wait on the first for longer than until the next escalation: nobody may have an adapter for it.
fn expiry(draft: &Draft<'_>, kind: NoticeKind, next_update: Option<Time>, route: &Route) -> Time {
    let now = draft.cx.now;
    let longest = after(now, WORTH_SENDING);
    match (kind, next_update) {
        _ if kind.is_page() && route.fallback.is_some() => {
            after(now, draft.cx.runbook.escalation.every.max(SHORTEST_WAIT))
        }
        (NoticeKind::Update | NoticeKind::Reminder, Some(next)) if next > now => next.min(longest),
        _ => longest,
    }
}

pub(super) fn plan_notice(
    draft: &mut Draft<'_>,
    notify: Notify,
    route: &str,
    expires_at: Time,
    instead_of: Option<Seq>,
) {
    let page = notify.kind.is_page();
    let planned = EffectPlanned {
        work: Work::Notify(notify),
        route: route.to_owned(),
        lane: (!page).then(|| notice_lane(route)),
        urgency: if page { Urgency::PAGE } else { Urgency::ROUTINE },
        begins_at: None,
        expires_at,
        instead_of,
    };
    draft.follows(draft.cx.now, planned);
}

/// The audiences of the severity in force that no notice was requested for. Those on call get pages instead.
pub(super) fn newly_owed(draft: &Draft<'_>) -> Vec<Audience> {
    let state = &draft.state;
    let mut owed = draft.cx.runbook.audiences(state.severity, state.is_customer_facing());
    // Nobody is told anew with each phase that an audience has no route.
    let without_route =
        |it: &Audience| state.unreached.contains(it) && draft.routes().to(it).next().is_none();
    owed.retain(|it| {
        it.as_str() != Audience::RESPONDERS && !state.notified.contains(it) && !without_route(it)
    });
    owed
}

/// Everybody who was told of the incident, those on call included; the caretaker heard of the installation only.
pub(super) fn everybody_told(draft: &Draft<'_>) -> Vec<Audience> {
    let told = draft.state.notified.iter();
    told.filter(|audience| audience.as_str() != Audience::CARETAKER).cloned().collect()
}

/// Those inside the organisation.
pub(super) fn inside(audiences: &[Audience]) -> Vec<Audience> {
    audiences.iter().filter(|audience| !audience.is_external()).cloned().collect()
}

/// Those outside the organisation.
fn outside(audiences: &[Audience]) -> Vec<Audience> {
    audiences.iter().filter(|audience| audience.is_external()).cloned().collect()
}

//! Notices: what is said, which routes carry it, and who else hears if they can't.

use std::time::Duration;

use crate::domain::context::Route;
use crate::domain::decide::Draft;
use crate::domain::effect::{Effect, EffectState, Notify, Outcome, Work};
use crate::domain::event::{AudienceUnreached, EffectPlanned, EffectSettled, NoticeIssued};
use crate::domain::id::{Digest, Seq};
use crate::domain::incident::notice_lane;
use crate::domain::index::Urgency;
use crate::domain::notice::{ApprovalRequest, Label, Line, NoticeKind};
use crate::domain::obligation::ObligationKind;
use crate::domain::role::PersonId;
use crate::domain::severity::Audience;
use crate::domain::text::Text;
use crate::domain::time::{Time, after, spoken, stamp};

/// How long a notice is worth sending that nothing overtakes.
const WORTH_SENDING: Duration = Duration::from_secs(24 * 3_600);

/// The least time that a page gets on its first route.
const SHORTEST_WAIT: Duration = Duration::from_secs(60);

/// A notice in the making.
pub(super) struct Said {
    kind: NoticeKind,
    recipients: Vec<PersonId>,
    lines: Vec<Line<Text>>,
    fixed: Vec<Line<String>>,
    approval: Option<ApprovalRequest>,
    document: Option<Digest>,
}

impl Said {
    pub(super) fn new(kind: NoticeKind) -> Self {
        let (recipients, lines, fixed) = Default::default();
        Self { kind, recipients, lines, fixed, approval: None, document: None }
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
}

impl Draft<'_> {
    /// Issues a notice and plans an effect on every route that reaches one of `audiences`.
    pub(super) fn say(&mut self, said: Said, audiences: &[Audience]) {
        if audiences.is_empty() {
            return;
        }
        let next_update = self.state.obligation(ObligationKind::Update).map(|owed| owed.due);
        let kind = said.kind;
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
            },
        );
        let routes = self.routes();
        let unreached = audiences.iter().filter(|audience| routes.to(audience).next().is_none());
        let mut news = Vec::new();
        for audience in unreached {
            if !self.state.unreached.contains(audience) {
                news.push(audience.as_str());
            }
            self.follows(self.cx.now, AudienceUnreached { audience: audience.clone(), notice });
        }
        for route in &routes.notices {
            let audiences: Vec<Audience> =
                audiences.iter().filter(|audience| route.audiences.contains(audience)).cloned().collect();
            if !audiences.is_empty() {
                let notify = Notify { notice, audiences, kind };
                let expires_at = expiry(self, kind, next_update, route);
                plan_notice(self, notify, &route.name, expires_at, None);
            }
        }
        if !news.is_empty() {
            let words = format!("No route reaches {}: add one to the settings", news.join(", "));
            caretaker_hears(self, Said::new(NoticeKind::PersonNeeded).fixed(Label::Summary, &words));
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

fn plan_notice(
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

/// Those outside the organisation: they hear what was written for them, and no reason that was written for us.
pub(super) fn outside(audiences: &[Audience]) -> Vec<Audience> {
    audiences.iter().filter(|audience| audience.is_external()).cloned().collect()
}

/// Pages that only ask for an answer, and that nobody has begun to send, are pointless once somebody is on it.
pub(super) fn drop_pages(draft: &mut Draft<'_>, by: Seq) {
    let pointless = |effect: &&Effect| {
        matches!(&effect.work, Work::Notify(notify) if asks_for_an_answer(draft, notify))
            && matches!(effect.state, EffectState::Ready(_))
    };
    let effects: Vec<Seq> = draft.state.effects.values().filter(pointless).map(|effect| effect.seq).collect();
    for effect in effects {
        draft.follows(draft.cx.now, EffectSettled { effect, outcome: Outcome::Superseded { by } });
    }
}

/// Whether a page is of the engine's own making. One that a person sent has a reason, and is sent whoever answered.
fn asks_for_an_answer(draft: &Draft<'_>, notify: &Notify) -> bool {
    let issued = draft.state.notices.get(&notify.notice);
    notify.kind == NoticeKind::Page
        && issued.is_none_or(|issued| issued.notice.line(Label::Because).is_none())
}

/// Reminds whoever owes it.
pub(super) fn due_soon(draft: &mut Draft<'_>, obligation: Seq) {
    let Some(owed) = draft.state.obligations.get(&obligation) else { return };
    let words = format!("{}, due {}", owed.kind, stamp(owed.due));
    let said = Said::new(NoticeKind::Reminder).to(who_owes(draft, owed.kind)).fixed(Label::Do, &words);
    draft.say(said, &[Audience::new(Audience::RESPONDERS)]);
}

/// Asks persons for something that wakes nobody.
pub(super) fn asked(draft: &mut Draft<'_>, persons: Vec<PersonId>, words: &str) {
    let said = Said::new(NoticeKind::Reminder).to(persons).fixed(Label::Do, words);
    draft.say(said, &[Audience::new(Audience::RESPONDERS)]);
}

/// Says inside that something promised wasn't done; never to the public.
///
/// What responders promised is urgent, and said to the first of the escalation chain, which other timers climb. A late
/// post-mortem, meeting or action item wakes nobody; each time it is still late, the next of the chain hears of it.
pub(super) fn overdue(draft: &mut Draft<'_>, obligation: Seq, missed: u32, due: Time) {
    let Some(owed) = draft.state.obligations.get(&obligation) else { return };
    let times = if missed > 1 { format!(", {missed} times in a row") } else { String::new() };
    let words = format!("{}, due {}{times}", owed.kind, stamp(due));
    let urgent = matches!(owed.kind, ObligationKind::Acknowledge | ObligationKind::Update);
    let kind = if urgent { NoticeKind::Breach } else { NoticeKind::Reminder };
    let chain = &draft.cx.runbook.escalation.chain;
    let rung = if urgent { 0 } else { usize::try_from(owed.missed.saturating_sub(1)).unwrap_or(usize::MAX) };
    let rung = chain.get(rung.min(chain.len().saturating_sub(1))).filter(|it| !it.audience.is_external());
    let mut named = who_owes(draft, owed.kind);
    if !urgent {
        let besides = rung.iter().flat_map(|rung| &rung.persons).filter(|person| !named.contains(person));
        let besides: Vec<_> = besides.cloned().collect();
        named.extend(besides);
    }
    let audience = rung.map_or_else(|| Audience::new(Audience::RESPONDERS), |rung| rung.audience.clone());
    draft.say(Said::new(kind).to(named).fixed(Label::Do, &words), &[audience]);
}

/// Whose it is; where nobody has it, whose the post-mortem is, or who led.
pub(super) fn who_owes(draft: &Draft<'_>, kind: ObligationKind) -> Vec<PersonId> {
    let state = &draft.state;
    let writes = || state.document.owner.as_ref().or_else(|| state.commander());
    let owner = match kind {
        ObligationKind::FollowUp(action) => {
            state.actions.get(&action).and_then(|it| it.owner.as_ref()).or_else(writes)
        }
        ObligationKind::PostMortem | ObligationKind::Meeting => writes(),
        ObligationKind::Acknowledge | ObligationKind::Update => state.commander(),
    };
    owner.cloned().into_iter().collect()
}

/// Plans the page on the route's fallback; false if there is none left that wasn't tried.
pub(super) fn fall_back(draft: &mut Draft<'_>, effect: Seq, planned: &Effect, notify: &Notify) -> bool {
    let answered = draft.state.obligation(ObligationKind::Acknowledge).is_none();
    if answered && asks_for_an_answer(draft, notify) {
        return true;
    }
    let Some(next) = draft.routes().fallback(&planned.route) else { return false };
    // One step only: a page that failed on the fallback, too, is the caretaker's.
    if planned.instead_of.is_some() {
        return false;
    }
    let expires_at = after(draft.cx.now, WORTH_SENDING);
    plan_notice(draft, notify.clone(), &next.name, expires_at, Some(effect));
    true
}

/// Tells whoever keeps the installation that a route is broken; a notice to them that fails is only on the timeline.
pub(super) fn tell_caretaker(draft: &mut Draft<'_>, given_up: &Effect, why: &str) {
    let caretaker = Audience::new(Audience::CARETAKER);
    if matches!(&given_up.work, Work::Notify(notify) if notify.audiences.contains(&caretaker)) {
        return;
    }
    let what = match &given_up.work {
        Work::Notify(notify) => format!("a notice ({})", notify.kind),
        Work::ReadTickets => "the tickets of action items back".to_owned(),
        _ => "a change of a ticket".to_owned(),
    };
    let waited = spoken(crate::domain::time::since(draft.cx.now, given_up.planned_at));
    let words = format!("The route {} can't carry {what}; given up after {waited}", given_up.route);
    let said = Said::new(NoticeKind::PersonNeeded).fixed(Label::Summary, &words).fixed(Label::Because, why);
    caretaker_hears(draft, said);
}

/// Says something to whoever keeps the installation, if a route reaches them.
fn caretaker_hears(draft: &mut Draft<'_>, said: Said) {
    let caretaker = Audience::new(Audience::CARETAKER);
    if draft.routes().to(&caretaker).next().is_some() {
        draft.say(said, &[caretaker]);
    }
}

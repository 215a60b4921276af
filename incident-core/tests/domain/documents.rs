//! Three incidents whose logs are kept for the documents made of them: a simple one, a long one, a hostile one.

use incident_core::log::event::FixStep;
use incident_core::model::afterwards::{ActionKind, CauseKind, Section};
use incident_core::model::cause::CauseClass;
use incident_core::model::effect::Work;
use incident_core::model::id::{Digest, Seq};
use incident_core::model::impact::Impact;
use incident_core::model::phase::Phase;
use incident_core::model::role::Actor;
use incident_core::model::role::Role;
use incident_core::model::severity::Severity;
use incident_core::model::signal::Detection;
use incident_core::rules::command::{
    Absorb, AddAction, Assign, AssignAction, AssignPostMortem, Close, Command, CompleteAction, Correct,
    DecideDocumentation, Declare, FindCause, HoldMeeting, Hypothesise, JudgeHypothesis, LinkEvidence,
    PublishPostMortem, RecordFix, RequestReview, ScheduleMeeting, Undo,
};
use incident_core::runbook::Priority;

use crate::course::{
    advance, advance_to, because, first, hypothesis, note, resolve_anyway, severity, update, write,
};
use crate::samples::younger;
use crate::scenario::{MONDAY, Scenario};
use crate::world::{person, time};

/// Noticed, rolled back, written up, reviewed, published, closed: nothing is missing.
pub(crate) fn outage() -> Scenario {
    let mut it = Scenario::blank(MONDAY);
    let declare =
        Declare::new("checkout fails for every tenth order").severity(Severity::Sev2).service("checkout");
    let declare = declare.detected_by(Detection::MetricAlert).started_at(time("2026-03-02T09:52:00Z"));
    it.does(Command::Declare(Box::new(declare)));
    it.settles_but(|effect| effect.work == Work::Collect);
    let log = it.keeps_evidence();
    it.at("+2m").does(Command::Assign(Assign { role: Role::Commander, to: person("alice") }));
    it.goes_to(Phase::Investigation).does(Command::AssessImpact(Box::new(Impact {
        users: Some(1_200),
        users_percent: Some(10.5),
        services: vec!["checkout".to_owned()],
        business: Some("one order in ten fails".to_owned()),
        data_loss: Some(false),
        customer_facing: Some(true),
        failed_requests: Some(3_480),
        money: Some("about 9,000 EUR".to_owned()),
        slo_minutes: Some(31),
        ..Impact::default()
    })));
    it.passes("3m");
    let class = Some(CauseClass::RecentDeployment);
    let statement = "version 42 reads the old queue".to_owned();
    let suspect = first(&it.as_("bob").does(Command::Hypothesise(Hypothesise { statement, class })));
    let other = first(&it.does(hypothesis("the queue is full")));
    judges(&mut it, other, false, "it has room");
    it.as_("alice").does(advance());
    it.has_mitigated("deployment/checkout");
    judges(&mut it, suspect, true, "errors ended with the rollback");
    it.does(update("the old version is back"));
    it.does(advance());
    it.goes_to(Phase::PostIncident).passes("1m");
    it.later("1h");
    shows(&mut it, suspect, vec![log], vec![Seq(1)]);
    written_up(&mut it, suspect, log);
    it.does(Command::RequestReview(RequestReview { reviewers: vec![person("bob"), person("carol")] }));
    it.later("10m").as_("carol").does(Command::ReturnReview(because("the summary says nothing of money")));
    let based_on = it.it.document.version_of(Section::Summary);
    let summary = "A deployment read the wrong queue.\nOne order in ten failed for 40 minutes.\n\nIt cost about 9,000 EUR.";
    it.as_("alice").does(write(Section::Summary, summary, based_on));
    it.does(Command::RequestReview(RequestReview { reviewers: vec![person("carol")] }));
    publishes(&mut it, None);
    it.settles();
    it.now = time("2026-03-04T15:00:00Z");
    it.does(Command::HoldMeeting(HoldMeeting { attendees: vec![person("alice"), person("carol")] }));
    it.does(Command::Close(Close { override_because: None }));
    let action = it.it.actions.keys().next().copied().unwrap();
    it.later("20h")
        .does(Command::CompleteAction(CompleteAction { action, outcome: "it runs in CI".to_owned() }));
    it.settles();
    it
}

/// What people write, find and agree on after [`outage`].
fn written_up(it: &mut Scenario, suspect: Seq, log: Digest) {
    it.does(Command::AssignPostMortem(AssignPostMortem { owner: person("bob") }));
    it.as_("bob");
    let queue = finds(it, None, "version 42 reads the old queue", CauseKind::Cause);
    shows(it, queue, vec![log], vec![suspect]);
    let name = finds(it, Some(queue), "the queue's name is set by hand", CauseKind::Cause);
    shows(it, name, Vec::new(), vec![suspect]);
    let test = finds(it, Some(queue), "no test places an order", CauseKind::Cause);
    shows(it, test, vec![log], Vec::new());
    let alert = finds(it, None, "the alert waits for ten minutes", CauseKind::Contributing);
    shows(it, alert, Vec::new(), vec![Seq(1)]);
    for (section, text) in [
        (Section::Summary, "A deployment read the wrong queue."),
        (Section::Trigger, "The deployment of version 42 at 09:50."),
        (Section::WentWell, "The rollback took a minute."),
        (Section::CouldBeBetter, "The alert came late."),
        (Section::Lucky, "It was a quiet morning."),
    ] {
        it.does(write(section, text, Seq::ZERO));
    }
    let what = "place an order in a test before each deployment".to_owned();
    let (kind, priority) = (Some(ActionKind::Prevent), Priority::High);
    let action =
        first(&it.does(Command::AddAction(AddAction { what, kind, priority, owner: None, due: None })));
    let owner = Some(person("bob"));
    let due = Some(time("2026-03-11T17:00:00Z"));
    it.does(Command::AssignAction(AssignAction { action, owner, due }));
    for (step, by, reason) in [
        ("update-runbook", Some(action), None),
        ("update-diagrams", None, Some("they don't show queues")),
        ("update-dashboards", None, Some("they showed it")),
        ("update-alert-rules", Some(action), None),
    ] {
        let (step, not_needed) = (step.to_owned(), reason.map(str::to_owned));
        it.does(Command::DecideDocumentation(DecideDocumentation { step, action: by, not_needed }));
    }
    schedules(it, "2026-03-04T09:00:00Z");
    it.does(Command::CancelMeeting(because("the room is taken")));
    schedules(it, "2026-03-04T14:00:00Z");
    it.as_("alice").settles();
}

/// Updates are missed, a mitigation is taken back, it comes back, another incident is part of it, and the document is
/// published although much is missing; the action item is late for weeks.
pub(crate) fn relapse() -> Scenario {
    let mut it = Scenario::declared(Severity::Sev2);
    it.at("+4m").does(Command::Assign(Assign { role: Role::Commander, to: person("alice") }));
    it.settles().goes_to(Phase::Investigation);
    it.passes("50m");
    it.does(update("we still look"));
    it.later("1m").does(severity(Severity::Sev1));
    it.does(hypothesis("alice pushed the wrong tag"));
    it.goes_to(Phase::Resolution);
    let rollback = it.has_mitigated("deployment/checkout");
    let undo = Undo { mitigation: rollback, because: "it got worse".to_owned() };
    let undo = first(&it.does(Command::Undo(undo)));
    it.plans(undo);
    it.approves("bob", undo);
    it.orders(undo);
    it.settles();
    it.later("6m").does(Command::Absorb(Absorb { other: younger(), because: "the same queue".to_owned() }));
    it.settles();
    it.has_mitigated("deployment/cart");
    it.does(advance_to(Phase::Recovery));
    it.does(resolve_anyway());
    it.settles().later("10m").does(Command::Reopen(because("orders fail again")));
    it.settles().later("5m").does(Command::Acknowledge);
    let text = Some("the queue was empty at 11".to_owned());
    let wrong = first(&it.does(note("the queue was empty at 12")));
    it.does(Command::Correct(Correct {
        record: wrong,
        text,
        occurred_at: None,
        because: "mistyped".to_owned(),
    }));
    let (what, link) =
        ("drain the queue first".to_owned(), Some("https://forge.example/change/9".to_owned()));
    it.does(Command::RecordFix(RecordFix { step: FixStep::Change, what: what.clone(), link }));
    it.does(Command::RecordFix(RecordFix { step: FixStep::Deployment, what, link: None }));
    it.does(advance_to(Phase::Recovery));
    it.passes("40m");
    it.does(resolve_anyway());
    it.settles().later("30m");
    it.does(write(Section::CouldBeBetter, "Bob was asleep, and nobody called him.", Seq::ZERO));
    let what = "page the second on call".to_owned();
    let add = AddAction { what, kind: None, priority: Priority::Critical, owner: None, due: None };
    it.does(Command::AddAction(add));
    publishes(&mut it, Some("the rest follows after the meeting"));
    it.settles();
    it.does(Command::Close(Close { override_because: Some("the meeting is next week".to_owned()) }));
    it.passes("20d");
    it
}

/// Everybody writes what tries to be more than text.
pub(crate) fn hostile() -> Scenario {
    const HOSTILE: &str = "</script><script>alert(1)</script> ![x](javascript:alert(1)) @everyone\r\nBEGIN:VEVENT\r\n\
                           # heading\n```\n1. one\n- two\n| a | b |\n\u{202e}desrever\u{2066} {{ 7 * 7 }} &amp; \"'\\";
    let mut it = Scenario::blank(MONDAY);
    it.as_actor(Actor::human("chat", "mallory\"><img src=x onerror=alert(2)>"));
    let mut declare =
        Declare::new("<img src=x onerror=alert(1)> [a](https://evil.example)").severity(Severity::Sev2);
    declare = declare.service("check`out`</title>").started_at(time("2026-03-02T09:52:00Z"));
    declare.link = Some("javascript:alert(1)".to_owned());
    it.does(Command::Declare(Box::new(declare)));
    it.does(note(HOSTILE));
    let statement = HOSTILE.to_owned();
    let suspect = first(&it.does(Command::Hypothesise(Hypothesise { statement, class: None })));
    let words = Some(HOSTILE.to_owned());
    let services = vec!["<b>".to_owned()];
    let impact = Impact { business: words.clone(), money: words, services, ..Impact::default() };
    it.does(Command::AssessImpact(Box::new(impact)));
    it.does(update(HOSTILE));
    it.as_("alice").does(Command::Acknowledge);
    it.settles().does(resolve_anyway());
    let cause = finds(&mut it, None, HOSTILE, CauseKind::Cause);
    shows(&mut it, cause, Vec::new(), vec![suspect]);
    for section in Section::ALL {
        it.does(write(section, HOSTILE, Seq::ZERO));
    }
    let (what, kind, owner) = (HOSTILE.to_owned(), Some(ActionKind::Process), Some(person("bob")));
    it.does(Command::AddAction(AddAction { what, kind, priority: Priority::Low, owner, due: None }));
    let (step, not_needed) = ("update-runbook".to_owned(), Some(HOSTILE.to_owned()));
    it.does(Command::DecideDocumentation(DecideDocumentation { step, action: None, not_needed }));
    let place = Some("https://meet.example/\"><script>;CN=x,y".to_owned());
    let (starts_at, length) = (time("2026-03-04T09:00:00Z"), None);
    it.does(Command::ScheduleMeeting(ScheduleMeeting { starts_at, length, invitees: Vec::new(), place }));
    publishes(&mut it, Some(HOSTILE));
    it.settles();
    it
}

fn judges(it: &mut Scenario, hypothesis: Seq, confirmed: bool, why: &str) {
    let because = why.to_owned();
    it.does(Command::JudgeHypothesis(JudgeHypothesis { hypothesis, confirmed, because }));
}

pub(crate) fn finds(it: &mut Scenario, under: Option<Seq>, statement: &str, kind: CauseKind) -> Seq {
    let (statement, class) = (statement.to_owned(), under.is_none().then_some(CauseClass::RecentDeployment));
    first(&it.does(Command::FindCause(FindCause { under, statement, kind, class })))
}

pub(crate) fn shows(it: &mut Scenario, to: Seq, evidence: Vec<Digest>, records: Vec<Seq>) {
    it.does(Command::LinkEvidence(LinkEvidence { to, evidence, records }));
}

pub(crate) fn schedules(it: &mut Scenario, starts_at: &str) {
    let (starts_at, place) = (time(starts_at), Some("https://meet.example/review".to_owned()));
    let invitees = vec![person("alice"), person("bob"), person("carol")];
    it.does(Command::ScheduleMeeting(ScheduleMeeting { starts_at, length: None, invitees, place }));
}

pub(crate) fn publishes(it: &mut Scenario, because: Option<&str>) {
    let (up_to, link) = (it.it.version, Some("https://docs.example/post-mortem".to_owned()));
    let (sha256, override_because) = (Digest::sha256(b"the document"), because.map(str::to_owned));
    it.does(Command::PublishPostMortem(PublishPostMortem { link, sha256, up_to, override_because }));
}

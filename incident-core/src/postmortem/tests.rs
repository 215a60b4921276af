mod many;

use super::*;
use crate::log::chain::{encode, origin};
use crate::log::event::FixStep;
use crate::model::afterwards::{ActionKind, CauseKind, Section};
use crate::model::cause::CauseClass;
use crate::model::colour::Colour;
use crate::model::id::{Digest, Seq};
use crate::model::impact::Impact;
use crate::model::inert;
use crate::model::role::{PersonId, Role};
use crate::model::severity::Severity;
use crate::model::signal::Detection;
use crate::rules::command::{
    AddAction, Advance, Assign, Attest, Close, Command, CompleteAction, Correct, DecideDocumentation,
    Declare, FindCause, HoldMeeting, Hypothesise, JudgeHypothesis, LinkEvidence, Note, PostUpdate,
    PublishPostMortem, RecordFix, Redact, RedactSlot, RequestReview, Resolve, ScheduleMeeting, SetSeverity,
    TickStep, WriteSection,
};
use crate::rules::test_driver::Driver;
use crate::runbook::Priority;
use crate::views::timeline::{describe, timeline};

fn owned(text: &str) -> String {
    text.to_owned()
}

fn write(driver: &Driver) -> PostMortem {
    PostMortem::write(&driver.incident, &driver.records, &driver.runbook)
}

fn advance(driver: &mut Driver) {
    driver.alice(Command::Advance(Advance { to: None, override_because: None }));
    driver.settle();
}

fn update(driver: &mut Driver, progress: &str) {
    let next_steps = Some(owned("watch the checks"));
    driver.alice(Command::PostUpdate(PostUpdate {
        progress: owned(progress),
        next_steps,
        eta: None,
        public: None,
    }));
    driver.settle();
}

/// Looks at the checks every five minutes.
fn watch(driver: &mut Driver, minutes: u64) {
    for _ in 0..minutes / 5 {
        driver.wait(5).look(Colour::Green);
        driver.settle();
    }
}

fn noticed() -> Driver {
    let declare = Declare::new("checkout is down")
        .severity(Severity::Sev2)
        .service("checkout")
        .detected_by(Detection::MetricAlert)
        .started_at("2026-03-02T13:52:00Z".parse().unwrap());
    let mut driver = Driver::declared(declare);
    driver.settle().wait(2);
    driver.alice(Command::Acknowledge);
    driver.alice(Command::Assign(Assign { role: Role::Commander, to: PersonId::new("alice") }));
    driver.alice(Command::TickStep(TickStep { step: owned("confirm-incident"), skipped: None }));
    advance(&mut driver);
    driver
}

fn assessed() -> Driver {
    let mut driver = noticed();
    let because = owned("orders were lost");
    driver.wait(3).alice(Command::SetSeverity(SetSeverity { severity: Severity::Sev1, because }));
    driver.alice(Command::AssessImpact(Box::new(Impact {
        users: Some(1_200),
        services: vec![owned("checkout")],
        business: Some(owned("nobody can pay")),
        data_loss: Some(true),
        customer_facing: Some(true),
        ..Impact::default()
    })));
    driver.settle();
    advance(&mut driver);
    advance(&mut driver);
    driver
}

fn section(driver: &mut Driver, section: Section, text: &str) -> Seq {
    let based_on = driver.incident.document.version_of(section);
    driver.alice(Command::WriteSection(WriteSection { section, text: owned(text), based_on }))
}

/// Everything that people write, find and agree on afterwards; gives the action item.
fn learnt(driver: &mut Driver, hypothesis: Seq) -> Seq {
    let other = driver.incident.hypotheses.keys().copied().find(|seq| *seq != hypothesis);
    let (confirmed, because) = (false, owned("it has room"));
    let ruled_out = JudgeHypothesis { hypothesis: other.unwrap_or_default(), confirmed, because };
    driver.bob(Command::JudgeHypothesis(ruled_out));
    let evidence: Vec<Digest> = driver.incident.evidence.keys().copied().collect();
    driver.bob(Command::LinkEvidence(LinkEvidence { to: hypothesis, evidence, records: vec![Seq(1)] }));
    let (kind, class) = (CauseKind::Cause, Some(CauseClass::RecentDeployment));
    let find = |driver: &mut Driver, under, statement: &str, kind, class| {
        let cause =
            driver.bob(Command::FindCause(FindCause { under, statement: owned(statement), kind, class }));
        let records = vec![hypothesis];
        driver.bob(Command::LinkEvidence(LinkEvidence { to: cause, evidence: Vec::new(), records }));
        cause
    };
    let first = find(driver, None, "version 42 reads the old queue", kind, class);
    find(driver, Some(first), "no test places an order", kind, None);
    find(driver, None, "the alert waits ten minutes", CauseKind::Contributing, None);
    section(driver, Section::Summary, "Version 42 dropped orders.\n\n- for 53 minutes\n# loudly");
    section(driver, Section::Trigger, "the deployment of version 42");
    section(driver, Section::WentWell, "the rollback took a minute");
    section(driver, Section::CouldBeBetter, "the update at 14:20 was forgotten");
    section(driver, Section::Lucky, "it was noon");
    let (what, kind) = (owned("test a checkout before each deployment"), Some(ActionKind::Prevent));
    let (priority, owner) = (Priority::High, Some(PersonId::new("bob")));
    let action = driver.alice(Command::AddAction(AddAction { what, kind, priority, owner, due: None }));
    for step in driver.runbook.afterwards.documentation.clone() {
        let runbook = step == "update-runbook";
        let (action, not_needed) = (runbook.then_some(action), (!runbook).then(|| owned("nothing changed")));
        driver.alice(Command::DecideDocumentation(DecideDocumentation { step, action, not_needed }));
    }
    let meeting = ScheduleMeeting {
        starts_at: "2026-03-04T14:00:00Z".parse().unwrap(),
        length: None,
        invitees: Vec::new(),
        place: Some(owned("https://meet.example/1")),
    };
    driver.alice(Command::ScheduleMeeting(meeting));
    driver.alice(Command::RequestReview(RequestReview { reviewers: vec![PersonId::new("bob")] }));
    action
}

/// From the declaration to the close, with a missed update, a correction and a redaction on the way.
fn whole() -> Driver {
    let mut driver = assessed();
    let class = Some(CauseClass::RecentDeployment);
    let statement = owned("version 42 drops orders");
    let cause = driver.wait(5).bob(Command::Hypothesise(Hypothesise { statement, class }));
    driver.bob(Command::Hypothesise(Hypothesise { statement: owned("the database is full"), class: None }));
    let note = driver.bob(Command::Note(Note { text: owned("version 24 went out at 13:50") }));
    let (text, because) = (Some(owned("version 42 went out at 13:50")), owned("I mistyped"));
    driver.bob(Command::Correct(Correct { record: note, text, occurred_at: None, because }));
    advance(&mut driver);
    let proposal = driver.propose();
    driver.wait(2).approve(proposal);
    driver.order(proposal);
    driver.settle().wait(18).wake();
    driver.settle();
    update(&mut driver, "version 41 is back");
    let because = owned("errors ended with the rollback");
    driver.bob(Command::JudgeHypothesis(JudgeHypothesis { hypothesis: cause, confirmed: true, because }));
    advance(&mut driver);
    driver.look(Colour::Green);
    let (check, detail) = (owned("user-reports"), owned("support has no open tickets"));
    driver.bob(Command::Attest(Attest { check, colour: Colour::Green, detail }));
    watch(&mut driver, 10);
    update(&mut driver, "orders flow again");
    watch(&mut driver, 5);
    let resolve = Resolve { cause: owned("version 42 dropped orders"), override_because: None };
    driver.alice(Command::Resolve(resolve));
    driver.settle();
    let (what, link) = (owned("keep orders"), Some(owned("https://code.example/change/9")));
    driver.bob(Command::RecordFix(RecordFix { step: FixStep::Change, what, link }));
    let secret = driver.bob(Command::Note(Note { text: owned("the password is hunter2") }));
    let slots = driver.records.iter().find(|it| it.seq == secret).map(|it| it.slots[0].text());
    let slots = slots.into_iter().map(|text| RedactSlot { slot: 0, text }).collect();
    driver.bob(Command::Redact(Redact { record: secret, slots, because: owned("a secret") }));
    let action = learnt(&mut driver, cause);
    driver.settle().wait(60);
    let (link, sha256) = (Some(owned("https://docs.example/pm/1")), Digest::of(&[b"document"]));
    let up_to = driver.incident.version;
    let override_because = None;
    driver.alice(Command::PublishPostMortem(PublishPostMortem { link, sha256, up_to, override_because }));
    let attendees = vec![PersonId::new("alice"), PersonId::new("bob")];
    driver.alice(Command::HoldMeeting(HoldMeeting { attendees }));
    driver.settle();
    driver.alice(Command::Close(Close { override_because: None }));
    driver.bob(Command::CompleteAction(CompleteAction { action, outcome: owned("it runs in CI") }));
    driver.settle();
    driver
}

#[test]
fn a_whole_incident_reads_as_a_document() {
    let driver = whole();
    let (_, head) = encode(&driver.records, origin(driver.incident.id));
    insta::assert_snapshot!(write(&driver).with_head(head).to_markdown());
}

#[test]
fn the_whole_timeline_reads_line_by_line() {
    let driver = whole();
    let lines = timeline(&driver.incident, &driver.records).into_iter().map(|it| {
        let (at, kind) = (it.occurred_at.format("%H:%M"), format!("{:?}", it.kind));
        format!("{at} {} {kind:<13} {:<6} {}", it.seq, format!("{:?}", it.importance), it.what)
    });
    insta::assert_snapshot!(lines.collect::<Vec<_>>().join("\n"));
}

#[test]
fn every_record_has_a_line_of_its_own_words() {
    let driver = whole();
    let empty = driver.records.iter().find(|record| describe(&driver.incident, record).is_empty());
    assert_eq!(empty, None);
}

#[test]
fn what_is_missing_is_named_until_it_is_there() {
    use FindingKind::*;
    let kinds = |driver: &Driver| -> Vec<FindingKind> {
        write(driver).completeness.findings.iter().map(|finding| finding.kind).collect()
    };
    let fresh = Driver::declared(Declare::new("checkout is down").severity(Severity::Sev2));
    let cause = [Resolution, Start, Impact, Trigger, Cause, Whys, Mitigation, Commander];
    let written = [WentWell, CouldBeBetter, Lucky, Actions];
    let rest = [Documentation, Documentation, Documentation, Documentation, Meeting, Evidence, Review];
    assert_eq!(kinds(&fresh), [&cause[..], &written, &rest].concat());

    let mut driver = whole();
    assert_eq!(kinds(&driver), [UpdateGap]);
    let what = owned("nobody's");
    let action = AddAction { what, kind: None, priority: Priority::Low, owner: None, due: None };
    driver.alice(Command::AddAction(action));
    assert_eq!(kinds(&driver), [UpdateGap, ActionOwner, ActionTicket, ActionKind]);
}

#[test]
fn a_statement_cites_the_records_that_say_so() {
    let document = write(&whole());
    let statements = document.sections.iter().flat_map(|part| &part.statements);
    let said = statements.map(|it| (it.text.clone(), it.records.clone()));
    let dates = document.dates.iter().map(|it| (it.what.clone(), it.records.clone()));
    let actions = document.actions.iter().map(|it| (it.what.clone(), it.records.clone()));
    let links = document.links.iter().map(|it| (it.url.clone(), it.records.clone()));
    let promises = document.promises.iter().map(|it| (it.kind.to_string(), it.records.clone()));
    let metrics = document.metrics.iter().map(|it| (it.interval.to_string(), it.records.clone()));
    for (text, records) in said.chain(dates).chain(actions).chain(links).chain(promises).chain(metrics) {
        assert!(!records.is_empty(), "{text}");
        assert!(records.iter().all(|seq| *seq > Seq::ZERO && *seq <= document.up_to), "{text}");
    }
}

#[test]
fn what_people_wrote_is_there_after_whatever_comes_next() {
    let mut driver = whole();
    let written = |driver: &Driver| -> Vec<_> {
        let document = write(driver);
        let markdown = document.to_markdown();
        let parts = document.sections.into_iter().filter_map(|part| part.written);
        let parts: Vec<_> = parts.map(|written| written.text).collect();
        let lines = parts.iter().flat_map(|text| text.lines()).map(inert::markdown);
        let lost: Vec<_> = lines.filter(|line| !markdown.contains(line)).collect();
        assert_eq!(lost, Vec::<String>::new());
        parts
    };
    let before = written(&driver);
    assert_eq!(before.len(), 5);
    driver.bob(Command::Note(Note { text: owned("one more thing") }));
    driver.runbook.persons.clear();
    driver.settle().wait(60 * 24 * 30).wake();
    assert_eq!(written(&driver), before);
}

#[test]
fn promised_updates_are_counted_once_each() {
    let Promises { kept, missed } = write(&whole()).updates;
    assert_eq!((kept, missed), (1, 1));
}

#[test]
fn hostile_words_stay_words() {
    for (hostile, shown) in [
        ("1. a list", "1\\. a list"),
        ("- a list", "\\- a list"),
        ("![x](javascript:alert(1))", "\\!\\[x\\](javascript:alert(1))"),
        ("a\n# heading", "a \\# heading"),
        ("<img src=x>", "\\<img src=x\\>"),
        ("@everyone", "@\u{200b}everyone"),
    ] {
        let mut driver = Driver::declared(Declare::new(hostile));
        let business = Some(owned(hostile));
        driver.alice(Command::AssessImpact(Box::new(Impact { business, ..Impact::default() })));
        let markdown = write(&driver).to_markdown();
        assert!(markdown.lines().any(|line| line.starts_with(&format!("- {shown} ["))), "{markdown}");
        assert_eq!(markdown.lines().filter(|line| line.starts_with("# ")).count(), 1);
    }
}

#[test]
fn only_links_to_the_web_can_be_followed() {
    for (url, shown) in [
        ("https://a.example/x?y=1&z=*2*", "- <https://a.example/x?y=1&z=*2*>"),
        ("javascript:alert(1)", "- javascript:alert(1)"),
        ("https://a.example/><script>", "- https://a.example/\\>\\<script\\>"),
        ("file:///etc/passwd", "- file:///etc/passwd"),
    ] {
        let mut declare = Declare::new("checkout is down");
        declare.link = Some(owned(url));
        let markdown = write(&Driver::declared(declare)).to_markdown();
        assert!(markdown.lines().any(|line| line == format!("{shown} [#1]")), "{markdown}");
    }
}

#[test]
fn a_drill_says_so_at_the_top() {
    let banner = "\n> **DRILL** – an exercise, nothing was broken.\n";
    let drill = write(&Driver::declared(Declare::new("practice").drill())).to_markdown();
    let real = write(&Driver::declared(Declare::new("practice"))).to_markdown();
    assert_eq!((drill.contains(banner), real.contains("DRILL")), (true, false));
}

#[test]
fn a_part_of_a_log_and_an_empty_one_are_taken_as_they_are() {
    let driver = whole();
    for from in [0, 40, driver.records.len()] {
        let part = &driver.records[from..];
        assert_eq!(timeline(&driver.incident, part).len(), part.len());
        let document = PostMortem::write(&driver.incident, part, &driver.runbook);
        assert!(document.to_markdown().starts_with("# Post-mortem: checkout is down\n"));
    }
}

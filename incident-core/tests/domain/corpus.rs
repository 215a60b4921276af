//! Writes the logs of `tests/corpus/`, which `tests/corpus.rs` reads. A log that is there is left as it is.

use std::fs;
use std::io::{ErrorKind, Write as _};
use std::path::Path;

use incident_core::log::event::{FixStep, Relation};
use incident_core::model::colour::Colour;
use incident_core::model::effect::{Applied, TicketWork, Work};
use incident_core::model::notice::NoticeKind;
use incident_core::model::phase::Phase;
use incident_core::model::role::Role;
use incident_core::model::role::{Actor, Identity};
use incident_core::model::severity::Severity;
use incident_core::model::ticket::TicketRef;
use incident_core::rules::command::{
    Absorb, Assign, Close, Command, CompleteAction, Correct, EffectResult, HoldMeeting, JudgeHypothesis,
    Link, Proposal, RecordFix, Redact, RedactSlot, Reject, SettleMitigation, StepBack, TickStep, Undo,
};

use crate::course::{
    action, advance_to, attest, because, firing, first, hypothesis, impact, note, publish, resolve_anyway,
    severity, triage, update,
};
use crate::documents;
use crate::samples::{older, younger};
use crate::scenario::Scenario;
use crate::world::{failure, person, readings, time};

/// A log's name, and the play that it is of.
type Log = (&'static str, fn() -> Scenario);

#[test]
#[ignore = "writes the corpus"]
fn write() {
    let logs: [Log; 10] = [
        ("whole-life", whole_life),
        ("trouble", trouble),
        ("false-alarm", false_alarm),
        ("merged", merged),
        ("mitigations", mitigations),
        ("follow-ups", follow_ups),
        ("outage", documents::outage),
        ("storm", storm),
        ("relapse", documents::relapse),
        ("hostile", documents::hostile),
    ];
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/corpus/v0");
    fs::create_dir_all(&folder).unwrap();
    for (name, play) in logs {
        once(&folder.join(format!("{name}.jsonl")), &lines(&play()));
    }
}

/// Writes a file that isn't there yet.
fn once(path: &Path, text: &str) {
    match fs::File::create_new(path) {
        Ok(mut file) => file.write_all(text.as_bytes()).unwrap(),
        Err(error) => assert_eq!(error.kind(), ErrorKind::AlreadyExists, "{}", path.display()),
    }
}

fn lines(it: &Scenario) -> String {
    let line = |stored: &incident_core::log::chain::StoredRecord| {
        let record = serde_json::json!({
            "seq": stored.seq,
            "body": String::from_utf8(stored.body.clone()).unwrap(),
            "slots": stored.slots.iter().map(hex::encode).collect::<Vec<_>>(),
            "chain": stored.chain,
        });
        format!("{record}\n")
    };
    it.log.iter().map(line).collect()
}

/// Action items whose tickets people worked on.
fn follow_ups() -> Scenario {
    let mut it = Scenario::declared(Severity::Sev3);
    for owner in ["alice", "bob"] {
        it.does(action(Some(owner)));
    }
    it.settles();
    crate::follow_ups::reads(&mut it, |tickets| {
        tickets[0].due = Some(time("2026-04-01T12:00:00Z"));
        tickets[1].assignees = vec![Identity::new("forge", "alice-m")];
    });
    crate::follow_ups::reads(&mut it, |tickets| tickets[0].open = false);
    crate::follow_ups::reads(&mut it, Vec::clear);
    it
}

/// Too many groups at once, and then too few to go on.
fn storm() -> Scenario {
    let mut it = crate::storms::storm();
    it.at("+9m").does(crate::storms::gather(&["mail", "orders"]));
    it.at("+20m").does(resolve_anyway());
    it.settles();
    it.at("+25m").does(crate::storms::gather(&["search"]));
    it
}

/// As the runbook wants it, from the declaration to the last follow-up.
fn whole_life() -> Scenario {
    let mut it = Scenario::declared(Severity::Sev1);
    it.settles_but(|effect| effect.work == Work::Collect);
    it.keeps_evidence();
    it.at("+2m").does(Command::Assign(Assign { role: Role::Commander, to: person("alice") }));
    it.does(Command::Signals(vec![firing("error-rate"), firing("latency")]));
    it.does(note("the graph broke at ten"));
    it.goes_to(Phase::Investigation).passes("3m");
    let suspect = first(&it.does(hypothesis("a full disk")));
    it.does(Command::JudgeHypothesis(JudgeHypothesis {
        hypothesis: suspect,
        confirmed: false,
        because: "there is room".to_owned(),
    }));
    it.does(update("the last deployment is suspected"));
    it.does(Command::Signals(vec![firing("error-rate").resolved(), firing("latency").resolved()]));
    it.goes_to(Phase::Recovery);
    for step in [FixStep::Change, FixStep::RegressionTest] {
        let (what, link) =
            ("a limit, ä ö ü \"quoted\"".to_owned(), Some("https://forge.example/1".to_owned()));
        it.does(Command::RecordFix(RecordFix { step, what, link }));
    }
    it.goes_to(Phase::PostIncident).passes("1m");
    it.does(Command::Reopen(because("it came back")));
    it.passes("2m");
    it.goes_to(Phase::PostIncident).passes("1m");
    let todo = first(&it.does(action(Some("bob"))));
    let last = it.it.version;
    it.later("1h").does(publish(last));
    it.does(Command::HoldMeeting(HoldMeeting { attendees: vec![person("alice"), person("bob")] }));
    it.settles().does(Command::Close(Close { override_because: None }));
    it.passes("2d");
    it.does(Command::CompleteAction(CompleteAction { action: todo, outcome: "tested".to_owned() }));
    it.settles();
    it
}

/// Nobody answers, backends fail, words are taken out; what is still owed stays owed.
fn trouble() -> Scenario {
    let mut it = Scenario::declared(Severity::Sev2);
    it.live.notices.retain(|route| route.name != "status");
    it.does(impact(true));
    let page = it.notice_on("pager", NoticeKind::Page);
    it.starts(page);
    it.concludes(page, failure(Applied::Maybe, true, Some("30s")));
    let ticket = it.effect(|work| *work == Work::Ticket(TicketWork::Open));
    it.starts(ticket);
    it.later("2m").starts(ticket);
    it.concludes(ticket, EffectResult::CannotTell);
    it.passes("40m");
    it.does(Command::Escalate(because("nobody here")));
    it.does(triage());
    it.does(advance_to(Phase::Communication));
    it.does(severity(Severity::Sev3));
    let said = it.does(note("the password is hunter2"));
    let text = said[0].slots[0].text();
    it.does(Command::Redact(Redact {
        record: first(&said),
        slots: vec![RedactSlot { slot: 0, text }],
        because: "a secret".to_owned(),
    }));
    let occurred_at = Some(time("2026-03-02T09:00:00Z"));
    it.does(Command::Correct(Correct {
        record: incident_core::model::id::Seq(1),
        text: Some("checkout is slow".to_owned()),
        occurred_at,
        because: "the graph says so".to_owned(),
    }));
    it.does(Command::AdoptTicket(TicketRef::new("shop#9")));
    it.does(Command::TickStep(TickStep { step: "scale".to_owned(), skipped: Some("no need".to_owned()) }));
    it.does(advance_to(Phase::Investigation));
    it.does(Command::StepBack(StepBack { to: Phase::Triage, because: "too early".to_owned() }));
    it.runbook.escalation.every = std::time::Duration::from_secs(60);
    it.does(Command::Replan);
    it.does(Command::Absorb(Absorb { other: younger(), because: "the same cause".to_owned() }));
    it.does(Command::Link(Link { other: older(), relation: Relation::CausedBy }));
    it.does(attest("user-reports", Colour::Red));
    it.does(readings(Colour::Red));
    it.as_actor(Actor::Automation("watchdog".to_owned())).does(note("still red"));
    it
}

fn false_alarm() -> Scenario {
    let mut it = Scenario::declared(Severity::Sev4);
    it.does(Command::Acknowledge);
    it.later("1m").does(Command::Cancel(because("a test of the alarm")));
    it.settles();
    it
}

fn merged() -> Scenario {
    let mut it = Scenario::declared(Severity::Sev3);
    it.later("1m").does(Command::MergeInto(older()));
    it.settles();
    it
}

/// Each way that a mitigation goes: carried out, taken back, refused, an approval withdrawn, one that nobody can tell.
fn mitigations() -> Scenario {
    let mut it = Scenario::declared(Severity::Sev1);
    it.does(Command::Acknowledge);
    let rejected = it.has_planned("deployment/cart");
    it.approves("bob", rejected);
    it.does(Command::WithdrawApproval(Proposal { proposal: rejected }));
    it.does(Command::Reject(Reject { proposal: rejected, because: "too risky".to_owned() }));
    let done = it.has_mitigated("deployment/checkout");
    let undo = first(&it.does(Command::Undo(Undo { mitigation: done, because: "it got worse".to_owned() })));
    it.plans(undo);
    let unclear = it.has_ordered("deployment/search");
    let execute = it.effect(|work| *work == Work::Execute(unclear));
    it.starts(execute);
    it.concludes(execute, EffectResult::CannotTell);
    let because = "the rollout is there".to_owned();
    it.does(Command::SettleMitigation(SettleMitigation { proposal: unclear, happened: true, because }));
    it
}

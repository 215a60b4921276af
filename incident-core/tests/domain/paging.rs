//! The runbook's table, whole: who is paged, told and chased at each severity, for what, and when.

use incident_core::log::event::{EffectPlanned, Fact, NoticeIssued, Record};
use incident_core::model::effect::Work;
use incident_core::model::notice::NoticeKind;
use incident_core::model::phase::Phase;
use incident_core::model::route::Route;
use incident_core::model::severity::Audience;
use incident_core::model::severity::Severity;
use incident_core::rules::command::{Close, Command};

use crate::course::{action, because, first, resolve_anyway, severity, update};
use crate::scenario::{MONDAY, Scenario, declare};
use crate::world::{long, one_probe};

/// One route for each audience, so that the table reads as one.
fn routes() -> Vec<Route> {
    [
        Audience::RESPONDERS,
        Audience::TEAM,
        Audience::LEADERSHIP,
        Audience::EXECUTIVES,
        Audience::STAFF,
        Audience::CUSTOMERS,
        Audience::PUBLIC,
        Audience::CARETAKER,
    ]
    .map(|audience| Route::new(audience, &[audience]))
    .to_vec()
}

fn begun(level: Severity) -> Scenario {
    let mut it = Scenario::blank(MONDAY);
    it.live.notices = routes();
    it.runbook.afterwards.required_for = Severity::ALL.to_vec();
    one_probe(&mut it.runbook);
    it.does(Command::Declare(Box::new(declare(level, it.start))));
    it
}

/// `at: what → whom`, a line for each notice among the records from `from` on; `what` is why it is said.
fn told(it: &Scenario, from: usize) -> Vec<String> {
    let issued = |record: &Record| match &record.fact {
        Fact::NoticeIssued(issued) => Some((record.seq, record.recorded_at, issued.clone())),
        _ => None,
    };
    let to = |notice| {
        let carries = |record: &Record| match &record.fact {
            Fact::EffectPlanned(EffectPlanned { work: Work::Notify(it), .. }) if it.notice == notice => {
                Some(it.audiences.iter().map(ToString::to_string).collect::<Vec<_>>())
            }
            _ => None,
        };
        it.records.iter().filter_map(carries).flatten().collect::<Vec<_>>().join(", ")
    };
    let about = |issued: &NoticeIssued| {
        let line = issued.fixed.iter().map(|line| line.text.as_str()).find(|text| !text.is_empty());
        let line = line.map(|line| format!(" ({line})")).unwrap_or_default();
        format!("{}{line}", issued.kind)
    };
    let line = |(seq, at, issued): (_, _, NoticeIssued)| {
        format!("  {:>10}  {} → {}", it.since_start(at), about(&issued), to(seq))
    };
    it.records[from..].iter().filter_map(issued).map(line).collect()
}

/// A row of the table: what happens, and how it is played.
type Row = (&'static str, fn(Severity) -> (Scenario, usize));

#[test]
fn the_whole_table() {
    let rows: [Row; 10] = [
        ("declared", |level| (begun(level), 0)),
        ("nobody acknowledges", |level| {
            let mut it = begun(level);
            it.settles();
            let from = it.records.len();
            it.runbook.escalation.every = long("5m");
            for _ in 0..5 {
                let owed = it.owed(incident_core::model::obligation::ObligationKind::Acknowledge);
                it.now = owed.next().unwrap();
                it.does(Command::Wake);
                it.settles();
            }
            (it, from)
        }),
        ("acknowledged, no updates", |level| {
            let mut it = begun(level);
            it.does(Command::Acknowledge);
            it.settles();
            let from = it.records.len();
            for _ in 0..8 {
                let owed = it.it.obligation(incident_core::model::obligation::ObligationKind::Update);
                let Some(next) = owed.and_then(incident_core::model::obligation::Obligation::next) else {
                    break;
                };
                it.now = next;
                it.does(Command::Wake);
                it.settles();
            }
            (it, from)
        }),
        ("an update", |level| {
            let mut it = begun(level);
            it.goes_to(Phase::Investigation).settles();
            let from = it.records.len();
            it.does(update("we look"));
            (it, from)
        }),
        ("raised to SEV1", |level| {
            let mut it = begun(level);
            it.does(Command::Acknowledge);
            it.settles();
            let from = it.records.len();
            if level != Severity::Sev1 {
                it.does(severity(Severity::Sev1));
            }
            (it, from)
        }),
        ("lowered to SEV4", |level| {
            let mut it = begun(level);
            it.does(Command::Acknowledge);
            it.settles();
            let from = it.records.len();
            if level != Severity::Sev4 {
                it.does(severity(Severity::Sev4));
            }
            (it, from)
        }),
        ("a person asks for help, twice", |level| {
            let mut it = begun(level);
            it.does(Command::Acknowledge);
            it.settles();
            let from = it.records.len();
            it.does(Command::Escalate(because("I am alone")));
            it.does(Command::Escalate(because("still alone")));
            (it, from)
        }),
        ("reopened", |level| {
            let mut it = begun(level);
            it.does(Command::Acknowledge);
            it.does(resolve_anyway());
            it.settles();
            let from = it.records.len();
            it.does(Command::Reopen(because("it came back")));
            (it, from)
        }),
        ("post-mortem and meeting late", |level| {
            let mut it = begun(level);
            it.does(Command::Acknowledge);
            it.does(resolve_anyway());
            it.settles();
            let from = it.records.len();
            it.passes("30d");
            (it, from)
        }),
        ("an action item late", |level| {
            let mut it = begun(level);
            it.does(Command::Acknowledge);
            let todo = first(&it.does(action(Some("bob"))));
            it.does(resolve_anyway());
            it.does(Command::Close(Close { override_because: Some("done".to_owned()) }));
            it.settles();
            let from = it.records.len();
            for _ in 0..5 {
                it.now =
                    it.owed(incident_core::model::obligation::ObligationKind::FollowUp(todo)).next().unwrap();
                it.does(Command::Wake);
                it.settles();
            }
            (it, from)
        }),
    ];
    let mut table = Vec::new();
    for (what, play) in rows {
        for level in Severity::ALL {
            let (it, from) = play(level);
            table.push(format!("{what}, {level}"));
            table.extend(told(&it, from));
        }
    }
    insta::assert_snapshot!(table.join("\n"));
}

/// Whatever a runbook says of a severity without `responders`, no timer pages anybody at it, and somebody inside hears.
#[test]
fn a_severity_that_pages_nobody_never_pages() {
    for level in [Severity::Sev3, Severity::Sev4] {
        let (mut it, played) = (begun(level), 14);
        for _ in 0..played {
            it.passes("12h");
        }
        let kinds = it.records.iter().filter_map(|record| match &record.fact {
            Fact::NoticeIssued(issued) => Some(issued.kind),
            _ => None,
        });
        let kinds: Vec<NoticeKind> = kinds.collect();
        assert!(kinds.iter().all(|kind| !kind.is_page()), "{level}: {kinds:?}");
        assert!(kinds.iter().filter(|kind| **kind == NoticeKind::Reminder).count() > 3, "{level}: {kinds:?}");
    }
}

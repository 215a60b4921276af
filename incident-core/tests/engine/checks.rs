//! Mistakes in code and in settings: the same check finds them, says where, and what to do.

use std::fmt::Write as _;
use std::path::Path;
use std::time::Duration;

use incident_core::config::{Ports, Settings};
use incident_core::model::route::Route;
use incident_core::model::severity::Audience;
use incident_core::model::side::Side;
use incident_core::runbook::CheckedBy;
use incident_core::runtime::BuildError;
use incident_core::store::MemoryStore;
use incident_core::{Engine, EngineBuilder, Runbook};

use crate::stopping::Counts;
use crate::world::{EVERYBODY, Shared, chat};

fn good() -> EngineBuilder {
    Engine::builder(MemoryStore::new()).ports("chat", chat(&Shared::default())).route("chat", &EVERYBODY)
}

fn with(change: impl Fn(&mut Runbook)) -> Runbook {
    let mut runbook = Runbook::default();
    change(&mut runbook);
    runbook
}

/// Every mistake that code can make, and the error it is answered with.
#[test]
fn a_mistake_in_code_is_refused_with_its_remedy() {
    let fallback = |name: &str, to: &str| Route::new(name, &["team"]).with_fallback(to);
    let mistakes: Vec<(&str, EngineBuilder)> = vec![
        ("no route", Engine::builder(MemoryStore::new())),
        ("two adapters of one name", good().ports("chat", chat(&Shared::default()))),
        ("a route without an adapter", good().route("pager", &["responders"])),
        ("a route without a notifier", good().ports("cluster", Ports::new()).route("cluster", &["team"])),
        ("two routes of one name", good().route("chat", &["team"])),
        ("a fallback that isn't there", good().route_for(Side::Live, fallback("second", "pager"), "chat")),
        ("a fallback to itself", good().route_for(Side::Live, fallback("second", "second"), "chat")),
        ("no tracker", good().tracker("jira")),
        ("a deadline of zero", good().runbook(with(|it| it.escalation.every = Duration::ZERO))),
        ("a hold of zero", good().runbook(with(|it| it.recovery.hold = Duration::ZERO))),
        ("an empty chain", good().runbook(with(|it| it.escalation.chain.clear()))),
        ("a gate nobody can meet", good().runbook(with(|it| it.recovery.checks.clear()))),
        ("two runbooks", good().runbook(Runbook::default()).runbook(with(|it| it.title = "Ours".to_owned()))),
    ];
    let mut said = String::new();
    for (mistake, builder) in mistakes {
        let error = builder.build().expect_err(mistake);
        writeln!(said, "{mistake}\n    {}", error.to_string().replace('\n', "\n    ")).unwrap();
    }
    insta::assert_snapshot!(said);
}

/// A runbook, routes and probes that fit together: the check has nothing to say.
#[test]
fn what_fits_together_has_no_findings() {
    let runbook = Runbook::default();
    let probed = runbook.recovery.checks.iter().filter(|(_, check)| check.by == CheckedBy::Probe);
    let probes = probed.fold(Ports::new(), |ports, (name, _)| ports.with_probe(name, Counts::default()));
    let inside: Vec<&str> = EVERYBODY.into_iter().filter(|it| *it != "customers").collect();
    let engine = Engine::builder(MemoryStore::new())
        .ports("monitoring", probes)
        .ports("chat", chat(&Shared::default()))
        .route("chat", &inside)
        .ports("status", chat(&Shared::default()))
        .route("status", &["customers", "public"]);
    assert_eq!(engine.check(), []);
}

#[test]
fn one_runbook_given_twice_is_one() {
    let ours = with(|it| it.title = "Ours".to_owned());
    let engine = good().runbook(ours.clone()).runbook(ours).build().unwrap();
    assert_eq!(engine.runbook().title, "Ours");
}

/// Settings and code don't overwrite each other's runbook.
#[tokio::test]
async fn the_runbook_of_code_stays_beside_settings_without_one() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("runbook.toml"), "title = 'Theirs'").unwrap();
    let settings = async |text: &str| Settings::from_toml(text).unwrap().build(folder.path()).await.unwrap();
    let ours = || with(|it| it.title = "Ours".to_owned());
    let engine = good().runbook(ours()).configured(settings("").await).build().unwrap();
    assert_eq!(engine.runbook().title, "Ours");
    let named = "runbook = 'runbook.toml'";
    let engine = good().configured(settings(named).await).build().unwrap();
    assert_eq!(engine.runbook().title, "Theirs");
    let both = good().configured(settings(named).await).runbook(ours()).build();
    assert_eq!(both.unwrap_err(), BuildError::TwoRunbooks);
}

/// What would be refused at the start is refused while the engine runs, and what was in force stays.
#[tokio::test]
async fn a_runbook_is_checked_before_it_is_put_in_force() {
    let engine = good().build().unwrap();
    let error = engine.set_runbook(with(|it| it.escalation.every = Duration::ZERO)).unwrap_err();
    assert!(error.to_string().contains("escalation.every"), "{error}");
    assert_eq!(*engine.runbook(), Runbook::default());
    engine.set_runbook(with(|it| it.escalation.chain[0].audience = Audience::new("nobody-there"))).unwrap();
    let warnings: Vec<String> = engine.preflight().await.warnings.iter().map(ToString::to_string).collect();
    assert!(warnings.iter().any(|it| it.contains("no route for audience \"nobody-there\"")), "{warnings:?}");
}

/// What works, but hardly as meant: preflight says so.
#[tokio::test]
async fn settings_and_adapters_are_checked_together() {
    let settings = r#"
        [live.adapters]
        chat = { type = "console" }
        shop = { type = "console" }
        [drill.adapters]
        chat = { type = "console" }
        [[live.routes]]
        adapter = "chat"
        audiences = ["responders", "tema", "public"]
        [[drill.routes]]
        adapter = "chat"
        audiences = ["responders"]
    "#;
    let built = Settings::from_toml(settings).unwrap().build(Path::new(".")).await.unwrap();
    let engine = Engine::builder(MemoryStore::new()).configured(built).build().unwrap();
    let warnings: Vec<String> = engine.preflight().await.warnings.iter().map(ToString::to_string).collect();
    insta::assert_snapshot!(warnings.join("\n"));
}

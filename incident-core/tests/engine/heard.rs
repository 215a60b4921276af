//! Whether anybody was reached: the audit and the health of an engine say so.

use std::sync::Arc;

use incident_core::model::id::IncidentId;
use incident_core::model::severity::Severity;
use incident_core::model::time::Time;
use incident_core::rules::command::Declare;
use incident_core::runtime::{AuditProblem, Engine};
use incident_core::store::MemoryStore;

use crate::clock;
use crate::world::{Shared, chat, human, runbook};

/// The incidents of which the audit says that nobody was reached.
async fn unheard(engine: &Engine) -> Vec<IncidentId> {
    let findings = engine.audit().await.unwrap().findings;
    findings.iter().filter(|it| it.problem == AuditProblem::NobodyReached).map(|it| it.incident).collect()
}

async fn declare(engine: &Engine, declare: Declare) -> incident_core::IncidentHandle {
    engine.declare(human("alice"), declare).await.unwrap()
}

#[tokio::test]
async fn an_engine_that_reaches_nobody_says_so_until_somebody_acknowledges() {
    let clock = clock();
    let engine = Engine::builder(MemoryStore::new())
        .clock(Arc::clone(&clock) as _)
        .runbook(runbook())
        .pages_nobody()
        .build()
        .unwrap();
    assert!(engine.health().await.unwrap().pages_nobody);
    for severity in Severity::ALL {
        let incident = declare(&engine, Declare::new("checkout is down").severity(severity)).await;
        engine.tick(Time::MAX_UTC).await.unwrap();
        assert_eq!(unheard(&engine).await, [incident.id()], "{severity}");
        incident.acknowledge().await.unwrap();
        assert_eq!(unheard(&engine).await, [], "{severity}");
        let drill = declare(&engine, Declare::new("a drill").severity(severity).drill()).await;
        assert_eq!(unheard(&engine).await, [], "a drill may reach nobody");
        drill.cancel("over").await.unwrap();
    }
}

/// A team that reads the chat isn't a page: where the severity pages, only a page counts.
#[tokio::test]
async fn a_page_that_nobody_gets_is_found_although_others_read_of_it() {
    let (clock, world) = (clock(), Shared::default());
    let built = |audiences: &[&str]| {
        Engine::builder(MemoryStore::new())
            .clock(Arc::clone(&clock) as _)
            .runbook(runbook())
            .ports("chat", chat(&world))
            .route("chat", audiences)
            .build()
            .unwrap()
    };
    for (audiences, severity, expect) in [
        (&["responders", "team"][..], Severity::Sev1, 0),
        (&["responders", "team"], Severity::Sev3, 0),
        (&["executives"], Severity::Sev3, 1),
        (&["caretaker"], Severity::Sev1, 1),
    ] {
        let engine = built(audiences);
        assert!(!engine.health().await.unwrap().pages_nobody);
        declare(&engine, Declare::new("checkout is down").severity(severity)).await;
        engine.tick(Time::MAX_UTC).await.unwrap();
        assert_eq!(unheard(&engine).await.len(), expect, "{audiences:?} {severity}");
    }
}

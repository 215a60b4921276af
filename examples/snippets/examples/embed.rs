//! An incident in a program of your own, kept in a SQLite file: the process that declares it dies before it could tell
//! anybody, and the next one does.
//!
//! `cargo run -p incident-snippets --example embed`

use std::error::Error;
use std::io::{self, Write};
use std::path::Path;
use std::time::Duration;

use incident_core::local::Console;
use incident_core::model::time;
use incident_core::views::timeline::timeline;
use incident_core::{Actor, Declare, Engine, IncidentId, Ports, Severity};
use incident_sqlite::SqliteStore;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let id = declare(Path::new("incidents.db")).await?;
    writeln!(io::stdout(), "{id} is declared; nobody knows yet")?;
    let told = carry_on(Path::new("incidents.db"), id, io::stdout()).await?;
    writeln!(io::stdout(), "{}", told.join("\n"))?;
    Ok(())
}

/// The same wherever the program starts: whatever the file says is owed, this engine owes.
fn engine(file: &Path, sink: impl Write + Send + 'static) -> Result<Engine, Box<dyn Error>> {
    let engine = Engine::builder(SqliteStore::open(file)?)
        .ports("chat", Ports::new().with_notifier(Console::to(sink)))
        .route("chat", &["responders", "team", "leadership", "executives"])
        .build()?;
    Ok(engine)
}

/// Declares an incident, and is gone. What it owes is recorded in the same commit.
pub(crate) async fn declare(file: &Path) -> Result<IncidentId, Box<dyn Error>> {
    let alice = Actor::human("slack", "U024BE7LH");
    let what = Declare::new("Checkout fails").service("checkout").severity(Severity::Sev1);
    let incident = engine(file, io::sink())?.declare(alice, what).await?;
    Ok(incident.id())
}

/// Opens the file again: the page goes out, and somebody takes over. Returns the timeline.
pub(crate) async fn carry_on(
    file: &Path,
    id: IncidentId,
    sink: impl Write + Send + 'static,
) -> Result<Vec<String>, Box<dyn Error>> {
    let engine = engine(file, sink)?;
    let incident = engine.incident(id).as_actor(Actor::human("slack", "U0B0B"));

    // A service keeps `engine.run(shutdown)` going in a task. A tick does once what is due.
    let soon = time::after(engine.now(), Duration::from_secs(10));
    engine.tick(soon).await?;
    incident.acknowledge().await?;
    incident.post_update("Looking at the payment service", None, None).await?;
    engine.tick(soon).await?;

    incident.verify(None).await?;
    let lines = timeline(&incident.state().await?, &incident.records().await?);
    Ok(lines.into_iter().map(|line| line.what).collect())
}

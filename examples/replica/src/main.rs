//! One engine of many on one PostgreSQL: start as many as you like, kill any of them.

use std::error::Error;
use std::path::Path;
use std::process::ExitCode;
use std::time::Duration;

use incident_core::config::{BuiltEvidence, Settings};
use incident_core::runtime::Engine;
use incident_postgres::{Options, PostgresStore};
use tokio::signal::unix::{SignalKind, signal};

const USAGE: &str = "\
usage: replica --database ADDRESS --settings FILE [OPTIONS]
  --database ADDRESS   the PostgreSQL, such as 'host=db.internal user=incident dbname=incident'
  --settings FILE      runbook, adapters and routes
  --worker NAME        what this one is called in the log (replica)
  --lease TIME         after so long the others take over what it was at (15s)";

#[derive(Debug)]
struct Args {
    database: String,
    settings: String,
    worker: String,
    lease: Duration,
}

impl Args {
    fn parse(mut args: impl Iterator<Item = String>) -> Result<Self, String> {
        let (mut database, mut settings) = (None, None);
        let (mut worker, mut lease) = ("replica".to_owned(), Duration::from_secs(15));
        while let Some(name) = args.next() {
            let value = args.next().ok_or_else(|| format!("{name} needs a value\n\n{USAGE}"))?;
            match &*name {
                "--database" => database = Some(value),
                "--settings" => settings = Some(value),
                "--worker" => worker = value,
                "--lease" => {
                    lease = humantime::parse_duration(&value)
                        .map_err(|_| "--lease: expected a time such as 15s".to_owned())?;
                }
                _ => return Err(format!("unknown option {name:?}\n\n{USAGE}")),
            }
        }
        let missing = |name: &str| format!("{name} is missing\n\n{USAGE}");
        let database = database.ok_or_else(|| missing("--database"))?;
        Ok(Self { database, settings: settings.ok_or_else(|| missing("--settings"))?, worker, lease })
    }
}

async fn run(args: Args) -> Result<(), Box<dyn Error>> {
    incident_http::register();
    let file = Path::new(&args.settings);
    let text = std::fs::read_to_string(file).map_err(|error| format!("{}: {error}", file.display()))?;
    let folder = file.parent().unwrap_or(Path::new("."));
    let mut built = Settings::from_toml(&text)?.build(folder).await?;
    built.evidence.get_or_insert_with(|| BuiltEvidence::Folder(folder.join("evidence")));
    let store = PostgresStore::open(Options::new(&args.database)?).await?;
    let engine = Engine::builder(store).configured(built).worker(&args.worker).lease(args.lease).build()?;
    let mut stop = signal(SignalKind::terminate())?;
    engine
        .run(async move {
            tokio::select! {
                _ = stop.recv() => {}
                _ = tokio::signal::ctrl_c() => {}
            }
        })
        .await;
    Ok(())
}

#[tokio::main]
#[allow(clippy::print_stderr, reason = "this is a program, and that is its output")]
async fn main() -> ExitCode {
    let done = match Args::parse(std::env::args().skip(1)) {
        Ok(args) => run(args).await,
        Err(problem) => Err(problem.into()),
    };
    let Err(error) = done else { return ExitCode::SUCCESS };
    eprintln!("replica: {error}");
    let mut source = error.source();
    while let Some(cause) = source {
        eprintln!("  because: {cause}");
        source = cause.source();
    }
    ExitCode::FAILURE
}

//! One drill, from alert to post-mortem – or from wherever an earlier run was killed.

use std::error::Error;
use std::path::{Path, PathBuf};
use std::time::Duration;

use incident_core::log::event::{Origin, Record};
use incident_core::log::incident::Incident;
use incident_core::model::id::{Digest, IncidentId, Seq};
use incident_core::port::store::Query;
use incident_core::postmortem::PostMortem;
use incident_core::rules::command::{Command, PublishPostMortem, Request};
use incident_core::runtime::Engine;
use incident_report::post_mortem_html;

use crate::args::{DrillArgs, Pace};
use crate::crew::{self, Action, Move};
use crate::plan;
use crate::screen::Screen;
use crate::shopkeeper::{Shopkeeper, monitor, write_whole};

type Result<T> = std::result::Result<T, Box<dyn Error>>;

/// How the folders of drills begin that weren't given a name.
const RUN: &str = "drill-run-";

pub(crate) async fn run(args: DrillArgs) -> Result<()> {
    let dir = folder(&args)?;
    std::fs::create_dir_all(&dir)?;
    let shop = Shopkeeper::open(&dir, args.pace).await?;
    let outcome = drill(&args, &dir, &shop).await;
    // A drill that failed is gone on with later, and its shop goes on until then; one that never began has none.
    if outcome.is_ok() || !dir.join("incidents.db").exists() {
        shop.close(&dir).await?;
    }
    outcome
}

/// The folder of this drill: the one that was asked for, a new one, or the newest to go on with.
fn folder(args: &DrillArgs) -> Result<PathBuf> {
    let dir = args.dir.clone().unwrap_or_else(|| {
        let newest = newest().unwrap_or(0);
        PathBuf::from(format!("{RUN}{}", if args.resume { newest.max(1) } else { newest + 1 }))
    });
    match (args.resume, dir.join("incidents.db").exists()) {
        (true, false) => Err(format!("there is no drill to go on with in {}", dir.display()).into()),
        (false, true) => {
            let dir = dir.display();
            Err(format!("{dir} holds a drill already: --resume goes on with it, another --dir begins anew")
                .into())
        }
        _ => Ok(dir),
    }
}

/// The number of the newest drill here.
fn newest() -> Option<u32> {
    let names = std::fs::read_dir(".").ok()?.filter_map(|entry| entry.ok()?.file_name().into_string().ok());
    names.filter_map(|name| name.strip_prefix(RUN)?.parse().ok()).max()
}

async fn drill(args: &DrillArgs, dir: &Path, shop: &Shopkeeper) -> Result<()> {
    let (engine, health) = plan::engine(args, dir, shop.port).await?;
    let screen = Screen::new();
    screen.line(&format!(
        "A shop runs on http://127.0.0.1:{}; its database and all else is in {}",
        shop.port,
        dir.display()
    ));

    let preflight = engine.preflight().await;
    if !preflight.is_good() {
        screen.line(&format!("preflight: {:?}", preflight.adapters));
    }
    if last(&engine).await?.is_none() {
        shop.break_it().await?;
        screen.line("The feature new-pricing was just turned on");
    }
    let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
    let looping = engine.clone();
    let running = tokio::spawn(async move { looping.run(async { drop(stopped.await) }).await });
    let pulse = if args.pace == Pace::Fast { Duration::from_millis(40) } else { Duration::from_millis(500) };
    let monitoring = tokio::spawn(monitor(engine.clone(), health, pulse));

    let outcome = play(args, dir, &engine, &screen).await;
    monitoring.abort();
    drop(stop);
    running.await?;
    let incident = outcome?;
    report(dir, &engine, &incident, &screen).await?;
    Ok(())
}

/// The drill that was declared here last.
async fn last(engine: &Engine) -> Result<Option<IncidentId>> {
    let page = engine.store().list(&Query::all().limit(1_000)).await?;
    Ok(page.rows.last().map(|row| row.id))
}

/// Plays the people until everything is done.
async fn play(args: &DrillArgs, dir: &Path, engine: &Engine, screen: &Screen) -> Result<Incident> {
    let (beat, think) = match args.pace {
        Pace::Normal => (Duration::from_millis(200), Duration::from_millis(250)),
        Pace::Fast => (Duration::from_millis(5), Duration::ZERO),
    };
    let mut shown = Seq::ZERO;
    loop {
        let Some(id) = last(engine).await? else {
            tokio::time::sleep(beat).await;
            continue;
        };
        let handle = engine.incident(id);
        let incident = handle.state().await?;
        for record in handle.records_after(shown).await? {
            screen.record(&incident, &record);
            shown = record.seq;
        }
        screen.status(&incident, engine.now());
        if incident.ended.is_some() && incident.is_idle(engine.now()) {
            return Ok(incident);
        }
        let step = if incident.ended.is_some() {
            None
        } else {
            crew::next(&incident, &engine.runbook(), engine.now())
        };
        let Some(step) = step else {
            tokio::time::sleep(beat).await;
            continue;
        };
        if args.interactive && !screen.ask(&format!("{}: {}", step.name, step.what)).await? {
            tokio::time::sleep(Duration::from_secs(3)).await;
            continue;
        }
        take(dir, engine, id, step, screen).await?;
        tokio::time::sleep(think).await;
    }
}

/// Takes one step. A refusal is told and tried again, for what it asks for may come.
async fn take(dir: &Path, engine: &Engine, id: IncidentId, step: Move, screen: &Screen) -> Result<()> {
    let command = match step.action {
        Action::Command(command) => *command,
        Action::Publish => publish(dir, engine, id).await?,
    };
    let mut request = Request::new(step.id, step.who, command);
    request.origin = Origin::new("drill");
    match engine.send(id, request).await {
        Ok(_) => Ok(()),
        Err(error) if error.refusal().is_some() => {
            screen.line(&format!("{}: {} – {error}", step.name, step.what));
            tokio::time::sleep(Duration::from_millis(300)).await;
            Ok(())
        }
        Err(error) => Err(error.into()),
    }
}

/// Writes the post-mortem, and makes the command that publishes exactly those bytes.
async fn publish(dir: &Path, engine: &Engine, id: IncidentId) -> Result<Command> {
    let (document, _, up_to) = document(engine, id).await?;
    let text = document.to_markdown();
    let path = dir.join("post-mortem.md");
    write_whole(&path, &text)?;
    let link = path.canonicalize().unwrap_or(path).display().to_string();
    let sha256 = Digest::sha256(text.as_bytes());
    // The reader's own runbook may want more than the crew writes.
    let override_because = Some("an exercise: the crew writes no more".to_owned());
    Ok(Command::PublishPostMortem(PublishPostMortem { link: Some(link), sha256, up_to, override_because }))
}

/// The post-mortem, the records it is made of, and how far they reach.
async fn document(engine: &Engine, id: IncidentId) -> Result<(PostMortem, Vec<Record>, Seq)> {
    let handle = engine.incident(id);
    let verified = handle.verify(None).await?;
    let records = handle.records().await?;
    let document = PostMortem::write(&handle.state().await?, &records, &engine.runbook());
    Ok((document.with_head(verified.head), records, verified.version))
}

/// Says what came of it: the chain, the audit, and where everything is.
async fn report(dir: &Path, engine: &Engine, incident: &Incident, screen: &Screen) -> Result<()> {
    let verified = engine.incident(incident.id).verify(None).await?;
    let audit = engine.audit().await?;
    let (document, records, _) = document(engine, incident.id).await?;
    write_whole(&dir.join("report.md"), &document.to_markdown())?;
    write_whole(&dir.join("report.html"), &post_mortem_html(&document, incident, &records))?;
    screen.line("");
    screen.line(&format!(
        "{} records, unbroken up to {}; audit: {}",
        verified.version.0,
        verified.head.short(),
        if audit.is_clean() { "clean" } else { "NOT clean" }
    ));
    for finding in &audit.findings {
        screen.line(&format!("  {}: {}", finding.incident, finding.problem));
    }
    let owed = incident.obligations.values().map(|it| it.kind.to_string()).collect::<Vec<_>>().join(", ");
    screen.line(&format!("Open after the close: {}", if owed.is_empty() { "nothing" } else { &owed }));
    for (what, file) in [
        ("Post-mortem", "report.html"),
        ("as Markdown", "report.md"),
        ("Database", "incidents.db"),
        ("Notices", "notices.txt"),
        ("Tickets", "tickets"),
    ] {
        let path = dir.join(file);
        if path.exists() {
            screen.line(&format!("{what:<12} {}", path.display()));
        }
    }
    if audit.is_clean() { Ok(()) } else { Err("the audit found something".into()) }
}

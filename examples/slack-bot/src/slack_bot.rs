//! A bot that runs incidents in Slack: it pages, keeps the thread, takes commands and approvals, and survives its restart.
//!
//! Make an app from `manifest.yaml`, invite it into a channel, and start it with its two tokens:
//!
//! ```console
//! $ export SLACK_BOT_TOKEN=xoxb-…  SLACK_APP_TOKEN=xapp-…
//! $ cargo run -p incident-slack-bot -- --channel C024BE7LH
//! ```

mod bot;
mod find;
mod forms;
mod setup;

use std::error::Error;
use std::fs;
use std::io::{self, Write};
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use incident_core::config::SecretRef;
use incident_core::local::FolderEvidence;
use incident_core::port::EvidenceStore;
use incident_core::{Engine, Runbook};
use incident_slack::socket::SocketMode;
use incident_slack::{RoomConfig, SlackBackend, SlackConfig};
use incident_sqlite::SqliteStore;
use tokio::sync::mpsc;

use bot::Bot;
use setup::limits;

/// How long after a refused connection the next is tried.
const AGAIN: Duration = Duration::from_secs(60);
const ARCHIVE_EVERY: Duration = Duration::from_secs(3600);

const USAGE: &str = "\
usage: slack_bot --channel ID [OPTIONS]
  --channel ID       the channel that pages go to and threads begin in, C…
  --rooms            a channel of its own for each incident
  --runbook FILE     your runbook, laid over the default one: who may approve is in it
  --database FILE    where incidents are kept (incidents.db)
  --documents FOLDER where post-mortems are kept (documents)
  --api-url ADDRESS  where Slack's API is (https://slack.com/api)
SLACK_BOT_TOKEN is the bot's token, xoxb-…; SLACK_APP_TOKEN the app's, xapp-…, with the scope connections:write.";

#[derive(Debug, Default)]
struct Args {
    channel: String,
    rooms: bool,
    runbook: Option<String>,
    database: Option<String>,
    documents: Option<String>,
    api_url: Option<String>,
}

impl Args {
    fn parse(mut args: impl Iterator<Item = String>) -> Result<Self, String> {
        let mut parsed = Self::default();
        while let Some(name) = args.next() {
            if name == "--rooms" {
                parsed.rooms = true;
                continue;
            }
            let value = args.next().ok_or_else(|| format!("{name} needs a value\n\n{USAGE}"))?;
            match &*name {
                "--channel" => parsed.channel = value,
                "--runbook" => parsed.runbook = Some(value),
                "--database" => parsed.database = Some(value),
                "--documents" => parsed.documents = Some(value),
                "--api-url" => parsed.api_url = Some(value),
                _ => return Err(format!("unknown option {name:?}\n\n{USAGE}")),
            }
        }
        if parsed.channel.is_empty() { Err(format!("--channel is missing\n\n{USAGE}")) } else { Ok(parsed) }
    }

    fn config(&self) -> SlackConfig {
        let mut config = SlackConfig::new(SecretRef::Env("SLACK_BOT_TOKEN".to_owned()), &self.channel);
        config.buttons = true;
        config.rooms = self.rooms.then(RoomConfig::default);
        if let Some(api_url) = &self.api_url {
            config.api_url.clone_from(api_url);
        }
        config
    }
}

async fn run(args: Args) -> Result<(), Box<dyn Error>> {
    let runbook = match &args.runbook {
        Some(file) => {
            Runbook::from_toml(&fs::read_to_string(file).map_err(|error| format!("{file}: {error}"))?)?
        }
        None => Runbook::default(),
    };
    let config = args.config();
    let slack = SlackBackend::new(&config)?;
    let socket = SocketMode::new(&config, &SecretRef::Env("SLACK_APP_TOKEN".to_owned()))?;
    let store = SqliteStore::open(args.database.as_deref().unwrap_or("incidents.db"))?;
    let folder = args.documents.as_deref().unwrap_or("documents");
    let documents: Arc<dyn EvidenceStore> = Arc::new(FolderEvidence::new(folder));
    let slack = slack.with_evidence(Arc::clone(&documents));
    let mut outside = config;
    outside.passes_on = true;
    outside.rooms = None;
    let outside = SlackBackend::new(&outside)?.into_ports();
    limits(&runbook).into_iter().for_each(|limit| warn(&limit));
    let engine = setup::engine(store, runbook, slack.clone().into_ports(), outside).build()?;
    check(&engine).await?;
    let (deliveries, mut inbox) = mpsc::channel(64);
    let bot = Arc::new(Bot::new(engine.clone(), slack, documents));
    writeln!(io::stdout(), "listening; try /incident help")?;
    // The engine goes on and pages whatever becomes of the connection that commands come over.
    let hearing = async {
        while let Some(delivery) = inbox.recv().await {
            let bot = Arc::clone(&bot);
            tokio::spawn(async move { bot.hear(delivery).await });
        }
    };
    let listening = async {
        loop {
            let refused = socket.listen(deliveries.clone()).await.err();
            let why = refused.map_or_else(|| "the connection ended".to_owned(), |error| said(&error));
            warn(&format!("no commands can be heard; trying again in a minute: {why}"));
            tokio::time::sleep(AGAIN).await;
        }
    };
    let archiving = async {
        loop {
            bot.archive().await;
            tokio::time::sleep(ARCHIVE_EVERY).await;
        }
    };
    tokio::select! {
        () = hearing => Ok(()),
        () = listening => Ok(()),
        () = archiving => Ok(()),
        _ = engine.run(async { drop(tokio::signal::ctrl_c().await) }) => Ok(()),
    }
}

/// Says what would fail in an incident before there is one. Only a token that Slack doesn't accept ends the program: nothing
/// could be said then. What Slack can't answer now is no reason to be without an engine.
async fn check(engine: &Engine) -> Result<(), Box<dyn Error>> {
    for found in engine.preflight().await.adapters.into_values().flatten() {
        match found {
            Err(error) => warn(&format!("this couldn't be checked: {error}")),
            Ok(found) => {
                for (what, then) in found.checks.into_iter().filter_map(|it| Some((it.what, it.missing?))) {
                    if what == incident_slack::TOKEN_ACCEPTED {
                        return Err(format!("{what}: {then}").into());
                    }
                    warn(&format!("{what}: {then}"));
                }
            }
        }
    }
    Ok(())
}

/// Tells whoever watches the program. Nobody is left to tell if that fails, too.
fn warn(what: &str) {
    let _ = writeln!(io::stderr(), "slack_bot: {what}");
}

/// An error with its causes, in one line.
fn said(error: &dyn Error) -> String {
    let mut line = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        line = format!("{line}: {error}");
        cause = error.source();
    }
    line
}

#[tokio::main]
async fn main() -> ExitCode {
    let outcome = match Args::parse(std::env::args().skip(1)) {
        Ok(args) => run(args).await,
        Err(usage) => Err(usage.into()),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            warn(&said(&*error));
            ExitCode::FAILURE
        }
    }
}

//! A bot that runs incidents in Slack: it pages, keeps the thread, takes commands and approvals, and survives its restart.
//!
//! Make an app from `manifest.yaml`, invite it into a channel, and start it with its two tokens:
//!
//! ```console
//! $ export SLACK_BOT_TOKEN=xoxb-…  SLACK_APP_TOKEN=xapp-…
//! $ cargo run -p incident-slack-bot -- --channel C024BE7LH
//! ```

mod bot;

use std::error::Error;
use std::fs;
use std::io::{self, Write};
use std::process::ExitCode;
use std::sync::Arc;

use incident_core::config::SecretRef;
use incident_core::{Engine, Runbook};
use incident_slack::socket::SocketMode;
use incident_slack::{RoomConfig, SlackBackend, SlackConfig};
use incident_sqlite::SqliteStore;
use tokio::sync::mpsc;

use bot::Bot;

const USAGE: &str = "\
usage: slack_bot --channel ID [OPTIONS]
  --channel ID       the channel that pages go to and threads begin in, C…
  --rooms            a channel of its own for each incident
  --runbook FILE     your runbook, laid over the default one: who may approve is in it
  --database FILE    where incidents are kept (incidents.db)
  --api-url ADDRESS  where Slack's API is (https://slack.com/api)
SLACK_BOT_TOKEN is the bot's token, xoxb-…; SLACK_APP_TOKEN the app's, xapp-…, with the scope connections:write.";

#[derive(Debug, Default)]
struct Args {
    channel: String,
    rooms: bool,
    runbook: Option<String>,
    database: Option<String>,
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
    let audiences = ["responders", "team", "leadership", "executives", "staff", "caretaker"];
    let engine = Engine::builder(store)
        .runbook(runbook)
        .ports("slack", slack.clone().into_ports())
        .route("slack", &audiences)
        .build()?;
    // What would fail in an incident is said before there is one.
    for found in engine.preflight().await.adapters.into_values().flatten() {
        let missing = found?.checks.into_iter().find_map(|check| Some((check.what, check.missing?)));
        if let Some((what, then)) = missing {
            return Err(format!("{what}: {then}").into());
        }
    }
    let (deliveries, mut inbox) = mpsc::channel(64);
    let bot = Arc::new(Bot::new(engine.clone(), slack));
    writeln!(io::stdout(), "listening; try /incident help")?;
    tokio::select! {
        () = async { while let Some(delivery) = inbox.recv().await {
            let bot = Arc::clone(&bot);
            tokio::spawn(async move { bot.hear(delivery).await });
        }} => Ok(()),
        closed = socket.listen(deliveries) => Ok(closed?),
        _ = engine.run(async { drop(tokio::signal::ctrl_c().await) }) => Ok(()),
    }
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
            let mut line = error.to_string();
            let mut cause = error.source();
            while let Some(error) = cause {
                line = format!("{line}: {error}");
                cause = error.source();
            }
            // Nobody is left to tell if this fails, too.
            let _ = writeln!(io::stderr(), "slack_bot: {line}");
            ExitCode::FAILURE
        }
    }
}

//! The open follow-ups of your repository, the most urgent first: what a weekly review goes through.
//!
//! `GITHUB_TOKEN=… cargo run -p incident-snippets --example followups -- owner/name`
//!
//! It reads and changes nothing: a token that may read issues is enough.

use std::error::Error;
use std::fmt::Write as _;
use std::io::{self, Write as _};
use std::time::Duration;

use incident_core::Time;
use incident_core::config::SecretRef;
use incident_core::port::Clock;
use incident_core::runtime::SystemClock;
use incident_github::{GithubBackend, GithubConfig};

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let Some(repository) = std::env::args().nth(1) else {
        return Err("expected a repository: followups owner/name".into());
    };
    let mut config = GithubConfig::new(&repository);
    config.token = Some(SecretRef::Env("GITHUB_TOKEN".to_owned()));
    let told = follow_ups(config, SystemClock.now()).await?;
    write!(io::stdout(), "{told}")?;
    Ok(())
}

/// A line for each, with the day it is due, whose it is and where it is.
pub(crate) async fn follow_ups(config: GithubConfig, now: Time) -> Result<String, Box<dyn Error>> {
    let tracker = GithubBackend::connect(config)?.into_tracker();
    let mut open = tracker.open_follow_ups(now, Duration::from_secs(30)).await?;
    // Those without a day come last.
    open.sort_by_key(|ticket| (ticket.due.is_none(), ticket.due));
    let mut told = format!("{} open\n", open.len());
    for ticket in open {
        let due = ticket.due.map_or_else(|| "some day".to_owned(), |due| due.format("%Y-%m-%d").to_string());
        let late = if ticket.due.is_some_and(|due| due < now) { " OVERDUE" } else { "" };
        let owners: Vec<_> =
            ticket.assignees.iter().map(|it| it.account_in("github").unwrap_or("?")).collect();
        let owner = if owners.is_empty() { "nobody".to_owned() } else { owners.join(", ") };
        writeln!(told, "{due}{late}  {owner}  {}  {}", ticket.reference, ticket.title)?;
    }
    Ok(told)
}

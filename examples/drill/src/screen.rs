//! What the reader sees: the timeline as it grows, and on a terminal a line beneath it with what is due.

use std::error::Error;
use std::io::{self, IsTerminal, Write};
use std::process::ExitCode;

use incident_core::log::event::Record;
use incident_core::log::incident::Incident;
use incident_core::model::inert;
use incident_core::model::time::Time;
use incident_core::model::time::{since, spoken};
use incident_core::views::timeline::{Importance, timeline};

/// The terminal, or whatever standard output is.
pub(crate) struct Screen {
    live: bool,
}

impl Screen {
    pub(crate) fn new() -> Self {
        Self { live: io::stdout().is_terminal() }
    }

    /// Adds a record to the timeline, if a reader in a hurry needs it.
    pub(crate) fn record(&self, incident: &Incident, record: &Record) {
        for entry in timeline(incident, std::slice::from_ref(record)) {
            if entry.importance == Importance::Key {
                let time = entry.occurred_at.format("%H:%M:%S%.3f");
                let actor = entry.actor.to_string();
                self.line(&format!("{time}  {:<13} {actor:<13} {}", incident.phase.to_string(), entry.what));
            }
        }
    }

    /// Prints a line above the status.
    pub(crate) fn line(&self, line: &str) {
        let line = inert::line(line);
        write(&if self.live { format!("\r\x1b[2K{line}\n") } else { format!("{line}\n") });
    }

    /// Renews the status on a terminal: phase, severity, and the next deadline.
    pub(crate) fn status(&self, incident: &Incident, now: Time) {
        if !self.live {
            return;
        }
        let next = incident.obligations.values().filter(|it| it.armed).min_by_key(|it| it.due);
        let next = next.map_or_else(
            || "nothing is due".to_owned(),
            |owed| format!("{} in {}", owed.kind, spoken(since(owed.due, now))),
        );
        let (severity, phase) = (incident.severity, incident.phase);
        write(&format!("\r\x1b[2K\x1b[7m DRILL \x1b[0m {severity} · {phase} · {next}"));
    }

    /// Asks the person; anything but a no is a yes.
    pub(crate) async fn ask(&self, question: &str) -> io::Result<bool> {
        write(&format!("\r{}? [Y/n] ", inert::line(question)));
        let answer = tokio::task::spawn_blocking(|| {
            let mut answer = String::new();
            io::stdin().read_line(&mut answer).map(|read| (read, answer))
        });
        let (read, answer) = answer.await.map_err(io::Error::other)??;
        if read == 0 {
            return Err(io::Error::new(io::ErrorKind::UnexpectedEof, "nobody answers; go on with --resume"));
        }
        Ok(!answer.trim().to_lowercase().starts_with('n'))
    }
}

/// Somebody who closed the pipe doesn't want to read on; the drill goes on.
fn write(text: &str) {
    let mut out = io::stdout().lock();
    let _ = out.write_all(text.as_bytes()).and_then(|()| out.flush());
}

pub(crate) fn say(line: &str) {
    write(&format!("{line}\n"));
}

#[allow(clippy::print_stderr, reason = "this is a program, and that is its output")]
pub(crate) fn fail(error: &dyn Error) -> ExitCode {
    eprintln!("drill: {error}");
    let mut source = error.source();
    while let Some(cause) = source {
        eprintln!("  because: {cause}");
        source = cause.source();
    }
    ExitCode::FAILURE
}

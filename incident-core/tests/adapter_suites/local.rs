//! The adapters that need no backend keep the promises, too.

use std::sync::Arc;

use async_trait::async_trait;
use incident_core::conformance::backend::{Arrival, Backend, Fault};
use incident_core::conformance::notifier::{self, NotifierHarness};
use incident_core::conformance::tracker::{self, TrackerHarness};
use incident_core::local::{Console, Folder};
use incident_core::model::ticket::TicketRef;
use incident_core::port::{Notifier, Tracker};

/// Lines that a console wrote.
#[derive(Debug, Clone, Default)]
struct Screen(Arc<std::sync::Mutex<Vec<u8>>>);

impl std::io::Write for Screen {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

struct AtTheConsole {
    folder: tempfile::TempDir,
    screen: Screen,
}

#[async_trait]
impl Backend for AtTheConsole {
    async fn meets(&self, _: Fault) -> bool {
        false
    }

    async fn inbox(&self) -> Vec<Arrival> {
        let shown = String::from_utf8(self.screen.0.lock().unwrap().clone()).unwrap();
        let record = std::fs::read_to_string(self.folder.path().join("record")).unwrap_or_default();
        let lines = record.lines().filter_map(|line| serde_json::from_str::<serde_json::Value>(line).ok());
        lines
            .map(|line| {
                let effect = line["effect"].as_str().and_then(|it| it.parse().ok());
                Arrival::new(effect, &shown).marked(line["possible_repeat"] == true)
            })
            .collect()
    }

    async fn writes(&self) -> usize {
        self.inbox().await.len()
    }

    fn acts(&self, text: &str) -> Vec<String> {
        let acts = ["@channel", "@here", "\u{202e}", "\u{7}", "\u{1b}"];
        acts.into_iter().filter(|act| text.contains(act)).map(str::to_owned).collect()
    }
}

#[async_trait]
impl NotifierHarness for AtTheConsole {
    async fn notifier(&self) -> Arc<dyn Notifier> {
        Arc::new(Console::to(self.screen.clone()).with_record(self.folder.path().join("record")))
    }
}

#[tokio::test]
async fn the_console_keeps_the_promises_of_a_notifier() {
    let make = || AtTheConsole { folder: tempfile::tempdir().unwrap(), screen: Screen::default() };
    notifier::check(make).await.assert();
}

struct InAFolder(tempfile::TempDir);

#[async_trait]
impl Backend for InAFolder {
    async fn meets(&self, _: Fault) -> bool {
        false
    }

    async fn inbox(&self) -> Vec<Arrival> {
        let files = std::fs::read_dir(self.0.path()).unwrap().map(|file| file.unwrap().path());
        let mut arrivals = Vec::new();
        for file in files.filter(|file| file.extension().is_some_and(|it| it == "md")) {
            let text = std::fs::read_to_string(file).unwrap();
            let marks = text
                .lines()
                .filter_map(|line| line.strip_prefix("<!-- incident-effect: ")?.split(' ').next());
            arrivals.extend(marks.map(|mark| Arrival::new(mark.parse().ok(), &text)));
        }
        arrivals
    }

    async fn writes(&self) -> usize {
        self.inbox().await.len()
    }

    fn acts(&self, text: &str) -> Vec<String> {
        let acts = ["@channel", "\u{202e}", "<script>", "[x](javascript"];
        acts.into_iter().filter(|act| text.contains(act)).map(str::to_owned).collect()
    }
}

#[async_trait]
impl TrackerHarness for InAFolder {
    async fn tracker(&self) -> Arc<dyn Tracker> {
        Arc::new(Folder::new(self.0.path()))
    }

    async fn people_write(&self, ticket: &TicketRef, words: &str) -> bool {
        let path = self.0.path().join(ticket.as_str());
        let text = std::fs::read_to_string(&path).unwrap();
        std::fs::write(&path, format!("{text}\n{words}\n")).unwrap();
        true
    }

    async fn text(&self, ticket: &TicketRef) -> String {
        std::fs::read_to_string(self.0.path().join(ticket.as_str())).unwrap_or_default()
    }
}

#[tokio::test]
async fn the_folder_keeps_the_promises_of_a_tracker() {
    tracker::check(|| InAFolder(tempfile::tempdir().unwrap())).await.assert();
}

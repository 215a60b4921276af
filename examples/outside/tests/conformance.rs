use std::{fs, sync::Arc};

use async_trait::async_trait;
use incident_core::conformance::backend::{Arrival, Backend, Fault};
use incident_core::conformance::notifier::{self, NotifierHarness};
use incident_core::port::Notifier;
use incident_journal::Journal;

struct Desk(tempfile::TempDir);

#[async_trait]
impl Backend for Desk {
    async fn meets(&self, _: Fault) -> bool {
        false // a file has no replies to lose
    }

    async fn inbox(&self) -> Vec<Arrival> {
        let text = fs::read_to_string(self.0.path().join("journal")).unwrap_or_default();
        let read = |line: &str| Arrival::new(line.split(' ').next().and_then(|it| it.parse().ok()), line);
        text.lines().map(read).collect()
    }

    async fn writes(&self) -> usize {
        self.inbox().await.len()
    }

    fn acts(&self, text: &str) -> Vec<String> {
        ["@channel", "@here", "\u{202e}"].iter().filter(|it| text.contains(**it)).map(|it| (*it).to_owned()).collect()
    }
}

#[async_trait]
impl NotifierHarness for Desk {
    async fn notifier(&self) -> Arc<dyn Notifier> {
        Arc::new(Journal(self.0.path().join("journal")))
    }
}

#[tokio::test]
async fn the_journal_keeps_the_promises_of_a_notifier() {
    notifier::check(|| Desk(tempfile::tempdir().unwrap())).await.assert();
}

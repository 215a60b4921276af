use std::{fs, sync::Arc};

use async_trait::async_trait;
use incident_core::conformance::backend::{Arrival, Backend, Fault};
use incident_core::conformance::mitigator::{self, MitigatorHarness};
use incident_core::conformance::notifier::{self, NotifierHarness};
use incident_core::conformance::probe::{self, ProbeHarness};
use incident_core::conformance::tracker::{self, TrackerHarness};
use incident_core::model::mitigation::{Mitigation, SwitchFeature};
use incident_core::model::ticket::TicketRef;
use incident_core::port::{Mitigator, Notifier, Probe, Tracker};
use incident_desk::{Cards, Journal, Lamp, Switch};

/// The folder of one desk, and what is to be read there.
struct Desk(tempfile::TempDir);

impl Desk {
    fn new() -> Self {
        let desk = Self(tempfile::tempdir().unwrap());
        fs::create_dir(desk.0.path().join("cards")).unwrap();
        fs::write(desk.0.path().join("switch"), r#"{ "on": true, "version": 0, "effect": null }"#).unwrap();
        desk
    }

    fn read(&self, file: &str) -> String {
        fs::read_to_string(self.0.path().join(file)).unwrap_or_default()
    }

    fn switch(&self) -> serde_json::Value {
        serde_json::from_str(&self.read("switch")).unwrap()
    }

    /// Every entry of every card, in the order in which they were made.
    fn entries(&self) -> Vec<Arrival> {
        let cards = fs::read_dir(self.0.path().join("cards")).unwrap().map(|card| card.unwrap().path());
        let mut entries = Vec::new();
        for card in cards {
            let card: serde_json::Value = serde_json::from_slice(&fs::read(card).unwrap()).unwrap();
            for (at, entry) in card["entries"].as_array().unwrap().iter().enumerate() {
                let title = if at == 0 { card["title"].as_str().unwrap() } else { "" };
                let text = format!("{title} {}", entry[1].as_str().unwrap());
                entries.push(Arrival::new(entry[0].as_str().unwrap().parse().ok(), &text));
            }
        }
        entries
    }
}

#[async_trait]
impl Backend for Desk {
    async fn meets(&self, _: Fault) -> bool {
        false // a file has no replies to lose
    }

    async fn inbox(&self) -> Vec<Arrival> {
        let journal = self.read("journal");
        let line = |line: &str| Arrival::new(line.split(' ').next().and_then(|it| it.parse().ok()), line);
        let switched = self.switch()["version"].as_u64().unwrap();
        let turn =
            |_| Arrival::new(self.switch()["effect"].as_str().and_then(|it| it.parse().ok()), "switched");
        journal.lines().map(line).chain(self.entries()).chain((0..switched).map(turn)).collect()
    }

    async fn writes(&self) -> usize {
        self.inbox().await.len()
    }

    fn acts(&self, text: &str) -> Vec<String> {
        ["@channel", "@here", "\u{202e}"]
            .iter()
            .filter(|it| text.contains(**it))
            .map(|it| (*it).to_owned())
            .collect()
    }
}

#[async_trait]
impl NotifierHarness for Desk {
    async fn notifier(&self) -> Arc<dyn Notifier> {
        Arc::new(Journal(self.0.path().join("journal")))
    }
}

#[async_trait]
impl TrackerHarness for Desk {
    async fn tracker(&self) -> Arc<dyn Tracker> {
        Arc::new(Cards(self.0.path().join("cards")))
    }

    async fn text(&self, ticket: &TicketRef) -> String {
        self.read(&format!("cards/{}.json", ticket.as_str().replace(['/', '\\', '.'], "-")))
    }
}

#[async_trait]
impl MitigatorHarness for Desk {
    async fn mitigator(&self) -> Arc<dyn Mitigator> {
        Arc::new(Switch(self.0.path().join("switch")))
    }

    fn mitigation(&self) -> Mitigation {
        Mitigation::SwitchFeature(SwitchFeature { feature: "pricing".to_owned(), on: false })
    }

    async fn state(&self) -> String {
        self.switch()["on"].to_string()
    }

    async fn meddle(&self) {
        let mut switch = self.switch();
        switch["version"] = (switch["version"].as_u64().unwrap() + 1).into();
        fs::write(self.0.path().join("switch"), switch.to_string()).unwrap();
    }
}

#[async_trait]
impl ProbeHarness for Desk {
    async fn probe(&self) -> Arc<dyn Probe> {
        Arc::new(Lamp(self.0.path().join("lamp")))
    }

    async fn set(&self, well: bool) {
        fs::write(self.0.path().join("lamp"), if well { "green" } else { "red" }).unwrap();
    }
}

#[tokio::test]
async fn the_journal_keeps_the_promises_of_a_notifier() {
    notifier::check(Desk::new).await.assert();
}

#[tokio::test]
async fn cards_keep_the_promises_of_a_tracker() {
    tracker::check(Desk::new).await.assert();
}

#[tokio::test]
async fn the_switch_keeps_the_promises_of_a_mitigator() {
    mitigator::check(Desk::new).await.assert();
}

#[tokio::test]
async fn the_lamp_keeps_the_promises_of_a_probe() {
    probe::check(Desk::new).await.assert();
}

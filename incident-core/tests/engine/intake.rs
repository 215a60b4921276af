//! Alerts find an incident whatever they lack and whatever stands in their way.

use std::sync::Arc;
use std::time::Duration;

use incident_core::log::incident::Incident;
use incident_core::log::index::{FOLD, Index, Key};
use incident_core::model::effect::Urgency;
use incident_core::model::id::IncidentId;
use incident_core::model::notice::NoticeKind;
use incident_core::model::phase::Phase;
use incident_core::model::severity::Severity;
use incident_core::model::signal::WorseNews;
use incident_core::model::signal::{Detection, Signal};
use incident_core::model::time::Time;
use incident_core::port::store::Commit;
use incident_core::port::{Clock as _, Store as _};
use incident_core::runtime::{Engine, ManualClock};
use incident_core::store::MemoryStore;
use incident_core::views::timeline::timeline;

use crate::clock;
use crate::world::{self, Shared, human};

fn alert(name: &str) -> Signal {
    Signal::firing(name, "error rate above 5 %", Detection::MetricAlert)
        .with_label("alertname", name)
        .with_label("service", "checkout")
        .with_label("severity", "critical")
}

struct Place {
    clock: Arc<ManualClock>,
    world: Shared,
    store: MemoryStore,
}

impl Place {
    fn new() -> Self {
        Self { clock: clock(), world: Shared::default(), store: MemoryStore::new() }
    }

    fn engine(&self, seed: u64) -> Engine {
        world::engine(Arc::new(self.store.clone()), &self.clock, &self.world, seed)
    }

    /// The incidents of which somebody was paged.
    fn paged(&self) -> Vec<IncidentId> {
        let world = self.world.lock().unwrap();
        let pages = world.notices.iter().filter(|(_, kind, _)| *kind == NoticeKind::Page);
        pages.map(|(effect, ..)| effect.incident).collect()
    }

    /// Commits a row for an incident at its present version, as another engine might have.
    async fn put_row(&self, id: IncidentId, at: &Incident, row: Index) {
        self.store.commit(id, at.version, &Commit::new(Vec::new(), row, self.clock.now())).await.unwrap();
    }
}

async fn state(engine: &Engine, id: IncidentId) -> Incident {
    engine.incident(id).state().await.unwrap()
}

/// What the timeline of an incident says.
async fn said(engine: &Engine, id: IncidentId) -> String {
    let handle = engine.incident(id);
    let lines = timeline(&handle.state().await.unwrap(), &handle.records().await.unwrap());
    lines.into_iter().map(|line| line.what).collect::<Vec<_>>().join("\n")
}

#[tokio::test]
async fn no_alert_is_refused_for_what_it_lacks_or_how_it_looks() {
    let without = |label: &str| {
        let mut it = alert("DiskFull");
        it.labels.remove(label);
        it
    };
    let with = |label: &str, value: &str| alert("DiskFull").with_label(label, value);
    let summary = |words: &str| {
        let mut it = alert("DiskFull");
        it.summary = words.to_owned();
        it
    };
    let fingerprint = |words: &str| {
        let mut it = alert("DiskFull");
        it.fingerprint = words.to_owned();
        it
    };
    let time = |text: &str| text.parse::<Time>().unwrap();
    let bare = Signal::firing("", "", Detection::MetricAlert);
    let link = |link: &str| alert("DiskFull").with_link(link);
    for (name, signal, group, note) in [
        ("no service", without("service"), "DiskFull", "no label service"),
        ("an empty service", with("service", ""), "DiskFull", "no label service"),
        ("a blank service", with("service", " \t\n"), "DiskFull", "no label service"),
        ("a long service", with("service", &"x".repeat(9_000)), "xxx", ""),
        ("a service that acts", with("service", "a\0b\u{1b}[2J\u{202e}\n@here"), "a\\u{0}b", ""),
        ("a service in Chinese", with("service", "节点状态"), "节点状态", ""),
        ("nothing at all", bare, "unlabelled", "no label severity: SEV2 assumed"),
        ("no severity", without("severity"), "checkout", "no label severity: SEV2 assumed"),
        (
            "an odd severity",
            with("severity", "\u{1b}[31mhot"),
            "checkout",
            "isn't in the runbook: SEV2 assumed",
        ),
        ("an empty summary", summary(""), "checkout", ""),
        ("a blank summary", summary(" \n"), "checkout", ""),
        ("a long summary", summary(&"é".repeat(9_000)), "checkout", "the summary is shortened"),
        ("an empty fingerprint", fingerprint(""), "checkout", ""),
        ("a long fingerprint", fingerprint(&"f".repeat(9_000)), "checkout", ""),
        ("an empty link", link(""), "checkout", "the link is left out"),
        ("a blank link", link("  "), "checkout", "the link is left out"),
        (
            "a long link",
            link(&format!("http://m.example/{}", "q".repeat(9_000))),
            "checkout",
            "the link is left out",
        ),
        ("a dashboard's link", link(&format!("http://m.example/{}", "q".repeat(1_500))), "checkout", ""),
        ("a future start", alert("DiskFull").started_at(time("2099-01-01T00:00:00Z")), "checkout", ""),
        ("an old start", alert("DiskFull").started_at(time("1970-01-01T00:00:01Z")), "checkout", ""),
    ] {
        let place = Place::new();
        let engine = place.engine(1);
        let taken = engine.ingest(
            "\u{1b}alertmanager\0",
            vec![alert("Healthy").with_label("service", "other"), signal.clone()],
        );
        let taken = taken.await.unwrap_or_else(|error| panic!("{name}: {error:?}"));
        assert_eq!(taken.declared.len(), 2, "{name}");
        engine.tick(Time::MAX_UTC).await.unwrap();
        let mut found = None;
        for id in &taken.declared {
            let it = state(&engine, *id).await;
            assert!(place.paged().contains(id) && it.firing.len() == 1, "{name}");
            if it.signal_group.as_deref() != Some("other") {
                found = Some(it);
            }
        }
        let it = found.unwrap();
        assert!(it.signal_group.as_ref().unwrap().starts_with(group), "{name}: {:?}", it.signal_group);
        let said = said(&engine, it.id).await;
        assert!(said.contains(note), "{name}: {said}");
        engine.ingest("alertmanager", vec![signal.resolved()]).await.unwrap();
        assert!(state(&engine, it.id).await.firing.is_empty(), "{name}: and it ends");
    }
}

#[tokio::test]
async fn alerts_without_the_label_are_grouped_by_their_names() {
    let place = Place::new();
    let engine = place.engine(1);
    let node = |n: usize, name: &str| {
        let mut it = alert(name).with_label("node", &n.to_string());
        it.fingerprint = String::new();
        it.labels.remove("service");
        it
    };
    let storm = (0..500).map(|n| node(n, "NodeDown")).chain((0..500).map(|n| node(n, "DiskFull")));
    let taken = engine.ingest("alertmanager", storm.collect()).await.unwrap();
    assert_eq!(taken.declared.len(), 2);
    for id in taken.declared {
        assert_eq!(state(&engine, id).await.firing.len(), 500);
    }
}

/// What stands in the way of an alert whose group an incident holds.
#[derive(Debug, Clone, Copy)]
enum Obstacle {
    /// Its log can't be read.
    Unreadable,
    /// A newer version keeps it.
    Newer,
    /// It ended, and its row still has the name.
    Ended,
    /// The one that took its place can't be read either.
    Twice,
}

impl Obstacle {
    async fn put(self, place: &Place, held: IncidentId) {
        let before = place.engine(90).incident(held).state().await.unwrap();
        let key = Key::held(format!("signal/{}", before.signal_group.as_deref().unwrap()));
        let row = |at: &Incident| Index::new(at.version, None, Urgency::PAGE).with_keys(vec![key.clone()]);
        match self {
            Self::Unreadable | Self::Twice => {
                crate::estrange(&place.store, held).await;
                let mut after = before.clone();
                after.version = before.version.next();
                place.put_row(held, &after, row(&after)).await;
            }
            Self::Newer => place.put_row(held, &before, row(&before).computed_by(FOLD + 1)).await,
            Self::Ended => {
                place.engine(91).incident(held).as_actor(human("alice")).cancel("a test").await.unwrap();
                let after = place.engine(92).incident(held).state().await.unwrap();
                place.put_row(held, &after, row(&after)).await;
            }
        }
    }
}

#[tokio::test]
async fn whatever_stands_in_the_way_of_an_alert_ends_in_a_new_incident_that_says_why() {
    for (obstacle, why) in [
        (Obstacle::Unreadable, "can't be read"),
        (Obstacle::Newer, "a newer version"),
        (Obstacle::Ended, "has let the group of alerts go"),
        (Obstacle::Twice, "can't be read"),
    ] {
        let place = Place::new();
        let mut held =
            place.engine(1).ingest("alertmanager", vec![alert("First")]).await.unwrap().declared[0];
        obstacle.put(&place, held).await;
        if matches!(obstacle, Obstacle::Twice) {
            held = place.engine(2).ingest("alertmanager", vec![alert("Second")]).await.unwrap().declared[0];
            obstacle.put(&place, held).await;
        }
        let engine = place.engine(3);
        let taken = engine.ingest("alertmanager", vec![alert("Third")]).await;
        let taken = taken.unwrap_or_else(|error| panic!("{obstacle:?}: {error:?}"));
        let id = *taken.declared.first().unwrap_or_else(|| panic!("{obstacle:?}: {taken:?}"));
        let tick = engine.tick(Time::MAX_UTC).await.unwrap();
        assert!(place.paged().contains(&id), "{obstacle:?} {tick:?} {:?}", state(&engine, id).await);
        let said = said(&engine, id).await;
        assert!(said.contains(why), "{obstacle:?}: {said}");

        // Every engine finds it again, for further alerts and for their end.
        for (seed, signal) in [(5, alert("Fourth")), (6, alert("Fifth"))] {
            let again = place.engine(seed).ingest("alertmanager", vec![signal]).await.unwrap();
            assert_eq!((again.declared.len(), again.joined), (0, vec![id]), "{obstacle:?}");
        }
        let over = ["Third", "Fourth", "Fifth"].map(|name| alert(name).resolved()).to_vec();
        assert_eq!(engine.ingest("alertmanager", over).await.unwrap().pointless, 0, "{obstacle:?}");
        assert!(state(&engine, id).await.firing.is_empty(), "{obstacle:?}");
    }
}

#[tokio::test]
async fn a_stale_alert_after_the_close_declares_nothing_and_a_new_occurrence_does() {
    let place = Place::new();
    let engine = place.engine(1);
    let began = place.clock.now();
    place.clock.advance(Duration::from_secs(60));
    let fires = || alert("DiskFull").started_at(began);
    let id = engine.ingest("alertmanager", vec![fires()]).await.unwrap().declared[0];
    place.clock.advance(Duration::from_secs(60));
    let over = fires().resolved().ended_at(place.clock.now());
    engine.ingest("alertmanager", vec![over]).await.unwrap();
    world::play(std::slice::from_ref(&engine), &place.clock, id).await;
    assert!(state(&engine, id).await.ended.is_some());
    place.clock.advance(Duration::from_secs(86_400));

    for seed in [1, 2] {
        let again = place.engine(seed).ingest("alertmanager", vec![fires()]).await.unwrap();
        assert_eq!((again.declared.len(), again.joined.len(), again.stale), (0, 0, 1));
    }
    assert_eq!(said(&engine, id).await.matches("stale").count(), 1);

    let new = alert("DiskFull").started_at(place.clock.now());
    let again = engine.ingest("alertmanager", vec![fires(), new]).await.unwrap();
    assert_eq!(again.declared.len(), 1);
    let it = state(&engine, again.declared[0]).await;
    assert!(it.firing.len() == 1 && it.related.contains_key(&id));
}

#[tokio::test]
async fn words_of_severity_mean_what_the_runbook_says() {
    use Severity::{Sev1, Sev2, Sev3, Sev4};
    for (word, severity) in [
        ("critical", Some(Sev1)),
        ("Critical", Some(Sev1)),
        (" PAGE ", Some(Sev1)),
        ("P1", Some(Sev1)),
        ("emergency", Some(Sev1)),
        ("fatal", Some(Sev1)),
        ("disaster", Some(Sev1)),
        ("sev1", Some(Sev1)),
        ("SEV2", Some(Sev2)),
        ("error", Some(Sev2)),
        ("high", Some(Sev2)),
        ("warn", Some(Sev3)),
        ("Warning", Some(Sev3)),
        ("ticket", Some(Sev4)),
        ("low", Some(Sev4)),
        ("none", None),
        ("INFO", None),
        ("informational", None),
        ("debug", None),
        // Nobody knows these.
        ("", Some(Sev2)),
        ("orange", Some(Sev2)),
        ("0", Some(Sev2)),
    ] {
        let engine = Place::new().engine(1);
        let signal = alert("DiskFull").with_label("severity", word);
        let taken = engine.ingest("alertmanager", vec![signal.clone()]).await.unwrap();
        match severity {
            Some(severity) => {
                let it = state(&engine, taken.declared[0]).await;
                let assumed = ["", "orange", "0"].contains(&word);
                assert_eq!((it.severity, it.severity_assigned), (severity, !assumed), "{word}");
            }
            None => {
                assert_eq!(taken.ignored.iter().collect::<Vec<_>>(), [(&word.to_owned(), &1)]);
                assert!(taken.declared.is_empty() && taken.unmatched == 0, "{word}");
                let over = engine.ingest("alertmanager", vec![signal.resolved()]).await.unwrap();
                assert_eq!(over.pointless, 1, "{word}");
            }
        }
    }
}

#[tokio::test]
async fn worse_news_on_another_replica_raises_and_pages() {
    let place = Place::new();
    let one = place.engine(1);
    let minor = alert("Slow").with_label("severity", "minor");
    let id = one.ingest("alertmanager", vec![minor]).await.unwrap().declared[0];
    one.incident(id).as_actor(human("alice")).acknowledge().await.unwrap();
    one.tick(Time::MAX_UTC).await.unwrap();
    let before = place.paged().len();
    // The other one may take the incident over once the first one's lease has ended.
    place.clock.advance(Duration::from_secs(300));

    let other = place.engine(2);
    assert_eq!(other.ingest("alertmanager", vec![alert("Down")]).await.unwrap().joined, [id]);
    other.tick(Time::MAX_UTC).await.unwrap();
    let it = state(&one, id).await;
    assert_eq!((it.severity, it.phase, place.paged().len()), (Severity::Sev1, Phase::Detection, before + 1));
}

#[tokio::test]
async fn where_the_runbook_separates_severities_a_worse_alert_is_an_incident_of_its_own() {
    let place = Place::new();
    let mut runbook = world::runbook();
    runbook.signals.worse = WorseNews::Separate;
    let engine = place.engine(1);
    engine.set_runbook(runbook).unwrap();
    let minor = || alert("Slow").with_label("severity", "minor");
    let one = engine.ingest("alertmanager", vec![minor()]).await.unwrap().declared[0];
    let other = engine.ingest("alertmanager", vec![alert("Down")]).await.unwrap().declared[0];
    let severities = (state(&engine, one).await.severity, state(&engine, other).await.severity);
    assert_eq!(severities, (Severity::Sev3, Severity::Sev1));
    engine.ingest("alertmanager", vec![minor().resolved(), alert("Down").resolved()]).await.unwrap();
    assert!(state(&engine, one).await.firing.is_empty() && state(&engine, other).await.firing.is_empty());
}

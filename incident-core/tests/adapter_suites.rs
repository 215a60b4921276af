//! The suites for adapters notice what they should: each wrong adapter is caught, and its defect is named.

#![allow(
    clippy::unwrap_used,
    missing_docs,
    reason = "a test fails by panicking, and documents itself by its name"
)]

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use incident_core::conformance::backend::{Arrival, Backend, Fault};
use incident_core::conformance::fake::{FakeNotifier, FakeRemote, REMEMBERS};
use incident_core::conformance::notifier::{self, NotifierHarness};
use incident_core::conformance::tracker::{self, TrackerHarness};
use incident_core::domain::Receipt;
use incident_core::domain::notice::Notice;
use incident_core::domain::ticket::TicketRef;
use incident_core::local::{Console, Folder};
use incident_core::port::{
    Adapter, AdapterError, Capabilities, EffectContext, ErrorKind, Found, Notifier, Preflight,
    PreflightContext, Repeat, Tracker,
};

const SECRET: &str = "sesame-open-4711";

/// What is wrong with a notifier.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Wrong {
    ForgetsTheId,
    RepeatsAfterALostReply,
    IgnoresTheWait,
    AsksToRetryARefusal,
    LeaksIntoErrors,
    LeaksIntoDebug,
    LeaksIntoTheLog,
    SaysNothingHappened,
    FindsNothing,
    LetsTextThrough,
    IgnoresTheDeadline,
    HidesTheDrill,
    WritesInPreflight,
    DoesNotMarkRepeats,
    PretendsItWorked,
}

struct Notifying {
    remote: FakeRemote,
    wrong: Wrong,
    repeat: Repeat,
}

impl fmt::Debug for Notifying {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let token = if self.wrong == Wrong::LeaksIntoDebug { SECRET } else { "…" };
        f.debug_struct("Notifying").field("token", &token).finish_non_exhaustive()
    }
}

#[async_trait]
impl Adapter for Notifying {
    fn capabilities(&self) -> Capabilities {
        Capabilities::new("wrong")
    }

    async fn preflight(&self, _: &PreflightContext) -> Result<Preflight, AdapterError> {
        if self.wrong == Wrong::WritesInPreflight {
            self.remote.write(Arrival::new(None, "hello, is this thing on?")).await?;
        }
        Ok(Preflight::default())
    }
}

#[async_trait]
impl Notifier for Notifying {
    fn repeat(&self, _: &Notice) -> Repeat {
        self.repeat
    }

    async fn deliver(&self, cx: &EffectContext, notice: &Notice) -> Result<Receipt, AdapterError> {
        let wrong = |it| self.wrong == it;
        if wrong(Wrong::LeaksIntoTheLog) {
            tracing::debug!(token = SECRET, "sending");
        }
        let mut notice = notice.clone();
        notice.drill &= !wrong(Wrong::HidesTheDrill);
        let marked = notice.possible_repeat && !wrong(Wrong::DoesNotMarkRepeats);
        let text = if wrong(Wrong::LetsTextThrough) {
            format!("{} {}", notice.title, notice.lines.iter().map(|it| it.text.clone()).collect::<String>())
        } else {
            notice.to_text()
        };
        let effect = (!wrong(Wrong::ForgetsTheId)).then_some(cx.effect);
        let arrival = Arrival::new(effect, &text).marked(marked);
        let deadline = if wrong(Wrong::IgnoresTheDeadline) { Duration::from_secs(600) } else { cx.deadline };
        let broke = || AdapterError::new(ErrorKind::Unavailable, "send");
        let send = || async {
            let sent = tokio::time::timeout(deadline, self.remote.write(arrival.clone())).await;
            sent.unwrap_or_else(|_| Err(broke()))
        };
        let mut sent = send().await;
        if wrong(Wrong::RepeatsAfterALostReply) && sent.is_err() {
            sent = send().await;
        }
        match sent {
            Ok(()) => Ok(Receipt::new("m-1")),
            Err(_) if wrong(Wrong::PretendsItWorked) => Ok(Receipt::new("m-1")),
            Err(error) if wrong(Wrong::IgnoresTheWait) && error.kind == ErrorKind::RateLimited => {
                Err(error.retry_after(Some(Duration::ZERO)))
            }
            Err(error) if wrong(Wrong::AsksToRetryARefusal) => Err(error.retry_after(None)),
            Err(error) if wrong(Wrong::SaysNothingHappened) => Err(error.not_applied()),
            Err(error) if wrong(Wrong::LeaksIntoErrors) => {
                Err(error.caused_by(format!("token {SECRET} is bad")))
            }
            Err(error) => Err(error),
        }
    }

    async fn find(&self, cx: &EffectContext, notice: &Notice) -> Result<Found<Receipt>, AdapterError> {
        if self.wrong == Wrong::FindsNothing {
            return Ok(Found::No);
        }
        FakeNotifier(self.remote.clone()).find(cx, notice).await
    }
}

struct Harness {
    remote: FakeRemote,
    wrong: Wrong,
    repeat: Repeat,
}

#[async_trait]
impl Backend for Harness {
    async fn meets(&self, fault: Fault) -> bool {
        self.remote.meets(fault).await
    }

    async fn inbox(&self) -> Vec<Arrival> {
        self.remote.inbox().await
    }

    async fn writes(&self) -> usize {
        self.remote.writes().await
    }

    fn secret(&self) -> Option<String> {
        Some(SECRET.to_owned())
    }

    fn acts(&self, text: &str) -> Vec<String> {
        self.remote.acts(text)
    }
}

#[async_trait]
impl NotifierHarness for Harness {
    async fn notifier(&self) -> Arc<dyn Notifier> {
        Arc::new(Notifying { remote: self.remote.clone(), wrong: self.wrong, repeat: self.repeat })
    }
}

#[tokio::test]
async fn an_adapter_that_keeps_every_promise_passes() {
    for repeat in [Repeat::Native { within: REMEMBERS }, Repeat::Lookup, Repeat::Converging, Repeat::Visible]
    {
        notifier::check(|| FakeRemote::new(repeat)).await.assert();
    }
}

#[tokio::test]
async fn each_wrong_notifier_is_caught_and_its_defect_named() {
    for (wrong, repeat, case, names) in [
        (Wrong::ForgetsTheId, Repeat::Lookup, "a_notice_arrives_with_its_id", "forgets the effect's id"),
        (
            Wrong::RepeatsAfterALostReply,
            Repeat::Lookup,
            "a_write_is_sent_once",
            "2 requests to write reached the backend",
        ),
        (
            Wrong::IgnoresTheWait,
            Repeat::Lookup,
            "a_wait_is_passed_on",
            "asked to wait for 17s, and the error says Some(0ns)",
        ),
        (
            Wrong::AsksToRetryARefusal,
            Repeat::Lookup,
            "a_refusal_is_final",
            "said no for good, and it asks for a retry",
        ),
        (
            Wrong::LeaksIntoErrors,
            Repeat::Lookup,
            "no_secret_is_shown",
            "the secret is in the error after Break",
        ),
        (Wrong::LeaksIntoDebug, Repeat::Lookup, "no_secret_is_shown", "the secret is in Debug"),
        (Wrong::LeaksIntoTheLog, Repeat::Lookup, "no_secret_is_shown", "the secret is in a log"),
        (
            Wrong::SaysNothingHappened,
            Repeat::Lookup,
            "a_lost_reply_is_settled_as_declared",
            "says that nothing happened, and it may have",
        ),
        (
            Wrong::FindsNothing,
            Repeat::Lookup,
            "a_look_that_can_not_know_says_so",
            "says No of what was delivered",
        ),
        (Wrong::LetsTextThrough, Repeat::Lookup, "hostile_text_stays_text", "hostile text gets through"),
        (
            Wrong::IgnoresTheDeadline,
            Repeat::Lookup,
            "a_deadline_is_kept",
            "the call was given 400ms and went on",
        ),
        (Wrong::HidesTheDrill, Repeat::Lookup, "a_drill_says_so", "doesn't say that it is one"),
        (Wrong::WritesInPreflight, Repeat::Lookup, "preflight_writes_nothing", "preflight wrote something"),
        (
            Wrong::DoesNotMarkRepeats,
            Repeat::Visible,
            "a_lost_reply_is_settled_as_declared",
            "without saying that it may be a repeat",
        ),
        (
            Wrong::PretendsItWorked,
            Repeat::Lookup,
            "a_refusal_is_final",
            "the backend refused, and the call says it was done",
        ),
    ] {
        let report = notifier::check(|| Harness { remote: FakeRemote::new(repeat), wrong, repeat }).await;
        let found = report.broken.iter().find(|broken| broken.case == case);
        let found = found.unwrap_or_else(|| panic!("{wrong:?} isn't caught by {case}: {report}"));
        assert!(found.how.contains(names), "{wrong:?}: {found}");
    }
}

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

use std::fs;

use super::*;
use crate::model::id::{EffectId, IncidentId, Seq};
use crate::model::notice::NoticeKind;
use crate::model::severity::Audience;
use crate::model::time::Time;
use crate::port::Applied;

#[derive(Clone, Default)]
struct Paper(Arc<Mutex<Vec<u8>>>);

impl Paper {
    fn text(&self) -> String {
        String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
    }
}

impl Write for Paper {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn incident() -> IncidentId {
    IncidentId::new(Time::UNIX_EPOCH, [7; 16])
}

fn effect(seq: u64) -> EffectContext {
    EffectContext::new(EffectId { incident: incident(), seq: Seq(seq) }, Time::UNIX_EPOCH)
}

fn notice(title: &str) -> Notice {
    let mut notice = Notice::new(incident(), Seq(1), NoticeKind::Page, vec![Audience::new("team")], title);
    notice.drill = true;
    notice
}

async fn finds(console: &Console, seq: u64) -> Found<Receipt> {
    console.find(&effect(seq), &notice("x")).await.unwrap()
}

#[tokio::test]
async fn a_notice_is_written_as_inert_text() {
    let paper = Paper::default();
    let console = Console::to(paper.clone());
    console.deliver(&effect(1), &notice("down\u{1b}[2J\n@here")).await.unwrap();
    assert_eq!(paper.text(), "[DRILL] PAGE – SEV2 investigating – down\\u{1b}[2J @\u{200b}here\n\n");
    assert_eq!(console.repeat(&notice("x")), Repeat::Visible);
    assert_eq!(finds(&console, 1).await, Found::CannotTell);
}

#[tokio::test]
async fn what_is_on_the_record_is_found_also_by_the_next_process() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("notices.jsonl");
    let console = || Console::to(Paper::default()).with_record(&path);
    assert_eq!(console().repeat(&notice("x")), Repeat::Lookup);
    assert_eq!(finds(&console(), 1).await, Found::No);
    let receipt = console().deliver(&effect(1), &notice("hostile \"effect\":\n{}")).await.unwrap();
    console().deliver(&effect(1), &notice("again")).await.unwrap();
    console().deliver(&effect(11), &notice("another")).await.unwrap();
    assert_eq!(finds(&console(), 1).await, Found::Yes(receipt));
    assert_eq!(finds(&console(), 2).await, Found::No);
    let record = fs::read_to_string(&path).unwrap();
    let line: serde_json::Value = serde_json::from_str(record.lines().next().unwrap()).unwrap();
    let keys: Vec<_> = line.as_object().unwrap().keys().map(String::as_str).collect();
    assert_eq!(keys.len(), 8, "{keys:?}");
    assert_eq!(line["effect"], effect(1).effect.to_string());
    assert_eq!((&line["drill"], &line["kind"]), (&true.into(), &"page".into()));
}

#[tokio::test]
async fn a_torn_line_doesnt_count_and_is_cut_off() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("notices.jsonl");
    let paper = Paper::default();
    let console = Console::to(paper.clone()).with_record(&path);
    console.deliver(&effect(1), &notice("first")).await.unwrap();
    let whole = fs::read_to_string(&path).unwrap();
    // Torn right before its line break, it could be read, but nobody knows whether it was all.
    let torn = whole.trim_end().replace("-1\"", "-2\"") + &" ".repeat(10_000);
    fs::write(&path, whole.clone() + &torn).unwrap();
    assert_eq!(finds(&console, 2).await, Found::No);
    assert!(matches!(finds(&console, 1).await, Found::Yes(_)));
    console.deliver(&effect(3), &notice("third")).await.unwrap();
    let record = fs::read_to_string(&path).unwrap();
    assert!(record.starts_with(&whole) && record.lines().count() == 2, "{record}");
    assert!(matches!(finds(&console, 3).await, Found::Yes(_)));
}

#[tokio::test]
async fn without_its_record_nothing_is_written() {
    let folder = tempfile::tempdir().unwrap();
    let paper = Paper::default();
    let console = Console::to(paper.clone()).with_record(folder.path().join("missing/notices.jsonl"));
    let error = console.deliver(&effect(1), &notice("x")).await.unwrap_err();
    assert_eq!(error.applied, Applied::No);
    assert_eq!(paper.text(), "");
    let preflight = console.preflight(&PreflightContext::new(Time::UNIX_EPOCH)).await.unwrap();
    assert!(!preflight.is_good());
}

#[tokio::test]
async fn a_writer_that_fails_may_have_written() {
    struct Broken;
    impl Write for Broken {
        fn write(&mut self, _: &[u8]) -> io::Result<usize> {
            Err(io::ErrorKind::BrokenPipe.into())
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }
    let folder = tempfile::tempdir().unwrap();
    let console = Console::to(Broken).with_record(folder.path().join("notices.jsonl"));
    let error = console.deliver(&effect(1), &notice("x")).await.unwrap_err();
    assert_eq!(error.applied, Applied::Maybe);
    assert_eq!(finds(&console, 1).await, Found::No);
}

#[tokio::test]
async fn a_notice_is_in_the_file_that_has_the_name_then() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("notices.txt");
    let console = Console::file(&path);
    console.deliver(&effect(1), &notice("first")).await.unwrap();
    fs::rename(&path, folder.path().join("notices.1")).unwrap();
    console.deliver(&effect(2), &notice("second")).await.unwrap();
    let text = fs::read_to_string(&path).unwrap();
    assert!(text.contains("second") && !text.contains("first"), "{text}");
}

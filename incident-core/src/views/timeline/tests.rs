use super::*;
use crate::model::colour::Colour;
use crate::model::effect::Applied;
use crate::model::severity::Severity;
use crate::rules::command::{
    Because, Command, Correct, Declare, Failure, Note, Redact, RedactSlot, SetSeverity,
};
use crate::rules::test_driver::Driver;

fn declared() -> Driver {
    let mut driver = Driver::declared(Declare::new("checkout is down").severity(Severity::Sev2));
    driver.settle();
    driver
}

fn lines(driver: &Driver) -> Vec<Entry> {
    timeline(&driver.incident, &driver.records)
}

fn line(driver: &Driver, seq: Seq) -> Entry {
    lines(driver).into_iter().find(|entry| entry.seq == seq).expect("every record has a line")
}

fn note(text: &str) -> Command {
    Command::Note(Note { text: text.to_owned() })
}

fn correct(record: Seq, text: Option<&str>, occurred_at: Option<Time>) -> Command {
    let text = text.map(str::to_owned);
    Command::Correct(Correct { record, text, occurred_at, because: "I mistyped".to_owned() })
}

#[test]
fn lines_come_in_the_order_in_which_things_happened() {
    let mut driver = declared();
    driver.wait(40);
    let actor = Actor::human("test", "alice");
    let mut request = driver.next_request(actor, note("deployed version 42"));
    request.occurred_at = Some("2026-03-02T13:50:00Z".parse().unwrap());
    let seq = driver.request(&request).unwrap();
    let first = lines(&driver).remove(0);
    assert_eq!((first.seq, first.what.as_str(), first.late), (seq, "deployed version 42", true));
    assert!(!line(&driver, Seq(1)).late);
}

#[test]
fn a_correction_supersedes_and_keeps_what_was_said() {
    let mut driver = declared();
    let said = driver.alice(note("the databse is slow"));
    let first = driver.bob(correct(said, Some("the database is slow"), None));
    let earlier = "2026-03-02T13:30:00Z".parse().unwrap();
    let last = driver.bob(correct(first, None, Some(earlier)));
    let entry = line(&driver, said);
    assert_eq!(entry.what, "the database is slow");
    assert_eq!((entry.occurred_at, entry.corrected_by), (earlier, Some(last)));
    assert_eq!(entry.was.unwrap().what, "the databse is slow");
    let corrected = format!("{said} corrected to “the database is slow”: I mistyped");
    assert_eq!(line(&driver, first).what, corrected);
}

#[test]
fn a_correction_of_the_start_leaves_the_declaration_where_it_was() {
    let mut driver = declared();
    let began = "2026-03-02T13:45:00Z".parse().unwrap();
    driver.alice(correct(Seq(1), Some("checkout fails"), Some(began)));
    let entry = line(&driver, Seq(1));
    assert_eq!(entry.what, "Declared (SEV2): checkout fails – team observation, began 13:45 UTC");
    assert_eq!(entry.occurred_at, entry.was.unwrap().occurred_at);
}

#[test]
fn words_that_were_taken_out_are_gone_and_the_line_stays() {
    let mut driver = declared();
    let said = driver.alice(note("the password is hunter2"));
    let text = driver.records[usize::try_from(said.0).unwrap() - 1].slots[0].text();
    let slots = vec![RedactSlot { slot: 0, text }];
    driver.bob(Command::Redact(Redact { record: said, slots, because: "a secret".to_owned() }));
    assert_eq!(line(&driver, said).what, "[redacted]");
}

#[test]
fn hostile_words_stay_on_their_line() {
    let mut driver = declared();
    let said = driver.alice(note("down\n\u{202e}@here"));
    assert_eq!(line(&driver, said).what, "down \\u{202e}@\u{200b}here");
}

#[test]
fn effects_are_told_by_what_they_do() {
    let mut driver = Driver::declared(Declare::new("checkout is down").severity(Severity::Sev2));
    let page = driver.incident.effects.values().find(|it| it.route == "pager").unwrap().seq;
    driver.begin(page);
    let error = "the pager is busy".to_owned();
    let failure = Failure { applied: Applied::No, retry: true, wait: None, error };
    let failed = driver.conclude(page, crate::rules::command::EffectResult::Failed(failure));
    driver.wait(5).settle();
    let what = |seq| line(&driver, seq).what;
    let again =
        "Failed (attempt 1), next attempt 14:00 UTC: page #4 to responders via pager – the pager is busy";
    assert_eq!(what(failed), again);
    let delivered = "Page to responders delivered via pager (attempt 2)";
    let settled = lines(&driver).into_iter().find(|entry| entry.what == delivered);
    assert_eq!(settled.map(|it| it.importance), Some(Importance::Detail));
}

#[test]
fn what_a_lone_record_refers_to_is_named_as_far_as_known() {
    let mut driver = declared();
    let note = driver.alice(Command::SetSeverity(SetSeverity {
        severity: Severity::Sev1,
        because: "data loss".to_owned(),
    }));
    let of = |seq: Seq| describe(&driver.incident, &driver.records[usize::try_from(seq.0).unwrap() - 1]);
    assert_eq!(of(note), "SEV2 → SEV1: data loss");
    let settled = driver.records.iter().find(|it| matches!(it.fact, Fact::EffectSettled(_))).unwrap();
    assert_eq!(describe(&driver.incident, settled), "Done: effect #5 – done-5");
}

#[test]
fn a_missed_update_says_how_often() {
    let mut driver = declared();
    driver.alice(Command::Acknowledge);
    driver.wait(65).wake();
    let breach = lines(&driver).into_iter().find(|it| it.kind == EntryKind::Deadline && it.late).unwrap();
    assert_eq!(breach.what, "Update was due 14:30 UTC, 2 missed, next due 15:30 UTC");
    assert_eq!(breach.importance, Importance::Key);
}

#[test]
fn only_a_look_that_shows_other_colours_is_key() {
    let mut driver = declared();
    let looks = [Colour::Green, Colour::Green, Colour::Red, Colour::Red, Colour::Green, Colour::Green];
    let seqs = looks.map(|colour| driver.wait(1).look(colour));
    let key = seqs.map(|seq| line(&driver, seq).importance == Importance::Key);
    assert_eq!(key, [false, false, true, false, true, false]);
}

#[test]
fn a_key_line_is_never_the_engines_routine() {
    let mut driver = declared();
    driver.alice(Command::Escalate(Because { because: "more hands".to_owned() }));
    driver.settle();
    let key: Vec<_> = lines(&driver).into_iter().filter(|it| it.importance == Importance::Key).collect();
    let what: Vec<_> = key.iter().map(|it| it.what.as_str()).collect();
    assert_eq!(
        what,
        [
            "Declared (SEV2): checkout is down – team observation, start not known yet",
            "Escalated to responders, step 1: more hands",
        ]
    );
}

//! Words can be taken out, and records corrected, without touching what happened.

use incident_core::log::chain;
use incident_core::log::chain::Unreadable;
use incident_core::log::event::Fact;
use incident_core::log::index::Summary;
use incident_core::log::index::index;
use incident_core::model::id::Seq;
use incident_core::model::phase::Phase;
use incident_core::model::role::Actor;
use incident_core::model::severity::Severity;
use incident_core::model::text::{Slot, Text, Texts};
use incident_core::rules::command::{Command, Correct, Redact, RedactSlot, Refusal};

use crate::course::{first, note, update};
use crate::scenario::Scenario;
use crate::world::time;

/// The texts of `record`, as its stored slots name them.
fn texts(it: &Scenario, record: Seq) -> Vec<Option<Text>> {
    let stored = &it.log[usize::try_from(record.0).unwrap() - 1];
    stored.slots.iter().map(|slot| Slot::from_bytes(slot).map(|slot| slot.text())).collect()
}

fn redact(record: Seq, slot: u32, text: Text) -> Command {
    let slots = vec![RedactSlot { slot, text }];
    Command::Redact(Redact { record, slots, because: "it names a customer".to_owned() })
}

#[test]
fn redaction_takes_the_words_out_of_the_state_and_the_store_and_leaves_the_chain() {
    let mut it = Scenario::declared(Severity::Sev2);
    let record = first(&it.does(note("Mr Smith called")));
    let text = texts(&it, record)[0].unwrap();
    let bodies: Vec<Vec<u8>> = it.log.iter().map(|stored| stored.body.clone()).collect();
    it.does(redact(record, 0, text));
    assert_eq!(it.it.texts.get(text), Texts::REDACTED);
    assert!(it.log.iter().all(|stored| stored.slots.iter().all(|slot| !contains(slot, b"Smith"))));
    assert!(it.log.iter().zip(bodies).all(|(stored, before)| stored.body == before), "bodies stay");
}

fn contains(bytes: &[u8], words: &[u8]) -> bool {
    bytes.windows(words.len()).any(|window| window == words)
}

#[test]
fn a_redacted_title_leaves_the_list_too() {
    let mut it = Scenario::declared(Severity::Sev2);
    let title = it.it.title;
    it.does(redact(Seq(1), 0, title));
    let summary: Summary = serde_json::from_slice(&index(&it.it).summary).unwrap();
    assert_eq!(summary.title, Texts::REDACTED);
}

#[test]
fn slots_keep_their_places_when_one_before_them_was_emptied() {
    let mut it = Scenario::declared(Severity::Sev2);
    let posted = Command::PostUpdate(incident_core::rules::command::PostUpdate {
        progress: "found by Smith".to_owned(),
        next_steps: Some("ask Miller".to_owned()),
        eta: Some("an hour".to_owned()),
        public: None,
    });
    let record = first(&it.does(posted));
    let before = texts(&it, record);
    it.does(redact(record, 0, before[0].unwrap()));
    let decoded = chain::decode(&it.log[usize::try_from(record.0).unwrap() - 1]).unwrap();
    assert_eq!(&*decoded.slots[1].words().clone(), "ask Miller");
    assert!(decoded.slots[0].is_emptied());
    it.does(redact(record, 1, decoded.slots[1].text()));
    assert_eq!(texts(&it, record), [None, None, before[2]]);
}

#[test]
fn a_slot_is_emptied_only_by_the_name_of_its_own_words() {
    let mut it = Scenario::declared(Severity::Sev2);
    let (one, other) = (first(&it.does(note("one"))), first(&it.does(note("other"))));
    let (text_one, text_other) = (texts(&it, one)[0].unwrap(), texts(&it, other)[0].unwrap());
    for wrong in [redact(one, 0, text_other), redact(one, 1, text_one), redact(Seq(1), 0, Text::default())] {
        let refusal = it.refuses(wrong.clone());
        assert!(matches!(refusal, Refusal::Invalid { field: "slots", .. }), "{wrong:?}: {refusal}");
    }
    it.does(redact(one, 0, text_one));
    assert!(matches!(it.refuses(redact(one, 0, text_one)), Refusal::Invalid { field: "slots", .. }), "gone");
}

#[test]
fn only_a_person_takes_words_out() {
    let mut it = Scenario::declared(Severity::Sev2);
    let title = it.it.title;
    it.as_actor(Actor::Automation("bot".to_owned()));
    assert!(matches!(it.refuses(redact(Seq(1), 0, title)), Refusal::NotAPerson { .. }));
}

#[test]
fn a_forged_text_is_found_and_never_believed() {
    let mut it = Scenario::declared(Severity::Sev2);
    let record = first(&it.does(note("the truth")));
    let at = usize::try_from(record.0).unwrap() - 1;
    it.log[at].slots[0] = Slot::new([1; 16], "a lie").to_bytes();
    let verified = chain::verify(it.it.id, &it.log, None);
    assert_eq!(verified, Err(Unreadable::ForgedText { seq: record }));
    let (folded, _) = chain::fold(it.it.id, &it.log).unwrap();
    let Fact::Noted(noted) = &it.records[at].fact else { panic!("{:?}", it.records[at]) };
    assert_eq!(folded.texts.get(noted.text), Texts::REDACTED);
}

fn corrects(record: Seq, occurred_at: &str) -> Command {
    let occurred_at = Some(time(occurred_at));
    Command::Correct(Correct { record, text: None, occurred_at, because: "the graph says so".to_owned() })
}

#[test]
fn correcting_the_declaration_moves_the_start_and_no_deadline() {
    let mut it = Scenario::declared(Severity::Sev2);
    let owed = it.it.obligations.clone();
    it.does(corrects(Seq(1), "2026-03-02T09:12:00Z"));
    assert_eq!(it.it.milestones.started, Some(time("2026-03-02T09:12:00Z")));
    assert_eq!(it.it.milestones.declared, Some(it.start), "when it was recorded doesn't change");
    assert_eq!(it.it.obligations, owed);
}

#[test]
fn a_correction_leaves_what_it_corrects() {
    let mut it = Scenario::declared(Severity::Sev2);
    let record = first(&it.does(note("at ten")));
    let before = it.log[usize::try_from(record.0).unwrap() - 1].clone();
    let because = "a typing error".to_owned();
    let text = Some("at nine".to_owned());
    it.does(Command::Correct(Correct { record, text, occurred_at: None, because }));
    assert_eq!(it.log[usize::try_from(record.0).unwrap() - 1], before);
}

#[test]
fn what_people_and_the_engine_wrote_can_be_corrected_after_the_end() {
    let mut it = Scenario::declared(Severity::Sev4);
    it.goes_to(Phase::Triage);
    let record = first(&it.does(update("wrong")));
    it.does(Command::Cancel(crate::course::because("a test")));
    it.does(corrects(record, "2026-03-02T09:59:00Z"));
    it.does(corrects(Seq(2), "2026-03-02T09:59:00Z"));
}

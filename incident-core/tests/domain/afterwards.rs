//! What comes after the fix: who may write what over what, what keeps the document from being published, the meeting,
//! and action items that are late.

use incident_core::log::event::Fact;
use incident_core::model::afterwards::{Cause, CauseKind, Decision, DocumentStatus, Section};
use incident_core::model::id::{Digest, Seq};
use incident_core::model::obligation::ObligationKind;
use incident_core::model::phase::Phase;
use incident_core::model::severity::Severity;
use incident_core::model::time::after;
use incident_core::rules::command::{
    AddAction, AssignAction, AssignPostMortem, Close, Command, CommandKind, Correct, DecideDocumentation,
    FindCause, LinkEvidence, PublishPostMortem, Refusal, ScheduleMeeting, WriteSection,
};
use incident_core::rules::completeness::findings;
use incident_core::runbook::Priority;
use incident_core::runbook::finding_kind::FindingKind;

use crate::course::{action, because, first, publish, resolve_anyway, tick, write};
use crate::documents::{finds, outage, publishes, schedules, shows};
use crate::samples::sample;
use crate::scenario::{Scenario, carried, notices};
use crate::world::{long, person, time};

fn resolved() -> Scenario {
    let mut it = Scenario::declared(Severity::Sev2);
    it.does(Command::Acknowledge);
    it.does(resolve_anyway());
    it
}

fn kinds(it: &Scenario) -> Vec<FindingKind> {
    findings(&it.it, &it.runbook).iter().map(|finding| finding.kind).collect()
}

#[test]
fn an_edit_of_another_version_is_refused_with_both_texts_and_loses_neither() {
    let mut it = resolved();
    let mine = first(&it.does(write(Section::Summary, "first", Seq::ZERO)));
    let theirs = first(&it.as_("bob").does(write(Section::Summary, "second", mine)));
    for stale in [Seq::ZERO, mine, Seq(9_999)] {
        let refusal = it.refuses(write(Section::Summary, "third", stale));
        let texts = ("second".to_owned(), "third".to_owned());
        let Refusal::Stale { section, latest, theirs: there, yours } = &refusal else { panic!("{refusal}") };
        assert_eq!((*section, *latest, (there.clone(), yours.clone())), (Section::Summary, theirs, texts));
        assert!(!refusal.to_string().contains("second"), "a refusal repeats no text");
    }
    let (text, because) = (Some("third".to_owned()), "a way round".to_owned());
    let around = Correct { record: theirs, text, occurred_at: None, because };
    assert!(matches!(it.refuses(Command::Correct(around)), Refusal::Invalid { field: "record", .. }));
    it.does(write(Section::Summary, "second and third", theirs));
    it.does(write(Section::Lucky, "it was noon", Seq::ZERO));
    assert_eq!(it.it.document.sections[&Section::Summary].edits, 3);
}

#[test]
fn each_step_of_the_document_is_a_record() {
    let mut it = resolved();
    let status = |it: &Scenario| it.it.document.status;
    assert_eq!(status(&it), DocumentStatus::Draft);
    it.does(sample(CommandKind::RequestReview));
    assert_eq!(status(&it), DocumentStatus::InReview);
    it.does(sample(CommandKind::ReturnReview));
    assert_eq!(status(&it), DocumentStatus::Draft);
    assert!(matches!(it.refuses(sample(CommandKind::ReturnReview)), Refusal::Already(_)));
    it.does(sample(CommandKind::RequestReview));
    it.does(publish(it.it.version));
    assert_eq!(status(&it), DocumentStatus::Published);
    assert!(matches!(it.refuses(sample(CommandKind::RequestReview)), Refusal::Already(_)));
    it.does(Command::Close(Close { override_because: Some("late".to_owned()) }));
    assert_eq!(status(&it), DocumentStatus::Closed);
}

#[test]
fn what_comes_back_is_a_draft_again_and_owed_again() {
    let mut it = resolved();
    it.does(publish(it.it.version));
    it.does(Command::Reopen(because("it came back")));
    assert_eq!(it.it.document.status, DocumentStatus::Draft);
    it.does(resolve_anyway());
    it.owed(ObligationKind::PostMortem);
}

#[test]
fn nothing_incomplete_is_published_but_by_a_person_with_a_reason() {
    let mut it = resolved();
    let up_to = it.it.version;
    let publishing = |because: Option<&str>| {
        let override_because = because.map(str::to_owned);
        let (link, sha256) = (None, Digest::sha256(b"x"));
        Command::PublishPostMortem(PublishPostMortem { link, sha256, up_to, override_because })
    };
    let refusal = it.refuses(publishing(None));
    let Refusal::Incomplete { findings } = &refusal else { panic!("{refusal}") };
    assert!(findings.iter().all(|finding| finding.blocks));
    assert!(refusal.to_string().contains("No trigger is named: write what set it off"), "{refusal}");
    it.as_("stranger");
    assert!(matches!(it.refuses(publishing(Some("now"))), Refusal::NotAPerson { .. }));
    let records = it.as_("bob").does(publishing(Some("now")));
    let Fact::PostMortemPublished(published) = &records[0].fact else { panic!("{records:?}") };
    assert!(published.overridden.contains(&FindingKind::Trigger) && published.because.is_some());
}

#[test]
fn a_runbook_may_want_nothing() {
    let mut it = Scenario::with_runbook(Severity::Sev2, |runbook| runbook.afterwards.publish_needs.clear());
    it.does(resolve_anyway());
    publishes(&mut it, None);
    assert!(it.it.post_mortem_published);
}

#[test]
fn a_whole_document_lacks_nothing() {
    let it = outage();
    assert_eq!(kinds(&it), []);
    assert_eq!(it.it.document.status, DocumentStatus::Closed);
    let published = it.records.iter().find_map(|record| match &record.fact {
        Fact::PostMortemPublished(it) => Some(it.overridden.clone()),
        _ => None,
    });
    assert_eq!(published, Some(Vec::new()));
}

#[test]
fn what_changes_after_it_was_published_is_found() {
    let mut it = resolved();
    it.does(publish(it.it.version));
    assert!(!kinds(&it).contains(&FindingKind::Outdated));
    it.does(write(Section::Lucky, "it was noon", Seq::ZERO));
    assert!(kinds(&it).contains(&FindingKind::Outdated));
    it.does(publish(it.it.version));
    assert!(!kinds(&it).contains(&FindingKind::Outdated));
}

#[test]
fn a_person_among_the_causes_is_found_and_the_role_suggested() {
    let mut it = resolved();
    it.does(Command::Assign(incident_core::rules::command::Assign {
        role: incident_core::model::role::Role::OpsLead,
        to: person("bob"),
    }));
    finds(&mut it, None, "Bob pushed the wrong tag", CauseKind::Cause);
    it.does(write(Section::Trigger, "carol's deployment", Seq::ZERO));
    it.does(write(Section::WentWell, "bob was quick", Seq::ZERO));
    let found = findings(&it.it, &it.runbook);
    let names = found.iter().filter(|finding| finding.kind == FindingKind::Name);
    let names: Vec<_> = names.map(|finding| (finding.section, finding.detail.as_str())).collect();
    let expect = [
        (Section::Trigger, "“carol”; say “the responder”"),
        (Section::RootCause, "“bob”; say “the ops lead”"),
    ];
    assert_eq!(names, expect, "praise may name somebody");
}

#[test]
fn causes_lie_under_earlier_ones_and_not_too_deep() {
    let mut it = resolved();
    let find = |under| {
        let (statement, kind, class) = ("why".to_owned(), CauseKind::Cause, None);
        Command::FindCause(FindCause { under, statement, kind, class })
    };
    assert!(it.refuses(find(Some(Seq(9_999)))).to_string().contains("cause #9999"));
    let mut under = None;
    for _ in 0..=Cause::DEEPEST {
        under = Some(first(&it.does(find(under))));
    }
    assert!(matches!(it.refuses(find(under)), Refusal::Invalid { field: "under", .. }));
}

#[test]
fn only_what_was_kept_and_recorded_shows_a_cause() {
    let mut it = Scenario::declared(Severity::Sev2);
    let kept = it.keeps_evidence();
    let to = finds(&mut it, None, "why", CauseKind::Cause);
    let link = |evidence: &[Digest], records: &[Seq]| {
        Command::LinkEvidence(LinkEvidence { to, evidence: evidence.to_vec(), records: records.to_vec() })
    };
    let unknown = Digest::sha256(b"another log");
    assert!(it.refuses(link(&[unknown], &[])).to_string().contains(&unknown.short()));
    assert!(it.refuses(link(&[], &[Seq(9_999)])).to_string().contains("record #9999"));
    assert!(matches!(it.refuses(link(&[], &[])), Refusal::Invalid { field: "evidence", .. }));
    assert!(matches!(it.refuses(link(&[], &[Seq(1); 65])), Refusal::Invalid { field: "evidence", .. }));
    assert!(kinds(&it).contains(&FindingKind::CauseEvidence));
    shows(&mut it, to, vec![kept], vec![Seq(1)]);
    assert!(!kinds(&it).contains(&FindingKind::CauseEvidence));
}

#[test]
fn documentation_ends_in_an_action_item_or_a_reason() {
    let mut it = resolved();
    let decide = |step: &str, action: Option<Seq>, reason: Option<&str>| {
        let (step, not_needed) = (step.to_owned(), reason.map(str::to_owned));
        Command::DecideDocumentation(DecideDocumentation { step, action, not_needed })
    };
    let todo = first(&it.does(action(Some("bob"))));
    assert!(it.refuses(decide("scale", Some(todo), None)).to_string().contains("scale"));
    assert!(it.refuses(decide("update-runbook", Some(Seq(9_999)), None)).to_string().contains("#9999"));
    for (action, reason) in [(None, None), (Some(todo), Some("x"))] {
        let refusal = it.refuses(decide("update-runbook", action, reason));
        assert!(matches!(refusal, Refusal::Invalid { field: "action", .. }), "{refusal}");
    }
    let undecided =
        |it: &Scenario| kinds(it).iter().filter(|kind| **kind == FindingKind::Documentation).count();
    assert_eq!(undecided(&it), 4);
    it.does(decide("update-runbook", Some(todo), None));
    it.does(decide("update-diagrams", None, Some("nothing changed")));
    it.does(tick("update-dashboards"));
    assert_eq!(undecided(&it), 1);
    assert_eq!(it.it.document.documentation["update-runbook"].decision, Decision::Action(todo));
}

#[test]
fn a_meeting_is_announced_moved_called_off_and_counted() {
    let mut it = resolved();
    schedules(&mut it, "2026-03-04T09:00:00Z");
    let meeting = it.it.document.meeting.clone().unwrap();
    assert_eq!((meeting.length, meeting.revision, meeting.cancelled), (long("1h"), 0, false));
    assert!(matches!(it.tries(same_meeting(&it)), Err(Refusal::Already(_))), "nothing changed");
    schedules(&mut it, "2026-03-04T10:00:00Z");
    let records = it.does(Command::CancelMeeting(because("nobody can come")));
    let told = notices(&records);
    assert_eq!(told[0].recipients, [person("alice"), person("bob"), person("carol")]);
    assert!(matches!(it.refuses(Command::CancelMeeting(because("again"))), Refusal::Already(_)));
    let meeting = it.it.document.meeting.clone().unwrap();
    assert_eq!((meeting.revision, meeting.cancelled), (2, true));
    assert!(kinds(&it).contains(&FindingKind::Meeting));
    schedules(&mut it, "2026-03-09T10:00:00Z");
    assert_eq!(it.it.document.meeting.as_ref().unwrap().revision, 3);
    assert!(kinds(&it).contains(&FindingKind::MeetingLate), "it was promised by the 4th");
}

fn same_meeting(it: &Scenario) -> Command {
    let meeting = it.it.document.meeting.clone().unwrap();
    Command::ScheduleMeeting(ScheduleMeeting {
        starts_at: meeting.starts_at,
        length: Some(meeting.length),
        invitees: meeting.invitees,
        place: meeting.place,
    })
}

#[test]
fn everybody_who_responded_is_invited_where_nobody_is_named() {
    let mut it = resolved();
    let (starts_at, length, place) = (time("2026-03-04T09:00:00Z"), Some(long("30m")), None);
    it.does(Command::ScheduleMeeting(ScheduleMeeting { starts_at, length, invitees: Vec::new(), place }));
    assert_eq!(it.it.document.meeting.as_ref().unwrap().invitees, [person("alice")]);
    let past = ScheduleMeeting { starts_at: it.start, length: None, invitees: Vec::new(), place: None };
    assert!(matches!(
        it.refuses(Command::ScheduleMeeting(past)),
        Refusal::Invalid { field: "starts_at", .. }
    ));
}

#[test]
fn the_post_mortem_is_asked_of_whoever_owns_it() {
    let mut it = resolved();
    it.does(Command::AssignPostMortem(AssignPostMortem { owner: person("carol") }));
    let due = it.owed(ObligationKind::PostMortem).due;
    it.now = after(due, long("1m"));
    let records = it.does(Command::Wake);
    assert!(notices(&records).iter().any(|notice| notice.recipients.contains(&person("carol"))));
}

#[test]
fn an_item_that_stays_late_climbs_the_chain_and_wakes_nobody() {
    let mut it = Scenario::with_runbook(Severity::Sev2, |runbook| {
        runbook.escalation.chain[2].persons = vec![person("carol")];
    });
    let todo = first(&it.does(action(Some("bob"))));
    it.settles().does(resolve_anyway());
    it.does(Command::Close(Close { override_because: Some("done".to_owned()) }));
    it.settles();
    let mut told = Vec::new();
    for _ in 0..4 {
        it.now = it.owed(ObligationKind::FollowUp(todo)).due;
        let records = it.does(Command::Wake);
        let to = notices(&records).last().map(|notice| notice.recipients.clone()).unwrap();
        told.push((carried(&records).pop().unwrap(), to));
        it.settles();
    }
    let (bob, carol) = (person("bob"), person("carol"));
    assert_eq!(
        told,
        [
            ("reminder pager(responders)".to_owned(), vec![bob.clone()]),
            ("reminder chat(team)".to_owned(), vec![bob.clone()]),
            ("reminder chat(leadership)".to_owned(), vec![bob.clone(), carol.clone()]),
            ("reminder chat(leadership)".to_owned(), vec![bob, carol]),
        ]
    );
}

#[test]
fn an_item_of_nobody_is_asked_of_who_led() {
    let mut it = Scenario::declared(Severity::Sev3);
    it.does(Command::Assign(incident_core::rules::command::Assign {
        role: incident_core::model::role::Role::Commander,
        to: person("alice"),
    }));
    let todo = first(&it.does(action(None)));
    it.settles();
    it.now = it.owed(ObligationKind::FollowUp(todo)).due;
    let records = it.does(Command::Wake);
    assert_eq!(notices(&records).last().unwrap().recipients, [person("alice")]);
}

#[test]
fn an_item_is_given_away_and_postponed_where_it_has_no_ticket() {
    let mut it = Scenario::declared(Severity::Sev3);
    it.live.tracker = None;
    let what = "x".to_owned();
    let add = AddAction { what, kind: None, priority: Priority::Critical, owner: None, due: None };
    let todo = first(&it.does(Command::AddAction(add)));
    let assign = |owner: Option<&str>, due| {
        Command::AssignAction(AssignAction { action: todo, owner: owner.map(person), due })
    };
    assert!(matches!(it.refuses(assign(None, None)), Refusal::Invalid { field: "owner", .. }));
    assert!(it.refuses(assign(Some("mallory"), None)).to_string().contains("mallory"));
    it.now = it.owed(ObligationKind::FollowUp(todo)).due;
    it.does(Command::Wake);
    let later = after(it.now, long("3d"));
    it.does(assign(Some("bob"), Some(later)));
    assert_eq!(it.owed(ObligationKind::FollowUp(todo)).due, later);
    assert_eq!(it.it.actions[&todo].owner, Some(person("bob")));
}

#[test]
fn an_item_that_is_filed_lives_in_its_ticket() {
    let mut it = Scenario::declared(Severity::Sev3);
    let todo = first(&it.does(action(None)));
    it.settles();
    let assign = AssignAction { action: todo, owner: Some(person("bob")), due: None };
    let refusal = it.refuses(Command::AssignAction(assign));
    assert!(refusal.to_string().contains("expected the change there"), "{refusal}");
}

#[test]
fn nobody_writes_once_it_has_ended() {
    let mut it = Scenario::declared(Severity::Sev2);
    it.goes_to(Phase::PostIncident);
    it.does(Command::Close(Close { override_because: Some("done".to_owned()) }));
    let write = WriteSection { section: Section::Lucky, text: "x".to_owned(), based_on: Seq::ZERO };
    assert!(matches!(it.refuses(Command::WriteSection(write)), Refusal::NotNow { ended: true, .. }));
}

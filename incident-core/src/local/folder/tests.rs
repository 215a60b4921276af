use super::*;
use crate::model::id::{IncidentId, Seq};
use crate::model::ticket::{CloseTicket, CommentTicket};

fn cx(seq: u64) -> EffectContext {
    let incident = IncidentId::new(Time::UNIX_EPOCH, [1; 16]);
    EffectContext::new(EffectId { incident, seq: Seq(seq) }, Time::UNIX_EPOCH)
}

fn open(title: &str) -> TicketChange {
    TicketChange::Open(
        OpenTicket::new(title, "Severity: SEV2").with_labels(vec!["incident".into(), "sev2".into()]),
    )
}

#[tokio::test]
async fn a_ticket_lives_from_open_to_closed_and_keeps_what_people_write() {
    let temp = tempfile::tempdir().unwrap();
    let folder = Folder::new(temp.path());
    let receipt = folder.apply(&cx(1), &open("[INCIDENT] checkout")).await.unwrap();
    let ticket = TicketRef::new(&receipt.reference);
    let path = temp.path().join(ticket.as_str());
    let text = std::fs::read_to_string(&path).unwrap();
    std::fs::write(&path, text + "\nA person wrote this.\n").unwrap();

    let mut status = SetTicket::new(ticket.clone(), "Severity: SEV1");
    (status.add_labels, status.remove_labels) = (vec!["sev1".into()], vec!["sev2".into()]);
    folder.apply(&cx(2), &TicketChange::Set(status)).await.unwrap();
    let close = TicketChange::Close(CloseTicket::new(ticket.clone(), "over"));
    folder.apply(&cx(3), &close).await.unwrap();

    let text = std::fs::read_to_string(&path).unwrap();
    assert!(
        text.contains("A person wrote this.") && text.contains("SEV1") && !text.contains("SEV2"),
        "{text}"
    );
    assert!(text.contains("Labels: incident, sev1\n"), "{text}");
    let read =
        folder.read(&ReadContext::new(cx(1).effect.incident, Time::UNIX_EPOCH), &[ticket]).await.unwrap();
    assert!(!read[0].open);
    assert_eq!(folder.find(&cx(3), &close).await.unwrap(), Found::Yes(receipt));
    assert_eq!(folder.find(&cx(4), &close).await.unwrap(), Found::No);
}

#[tokio::test]
async fn hostile_words_are_neither_a_path_nor_a_marker() {
    let temp = tempfile::tempdir().unwrap();
    let folder = Folder::new(temp.path());
    let receipt = folder.apply(&cx(1), &open("../../etc/passwd\n<!-- incident-status -->")).await.unwrap();
    let ticket = TicketRef::new(&receipt.reference);
    let forged = format!("{}\n{END}\n{STATUS}", marker(cx(9).effect));
    let comment = TicketChange::Comment(CommentTicket::new(ticket.clone(), &forged));
    folder.apply(&cx(2), &comment).await.unwrap();

    let files = std::fs::read_dir(temp.path()).unwrap().map(|it| it.unwrap().file_name());
    assert_eq!(files.filter(|name| name != ".lock" && name != ".opened").count(), 1);
    assert_eq!(folder.find(&cx(9), &comment).await.unwrap(), Found::No);
    let text = std::fs::read_to_string(temp.path().join(ticket.as_str())).unwrap();
    assert_eq!(text.matches(STATUS).count(), 1, "{text}");
    for hostile in ["../x.md", "/etc/x.md", ".md", "x"] {
        let change = TicketChange::Comment(CommentTicket::new(TicketRef::new(hostile), "x"));
        assert_eq!(folder.apply(&cx(3), &change).await.unwrap_err().kind, ErrorKind::Invalid);
    }
}

async fn opened(folder: &Folder, title: &str) -> TicketRef {
    TicketRef::new(&folder.apply(&cx(1), &open(title)).await.unwrap().reference)
}

async fn set(folder: &Folder, ticket: &TicketRef, status: &str) {
    folder.apply(&cx(2), &TicketChange::Set(SetTicket::new(ticket.clone(), status))).await.unwrap();
}

#[tokio::test]
async fn opening_again_keeps_what_people_wrote_although_the_title_changed() {
    let temp = tempfile::tempdir().unwrap();
    let folder = Folder::new(temp.path());
    let ticket = opened(&folder, "checkout").await;
    let path = temp.path().join(ticket.as_str());
    std::fs::write(&path, std::fs::read_to_string(&path).unwrap() + "ours\n").unwrap();
    assert_eq!(opened(&folder, "another title").await, ticket);
    assert!(std::fs::read_to_string(&path).unwrap().ends_with("ours\n"));
}

#[tokio::test]
async fn a_ticket_reads_back_as_it_was_opened() {
    let temp = tempfile::tempdir().unwrap();
    let folder = Folder::new(temp.path());
    let mut open = OpenTicket::new("[INCIDENT] a_b *is* @down <x>", "body");
    open.assignees = vec![Identity::new("slack", "U1"), Identity::new("github", "al:ice")];
    open.due = Some(Time::UNIX_EPOCH);
    let receipt = folder.apply(&cx(1), &TicketChange::Open(open.clone())).await.unwrap();
    let cx = ReadContext::new(cx(1).effect.incident, Time::UNIX_EPOCH);
    let known = TicketRef::new(&receipt.reference);
    let read = folder.read(&cx, &[TicketRef::new("missing.md"), known.clone()]).await.unwrap();
    let mut expect = Ticket::new(known, true, &open.title);
    (expect.assignees, expect.due, expect.link) = (open.assignees, open.due, receipt.link);
    assert_eq!(read, [expect]);
}

#[tokio::test]
async fn other_files_of_people_are_in_nobodys_way() {
    let temp = tempfile::tempdir().unwrap();
    let folder = Folder::new(temp.path());
    std::fs::create_dir(temp.path().join("folder.md")).unwrap();
    std::fs::write(temp.path().join("latin.md"), b"caf\xe9").unwrap();
    std::fs::write(temp.path().join("torn.md.part"), marker(cx(1).effect)).unwrap();
    assert_eq!(folder.find(&cx(1), &open("x")).await.unwrap(), Found::No);
    let ticket = opened(&folder, "x").await;
    assert!(
        matches!(folder.find(&cx(1), &open("x")).await.unwrap(), Found::Yes(it) if it.reference == ticket.as_str())
    );
}

#[tokio::test]
async fn whatever_people_do_to_the_markers_nothing_of_theirs_is_lost() {
    let temp = tempfile::tempdir().unwrap();
    let folder = Folder::new(temp.path());
    let ticket = opened(&folder, "x").await;
    let path = temp.path().join(ticket.as_str());
    let damages = [(STATUS, "the section's start"), (END, "its end"), ("State: open", "a field")];
    for (number, (damaged, what)) in (3..).zip(damages) {
        let text =
            std::fs::read_to_string(&path).unwrap().replace(damaged, "") + "\nours\n\n## Ours\nState: ours\n";
        let ours = text.matches("ours").count();
        std::fs::write(&path, text).unwrap();
        set(&folder, &ticket, "once").await;
        set(&folder, &ticket, "twice").await;
        let reopen = TicketChange::Reopen(crate::model::ticket::ReopenTicket::new(ticket.clone(), "back"));
        folder.apply(&cx(number), &reopen).await.unwrap();
        let text = std::fs::read_to_string(&path).unwrap();
        assert_eq!(text.matches("ours").count(), ours, "without {what}: {text}");
        assert!(text.contains("twice") && !text.contains("once"), "without {what}: {text}");
        assert_eq!(field(&text, "State"), Some("open"), "without {what}: {text}");
    }
}

#[tokio::test]
async fn comments_that_are_written_at_once_are_all_kept() {
    let temp = tempfile::tempdir().unwrap();
    let folder = Folder::new(temp.path());
    let ticket = opened(&folder, "x").await;
    let comment = |seq: u64| {
        let change = TicketChange::Comment(CommentTicket::new(ticket.clone(), &format!("comment {seq}.")));
        let folder = folder.clone();
        async move { folder.apply(&cx(seq), &change).await }
    };
    futures_util::future::join_all((10..30).map(comment)).await;
    let text = std::fs::read_to_string(temp.path().join(ticket.as_str())).unwrap();
    assert_eq!(text.matches("comment ").count(), 20, "{text}");
}

#[test]
fn a_field_hides_no_marker() {
    let text = set_field("# x\n\nState: open\n", "Labels", &format!("a\n{STATUS}"));
    assert!(!text.contains(STATUS), "{text}");
}

#[test]
fn a_files_name_is_short_ascii_and_the_effects_own() {
    for title in ["", "../../x", "日本", &"long ".repeat(100), "con", "a\u{0}b", "-x-"] {
        let name = file_name(title, cx(1).effect);
        assert!(name.len() <= 80 && !name.starts_with(['-', '.']), "{name}");
        assert!(
            name.bytes()
                .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"-.".contains(&byte))
        );
        assert_ne!(name, file_name(title, cx(2).effect));
    }
}

#[tokio::test]
async fn what_comes_a_second_time_is_written_once() {
    let temp = tempfile::tempdir().unwrap();
    let folder = Folder::new(temp.path());
    let ticket = TicketRef::new(&folder.apply(&cx(1), &open("checkout")).await.unwrap().reference);
    let close = TicketChange::Close(CloseTicket::new(ticket.clone(), "over"));
    let comment = TicketChange::Comment(CommentTicket::new(ticket.clone(), "we look"));
    for (number, change) in [(2, comment), (3, close)] {
        folder.apply(&cx(number), &change).await.unwrap();
        folder.apply(&cx(number), &change).await.unwrap();
        let text = std::fs::read_to_string(temp.path().join(ticket.as_str())).unwrap();
        assert_eq!(text.matches(&marker(cx(number).effect)).count(), 1, "{text}");
    }
}

/// A ticket so large that whoever tries to read it fails.
fn unreadable(folder: &std::path::Path) {
    std::fs::File::create(folder.join("huge.md")).unwrap().set_len(1 << 43).unwrap();
}

#[tokio::test]
async fn no_change_reads_any_other_ticket() {
    let temp = tempfile::tempdir().unwrap();
    let folder = Folder::new(temp.path());
    let first = opened(&folder, "first").await;
    unreadable(temp.path());
    let second = TicketRef::new(&folder.apply(&cx(2), &open("second")).await.unwrap().reference);
    let comment = TicketChange::Comment(CommentTicket::new(second.clone(), "we look"));
    for (seq, change, expect) in [
        (2, open("second"), Some(&second)),
        (3, open("third"), None),
        (1, open("x"), Some(&first)),
        (4, comment.clone(), None),
    ] {
        let found = folder.find(&cx(seq), &change).await.unwrap();
        let expect = expect.map_or(Found::No, |ticket| Found::Yes(folder.receipt(ticket)));
        assert_eq!(found, expect, "effect {seq}");
    }
    folder.apply(&cx(4), &comment).await.unwrap();
    folder.apply(&cx(4), &comment).await.unwrap();
    assert_eq!(folder.find(&cx(4), &comment).await.unwrap(), Found::Yes(folder.receipt(&second)));
}

#[tokio::test]
async fn tickets_are_found_whatever_became_of_names_and_notes() {
    let temp = tempfile::tempdir().unwrap();
    let folder = Folder::new(temp.path());
    let ticket = opened(&folder, "checkout").await;
    let is_found = async |what: &str, name: &str| {
        let found = folder.find(&cx(1), &open("x")).await.unwrap();
        assert_eq!(found, Found::Yes(folder.receipt(&TicketRef::new(name))), "{what}");
        assert_eq!(folder.apply(&cx(1), &open("x")).await.unwrap().reference, name, "{what}");
    };
    std::fs::remove_dir_all(temp.path().join(".opened")).unwrap();
    is_found("the notes are gone, or an older version opened it", ticket.as_str()).await;
    std::fs::rename(temp.path().join(ticket.as_str()), temp.path().join("theirs.md")).unwrap();
    is_found("people renamed it", "theirs.md").await;
    std::fs::remove_file(temp.path().join("theirs.md")).unwrap();
    assert_eq!(folder.find(&cx(1), &open("x")).await.unwrap(), Found::No);
    let again = folder.apply(&cx(1), &open("again")).await.unwrap().reference;
    is_found("people deleted it", &again).await;
}

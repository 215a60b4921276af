//! What templates are tried on: each kind of notice with everything in it and with nothing, and a post-mortem of nothing.

use incident_core::log::incident::Incident;
use incident_core::model::id::{IncidentId, Seq};
use incident_core::model::notice::{Label, Line, Notice, NoticeKind, Recipient};
use incident_core::model::role::PersonId;
use incident_core::model::severity::Audience;
use incident_core::postmortem::PostMortem;
use incident_core::runbook::{PLACEHOLDERS, Runbook};

pub(super) fn notices() -> impl Iterator<Item = Notice> {
    NoticeKind::ALL.into_iter().flat_map(|kind| [full(kind), empty(kind)])
}

fn empty(kind: NoticeKind) -> Notice {
    let id = IncidentId::from_bytes([0; 16]);
    Notice::new(id, Seq(1), kind, vec![Audience::new(Audience::RESPONDERS)], "a title")
}

fn full(kind: NoticeKind) -> Notice {
    let mut notice = empty(kind);
    notice.drill = true;
    notice.possible_repeat = true;
    notice.recipients = vec![Recipient::new(PersonId::new("alice"), "Alice")];
    notice.links = vec!["https://example.org".to_owned()];
    notice.lines = Label::ALL.map(|label| Line { label, text: label.to_string() }).to_vec();
    notice.besides.clone_from(&notice.lines);
    notice.figures = PLACEHOLDERS.iter().map(|(gap, what)| (*gap, (*what).to_owned())).collect();
    notice
}

pub(super) fn post_mortem() -> PostMortem {
    PostMortem::write(&Incident::blank(IncidentId::from_bytes([0; 16])), &[], &Runbook::default())
}

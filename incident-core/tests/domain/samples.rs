//! One command of each kind.

use incident_core::log::event::{FixStep, Relation};
use incident_core::model::afterwards::{CauseKind, Section};
use incident_core::model::colour::Colour;
use incident_core::model::id::{Digest, IncidentId, Seq};
use incident_core::model::phase::Phase;
use incident_core::model::role::Role;
use incident_core::model::severity::Severity;
use incident_core::model::text::Text;
use incident_core::model::ticket::TicketRef;
use incident_core::rules::command::{
    Absorb, Approve, Assign, AssignAction, AssignPostMortem, Close, Command, CommandKind, CompleteAction,
    Conclude, Correct, DecideDocumentation, Declare, EffectResult, ExecutePlan, FindCause, Gather,
    HoldMeeting, JudgeHypothesis, Link, LinkEvidence, MoveTicket, Proposal, RecordFix, Redact, RedactSlot,
    Reject, RequestReview, ScheduleMeeting, SettleMitigation, StepBack, Undo,
};

use crate::course::{
    action, advance, attest, because, firing, hypothesis, impact, note, propose, publish, resolve, severity,
    tick, triage, update, write,
};
use crate::world::{person, readings, time};

/// A command of `kind` that is well formed; what it refers to may not be there.
pub(crate) fn sample(kind: CommandKind) -> Command {
    use CommandKind as K;
    let (nothing, words, digest) = (Seq(9_999), || "words".to_owned(), Digest::default());
    match kind {
        K::Declare => Command::Declare(Box::new(Declare::new("checkout is down"))),
        K::Signals => Command::Signals(vec![firing("disk")]),
        K::Gather => Command::Gather(Gather { gathered: Vec::new(), begins: false }),
        K::Acknowledge => Command::Acknowledge,
        K::Triage => triage(),
        K::SetSeverity => severity(Severity::Sev3),
        K::AssessImpact => impact(true),
        K::Assign => Command::Assign(Assign { role: Role::Scribe, to: person("carol") }),
        K::Note => note("seen"),
        K::TickStep => tick("scale"),
        K::Hypothesise => hypothesis("dns"),
        K::JudgeHypothesis => Command::JudgeHypothesis(JudgeHypothesis {
            hypothesis: nothing,
            confirmed: true,
            because: words(),
        }),
        K::PostUpdate => update("we look"),
        K::Propose => propose("deployment/cart"),
        K::Undo => Command::Undo(Undo { mitigation: nothing, because: words() }),
        K::Approve => Command::Approve(Approve { proposal: nothing, digest, break_glass: None }),
        K::WithdrawApproval => Command::WithdrawApproval(Proposal { proposal: nothing }),
        K::Reject => Command::Reject(Reject { proposal: nothing, because: words() }),
        K::Execute => Command::Execute(ExecutePlan { proposal: nothing, digest }),
        K::SettleMitigation => Command::SettleMitigation(SettleMitigation {
            proposal: nothing,
            happened: true,
            because: words(),
        }),
        K::RecordFix => Command::RecordFix(RecordFix { step: FixStep::Change, what: words(), link: None }),
        K::Look => readings(Colour::Green),
        K::Attest => attest("user-reports", Colour::Green),
        K::Escalate => Command::Escalate(because("nobody here")),
        K::Correct => Command::Correct(Correct {
            record: Seq(1),
            text: Some(words()),
            occurred_at: None,
            because: words(),
        }),
        K::Redact => Command::Redact(Redact {
            record: Seq(1),
            slots: vec![RedactSlot { slot: 0, text: Text::default() }],
            because: words(),
        }),
        K::Advance => advance(),
        K::StepBack => Command::StepBack(StepBack { to: Phase::Detection, because: words() }),
        K::Resolve => resolve(),
        K::Reopen => Command::Reopen(because("it came back")),
        K::Cancel => Command::Cancel(because("a test")),
        K::Absorb => Command::Absorb(Absorb { other: younger(), because: words() }),
        K::MergeInto => Command::MergeInto(older()),
        K::Link => Command::Link(Link { other: older(), relation: Relation::RelatedTo }),
        K::AssignPostMortem => Command::AssignPostMortem(AssignPostMortem { owner: person("bob") }),
        K::WriteSection => write(Section::Summary, "it was down", Seq::ZERO),
        K::FindCause => Command::FindCause(FindCause {
            under: None,
            statement: words(),
            kind: CauseKind::Cause,
            class: None,
        }),
        K::LinkEvidence => {
            let (evidence, records) = (Vec::new(), vec![Seq(1)]);
            Command::LinkEvidence(LinkEvidence { to: nothing, evidence, records })
        }
        K::RequestReview => Command::RequestReview(RequestReview { reviewers: vec![person("carol")] }),
        K::ReturnReview => Command::ReturnReview(because("too long")),
        K::DecideDocumentation => Command::DecideDocumentation(DecideDocumentation {
            step: "update-diagrams".to_owned(),
            action: None,
            not_needed: Some(words()),
        }),
        K::ScheduleMeeting => Command::ScheduleMeeting(ScheduleMeeting {
            starts_at: time("2100-03-04T14:00:00Z"),
            length: None,
            invitees: vec![person("alice"), person("bob")],
            place: Some("https://meet.example/1".to_owned()),
        }),
        K::CancelMeeting => Command::CancelMeeting(because("nobody can come")),
        K::AddAction => action(Some("bob")),
        K::AssignAction => {
            let owner = Some(person("bob"));
            Command::AssignAction(AssignAction { action: nothing, owner, due: None })
        }
        K::CompleteAction => Command::CompleteAction(CompleteAction { action: nothing, outcome: words() }),
        K::AdoptTicket => Command::AdoptTicket(TicketRef::new("shop#77")),
        K::MoveTicket => {
            Command::MoveTicket(MoveTicket { from: TicketRef::new("shop#1"), to: TicketRef::new("web#5") })
        }
        K::PublishPostMortem => publish(Seq(1)),
        K::HoldMeeting => Command::HoldMeeting(HoldMeeting { attendees: vec![person("alice")] }),
        K::Close => Command::Close(Close { override_because: Some(words()) }),
        K::Replan => Command::Replan,
        K::Wake => Command::Wake,
        K::Start => Command::Start(Vec::new()),
        K::Conclude => Command::Conclude(Box::new(Conclude {
            effect: nothing,
            attempt: 1,
            result: EffectResult::CannotTell,
        })),
        kind => unreachable!("{kind} is new: give a sample of it"),
    }
}

/// An incident that was declared before the scenario's.
pub(crate) fn older() -> IncidentId {
    IncidentId::new(time("2026-03-01T11:00:00Z"), [8; 16])
}

/// An incident that was declared after the scenario's.
pub(crate) fn younger() -> IncidentId {
    IncidentId::new(time("2026-03-02T11:00:00Z"), [8; 16])
}

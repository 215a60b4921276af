//! The commands that help: for a gate that isn't met, for a finding, for a next step.

use incident_core::model::obligation::ObligationKind;
use incident_core::model::phase::Gate;
use incident_core::rules::command::{CommandKind, Refusal};
use incident_core::rules::completeness::Finding;
use incident_core::runbook::Runbook;
use incident_core::runbook::finding_kind::FindingKind;
use incident_core::views::next::{NextStep, Why};

/// The command that meets a gate.
pub(super) fn gate(gate: &Gate) -> String {
    match gate {
        Gate::Acknowledged => "/incident ack".to_owned(),
        Gate::StartKnown => "/incident started 09:50".to_owned(),
        Gate::SeverityAssigned => "/incident triage, or /incident severity sev2 REASON".to_owned(),
        Gate::ImpactAssessed => "/incident impact users:1200 customers:yes WHAT IT DOES TO WHOM".to_owned(),
        Gate::AudiencesNotified => {
            "give every audience a route, or /incident advance | over: REASON".to_owned()
        }
        Gate::Hypotheses(_) => "/incident hypothesis WHAT MAY HAVE HAPPENED".to_owned(),
        Gate::MitigatedOrFixed => {
            "/incident propose SYSTEM KIND key:value REASON, or /incident fix deployment WHAT".to_owned()
        }
        Gate::ChecksHeld => {
            "/incident attest CHECK green WHAT YOU SAW, then wait until all have held".to_owned()
        }
        Gate::PostMortemPublished => "/incident postmortem".to_owned(),
        Gate::ActionsFiled => "/incident owner ACTION @person".to_owned(),
        Gate::Step(step) => format!("/incident tick {step}, or /incident skip {step} REASON"),
        _ => "/incident help".to_owned(),
    }
}

/// The command that mends what a post-mortem lacks.
pub(super) fn finding(finding: &Finding) -> String {
    let record = finding.records.first().map_or_else(|| "NUMBER".to_owned(), |record| record.0.to_string());
    let section = finding.section.to_string();
    match finding.kind {
        FindingKind::Start => "/incident started 09:50".to_owned(),
        FindingKind::Cause | FindingKind::Whys => "/incident postmortem why WHY IT HAPPENED".to_owned(),
        FindingKind::CauseEvidence => format!("/incident postmortem proof {record} RECORD"),
        FindingKind::Hypothesis => {
            format!("/incident confirm {record} REASON, or /incident rule-out {record} REASON")
        }
        FindingKind::Documentation => {
            format!("/incident postmortem doc {} not-needed REASON", finding.detail)
        }
        FindingKind::Trigger => write("trigger"),
        FindingKind::WentWell => write("went-well"),
        FindingKind::CouldBeBetter => write("could-be-better"),
        FindingKind::Lucky => write("lucky"),
        FindingKind::Name => write(&section.to_lowercase().replace(' ', "-")),
        FindingKind::ActionOwner => format!("/incident owner {record} @person"),
        FindingKind::Review => "/incident postmortem review @person".to_owned(),
        FindingKind::Meeting | FindingKind::MeetingLate => "/incident meeting tomorrow 14:00".to_owned(),
        kind => command(kind.command()).to_owned(),
    }
}

/// Whether a text in the finding's section mends it.
pub(super) fn is_written(finding: &Finding) -> bool {
    use FindingKind as K;
    matches!(finding.kind, K::Trigger | K::WentWell | K::CouldBeBetter | K::Lucky)
}

fn write(section: &str) -> String {
    format!("/incident postmortem edit {section}, or /incident postmortem write {section} TEXT")
}

fn command(kind: CommandKind) -> &'static str {
    match kind {
        CommandKind::AssessImpact => "/incident impact users:1200 WHAT IT DOES TO WHOM",
        CommandKind::Assign => "/incident assign commander @person",
        CommandKind::AddAction => "/incident action WHAT | owner: @person | kind: prevent",
        CommandKind::AssignAction => "/incident owner ACTION @person",
        CommandKind::Resolve => "/incident resolve CAUSE",
        CommandKind::RecordFix => "/incident fix deployment WHAT",
        CommandKind::Note => "/incident note TEXT",
        CommandKind::PublishPostMortem => "/incident postmortem publish",
        _ => "/incident help",
    }
}

/// The command that takes a step.
pub(super) fn step(
    step: &NextStep,
    kind_of: impl Fn(incident_core::model::id::Seq) -> Option<ObligationKind>,
) -> Option<String> {
    Some(match &step.why {
        Why::Obligation(seq) => match kind_of(*seq)? {
            ObligationKind::Acknowledge => "/incident ack".to_owned(),
            ObligationKind::Update => "/incident update TEXT | next: TEXT | eta: TEXT".to_owned(),
            ObligationKind::PostMortem => "/incident postmortem".to_owned(),
            ObligationKind::Meeting => {
                "/incident meeting TIME, then /incident meeting held @person".to_owned()
            }
            ObligationKind::FollowUp(action) => format!("/incident done {} WHAT CAME OF IT", action.0),
            _ => return None,
        },
        Why::Unclear(seq) => format!("/incident settle {} yes|no HOW YOU KNOW", seq.0),
        Why::Approval(seq) => format!("/incident approve {} DIGEST", seq.0),
        Why::Execution(seq) => format!("/incident execute {} DIGEST", seq.0),
        Why::Role(_) => "/incident assign commander me".to_owned(),
        Why::Gate(unmet) => gate(unmet),
        Why::Advance(None) => "/incident close".to_owned(),
        Why::Advance(Some(incident_core::model::phase::Phase::PostIncident)) => {
            "/incident resolve CAUSE".to_owned()
        }
        Why::Advance(Some(_)) => "/incident advance".to_owned(),
        Why::Step(id) => format!("/incident tick {id}"),
        _ => return None,
    })
}

/// Why the runbook says no, in full, and what to write to change that.
pub(super) fn refusal(refusal: &Refusal, runbook: &Runbook) -> String {
    let several = |what: &str, lines: Vec<String>| {
        let count = match lines.len() {
            1 => "One thing is".to_owned(),
            count => format!("{count} things are"),
        };
        format!("Not yet: {what}. {count} missing:\n• {}", lines.join("\n• "))
    };
    match refusal {
        Refusal::Gates { phase, unmet } => {
            let lines = unmet.iter().map(|it| format!("{} – {}", missing(it, runbook), gate(it))).collect();
            several(&format!("{phase} isn't finished"), lines)
        }
        Refusal::Incomplete { findings } => {
            let lines = findings.iter().map(|it| format!("{} – {}", it.what(), finding(it))).collect();
            several("the post-mortem isn't complete", lines)
        }
        Refusal::NotApproved { given, needed } => {
            format!(
                "Not yet: the plan has {given} of {needed} approvals. Somebody else has to click Approve."
            )
        }
        Refusal::OtherPlan | Refusal::PlanExpired => format!("Nothing was approved: {refusal}."),
        Refusal::Stale { section, theirs, .. } => {
            format!("Nothing was done: somebody else wrote {section} meanwhile. It says: {theirs}")
        }
        other => format!("Nothing was done: {other}."),
    }
}

/// What a gate asks for, as something that is missing.
fn missing(gate: &Gate, runbook: &Runbook) -> String {
    match gate {
        Gate::Acknowledged => "an acknowledgement".to_owned(),
        Gate::StartKnown => "when it began".to_owned(),
        Gate::SeverityAssigned => "a severity that somebody decided on".to_owned(),
        Gate::ImpactAssessed => "the impact".to_owned(),
        Gate::MitigatedOrFixed => "a mitigation or a fix that holds".to_owned(),
        Gate::ChecksHeld => "recovery checks that have held green".to_owned(),
        Gate::PostMortemPublished => "the published post-mortem".to_owned(),
        Gate::Step(id) => {
            let steps = runbook.phases.values().flat_map(|phase| &phase.steps);
            let what = steps.filter(|step| step.id == *id).map(|step| step.what.clone()).next();
            what.map_or_else(|| format!("the step {id}"), |what| what.trim_end_matches('.').to_owned())
        }
        other => other.to_string(),
    }
}

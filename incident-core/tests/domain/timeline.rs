//! A log as lines that people can compare: when, who, what.

use incident_core::log::event::{Fact, Record};
use incident_core::model::effect::{Outcome, Work};

use crate::scenario::Scenario;

/// What happened and what it obliged to; without the readings of probes and the attempts that went well.
pub(crate) fn timeline(it: &Scenario) -> String {
    let line = |record: &Record| {
        let what = what(it, &record.fact)?;
        Some(format!("{:>10}  {:<10}  {what}", it.since_start(record.recorded_at), record.actor))
    };
    it.records.iter().filter_map(line).collect::<Vec<_>>().join("\n")
}

fn what(it: &Scenario, fact: &Fact) -> Option<String> {
    let kind = fact.kind();
    Some(match fact {
        Fact::ChecksRead(_) | Fact::EffectStarted(_) | Fact::NoticeIssued(_) => return None,
        Fact::EffectSettled(settled) => match &settled.outcome {
            Outcome::Done(_) => return None,
            outcome => format!("  effect {} ended: {outcome:?}", settled.effect),
        },
        Fact::EffectPlanned(planned) => match &planned.work {
            Work::Notify(notify) => {
                let to: Vec<&str> = notify.audiences.iter().map(incident_core::Audience::as_str).collect();
                format!("  {} on {} to {}", notify.kind, planned.route, to.join(", "))
            }
            work => format!("  {work:?} by {}", planned.route),
        },
        Fact::ObligationOpened(opened) => {
            format!("  owed: {}, in {}", opened.kind, it.since_start(opened.due))
        }
        Fact::ObligationMet(_) | Fact::ObligationDropped(_) | Fact::ObligationMoved(_) => format!("  {kind}"),
        Fact::PhaseEntered(entered) => format!("{kind} {}", entered.to),
        _ => kind.to_owned(),
    })
}

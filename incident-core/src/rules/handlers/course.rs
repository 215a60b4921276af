//! Commands that move the incident along its course: phases, endings, merges.

use super::Handled;
use std::sync::Arc;

use crate::log::event::{
    Absorbed, Cancelled, Closed, Corrected, Linked, Merged, PhaseEntered, Redacted, Reopened, Replanned,
    Resolved,
};
use crate::log::incident::Ending;
use crate::model::effect::{Effect, Work};
use crate::model::id::{IncidentId, Seq};
use crate::model::phase::{Gate, Phase};
use crate::rules::command::{
    Absorb, Advance, Because, Close, Correct, Link, Redact, RedactSlot, Refusal, Resolve, StepBack,
};
use crate::rules::decide::{Draft, past};
use crate::rules::gate::unmet;
use crate::runbook::Reserved;
use crate::runbook::pinned::Figures;

pub(super) fn correct(draft: &mut Draft<'_>, it: &Correct) -> Handled {
    known(draft, it.record)?;
    if it.text.is_none() && it.occurred_at.is_none() {
        let problem = "neither a text nor a time is given; expected one of them".to_owned();
        return Err(Refusal::Invalid { field: "text", problem });
    }
    // A section is read before it is overwritten; a correction would pass that by.
    if it.text.is_some() && draft.state.document.sections.values().any(|version| version.seq == it.record) {
        let problem = "it wrote a section of the post-mortem; expected an edit of that section".to_owned();
        return Err(Refusal::Invalid { field: "record", problem });
    }
    let occurred_at = it.occurred_at.map(|time| past("occurred_at", time, draft.cx.now)).transpose()?;
    let text = draft.maybe_words("text", it.text.as_ref())?;
    let because = draft.words("because", &it.because)?;
    draft.fact(Corrected { record: it.record, text, occurred_at, because });
    Ok(())
}

pub(super) fn redact(draft: &mut Draft<'_>, it: &Redact) -> Handled {
    let is_own = draft.state.texts.author(it.record).is_some_and(|author| draft.is_asked_by(author));
    if !is_own {
        draft.needs_person()?;
    }
    known(draft, it.record)?;
    if it.slots.is_empty() {
        let problem = "none is given; expected at least one".to_owned();
        return Err(Refusal::Invalid { field: "slots", problem });
    }
    // The words leave the state by their name and the store by their place: it must be one text.
    let elsewhere = |slot: &RedactSlot| draft.state.texts.place(slot.text) != Some((it.record, slot.slot));
    if it.slots.iter().any(elsewhere) {
        let problem =
            "one doesn't hold these words, or no longer; expected each with its own text".to_owned();
        return Err(Refusal::Invalid { field: "slots", problem });
    }
    let because = draft.words("because", &it.because)?;
    let texts = it.slots.iter().map(|slot| slot.text).collect();
    draft.redact.extend(it.slots.iter().map(|slot| (it.record, slot.slot)));
    draft.fact(Redacted { record: it.record, texts, because });
    Ok(())
}

pub(super) fn known(draft: &Draft<'_>, record: Seq) -> Handled {
    if record > Seq::ZERO && record <= draft.state.version {
        return Ok(());
    }
    Err(Refusal::NotFound { what: "record", name: record.to_string() })
}

pub(super) fn advance(draft: &mut Draft<'_>, it: &Advance) -> Handled {
    let to = it.to.or_else(|| draft.state.phase.next()).unwrap_or(Phase::PostIncident);
    if to == Phase::PostIncident {
        let problem = "the last phase is entered by resolving".to_owned();
        return Err(Refusal::Invalid { field: "to", problem });
    }
    if to <= draft.state.phase {
        let problem =
            format!("the incident is in {}; expected a later phase, or a step back", draft.state.phase);
        return Err(Refusal::Invalid { field: "to", problem });
    }
    go_on(draft, to, it.override_because.as_ref())
}

/// Passes one phase after the other, so that what entering each obliges to is owed.
fn go_on(draft: &mut Draft<'_>, to: Phase, override_because: Option<&String>) -> Handled {
    let passed: Vec<Phase> =
        Phase::ALL.into_iter().filter(|phase| *phase >= draft.state.phase && *phase < to).collect();
    let mut overridden: Vec<Vec<Gate>> = Vec::new();
    for phase in &passed {
        let unmet = unmet(&draft.state, *phase, draft.cx);
        // Notices go out on entering Communication, so its gate can only be met by a phase that was entered.
        let entered = *phase == draft.state.phase;
        let unmet: Vec<Gate> =
            unmet.into_iter().filter(|gate| entered || *gate != Gate::AudiencesNotified).collect();
        if !unmet.is_empty() && override_because.is_none() {
            return Err(Refusal::Gates { phase: *phase, unmet });
        }
        overridden.push(unmet);
    }
    if overridden.iter().any(|gates| !gates.is_empty()) {
        draft.needs_person()?;
    }
    for (from, overridden) in passed.into_iter().zip(overridden) {
        let Some(to) = from.next() else { continue };
        let because = if overridden.is_empty() {
            None
        } else {
            draft.maybe_words("override_because", override_because)?
        };
        draft.fact(PhaseEntered { from, to, overridden, because });
    }
    Ok(())
}

pub(super) fn step_back(draft: &mut Draft<'_>, it: &StepBack) -> Handled {
    let from = draft.state.phase;
    if it.to >= from {
        let problem = format!("the incident is in {from}; expected an earlier phase");
        return Err(Refusal::Invalid { field: "to", problem });
    }
    let because = draft.words("because", &it.because)?;
    draft.fact(PhaseEntered { from, to: it.to, overridden: Vec::new(), because: Some(because) });
    Ok(())
}

/// Nothing ends while a mitigation may still change a system.
fn nothing_runs(draft: &Draft<'_>) -> Handled {
    let running = draft.state.mitigations.iter().find(|(_, it)| it.stage.is_running());
    running.map_or(Ok(()), |(seq, _)| {
        Err(Refusal::Unsafe(format!("mitigation {seq} is still running; wait for it or settle it")))
    })
}

pub(super) fn resolve(draft: &mut Draft<'_>, it: &Resolve) -> Handled {
    draft.may_decide(Reserved::Resolve)?;
    nothing_runs(draft)?;
    go_on(draft, Phase::PostIncident, it.override_because.as_ref())?;
    let cause = draft.words("cause", &it.cause)?;
    draft.fact(Resolved { cause });
    Ok(())
}

pub(super) fn reopen(draft: &mut Draft<'_>, it: &Because) -> Handled {
    draft.may_decide(Reserved::Reopen)?;
    let because = draft.words("because", &it.because)?;
    draft.fact(Reopened { because });
    Ok(())
}

pub(super) fn cancel(draft: &mut Draft<'_>, it: &Because) -> Handled {
    draft.may_decide(Reserved::Cancel)?;
    if draft.state.mitigations.values().any(|it| it.execution.is_some() || it.stage.is_running()) {
        let why = "something was changed already, so it can't be called off as a false alarm; resolve it";
        return Err(Refusal::Unsafe(why.to_owned()));
    }
    let because = draft.words("because", &it.because)?;
    draft.fact(Cancelled { because });
    Ok(())
}

/// How another incident ended.
fn how(ending: Ending) -> String {
    match ending {
        Ending::Closed => "is closed".to_owned(),
        Ending::Cancelled => "was cancelled".to_owned(),
        Ending::Merged(into) => format!("is part of incident {into}"),
    }
}

/// Asked for again, it is done again unless the other incident is part of this one or is still to be told.
pub(super) fn absorb(draft: &mut Draft<'_>, it: &Absorb) -> Handled {
    draft.may_decide(Reserved::Merge)?;
    if it.other <= draft.state.id {
        let problem = "it is older than this incident; the older one survives a merge".to_owned();
        return Err(Refusal::Invalid { field: "other", problem });
    }
    let other = draft.other("other", it.other, draft.state.side)?;
    match other.ended {
        Some(Ending::Merged(into)) if into == draft.state.id => {
            return Err(Refusal::Already("it is part of this incident already"));
        }
        Some(ending) => {
            let problem = format!("it {}; expected an open incident", how(ending));
            return Err(Refusal::Invalid { field: "other", problem });
        }
        None => {}
    }
    let telling = |effect: &Effect| effect.work == Work::Merge(it.other);
    if draft.state.effects.values().any(telling) {
        return Err(Refusal::Already("the other incident is being told already"));
    }
    let because = draft.words("because", &it.because)?;
    draft.fact(Absorbed { other: it.other, because });
    Ok(())
}

pub(super) fn merge_into(draft: &mut Draft<'_>, into: IncidentId) -> Handled {
    if into >= draft.state.id {
        let problem = "it is younger than this incident; the older one survives a merge".to_owned();
        return Err(Refusal::Invalid { field: "into", problem });
    }
    let survivor = draft.other("into", into, draft.state.side)?;
    if let Some(ending @ (Ending::Cancelled | Ending::Closed)) = survivor.ended {
        let problem = format!("it {}; expected an open incident", how(ending));
        return Err(Refusal::Invalid { field: "into", problem });
    }
    nothing_runs(draft)?;
    draft.fact(Merged { into });
    Ok(())
}

pub(super) fn link(draft: &mut Draft<'_>, it: &Link) -> Handled {
    if it.other == draft.state.id {
        let problem = "it is this incident itself; expected another".to_owned();
        return Err(Refusal::Invalid { field: "other", problem });
    }
    draft.other("other", it.other, draft.state.side)?;
    draft.fact(Linked { other: it.other, relation: it.relation });
    Ok(())
}

pub(super) fn close(draft: &mut Draft<'_>, it: &Close) -> Handled {
    draft.may_decide(Reserved::Close)?;
    nothing_runs(draft)?;
    let overridden = unmet(&draft.state, Phase::PostIncident, draft.cx);
    if !overridden.is_empty() {
        if it.override_because.is_none() {
            return Err(Refusal::Gates { phase: Phase::PostIncident, unmet: overridden });
        }
        draft.needs_person()?;
    }
    let because = draft.maybe_words("override_because", it.override_because.as_ref())?;
    draft.fact(Closed { overridden, because });
    Ok(())
}

pub(super) fn replan(draft: &mut Draft<'_>) -> Handled {
    let runbook = draft.cx.digest;
    if runbook == draft.state.runbook {
        return Err(Refusal::Already("this runbook is in force already"));
    }
    draft.fact(Replanned { runbook, figures: Arc::new(Figures::of(draft.cx.runbook)) });
    Ok(())
}

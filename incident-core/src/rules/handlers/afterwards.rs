//! Commands about the post-mortem: who writes what, why it happened, who read it, what of the documentation changes.

use super::Handled;
use super::course::known;
use crate::log::event::{
    CauseFound, DocumentationDecided, EvidenceLinked, PostMortemAssigned, PostMortemPublished,
    ReviewRequested, ReviewReturned, SectionWritten,
};
use crate::model::afterwards::{Cause, Decision, DocumentStatus};
use crate::model::role::PersonId;
use crate::rules::command::{
    AssignPostMortem, Because, DecideDocumentation, FindCause, LinkEvidence, PublishPostMortem, Refusal,
    RequestReview, WriteSection,
};
use crate::rules::completeness::findings;
use crate::rules::decide::{Draft, name, shown};

/// The most pieces of evidence or records that one command links.
const MOST_LINKS: usize = 64;

pub(super) fn assign_post_mortem(draft: &mut Draft<'_>, it: &AssignPostMortem) -> Handled {
    is_known(draft, &it.owner)?;
    if draft.state.document.owner.as_ref() == Some(&it.owner) {
        return Err(Refusal::Already("it is this person's already"));
    }
    draft.fact(PostMortemAssigned { owner: it.owner.clone() });
    Ok(())
}

/// An edit of a version that isn't the present one is refused with both texts, so that neither overwrites the other.
pub(super) fn write_section(draft: &mut Draft<'_>, it: &WriteSection) -> Handled {
    let section = it.section;
    let latest = draft.state.document.version_of(section);
    if it.based_on != latest {
        let present = draft.state.document.sections.get(&section);
        let theirs = present.map_or("", |version| draft.state.texts.get(version.text)).to_owned();
        return Err(Refusal::Stale { section, latest, theirs, yours: it.text.clone() });
    }
    let text = draft.words("text", &it.text)?;
    draft.fact(SectionWritten { section, text, based_on: it.based_on });
    Ok(())
}

pub(super) fn find_cause(draft: &mut Draft<'_>, it: &FindCause) -> Handled {
    if let Some(under) = it.under {
        match draft.state.document.causes.get(&under) {
            None => return Err(Refusal::NotFound { what: "cause", name: under.to_string() }),
            Some(cause) if cause.depth >= Cause::DEEPEST => {
                let problem = format!("it lies under {} others; expected one less deep", Cause::DEEPEST);
                return Err(Refusal::Invalid { field: "under", problem });
            }
            Some(_) => {}
        }
    }
    let statement = draft.words("statement", &it.statement)?;
    draft.fact(CauseFound { under: it.under, statement, kind: it.kind, class: it.class });
    Ok(())
}

pub(super) fn link_evidence(draft: &mut Draft<'_>, it: &LinkEvidence) -> Handled {
    let state = &draft.state;
    if !state.document.causes.contains_key(&it.to) && !state.hypotheses.contains_key(&it.to) {
        return Err(Refusal::NotFound { what: "cause or hypothesis", name: it.to.to_string() });
    }
    let links = it.evidence.len().saturating_add(it.records.len());
    if links == 0 || links > MOST_LINKS {
        let problem = format!("{links} are given; expected 1 to {MOST_LINKS} with the records");
        return Err(Refusal::Invalid { field: "evidence", problem });
    }
    if let Some(unknown) = it.evidence.iter().find(|digest| !state.evidence.contains_key(digest)) {
        return Err(Refusal::NotFound { what: "evidence", name: unknown.short() });
    }
    it.records.iter().try_for_each(|record| known(draft, *record))?;
    draft.fact(EvidenceLinked { to: it.to, evidence: it.evidence.clone(), records: it.records.clone() });
    Ok(())
}

pub(super) fn request_review(draft: &mut Draft<'_>, it: &RequestReview) -> Handled {
    if draft.state.document.status >= DocumentStatus::Published {
        return Err(Refusal::Already("it is published already"));
    }
    are_known(draft, "reviewers", &it.reviewers)?;
    draft.fact(ReviewRequested { reviewers: it.reviewers.clone() });
    Ok(())
}

pub(super) fn return_review(draft: &mut Draft<'_>, it: &Because) -> Handled {
    if draft.state.document.status != DocumentStatus::InReview {
        return Err(Refusal::Already("nobody was asked to review it"));
    }
    let because = draft.words("because", &it.because)?;
    draft.fact(ReviewReturned { because });
    Ok(())
}

pub(super) fn publish_post_mortem(draft: &mut Draft<'_>, it: &PublishPostMortem) -> Handled {
    known(draft, it.up_to)?;
    let mut lacking = findings(&draft.state, draft.cx.runbook);
    lacking.retain(|finding| finding.blocks);
    if !lacking.is_empty() {
        if it.override_because.is_none() {
            return Err(Refusal::Incomplete { findings: lacking });
        }
        draft.needs_person()?;
    }
    let link = it.link.as_deref().map(|link| name("link", link)).transpose()?;
    let because = if lacking.is_empty() {
        None
    } else {
        draft.maybe_words("override_because", it.override_because.as_ref())?
    };
    let mut overridden: Vec<_> = lacking.iter().map(|finding| finding.kind).collect();
    overridden.dedup();
    draft.fact(PostMortemPublished { link, sha256: it.sha256, up_to: it.up_to, overridden, because });
    Ok(())
}

pub(super) fn decide_documentation(draft: &mut Draft<'_>, it: &DecideDocumentation) -> Handled {
    if !draft.cx.runbook.afterwards.documentation.contains(&it.step) {
        return Err(Refusal::NotFound { what: "item of the documentation", name: shown(&it.step) });
    }
    let decision = match (it.action, &it.not_needed) {
        (Some(action), None) if draft.state.actions.contains_key(&action) => Decision::Action(action),
        (Some(action), None) => {
            return Err(Refusal::NotFound { what: "action item", name: action.to_string() });
        }
        (None, Some(reason)) => Decision::NotNeeded(draft.words("not_needed", reason)?),
        (None, None) | (Some(_), Some(_)) => {
            let problem = "expected an action item, or else why none is needed".to_owned();
            return Err(Refusal::Invalid { field: "action", problem });
        }
    };
    draft.fact(DocumentationDecided { step: it.step.clone(), decision });
    Ok(())
}

/// Whether the runbook knows the person.
pub(super) fn is_known(draft: &Draft<'_>, person: &PersonId) -> Handled {
    if draft.cx.runbook.persons.contains_key(person) {
        return Ok(());
    }
    Err(Refusal::NotFound { what: "person", name: shown(person.as_str()) })
}

/// Whether somebody is named, and the runbook knows all of them.
pub(super) fn are_known(draft: &Draft<'_>, field: &'static str, persons: &[PersonId]) -> Handled {
    if persons.is_empty() {
        let problem = "nobody is named; expected at least one person".to_owned();
        return Err(Refusal::Invalid { field, problem });
    }
    persons.iter().try_for_each(|person| is_known(draft, person))
}

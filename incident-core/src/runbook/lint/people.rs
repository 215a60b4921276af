//! Whether there is somebody to page and somebody to agree.

use std::collections::BTreeMap;

use super::{Findings, key};
use crate::model::role::PersonId;
use crate::model::severity::Severity;
use crate::runbook::{ApprovalRule, Runbook};

pub(super) fn check(runbook: &Runbook, found: &mut Findings) {
    escalation(runbook, found);
    known(runbook, "safety.break_glass", &runbook.safety.break_glass, found);
    identities(runbook, found);
    approvals(runbook, found);
}

fn escalation(runbook: &Runbook, found: &mut Findings) {
    let chain = &runbook.escalation.chain;
    if chain.is_empty() {
        let what = "nobody is paged when nobody answers";
        found.error("escalation.chain", what, "name at least one audience");
    }
    for (index, step) in chain.iter().enumerate() {
        let place = format!("escalation.chain[{index}]");
        if step.audience.is_external() {
            let what = format!("{} are outside the organisation and can't be paged", step.audience);
            found.error(format!("{place}.audience"), what, "name an audience inside");
        }
        known(runbook, &format!("{place}.persons"), &step.persons, found);
    }
}

fn known(runbook: &Runbook, place: &str, persons: &[PersonId], found: &mut Findings) {
    for person in persons.iter().filter(|person| !runbook.persons.contains_key(person)) {
        let what = format!("there is no person {:?}", person.as_str());
        found.error(place, what, "add the person to `persons`, or correct the name");
    }
}

fn identities(runbook: &Runbook, found: &mut Findings) {
    let mut owners = BTreeMap::new();
    for (id, person) in &runbook.persons {
        for identity in &person.identities {
            let parts = identity.as_str().split_once(':');
            if parts.is_none_or(|(system, account)| system.trim().is_empty() || account.trim().is_empty()) {
                let what = format!("{:?} names no account; expected `system:account`", identity.as_str());
                let then = "write the system before it, such as \"slack:U024BE7LH\"";
                found.error(format!("persons.{id}.identities"), what, then);
                continue;
            }
            let owner = owners.entry(identity).or_insert(id);
            if *owner != id {
                let what = format!("{identity} is {owner}'s too, so it counts as nobody's");
                found.error(format!("persons.{id}.identities"), what, "leave the account to one person");
            }
        }
    }
}

fn approvals(runbook: &Runbook, found: &mut Findings) {
    for severity in Severity::ALL {
        let rule = runbook.severity_rule(severity);
        let place = format!("safety.approvals.{}", key(&severity));
        if rule.persons == 0 {
            let what = "mitigations run without anybody's agreement";
            found.warning(place.clone(), what, "ask for one person, if that isn't meant");
        }
        too_few(runbook, rule, place, severity, found);
    }
    for (kind, rule) in &runbook.safety.by_kind {
        if rule.persons == 0 {
            let what = "it asks for 0 persons, which relaxes nothing: the severity's rule counts as well";
            found.warning(format!("safety.by_kind.{}", key(kind)), what, "ask for one person or more");
        }
        // A severity whose own rule can't be met is named above.
        let able = |severity: &Severity| enough(runbook, runbook.severity_rule(*severity));
        let rules = Severity::ALL
            .into_iter()
            .filter(able)
            .map(|severity| (severity, runbook.approval_rule(severity, *kind)));
        if let Some((severity, rule)) = rules.into_iter().find(|(_, rule)| !enough(runbook, rule)) {
            too_few(runbook, &rule, format!("safety.by_kind.{}", key(kind)), severity, found);
        }
    }
}

fn too_few(runbook: &Runbook, rule: &ApprovalRule, place: String, severity: Severity, found: &mut Findings) {
    if enough(runbook, rule) {
        return;
    }
    let what = if rule.persons == u32::MAX {
        format!(
            "nobody can agree at {severity}: no role counts for both the mitigation's rule and the severity's"
        )
    } else {
        format!("at {severity} {} must agree and {} could", rule.persons, able(runbook, rule))
    };
    found.error(place, what, "ask for fewer, allow more roles, or add persons with accounts and these roles");
}

fn enough(runbook: &Runbook, rule: &ApprovalRule) -> bool {
    let rule_alone = runbook.persons.is_empty() && rule.persons != u32::MAX;
    rule_alone || able(runbook, rule) >= usize::try_from(rule.persons).unwrap_or(usize::MAX)
}

/// How many persons could agree under `rule`: those with an account and, if it names roles, one of them.
fn able(runbook: &Runbook, rule: &ApprovalRule) -> usize {
    let counts = |roles: &[_]| rule.roles.is_empty() || roles.iter().any(|role| rule.roles.contains(role));
    runbook.persons.values().filter(|person| !person.identities.is_empty() && counts(&person.roles)).count()
}

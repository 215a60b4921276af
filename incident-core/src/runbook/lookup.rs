//! What decisions ask of a runbook. Every answer exists, and what is missing is answered the safe way.

use std::collections::BTreeSet;
use std::sync::LazyLock;

use super::{ApprovalRule, Priority, Reserved, Runbook};
use crate::model::id::Digest;
use crate::model::mitigation::MitigationKind;
use crate::model::phase::{Phase, PhasePolicy};
use crate::model::role::{Identity, PersonId};
use crate::model::severity::{Audience, Severity, SeverityPolicy, Within};

/// What stands in for an entry that a runbook lacks.
static DEFAULT: LazyLock<Runbook> = LazyLock::new(Runbook::default);

impl Runbook {
    /// What is promised at `severity`; the default runbook's promise if this one lacks it.
    #[must_use]
    pub fn severity(&self, severity: Severity) -> &SeverityPolicy {
        self.severities
            .get(&severity)
            .or_else(|| DEFAULT.severities.get(&severity))
            .expect("the default runbook has every severity")
    }

    /// What `phase` takes; what the default runbook says if this one lacks it.
    #[must_use]
    pub fn phase(&self, phase: Phase) -> &PhasePolicy {
        self.phases
            .get(&phase)
            .or_else(|| DEFAULT.phases.get(&phase))
            .expect("the default runbook has every phase")
    }

    /// By when an action item of `priority` is done; what the default runbook says if this one lacks it.
    #[must_use]
    pub fn follow_up_within(&self, priority: Priority) -> Within {
        let follow_ups = &self.afterwards.follow_ups;
        *follow_ups
            .get(&priority)
            .or_else(|| DEFAULT.afterwards.follow_ups.get(&priority))
            .expect("the default runbook has every priority")
    }

    /// The phrase called `name`; the default runbook's if this one lacks it, and empty if that does, too.
    #[must_use]
    pub fn phrase(&self, name: &str) -> &str {
        self.phrases.get(name).or_else(|| DEFAULT.phrases.get(name)).map_or("", String::as_str)
    }

    /// The person whose account `identity` is.
    ///
    /// None if nobody claims it – or several do, because such an account must not approve as any of them.
    #[must_use]
    pub fn person_of(&self, identity: &Identity) -> Option<&PersonId> {
        let mut owners = self.persons.iter().filter(|(_, person)| person.identities.contains(identity));
        let (owner, _) = owners.next()?;
        owners.next().is_none().then_some(owner)
    }

    /// Who must agree to a mitigation of `kind` at `severity`: the stricter of the severity's rule and the kind's.
    #[must_use]
    pub fn approval_rule(&self, severity: Severity, kind: MitigationKind) -> ApprovalRule {
        let rule = self.severity_rule(severity);
        self.safety.by_kind.get(&kind).map_or_else(|| rule.clone(), |by_kind| rule.stricter(by_kind))
    }

    /// Whether the automation called `name` may take a decision that is reserved for people.
    #[must_use]
    pub fn lets_automation(&self, name: &str, decision: Reserved) -> bool {
        self.safety.automation.get(name).is_some_and(|may| may.contains(&decision))
    }

    /// Who must hear of an incident of `severity`, each once, in the runbook's order.
    #[must_use]
    pub fn audiences(&self, severity: Severity, customer_facing: bool) -> Vec<Audience> {
        let policy = self.severity(severity);
        let besides = policy.audiences_if_customer_facing.iter().filter(|_| customer_facing);
        let mut seen = BTreeSet::new();
        policy.audiences.iter().chain(besides).filter(|audience| seen.insert(*audience)).cloned().collect()
    }

    /// The digest of everything the runbook says: equal runbooks have equal digests, whatever text they were read from.
    #[must_use]
    pub fn digest(&self) -> Digest {
        let bytes = serde_json::to_vec(self).expect("a runbook holds nothing that JSON can't write");
        Digest::of(&[b"runbook", &bytes])
    }

    pub(super) fn severity_rule(&self, severity: Severity) -> &ApprovalRule {
        self.safety
            .approvals
            .get(&severity)
            .or_else(|| DEFAULT.safety.approvals.get(&severity))
            .expect("the default runbook has a rule for every severity")
    }
}

impl ApprovalRule {
    /// The rule that is met only where both are: the larger number of persons, only roles that count for both, and the
    /// proposer only if both let them.
    ///
    /// If both name roles and none is in common, nobody can meet the result, for it asks for [`u32::MAX`] persons.
    #[must_use]
    pub fn stricter(&self, other: &Self) -> Self {
        let common = |roles: &[_]| roles.iter().copied().filter(|role| other.roles.contains(role)).collect();
        let (roles, disjoint): (Vec<_>, _) = match (self.roles.as_slice(), other.roles.as_slice()) {
            ([], roles) | (roles, []) => (roles.to_vec(), false),
            (roles, _) => {
                let common: Vec<_> = common(roles);
                if common.is_empty() { (roles.to_vec(), true) } else { (common, false) }
            }
        };
        Self {
            persons: if disjoint { u32::MAX } else { self.persons.max(other.persons) },
            roles,
            proposer_counts: self.proposer_counts && other.proposer_counts,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::role::{Person, Role};

    #[test]
    fn what_is_missing_is_answered_from_the_default() {
        let full = Runbook::default();
        let mut empty = Runbook::default();
        empty.severities.clear();
        empty.phases.clear();
        empty.phrases.clear();
        empty.safety.approvals.clear();
        empty.afterwards.follow_ups.clear();
        for priority in Priority::ALL {
            assert_eq!(empty.follow_up_within(priority), full.follow_up_within(priority));
        }
        for severity in Severity::ALL {
            assert_eq!(empty.severity(severity), full.severity(severity));
            for kind in [MitigationKind::RollBack, MitigationKind::EndQueries] {
                assert_eq!(empty.approval_rule(severity, kind), full.approval_rule(severity, kind));
            }
        }
        for phase in Phase::ALL {
            assert_eq!(empty.phase(phase), full.phase(phase));
        }
        assert_eq!(empty.phrase("opening"), full.phrase("opening"));
        assert_eq!(empty.phrase("no such phrase"), "");
    }

    #[test]
    fn the_stricter_rule_is_met_only_where_both_are() {
        use Role::{Commander, OpsLead, Responder};
        let rule = |persons, roles: &[Role], proposer_counts| ApprovalRule {
            persons,
            roles: roles.to_vec(),
            proposer_counts,
        };
        for (one, other, stricter) in [
            (rule(1, &[], true), rule(2, &[], true), rule(2, &[], true)),
            (rule(1, &[], true), rule(1, &[], false), rule(1, &[], false)),
            (rule(1, &[], true), rule(1, &[Commander], true), rule(1, &[Commander], true)),
            (
                rule(1, &[Commander, OpsLead], true),
                rule(2, &[OpsLead, Responder], true),
                rule(2, &[OpsLead], true),
            ),
            (rule(0, &[], true), rule(0, &[], true), rule(0, &[], true)),
        ] {
            assert_eq!(one.stricter(&other), stricter);
            assert_eq!(other.stricter(&one), stricter);
        }
        let nobody = rule(1, &[Commander], true).stricter(&rule(1, &[Responder], true));
        assert_eq!((nobody.persons, nobody.roles.is_empty()), (u32::MAX, false));
    }

    #[test]
    fn an_account_that_two_persons_claim_is_nobodys() {
        let mut runbook = Runbook::default();
        let shared = Identity::new("slack", "U1");
        let own = Identity::new("slack", "U2");
        for (id, identities) in [("alice", vec![shared.clone(), own.clone()]), ("bob", vec![shared.clone()])]
        {
            let person = Person { name: id.to_owned(), identities, roles: vec![] };
            runbook.persons.insert(PersonId::new(id), person);
        }
        assert_eq!(runbook.person_of(&own), Some(&PersonId::new("alice")));
        assert_eq!(runbook.person_of(&shared), None);
        assert_eq!(runbook.person_of(&Identity::new("slack", "U3")), None);
    }

    #[test]
    fn the_public_hears_only_what_faces_customers_and_nobody_hears_twice() {
        let mut runbook = Runbook::default();
        let policy = runbook.severities.get_mut(&Severity::Sev1).unwrap();
        policy.audiences_if_customer_facing.push(Audience::new(Audience::TEAM));
        let names = |facing| -> Vec<_> {
            runbook.audiences(Severity::Sev1, facing).iter().map(ToString::to_string).collect()
        };
        let inside = ["responders", "team", "leadership", "executives", "customers"];
        assert_eq!(names(false), inside);
        assert_eq!(names(true), [&inside[..], &["public"]].concat());
    }

    #[test]
    fn the_digest_tells_runbooks_apart() {
        let runbook = Runbook::default();
        let mut changed = runbook.clone();
        assert_eq!(changed.digest(), runbook.digest());
        changed.safety.storm_brake += 1;
        assert_ne!(changed.digest(), runbook.digest());
    }
}

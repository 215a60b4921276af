//! Roles, persons, and who is acting.

use std::fmt;

use serde::{Deserialize, Serialize};

/// What somebody does in an incident.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Role {
    /// Decides, and owes the updates.
    Commander,
    /// Stands in for the commander.
    Deputy,
    /// Writes the timeline.
    Scribe,
    /// Leads the hands on the systems.
    OpsLead,
    /// Writes what is said.
    CommsLead,
    /// Speaks with customers.
    CustomerLiaison,
    /// Speaks with the organisation.
    InternalLiaison,
    /// Knows the part that broke.
    SubjectExpert,
    /// Answers the page.
    Responder,
}

impl Role {
    /// Every role.
    pub const ALL: [Self; 9] = [
        Self::Commander,
        Self::Deputy,
        Self::Scribe,
        Self::OpsLead,
        Self::CommsLead,
        Self::CustomerLiaison,
        Self::InternalLiaison,
        Self::SubjectExpert,
        Self::Responder,
    ];
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Commander => "incident commander",
            Self::Deputy => "deputy",
            Self::Scribe => "scribe",
            Self::OpsLead => "ops lead",
            Self::CommsLead => "comms lead",
            Self::CustomerLiaison => "customer liaison",
            Self::InternalLiaison => "internal liaison",
            Self::SubjectExpert => "subject expert",
            Self::Responder => "responder",
        })
    }
}

/// A person whom the runbook knows, by a short name: `alice`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(transparent)]
pub struct PersonId(String);

impl PersonId {
    /// The person called `id`.
    #[must_use]
    pub fn new(id: &str) -> Self {
        Self(id.to_owned())
    }

    /// The short name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for PersonId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

/// Somebody's account in one system: `slack:U024BE7LH`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(transparent)]
pub struct Identity(String);

impl Identity {
    /// The account `account` in `system`.
    #[must_use]
    pub fn new(system: &str, account: &str) -> Self {
        Self(format!("{system}:{account}"))
    }

    /// `system:account`.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The account's name in `system`, if this identity is of that system.
    #[must_use]
    pub fn account_in(&self, system: &str) -> Option<&str> {
        self.0.strip_prefix(system)?.strip_prefix(':')
    }
}

impl fmt::Display for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

/// A person in the runbook and the accounts that are theirs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Person {
    /// The full name, as reports print it.
    pub name: String,
    /// The accounts that speak for this person.
    #[serde(default)]
    pub identities: Vec<Identity>,
    /// The roles this person may approve mitigations as.
    #[serde(default)]
    pub roles: Vec<Role>,
}

/// Who did something.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Actor {
    /// A human being, known by an account. Whether it is a person of the runbook is the runbook's to say.
    Human(Identity),
    /// A bot, a rule or a script, by name. It never counts as an approval.
    Automation(String),
    /// The engine itself: a timer, an outcome.
    Engine,
}

impl Actor {
    /// The human with `account` in `system`.
    #[must_use]
    pub fn human(system: &str, account: &str) -> Self {
        Self::Human(Identity::new(system, account))
    }
}

impl fmt::Display for Actor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Human(identity) => f.pad(identity.as_str()),
            Self::Automation(name) => f.pad(name),
            Self::Engine => f.pad("engine"),
        }
    }
}

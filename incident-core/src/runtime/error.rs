//! Why a command wasn't carried out.

use std::sync::Arc;

use crate::log::chain::Unreadable;
use crate::model::id::{CommandId, IncidentId};
use crate::port::store::StoreError;
use crate::rules::command::Refusal;

/// Why a command wasn't carried out, or isn't known to have been.
#[derive(Debug, Clone, thiserror::Error)]
#[non_exhaustive]
pub enum CommandError {
    /// The runbook says no; nothing was recorded.
    #[error("refused: {0}")]
    Refused(Refusal),
    /// The store doesn't take it; nothing was recorded.
    #[error("the command was not carried out")]
    Store(#[source] Arc<StoreError>),
    /// Whether it was carried out is unknown. Sent again to the same incident under the same id, it is carried out once.
    #[error(
        "it is unknown whether the command was carried out; it is safe to send it again to incident {incident} as {command}"
    )]
    Unknown {
        /// The incident it was sent to: a declaration sent again to another one would be a second incident.
        incident: IncidentId,
        /// The command's id.
        command: CommandId,
    },
    /// The engine or the store has a defect; nothing was recorded.
    #[error(
        "a defect stopped the command and nothing was recorded; the log names the place, please report it"
    )]
    Internal,
    /// The incident can't be read by this version, and is left alone.
    #[error("the incident is left alone")]
    Unreadable(#[source] Unreadable),
    /// A newer version keeps this incident.
    #[error("a newer version (fold {by}) keeps this incident; use that one")]
    Newer {
        /// The newer fold's version.
        by: u32,
    },
}

impl CommandError {
    /// The error as it concerns one command of a commit.
    pub(super) fn of(self, incident: IncidentId, command: CommandId) -> Self {
        match self {
            Self::Unknown { .. } => Self::Unknown { incident, command },
            other => other,
        }
    }

    /// The refusal, if that's what it is.
    #[must_use]
    pub fn refusal(&self) -> Option<&Refusal> {
        match self {
            Self::Refused(refusal) => Some(refusal),
            _ => None,
        }
    }
}

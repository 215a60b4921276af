//! The port to a system that can be changed to make an incident stop.

use async_trait::async_trait;

use super::adapter::{Adapter, Found};
use super::context::{EffectContext, ReadContext};
use super::error::AdapterError;
use crate::model::plan::{ApprovedPlan, Execution, Intent, Plan, Verification};

/// Plans, carries out, checks and undoes mitigations on one system.
#[async_trait]
pub trait Mitigator: Adapter {
    /// Resolves an intent against the live system.
    ///
    /// # Behaviour
    /// - Reads only; uses the backend's dry run where it has one.
    /// - The plan names its target in full, what changes, how much is hit, whether there is a way back, and pins what it
    ///   saw.
    ///
    /// # Errors
    /// [`ErrorKind::Refused`](super::ErrorKind::Refused) for a mitigation this system doesn't do or mustn't, saying
    /// what to do instead; [`AdapterError`] otherwise.
    async fn plan(&self, cx: &ReadContext, intent: Intent<'_>) -> Result<Plan, AdapterError>;

    /// Carries out exactly this plan.
    ///
    /// # Behaviour
    /// - Fails with [`ErrorKind::Precondition`](super::ErrorKind::Precondition) if the world isn't as pinned.
    /// - Returns when the backend accepted it and never waits for the effect.
    /// - Carrying out the same plan twice has one effect, or the second fails on its pins.
    ///
    /// # Errors
    /// [`AdapterError`].
    async fn execute(&self, cx: &EffectContext, plan: &ApprovedPlan) -> Result<Execution, AdapterError>;

    /// Looks whether the plan was carried out.
    ///
    /// # Behaviour
    /// - Changes nothing. [`Found::CannotTell`] if somebody else may have made the same change.
    ///
    /// # Errors
    /// [`AdapterError`] if the system can't be asked.
    async fn find(&self, cx: &EffectContext, plan: &Plan) -> Result<Found<Execution>, AdapterError>;

    /// Takes one look at whether the change holds.
    ///
    /// # Behaviour
    /// - Changes nothing and doesn't wait; [`Verification::Pending`] says when to look again.
    ///
    /// # Errors
    /// [`AdapterError`] if the system can't be asked.
    async fn verify(&self, cx: &EffectContext, execution: &Execution) -> Result<Verification, AdapterError>;
}

//! The port to whatever carries notices: chat, pager, mail, status page.

use async_trait::async_trait;

use super::adapter::{Adapter, Found, Repeat};
use super::context::EffectContext;
use super::error::AdapterError;
use crate::model::effect::Receipt;
use crate::model::notice::Notice;

/// Says something to people.
#[async_trait]
pub trait Notifier: Adapter {
    /// What delivering this notice a second time would do.
    ///
    /// # Behaviour
    /// - Pure: it depends on the configuration and the notice's kind alone.
    fn repeat(&self, notice: &Notice) -> Repeat;

    /// Delivers a notice.
    ///
    /// # Behaviour
    /// - The effect's id travels with the message where the backend has a place for it.
    /// - Texts are escaped for the backend: no mention, no markup, no injection comes from them. A drill says so.
    /// - The call is made once. If it may have been carried out although it failed, the error says
    ///   [`Applied::Maybe`](super::Applied::Maybe).
    /// - The receipt names the conversation that later notices of the lane belong to, if the backend has one.
    ///
    /// # Errors
    /// [`AdapterError`]; with the backend's own waiting time where it names one.
    async fn deliver(&self, cx: &EffectContext, notice: &Notice) -> Result<Receipt, AdapterError>;

    /// Looks whether the effect was already delivered.
    ///
    /// # Behaviour
    /// - Changes nothing.
    /// - [`Found::No`] only if the backend can be relied on to show it by now.
    ///
    /// # Errors
    /// [`AdapterError`] if the backend can't be asked.
    async fn find(&self, cx: &EffectContext, notice: &Notice) -> Result<Found<Receipt>, AdapterError>;
}

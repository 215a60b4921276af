//! The port to a ticket tracker.

use async_trait::async_trait;

use super::adapter::{Adapter, Found, Repeat};
use super::context::{EffectContext, ReadContext};
use super::error::AdapterError;
use crate::model::effect::Receipt;
use crate::model::ticket::{Ticket, TicketChange, TicketRef};

/// Keeps tickets.
#[async_trait]
pub trait Tracker: Adapter {
    /// What applying this change a second time would do.
    ///
    /// # Behaviour
    /// - Pure: it depends on the configuration and the change's kind alone.
    fn repeat(&self, change: &TicketChange) -> Repeat;

    /// Makes one change to one ticket.
    ///
    /// # Behaviour
    /// - What is opened or written carries the effect's id, so that [`find`](Self::find) recognises it.
    /// - Only what the change names is touched; what people wrote stays.
    /// - The receipt's `reference` is the ticket's [`TicketRef`]; what the backend silently dropped is in `degraded`.
    /// - A ticket that the tracker moved is followed; the receipt has its new name and, in `moved_from`, the old one.
    ///
    /// # Errors
    /// [`AdapterError`]. [`NotFound`](super::ErrorKind::NotFound) that asks for no retry says that the ticket is gone for
    /// good; the engine opens another one.
    async fn apply(&self, cx: &EffectContext, change: &TicketChange) -> Result<Receipt, AdapterError>;

    /// Looks whether the effect was already applied.
    ///
    /// # Behaviour
    /// - Changes nothing, and trusts only markers that this adapter's own account wrote.
    /// - [`Found::No`] only if the backend can be relied on to show it by now.
    ///
    /// # Errors
    /// [`AdapterError`] if the backend can't be asked.
    async fn find(&self, cx: &EffectContext, change: &TicketChange) -> Result<Found<Receipt>, AdapterError>;

    /// Reads tickets back. The engine asks for those of open action items, every few hours as the runbook says.
    ///
    /// # Behaviour
    /// - Changes nothing.
    /// - A day that the tracker keeps without a time is given as the time that was written, if it is the same day.
    /// - Tickets that don't exist are left out; the order is that of the request.
    /// - One that can't be read doesn't hide the others: it is [`Ticket::unread`].
    ///
    /// # Errors
    /// [`AdapterError`] if none can be read.
    async fn read(&self, cx: &ReadContext, tickets: &[TicketRef]) -> Result<Vec<Ticket>, AdapterError>;
}

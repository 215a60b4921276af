//! Tickets as cards: a file each, named by the effect that opened it.

use std::path::PathBuf;

use async_trait::async_trait;
use incident_core::model::ticket::{Ticket, TicketChange, TicketRef};
use incident_core::model::inert;
use incident_core::model::effect::Receipt;
use incident_core::port::*;
use serde::{Deserialize, Serialize};

use crate::file;

#[derive(Debug)]
pub struct Cards(pub PathBuf);

/// What a card says. Each entry has the effect that wrote it, so that a second application changes nothing.
#[derive(Debug, Default, Serialize, Deserialize)]
struct Card {
    title: String,
    open: bool,
    status: String,
    entries: Vec<(String, String)>,
}

impl Card {
    fn write(&mut self, effect: &str, text: &str) {
        if self.entries.iter().all(|(by, _)| by != effect) {
            self.entries.push((effect.to_owned(), inert::markdown(text)));
        }
    }
}

impl Cards {
    fn path(&self, ticket: &TicketRef) -> PathBuf {
        // What names a file comes from outside as well: nothing in it leads out of the folder.
        self.0.join(ticket.as_str().replace(['/', '\\', '.'], "-")).with_extension("json")
    }

    async fn card(&self, ticket: &TicketRef) -> Result<Option<Card>, AdapterError> {
        let text = file::read(&self.path(ticket)).await?;
        let card = text.map(|text| serde_json::from_str(&text)).transpose();
        card.map_err(|error| {
            AdapterError::new(ErrorKind::Invalid, "read the card").not_applied().caused_by(error)
        })
    }
}

#[async_trait]
impl Adapter for Cards {
    fn capabilities(&self) -> Capabilities {
        Capabilities::new("cards")
    }

    async fn preflight(&self, _: &PreflightContext) -> Result<Preflight, AdapterError> {
        Ok(file::preflight(&self.0).await)
    }
}

#[async_trait]
impl Tracker for Cards {
    fn repeat(&self, _: &TicketChange) -> Repeat {
        Repeat::Converging
    }

    async fn apply(&self, cx: &EffectContext, change: &TicketChange) -> Result<Receipt, AdapterError> {
        let effect = cx.effect.to_string();
        let ticket = change.ticket().cloned().unwrap_or_else(|| TicketRef::new(&effect));
        let missing = || AdapterError::new(ErrorKind::NotFound, "change the card").not_applied();
        let mut card = match (self.card(&ticket).await?, change) {
            (Some(card), _) => card,
            (None, TicketChange::Open(it)) => {
                Card { title: inert::line(&it.title), open: true, ..Card::default() }
            }
            (None, _) => return Err(missing()),
        };
        match change {
            TicketChange::Open(it) => card.write(&effect, &it.body),
            TicketChange::Comment(it) => card.write(&effect, &it.body),
            TicketChange::Set(it) => card.status = inert::markdown(&it.status),
            TicketChange::Close(it) => {
                card.open = false;
                card.write(&effect, &it.comment);
            }
            TicketChange::Reopen(it) => {
                card.open = true;
                card.write(&effect, &it.comment);
            }
            TicketChange::Link(it) => card.write(&effect, &format!("{} {}", it.relation, it.to)),
            _ => {
                return Err(AdapterError::new(
                    ErrorKind::Refused,
                    "make a change that is new to this adapter",
                ));
            }
        }
        let text = serde_json::to_string_pretty(&card).map_err(|error| {
            AdapterError::new(ErrorKind::Invalid, "write the card").not_applied().caused_by(error)
        })?;
        file::replace(&self.path(&ticket), &text).await?;
        Ok(Receipt::new(ticket.as_str()))
    }

    async fn find(&self, cx: &EffectContext, change: &TicketChange) -> Result<Found<Receipt>, AdapterError> {
        let effect = cx.effect.to_string();
        let ticket = change.ticket().cloned().unwrap_or_else(|| TicketRef::new(&effect));
        let card = self.card(&ticket).await?.unwrap_or_default();
        let there = card.entries.iter().any(|(by, _)| *by == effect);
        Ok(if there { Found::Yes(Receipt::new(ticket.as_str())) } else { Found::No })
    }

    async fn read(&self, _: &ReadContext, tickets: &[TicketRef]) -> Result<Vec<Ticket>, AdapterError> {
        let mut read = Vec::new();
        for ticket in tickets {
            let card = self.card(ticket).await?;
            read.extend(card.map(|card| Ticket::new(ticket.clone(), card.open, &card.title)));
        }
        Ok(read)
    }
}

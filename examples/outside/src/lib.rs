//! A desk: a folder with a journal of notices, cards as tickets, a switch that mitigates, and a lamp that shows health.

mod cards;
mod config;
mod file;
mod journal;
mod lamp;
mod switch;

pub use cards::Cards;
pub use config::DeskConfig;
pub use journal::Journal;
pub use lamp::Lamp;
pub use switch::Switch;

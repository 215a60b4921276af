//! The rows of the table, a file each.

mod commands;
mod fan_out;
mod group;
mod hold;
mod load;
mod page;
mod pass;
mod quiet;
mod rollback;
mod storms;
mod surge;
mod weight;

pub use hold::hold;

use crate::row::{Row, Scale};

/// A row: its number, its path, and what measures it.
#[derive(Debug, Clone, Copy)]
pub struct Entry {
    /// Its number, `P1` to `P13`.
    pub id: &'static str,
    /// What is measured.
    pub path: &'static str,
    /// What it is held against.
    pub beside: &'static str,
    /// Whether `cargo bench` can run it as it is: it needs no program from outside.
    pub alone: bool,
    /// Whom to ask.
    pub by: By,
}

/// Who measures a row.
#[derive(Debug, Clone, Copy)]
pub enum By {
    /// A function of this crate, in a process of its own.
    Function(fn(Scale) -> Row),
    /// Cargo with these arguments, for what it is made of lies in another crate's tests.
    Cargo(&'static [&'static str]),
}

/// All rows, in order.
pub const ROWS: [Entry; 13] = [
    Entry {
        id: "P1",
        path: "one durable command on SQLite, p50",
        beside: "raw append + fdatasync of the same bytes",
        alone: true,
        by: By::Function(commands::one),
    },
    Entry {
        id: "P2",
        path: "concurrent commands on SQLite, events/s",
        beside: "raw SQLite transactions of the same groups, same schema",
        alone: true,
        by: By::Function(group::concurrent),
    },
    Entry {
        id: "P3",
        path: "load incidents from SQLite: read, parse, fold, events/s",
        beside: "raw read, then raw parse",
        alone: true,
        by: By::Function(load::load),
    },
    Entry {
        id: "P4",
        path: "alert storm over HTTP, durable, with its notices",
        beside: "Alertmanager (in memory), same sender and sink",
        alone: false,
        by: By::Function(storms::storms),
    },
    Entry {
        id: "P5",
        path: "quiet system, alert POST → page POST",
        beside: "Alertmanager; raw fdatasync + loopback round trip",
        alone: false,
        by: By::Function(quiet::quiet),
    },
    Entry {
        id: "P6",
        path: "fan-out of 1,000 notices over 32 connections",
        beside: "bare reqwest with 32 in flight, same sink",
        alone: true,
        by: By::Function(fan_out::fan_out),
    },
    Entry {
        id: "P7",
        path: "6,000 escalations due at once: planned; delivered, durable",
        beside: "–",
        alone: false,
        by: By::Function(surge::surge),
    },
    Entry {
        id: "P8",
        path: "pass with nothing due",
        beside: "itself at 100 unsettled incidents",
        alone: false,
        by: By::Function(pass::pass),
    },
    Entry {
        id: "P9",
        path: "simulation, incident-hours/s, one thread",
        beside: "–",
        alone: true,
        by: By::Cargo(&["bench", "-q", "-p", "incident-benches", "--bench", "simulation"]),
    },
    Entry {
        id: "P10",
        path: "rollback: plan, approve, execute",
        beside: "`kubectl rollout undo`",
        alone: true,
        by: By::Function(rollback::rollback),
    },
    Entry {
        id: "P11",
        path: "post-mortem HTML of a 5,000-event incident",
        beside: "serialising the same events to JSON",
        alone: true,
        by: By::Function(page::page),
    },
    Entry {
        id: "P12",
        path: "memory per open incident held, 20 events",
        beside: "its events as JSON",
        alone: true,
        by: By::Function(hold::memory),
    },
    Entry {
        id: "P13",
        path: "weight",
        beside: "mandated packages alone: 31 crates",
        alone: false,
        by: By::Function(weight::weight),
    },
];

//! What the domain promises, held on its public interface alone.
//!
//! `scenario` plays an incident and checks, after every step, what must hold always; the other modules are tables of
//! cases, one module a subject.

#![allow(clippy::unwrap_used, reason = "a test may")]

mod course;
mod deadlines;
mod effects;
mod escalation;
mod life;
mod mitigations;
mod pages;
mod phases;
mod rails;
mod refusals;
mod samples;
mod scenario;
mod text;
mod timeline;
mod world;

//! What a health check shows.

use serde::{Deserialize, Serialize};

/// What a check shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Colour {
    /// Well.
    Green,
    /// Not well.
    Red,
    /// Nobody can tell; it counts as not green.
    Unknown,
}

impl std::fmt::Display for Colour {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(match self {
            Self::Green => "green",
            Self::Red => "red",
            Self::Unknown => "unknown",
        })
    }
}

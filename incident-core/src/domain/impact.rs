//! What an incident does to whom.

use serde::{Deserialize, Serialize};

use super::text::Text;

/// An assessment of the impact. `T` is [`Text`] in the log and `String` in a command.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(bound(deserialize = "T: Deserialize<'de> + Default"), deny_unknown_fields)]
pub struct Impact<T = Text> {
    /// How many users are affected, if counted.
    #[serde(default)]
    pub users: Option<u64>,
    /// Their share of all users, in per cent, 0 to 100.
    #[serde(default)]
    pub users_percent: Option<f64>,
    /// The services and features affected.
    #[serde(default)]
    pub services: Vec<String>,
    /// What it does to the business, in words.
    #[serde(default)]
    pub business: Option<T>,
    /// Whether data was lost or spoiled; none means nobody knows yet.
    #[serde(default)]
    pub data_loss: Option<bool>,
    /// Whether security was breached; none means nobody knows yet.
    #[serde(default)]
    pub security_breach: Option<bool>,
    /// Whether customers see it.
    #[serde(default)]
    pub customer_facing: Option<bool>,
    /// How many requests failed, if counted.
    #[serde(default)]
    pub failed_requests: Option<u64>,
    /// What it cost, with its currency, in words.
    #[serde(default)]
    pub money: Option<T>,
}

//! What an incident does to whom.

use serde::{Deserialize, Serialize};

use crate::model::text::{Text, Texts};

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
    /// How many minutes of a service-level objective's error budget it used up.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub slo_minutes: Option<u64>,
}

impl<T> Impact<T> {
    /// How many services may be named.
    pub const MOST_SERVICES: usize = 64;
    /// How many bytes the name of a service may have.
    pub const LONGEST_SERVICE: usize = 128;

    /// Checks what the types can't: the share is one, and the services have names of a sane number and length.
    ///
    /// No services at all is fine: early on, nobody knows them yet.
    ///
    /// # Errors
    ///
    /// [`InvalidImpact`] names the first field that isn't right; it never repeats what was in it.
    pub fn check(&self) -> Result<(), InvalidImpact> {
        let not = |field, expected| Err(InvalidImpact { field, expected });
        if self.users_percent.is_some_and(|share| !(0.0..=100.0).contains(&share)) {
            return not("users_percent", "a number from 0 to 100");
        }
        if self.services.len() > Self::MOST_SERVICES {
            return not("services", "at most 64 names");
        }
        if self.services.iter().any(|name| name.trim().is_empty() || name.len() > Self::LONGEST_SERVICE) {
            return not("services", "names of 1 to 128 bytes");
        }
        Ok(())
    }
}

impl Impact {
    /// Whether anything of it has a number.
    #[must_use]
    pub fn is_counted(&self) -> bool {
        let counts = [self.users, self.failed_requests, self.slo_minutes];
        counts.iter().any(Option::is_some) || self.users_percent.is_some() || self.money.is_some()
    }

    /// What is known, one thing each, in plain text: people's words are in it as they wrote them.
    #[must_use]
    pub fn say(&self, texts: &Texts) -> Vec<String> {
        let known = |what: &str, answer: Option<bool>| {
            answer.map(|yes| if yes { what.to_owned() } else { format!("no {what}") })
        };
        let named = (!self.services.is_empty()).then(|| format!("services: {}", self.services.join(", ")));
        let said = [
            self.users.map(|users| format!("{users} users")),
            self.users_percent.map(|share| format!("{share} % of users")),
            named,
            self.business.map(|words| texts.get(words).to_owned()),
            known("data loss", self.data_loss),
            known("security breach", self.security_breach),
            self.customer_facing
                .map(|seen| if seen { "customers see it" } else { "customers don't see it" }.to_owned()),
            self.failed_requests.map(|failed| format!("{failed} failed requests")),
            self.money.map(|words| format!("cost: {}", texts.get(words))),
            self.slo_minutes.map(|minutes| format!("{minutes} min of the error budget")),
        ];
        said.into_iter().flatten().collect()
    }
}

/// A field of an [`Impact`] holds what it can't.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("`{field}` isn't right: expected {expected}")]
#[non_exhaustive]
pub struct InvalidImpact {
    /// The field's name.
    pub field: &'static str,
    /// What belongs there.
    pub expected: &'static str,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_wrong_field_is_named() {
        let share =
            |users_percent| Impact { users_percent: Some(users_percent), ..Impact::<String>::default() };
        let services = |names: &[&str]| Impact::<String> {
            services: names.iter().map(|name| (*name).to_owned()).collect(),
            ..Impact::default()
        };
        let long = "x".repeat(128);
        let too_long = "x".repeat(129);
        for (impact, wrong) in [
            (Impact::default(), None),
            (share(0.0), None),
            (share(100.0), None),
            (share(-0.1), Some("users_percent")),
            (share(100.1), Some("users_percent")),
            (share(f64::NAN), Some("users_percent")),
            (share(f64::INFINITY), Some("users_percent")),
            (services(&["checkout"; 64]), None),
            (services(&["checkout"; 65]), Some("services")),
            (services(&[&long]), None),
            (services(&[&too_long]), Some("services")),
            (services(&["checkout", " "]), Some("services")),
        ] {
            assert_eq!(impact.check().err().map(|error| error.field), wrong, "{impact:?}");
        }
    }
}

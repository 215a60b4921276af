//! Why a webhook can't be taken, without what was in it.

use std::fmt;

/// Why a webhook can't be taken. It names the place and never repeats what was sent.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum WebhookError {
    /// The body isn't JSON, or ends too early.
    #[error(
        "the body is not JSON at line {line}, column {column}; send Alertmanager's webhook without a payload template"
    )]
    Syntax {
        /// The line, from 1.
        line: usize,
        /// The byte of the line, from 1.
        column: usize,
    },
    /// A field is missing or is something else.
    #[error("{field}: expected {expected}")]
    Field {
        /// Where, such as `alerts[3].startsAt`.
        field: String,
        /// What should be there.
        expected: &'static str,
    },
    /// There is more than is taken at once.
    #[error("{field}: expected at most {limit}; lower max_alerts or raise the limit")]
    TooMany {
        /// Of what, such as `alerts` or `alerts[3].labels`.
        field: String,
        /// The limit.
        limit: usize,
    },
}

/// The place in a webhook that is being read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Place {
    /// The alert, if it is one's field.
    pub(crate) alert: Option<usize>,
    pub(crate) field: Field,
}

/// A field that is read; every other passes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Field {
    Body,
    Alerts,
    Receiver,
    GroupKey,
    TruncatedAlerts,
    Alert,
    Status,
    Labels,
    Annotations,
    StartsAt,
    GeneratorUrl,
    Fingerprint,
}

impl Field {
    /// What should be there.
    pub(crate) fn expected(self) -> &'static str {
        match self {
            Self::Body => "an object",
            Self::Alerts => "a list of alerts, once",
            Self::Receiver | Self::GroupKey | Self::GeneratorUrl | Self::Fingerprint => "a text",
            Self::TruncatedAlerts => "a number, 0 or more",
            Self::Alert => "an object with a status",
            Self::Status => "\"firing\" or \"resolved\"",
            Self::Labels | Self::Annotations => "an object of texts",
            Self::StartsAt => "a time as in RFC 3339",
        }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = match self.field {
            Field::Body => "the body",
            Field::Alerts => "alerts",
            Field::Receiver => "receiver",
            Field::GroupKey => "groupKey",
            Field::TruncatedAlerts => "truncatedAlerts",
            Field::Alert => "",
            Field::Status => "status",
            Field::Labels => "labels",
            Field::Annotations => "annotations",
            Field::StartsAt => "startsAt",
            Field::GeneratorUrl => "generatorURL",
            Field::Fingerprint => "fingerprint",
        };
        match (self.alert, self.field) {
            (Some(alert), Field::Alert) => write!(f, "alerts[{alert}]"),
            (Some(alert), _) => write!(f, "alerts[{alert}].{name}"),
            (None, _) => f.write_str(name),
        }
    }
}

//! What an object store says, in the port's words.

use std::error::Error as StdError;
#[cfg(feature = "cloud")]
use std::io;

use incident_core::port::store::{StoreError, StoreTrouble};
use object_store::Error;

/// Why there was no usable answer. The store's own errors hold URLs and the bodies of answers, so none is passed on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Failure {
    #[error("there was no usable answer, or only one that asks to come again")]
    NoAnswer,
    #[error("there was no answer in time")]
    Late,
    #[error("the server's certificate is not accepted")]
    Untrusted,
    #[error("the credentials are not accepted, or may not do this")]
    Denied,
    #[error("there is no such bucket")]
    NoBucket,
    #[error("the store answered {0}")]
    Refused(u16),
}

impl Failure {
    fn trouble(self) -> StoreTrouble {
        match self {
            Self::NoAnswer | Self::Late => StoreTrouble::Unavailable,
            Self::Untrusted => StoreTrouble::Untrusted,
            Self::Denied => StoreTrouble::Denied,
            Self::Refused(413) => StoreTrouble::TooLarge,
            Self::Refused(507) => StoreTrouble::Full,
            Self::NoBucket => StoreTrouble::Missing,
            Self::Refused(_) => StoreTrouble::Foreign,
        }
    }

    fn of(error: &Error) -> Self {
        match error {
            Error::NotFound { .. } => Self::NoBucket,
            Error::PermissionDenied { .. } | Error::Unauthenticated { .. } => Self::Denied,
            error => refusal(error).unwrap_or(Self::NoAnswer),
        }
    }
}

/// Whether the store, or object_store for it, doesn't know what it was asked to do.
pub(crate) fn is_not_implemented(error: &Error) -> bool {
    matches!(error, Error::NotImplemented { .. }) || Failure::of(error) == Failure::Refused(501)
}

pub(crate) fn failed(operation: &'static str, error: &Error) -> StoreError {
    let failure = Failure::of(error);
    StoreError::new(failure.trouble(), operation).caused_by(failure)
}

pub(crate) fn late(operation: &'static str) -> StoreError {
    StoreError::new(Failure::Late.trouble(), operation).caused_by(Failure::Late)
}

/// Whether the server could not be trusted, which to ask again doesn't change.
#[cfg(feature = "cloud")]
pub(crate) fn is_untrusted(error: &(dyn StdError + 'static)) -> bool {
    let mut next = Some(error);
    while let Some(cause) = next {
        if cause.is::<rustls::Error>() {
            return true;
        }
        // An error of I/O passes over what it holds when it is asked for its source.
        next = match cause.downcast_ref::<io::Error>().and_then(io::Error::get_ref) {
            Some(inner) => Some(inner),
            None => cause.source(),
        };
    }
    false
}

/// What our own client said of an answer that it refused to pass on.
fn refusal(error: &Error) -> Option<Failure> {
    let mut next = error.source();
    while let Some(cause) = next {
        if let Some(failure) = cause.downcast_ref::<Failure>() {
            return Some(*failure);
        }
        next = cause.source();
    }
    None
}

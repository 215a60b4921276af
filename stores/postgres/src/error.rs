//! What goes wrong in PostgreSQL, in the words of the port.

use std::fmt;
use std::io;

use incident_core::port::store::{StoreError, StoreTrouble};
use tokio_postgres::error::SqlState;

/// Why a call to the server failed.
#[derive(Debug)]
pub(crate) enum Fault {
    /// The server, or the way to it, says so.
    Sql(tokio_postgres::Error),
    /// There was no connection to be had in time.
    NoConnection(&'static str),
    /// The answer didn't come in time.
    Late,
    /// What was read makes no sense: it is damaged.
    Damaged(&'static str),
    /// The database is somebody else's, or isn't prepared.
    Foreign(&'static str),
    /// The tables are of a newer version than this.
    Newer,
    /// The certificates can't be read.
    Certificates(io::Error),
}

impl Fault {
    /// The error of the port, for a call that was made during `operation`.
    pub(crate) fn during(&self, operation: &'static str) -> StoreError {
        let error = StoreError::new(self.trouble(), operation);
        match self {
            Self::Sql(source) => error.caused_by(Told::of(source)),
            Self::NoConnection(what) | Self::Damaged(what) | Self::Foreign(what) => error.caused_by(*what),
            Self::Late => error.caused_by("the server didn't answer in time"),
            Self::Newer => error,
            Self::Certificates(source) => error.caused_by(source.to_string()),
        }
    }

    /// What somebody can do about it.
    fn trouble(&self) -> StoreTrouble {
        match self {
            Self::Sql(error) => classify(error),
            Self::NoConnection(_) | Self::Late => StoreTrouble::Unavailable,
            Self::Damaged(_) => StoreTrouble::Corrupt,
            Self::Foreign(_) => StoreTrouble::Foreign,
            Self::Newer => StoreTrouble::Newer,
            Self::Certificates(error) if error.kind() == io::ErrorKind::InvalidData => {
                StoreTrouble::Untrusted
            }
            Self::Certificates(error) => StoreTrouble::of_io(error.kind()),
        }
    }

    /// Whether the server itself says no to a `COMMIT`, so that it certainly wasn't made. A server that is going down, or
    /// whose answer broke off, may have made it before.
    pub(crate) fn is_refusal(&self) -> bool {
        let Self::Sql(error) = self else { return false };
        let vague = |code: &SqlState| ["08", "57P", "XX"].iter().any(|class| code.code().starts_with(class));
        error.code().is_some_and(|code| !vague(code))
    }

    /// Whether two transactions stood in each other's way, so that doing it again may well succeed.
    pub(crate) fn is_rivalry(&self) -> bool {
        let Self::Sql(error) = self else { return false };
        matches!(error.code(), Some(&SqlState::T_R_DEADLOCK_DETECTED | &SqlState::T_R_SERIALIZATION_FAILURE))
    }

    /// Whether the connection broke, or leads to a server that is going down or takes no writes any more.
    pub(crate) fn is_dead_line(&self) -> bool {
        matches!(self, Self::Sql(_)) && self.spoils_connection()
    }

    /// Whether the connection may not be used again: it broke, or leads to a server that doesn't take writes any more.
    pub(crate) fn spoils_connection(&self) -> bool {
        match self {
            Self::Sql(error) => error.code().is_none_or(|code| {
                *code == SqlState::READ_ONLY_SQL_TRANSACTION
                    || code.code().starts_with("57P")
                    || code.code().starts_with("08")
            }),
            _ => true,
        }
    }
}

impl From<tokio_postgres::Error> for Fault {
    fn from(error: tokio_postgres::Error) -> Self {
        Self::Sql(error)
    }
}

/// What the server said, without the statement and the values: its detail lines quote them.
#[derive(Debug)]
struct Told(String);

impl Told {
    fn of(error: &tokio_postgres::Error) -> Self {
        Self(match error.as_db_error() {
            Some(told) => format!("{} ({})", told.message(), told.code().code()),
            None => {
                let source = std::error::Error::source(error).map(|source| format!(": {source}"));
                format!(
                    "{error}{}",
                    source.filter(|it| !error.to_string().contains(&**it)).unwrap_or_default()
                )
            }
        })
    }
}

impl fmt::Display for Told {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Told {}

fn classify(error: &tokio_postgres::Error) -> StoreTrouble {
    if let Some(code) = error.code() {
        return of_code(code.code());
    }
    let source = std::error::Error::source(error);
    let io = source.and_then(|source| source.downcast_ref::<io::Error>());
    let cause = io.and_then(io::Error::get_ref).and_then(|cause| cause.downcast_ref::<rustls::Error>());
    if cause.is_some() {
        return StoreTrouble::Untrusted;
    }
    // The kind of an error is known by its words alone; the tests see each of them on a server.
    match &*error.to_string() {
        "error performing TLS handshake" if io.is_none() => StoreTrouble::Untrusted,
        "authentication error" => StoreTrouble::Denied,
        "invalid configuration" if source.is_some_and(|source| source.to_string().contains("password")) => {
            StoreTrouble::Denied
        }
        "invalid configuration" | "invalid connection string" => StoreTrouble::Foreign,
        _ => match io.map(io::Error::kind) {
            Some(io::ErrorKind::PermissionDenied) => StoreTrouble::Denied,
            _ => StoreTrouble::Unavailable,
        },
    }
}

/// What a code of the server means: <https://www.postgresql.org/docs/current/errcodes-appendix.html>.
fn of_code(code: &str) -> StoreTrouble {
    match code {
        "53100" => StoreTrouble::Full,
        "54000" | "54001" | "54011" | "22001" => StoreTrouble::TooLarge,
        "3D000" => StoreTrouble::Missing,
        // A person has to grant something, or name the server that takes writes.
        "42501" | "25006" => StoreTrouble::Denied,
        code if code.starts_with("28") => StoreTrouble::Denied,
        // Our statements and types are right for our tables on a server that is new enough, so what they don't fit isn't ours.
        "3F000" => StoreTrouble::Foreign,
        code if code.starts_with("42") || code.starts_with("0A") => StoreTrouble::Foreign,
        code if code.starts_with("XX") || code.starts_with("22") || code.starts_with("23") => {
            StoreTrouble::Corrupt
        }
        _ => StoreTrouble::Unavailable,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_say_what_can_be_done() {
        for (code, expected) in [
            ("53100", StoreTrouble::Full),
            ("53300", StoreTrouble::Unavailable),
            ("57P01", StoreTrouble::Unavailable),
            ("40P01", StoreTrouble::Unavailable),
            ("08006", StoreTrouble::Unavailable),
            ("57P03", StoreTrouble::Unavailable),
            ("55P03", StoreTrouble::Unavailable),
            ("3D000", StoreTrouble::Missing),
            ("28000", StoreTrouble::Denied),
            ("28P01", StoreTrouble::Denied),
            ("42501", StoreTrouble::Denied),
            ("25006", StoreTrouble::Denied),
            ("42P01", StoreTrouble::Foreign),
            ("42601", StoreTrouble::Foreign),
            ("42883", StoreTrouble::Foreign),
            ("0A000", StoreTrouble::Foreign),
            ("XX001", StoreTrouble::Corrupt),
            ("23503", StoreTrouble::Corrupt),
            ("54000", StoreTrouble::TooLarge),
        ] {
            assert_eq!(of_code(code), expected, "code {code}");
        }
    }
}

//! What goes wrong in SQLite, in the words of the port.

use std::fmt;
use std::io;
use std::path::Path;

use incident_core::port::store::{StoreError, StoreTrouble};
use rusqlite::{ErrorCode, ffi};

use crate::place;

/// Why a call into the file failed.
#[derive(Debug)]
pub(crate) enum Fault {
    /// SQLite says so.
    Sql(rusqlite::Error),
    /// What was read can't be: it is damaged.
    Damaged(&'static str),
    /// The file is somebody else's.
    Foreign(&'static str),
    /// The file is of a newer version than this.
    Newer,
    /// The file is no longer the one that a new process would open.
    Moved(&'static str),
    /// The machine says so: it starts no thread, or the file system refuses.
    System(io::Error),
}

impl Fault {
    /// The error of the port, for a call on the store at `path` that was made during `operation`.
    pub(crate) fn during(&self, operation: &'static str, path: &Path) -> StoreError {
        StoreError::new(self.trouble(), operation).caused_by(format!("{}: {self}", path.display()))
    }

    /// With what the file system says, where SQLite says only that it can't go on.
    pub(crate) fn explained(self, file: &Path) -> Self {
        let Self::Sql(rusqlite::Error::SqliteFailure(error, _)) = &self else { return self };
        let is_vague = match error.code {
            ErrorCode::CannotOpen => true,
            ErrorCode::SystemIoFailure => of_code(*error) == StoreTrouble::Unavailable,
            _ => false,
        };
        match is_vague.then(|| place::trouble(file)).flatten() {
            Some(reason) => Self::System(reason),
            None => self,
        }
    }

    /// What somebody can do about it.
    pub(crate) fn trouble(&self) -> StoreTrouble {
        match self {
            Self::Sql(error) => classify(error),
            Self::Damaged(_) => StoreTrouble::Corrupt,
            Self::Foreign(_) => StoreTrouble::Foreign,
            Self::Newer => StoreTrouble::Newer,
            Self::Moved(_) => StoreTrouble::Moved,
            Self::System(error) => StoreTrouble::of_io(error.kind()),
        }
    }

    /// Whether it leaves open if a commit stands: the machine failed, or the file went away under it.
    pub(crate) fn is_doubt(&self) -> bool {
        match self {
            Self::Moved(_) => true,
            Self::Sql(rusqlite::Error::SqliteFailure(error, _)) => error.code == ErrorCode::SystemIoFailure,
            _ => false,
        }
    }

    /// Whether others have the file locked.
    pub(crate) fn is_busy(&self) -> bool {
        let Self::Sql(rusqlite::Error::SqliteFailure(error, _)) = self else { return false };
        matches!(error.code, ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked)
    }

    /// Whether a record or a row is larger than SQLite keeps.
    pub(crate) fn is_too_big(&self) -> bool {
        let Self::Sql(rusqlite::Error::SqliteFailure(error, _)) = self else { return false };
        error.code == ErrorCode::TooBig
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Sql(error) => error.fmt(f),
            Self::Damaged(what) | Self::Foreign(what) | Self::Moved(what) => f.write_str(what),
            Self::Newer => f.write_str("the file is of a newer version"),
            Self::System(error) => error.fmt(f),
        }
    }
}

impl From<io::Error> for Fault {
    fn from(error: io::Error) -> Self {
        Self::System(error)
    }
}

impl From<rusqlite::Error> for Fault {
    fn from(error: rusqlite::Error) -> Self {
        Self::Sql(error)
    }
}

fn classify(error: &rusqlite::Error) -> StoreTrouble {
    use rusqlite::Error;
    match error {
        Error::SqliteFailure(failure, _) => of_code(*failure),
        // Our statements and types are right for our schema, so what they don't fit is damaged.
        Error::SqlInputError { .. }
        | Error::FromSqlConversionFailure(..)
        | Error::IntegralValueOutOfRange(..)
        | Error::InvalidColumnType(..)
        | Error::QueryReturnedNoRows
        | Error::Utf8Error(..) => StoreTrouble::Corrupt,
        Error::InvalidPath(_) | Error::NulError(_) => StoreTrouble::Foreign,
        _ => StoreTrouble::Unavailable,
    }
}

fn of_code(failure: ffi::Error) -> StoreTrouble {
    match failure.code {
        ErrorCode::DiskFull => StoreTrouble::Full,
        ErrorCode::ReadOnly
        | ErrorCode::PermissionDenied
        | ErrorCode::CannotOpen
        | ErrorCode::AuthorizationForStatementDenied => StoreTrouble::Denied,
        ErrorCode::DatabaseCorrupt
        | ErrorCode::NotADatabase
        | ErrorCode::ConstraintViolation
        | ErrorCode::TypeMismatch
        | ErrorCode::Unknown => StoreTrouble::Corrupt,
        ErrorCode::SystemIoFailure => match failure.extended_code {
            ffi::SQLITE_IOERR_SHORT_READ | ffi::SQLITE_IOERR_DATA | ffi::SQLITE_IOERR_CORRUPTFS => {
                StoreTrouble::Corrupt
            }
            ffi::SQLITE_IOERR_ACCESS => StoreTrouble::Denied,
            _ => StoreTrouble::Unavailable,
        },
        _ => StoreTrouble::Unavailable,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_say_what_can_be_done() {
        for (code, expected) in [
            (ffi::SQLITE_BUSY, StoreTrouble::Unavailable),
            (ffi::SQLITE_BUSY_SNAPSHOT, StoreTrouble::Unavailable),
            (ffi::SQLITE_FULL, StoreTrouble::Full),
            (ffi::SQLITE_READONLY, StoreTrouble::Denied),
            (ffi::SQLITE_READONLY_DIRECTORY, StoreTrouble::Denied),
            (ffi::SQLITE_CANTOPEN, StoreTrouble::Denied),
            (ffi::SQLITE_CORRUPT, StoreTrouble::Corrupt),
            (ffi::SQLITE_NOTADB, StoreTrouble::Corrupt),
            (ffi::SQLITE_IOERR_FSYNC, StoreTrouble::Unavailable),
            (ffi::SQLITE_IOERR_SHORT_READ, StoreTrouble::Corrupt),
        ] {
            let error = rusqlite::Error::SqliteFailure(ffi::Error::new(code), None);
            assert_eq!(Fault::Sql(error).trouble(), expected, "code {code}");
        }
    }
}

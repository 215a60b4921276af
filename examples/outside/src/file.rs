//! What the ports share: reading and writing without blocking the thread, and errors that say what is known.

use std::io;
use std::path::Path;

use incident_core::port::{AdapterError, ErrorKind, Preflight};
use tokio::fs;

/// The text of a file; none if there is no such file.
pub async fn read(path: &Path) -> Result<Option<String>, AdapterError> {
    match fs::read_to_string(path).await {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        read => read.map(Some).map_err(|error| failed("read the file", error)),
    }
}

/// Replaces a file as a whole, so that nobody reads half of it.
pub async fn replace(path: &Path, text: &str) -> Result<(), AdapterError> {
    let beside = path.with_extension("new");
    fs::write(&beside, text).await.map_err(|error| failed("write the file", error).not_applied())?;
    // From here on it may have happened, whatever the error says.
    fs::rename(&beside, path).await.map_err(|error| failed("replace the file", error))
}

pub fn failed(operation: &'static str, error: io::Error) -> AdapterError {
    AdapterError::new(ErrorKind::Unavailable, operation).caused_by(error)
}

/// Whether the folder is there.
pub async fn preflight(folder: &Path) -> Preflight {
    let there = fs::metadata(folder).await.is_ok_and(|it| it.is_dir());
    let found = Preflight::default();
    if there { found.good("the folder") } else { found.bad("the folder", "create it") }
}

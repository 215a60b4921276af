//! Files that are there whole or not at all.

use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::Path;

use crate::port::{AdapterError, ErrorKind};

/// Makes `folder`, and keeps every other process from changing what is in it until the lock is dropped.
pub(super) fn lock(folder: &Path) -> io::Result<File> {
    fs::create_dir_all(folder)?;
    let lock = File::options().create(true).append(true).open(folder.join(".lock"))?;
    lock.lock()?;
    Ok(lock)
}

/// Replaces `path` with `bytes`: a reader, or a crash, sees the old file or the new one. The caller holds the folder's
/// [`lock`], because two who write one file at once would share its `.part`.
pub(super) fn replace(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let folder = path.parent().unwrap_or_else(|| Path::new("."));
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(".part");
    let part = folder.join(name);
    let mut file = File::create(&part)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    fs::rename(&part, path)?;
    sync_folder(folder)
}

/// Makes the names in a folder as durable as the files' bytes, where a folder can be opened for that.
pub(super) fn sync_folder(folder: &Path) -> io::Result<()> {
    if cfg!(unix) { File::open(folder)?.sync_all() } else { Ok(()) }
}

/// Does blocking work on files beside the async ones; a panic of it is an unknown outcome.
pub(super) async fn blocking<T: Send + 'static>(
    operation: &'static str,
    work: impl FnOnce() -> io::Result<T> + Send + 'static,
) -> Result<T, AdapterError> {
    match tokio::task::spawn_blocking(work).await {
        Ok(Ok(done)) => Ok(done),
        Ok(Err(error)) => Err(failed(operation, error)),
        Err(error) => Err(AdapterError::new(ErrorKind::Unavailable, operation).caused_by(error)),
    }
}

/// What an adapter says of an error: what isn't there or isn't valid was found out before anything was changed.
pub(super) fn failed(operation: &'static str, error: io::Error) -> AdapterError {
    let kind = match error.kind() {
        io::ErrorKind::NotFound => ErrorKind::NotFound,
        io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem => ErrorKind::Permission,
        io::ErrorKind::InvalidInput | io::ErrorKind::InvalidData => ErrorKind::Invalid,
        _ => ErrorKind::Unavailable,
    };
    let failed = AdapterError::new(kind, operation).caused_by(error);
    if matches!(kind, ErrorKind::NotFound | ErrorKind::Invalid) { failed } else { failed.maybe_applied() }
}

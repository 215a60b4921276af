//! The files of a store: where they are, and whether a new process would open the same ones.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use crate::error::Fault;

/// The files of a store that is open, as they were when it was opened.
#[derive(Debug, Clone)]
pub(crate) struct Place {
    path: PathBuf,
    file: PathBuf,
    opened: [Identity; 3],
}

/// What tells a file from another one that later has its name.
type Identity = (u64, u64);

impl Place {
    /// The files of the store that was just opened at `path`, where `file` was.
    pub(crate) fn of_open(path: &Path, file: &Path) -> Result<Self, Fault> {
        Ok(Self { path: path.to_owned(), file: file.to_owned(), opened: look(path)? })
    }

    /// The file that was opened.
    pub(crate) fn file(&self) -> &Path {
        &self.file
    }

    /// Checks that a process that opened the path now would get the files that are open here.
    ///
    /// Looks at names alone: to open and close a file here would release the locks of every other handle in this process.
    pub(crate) fn check(&self) -> Result<(), Fault> {
        let now = look(&self.path)?;
        if now == self.opened { Ok(()) } else { Err(Fault::Moved("another file has taken its place")) }
    }
}

fn look(path: &Path) -> Result<[Identity; 3], Fault> {
    let gone = |_| Fault::Moved("its folder, its file or its write-ahead log is gone");
    let file = resolve(path).map_err(gone)?;
    let metadata = fs::metadata(&file).map_err(gone)?;
    // A database in use has a page at least, so somebody emptied it.
    if metadata.len() == 0 {
        return Err(Fault::Moved("its file was emptied"));
    }
    let beside = |end| fs::metadata(beside(&file, end)).map(|metadata| identity(&metadata)).map_err(gone);
    Ok([identity(&metadata), beside("-wal")?, beside("-shm")?])
}

#[cfg(unix)]
fn identity(metadata: &fs::Metadata) -> Identity {
    use std::os::unix::fs::MetadataExt as _;
    (metadata.dev(), metadata.ino())
}

/// Elsewhere a file that is open can't be deleted or replaced.
#[cfg(not(unix))]
fn identity(_: &fs::Metadata) -> Identity {
    (0, 0)
}

/// The database that SQLite opens at `path`: symbolic links are followed, also to a file that doesn't exist yet.
pub(crate) fn resolve(path: &Path) -> io::Result<PathBuf> {
    const MOST_LINKS: usize = 40;
    let mut path = path.to_owned();
    for _ in 0..MOST_LINKS {
        let folder = path.parent().unwrap_or(Path::new("/"));
        match fs::read_link(&path) {
            Ok(target) => path = folder.join(target),
            Err(_) => {
                let name = path.file_name().ok_or(io::ErrorKind::InvalidFilename)?;
                return Ok(fs::canonicalize(folder)?.join(name));
            }
        }
    }
    Err(io::Error::new(io::ErrorKind::InvalidFilename, "its symbolic links lead in a circle"))
}

/// Refuses what SQLite would take for a new database, and write over.
pub(crate) fn refuse_remains(file: &Path) -> Result<(), Fault> {
    /// The smallest page, and so the smallest database.
    const SMALLEST: u64 = 512;
    match sizes(file) {
        (1.., 0) => Err(Fault::Damaged("the file is gone or empty, but its write-ahead log is there")),
        (_, 1..SMALLEST) => Err(Fault::Damaged("the file is cut off")),
        _ => Ok(()),
    }
}

/// The sizes of the write-ahead log and of the file, 0 if there is none.
///
/// The log's is taken first: a process that creates the store at this moment writes the file before the log.
pub(crate) fn sizes(file: &Path) -> (u64, u64) {
    let size = |path: &Path| fs::metadata(path).map_or(0, |metadata| metadata.len());
    (size(&beside(file, "-wal")), size(file))
}

/// A file that SQLite keeps beside the database.
pub(crate) fn beside(file: &Path, end: &str) -> PathBuf {
    let mut name = file.as_os_str().to_owned();
    name.push(end);
    PathBuf::from(name)
}

/// Why SQLite can't open or write a file, if the file system says: SQLite itself tells a missing folder, a folder of that
/// name, a full disk and a missing permission apart only roughly.
pub(crate) fn trouble(file: &Path) -> Option<io::Error> {
    match fs::metadata(file) {
        Ok(metadata) if metadata.is_dir() => return Some(io::ErrorKind::IsADirectory.into()),
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Some(error),
        _ => {}
    }
    let probe = beside(file, "-probe");
    // As much as a write-ahead log needs to begin.
    let tried = fs::write(&probe, [0; 64 << 10]);
    let _ = fs::remove_file(&probe);
    tried.err()
}

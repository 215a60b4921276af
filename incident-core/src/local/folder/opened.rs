//! Which ticket an effect opened: a small file for each effect, so that nobody has to look into every ticket.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use crate::local::file::replace;
use crate::model::id::EffectId;

/// The notes of one folder of tickets. Who writes them holds that folder's lock.
pub(super) struct Opened {
    folder: PathBuf,
}

/// The file that says that every ticket is noted.
const COMPLETE: &str = "complete";

impl Opened {
    pub(super) fn of(tickets: &Path) -> Self {
        Self { folder: tickets.join(".opened") }
    }

    /// Whether every ticket that is there is noted.
    pub(super) fn is_complete(&self) -> bool {
        self.folder.join(COMPLETE).is_file()
    }

    /// Says that every ticket is noted.
    pub(super) fn complete(&self) -> io::Result<()> {
        fs::create_dir_all(&self.folder)?;
        replace(&self.folder.join(COMPLETE), b"")
    }

    /// Notes that the effect opened the ticket in the file `name`.
    pub(super) fn note(&self, effect: EffectId, name: &str) -> io::Result<()> {
        fs::create_dir_all(&self.folder)?;
        replace(&self.folder.join(effect.to_string()), name.as_bytes())
    }

    /// The file of the ticket that the effect opened.
    pub(super) fn find(&self, effect: EffectId) -> io::Result<Option<String>> {
        match fs::read_to_string(self.folder.join(effect.to_string())) {
            Ok(name) => Ok(Some(name)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }
}

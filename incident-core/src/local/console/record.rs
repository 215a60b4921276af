//! The console's record: a file of JSON lines that is only appended to.

use std::fs::File;
use std::io::{self, BufRead as _, BufReader, Read as _, Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::local::file::sync_folder;
use crate::model::notice::{Notice, NoticeKind};
use crate::model::severity::Audience;
use crate::model::time::Time;
use crate::port::EffectContext;

/// One delivered notice.
#[derive(Serialize)]
pub(super) struct Line {
    pub(super) effect: String,
    kind: NoticeKind,
    headline: String,
    pub(super) text: String,
    audiences: Vec<Audience>,
    at: Time,
    possible_repeat: bool,
    drill: bool,
}

impl Line {
    pub(super) fn new(cx: &EffectContext, notice: &Notice) -> Self {
        Self {
            effect: cx.effect.to_string(),
            kind: notice.kind,
            headline: notice.headline(),
            text: notice.to_text(),
            audiences: notice.audiences.clone(),
            at: cx.now,
            possible_repeat: notice.possible_repeat,
            drill: notice.drill,
        }
    }
}

#[derive(Debug, Clone)]
pub(super) struct Record(PathBuf);

impl Record {
    pub(super) fn new(path: PathBuf) -> Self {
        Self(path)
    }

    /// The record, locked and ready to be appended to: what a crash left of a line is cut off.
    pub(super) fn open(&self) -> io::Result<File> {
        let mut file = File::options().create(true).read(true).append(true).open(&self.0)?;
        file.lock()?;
        let length = file.seek(SeekFrom::End(0))?;
        if length == 0 {
            sync_folder(self.0.parent().filter(|it| !it.as_os_str().is_empty()).unwrap_or(Path::new(".")))?;
        }
        let whole = end_of_last_line(&mut file, length)?;
        if whole < length {
            file.set_len(whole)?;
        }
        Ok(file)
    }

    /// Whether the effect is on the record. A line that isn't whole doesn't count: its notice got no receipt.
    pub(super) fn has(&self, effect: &str) -> io::Result<bool> {
        #[derive(Deserialize)]
        struct Key {
            effect: String,
        }
        let file = match File::open(&self.0) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(false),
            Err(error) => return Err(error),
        };
        // Waits for a line that is just being appended.
        file.lock_shared()?;
        let (mut lines, mut line) = (BufReader::new(file), Vec::new());
        while lines.read_until(b'\n', &mut line)? > 0 {
            let key = line.ends_with(b"\n").then(|| serde_json::from_slice::<Key>(&line));
            if matches!(key, Some(Ok(key)) if key.effect == effect) {
                return Ok(true);
            }
            line.clear();
        }
        Ok(false)
    }
}

/// Appends a line in one write, and returns once it is on the disk.
pub(super) fn append(mut file: File, line: &Line) -> io::Result<()> {
    let mut bytes = serde_json::to_vec(line)?;
    bytes.push(b'\n');
    file.write_all(&bytes)?;
    file.sync_all()
}

fn end_of_last_line(file: &mut File, length: u64) -> io::Result<u64> {
    const STEP: u64 = 4_096;
    let mut end = length;
    while end > 0 {
        let start = end.saturating_sub(STEP);
        let mut piece = Vec::new();
        file.seek(SeekFrom::Start(start))?;
        (&*file).take(end - start).read_to_end(&mut piece)?;
        if let Some(at) = piece.iter().rposition(|byte| *byte == b'\n') {
            return Ok(start + at as u64 + 1);
        }
        end = start;
    }
    Ok(0)
}

//! Templates in a folder.

use std::fs;
use std::io::Read as _;
use std::path::Path;

use super::{LONGEST, TemplateError, shown};

/// The most templates in a folder.
const MOST: usize = 128;

/// The files in `folder`, by their names, in order. A link is no file: it could lead out of the folder.
pub(super) fn read(folder: &Path) -> Result<Vec<(String, String)>, TemplateError> {
    let unreadable = |name: &str, error: &std::io::Error| {
        TemplateError::new(&shown(name), None, &format!("it can't be read ({})", error.kind()))
    };
    let entries = fs::read_dir(folder).map_err(|error| unreadable("the folder", &error))?;
    let mut templates = Vec::new();
    for entry in entries {
        let entry = entry.map_err(|error| unreadable("the folder", &error))?;
        let name = entry.file_name().to_string_lossy().into_owned();
        let kind = entry.file_type().map_err(|error| unreadable(&name, &error))?;
        if name.starts_with('.') || kind.is_dir() {
            continue;
        }
        if !kind.is_file() {
            return Err(TemplateError::new(&shown(&name), None, "expected a file, not a link or a device"));
        }
        if templates.len() == MOST {
            return Err(TemplateError::new(
                "the folder",
                None,
                &format!("expected at most {MOST} templates"),
            ));
        }
        let file = fs::File::open(entry.path()).map_err(|error| unreadable(&name, &error))?;
        let mut source = String::new();
        // One byte more than a template may have shows that it has too many.
        let most = u64::try_from(LONGEST).unwrap_or(u64::MAX).saturating_add(1);
        file.take(most).read_to_string(&mut source).map_err(|error| unreadable(&name, &error))?;
        templates.push((name, source));
    }
    templates.sort();
    Ok(templates)
}

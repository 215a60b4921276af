//! Adapters that need no account anywhere: notices on the console, tickets and evidence in folders.

mod console;
mod evidence;
mod file;
mod folder;

pub use console::Console;
pub use evidence::FolderEvidence;
pub use folder::Folder;

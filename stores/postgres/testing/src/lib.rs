//! A PostgreSQL and a PgBouncer for the length of a test: on loopback, in a folder of their own, run by somebody without
//! privileges, and gone with the process that started them.

mod guard;
mod pooler;
mod relay;
mod server;

pub use pooler::Pooler;
pub use relay::Relay;
pub use server::Server;

use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// The program called `name`, from where Debian puts it or from `PATH`.
pub(crate) fn find(name: &str) -> Option<PathBuf> {
    let debian = std::fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let mut debian: Vec<PathBuf> = debian.map(|version| version.path().join("bin").join(name)).collect();
    debian.sort_unstable_by(|a, b| b.cmp(a));
    let runs = |file: &PathBuf| {
        let mut version = Command::new(file);
        version.arg("--version").stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        version.status().is_ok()
    };
    let system = Path::new("/usr/sbin").join(name);
    debian.into_iter().chain([PathBuf::from(name), system]).find(runs)
}

/// As [`find`].
///
/// # Panics
/// If there is none, saying what to install.
pub(crate) fn program(name: &str, package: &str) -> PathBuf {
    find(name).unwrap_or_else(|| {
        panic!("needs `{name}`. On Debian: sudo apt-get install {package}; elsewhere put its folder on PATH")
    })
}

/// A port of loopback that is free now.
pub(crate) fn free_port() -> u16 {
    let listener = TcpListener::bind(("127.0.0.1", 0)).expect("loopback has a free port");
    listener.local_addr().expect("it is bound").port()
}

/// What a program wrote, for the message when it doesn't start.
pub(crate) fn log(file: &Path) -> String {
    std::fs::read_to_string(file).unwrap_or_default()
}

//! Running a program as somebody without privileges, for as long as this process lives.

use std::path::Path;
use std::process::{Child, Command};
use std::sync::mpsc;

use crate::program;

/// Whether this is root, who may not run PostgreSQL.
fn is_root() -> bool {
    use std::os::unix::fs::MetadataExt as _;
    std::fs::metadata("/proc/self").is_ok_and(|me| me.uid() == 0)
}

/// A command that runs `file` as somebody without privileges.
pub(crate) fn command(file: &Path) -> Command {
    let mut command = Command::new(program("setpriv", "util-linux"));
    if is_root() {
        command.args(["--reuid=nobody", "--regid=nogroup", "--clear-groups"]);
    }
    command.arg("--").arg(file);
    command
}

/// Runs what it is given; told to end, it ends that and takes the folder away. A shell in the background is deaf to INT.
const KEEPER: &str = r#"folder=$1; shift; "$@" & child=$!
trap 'kill -INT $child; wait $child; cd /; rm -rf "$folder"; exit' INT TERM
wait $child"#;

/// A command that runs `file` in `folder`, and that the kernel tells to end when this process dies.
pub(crate) fn kept(folder: &Path, file: &Path) -> Command {
    let mut command = Command::new(program("setpriv", "util-linux"));
    command.args(["--pdeathsig", "TERM"]);
    if is_root() {
        command.args(["--reuid=nobody", "--regid=nogroup", "--clear-groups"]);
    }
    command.args(["--", "sh", "-c", KEEPER, "sh"]).arg(folder).arg(file).current_dir(folder);
    command
}

/// Ends what [`kept`] runs, and waits until it is gone.
pub(crate) fn end(child: &mut Child) {
    signal("-TERM", child.id());
    let _ = child.wait();
}

/// Sends a signal.
pub(crate) fn signal(signal: &str, process: u32) {
    let _ = Command::new(program("kill", "procps")).args([signal, &process.to_string()]).status();
}

/// Gives a folder to whom [`command`] runs as.
pub(crate) fn hand_over(folder: &Path) {
    if is_root() {
        let status = Command::new("chown").args(["-R", "nobody:nogroup"]).arg(folder).status();
        assert!(status.is_ok_and(|status| status.success()), "root can give {} away", folder.display());
    }
}

/// Starts a command from a thread that never ends: the kernel takes the end of the thread for that of the process.
pub(crate) fn start(mut command: Command) -> Child {
    let (started, child) = mpsc::channel();
    std::thread::spawn(move || {
        let child = command.spawn().expect("what was found can be started");
        let _ = started.send(child);
        loop {
            std::thread::park();
        }
    });
    child.recv().expect("the thread starts it")
}

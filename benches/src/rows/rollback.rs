//! P10: what a rollback asks of an API server.

use std::path::Path;
use std::process::{Command, Stdio};

use crate::row::{Line, Row, Scale};

/// The test of the adapter that lists the calls, one by one.
const TEST: &str = "planning_and_carrying_out_take_six_calls";

pub(super) fn rollback(_: Scale) -> Row {
    let mut test = Command::new(env!("CARGO"));
    test.current_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("..")).stdin(Stdio::null());
    // As `scripts/test` builds it, so that nothing is built twice.
    test.args(["test", "-q", "--workspace", "--all-features", "--lib", TEST]).stderr(Stdio::null());
    let told = test.output().map(|out| String::from_utf8_lossy(&out.stdout).into_owned()).unwrap_or_default();
    let calls = "API calls on the tests' server";
    let line = if told.contains("1 passed") {
        let line = Line::new(calls, "6".to_owned(), "≤ 6", true);
        Line { beside: "4, as recorded of kubectl".to_owned(), ..line }
    } else {
        Line::not_run(calls, "≤ 6", "the test that counts them fails")
    };
    Row::default().line(line).line(Line::not_run(
        "wall time, memory",
        "≤ 0.25×, ≤ 0.5×",
        "no API server is at hand",
    ))
}

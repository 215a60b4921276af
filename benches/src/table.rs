//! The table of benches/README.md, from what the rows came to.

use std::fmt::Write as _;

use crate::row::{Line, Row};
use crate::rows::{Entry, ROWS};

const BEGIN: &str = "<!-- table: filled by `cargo bench -p incident-benches --bench table -- --fill` -->";
const END: &str = "<!-- end of the table -->";

/// Puts the table into the text of a README, between its markers.
///
/// # Errors
/// If it has no markers.
pub fn fill(readme: &str, machine: &str, rows: &[(&Entry, Row)]) -> Result<String, String> {
    let missing = || format!("README.md lacks the lines {BEGIN:?} and {END:?}");
    let (before, rest) = readme.split_once(BEGIN).ok_or_else(missing)?;
    let (_, after) = rest.split_once(END).ok_or_else(missing)?;
    Ok(format!("{before}{BEGIN}\n\n{}\n{END}{after}", text(machine, rows)))
}

/// The table as Markdown.
#[must_use]
pub fn text(machine: &str, rows: &[(&Entry, Row)]) -> String {
    let mut text = format!(
        "Machine: {machine}. Medians, in brackets the least and the greatest; a ratio is of slices that followed each other.\n\n\
         | # | path | ours | beside, in the same run | ratio | goal | |\n|---|---|---|---|---|---|---|\n"
    );
    for (entry, row) in rows {
        for (n, line) in row.lines.iter().enumerate() {
            let id = if n == 0 { entry.id } else { "" };
            let path =
                if n == 0 { format!("{} (beside: {}): ", entry.path, entry.beside) } else { String::new() };
            let _ = writeln!(text, "| {id} | {path}{} |", cells(line));
        }
    }
    text
}

fn cells(line: &Line) -> String {
    let ratio = line
        .ratio
        .map_or_else(|| "–".to_owned(), |it| format!("{:.2} ({:.2}–{:.2})", it.median, it.least, it.most));
    let met = match line.met {
        Some(true) => "reached",
        Some(false) => "**missed**",
        None => "",
    };
    format!("{} | {} | {} | {ratio} | {} | {met}", line.what, line.ours, line.beside, line.goal)
}

/// The row called `id`.
#[must_use]
pub fn entry(id: &str) -> Option<&'static Entry> {
    ROWS.iter().find(|entry| entry.id.eq_ignore_ascii_case(id))
}

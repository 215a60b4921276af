//! The repository as text, and the questions that the rules ask of it.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::LazyLock;
use std::{fs, str};

use toml::{Table, Value};

/// A text file of the repository; its path starts at the root and has forward slashes.
pub(crate) struct File {
    pub(crate) path: String,
    pub(crate) text: String,
}

static ROOT: LazyLock<&Path> = LazyLock::new(|| {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the crate lies in the workspace")
});
pub(crate) static FILES: LazyLock<Vec<File>> = LazyLock::new(|| {
    let paths = git_files().unwrap_or_else(|| walk(&ROOT));
    let read =
        |path: PathBuf| Some(File { text: fs::read_to_string(ROOT.join(&path)).ok()?, path: slashes(&path) });
    paths.into_iter().filter_map(read).collect()
});

/// What git tracks or is about to; `None` where there is no git.
fn git_files() -> Option<Vec<PathBuf>> {
    let arguments = ["ls-files", "-z", "--cached", "--others", "--exclude-standard"];
    let listed =
        ROOT.join(".git").exists().then(|| Command::new("git").args(arguments).current_dir(*ROOT).output());
    let output = listed?.ok().filter(|output| output.status.success())?;
    Some(str::from_utf8(&output.stdout).ok()?.split_terminator('\0').map(PathBuf::from).collect())
}

fn walk(folder: &Path) -> Vec<PathBuf> {
    let entries =
        fs::read_dir(folder).expect("a readable folder").map(|entry| entry.expect("a readable entry"));
    let kept = entries.filter(|entry| entry.file_name() != "target" && entry.file_name() != ".git");
    kept.flat_map(|entry| match entry.file_type() {
        Ok(kind) if kind.is_dir() => walk(&entry.path()),
        _ => vec![entry.path().strip_prefix(*ROOT).expect("below the root").to_owned()],
    })
    .collect()
}

fn slashes(path: &Path) -> String {
    path.to_string_lossy().replace('\\', "/")
}

impl File {
    /// The text without comments, line for line.
    pub(crate) fn code(&self) -> String {
        let code = |line: &str| match line.trim_start().starts_with("//") {
            true => "\n".to_owned(),
            false => format!("{}\n", line.split(" // ").next().unwrap_or_default()),
        };
        self.text.lines().map(code).collect()
    }

    /// The lines of code for which `found` holds.
    pub(crate) fn lines_with(&self, found: impl Fn(&str) -> bool) -> Vec<String> {
        lines(&self.path, &self.code(), found)
    }

    /// Whether this file has the function `a::b::name`, where `a` and `b` are parts of its path or modules in it.
    pub(crate) fn has_test(&self, test: &str) -> bool {
        let path = self.path.trim_end_matches(".rs").replace('-', "_");
        let (modules, name) = test.rsplit_once("::").unwrap_or_default();
        let in_file = |module: &str| {
            path.split('/').any(|part| part == module) || mentions(&self.text, &format!("mod {module}"))
        };
        let name = if name.is_empty() { test } else { name };
        mentions(&self.text, &format!("fn {name}")) && modules.split_terminator("::").all(in_file)
    }
}

pub(crate) fn rust() -> impl Iterator<Item = &'static File> {
    FILES.iter().filter(|file| file.path.ends_with(".rs"))
}

pub(crate) fn rust_below(folder: &str) -> impl Iterator<Item = &'static File> + use<'_> {
    rust().filter(move |file| file.path.starts_with(folder))
}

/// Whether `path` lies in an adapter or a store.
pub(crate) fn is_backend(path: &str) -> bool {
    !path.starts_with("incident-core/")
        && ["incident-", "adapters/", "stores/"].iter().any(|start| path.starts_with(start))
}

pub(crate) fn read(path: &str) -> Option<&'static str> {
    FILES.iter().find(|file| file.path == path).map(|file| file.text.as_str())
}

pub(crate) fn manifest(path: &str) -> Table {
    let text = read(path).unwrap_or_else(|| panic!("{path} is missing"));
    text.parse().unwrap_or_else(|error| panic!("{path}: {error}"))
}

pub(crate) fn members() -> Vec<String> {
    folders("members")
}

/// The folders that the root's `workspace.<key>` lists.
pub(crate) fn folders(key: &str) -> Vec<String> {
    let root = manifest("Cargo.toml");
    let folders =
        dig(&root, &["workspace", key]).and_then(Value::as_array).expect("a list of the workspace's folders");
    folders.iter().filter_map(Value::as_str).map(str::to_owned).collect()
}

pub(crate) fn dig<'a>(table: &'a Table, keys: &[&str]) -> Option<&'a Value> {
    let (first, rest) = keys.split_first()?;
    rest.iter().try_fold(table.get(*first)?, |value, key| value.get(key))
}

/// The first segments of the paths that start at `root`, also of those in braces.
pub(crate) fn modules<'a>(code: &'a str, root: &str) -> Vec<&'a str> {
    let first_word = |text: &'a str| text.trim_start().split(|c| !is_word(c)).next().unwrap_or_default();
    let mut found = Vec::new();
    let start = format!("{root}::");
    for (at, _) in code.match_indices(&start).filter(|(at, _)| !code[..*at].ends_with(is_word)) {
        let rest = &code[at + start.len()..];
        if !rest.starts_with('{') {
            found.push(first_word(rest));
            continue;
        }
        let mut depth = 0;
        for (at, c) in rest.char_indices() {
            depth += i32::from(c == '{') - i32::from(c == '}');
            match (depth, c) {
                (0, _) => break,
                (1, '{' | ',') => found.push(first_word(&rest[at + 1..])),
                _ => {}
            }
        }
    }
    found.retain(|module| !module.is_empty());
    found
}

/// Whether `needle` stands in `text` as words of its own.
pub(crate) fn mentions(text: &str, needle: &str) -> bool {
    let mut places = text.match_indices(needle);
    places.any(|(at, _)| !text[..at].ends_with(is_word) && !text[at + needle.len()..].starts_with(is_word))
}

pub(crate) fn is_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

pub(crate) fn lines(path: &str, text: &str, found: impl Fn(&str) -> bool) -> Vec<String> {
    let numbered = (1..).zip(text.lines()).filter(|(_, line)| found(line));
    numbered.map(|(number, line)| format!("{path}:{number}: {}", line.trim())).collect()
}

/// `text` on one line.
pub(crate) fn on_one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Fails with the rule and every place that breaks it.
pub(crate) fn none(rule: &str, offences: impl IntoIterator<Item = impl ToString>) {
    let offences: Vec<String> = offences.into_iter().map(|offence| offence.to_string()).collect();
    assert!(offences.is_empty(), "{rule}:\n  {}", offences.join("\n  "));
}

//! The repository's rules as tests, so that a review needn't repeat them.
//!
//! A rule reads the sources as text: it's a fence beside the path, not a wall. If a rule is in the way, change it here
//! with a reason, in a commit of its own.

#[path = "tidy/repository.rs"]
mod repository;

use repository::{
    FILES, dig, folders, is_backend, is_word, lines, manifest, members, mentions, modules, none, on_one_line,
    read, rust, rust_below,
};
use toml::Value;

/// The floors, and which of this crate's modules each may name; all else is above it.
const LAYERS: [(&str, &[&str]); 7] = [
    ("incident-core/src/model/", &["model"]),
    ("incident-core/src/runbook/", &["model", "runbook"]),
    ("incident-core/src/log/", &["model", "runbook", "log"]),
    ("incident-core/src/rules/", &["model", "runbook", "log", "rules"]),
    ("incident-core/src/views/", &["model", "runbook", "log", "rules", "views"]),
    ("incident-core/src/postmortem/", &["model", "runbook", "log", "rules", "views", "postmortem"]),
    ("incident-core/src/port/", &["model", "runbook", "log", "rules", "views", "port", "config"]),
];
const TOP_MODULES: [&str; 12] = [
    "model",
    "runbook",
    "log",
    "rules",
    "views",
    "postmortem",
    "port",
    "config",
    "runtime",
    "store",
    "local",
    "conformance",
];
const PURE: [&str; 6] = [
    "incident-core/src/model/",
    "incident-core/src/runbook/",
    "incident-core/src/log/",
    "incident-core/src/rules/",
    "incident-core/src/views/",
    "incident-core/src/postmortem/",
];
const IMPURE_STD: [&str; 4] = ["fs", "env", "net", "thread"];
const IMPURE: [&str; 8] =
    ["tokio", "async", "async_trait", "SystemTime", "Instant::now", "Utc::now", "getrandom", "rand"];

// Needles are put together from parts where this file would find itself otherwise.
const LEFTOVERS: [&str; 4] = [
    concat!("todo", "!("),
    concat!("unimplemented", "!("),
    concat!("dbg", "!("),
    concat!("thread", "::sleep"),
];
const IGNORE: &str = concat!("#[", "ignore");
const CLOCK_AND_ENV_LINT: &str = concat!("disallowed", "_methods");
/// A plugin's credentials expire at a time of the machine's clock, and an adapter has no other.
const MAY_READ_CLOCK_OR_ENV: [&str; 3] = [
    "incident-core/src/runtime/clock.rs",
    "incident-core/src/config/secret.rs",
    "incident-k8s/src/client/credentials.rs",
];
const VAGUE: [&str; 5] = ["Manager", "Helper", "Util", "Data", "Info"];
const MACHINE_PATHS: [&str; 4] =
    [concat!("/ho", "me/"), concat!("/ro", "ot/"), concat!("/Us", "ers/"), concat!("/wo", "rk/")];
const REGISTRY_HOSTS: [&str; 6] = [
    concat!("index.", "crates.io"),
    concat!("static.", "crates.io"),
    concat!("pypi", ".org"),
    concat!("registry.", "npmjs.org"),
    concat!("deb.", "debian.org"),
    concat!("proxy.", "golang.org"),
];

#[test]
fn layers_point_down() {
    let mut offences = Vec::new();
    let layered = LAYERS.iter().flat_map(|(folder, may)| rust_below(folder).map(move |file| (file, may)));
    for (file, may_name) in layered {
        let code = file.code();
        // Tests of a floor may use what is above it.
        let code = code.split("#[cfg(test)]").next().unwrap_or_default();
        for module in modules(code, "crate").into_iter().filter(|module| !may_name.contains(module)) {
            offences.push(format!("{}: crate::{module}", file.path));
        }
        let above = |module: &&str| TOP_MODULES.contains(module) && !may_name.contains(module);
        for module in modules(code, "super").into_iter().filter(above) {
            offences.push(format!("{}: super::{module}", file.path));
        }
    }
    let ports =
        rust_below("incident-core/src/port/").flat_map(|file| file.lines_with(|l| mentions(l, "Settings")));
    offences.extend(ports);
    none(&format!("a layer may name only what is below it, {LAYERS:?}, and a port no Settings"), offences);
}

#[test]
fn the_floors_are_pure() {
    let mut offences = Vec::new();
    for file in PURE.iter().flat_map(|folder| rust_below(folder)) {
        let code = file.code();
        for module in modules(&code, "std").into_iter().filter(|module| IMPURE_STD.contains(module)) {
            offences.push(format!("{}: std::{module}", file.path));
        }
        offences.extend(file.lines_with(|line| IMPURE.iter().any(|word| mentions(line, word))));
    }
    none("no clock, randomness, I/O or async here: take time, ids and entropy as arguments", offences);
}

#[test]
fn adapters_and_stores_do_not_know_the_engine() {
    let sources = rust().filter(|file| is_backend(&file.path) && file.path.contains("/src/"));
    let offences = sources.filter(|file| {
        let code = file.code();
        let shipped = code.split("#[cfg(test)]").next().unwrap_or_default();
        modules(shipped, "incident_core").iter().any(|module| ["runtime", "Engine"].contains(module))
    });
    none(
        "incident_core::runtime belongs in a backend's tests/ and examples only",
        offences.map(|file| &file.path),
    );
}

#[test]
fn typetag_stays_in_config() {
    let sources = rust().filter(|file| file.path.contains("/src/"));
    let elsewhere = sources.filter(|file| match file.path.strip_prefix("incident-core/src/") {
        Some(path) => !path.starts_with("config"),
        None => !file.path.ends_with("/config.rs") && !file.path.starts_with("examples/"),
    });
    let offences = elsewhere.flat_map(|file| file.lines_with(|line| mentions(line, "typetag")));
    none("ports stay free of serde: typetag goes into core's config/ or a backend's config.rs", offences);
}

#[test]
fn files_are_short() {
    let offences = rust().filter(|file| file.text.lines().count() > 500);
    none(
        "a file has 500 lines at most, better 300: move a concept into a file of its own",
        offences.map(|file| format!("{}: {} lines", file.path, file.text.lines().count())),
    );
}

#[test]
fn nothing_is_left_over() {
    let left_over = |line: &str| {
        LEFTOVERS.iter().any(|needle| line.contains(needle))
            || line.split(IGNORE).skip(1).any(|rest| !rest.starts_with(" = \""))
    };
    none(
        "finish it or leave it out; an ignored test says why; a test that sleeps wants a ManualClock",
        rust().flat_map(|file| file.lines_with(left_over)),
    );
    let pending = FILES.iter().filter(|file| file.path.ends_with(".snap.new")).map(|file| &file.path);
    none("accept the snapshot or delete it: no test compares a pending one", pending);
}

#[test]
fn names_say_something() {
    let vague = |line: &str| {
        let words: Vec<&str> = line.split(|c| !is_word(c)).filter(|word| !word.is_empty()).collect();
        words.windows(2).any(|pair| {
            ["struct", "enum", "trait"].contains(&pair[0]) && VAGUE.iter().any(|end| pair[1].ends_with(end))
        })
    };
    none(&format!("a type's name doesn't end in {VAGUE:?}"), rust().flat_map(|file| file.lines_with(vague)));
}

#[test]
fn members_share_lints_and_licence() {
    let mut offences = Vec::new();
    for member in members() {
        let manifest = manifest(&format!("{member}/Cargo.toml"));
        let inherits = |keys: &[&str]| dig(&manifest, keys).and_then(Value::as_bool) == Some(true);
        if !inherits(&["lints", "workspace"]) {
            offences.push(format!("{member}: its Cargo.toml lacks `[lints] workspace = true`"));
        }
        if !inherits(&["package", "license", "workspace"]) {
            offences.push(format!("{member}: its Cargo.toml lacks `license.workspace = true`"));
        }
        if is_backend(&format!("{member}/")) && read(&format!("{member}/README.md")).is_none() {
            offences.push(format!("{member}: an adapter or store has a README.md"));
        }
    }
    none("every member of the workspace is set up alike", offences);
}

#[test]
fn the_workspace_knows_its_crates() {
    let members = members();
    let crates: Vec<&str> = FILES.iter().filter_map(|file| file.path.strip_suffix("/Cargo.toml")).collect();
    let excluded = folders("exclude");
    let unknown = crates.iter().filter(|path| !members.iter().chain(&excluded).any(|known| known == *path));
    none("a folder with a Cargo.toml is listed in the root's `workspace.members` or `exclude`", unknown);
    let missing = members.iter().filter(|member| !crates.contains(&member.as_str()));
    none("`workspace.members` lists existing folders, each written out", missing);
}

#[test]
fn invariants_name_their_tests() {
    let text = read("ARCHITECTURE.md").expect("ARCHITECTURE.md has the code map and the invariants");
    let (_, section) =
        text.split_once("\n## Invariants\n").expect("ARCHITECTURE.md has a section `## Invariants`");
    let section = section.split("\n## ").next().unwrap_or_default();
    let invariants = section.split("\n- ").skip(1).map(on_one_line);
    none(
        "an invariant ends in (test: `path::or::name`)",
        invariants.filter(|line| !line.contains("(test: `")),
    );

    let text = on_one_line(text);
    let named = text.split("(test: ").skip(1).filter_map(|rest| rest.split(')').next());
    let tests = named.flat_map(|names| names.split('`').skip(1).step_by(2));
    let missing = tests.filter(|test| !rust().any(|file| file.has_test(test)));
    none("ARCHITECTURE.md names tests that exist", missing);
}

#[test]
fn nothing_points_at_one_machine() {
    let absolute = |line: &str, path: &str| {
        let relative = |before: &str| before.ends_with(|c| is_word(c) || "/.-~}>*…".contains(c));
        line.match_indices(path).any(|(at, _)| !relative(&line[..at]) || line[..at].ends_with("file://"))
    };
    let offends = |line: &str| {
        MACHINE_PATHS.iter().any(|path| absolute(line, path))
            || REGISTRY_HOSTS.iter().any(|host| line.contains(host))
    };
    let offences = FILES.iter().flat_map(|file| lines(&file.path, &file.text, offends));
    none("no path of somebody's machine and no registry host in the repository", offences);
}

#[test]
fn clock_and_environment_are_read_in_few_files() {
    let others = rust().filter(|file| !MAY_READ_CLOCK_OR_ENV.contains(&file.path.as_str()));
    none(
        &format!(
            "time comes from a port::Clock, secrets from a reference; only {MAY_READ_CLOCK_OR_ENV:?} may look"
        ),
        others.flat_map(|file| lines(&file.path, &file.text, |line| line.contains(CLOCK_AND_ENV_LINT))),
    );
}

#[test]
fn the_readme_says_how_to_start() {
    let readme = read("README.md").expect("a README.md");
    let missing =
        ["cargo run --bin drill", "scripts/test"].into_iter().filter(|command| !readme.contains(command));
    none("README.md shows the drill and the check", missing);
}

#[test]
fn modules_are_found_in_every_form_of_path() {
    for (code, expect) in [
        ("crate::model::time::Time", vec!["model"]),
        ("use crate::{port::{Clock, Store}, runtime};", vec!["port", "runtime"]),
        ("use crate::{\n    port::Clock,\n    model,\n};", vec!["port", "model"]),
        ("other_crate::port", vec![]),
    ] {
        assert_eq!(modules(code, "crate"), expect, "{code}");
    }
}

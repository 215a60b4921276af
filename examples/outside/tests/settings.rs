//! The adapter is found by its `type`, refuses misspelt keys, and the guide shows exactly this code.

use std::path::Path;

use incident_core::config::Settings;
use incident_core::model::side::Side;

#[tokio::test]
async fn settings_find_it_by_its_type() {
    // What isn't named anywhere isn't linked.
    use incident_desk as _;
    let settings = "[live.adapters.desk]\ntype = \"desk\"\nfolder = \"desk\"\n";
    let built = Settings::from_toml(settings).unwrap().build(Path::new(".")).await.unwrap();
    let ports = &built.side(Side::Live).ports["desk"];
    assert!(ports.notifier.is_some() && ports.tracker.is_some() && ports.mitigator.is_some());
    assert!(ports.probes.contains_key("lamp"));
}

#[tokio::test]
async fn a_misspelt_key_is_an_error_that_names_it() {
    use incident_desk as _;
    let settings = "[live.adapters.desk]\ntype = \"desk\"\nfolder = \"desk\"\nfodler = \"elsewhere\"\n";
    let error = match Settings::from_toml(settings) {
        Err(error) => error.to_string(),
        Ok(settings) => settings.build(Path::new(".")).await.unwrap_err().to_string(),
    };
    assert!(error.contains("fodler"), "{error}");
}

#[test]
fn the_guide_shows_this_code() {
    let guide = include_str!("../../../docs/writing-an-adapter.md");
    let shown = [
        include_str!("../src/config.rs"),
        include_str!("../src/file.rs"),
        include_str!("../src/journal.rs"),
        include_str!("../src/cards.rs"),
        include_str!("../src/switch.rs"),
        include_str!("../src/lamp.rs"),
        include_str!("conformance.rs"),
    ];
    for code in shown {
        assert!(guide.contains(code), "copy it into the guide:\n{code}");
    }
    let lines = |code: &str| code.lines().filter(|line| !line.trim().is_empty()).count();
    assert!(lines(include_str!("../src/journal.rs")) < 60, "a notifier stays short");
}

//! The adapter is found by its `type`, and the guide shows exactly this code.

use incident_core::config::Settings;
use incident_core::domain::incident::Side;

#[tokio::test]
async fn settings_find_it_by_its_type() {
    // What isn't named anywhere isn't linked.
    use incident_journal as _;
    let settings = "[live.adapters.desk]\ntype = \"journal\"\npath = \"journal.txt\"\n";
    let built = Settings::from_toml(settings).unwrap().build(std::path::Path::new(".")).await.unwrap();
    assert!(built.side(Side::Live).ports["desk"].notifier.is_some());
}

#[test]
fn the_guide_shows_this_code() {
    let guide = include_str!("../../../docs/writing-an-adapter.md");
    let (adapter, test) = (include_str!("../src/lib.rs"), include_str!("conformance.rs"));
    assert!(guide.contains(adapter) && guide.contains(test), "copy src/lib.rs and tests/conformance.rs into the guide");
    assert!(adapter.lines().filter(|line| !line.trim().is_empty()).count() < 60, "it stays short");
}

//! The page of insights as a browser sees it.

#![allow(
    missing_docs,
    clippy::unwrap_used,
    reason = "a test fails by panicking, and documents itself by its name"
)]

use std::path::{Path, PathBuf};

use incident_core::model::time::Time;
use incident_report::{History, Insights, Past, Period, insights_html};
use incident_report_testing::{Browser, CORPUS, corpus};
use serde_json::json;

fn page() -> PathBuf {
    let mut history = History::default();
    let runbook = corpus("outage").runbook;
    history.incidents = CORPUS.map(corpus).into_iter().map(|it| Past::new(it.incident, it.records)).collect();
    let time = |time: &str| time.parse::<Time>().unwrap();
    let period = Period::new(time("2026-01-01T00:00:00Z"), time("2027-01-01T00:00:00Z"));
    let insights = Insights::of(&history, &runbook, period, period.until);
    let file = Path::new(env!("CARGO_TARGET_TMPDIR")).join("insights.html");
    std::fs::write(&file, insights_html(&insights)).unwrap();
    file
}

#[test]
fn the_page_is_quiet_readable_and_whole() {
    let (file, mut browser) = (page(), Browser::start());
    for dark in [false, true] {
        let mut tab = browser.open(&file, 1_280, dark);
        assert_eq!(tab.look(include_str!("contrast.js")), json!([]), "dark: {dark}");
        assert_eq!(tab.complaints(), [] as [String; 0]);
    }
    let wide = "[...document.querySelectorAll('body *')].filter(it =>
            it.getBoundingClientRect().right > 361 && !it.closest('.scroll, nav, .skip'))
        .map(it => it.outerHTML.slice(0, 200))
        .concat(document.documentElement.scrollWidth > 360 ? ['it scrolls'] : [])";
    assert_eq!(browser.open(&file, 360, false).look(wide), json!([]));
    let lost = "const ids = [...document.querySelectorAll('[id]')].map(it => it.id);
        const refs = [...document.querySelectorAll('[aria-labelledby]')].flatMap(it =>
            it.getAttribute('aria-labelledby').split(' '));
        const links = [...document.querySelectorAll('a')].map(it => it.getAttribute('href').slice(1));
        ids.filter((id, at) => ids.indexOf(id) !== at).concat(refs.concat(links).filter(it => !ids.includes(it)))";
    assert_eq!(browser.open(&file, 1_280, false).look(lost), json!([]));
}

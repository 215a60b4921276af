//! The pages as a browser sees them: quiet, readable, whole, and nothing in them that acts.

#![allow(
    missing_docs,
    clippy::unwrap_used,
    reason = "a test fails by panicking, and documents itself by its name"
)]

mod support;

use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use incident_report_testing::{Browser, CORPUS, Tab, corpus, crowded};
use serde_json::{Value, json};
use support::page;

/// What is on the page, unfolded.
const UNFOLD: &str = "document.querySelectorAll('details').forEach(it => it.open = true);
    document.querySelectorAll('#all').forEach(it => it.checked = true);";

const NAMES: [&str; 4] = [CORPUS[0], CORPUS[1], CORPUS[2], "crowded"];

/// The folder with the page of each incident.
static PAGES: LazyLock<&Path> = LazyLock::new(|| {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR"));
    for name in CORPUS {
        std::fs::write(file_in(folder, name), page(&corpus(name))).unwrap();
    }
    std::fs::write(file_in(folder, "crowded"), page(&crowded(600))).unwrap();
    folder
});

fn file_in(folder: &Path, name: &str) -> PathBuf {
    folder.join(format!("{name}.html"))
}

fn file(name: &str) -> PathBuf {
    file_in(&PAGES, name)
}

/// Looks at each page with `script`, which is to find nothing.
fn finds_nothing(width: u32, dark: bool, script: &str) {
    let mut browser = Browser::start();
    for name in NAMES {
        let found = browser.open(&file(name), width, dark).look(script);
        assert_eq!(found, json!([]), "{name}, {width} pixels, dark: {dark}");
    }
}

#[test]
fn no_page_makes_the_console_complain() {
    let mut browser = Browser::start();
    for name in NAMES {
        let mut tab = browser.open(&file(name), 1_280, false);
        tab.look(UNFOLD);
        assert_eq!(tab.complaints(), [] as [String; 0], "{name}");
    }
}

#[test]
fn nothing_scrolls_sideways_at_360_pixels() {
    let script = format!(
        "{UNFOLD} const wide = document.documentElement.scrollWidth;
        const beyond = () => [...document.querySelectorAll('body *')].filter(it =>
            it.getBoundingClientRect().right > 361 && !it.closest('.scroll, nav, .skip'));
        wide > 360 ? beyond().map(it => it.outerHTML.slice(0, 200)).concat(wide) : []"
    );
    finds_nothing(360, false, &script);
}

#[test]
fn text_stands_out_in_light_and_dark() {
    for dark in [false, true] {
        finds_nothing(1_280, dark, &[UNFOLD, include_str!("contrast.js")].concat());
    }
}

#[test]
fn text_that_does_not_stand_out_is_found() {
    let poor = "<p style='color: #999; background: #fff'>faint</p>".repeat(60);
    let file = file_in(Path::new(env!("CARGO_TARGET_TMPDIR")), "faint");
    std::fs::write(&file, poor).unwrap();
    let found = Browser::start().open(&file, 1_280, false).look(include_str!("contrast.js"));
    assert_eq!(found[0][0], "2.85");
}

#[test]
fn every_link_leads_somewhere_and_every_id_is_given_once() {
    let script = "const links = [...document.querySelectorAll('a[href]')].map(it => it.getAttribute('href'));
        const ids = [...document.querySelectorAll('[id]')].map(it => it.id);
        const known = new Set(ids);
        const twice = ids.filter((id, at) => ids.indexOf(id) !== at);
        const refs = [...document.querySelectorAll('[aria-labelledby], label[for]')].flatMap(it =>
            (it.getAttribute('aria-labelledby') ?? it.htmlFor).split(' '));
        const nowhere = links.filter(it => it.startsWith('#') && !known.has(it.slice(1)));
        const elsewhere = [...document.querySelectorAll('a:not([href^=\"#\"])')].filter(it =>
            !/^https?:\\/\\//.test(it.getAttribute('href')) || it.rel !== 'noopener noreferrer');
        const few = links.length < 50 ? ['few links'] : [];
        few.concat(nowhere, twice, refs.filter(it => !known.has(it)), elsewhere.map(it => it.outerHTML))";
    finds_nothing(1_280, false, script);
}

#[test]
fn lines_and_marks_lead_to_each_other() {
    let script = "const marks = [...document.querySelectorAll('svg a[id]')];
        const there = marks.filter(it => !document.querySelector(it.getAttribute('href')));
        const back = [...document.querySelectorAll('.line a.seq')];
        const lost = back.filter(it => !document.querySelector(it.getAttribute('href'))?.closest('svg'));
        (marks.length && back.length ? [] : ['none']).concat(there.concat(lost).map(it => it.outerHTML))";
    finds_nothing(1_280, false, script);
}

#[test]
fn headings_and_landmarks_are_in_order() {
    let script = "const levels = [...document.querySelectorAll('h1,h2,h3,h4,h5,h6')].map(it => +it.tagName[1]);
        const jumps = levels.filter((level, at) => level > (levels[at - 1] ?? 0) + 1);
        const one = ['h1', 'main', 'nav[aria-label]', 'body > header', 'body > footer', 'svg[role=img] > title', 'svg > desc'];
        const not = one.filter(it => document.querySelectorAll(it).length !== 1);
        jumps.concat(not, document.documentElement.lang === 'en' ? [] : ['no language'])";
    finds_nothing(1_280, false, script);
}

#[test]
fn the_keyboard_skips_to_the_content_and_passes_the_picture_over() {
    let mut browser = Browser::start();
    let mut tab = browser.open(&file("outage"), 1_280, false);
    tab.press("Tab");
    assert_eq!(tab.look("document.activeElement.className"), "skip");
    assert!(tab.look("document.activeElement.getBoundingClientRect().left").as_f64().unwrap() >= 0.0);
    tab.press("Enter");
    assert_eq!(tab.look("location.hash"), "#main");
    let mut stops = Vec::new();
    for _ in 0..40 {
        tab.press("Tab");
        let stop = tab.look(
            "const it = document.activeElement, style = getComputedStyle(it);
            [it.closest('svg') ? 'svg' : it.tagName, style.outlineStyle, style.outlineWidth]",
        );
        stops.push(stop);
    }
    let unseen = |stop: &Value| stop[0] == "svg" || stop[1] == "none" || stop[2] == "0px";
    assert_eq!(stops.iter().filter(|stop| unseen(stop)).collect::<Vec<_>>(), [] as [&Value; 0]);
}

#[test]
fn a_line_that_is_folded_away_is_shown_by_its_link() {
    let mut browser = Browser::start();
    let mut tab = browser.open(&file("outage"), 1_280, false);
    let hidden = |tab: &mut Tab<'_>| tab.look("document.querySelector('.detail').checkVisibility()") == false;
    assert!(hidden(&mut tab));
    tab.look("location.hash = '#' + document.querySelector('.detail').id");
    assert!(!hidden(&mut tab));
    let top = tab.look(
        "await new Promise(done => requestAnimationFrame(() => requestAnimationFrame(() =>
            done(document.querySelector(':target').getBoundingClientRect().top))))",
    );
    assert!((0.0..800.0).contains(&top.as_f64().unwrap()), "in sight: {top}");
}

#[test]
fn hostile_words_are_words() {
    let mut browser = Browser::start();
    let mut tab = browser.open(&file("hostile"), 1_280, false);
    let acting = tab.look(
        "[...document.querySelectorAll('script, img, iframe, object, embed, form, base, link:not([rel=icon])')]
            .concat([...document.querySelectorAll('*')].filter(it =>
                [...it.attributes].some(at => /^on|^style$|^src/.test(at.name) || /^\\s*(javascript|data|vbscript):/i.test(at.value))
                && it.tagName !== 'LINK'))
            .map(it => it.outerHTML)",
    );
    assert_eq!(acting, json!([]));
    assert_eq!(
        tab.look("document.querySelector('h1').textContent.slice(0, 28)"),
        "<img src=x onerror=alert(1)>"
    );
    assert_eq!(tab.complaints(), [] as [String; 0]);
}

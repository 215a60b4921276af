//! The pages as a browser sees them: quiet, readable, whole, and nothing in them that acts.

#![allow(
    missing_docs,
    clippy::unwrap_used,
    reason = "a test fails by panicking, and documents itself by its name"
)]

use std::path::PathBuf;

use incident_core::PostMortem;
use incident_report::post_mortem_html;
use incident_report_testing::{Browser, Driver, Tab, hostile, long, simple};
use serde_json::{Value, json};
use tempfile::TempDir;

/// What is on the page, unfolded.
const UNFOLD: &str = "document.querySelectorAll('details').forEach(it => it.open = true);
    document.querySelectorAll('#all').forEach(it => it.checked = true);";

type Incident = (&'static str, fn() -> Driver);

/// The pages of some incidents in a folder, and a browser.
struct Shelf {
    folder: TempDir,
    browser: Browser,
    names: Vec<&'static str>,
}

impl Shelf {
    fn of(incidents: &[Incident]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        for (name, play) in incidents {
            let driver = play();
            let document = PostMortem::write(&driver.incident, &driver.records, &driver.runbook);
            let page = post_mortem_html(&document, &driver.incident, &driver.records);
            std::fs::write(folder.path().join(format!("{name}.html")), page).unwrap();
        }
        let names = incidents.iter().map(|(name, _)| *name).collect();
        Self { folder, browser: Browser::start(), names }
    }

    fn all() -> Self {
        Self::of(&[("simple", simple), ("long", long), ("hostile", hostile)])
    }

    fn file(&self, name: &str) -> PathBuf {
        self.folder.path().join(format!("{name}.html"))
    }

    /// Looks at each page with `script`, which is to find nothing.
    fn finds_nothing(&mut self, width: u32, dark: bool, script: &str) {
        for name in self.names.clone() {
            let file = self.file(name);
            let found = self.browser.open(&file, width, dark).look(script);
            assert_eq!(found, json!([]), "{name}, {width} pixels, dark: {dark}");
        }
    }
}

#[test]
fn no_page_makes_the_console_complain() {
    let mut shelf = Shelf::all();
    for name in shelf.names.clone() {
        let file = shelf.file(name);
        let mut tab = shelf.browser.open(&file, 1_280, false);
        tab.look(UNFOLD);
        assert_eq!(tab.complaints(), [] as [String; 0], "{name}");
    }
}

#[test]
fn nothing_scrolls_sideways_at_360_pixels() {
    let script = format!(
        "{UNFOLD} const wide = document.documentElement.scrollWidth;
        const beyond = [...document.querySelectorAll('body *')].filter(it =>
            it.getBoundingClientRect().right > 361 && !it.closest('.scroll, nav, .skip'));
        wide > 360 ? beyond.map(it => it.outerHTML.slice(0, 200)).concat(wide) : []"
    );
    Shelf::all().finds_nothing(360, false, &script);
}

#[test]
fn text_stands_out_in_light_and_dark() {
    let mut shelf = Shelf::all();
    for (width, dark) in [(1_280, false), (1_280, true)] {
        shelf.finds_nothing(width, dark, &[UNFOLD, include_str!("contrast.js")].concat());
    }
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
    Shelf::all().finds_nothing(1_280, false, script);
}

#[test]
fn lines_and_marks_lead_to_each_other() {
    let script = "const marks = [...document.querySelectorAll('svg a[id]')];
        const there = marks.filter(it => !document.querySelector(it.getAttribute('href')));
        const back = [...document.querySelectorAll('.line a.seq')];
        const lost = back.filter(it => !document.querySelector(it.getAttribute('href'))?.closest('svg'));
        (marks.length && back.length ? [] : ['none']).concat(there.concat(lost).map(it => it.outerHTML))";
    Shelf::all().finds_nothing(1_280, false, script);
}

#[test]
fn headings_and_landmarks_are_in_order() {
    let script = "const levels = [...document.querySelectorAll('h1,h2,h3,h4,h5,h6')].map(it => +it.tagName[1]);
        const jumps = levels.filter((level, at) => level > (levels[at - 1] ?? 0) + 1);
        const one = ['h1', 'main', 'nav[aria-label]', 'body > header', 'body > footer', 'svg[role=img] > title', 'svg > desc'];
        const not = one.filter(it => document.querySelectorAll(it).length !== 1);
        jumps.concat(not, document.documentElement.lang === 'en' ? [] : ['no language'])";
    Shelf::all().finds_nothing(1_280, false, script);
}

#[test]
fn the_keyboard_skips_to_the_content_and_passes_the_picture_over() {
    let mut shelf = Shelf::of(&[("simple", simple)]);
    let file = shelf.file("simple");
    let mut tab = shelf.browser.open(&file, 1_280, false);
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
    let mut shelf = Shelf::of(&[("simple", simple)]);
    let file = shelf.file("simple");
    let mut tab = shelf.browser.open(&file, 1_280, false);
    let hidden = |tab: &mut Tab<'_>| tab.look("document.querySelector('.detail').checkVisibility()") == false;
    assert!(hidden(&mut tab));
    tab.look("location.hash = '#' + document.querySelector('.detail').id");
    assert!(!hidden(&mut tab));
    let top = tab.look(
        "new Promise(done => requestAnimationFrame(() => requestAnimationFrame(() =>
            done(document.querySelector(':target').getBoundingClientRect().top))))",
    );
    assert!((0.0..800.0).contains(&top.as_f64().unwrap()), "in sight: {top}");
}

#[test]
fn hostile_words_are_words() {
    let mut shelf = Shelf::of(&[("hostile", hostile)]);
    let file = shelf.file("hostile");
    let mut tab = shelf.browser.open(&file, 1_280, false);
    let acting = tab.look(
        "[...document.querySelectorAll('script, img, iframe, object, embed, form, base, link:not([rel=icon])')]
            .concat([...document.querySelectorAll('*')].filter(it =>
                [...it.attributes].some(at => /^on|^style$|^src/.test(at.name) || /^\\s*(javascript|data|vbscript):/i.test(at.value))
                && it.tagName !== 'LINK'))
            .map(it => it.outerHTML)",
    );
    assert_eq!(acting, json!([]));
    assert_eq!(
        tab.look("document.querySelector('h1').textContent.slice(0, 25)"),
        "<script>alert(1)</script>"
    );
    assert_eq!(tab.complaints(), [] as [String; 0]);
}

//! What is printed of three incidents, byte for byte, and how much of one with thousands of records.
//!
//! A file that is missing is written: delete one in `golden/`, run the test twice, and look at what changed.

#![allow(
    missing_docs,
    clippy::unwrap_used,
    reason = "a test fails by panicking, and documents itself by its name"
)]

mod support;

use incident_report::timeline_svg;
use incident_report_testing::{CORPUS, corpus, crowded};
use support::{differs, page};

#[test]
fn pages_and_pictures_are_as_they_were() {
    let mut differing = Vec::new();
    for name in CORPUS {
        let log = corpus(name);
        differing.extend(differs(&format!("{name}.html"), &page(&log)));
        differing.extend(differs(&format!("{name}.svg"), &timeline_svg(&log.incident, &log.records)));
    }
    assert!(differing.is_empty(), "{}", differing.join("\n"));
}

#[test]
fn the_same_log_gives_the_same_bytes() {
    for name in CORPUS {
        assert!(page(&corpus(name)) == page(&corpus(name)), "{name}");
    }
}

#[test]
fn five_thousand_records_are_less_than_three_megabytes() {
    let log = crowded(5_000);
    assert!(log.records.len() >= 5_000);
    let (page, picture) = (page(&log), timeline_svg(&log.incident, &log.records));
    assert!(page.len() < 3_000_000, "{} bytes", page.len());
    assert!(picture.len() < 300_000, "{} bytes", picture.len());
}

#[test]
fn any_part_of_a_log_is_taken_as_it_is() {
    for missing in [0, 1, 40, corpus("outage").records.len()] {
        let mut part = corpus("outage");
        part.records.drain(..missing);
        assert!(page(&part).ends_with("</html>\n"));
    }
}

#[test]
fn a_picture_of_its_own_is_well_formed_whatever_is_written() {
    let log = corpus("hostile");
    let picture = timeline_svg(&log.incident, &log.records);
    let allowed =
        |letter: char| !matches!(letter, '\u{fffe}' | '\u{ffff}') && (letter == '\n' || !letter.is_control());
    assert!(picture.chars().all(allowed));
    let mut open = Vec::new();
    for tag in picture.split('<').skip(1).map(|rest| rest.split('>').next().unwrap()) {
        match tag.strip_prefix('/') {
            Some(name) => assert_eq!(open.pop(), Some(name)),
            None => open.push(tag.split_whitespace().next().unwrap()),
        }
    }
    assert!(open.is_empty());
}

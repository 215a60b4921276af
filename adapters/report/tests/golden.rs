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
use incident_report_testing::crowded;
use support::{INCIDENTS, differs, page};

#[test]
fn pages_and_pictures_are_as_they_were() {
    let mut differing = Vec::new();
    for (name, play) in INCIDENTS {
        let driver = play();
        differing.extend(differs(&format!("{name}.html"), &page(&driver)));
        differing.extend(differs(&format!("{name}.svg"), &timeline_svg(&driver.incident, &driver.records)));
    }
    assert!(differing.is_empty(), "{}", differing.join("\n"));
}

#[test]
fn the_same_log_gives_the_same_bytes() {
    for (name, play) in INCIDENTS {
        let (one, other) = (play(), play());
        assert!(page(&one) == page(&other), "{name}");
    }
}

#[test]
fn five_thousand_records_are_less_than_three_megabytes() {
    let driver = crowded(5_000);
    assert!(driver.records.len() >= 5_000);
    let (page, picture) = (page(&driver), timeline_svg(&driver.incident, &driver.records));
    assert!(page.len() < 3_000_000, "{} bytes", page.len());
    assert!(picture.len() < 300_000, "{} bytes", picture.len());
}

#[test]
fn any_part_of_a_log_is_taken_as_it_is() {
    let (_, play) = INCIDENTS[0];
    for missing in [0, 1, 40, play().records.len()] {
        let mut part = play();
        part.records.drain(..missing);
        assert!(page(&part).ends_with("</html>\n"));
    }
}

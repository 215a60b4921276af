//! The picture: what is drawn, and how much of it.

#![allow(missing_docs, clippy::unwrap_used, reason = "a test fails by panicking, and documents itself by its name")]

mod support;

use incident_core::PostMortem;
use incident_report::{post_mortem_html, timeline_svg};
use support::driver::Driver;
use support::incidents;

fn draw(driver: &Driver) -> String {
    timeline_svg(&driver.incident, &driver.records)
}

#[test]
fn look() {
    for (name, driver) in [("simple", incidents::simple()), ("long", incidents::long()), ("hostile", incidents::hostile()), ("crowded", incidents::crowded(5000))] {
        let svg = draw(&driver);
        let page = post_mortem_html(&PostMortem::write(&driver.incident, &driver.records, &driver.runbook), &driver.incident, &driver.records);
        println!("{name} {} records {} bytes, page {}", driver.records.len(), svg.len(), page.len());
        std::fs::write(format!("/tmp/pic-{name}.svg"), svg).unwrap();
        std::fs::write(format!("/tmp/page-{name}.html"), page).unwrap();
    }
}

//! The picture: what is drawn, and how much of it.

#![allow(missing_docs, clippy::unwrap_used, reason = "a test fails by panicking, and documents itself by its name")]

mod support;

use incident_report::timeline_svg;
use support::driver::Driver;
use support::incidents;

fn draw(driver: &Driver) -> String {
    timeline_svg(&driver.incident, &driver.records)
}

#[test]
fn look() {
    for (name, driver) in [("simple", incidents::simple()), ("long", incidents::long()), ("hostile", incidents::hostile()), ("crowded", incidents::crowded(5000))] {
        let svg = draw(&driver);
        println!("{name} {} records {} bytes", driver.records.len(), svg.len());
        std::fs::write(format!("/tmp/pic-{name}.svg"), svg).unwrap();
    }
}

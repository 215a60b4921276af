//! Cargo unifies features: any crate of a program may switch on `serde_json/arbitrary_precision` for all of it. The tests of
//! this package read the golden logs with it and with the other features that change how JSON is read.

//! The fields of a line, one by one, so that an error can name the one that is wrong.

use std::collections::BTreeMap;

use serde::de::DeserializeOwned;
use serde_json::Value;

/// The fields of an object that weren't read yet.
pub(super) struct Fields {
    place: String,
    left: BTreeMap<String, Value>,
    known: Vec<&'static str>,
}

/// What is wrong with which field. It never repeats what was in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Wrong {
    pub(super) field: String,
    pub(super) problem: String,
}

impl Wrong {
    pub(super) fn new(field: &str, problem: &str) -> Self {
        Self { field: field.to_owned(), problem: problem.to_owned() }
    }
}

impl Fields {
    /// The fields of `value`, which is at `place`; nowhere in particular if that is empty.
    pub(super) fn of(value: Value, place: &str) -> Result<Self, Wrong> {
        match value {
            Value::Object(fields) => {
                Ok(Self { place: place.to_owned(), left: fields.into_iter().collect(), known: Vec::new() })
            }
            _ => Err(Wrong::new(place, "expected an object")),
        }
    }

    fn place(&self, field: &str) -> String {
        if self.place.is_empty() { field.to_owned() } else { format!("{}.{field}", self.place) }
    }

    /// A field that may be left out; `null` leaves it out, too.
    pub(super) fn optional<T: DeserializeOwned>(
        &mut self,
        field: &'static str,
        expected: &str,
    ) -> Result<Option<T>, Wrong> {
        self.known.push(field);
        match self.left.remove(field) {
            None | Some(Value::Null) => Ok(None),
            Some(value) => serde_json::from_value(value)
                .map(Some)
                .map_err(|_| Wrong::new(&self.place(field), &format!("expected {expected}"))),
        }
    }

    pub(super) fn required<T: DeserializeOwned>(
        &mut self,
        field: &'static str,
        expected: &str,
    ) -> Result<T, Wrong> {
        let missing = || Wrong::new(&self.place(field), &format!("it is missing; expected {expected}"));
        let missing = missing();
        self.optional(field, expected)?.ok_or(missing)
    }

    /// The objects of a list that may be left out, each with its own fields.
    pub(super) fn objects(&mut self, field: &'static str) -> Result<Vec<Self>, Wrong> {
        let items: Vec<Value> = self.optional(field, "a list of objects")?.unwrap_or_default();
        let place = self.place(field);
        items.into_iter().enumerate().map(|(at, item)| Self::of(item, &format!("{place}[{at}]"))).collect()
    }

    /// That nothing is left: a field that nobody reads is a misspelt one.
    pub(super) fn done(self) -> Result<(), Wrong> {
        match self.left.keys().next() {
            None => Ok(()),
            Some(unknown) => {
                let shown =
                    incident_core::model::inert::clip(&incident_core::model::inert::line(unknown), 64);
                let problem = format!("it isn't known; known there: {}", self.known.join(", "));
                Err(Wrong { field: self.place(&shown), problem })
            }
        }
    }
}

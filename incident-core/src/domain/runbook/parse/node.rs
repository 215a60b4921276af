//! A TOML value that knows where it is when it can't be what it should.

use std::fmt;

use serde::de::value::StringDeserializer;
use serde::de::{
    self, DeserializeSeed, Deserializer, EnumAccess, Error as _, Expected, IntoDeserializer, MapAccess,
    SeqAccess, VariantAccess, Visitor,
};
use toml::Value;

use super::RunbookError;

/// A value to be read.
pub(super) struct Node(pub(super) Value);

/// What is wrong, and where: the path from the inside out.
#[derive(Debug)]
pub(super) struct Trouble {
    path: Vec<Step>,
    what: What,
}

#[derive(Debug)]
enum Step {
    Key(String),
    Index(usize),
}

#[derive(Debug)]
enum What {
    /// The value was refused, for a reason that may quote it and is therefore dropped.
    Unfit,
    WrongType {
        found: &'static str,
        expected: String,
    },
    Unknown {
        known: &'static [&'static str],
    },
    Missing,
}

impl Trouble {
    fn new(what: What) -> Self {
        Self { path: Vec::new(), what }
    }

    fn at(mut self, step: Step) -> Self {
        self.path.push(step);
        self
    }

    /// Says what was there and what belongs there, unless something further in has said more.
    fn described(self, found: &'static str, expected: impl FnOnce() -> String) -> Self {
        match self.what {
            What::Unfit => Self { what: What::WrongType { found, expected: expected() }, ..self },
            _ => self,
        }
    }
}

impl From<Trouble> for RunbookError {
    fn from(trouble: Trouble) -> Self {
        let mut at = String::new();
        for step in trouble.path.into_iter().rev() {
            match step {
                Step::Index(index) => at.push_str(&format!("[{index}]")),
                Step::Key(key) => {
                    let bare = !key.is_empty()
                        && key
                            .bytes()
                            .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'));
                    at.push_str(if at.is_empty() { "" } else { "." });
                    at.push_str(&if bare { key } else { format!("{key:?}") });
                }
            }
        }
        match trouble.what {
            What::WrongType { found, expected } => Self::WrongType { at, found: found.to_owned(), expected },
            What::Unfit => {
                Self::WrongType { at, found: "unfit".to_owned(), expected: "another value".to_owned() }
            }
            What::Unknown { known } => {
                Self::UnknownKey { at, known: known.iter().map(ToString::to_string).collect() }
            }
            What::Missing => Self::Missing { at },
        }
    }
}

impl fmt::Display for Trouble {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("not a runbook")
    }
}

impl std::error::Error for Trouble {}

impl de::Error for Trouble {
    fn custom<T: fmt::Display>(_: T) -> Self {
        Self::new(What::Unfit)
    }

    fn unknown_field(field: &str, known: &'static [&'static str]) -> Self {
        Self::new(What::Unknown { known }).at(Step::Key(field.to_owned()))
    }

    fn unknown_variant(variant: &str, known: &'static [&'static str]) -> Self {
        Self::new(What::Unknown { known }).at(Step::Key(variant.to_owned()))
    }

    fn missing_field(field: &'static str) -> Self {
        Self::new(What::Missing).at(Step::Key(field.to_owned()))
    }
}

fn kind(value: &Value) -> &'static str {
    match value {
        Value::String(_) => "a string",
        Value::Integer(_) => "an integer",
        Value::Float(_) => "a float",
        Value::Boolean(_) => "a boolean",
        Value::Datetime(_) => "a date or time",
        Value::Array(_) => "an array",
        Value::Table(_) => "a table",
    }
}

/// What a reader of TOML calls what a visitor of serde expects.
fn plain(expected: String) -> String {
    match expected.as_str() {
        "a duration" => "a duration, such as \"15m\"".to_owned(),
        "a formatted time string" => "a time of day, such as \"09:00\"".to_owned(),
        "a formatted date string" => "a date, such as \"2026-12-25\"".to_owned(),
        "Weekday" => "a weekday, such as \"Mon\"".to_owned(),
        "u8" => format!("a whole number from 0 to {}", u8::MAX),
        "u32" => format!("a whole number from 0 to {}", u32::MAX),
        "a sequence" => "an array".to_owned(),
        "a map" => "a table".to_owned(),
        struct_ if struct_.starts_with("struct ") => "a table".to_owned(),
        _ => expected,
    }
}

fn one_of(known: &[&str]) -> String {
    format!("one of: {}", known.join(", "))
}

impl<'de> Deserializer<'de> for Node {
    type Error = Trouble;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Trouble> {
        let found = kind(&self.0);
        let expected = (&visitor as &dyn Expected).to_string();
        match self.0 {
            Value::String(text) => visitor.visit_string(text),
            Value::Integer(number) => visitor.visit_i64(number),
            Value::Float(number) => visitor.visit_f64(number),
            Value::Boolean(yes) => visitor.visit_bool(yes),
            // Dates and times of the calendar are text to serde; TOML's own notation is as good.
            Value::Datetime(time) => visitor.visit_string(time.to_string()),
            Value::Array(items) => visitor.visit_seq(Items(items.into_iter().enumerate())),
            Value::Table(entries) => {
                visitor.visit_map(Entries { entries: entries.into_iter(), current: None })
            }
        }
        .map_err(|trouble| trouble.described(found, || plain(expected)))
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Trouble> {
        visitor.visit_some(self)
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value, Trouble> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        known: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Trouble> {
        let found = kind(&self.0);
        let wrong = || Trouble::new(What::WrongType { found, expected: one_of(known) });
        let (name, value) = match self.0 {
            Value::String(name) if known.contains(&name.as_str()) => (name, None),
            Value::Table(table) if table.len() == 1 => {
                table.into_iter().next().map(|(name, value)| (name, Some(Self(value)))).ok_or_else(wrong)?
            }
            _ => return Err(wrong()),
        };
        visitor.visit_enum(Choice { name, value })
    }

    serde::forward_to_deserialize_any! {
        bool i8 i16 i32 i64 u8 u16 u32 u64 f32 f64 char str string bytes byte_buf unit unit_struct seq tuple
        tuple_struct map struct identifier ignored_any
    }
}

struct Items(std::iter::Enumerate<std::vec::IntoIter<Value>>);

impl<'de> SeqAccess<'de> for Items {
    type Error = Trouble;

    fn next_element_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<Option<T::Value>, Trouble> {
        let Some((index, value)) = self.0.next() else { return Ok(None) };
        seed.deserialize(Node(value)).map(Some).map_err(|trouble| trouble.at(Step::Index(index)))
    }
}

struct Entries {
    entries: toml::map::IntoIter<String, Value>,
    current: Option<(String, Value)>,
}

impl<'de> MapAccess<'de> for Entries {
    type Error = Trouble;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, Trouble> {
        self.current = self.entries.next();
        let Some((key, _)) = &self.current else { return Ok(None) };
        let key: StringDeserializer<Trouble> = key.clone().into_deserializer();
        seed.deserialize(key).map(Some)
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, Trouble> {
        let (key, value) = self.current.take().ok_or_else(|| Trouble::custom("no key came before"))?;
        seed.deserialize(Node(value)).map_err(|trouble| trouble.at(Step::Key(key)))
    }
}

struct Choice {
    name: String,
    value: Option<Node>,
}

impl<'de> EnumAccess<'de> for Choice {
    type Error = Trouble;
    type Variant = Self;

    fn variant_seed<V: DeserializeSeed<'de>>(self, seed: V) -> Result<(V::Value, Self), Trouble> {
        let name: StringDeserializer<Trouble> = self.name.clone().into_deserializer();
        Ok((seed.deserialize(name)?, self))
    }
}

impl Choice {
    /// The value of a choice that needs one.
    fn value(self) -> Result<(Node, Step), Trouble> {
        let expected = format!("a table, such as {{ {} = … }}", self.name);
        let value = self.value.ok_or(Trouble::new(What::WrongType { found: "a string", expected }))?;
        Ok((value, Step::Key(self.name)))
    }
}

impl<'de> VariantAccess<'de> for Choice {
    type Error = Trouble;

    fn unit_variant(self) -> Result<(), Trouble> {
        let Some(Node(value)) = self.value else { return Ok(()) };
        let expected = "no value, only the name".to_owned();
        Err(Trouble::new(What::WrongType { found: kind(&value), expected }).at(Step::Key(self.name)))
    }

    fn newtype_variant_seed<T: DeserializeSeed<'de>>(self, seed: T) -> Result<T::Value, Trouble> {
        let (value, step) = self.value()?;
        seed.deserialize(value).map_err(|trouble| trouble.at(step))
    }

    fn tuple_variant<V: Visitor<'de>>(self, _: usize, visitor: V) -> Result<V::Value, Trouble> {
        let (value, step) = self.value()?;
        value.deserialize_any(visitor).map_err(|trouble| trouble.at(step))
    }

    fn struct_variant<V: Visitor<'de>>(
        self,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Trouble> {
        self.tuple_variant(0, visitor)
    }
}

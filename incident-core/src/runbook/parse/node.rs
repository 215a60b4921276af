//! A TOML value that knows where it is when it can't be what it should, and never shows itself.

use std::fmt;

use serde::de::value::StringDeserializer;
use serde::de::{
    self, DeserializeSeed, Deserializer, EnumAccess, Error as _, Expected, IntoDeserializer, MapAccess,
    SeqAccess, Unexpected, VariantAccess, Visitor,
};
use serde::{Deserialize, Serialize};
use toml::Value;

use super::RunbookProblem;

/// A value to be read.
pub(crate) struct Node(pub(crate) Value);

/// What is wrong, and where: the path from the inside out.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Trouble {
    path: Vec<Step>,
    what: What,
}

#[derive(Debug, Serialize, Deserialize)]
pub(crate) enum Step {
    Key(String),
    Index(usize),
}

#[derive(Debug, Serialize, Deserialize)]
enum What {
    /// The value was refused, for a reason that may quote it and is therefore dropped.
    Unfit,
    /// The value was refused by something that says what it expected.
    Expected(String),
    WrongType {
        found: String,
        expected: String,
    },
    Unknown {
        known: Vec<String>,
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

    fn wrong(found: &str, expected: String) -> Self {
        Self::new(What::WrongType { found: found.to_owned(), expected })
    }

    /// Says what was there and what belongs there, unless something further in has said more.
    fn described(self, found: &str, expected: impl FnOnce() -> String) -> Self {
        let found = found.to_owned();
        let what = match self.what {
            What::Unfit => What::WrongType { found, expected: expected() },
            What::Expected(expected) => What::WrongType { found, expected },
            what => what,
        };
        Self { what, ..self }
    }

    /// The path from the outside in.
    pub(crate) fn path(&self) -> impl Iterator<Item = &Step> {
        self.path.iter().rev()
    }
}

impl From<Trouble> for RunbookProblem {
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
            What::WrongType { found, expected } => Self::WrongType { at, found, expected },
            What::Expected(expected) => Self::WrongType { at, found: UNFIT.to_owned(), expected },
            What::Unfit => Self::WrongType { at, found: UNFIT.to_owned(), expected: OTHER.to_owned() },
            What::Unknown { known } => Self::UnknownKey { at, known },
            What::Missing => Self::Missing { at },
        }
    }
}

const UNFIT: &str = "unfit";
const OTHER: &str = "another value";
/// How an error begins that went through a type-erased deserializer, which keeps nothing of it but its text.
const ENCODED: &str = "\u{0}trouble ";

impl fmt::Display for Trouble {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(ENCODED)?;
        f.write_str(&serde_json::to_string(self).map_err(|_| fmt::Error)?)
    }
}

impl std::error::Error for Trouble {}

impl de::Error for Trouble {
    /// Of other people's words only those are kept that say what was expected.
    fn custom<T: fmt::Display>(words: T) -> Self {
        let words = words.to_string();
        let encoded = words.strip_prefix(ENCODED).and_then(|json| serde_json::from_str(json).ok());
        let expected = || words.strip_prefix("expected ").map(|words| What::Expected(words.to_owned()));
        encoded.unwrap_or_else(|| Self::new(expected().unwrap_or(What::Unfit)))
    }

    fn invalid_type(_: Unexpected<'_>, expected: &dyn Expected) -> Self {
        Self::new(What::Expected(plain(expected.to_string())))
    }

    fn invalid_value(unexpected: Unexpected<'_>, expected: &dyn Expected) -> Self {
        Self::invalid_type(unexpected, expected)
    }

    fn unknown_field(field: &str, known: &'static [&'static str]) -> Self {
        let known = known.iter().map(ToString::to_string).collect();
        Self::new(What::Unknown { known }).at(Step::Key(field.to_owned()))
    }

    fn unknown_variant(variant: &str, known: &'static [&'static str]) -> Self {
        Self::unknown_field(variant, known)
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

impl<'de> Deserializer<'de> for Node {
    type Error = Trouble;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Trouble> {
        let found = kind(&self.0);
        let expected = (&visitor as &dyn Expected).to_string();
        match self.0 {
            // What text doesn't name is no key, and stays unsaid.
            Value::String(text) => {
                visitor.visit_string(text).map_err(|trouble: Trouble| match trouble.what {
                    What::Unknown { known } => Trouble::wrong(found, format!("one of: {}", known.join(", "))),
                    _ => trouble,
                })
            }
            Value::Integer(number) => visitor.visit_i64(number),
            Value::Float(number) => visitor.visit_f64(number),
            Value::Boolean(yes) => visitor.visit_bool(yes),
            // Dates and times of the calendar are text to serde; TOML's own notation is as good.
            Value::Datetime(time) => visitor.visit_string(time.to_string()),
            Value::Array(items) => visitor.visit_seq(Items(items.into_iter().enumerate())),
            Value::Table(entries) => {
                let mut entries: Vec<_> = entries.into_iter().collect();
                // An adapter's type comes first: before it, typetag could only buffer, and lose the place.
                entries.sort_by_key(|(key, _)| key != "type");
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
        let wrong = || Trouble::wrong(found, format!("one of: {}", known.join(", ")));
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
    entries: std::vec::IntoIter<(String, Value)>,
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
        let found = kind(&value);
        seed.deserialize(Node(value))
            .map_err(|trouble| trouble.described(found, || OTHER.to_owned()).at(Step::Key(key)))
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
        let value = self.value.ok_or_else(|| Trouble::wrong("a string", expected))?;
        Ok((value, Step::Key(self.name)))
    }
}

impl<'de> VariantAccess<'de> for Choice {
    type Error = Trouble;

    fn unit_variant(self) -> Result<(), Trouble> {
        let Some(Node(value)) = self.value else { return Ok(()) };
        let expected = "no value, only the name".to_owned();
        Err(Trouble::wrong(kind(&value), expected).at(Step::Key(self.name)))
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

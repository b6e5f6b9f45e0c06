//! JSON without the liberties that parsers take: a name may occur only once in an object (RFC 8259, section 4, leaves
//! open which of two values counts, so a validator and a consumer could see different ones).

use std::cell::RefCell;
use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error as _, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Number, Value};

/// Longest JSON Pointer that is put into an error, in characters.
const MAX_POINTER_CHARS: usize = 200;

/// Why a text is not taken.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Fault {
    /// It is not JSON; says where.
    Syntax(String),
    /// It is JSON that must not be used; says why.
    Refused(String),
}

/// Parses one JSON value and nothing after it.
pub(super) fn parse(text: &str) -> Result<Value, Fault> {
    let repeated = RefCell::new(None);
    let mut deserializer = serde_json::Deserializer::from_str(text);
    let parsed = Strict { repeated: &repeated }.deserialize(&mut deserializer);
    parsed.and_then(|value| deserializer.end().map(|()| value)).map_err(|error| match repeated.take() {
        Some(path) => Fault::Refused(format!("the answer has {} twice; which one counts is undefined", pointer(&path))),
        None => classify(&error),
    })
}

/// serde_json tells these two cases apart only in words; the tests hold them.
fn classify(error: &serde_json::Error) -> Fault {
    let text = error.to_string();
    let place = format!("at line {}, column {}", error.line(), error.column());
    if text.starts_with("number out of range") {
        Fault::Refused(format!("the answer has a number that is out of range {place}"))
    } else if text.starts_with("recursion limit exceeded") {
        Fault::Refused(format!("the answer is nested too deep {place}"))
    } else {
        Fault::Syntax(place)
    }
}

/// JSON Pointer (RFC 6901) from tokens in reverse order.
fn pointer(path: &[String]) -> String {
    let full: String =
        path.iter().rev().map(|token| format!("/{}", token.replace('~', "~0").replace('/', "~1"))).collect();
    match full.char_indices().nth(MAX_POINTER_CHARS) {
        Some((end, _)) => format!("{}…", full.get(..end).unwrap_or_default()),
        None => full,
    }
}

/// Builds a [`Value`]. When a name is repeated, `repeated` collects the way to it, innermost first.
#[derive(Clone, Copy)]
struct Strict<'p> {
    repeated: &'p RefCell<Option<Vec<String>>>,
}

impl Strict<'_> {
    fn on_the_way(self, token: impl FnOnce() -> String) {
        if let Some(path) = self.repeated.borrow_mut().as_mut() {
            path.push(token());
        }
    }
}

impl<'de> DeserializeSeed<'de> for Strict<'_> {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Strict<'_> {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(Value::from(value))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(Value::from(value))
    }

    fn visit_f64<E: serde::de::Error>(self, value: f64) -> Result<Value, E> {
        Number::from_f64(value).map(Value::Number).ok_or_else(|| E::custom("number out of range"))
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(Value::String(value.to_owned()))
    }

    fn visit_string<E>(self, value: String) -> Result<Value, E> {
        Ok(Value::String(value))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        let mut array = Vec::new();
        loop {
            match items.next_element_seed(self) {
                Ok(Some(item)) => array.push(item),
                Ok(None) => return Ok(Value::Array(array)),
                Err(error) => {
                    self.on_the_way(|| array.len().to_string());
                    return Err(error);
                }
            }
        }
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Value, A::Error> {
        let mut object = Map::new();
        while let Some(name) = members.next_key::<String>()? {
            if object.contains_key(&name) {
                *self.repeated.borrow_mut() = Some(vec![name]);
                return Err(A::Error::custom("repeated name"));
            }
            let value = members.next_value_seed(self).inspect_err(|_| self.on_the_way(|| name.clone()))?;
            object.insert(name, value);
        }
        Ok(Value::Object(object))
    }
}

//! The template engine as it is used here: strict, without escaping, bounded in work and output.

use std::io;

use minijinja::value::{Kwargs, Rest, ValueKind};
use minijinja::{AutoEscape, Environment, Error, ErrorKind, Output, State, UndefinedBehavior, Value, filters};
use serde::Serialize;
use serde_json::Serializer;
use serde_json::ser::{CompactFormatter, Formatter, PrettyFormatter};

use super::MAX_OUTPUT_BYTES;
use super::numbers::{AsJson, AsSent, is_number};

/// Work that one rendering may do: about one unit per instruction and per 64 bytes of text that is made.
const FUEL: u64 = 500_000;

/// Widest indentation that `tojson` makes.
const MAX_INDENT: usize = 16;

/// An environment without templates, set to be strict and bounded.
pub(super) fn environment() -> Environment<'static> {
    let mut environment = Environment::new();
    environment.set_undefined_behavior(UndefinedBehavior::Strict);
    environment.set_auto_escape_callback(|_| AutoEscape::None);
    environment.set_formatter(print);
    environment.set_fuel(Some(FUEL));
    environment.add_filter("default", default);
    environment.add_filter("d", default);
    environment.add_filter("tojson", to_json);
    environment.add_test("number", is_number);
    // The one prints the whole context; the other allows values nested without bound.
    environment.remove_global("debug");
    environment.remove_global("namespace");
    environment
}

/// Prints a value: text as it is, a number with the digits that were sent, everything else as JSON would have it.
fn print(out: &mut Output<'_>, state: &mut State<'_, '_>, value: &Value) -> Result<(), Error> {
    let kind = value.kind();
    if kind == ValueKind::None {
        Ok(out.write_str("null")?)
    } else if kind == ValueKind::Bool {
        Ok(out.write_str(if value.is_true() { "true" } else { "false" })?)
    } else if matches!(kind, ValueKind::Map | ValueKind::Seq | ValueKind::Iterable) {
        Ok(out.write_str(&json(state, value, CompactFormatter)?)?)
    } else if let Some(number) = AsSent::of(state).number(value) {
        Ok(out.write_str(number.as_str())?)
    } else {
        minijinja::escape_formatter(out, state, value)
    }
}

/// The filter `default`: takes its argument for what is undefined, as everywhere, and for null, which is how JSON says
/// it.
fn default(state: &State<'_, '_>, value: &Value, arguments: Rest<Value>) -> Result<Value, Error> {
    filters::default(state, if value.is_none() { &Value::UNDEFINED } else { value }, arguments)
}

/// The filter `tojson`, as the engine has it but for numbers, which keep their digits.
fn to_json(state: &State<'_, '_>, value: &Value, indent: Option<Value>, named: Kwargs) -> Result<Value, Error> {
    let indent = match indent {
        Some(indent) => Some(indent),
        None => named.get::<Option<Value>>("indent")?,
    };
    named.assert_all_used()?;
    let width = match indent {
        None => None,
        Some(indent) if indent.kind() == ValueKind::Bool => indent.is_true().then_some(2),
        Some(indent) => Some(usize::try_from(indent)?.min(MAX_INDENT)),
    };
    let text = match width {
        None => json(state, value, Spaced)?,
        Some(width) => json(state, value, PrettyFormatter::with_indent(" ".repeat(width).as_bytes()))?,
    };
    state.consume_fuel(text.len() as u64 / 64)?;
    // These stand within strings only; escaped, the text is safe within HTML, too.
    let text = [('<', "\\u003c"), ('>', "\\u003e"), ('&', "\\u0026"), ('\'', "\\u0027")]
        .iter()
        .fold(text, |text, (from, to)| text.replace(*from, to));
    Ok(Value::from_safe_string(text))
}

fn json(state: &State<'_, '_>, value: &Value, formatter: impl Formatter) -> Result<String, Error> {
    let mut json = Bounded(Vec::new());
    let unprintable = |_| Error::new(ErrorKind::BadSerialization, "the value cannot be printed as JSON");
    AsJson(value.clone(), &AsSent::of(state))
        .serialize(&mut Serializer::with_formatter(&mut json, formatter))
        .map_err(unprintable)?;
    Ok(String::from_utf8_lossy(&json.0).into_owned())
}

/// JSON on one line with a space after each separator, as Python writes it.
struct Spaced;

impl Formatter for Spaced {
    fn begin_array_value<W: io::Write + ?Sized>(&mut self, writer: &mut W, first: bool) -> io::Result<()> {
        writer.write_all(if first { b"" } else { b", " })
    }

    fn begin_object_key<W: io::Write + ?Sized>(&mut self, writer: &mut W, first: bool) -> io::Result<()> {
        writer.write_all(if first { b"" } else { b", " })
    }

    fn begin_object_value<W: io::Write + ?Sized>(&mut self, writer: &mut W) -> io::Result<()> {
        writer.write_all(b": ")
    }
}

/// A buffer that refuses to grow beyond [`MAX_OUTPUT_BYTES`].
struct Bounded(Vec<u8>);

impl std::io::Write for Bounded {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        if self.0.len() + bytes.len() > MAX_OUTPUT_BYTES {
            return Err(std::io::ErrorKind::FileTooLarge.into());
        }
        self.0.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// What went wrong, without the engine's detail where that may quote a value.
pub(super) fn explain(error: &minijinja::Error) -> String {
    const FROM_SOURCE: [ErrorKind; 4] =
        [ErrorKind::UnknownFilter, ErrorKind::UnknownTest, ErrorKind::UnknownFunction, ErrorKind::UnknownMethod];
    let kind = error.kind();
    if kind == ErrorKind::UndefinedError {
        "something is undefined".to_owned()
    } else if kind == ErrorKind::OutOfFuel {
        "it does too much work on this record; loop over less".to_owned()
    } else {
        let detail = error.detail().filter(|_| FROM_SOURCE.contains(&kind));
        detail.map_or_else(|| kind.to_string(), |detail| format!("{kind}: {detail}"))
    }
}

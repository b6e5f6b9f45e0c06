//! The template engine as it is used here: strict, without escaping, bounded in work and output.

use minijinja::value::ValueKind;
use minijinja::{AutoEscape, Environment, ErrorKind, Output, State, UndefinedBehavior, Value};

use super::MAX_OUTPUT_BYTES;

/// Work that one rendering may do: about one unit per instruction and per 64 bytes of text that is made.
const FUEL: u64 = 500_000;

/// An environment without templates, set to be strict and bounded.
pub(super) fn environment() -> Environment<'static> {
    let mut environment = Environment::new();
    environment.set_undefined_behavior(UndefinedBehavior::Strict);
    environment.set_auto_escape_callback(|_| AutoEscape::None);
    environment.set_formatter(print);
    environment.set_fuel(Some(FUEL));
    // The one prints the whole context; the other allows values nested without bound.
    environment.remove_global("debug");
    environment.remove_global("namespace");
    environment
}

/// Prints a value: text as it is, everything else as JSON would have it.
fn print(out: &mut Output<'_>, state: &mut State<'_, '_>, value: &Value) -> Result<(), minijinja::Error> {
    let kind = value.kind();
    if kind == ValueKind::None {
        Ok(out.write_str("null")?)
    } else if kind == ValueKind::Bool {
        Ok(out.write_str(if value.is_true() { "true" } else { "false" })?)
    } else if matches!(kind, ValueKind::Map | ValueKind::Seq | ValueKind::Iterable) {
        let mut json = Bounded(Vec::new());
        let unprintable = |_| minijinja::Error::new(ErrorKind::BadSerialization, "the value cannot be printed as JSON");
        serde_json::to_writer(&mut json, value).map_err(unprintable)?;
        Ok(out.write_str(&String::from_utf8_lossy(&json.0))?)
    } else {
        minijinja::escape_formatter(out, state, value)
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

//! JSON Schemas: compiled once, bounded, and without remote references.

pub mod annotations;
pub mod compatibility;
pub mod dialect;
pub mod fields;
pub mod keywords;
pub mod library;
mod limits;
pub(crate) mod node;
pub(crate) mod reference;
mod relax;
pub mod with_quotes;

use std::fmt;

use jsonschema::error::ValidationErrorKind;
use jsonschema::{PatternOptions, ValidationError, Validator};
use serde_json::Value;
use sha2::{Digest, Sha256};

use crate::domain::json;
use crate::domain::violation::Violation;

/// Version of a schema that was written where it is used.
const INLINE_VERSION: &str = "0.0.0";
/// Most violations reported for one instance: enough to mend an answer, bounded whatever the answer is.
const MAX_VIOLATIONS: usize = 20;
/// Longest message of one violation or error in characters. Messages list enum options and property names.
const MAX_MESSAGE_CHARS: usize = 500;
/// Longest pointer of one violation in bytes. Names of an instance may be of any length.
const MAX_POINTER_BYTES: usize = 500;

/// A compiled JSON Schema (drafts 4 to 2020-12) whose root describes an object.
#[derive(Debug)]
pub struct Schema {
    name: String,
    version: String,
    uri: String,
    json: Value,
    /// The same without annotations, where it has some.
    plain: Option<Value>,
    digest: [u8; 32],
    validator: Validator,
    /// Deepest instance that is checked. Only a schema that refers to itself in several ways has a limit: there the
    /// work multiplies with each level.
    max_depth: Option<usize>,
}

/// Why a schema cannot be used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SchemaError {
    /// JSON Pointer (RFC 6901) into the schema.
    pub pointer: String,
    /// What is wrong there and what to do.
    pub message: String,
}

impl fmt::Display for SchemaError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let pointer = if self.pointer.is_empty() { "the root" } else { &self.pointer };
        write!(f, "schema at {pointer}: {}", self.message)
    }
}

impl std::error::Error for SchemaError {}

impl Schema {
    /// Whether a schema is small enough to be worked with: the first of the limits that [`Self::compile`] checks, for
    /// whoever has to do something else with a stranger's schema before.
    ///
    /// # Errors
    /// The limit that it exceeds.
    pub fn check_size(json: &Value) -> Result<(), SchemaError> {
        limits::check_size(json)
    }

    /// Checks the limits, then compiles. `version` is semantic ("1.0.0"); inline schemas get "0.0.0". The draft is the
    /// one that `$schema` names, 2020-12 without one. Formats (`date`, `email`, `uri` …) are asserted in every draft.
    ///
    /// # Errors
    /// The first thing found that must be changed: a limit, a reference out of the document, a keyword used wrongly, or
    /// a regular expression that needs backtracking (look-around, back-references).
    pub fn compile(name: &str, version: &str, json: Value) -> Result<Schema, SchemaError> {
        let max_depth = match limits::check(&json) {
            Ok(max_depth) => max_depth,
            Err(error) => {
                limits::dismantle(json);
                return Err(error);
            }
        };
        let validator = jsonschema::options()
            .offline()
            .should_validate_formats(true)
            .with_pattern_options(
                PatternOptions::regex().size_limit(limits::MAX_REGEX_BYTES).dfa_size_limit(limits::MAX_REGEX_BYTES),
            )
            .build(&json)
            .map_err(|error| compile_error(&error))?;
        let plain = annotations::removed(&json);
        let digest: [u8; 32] = Sha256::digest(json::canonical(plain.as_ref().unwrap_or(&json))).into();
        let uri = identify(name, version, &json, &digest);
        let (name, version) = (name.to_owned(), version.to_owned());
        Ok(Schema { name, version, uri, json, plain, digest, validator, max_depth })
    }

    /// The name that it was compiled under.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Its semantic version.
    pub fn version(&self) -> &str {
        &self.version
    }

    /// What results name as their `dataschema`: `$id` if it is an absolute URI, else a URN of name and version, or of
    /// the digest for an inline schema.
    pub fn uri(&self) -> &str {
        &self.uri
    }

    /// The schema as written.
    pub fn json(&self) -> &Value {
        &self.json
    }

    /// The schema as a model is asked it: without the [`annotations`] that only this program reads.
    pub fn asked(&self) -> &Value {
        self.plain.as_ref().unwrap_or(&self.json)
    }

    /// SHA-256 of the canonical text ([`json::canonical`]) of [`Self::asked`].
    pub fn digest(&self) -> &[u8; 32] {
        &self.digest
    }

    /// Checks an instance.
    ///
    /// # Errors
    /// The first 20 violations. Their messages name keywords and fields, never values of the instance.
    pub fn validate(&self, instance: &Value) -> Result<(), Vec<Violation>> {
        if let Some(limit) = self.max_depth.filter(|limit| limits::is_deeper(instance, *limit)) {
            let message =
                format!("nested deeper than {limit} levels, the most for a schema with this many self-references");
            return Err(vec![Violation { pointer: String::new(), message }]);
        }
        if self.validator.is_valid(instance) {
            return Ok(());
        }
        Err(self.validator.iter_errors(instance).take(MAX_VIOLATIONS).map(|error| violation(&error)).collect())
    }

    /// The schema that a local `$ref` means, else the schema itself.
    fn dereference<'a>(&'a self, schema: &'a Value) -> &'a Value {
        let reference = schema.get("$ref").and_then(Value::as_str);
        reference
            .and_then(|reference| reference::resolve(&self.json, reference).ok())
            .map_or(schema, |(_, target)| target)
    }
}

fn is_filled(value: &Value) -> bool {
    match value {
        Value::Null => false,
        Value::String(text) => !text.is_empty(),
        Value::Array(items) => !items.is_empty(),
        Value::Bool(_) | Value::Number(_) | Value::Object(_) => true,
    }
}

fn identify(name: &str, version: &str, json: &Value, digest: &[u8; 32]) -> String {
    let id = json.get(reference::id_keyword(json)).and_then(Value::as_str).unwrap_or_default();
    let id = id.trim_end_matches('#');
    if is_absolute_uri(id) {
        return id.to_owned();
    }
    if version == INLINE_VERSION {
        let hex: String = digest.iter().map(|byte| format!("{byte:02x}")).collect();
        return format!("urn:structured-prompt:schema:sha256:{hex}");
    }
    format!("urn:structured-prompt:schema:{name}:{version}")
}

/// RFC 3986, section 4.3, as far as it matters here: a scheme, and nothing that may not stand in a URI.
fn is_absolute_uri(text: &str) -> bool {
    let Some((scheme, rest)) = text.split_once(':') else { return false };
    scheme.starts_with(|first: char| first.is_ascii_alphabetic())
        && scheme.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"+-.".contains(&byte))
        && !rest.is_empty()
        && rest.bytes().all(|byte| byte.is_ascii_graphic() && !b"<>\"{}|\\^`".contains(&byte))
}

fn violation(error: &ValidationError<'_>) -> Violation {
    Violation { pointer: short_pointer(error.instance_path().to_string()), message: message(error) }
}

/// The place itself, or the deepest one around it whose pointer is not too long.
fn short_pointer(mut pointer: String) -> String {
    while pointer.len() > MAX_POINTER_BYTES {
        pointer.truncate(pointer.rfind('/').unwrap_or(0));
    }
    pointer
}

fn compile_error(error: &ValidationError<'_>) -> SchemaError {
    let message = if matches!(error.kind(), ValidationErrorKind::Format { format } if format == "regex") {
        "the regular expression is malformed, too large, or uses look-around or back-references; rewrite it".to_owned()
    } else if matches!(error.kind(), ValidationErrorKind::Referencing(_)) {
        "a reference or $schema cannot be resolved within the schema".to_owned()
    } else {
        message(error)
    };
    SchemaError { pointer: error.instance_path().to_string(), message }
}

/// The library's message with instance values masked, cut to a bounded length.
fn message(error: &ValidationError<'_>) -> String {
    let text = if let ValidationErrorKind::PropertyNames { error } = error.kind() {
        format!("a property's name is refused: {}", error.masked())
    } else {
        error.masked().to_string()
    };
    match text.char_indices().nth(MAX_MESSAGE_CHARS) {
        Some((end, _)) => format!("{}…", text.get(..end).unwrap_or_default()),
        None => text,
    }
}

#[cfg(test)]
mod tests;

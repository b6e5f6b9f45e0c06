//! YAML text → tree with positions.
//!
//! The tree is built from the parser's events rather than by a ready-made loader: loaders recurse as deep as the text
//! nests, copy aliases, and stop at the first repeated key. Here depth and size are bounded, aliases are refused, and
//! each repeated key is a finding of its own.

use std::collections::HashSet;

use saphyr_parser::{Event, Marker, Parser, ScalarStyle};

use super::document::{Entry, Node, Origin, Value};
use super::scalar;
use crate::domain::json::MAX_DIGITS;

/// Largest file that is read, in bytes. Hand-written files are a thousandth of it.
pub(crate) const MAX_BYTES: u64 = 1024 * 1024;

/// Deepest nesting. JSON Schemas need some 20 levels; readers below may recurse this deep.
const MAX_DEPTH: usize = 64;

/// Something wrong with the text itself.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct YamlError {
    pub(crate) origin: Origin,
    pub(crate) key_path: String,
    pub(crate) message: String,
    pub(crate) help: &'static str,
}

/// A collection whose end has not come yet.
enum Open {
    List { origin: Origin, items: Vec<Node> },
    Map { origin: Origin, entries: Vec<Entry>, seen: HashSet<String>, key: Option<(String, Origin)> },
}

/// Reads one document. Without text the node is `None`, and so it is after a problem that leaves nothing to read.
pub(crate) fn parse(text: &str) -> (Option<Node>, Vec<YamlError>) {
    let mut builder = Builder::default();
    let mut parser = Parser::new_from_str(text);
    while let Some(event) = parser.next_event() {
        let step = match event {
            Ok((event, span)) => builder.take(event, span.start),
            Err(error) => Err(yaml_error(
                at(*error.marker()),
                format!("the YAML cannot be read: {}", error.info()),
                "check indentation, quotes and brackets on this line and the one above",
            )),
        };
        if let Err(fatal) = step {
            builder.errors.push(fatal);
            return (None, builder.errors);
        }
    }
    (builder.root, builder.errors)
}

fn at(mark: Marker) -> Origin {
    Origin::At { line: mark.line(), column: mark.col() + 1 }
}

fn yaml_error(origin: Origin, message: String, help: &'static str) -> YamlError {
    YamlError { origin, key_path: String::new(), message, help }
}

#[derive(Default)]
struct Builder {
    open: Vec<Open>,
    root: Option<Node>,
    documents: usize,
    errors: Vec<YamlError>,
}

impl Builder {
    fn take(&mut self, event: Event<'_>, mark: Marker) -> Result<(), YamlError> {
        let origin = at(mark);
        match event {
            Event::Nothing | Event::StreamStart | Event::StreamEnd | Event::DocumentEnd => Ok(()),
            Event::DocumentStart(_) => {
                self.documents += 1;
                let several = "there is more than one YAML document in the file".to_owned();
                if self.documents > 1 { Err(yaml_error(origin, several, "use one file for each")) } else { Ok(()) }
            }
            Event::Alias(_) => Err(yaml_error(
                origin,
                "YAML aliases (*name) are not supported".to_owned(),
                "write the value out; text that starts with * needs quotes",
            )),
            Event::Scalar(_, _, _, Some(_)) | Event::SequenceStart(_, Some(_)) | Event::MappingStart(_, Some(_)) => {
                let message = "YAML tags (!name) are not supported".to_owned();
                Err(yaml_error(origin, message, "leave the tag out; text that starts with ! needs quotes"))
            }
            Event::Scalar(text, style, _, None) => {
                self.scalar(text.into_owned(), style, origin, mark.line());
                Ok(())
            }
            Event::SequenceStart(_, None) => {
                self.push(Open::List { origin: origin.clone(), items: Vec::new() }, origin)
            }
            Event::MappingStart(_, None) => {
                let (entries, seen) = (Vec::new(), HashSet::new());
                self.push(Open::Map { origin: origin.clone(), entries, seen, key: None }, origin)
            }
            Event::SequenceEnd | Event::MappingEnd => {
                match self.open.pop() {
                    Some(Open::List { origin, items }) => self.insert(Node { origin, value: Value::List(items) }),
                    Some(Open::Map { origin, entries, .. }) => self.insert(Node { origin, value: Value::Map(entries) }),
                    None => {}
                }
                Ok(())
            }
        }
    }

    fn push(&mut self, open: Open, origin: Origin) -> Result<(), YamlError> {
        if let Some(Open::Map { key: None, .. }) = self.open.last() {
            let message = "a key must be plain text, not a list or mapping".to_owned();
            return Err(yaml_error(origin, message, "text that starts with { or [ needs quotes"));
        }
        if self.open.len() >= MAX_DEPTH {
            return Err(yaml_error(origin, format!("nested more than {MAX_DEPTH} levels deep"), "nest less deeply"));
        }
        self.open.push(open);
        Ok(())
    }

    fn scalar(&mut self, text: String, style: ScalarStyle, origin: Origin, line: usize) {
        if let Some(Open::Map { key: key @ None, .. }) = self.open.last_mut() {
            *key = Some((text, origin));
            return;
        }
        let value = match style {
            ScalarStyle::Plain => Value::of_plain(&text),
            // The parser marks the first line that is not blank.
            ScalarStyle::Literal => {
                let blank = text.bytes().take_while(|byte| *byte == b'\n').count();
                Value::Text { text, first_line: Some(line.saturating_sub(blank)) }
            }
            ScalarStyle::SingleQuoted | ScalarStyle::DoubleQuoted | ScalarStyle::Folded => {
                Value::Text { text, first_line: None }
            }
        };
        if let Value::Number { text } = &value
            && scalar::is_too_long(text)
        {
            let message = format!("the number has more than {MAX_DIGITS} digits when written out");
            let key_path = self.here();
            self.errors.push(YamlError { key_path, ..yaml_error(origin.clone(), message, "write a shorter one") });
        }
        self.insert(Node { origin, value });
    }

    fn insert(&mut self, node: Node) {
        match self.open.last_mut() {
            None => self.root = Some(node),
            Some(Open::List { items, .. }) => items.push(node),
            Some(Open::Map { entries, key, seen, .. }) => {
                let Some((key, key_origin)) = key.take() else { return };
                if !seen.insert(key.clone()) {
                    self.errors.push(YamlError {
                        key_path: self.path(&key),
                        ..yaml_error(key_origin, "the key appears twice".to_owned(), "keep one of the two")
                    });
                } else {
                    entries.push(Entry { key, key_origin, node });
                }
            }
        }
    }

    /// The path of a key in the innermost open mapping.
    fn path(&self, key: &str) -> String {
        let mut path = self.here();
        join(&mut path, key);
        path
    }

    /// The path of the value that comes next.
    fn here(&self) -> String {
        let mut path = String::new();
        for open in &self.open {
            match open {
                Open::List { items, .. } => path.push_str(&format!("[{}]", items.len())),
                Open::Map { key: Some((key, _)), .. } => join(&mut path, key),
                Open::Map { key: None, .. } => {}
            }
        }
        path
    }
}

/// Appends a key to a path. Keys are foreign text, and a path is printed: control characters are escaped, length is
/// cut.
pub(crate) fn join(path: &mut String, key: &str) {
    const LONGEST: usize = 64;
    if !path.is_empty() {
        path.push('.');
    }
    path.extend(
        key.chars().take(LONGEST).flat_map(|c| if c.is_control() { c.escape_default().collect() } else { vec![c] }),
    );
    if key.chars().nth(LONGEST).is_some() {
        path.push('…');
    }
}

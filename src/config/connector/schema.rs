//! The `schema` key: a name, or a JSON Schema inline or in a file.

mod review;

use std::path::Path;
use std::sync::Arc;

use serde_json::Value as Json;

use super::hash::digest;
use super::part::Part;
use crate::config::diagnostics::{Diagnostics, Location};
use crate::config::document::{Node, Origin, Value};
use crate::config::finding::{Finding, Findings, Place};
use crate::config::section::Section;
use crate::config::values::{Problem, quoted, text};
use crate::config::yaml;
use crate::domain::json::{self, Fault, FaultKind, MAX_DEPTH, MAX_DIGITS};
use crate::domain::nearest::nearest;
use crate::domain::version::Selector;
use crate::schema::{Schema, library};

/// Used where a connector names none.
const DEFAULT: &str = "extraction";

const HELP: &str = "docs/configuration.md describes which schemas are supported";

pub(super) fn read(
    diagnostics: &Diagnostics,
    root: &mut Section<'_>,
    connector: &str,
    base: &Path,
    has_store: bool,
) -> Option<Part<Schema>> {
    let node = root.node("schema").filter(|node| node.value != Value::Null);
    let location = root.location_of("schema");
    let Some(node) = node else { return named(diagnostics, DEFAULT, &location).map(Part::Written) };
    if !matches!(node.value, Value::Map(_)) {
        let reference = text(node).map_err(|problem| {
            diagnostics.note(&location, problem.help("write a schema's name, { inline: … } or { file: … }"));
        });
        let reference = reference.ok()?;
        let built_in = library::find(&reference);
        let can_be_stored = has_store && Selector::of_reference(&reference).is_ok();
        return Part::named(&reference, built_in, can_be_stored)
            .or_else(|| named(diagnostics, &reference, &location).map(Part::Written));
    }
    let mut section = root.section("schema");
    let inline = section.node("inline").filter(|node| node.value != Value::Null);
    let file = section.get("file", text);
    let inline_spot = section.location_of("inline");
    let file_spot = section.location_of("file");
    section.finish();
    match (inline, file) {
        (Some(node), None) => compile(diagnostics, connector, node.to_json(), node, &inline_spot).map(Part::Written),
        (None, Some(file)) => of_file(diagnostics, &base.join(file), &file_spot).map(Part::Written),
        (None, None) | (Some(_), Some(_)) => {
            diagnostics.note(&location, Problem::new("expected a name, inline or file", "write exactly one of them"));
            None
        }
    }
}

/// What is legal in a connector's own schema and costs money all the same. Mistakes go to the diagnostics; notes are
/// returned.
pub(crate) fn review(diagnostics: &Diagnostics, root: &Node, schema: &Schema, file: &Path) -> Vec<Finding> {
    let of = |node: &'_ Node, key: &str| {
        node.entries().iter().find(|entry| entry.key == key).map(|entry| entry.node.clone())
    };
    let Some(written) = of(root, "schema") else { return Vec::new() };
    let named = of(&written, "file").and_then(|node| text(&node).ok());
    let (tree, path, key) = match (of(&written, "inline"), named) {
        (Some(inline), _) => (inline, file.to_path_buf(), "schema.inline"),
        (None, Some(named)) => {
            let path = file.parent().unwrap_or(Path::new("")).join(named);
            // It has been read before; if it is gone since, the places in it are unknown.
            let location = Location { origin: Origin::Whole, path: "schema.file".to_owned() };
            let source = Diagnostics::new(Some(&path)).text(&path, &location).unwrap_or_default();
            (yaml::parse(&source).0.unwrap_or_else(Node::empty), path, "schema.file")
        }
        (None, None) => return Vec::new(),
    };
    let inside = Diagnostics::new(Some(&path));
    let mut notes = Vec::new();
    for remark in review::review(schema.json()) {
        let place = if remark.pointer.is_empty() { String::new() } else { format!("{}: ", remark.pointer) };
        let finding = Finding {
            place: inside.place(&tree.origin_at(&remark.pointer)),
            key_path: key.to_owned(),
            message: format!("{place}{}", remark.message),
            help: remark.help,
        };
        if remark.is_mistake { diagnostics.add(finding) } else { notes.push(finding) }
    }
    notes
}

/// Whether an argument of the command line means a file, by its ending.
pub(crate) fn is_file(argument: &str) -> bool {
    [".json", ".yaml", ".yml"].iter().any(|end| argument.ends_with(end))
}

/// The schema that an argument of the command line means: a file, or a built-in one.
///
/// # Errors
/// Why there is none.
pub(crate) fn of_argument(argument: &str) -> Result<Arc<Schema>, Findings> {
    let diagnostics = Diagnostics::new(None);
    let location = Location { origin: Origin::Whole, path: "schema".to_owned() };
    let schema = if is_file(argument) {
        of_file(&diagnostics, Path::new(argument), &location)
    } else {
        named(&diagnostics, argument, &location)
    };
    schema.ok_or_else(|| Findings::new(diagnostics.into_findings()))
}

fn named(diagnostics: &Diagnostics, reference: &str, location: &Location) -> Option<Arc<Schema>> {
    if let Some(schema) = library::find(reference) {
        return Some(schema);
    }
    let names = library::names();
    let name = reference.split('@').next().unwrap_or_default();
    let (message, help) = if names.contains(&name) {
        (format!("the schema {name} has no such version"), format!("write {name} for the latest"))
    } else {
        let known = || format!("known schemas: {}", names.join(", "));
        let near = nearest(name, names.iter().copied());
        let help = near.map_or_else(known, |near| format!("did you mean `{near}`?"));
        (format!("there is no schema {}", quoted(reference)), help)
    };
    diagnostics.note(location, Problem::new(message, help));
    None
}

/// JSON, or YAML for everything that is not named `.json`.
fn of_file(diagnostics: &Diagnostics, path: &Path, location: &Location) -> Option<Arc<Schema>> {
    let text = diagnostics.text(path, location)?;
    // What is wrong inside the file is reported there.
    let inside = Diagnostics::new(Some(path));
    let is_json = path.extension().is_some_and(|end| end == "json");
    let stem = path.file_stem().map_or_else(String::new, |stem| stem.to_string_lossy().into_owned());
    let compiled = if is_json {
        match json::parse(&text) {
            // Nearly all JSON is YAML, which gives positions; where it is not, the pointer has to do.
            Ok(json) => {
                let tree = yaml::parse(&text).0.unwrap_or_else(Node::empty);
                compile(&inside, &stem, json, &tree, location)
            }
            Err(fault) => {
                inside.add(not_json(path, location, &fault));
                None
            }
        }
    } else {
        inside.tree(&text).and_then(|tree| compile(&inside, &stem, tree.to_json(), &tree, location))
    };
    for finding in inside.into_findings() {
        diagnostics.add(finding);
    }
    compiled
}

/// What is wrong with the text of a JSON file.
fn not_json(path: &Path, location: &Location, fault: &Fault) -> Finding {
    let (message, help) = match fault.kind {
        FaultKind::Syntax | FaultKind::EndsEarly => {
            ("this is not valid JSON".to_owned(), "check commas, quotes and brackets here and just before")
        }
        FaultKind::TooDeep => (format!("nested more than {MAX_DEPTH} levels deep"), "nest less deeply"),
        FaultKind::Repeated => (format!("the key {} appears twice", fault.pointer()), "keep one of the two"),
        FaultKind::TooManyDigits => {
            (format!("the number has more than {MAX_DIGITS} digits when written out"), "write a shorter one")
        }
    };
    Finding {
        place: Place::Line { file: path.to_path_buf(), line: fault.line, column: fault.column },
        key_path: location.path.clone(),
        message,
        help: help.to_owned(),
    }
}

fn compile(diagnostics: &Diagnostics, name: &str, json: Json, tree: &Node, location: &Location) -> Option<Arc<Schema>> {
    let version = digest(json::canonical(&json).as_bytes());
    match Schema::compile(&schema_name(name), &version, json) {
        Ok(schema) => Some(Arc::new(schema)),
        Err(error) => {
            let at = Location { origin: tree.origin_at(&error.pointer), path: location.path.clone() };
            let place = if error.pointer.is_empty() { String::new() } else { format!(" at {}", error.pointer) };
            diagnostics.note(&at, Problem::new(format!("the schema is not valid{place}: {}", error.message), HELP));
            None
        }
    }
}

/// A name that every provider accepts: `[a-zA-Z0-9_-]{1,64}`.
fn schema_name(name: &str) -> String {
    let legal = |c: char| if c.is_ascii_alphanumeric() || matches!(c, '_' | '-') { c } else { '-' };
    let name: String = name.chars().take(64).map(legal).collect();
    if name.is_empty() { "schema".to_owned() } else { name }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mark_at_the_beginning_of_a_file_moves_no_place() {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("s.json");
        let text = r#"{"type": "object", "properties": {"a": {"typ": "string"}}}"#;
        let tree = yaml::parse("schema: {file: s.json}").0.unwrap();
        let places = ["", "\u{feff}"].map(|mark| {
            std::fs::write(&file, format!("{mark}{text}")).unwrap();
            let schema = of_argument(file.to_str().unwrap()).unwrap();
            let diagnostics = Diagnostics::new(None);
            let notes = review(&diagnostics, &tree, &schema, &directory.path().join("connector.yaml"));
            let places: Vec<Place> =
                notes.into_iter().chain(diagnostics.into_findings()).map(|finding| finding.place).collect();
            assert!(places.iter().any(|place| matches!(place, Place::Line { .. })), "{places:?}");
            places
        });
        assert_eq!(places[0], places[1]);
    }
}

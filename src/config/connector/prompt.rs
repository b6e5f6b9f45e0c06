//! The `prompt` section: a template by name, inline, or in a file.

use std::collections::BTreeMap;
use std::path::Path;

use super::hash::digest;
use crate::config::document::{Node, Origin, Value};
use crate::config::finding::{Finding, Place};
use crate::config::section::{Scribe, Section, Spot};
use crate::config::values::{Wrong, text};
use crate::prompt::template::{Template, TemplateError};

const HELP: &str = "docs/configuration.md describes the three forms of a prompt";

/// Where a template's source stands, to translate its line numbers.
enum Source<'a> {
    Named,
    Inline(Option<&'a Node>),
    File(&'a Path),
}

pub(super) fn read(scribe: &Scribe, mut section: Section<'_>, base: &Path) -> Option<Template> {
    let named = section.get("template", text);
    let inline = section.get("inline", text);
    let file = section.get("file", text);
    let mut spots = BTreeMap::new();
    let mut parameters = BTreeMap::new();
    for (entry, spot, _) in section.names("parameters", "<parameter>") {
        match text(&entry.node) {
            Ok(value) => drop(parameters.insert(entry.key.clone(), value)),
            Err(wrong) => scribe.note(&spot, wrong),
        }
        spots.insert(entry.key.as_str(), (spot, &entry.node));
    }
    let written = ["template", "inline", "file"].map(|key| section.node(key).is_some_and(|n| n.value != Value::Null));
    let spot = section.spot().clone();
    if written.iter().filter(|written| **written).count() != 1 {
        let message = if written.contains(&true) { "there is more than one prompt" } else { "there is no prompt" };
        scribe.note(&spot, Wrong::new(message, format!("write one of template, inline or file; {HELP}")));
        section.finish();
        return None;
    }
    let (source, key, compiled);
    let path;
    if let Some(reference) = named {
        (source, key) = (Source::Named, "template");
        compiled = Template::named(&reference, &parameters);
    } else if let Some(text) = inline {
        (source, key) = (Source::Inline(section.node("inline")), "inline");
        if !spots.is_empty() {
            let help = "write the values into the prompt, or use template or file";
            scribe.note(&section.spot_of("parameters"), Wrong::new("an inline prompt has no parameters", help));
        }
        compiled = Template::inline(&text);
    } else if let Some(file) = file {
        path = base.join(file);
        let text = scribe.text(&path, &section.spot_of("file"))?;
        (source, key) = (Source::File(&path), "file");
        let name = path.file_stem().map_or_else(String::new, |stem| stem.to_string_lossy().into_owned());
        compiled = Template::from_source(&name, &digest(text.as_bytes()), &text, &parameters);
    } else {
        section.finish();
        return None;
    }
    let at = section.spot_of(key);
    section.finish();
    match compiled {
        Ok(template) => Some(template),
        Err(error) => {
            report(scribe, &error, &source, at, &spots);
            None
        }
    }
}

/// Puts a template's error where its text stands: in a parameter, in a block of this file, or in the template's own file.
fn report(
    scribe: &Scribe,
    error: &TemplateError,
    source: &Source<'_>,
    at: Spot,
    parameters: &BTreeMap<&str, (Spot, &Node)>,
) {
    let wrong = Wrong::new(format!("the template is not valid: {}", error.message), HELP);
    if let Some((spot, node)) = error.parameter.as_deref().and_then(|name| parameters.get(name)) {
        return scribe.note(&Spot { origin: line_of(node, error.line), path: spot.path.clone() }, wrong);
    }
    match (source, error.line) {
        (Source::Inline(Some(node)), line) => scribe.note(&Spot { origin: line_of(node, line), ..at }, wrong),
        (Source::File(path), Some(line)) if error.parameter.is_none() => scribe.add(Finding {
            place: Place::Line { file: path.to_path_buf(), line, column: 1 },
            key_path: at.path,
            message: wrong.message,
            help: wrong.help,
        }),
        (Source::Named | Source::Inline(None) | Source::File(_), _) => scribe.note(&at, wrong),
    }
}

/// The file's line of a line of text, which is known for literal blocks (`|`) only.
fn line_of(node: &Node, line: Option<usize>) -> Origin {
    match (&node.value, line) {
        (Value::Text { first_line: Some(first), .. }, Some(line)) => {
            Origin::At { line: first.saturating_add(line).saturating_sub(1), column: 1 }
        }
        _ => node.origin.clone(),
    }
}

//! The `prompt` section: a template by name, inline, or in a file.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use sha2::{Digest as _, Sha256};

use super::hash::digest;
use super::part::Part;
use crate::config::diagnostics::{Diagnostics, Location};
use crate::config::document::{Node, Origin, Value};
use crate::config::finding::{Finding, Place};
use crate::config::section::Section;
use crate::config::values::{Problem, text};
use crate::domain::version::Selector;
use crate::prompt::library;
use crate::prompt::template::{Template, TemplateError};

const HELP: &str = "docs/configuration.md describes the three forms of a prompt";

/// Where a template's source stands, to translate its line numbers.
enum Source<'a> {
    Named,
    Inline(Option<&'a Node>),
    File(&'a Path),
}

/// The prompt of a connector.
pub(super) struct Prompt {
    pub(super) template: Part<Template>,
    /// What fills the template's parameters.
    pub(super) parameters: BTreeMap<String, String>,
}

/// What stands for a prompt in the hash of a connector.
pub(super) fn digest_of(template: &Part<Template>, parameters: &BTreeMap<String, String>) -> [u8; 32] {
    match template.stored_name() {
        None => template.digest(|template| *template.digest()),
        Some(name) => Sha256::digest(format!("{name} {parameters:?}")).into(),
    }
}

pub(super) fn read(
    diagnostics: &Diagnostics,
    mut section: Section<'_>,
    base: &Path,
    has_store: bool,
) -> Option<Prompt> {
    let named = section.get("template", text);
    let inline = section.get("inline", text);
    let file = section.get("file", text);
    let mut locations = BTreeMap::new();
    let mut parameters = BTreeMap::new();
    for (entry, location, _) in section.names("parameters", "<parameter>") {
        match text(&entry.node) {
            Ok(value) => drop(parameters.insert(entry.key.clone(), value)),
            Err(problem) => diagnostics.note(&location, problem),
        }
        locations.insert(entry.key.as_str(), (location, &entry.node));
    }
    let written = ["template", "inline", "file"].map(|key| section.node(key).is_some_and(|n| n.value != Value::Null));
    let location = section.location().clone();
    if written.iter().filter(|written| **written).count() != 1 {
        let message = if written.contains(&true) { "there is more than one prompt" } else { "there is no prompt" };
        diagnostics.note(&location, Problem::new(message, format!("write one of template, inline or file; {HELP}")));
        section.finish();
        return None;
    }
    let (source, key, compiled);
    let path;
    let written_here = |template| Part::Written(Arc::new(template));
    if let Some(reference) = named {
        (source, key) = (Source::Named, "template");
        compiled = named_template(&reference, &parameters, has_store);
    } else if let Some(text) = inline {
        (source, key) = (Source::Inline(section.node("inline")), "inline");
        if !locations.is_empty() {
            let help = "write the values into the prompt, or use template or file";
            diagnostics
                .note(&section.location_of("parameters"), Problem::new("an inline prompt has no parameters", help));
        }
        compiled = Template::inline(&text).map(written_here);
    } else if let Some(file) = file {
        path = base.join(file);
        let text = diagnostics.text(&path, &section.location_of("file"))?;
        (source, key) = (Source::File(&path), "file");
        let name = path.file_stem().map_or_else(String::new, |stem| stem.to_string_lossy().into_owned());
        compiled = Template::from_source(&name, &digest(text.as_bytes()), &text, &parameters).map(written_here);
    } else {
        section.finish();
        return None;
    }
    let at = section.location_of(key);
    section.finish();
    match compiled {
        Ok(template) => Some(Prompt { template, parameters }),
        Err(error) => {
            report(diagnostics, &error, &source, at, &locations);
            None
        }
    }
}

/// The template of this name: built in, or where there is a store for it to be in.
fn named_template(
    reference: &str,
    parameters: &BTreeMap<String, String>,
    has_store: bool,
) -> Result<Part<Template>, TemplateError> {
    let can_be_stored = has_store && Selector::of_reference(reference).is_ok();
    if can_be_stored && library::find(reference).is_none() {
        check_parameters(parameters)?;
        return Ok(Part::Named { reference: reference.to_owned(), built_in: None });
    }
    let template = Arc::new(Template::named(reference, parameters)?);
    Ok(if can_be_stored {
        Part::Named { reference: reference.to_owned(), built_in: Some(template) }
    } else {
        Part::Written(template)
    })
}

/// Which parameters a stored template has is not known here, but what fills them can be looked at.
fn check_parameters(parameters: &BTreeMap<String, String>) -> Result<(), TemplateError> {
    parameters.iter().try_for_each(|(name, text)| {
        let checked = Template::inline(text).map(drop);
        checked.map_err(|error| TemplateError { parameter: Some(name.clone()), ..error })
    })
}

/// Puts a template's error where its text stands: in a parameter, in a block of this file, or in the template's own
/// file.
fn report(
    diagnostics: &Diagnostics,
    error: &TemplateError,
    source: &Source<'_>,
    at: Location,
    parameters: &BTreeMap<&str, (Location, &Node)>,
) {
    let problem = Problem::new(format!("the template is not valid: {}", error.message), HELP);
    if let Some((location, node)) = error.parameter.as_deref().and_then(|name| parameters.get(name)) {
        return diagnostics.note(&Location { origin: line_of(node, error.line), path: location.path.clone() }, problem);
    }
    match (source, error.line) {
        (Source::Inline(Some(node)), line) => {
            diagnostics.note(&Location { origin: line_of(node, line), ..at }, problem)
        }
        (Source::File(path), Some(line)) if error.parameter.is_none() => diagnostics.add(Finding {
            place: Place::Line { file: path.to_path_buf(), line, column: 1 },
            key_path: at.path,
            message: problem.message,
            help: problem.help,
        }),
        (Source::Named | Source::Inline(None) | Source::File(_), _) => diagnostics.note(&at, problem),
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

//! Prompt templates in Jinja syntax: compiled once, rendered for every record.
//!
//! What an event contains is data all the way: it is never compiled, and the rendered value of a parameter is printed
//! as it is. Loops and output are bounded, so a template cannot hold up a worker whatever the record is.

mod context;
mod engine;
pub mod expression;
mod numbers;
mod reads;
mod scope;
mod sources;

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use minijinja::{Environment, ErrorKind, Value};
use sha2::{Digest, Sha256};

use super::library;
use crate::domain::failure::{Code, Failure};
use crate::domain::nearest::nearest;
use engine::explain;
use reads::Reads;
pub use scope::{Key, Scope};
use sources::SourcePath;

/// Longest source of a template or parameter.
const MAX_SOURCE_BYTES: usize = 256 * 1024;
/// Longest prompt that is rendered; the limit on prompts proper comes later and is far lower.
const MAX_OUTPUT_BYTES: usize = 4 * 1024 * 1024;
/// What a template over a record can see.
const RECORD_ROOTS: [&str; 4] = ["data", "event", "headers", "key"];
/// Functions that every template can call.
const FUNCTIONS: [&str; 2] = ["range", "dict"];
/// Name of the template proper within its environment; no parameter can have it.
const MAIN: &str = "";
const INLINE_NAME: &str = "inline";

/// A compiled prompt template.
#[derive(Debug)]
pub struct Template {
    name: String,
    version: String,
    digest: [u8; 32],
    environment: Environment<'static>,
    /// Programs over the record, one for each parameter; without parameters the template itself.
    programs: Vec<Program>,
    /// The parts of a record that they read.
    sources: Vec<SourcePath>,
}

/// A source that is rendered over the record.
#[derive(Debug)]
struct Program {
    /// The parameter that it fills; [`MAIN`] for the template itself.
    parameter: Arc<str>,
    reads: Reads,
}

/// A rendered template.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rendered {
    /// The prompt.
    pub prompt: String,
    /// What of it came from the record, one text a line: the parameters that read it, or the texts that the template
    /// itself reads. `None` where that cannot be told from the rest.
    pub content: Option<String>,
}

/// Why a template cannot be used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TemplateError {
    /// The parameter at fault; `None` is the template itself.
    pub parameter: Option<String>,
    /// Line in the template or parameter, from 1.
    pub line: Option<usize>,
    /// What is wrong and what to do.
    pub message: String,
}

impl fmt::Display for TemplateError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.parameter {
            Some(parameter) => write!(f, "parameter {parameter}")?,
            None => f.write_str("template")?,
        }
        if let Some(line) = self.line {
            write!(f, ", line {line}")?;
        }
        write!(f, ": {}", self.message)
    }
}

impl std::error::Error for TemplateError {}

impl Template {
    /// A template over one record: `data` (the event's data), `event` (its attributes), `key`, `headers`.
    ///
    /// # Errors
    /// A syntax error or a variable that does not exist, with its line.
    pub fn inline(source: &str) -> Result<Template, TemplateError> {
        let none = BTreeMap::new();
        let version: String = digest(source, &none).iter().take(6).map(|byte| format!("{byte:02x}")).collect();
        Self::from_source(INLINE_NAME, &version, source, &none)
    }

    /// A built-in template ("invoice", "invoice@1") whose variables are filled by `parameters`, each itself a template
    /// over the record.
    ///
    /// # Errors
    /// An unknown name, a missing or surplus parameter, or what [`Template::inline`] refuses in a parameter.
    pub fn named(reference: &str, parameters: &BTreeMap<String, String>) -> Result<Template, TemplateError> {
        let Some(source) = library::find(reference) else {
            let names = library::names().join(", ");
            return Err(fault(None, format!("no built-in template is called \"{reference}\"; there are {names}")));
        };
        let mut template = Self::empty(source.name, source.version, source.text, parameters);
        template.compile_with_parameters(source.text, parameters)?;
        Ok(template)
    }

    /// A template of the user's own, with parameters as in [`Template::named`], or without any over the record.
    ///
    /// # Errors
    /// As for [`Template::inline`] and [`Template::named`].
    pub fn from_source(
        name: &str,
        version: &str,
        source: &str,
        parameters: &BTreeMap<String, String>,
    ) -> Result<Template, TemplateError> {
        let mut template = Self::empty(name, version, source, parameters);
        if parameters.is_empty() {
            template.compile_over_record(MAIN, source)?;
        } else {
            template.compile_with_parameters(source, parameters)?;
        }
        Ok(template)
    }

    /// The prompt for one record.
    ///
    /// # Errors
    /// [`Code::TemplateFailed`] with the line and, for something undefined, its path. Values are never quoted.
    pub fn render(&self, scope: &Scope<'_>) -> Result<Rendered, Failure> {
        let mut values: BTreeMap<Arc<str>, Value> = BTreeMap::new();
        let mut content = String::new();
        for program in &self.programs {
            let context = context::build(&program.reads, scope, None);
            let context = context.map_err(|why| failed(MAIN, None, &why.to_string()))?;
            let text = self.run(&program.parameter, context).map_err(|error| program.failure(&error, scope))?;
            if &*program.parameter == MAIN {
                return Ok(Rendered { prompt: bounded(text)?, content: context::content(&program.reads, scope) });
            }
            if !program.reads.is_nothing() {
                if !content.is_empty() {
                    content.push('\n');
                }
                content.push_str(&text);
            }
            values.insert(Arc::clone(&program.parameter), Value::from(text));
        }
        let text = self.run(MAIN, Value::from(values));
        let prompt = bounded(text.map_err(|error| failed(MAIN, error.line(), &explain(&error)))?)?;
        Ok(Rendered { prompt, content: Some(content) })
    }

    /// The name that it was compiled under; "inline" for an inline one.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Its semantic version; for an inline one 12 hexadecimal digits of its digest.
    pub fn version(&self) -> &str {
        &self.version
    }

    /// SHA-256 of the source and its parameters.
    pub fn digest(&self) -> &[u8; 32] {
        &self.digest
    }

    fn empty(name: &str, version: &str, source: &str, parameters: &BTreeMap<String, String>) -> Self {
        let digest = digest(source, parameters);
        Self {
            name: name.to_owned(),
            version: version.to_owned(),
            digest,
            environment: engine::environment(),
            programs: Vec::new(),
            sources: Vec::new(),
        }
    }

    fn compile_with_parameters(
        &mut self,
        source: &str,
        parameters: &BTreeMap<String, String>,
    ) -> Result<(), TemplateError> {
        let wanted = self.compile(MAIN, source)?;
        // First what is too much: a name that is misspelt is one that is missing, too.
        let used = reads::identifiers(source);
        if let Some(surplus) = parameters.keys().find(|name| !wanted.contains(name) && !used.contains(name.as_str())) {
            let unset = wanted.iter().filter(|name| !parameters.contains_key(*name));
            let hint = match nearest(surplus, unset.map(String::as_str)) {
                Some(name) => format!("did you mean {name}?"),
                None => format!("it has {}", wanted.join(", ")),
            };
            let message = format!("the template {} has no parameter {surplus}; {hint}", self.name);
            return Err(fault(Some(surplus), message));
        }
        if let Some(missing) = wanted.iter().find(|name| !parameters.contains_key(*name)) {
            let hint = if RECORD_ROOTS.contains(&missing.as_str()) {
                "; a template with parameters sees the record only through them"
            } else {
                ""
            };
            return Err(fault(
                Some(missing),
                format!("the template {} needs the parameter {missing}{hint}", self.name),
            ));
        }
        parameters.iter().try_for_each(|(name, text)| self.compile_over_record(name, text))
    }

    fn compile_over_record(&mut self, parameter: &str, source: &str) -> Result<(), TemplateError> {
        let wanted = self.compile(parameter, source)?;
        check_variables(source, &wanted, &RECORD_ROOTS)
            .map_err(|error| TemplateError { parameter: named_parameter(parameter), ..error })?;
        self.programs.push(Program { parameter: Arc::from(parameter), reads: Reads::of(source, &RECORD_ROOTS) });
        self.sources = sources::paths(self.programs.iter().map(|program| &program.reads));
        Ok(())
    }

    /// Compiles a source and returns the variables that it needs, sorted.
    fn compile(&mut self, name: &str, source: &str) -> Result<Vec<String>, TemplateError> {
        compile(&mut self.environment, name, source)
            .map_err(|error| TemplateError { parameter: named_parameter(name), ..error })
    }

    fn run(&self, name: &str, context: Value) -> Result<String, minijinja::Error> {
        self.environment.get_template(name)?.render(context)
    }
}

impl Program {
    fn failure(&self, error: &minijinja::Error, scope: &Scope<'_>) -> Failure {
        let reason = if error.kind() == ErrorKind::UndefinedError {
            context::explain_undefined(&self.reads, error.line(), scope, None)
        } else {
            explain(error)
        };
        failed(&self.parameter, error.line(), &reason)
    }
}

/// Adds a template to an environment, and returns the variables that it needs, sorted.
fn compile(environment: &mut Environment<'static>, name: &str, source: &str) -> Result<Vec<String>, TemplateError> {
    if source.len() > MAX_SOURCE_BYTES {
        let message = format!("it is {} bytes long and at most {MAX_SOURCE_BYTES} are allowed", source.len());
        return Err(fault(None, message));
    }
    let added = environment.add_template_owned(name.to_owned(), source.to_owned());
    let template = added.and_then(|()| environment.get_template(name)).map_err(|error| syntax_error(&error))?;
    let mut wanted: Vec<_> = template.undeclared_variables(false).into_iter().collect();
    wanted.retain(|name| !FUNCTIONS.contains(&name.as_str()));
    wanted.sort_unstable();
    Ok(wanted)
}

fn syntax_error(error: &minijinja::Error) -> TemplateError {
    let detail = error.detail().map_or_else(String::new, |detail| format!(": {detail}"));
    TemplateError { line: error.line(), ..fault(None, format!("{}{detail}", error.kind())) }
}

/// Fails for a variable that a template needs and that does not exist.
fn check_variables(source: &str, wanted: &[String], visible: &[&str]) -> Result<(), TemplateError> {
    let Some(unknown) = wanted.iter().find(|name| !visible.contains(&name.as_str())) else { return Ok(()) };
    let hint = nearest(unknown, visible.iter().copied());
    let hint = hint.map_or_else(String::new, |root| format!(" (did you mean {root}?)"));
    let message = format!("there is no variable {unknown}{hint}; there are {}", visible.join(", "));
    Err(TemplateError { line: reads::first_line(source, unknown), ..fault(None, message) })
}

fn bounded(text: String) -> Result<String, Failure> {
    if text.len() > MAX_OUTPUT_BYTES {
        return Err(failed(
            MAIN,
            None,
            &format!("it makes {} bytes and at most {MAX_OUTPUT_BYTES} are allowed", text.len()),
        ));
    }
    Ok(text)
}

fn failed(parameter: &str, line: Option<usize>, reason: &str) -> Failure {
    let place = match parameter {
        MAIN => String::new(),
        parameter => format!(", parameter {parameter}"),
    };
    let line = line.map_or_else(String::new, |line| format!(", line {line}"));
    Failure::new(Code::TemplateFailed, format!("the prompt template{place}{line}: {reason}"))
}

fn fault(parameter: Option<&str>, message: String) -> TemplateError {
    TemplateError { parameter: parameter.and_then(named_parameter), line: None, message }
}

fn named_parameter(name: &str) -> Option<String> {
    (name != MAIN).then(|| name.to_owned())
}

fn digest(source: &str, parameters: &BTreeMap<String, String>) -> [u8; 32] {
    let mut hash = Sha256::new();
    let texts =
        std::iter::once(source).chain(parameters.iter().flat_map(|(name, text)| [name.as_str(), text.as_str()]));
    for text in texts {
        hash.update((text.len() as u64).to_be_bytes());
        hash.update(text.as_bytes());
    }
    hash.finalize().into()
}

#[cfg(test)]
mod tests;

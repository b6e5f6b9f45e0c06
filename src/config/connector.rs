//! Connector files: one pipeline each, from topics through a prompt and a schema to topics.
//!
//! - `source`, `sink` (and `dead_letter`, `review`), `delivery`: those sections; `topics`: what Kafka needs of them;
//! - `prompt`, [`schema`], `options`, and `agreement` in it: those sections; [`part`]: what of it is found in the
//!   store; `named_provider`: whether a provider that they name can be asked;
//!   `calibration`: the file of `options.calibration`;
//! - [`changes`]: settings that an evaluation changes;
//! - `hash`: the version of a connector's meaning; [`wiring`]: connectors held against each other.

mod agreement;
mod calibration;
pub mod changes;
mod delivery;
mod hash;
mod named_provider;
mod options;
pub mod part;
mod prompt;
pub(crate) mod schema;
mod sink;
mod source;
mod topics;
pub(crate) mod wiring;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

pub use self::agreement::ConnectorAgreement;
use self::changes::Changes;
use self::part::Part;
use super::connector_test::find::is_test_file;
use super::diagnostics::{Diagnostics, Location};
use super::document::{Node, Origin};
use super::finding::{Finding, Findings, Place};
use super::runtime::{DEFAULT_TTL, RuntimeConfig};
use super::section::Section;
use super::values;
use crate::domain::calibration::Calibration;
use crate::kafka::settings::TopicSettings;
use crate::pipeline::budget::BudgetSettings;
use crate::pipeline::route::settings::{RecordCeiling, Strategy};
use crate::pipeline::spec::{CachePolicy, Checks, Generation, SpecSettings};
use crate::prompt::template::Template;
use crate::schema::{Schema, annotations};
use crate::store::settings::StoreUrl;

/// A connector as true.
#[derive(Debug, Clone)]
pub struct ConnectorConfig {
    /// Its name; unique in the process.
    pub name: Arc<str>,
    /// The file it was read from.
    pub path: PathBuf,
    /// Its way through Kafka.
    pub topics: TopicSettings,
    /// The prompt template.
    pub template: Part<Template>,
    /// What fills the parameters of the template, each itself a template over the record.
    pub parameters: BTreeMap<String, String>,
    /// What answers look like.
    pub schema: Part<Schema>,
    /// How it is asked.
    pub spec: ConnectorSpec,
    /// Provider to use; `None` takes the routing's choice.
    pub provider: Option<String>,
    /// How the routing chooses; `None` as the routing does for everyone.
    pub strategy: Option<Strategy>,
    /// Of which answers a second provider is asked, if it is.
    pub agreement: Option<ConnectorAgreement>,
    /// What the connector may spend.
    pub budget: Option<BudgetSettings>,
    /// First 12 hexadecimal digits of the SHA-256 of the connector file as resolved (`confighash`).
    pub config_hash: Arc<str>,
}

/// What is asked, but for the template and the schema.
#[derive(Debug, Clone)]
pub struct ConnectorSpec {
    /// How a model generates.
    pub generation: Generation,
    /// What input and answers are held against.
    pub checks: Checks,
    /// What all calls for one record may cost.
    pub ceiling: RecordCeiling,
    /// The use of remembered answers.
    pub cache: CachePolicy,
    /// How often values were right by their evidence.
    pub calibration: Option<Arc<Calibration>>,
}

impl ConnectorSpec {
    /// What is asked with this template and this schema. A calibration that was made for another schema is left out.
    pub fn with(&self, template: Arc<Template>, schema: Arc<Schema>) -> SpecSettings {
        let Self { generation, checks, ceiling, cache, .. } = *self;
        let calibration = self.calibration.clone().filter(|_| self.calibration_misfit(&schema).is_none());
        SpecSettings { template, schema, generation, checks, ceiling, cache, cache_tag: None, calibration }
    }

    /// Why the calibration is none of answers to this schema, if it is not.
    pub fn calibration_misfit(&self, schema: &Schema) -> Option<String> {
        self.calibration.as_ref().and_then(|calibration| calibration::unknown_field(calibration, schema))
    }
}

/// What connectors take from the runtime configuration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RuntimeDefaults {
    /// `cache.ttl`.
    pub cache_ttl: Duration,
    /// Whether there is a store.
    pub has_store: bool,
    /// Names of the providers, each with the variable that it lacks if it was left out; `None` when they are not known.
    pub providers: Option<BTreeMap<String, Option<String>>>,
    /// Why the routing has nobody to ask; a connector must then name its provider.
    pub nobody_to_ask: Option<String>,
}

impl Default for RuntimeDefaults {
    fn default() -> Self {
        Self { cache_ttl: DEFAULT_TTL, has_store: true, providers: None, nobody_to_ask: None }
    }
}

impl From<&RuntimeConfig> for RuntimeDefaults {
    fn from(runtime: &RuntimeConfig) -> Self {
        let usable = runtime.providers.iter().map(|provider| (provider.name.clone(), None));
        let left_out = runtime.left_out.iter().map(|out| (out.provider.clone(), Some(out.variable.clone())));
        let nobody_to_ask = runtime.routing.fallback.is_empty().then(|| {
            let needs = runtime.left_out.iter().map(|out| format!("{} needs {}", out.provider, out.variable));
            format!("no provider of routing.fallback is usable: {}", needs.collect::<Vec<_>>().join(", "))
        });
        Self {
            cache_ttl: runtime.cache.ttl,
            has_store: runtime.store.url != StoreUrl::Off,
            providers: Some(usable.chain(left_out).collect()),
            nobody_to_ask,
        }
    }
}

/// Reads connectors from files and directories (`*.yaml`, `*.yml`).
///
/// # Errors
/// Everything that is wrong in all of them, and with them together, at once.
pub fn load_connectors(paths: &[PathBuf], defaults: &RuntimeDefaults) -> Result<Vec<ConnectorConfig>, Findings> {
    let (files, mut findings) = files(paths);
    if files.is_empty() && findings.is_empty() {
        findings.push(Finding {
            place: paths.first().map_or(Place::Defaults, |path| Place::Path(path.clone())),
            key_path: String::new(),
            message: "there is no connector: no .yaml or .yml file was found".to_owned(),
            help: "write one; connectors/support-triage.yaml is an example".to_owned(),
        });
    }
    let mut read_files = Vec::new();
    for file in files {
        let diagnostics = Diagnostics::new(Some(&file));
        if let Some(node) = read_tree(&diagnostics, &file) {
            read_files.push(read(&diagnostics, &file, &node, defaults));
        }
        findings.extend(diagnostics.into_findings());
    }
    findings.extend(wiring::check_together(read_files.iter().map(|read| &read.wiring)));
    let findings = Findings::new(findings);
    if findings.is_empty() {
        Ok(read_files.into_iter().filter_map(|read| read.config).collect())
    } else {
        Err(findings)
    }
}

/// Reads one connector from its text. `file` names it in findings, and the paths in it are relative to that.
///
/// # Errors
/// Everything that is wrong, at once.
pub fn read_text(file: &Path, text: &str, defaults: &RuntimeDefaults) -> Result<ConnectorConfig, Findings> {
    read_one(file, text, |_| {}, defaults)
}

/// Reads one connector from its text as an evaluation or a replay asks it: with some of its settings changed, and without
/// its calibration and its second provider.
///
/// # Errors
/// Everything that is wrong, at once.
pub fn read_changed(
    file: &Path,
    text: &str,
    changes: &Changes,
    defaults: &RuntimeDefaults,
) -> Result<ConnectorConfig, Findings> {
    read_one(file, text, |node| changes.apply(node), defaults)
}

fn read_one(
    file: &Path,
    text: &str,
    change: impl FnOnce(&mut Node),
    defaults: &RuntimeDefaults,
) -> Result<ConnectorConfig, Findings> {
    let diagnostics = Diagnostics::new(Some(file));
    let node = tree_of(&diagnostics, text).map(|mut node| {
        change(&mut node);
        node
    });
    let read = node.map(|node| read(&diagnostics, file, &node, defaults));
    let mut findings = wiring::check_together(read.iter().map(|read| &read.wiring));
    findings.extend(diagnostics.into_findings());
    let findings = Findings::new(findings);
    // A connector that could not be built has a finding that says why.
    read.and_then(|read| read.config).filter(|_| findings.is_empty()).ok_or(findings)
}

/// The connector files behind paths: [`yaml_files`] without files of tests.
pub(crate) fn files(paths: &[PathBuf]) -> (Vec<PathBuf>, Vec<Finding>) {
    let (mut files, findings) = yaml_files(paths);
    files.retain(|file| !is_test_file(file));
    (files, findings)
}

/// The YAML files behind paths, each once, in order; directories sorted by name and not searched deeper.
pub(crate) fn yaml_files(paths: &[PathBuf]) -> (Vec<PathBuf>, Vec<Finding>) {
    let (mut files, mut findings) = (Vec::new(), Vec::new());
    let mut seen = BTreeSet::new();
    for path in paths {
        let listed = if path.is_dir() { yaml_files_in(path) } else { path.metadata().map(|_| vec![path.clone()]) };
        match listed {
            Ok(listed) => files.extend(listed.into_iter().filter(|file| seen.insert(file.clone()))),
            Err(error) => findings.push(Finding {
                place: Place::Path(path.clone()),
                key_path: String::new(),
                message: format!("cannot be read: {error}"),
                help: "check the path and its permissions".to_owned(),
            }),
        }
    }
    (files, findings)
}

fn yaml_files_in(directory: &Path) -> std::io::Result<Vec<PathBuf>> {
    let entries: Vec<_> = std::fs::read_dir(directory)?.collect::<Result<_, _>>()?;
    let paths = entries.into_iter().map(|entry| entry.path());
    let is_yaml = |path: &PathBuf| path.extension().is_some_and(|end| end == "yaml" || end == "yml") && path.is_file();
    let mut files: Vec<PathBuf> = paths.filter(is_yaml).collect();
    files.sort();
    Ok(files)
}

/// The tree of a connector file, which must not be empty.
pub(crate) fn read_tree(diagnostics: &Diagnostics, file: &Path) -> Option<Node> {
    let whole = Location { origin: Origin::Whole, path: String::new() };
    tree_of(diagnostics, &diagnostics.text(file, &whole)?)
}

fn tree_of(diagnostics: &Diagnostics, text: &str) -> Option<Node> {
    let before = diagnostics.count();
    let node = diagnostics.tree(text);
    if node.is_none() && diagnostics.count() == before {
        let whole = Location { origin: Origin::Whole, path: String::new() };
        diagnostics.note(&whole, values::Problem::new("the file is empty", "write a connector, or remove the file"));
    }
    node
}

/// What was read from one file: its topics for the checks across files, and the connector if nothing was missing.
pub(crate) struct Read {
    pub(crate) wiring: wiring::Wiring,
    pub(crate) config: Option<ConnectorConfig>,
}

/// Reads one connector. Findings go to the diagnostics.
pub(crate) fn read(diagnostics: &Diagnostics, file: &Path, node: &Node, defaults: &RuntimeDefaults) -> Read {
    let base = file.parent().unwrap_or(Path::new(""));
    let mut root = Section::root(diagnostics, node);
    let name = root.require("name", values::name);
    let name_place = diagnostics.place(&root.location_of("name").origin);
    let called = name.as_deref().unwrap_or("unnamed");
    let topics = topics::read(diagnostics, &mut root, called, defaults);
    let prompt = prompt::read(diagnostics, root.section("prompt"), base, defaults.has_store);
    let schema = schema::read(diagnostics, &mut root, called, base, defaults.has_store);
    let options = options::read(diagnostics, root.section("options"), base, defaults, &topics.review);
    if let (Some(calibration), Some(schema)) = (&options.calibration, &schema) {
        calibration::check(diagnostics, calibration, schema);
    }
    check_reviews(diagnostics, &root, schema.as_ref().and_then(Part::known), topics.review.is_some());
    root.finish();
    let wiring = wiring::Wiring::of(diagnostics, name.as_deref().map(|name| (name, name_place)), &topics);
    let build = || {
        let (name, topics, prompt, schema) = (Arc::<str>::from(name?), topics.settings()?, prompt?, schema?);
        let prompt::Prompt { template, parameters } = prompt;
        let (prompt_digest, schema_digest) =
            (prompt::digest_of(&template, &parameters), schema.digest(|schema| *schema.digest()));
        let config_hash = hash::of(&name, &topics, &prompt_digest, &schema_digest, &options);
        let path = file.to_path_buf();
        let spec = options.spec(defaults.cache_ttl);
        let options::Options { provider, strategy, agreement, budget, .. } = options;
        Some(ConnectorConfig {
            name,
            path,
            topics,
            template,
            parameters,
            schema,
            spec,
            provider,
            strategy,
            agreement,
            budget,
            config_hash,
        })
    };
    Read { wiring, config: build() }
}

/// A schema that asks for reviews wants a topic for them: without one doubtful results would go where the others go.
fn check_reviews(diagnostics: &Diagnostics, root: &Section<'_>, schema: Option<&Arc<Schema>>, has_topic: bool) {
    if !has_topic && schema.is_some_and(|schema| annotations::asks_for_review(schema.json())) {
        let message = "the schema asks for results to review (x-on-ungrounded: review), and there is no topic for them";
        let help = "write review: { kafka: { topic: … } }, at the top level of the file";
        diagnostics.note(&root.location_of("schema"), values::Problem::new(message, help));
    }
}

#[cfg(test)]
mod tests;

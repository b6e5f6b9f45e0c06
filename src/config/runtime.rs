//! The runtime configuration: brokers, providers and everything else that connectors share. Each file reads the section
//! of its name.

mod audit;
mod cache;
mod http;
mod kafka;
mod llm;
mod log;
mod providers;
mod request_log;
mod routing;
mod store;
mod traces;

pub(super) use cache::DEFAULT_TTL;
pub(super) use http::PATTERN_POLICIES;
pub(crate) use providers::{Kind, unknown_provider};
pub(crate) use routing::STRATEGIES;

use std::path::Path;

use super::diagnostics::{Diagnostics, Location};
use super::document::{self, Node, Origin};
use super::environment::Environment;
use super::finding::Findings;
use super::section::Section;
use crate::cache::settings::CacheSettings;
use crate::file_watch::current_secret::CurrentSecret;
use crate::http::settings::HttpSettings;
use crate::kafka::settings::KafkaSettings;
use crate::llm::settings::{Cassettes, ProviderSettings};
use crate::pipeline::route::settings::RoutingSettings;
use crate::store::settings::{AuditSettings, RequestLogSettings, StoreSettings, StoreUrl};
use crate::telemetry::settings::LogSettings;
use crate::telemetry::traces::settings::TraceSettings;

/// The runtime configuration as true.
#[derive(Debug, Clone, PartialEq)]
pub struct RuntimeConfig {
    /// The cluster.
    pub kafka: KafkaSettings,
    /// The HTTP listener.
    pub http: HttpSettings,
    /// What outlives the process.
    pub store: StoreSettings,
    /// What is kept of requests over HTTP.
    pub request_log: RequestLogSettings,
    /// Where security events go beside the store.
    pub audit: AuditSettings,
    /// The answer cache.
    pub cache: CacheSettings,
    /// Usable providers, by name.
    pub providers: Vec<ProviderSettings>,
    /// Providers that cannot be used. The process says so once for each.
    pub left_out: Vec<LeftOut>,
    /// Who is asked by connectors that name nobody. Its list is empty when no provider is usable.
    pub routing: RoutingSettings,
    /// Recorded exchanges.
    pub cassettes: Cassettes,
    /// Logs.
    pub log: LogSettings,
    /// Traces, where they are on.
    pub traces: Option<TraceSettings>,
}

impl RuntimeConfig {
    /// The secrets in it, wherever they come from.
    pub fn secrets(&self) -> impl Iterator<Item = &CurrentSecret> {
        let store = match &self.store.url {
            StoreUrl::Durable(location) => location.secret(),
            StoreUrl::Off | StoreUrl::Memory => None,
        };
        let of_providers = self.providers.iter().flat_map(ProviderSettings::api_keys);
        let single = [self.http.admin_key.as_ref(), self.cache.redis_url.as_ref(), store];
        single.into_iter().flatten().chain(self.kafka.secrets.values()).chain(of_providers)
    }
}

/// A provider without its key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LeftOut {
    /// The provider's name.
    pub provider: String,
    /// The environment variable that should hold its key.
    pub variable: String,
}

/// Reads the runtime configuration: defaults, over them the file, over that the environment.
///
/// # Errors
/// Everything that is wrong, at once.
pub fn load(file: Option<&Path>, environment: &Environment) -> Result<RuntimeConfig, Findings> {
    let diagnostics = Diagnostics::new(file);
    let mut root = file.map_or_else(Node::empty, |file| read_file(&diagnostics, file));
    for finding in document::overlay(&mut root, environment) {
        diagnostics.add(finding);
    }
    let written = read(&diagnostics, &root, base(file));
    let Written { kafka, http, store, request_log, audit, cache, cassettes, providers, routing, log } = written;
    let is_replay = matches!(cassettes, Cassettes::Replay(_));
    let (providers, left_out) = providers::resolve(&diagnostics, providers, environment, is_replay);
    let routing = routing::usable(routing, &providers);
    let traces = traces::read(&diagnostics, environment);
    let findings = Findings::new(diagnostics.into_findings());
    if !findings.is_empty() {
        return Err(findings);
    }
    Ok(RuntimeConfig {
        kafka,
        http,
        store,
        request_log,
        audit,
        cache,
        providers,
        left_out,
        routing,
        cassettes,
        log,
        traces,
    })
}

/// What a file by itself leads to.
#[derive(Debug, Default)]
pub(crate) struct Checked {
    /// Whether it has a store.
    pub(crate) has_store: bool,
    /// Its providers.
    pub(crate) providers: Vec<CheckedProvider>,
    /// Those that the routing names.
    pub(crate) fallback: Vec<String>,
    /// librdkafka's options.
    pub(crate) client: std::collections::BTreeMap<String, String>,
}

/// A provider of a file.
#[derive(Debug)]
pub(crate) struct CheckedProvider {
    pub(crate) name: String,
    pub(crate) kind: Option<Kind>,
    /// Whether its key is there, or it needs none.
    pub(crate) has_key: bool,
}

impl Checked {
    /// Adds what another file leads to.
    pub(crate) fn extend(&mut self, more: Self) {
        let Self { has_store, providers, fallback, client } = more;
        self.has_store |= has_store;
        self.providers.extend(providers);
        self.fallback.extend(fallback);
        self.client.extend(client);
    }
}

/// Checks what a file comes to with the environment over it; no provider needs its key. Without a file the environment
/// alone.
pub(crate) fn check(
    diagnostics: &Diagnostics,
    file: Option<&Path>,
    mut root: Node,
    environment: &Environment,
) -> Checked {
    for finding in document::overlay(&mut root, environment) {
        diagnostics.add(finding);
    }
    providers::check_proxies(diagnostics, environment);
    let Written { kafka, store, providers, routing, .. } = read(diagnostics, &root, base(file));
    let providers = providers.into_iter().map(|provider| CheckedProvider {
        has_key: provider.has_key(environment),
        name: provider.name,
        kind: provider.kind,
    });
    Checked {
        has_store: store.url != StoreUrl::Off,
        providers: providers.collect(),
        fallback: routing.fallback,
        client: kafka.client,
    }
}

/// Everything but the secrets.
struct Written {
    kafka: KafkaSettings,
    http: HttpSettings,
    store: StoreSettings,
    request_log: RequestLogSettings,
    audit: AuditSettings,
    cache: CacheSettings,
    cassettes: Cassettes,
    providers: Vec<providers::Written>,
    routing: RoutingSettings,
    log: LogSettings,
}

fn base(file: Option<&Path>) -> &Path {
    file.and_then(Path::parent).unwrap_or(Path::new(""))
}

fn read_file(diagnostics: &Diagnostics, file: &Path) -> Node {
    let whole = Location { origin: Origin::Whole, path: String::new() };
    // A file in which everything is commented out has no node; that is no mistake here.
    diagnostics.text(file, &whole).and_then(|text| diagnostics.tree(&text)).unwrap_or_else(Node::empty)
}

fn read(diagnostics: &Diagnostics, node: &Node, base: &Path) -> Written {
    let mut root = Section::root(diagnostics, node);
    let kafka = kafka::read(diagnostics, root.section("kafka"), base);
    let http = http::read(diagnostics, root.section("http"), base);
    let store = store::read(diagnostics, root.section("store"), base);
    let request_log = request_log::read(root.section("request_log"));
    let audit = audit::read(diagnostics, root.section("audit"), base);
    let cache = cache::read(diagnostics, root.section("cache"), base);
    let providers = providers::read(diagnostics, &mut root, base);
    let routing = routing::read(diagnostics, root.section("routing"), &providers);
    let cassettes = llm::read(diagnostics, root.section("llm"), base);
    let log = log::read(root.section("log"));
    root.finish();
    Written { kafka, http, store, request_log, audit, cache, cassettes, providers, routing, log }
}

#[cfg(test)]
mod tests;

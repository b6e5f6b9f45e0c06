//! The providers, and which of them a connector asks.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use futures_util::future::join_all;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use super::errors::AppError;
use super::lifecycle::Service;
use super::shared::Shared;
use crate::config::connector::{ConnectorAgreement, ConnectorConfig};
use crate::config::runtime::RuntimeConfig;
use crate::domain::answer::Usage;
use crate::domain::secret::Secret;
use crate::http::v1::provider_list::KnownProvider;
use crate::http::v1::specs::AskedProviders;
use crate::llm::settings::{ProviderKind, ProviderSettings};
use crate::llm::{self, BuildError};
use crate::open_files::OpenFiles;
use crate::pipeline::route::connections::Connections;
use crate::pipeline::route::provider::{Provider, Signal};
use crate::pipeline::route::settings::RoutingSettings;

/// All providers of the configuration that have a key.
pub(super) struct Providers {
    by_name: HashMap<String, Arc<Provider>>,
    /// One that needs no key.
    offline: Option<String>,
    /// Wakes whoever waits for a provider when one can be asked again.
    pub(super) signal: Signal,
}

impl Providers {
    /// Builds them. `files` limits how many connections they may have together.
    pub(super) fn build(shared: &Shared, connectors: &[ConnectorConfig], files: OpenFiles) -> Result<Self, BuildError> {
        let Shared { runtime, metrics, .. } = shared;
        let signal = Signal::default();
        let connections = files.calls().map(Connections::at_most);
        let is_routed_to = |settings: &&ProviderSettings| is_routed_to(&settings.name, runtime, connectors);
        let is_remote = |settings: &&ProviderSettings| matches!(settings.kind, ProviderKind::Remote(_));
        let routed_to = runtime.providers.iter().filter(is_remote).filter(is_routed_to).count();
        for left_out in &runtime.left_out {
            let (provider, variable) = (&left_out.provider, &left_out.variable);
            tracing::info!(provider, variable, "provider left out: its key is not set");
        }
        let built = runtime.providers.iter().map(|settings| {
            let ProviderSettings { name, ceilings, max_retries, kind } = settings;
            let idle =
                if is_routed_to(&settings) { files.idle_connections(routed_to) } else { files.few_idle_connections() };
            let model = llm::build(settings, &runtime.cassettes, idle)?;
            let provider = Provider::new(model, *ceilings, *max_retries, metrics.provider(name), signal.clone());
            let provider = match (&connections, kind) {
                (Some(connections), ProviderKind::Remote(_)) => provider.over(connections.clone()),
                (_, ProviderKind::Offline) | (None, _) => provider,
            };
            Ok((name.clone(), Arc::new(provider)))
        });
        let by_name = built.collect::<Result<_, BuildError>>()?;
        let is_offline = |settings: &&ProviderSettings| matches!(settings.kind, ProviderKind::Offline);
        let offline = runtime.providers.iter().find(is_offline).map(|settings| settings.name.clone());
        Ok(Self { by_name, offline, signal })
    }

    /// Lets a provider that has refused a key be asked as soon as the key is replaced. Nothing to do where no key can be.
    pub(super) fn follow_keys(&self, shared: &Shared) -> Option<Service> {
        let keys = shared.runtime.providers.iter().flat_map(|settings| {
            let provider = self.by_name.get(&settings.name);
            let replaceable = settings.api_keys().iter().filter(|key| key.file().is_some());
            replaceable.filter_map(move |key| Some(follow(Arc::clone(provider?), key.subscribe())))
        });
        let followed: Vec<_> = keys.collect();
        if followed.is_empty() {
            return None;
        }
        let stop = CancellationToken::new();
        let stopped = stop.clone();
        let work = async move { drop(stopped.run_until_cancelled(join_all(followed)).await) };
        Some(Service::new("provider keys", shared.tasks.service(work), stop, Ok))
    }

    /// All of them, as the API shows them.
    pub(super) fn known(&self, runtime: &RuntimeConfig) -> Vec<KnownProvider> {
        let known = |settings: &ProviderSettings| {
            let provider = Arc::clone(self.by_name.get(&settings.name)?);
            Some(KnownProvider { kind: settings.kind.as_str(), provider })
        };
        runtime.providers.iter().filter_map(known).collect()
    }

    /// The providers that requests over HTTP ask: any by name, otherwise those of the routing. Where none of these has
    /// its key, the offline extractor stands in.
    pub(super) fn asked_by_clients(&self, routing: &RoutingSettings) -> Result<AskedProviders, AppError> {
        let by_name: BTreeMap<_, _> =
            self.by_name.values().map(|one| (Arc::clone(one.name()), Arc::clone(one))).collect();
        let mut fallback: Vec<_> = routing.fallback.iter().filter_map(|name| self.by_name.get(name).cloned()).collect();
        if fallback.is_empty() {
            fallback.extend(self.offline.as_ref().and_then(|name| self.by_name.get(name)).cloned());
        }
        if fallback.is_empty() {
            return Err(AppError::NobodyToAsk);
        }
        Ok(AskedProviders { by_name, fallback, strategy: routing.strategy, signal: self.signal.clone() })
    }

    /// The providers that the connector asks, in the order of its configuration.
    pub(super) fn asked_by(
        &self,
        connector: &ConnectorConfig,
        runtime: &RuntimeConfig,
    ) -> Result<Vec<Arc<Provider>>, AppError> {
        let names = names_asked_by(connector, runtime).iter();
        let asked: Vec<_> = names.filter_map(|name| self.by_name.get(name).cloned()).collect();
        if asked.is_empty() {
            let provider = connector.provider.clone().unwrap_or_default();
            return Err(AppError::NoSuchProvider { path: connector.path.clone(), key: "options.provider", provider });
        }
        check_budget(connector, &asked)?;
        Ok(asked)
    }

    /// The provider that is asked about some of the connector's answers, if one is.
    pub(super) fn second_of(&self, connector: &ConnectorConfig) -> Result<Option<Arc<Provider>>, AppError> {
        let Some(ConnectorAgreement { provider, .. }) = &connector.agreement else { return Ok(None) };
        let second = self.by_name.get(provider).cloned().ok_or_else(|| AppError::NoSuchProvider {
            path: connector.path.clone(),
            key: "options.agreement.provider",
            provider: provider.clone(),
        })?;
        check_budget(connector, std::slice::from_ref(&second))?;
        Ok(Some(second))
    }
}

/// Tells a provider of each replacement of one of its keys.
async fn follow(provider: Arc<Provider>, mut key: watch::Receiver<Secret>) {
    while key.changed().await.is_ok() {
        provider.has_new_key();
    }
}

/// Whether a provider is asked without a request that names it.
fn is_routed_to(name: &String, runtime: &RuntimeConfig, connectors: &[ConnectorConfig]) -> bool {
    let is_second = |connector: &ConnectorConfig| connector.agreement.as_ref().is_some_and(|one| one.provider == *name);
    runtime.routing.fallback.contains(name)
        || connectors.iter().any(|connector| names_asked_by(connector, runtime).contains(name) || is_second(connector))
}

/// The one provider that the connector names, or those of the routing.
fn names_asked_by<'a>(connector: &'a ConnectorConfig, runtime: &'a RuntimeConfig) -> &'a [String] {
    connector.provider.as_ref().map_or(runtime.routing.fallback.as_slice(), std::slice::from_ref)
}

/// True unless all that the connector asks cost nothing and answer the same when they are asked again.
pub(super) fn asks_a_model(connector: &ConnectorConfig, runtime: &RuntimeConfig) -> bool {
    let second = connector.agreement.as_ref().map(|agreement| &agreement.provider);
    let names: Vec<&String> = names_asked_by(connector, runtime).iter().chain(second).collect();
    let mut asked = runtime.providers.iter().filter(|settings| names.contains(&&settings.name));
    asked.any(|settings| !matches!(settings.kind, ProviderKind::Offline))
}

/// A budget that cannot pay one answer of any of these would make a dead letter of every record, or never let a second
/// provider be asked.
fn check_budget(connector: &ConnectorConfig, asked: &[Arc<Provider>]) -> Result<(), AppError> {
    let Some(budget) = connector.budget else { return Ok(()) };
    let price = |provider: &Arc<Provider>| {
        let output = connector.spec.generation.max_tokens.unwrap_or_else(|| provider.model().max_tokens());
        let usage = Usage { output_tokens: output.into(), ..Usage::default() };
        (provider.model().cost_usd(usage), Arc::clone(provider.name()))
    };
    match asked.iter().map(price).min_by(|(a, _), (b, _)| a.total_cmp(b)) {
        Some((need, provider)) if need > budget.usd => {
            Err(AppError::BudgetTooSmall { path: connector.path.clone(), provider, need })
        }
        _ => Ok(()),
    }
}

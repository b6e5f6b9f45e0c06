//! The composition root: settings → parts → a running [`App`]. The one place that names every part.

use std::collections::{BTreeMap, HashMap};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use futures_util::StreamExt as _;
use futures_util::stream::FuturesUnordered;
use tokio::runtime::Handle;
use tokio::sync::watch;
use tokio::task::JoinHandle;

use crate::cache::memory::MemoryAnswers;
use crate::config::connector::ConnectorConfig;
use crate::config::runtime::RuntimeConfig;
use crate::delivery::outcome::Observer;
use crate::delivery::remembered::RememberedOutcomes;
use crate::domain::answer::Usage;
use crate::domain::health::{Component, Status};
use crate::http::{router, server};
use crate::kafka::connector::{Connector, Parts, StartError};
use crate::kafka::handler::RecordHandler;
use crate::kafka::status::ConnectorStatus;
use crate::llm::settings::{ProviderKind, ProviderSettings};
use crate::llm::{self, BuildError};
use crate::open_files::{OpenFiles, OpenFilesHealth};
use crate::pipeline::recall::Recall;
use crate::pipeline::route::connections::Connections;
use crate::pipeline::route::provider::{Provider, Signal};
use crate::pipeline::route::router::Router;
use crate::pipeline::route::settings::RouterSettings;
use crate::pipeline::route::waiting::asked_again;
use crate::pipeline::run::Pipeline;
use crate::ports::answers::Answers;
use crate::ports::clock::{Clock, SystemClock};
use crate::ports::health::Health;
use crate::ports::journal::{Journal, MemoryJournal};
use crate::store::journal::{self, SharedJournal};
use crate::store::settings::{StoreSettings, StoreUrl};
use crate::tasks::Tasks;
use crate::telemetry::metrics::Metrics;

/// Why the process could not start. Each is a wrong configuration: waiting does not help.
#[derive(Debug, thiserror::Error)]
pub enum AppError {
    /// A provider cannot be built.
    #[error(transparent)]
    Provider(#[from] BuildError),
    /// A connector names a provider that is not usable here.
    #[error("{}: options.provider: provider `{provider}` is not usable; set its key, or name another", .path.display())]
    NoSuchProvider {
        /// The connector's file.
        path: PathBuf,
        /// The name that it gives.
        provider: String,
    },
    /// No provider of a connector can answer once for the connector's whole budget.
    #[error("{}: options.budget.usd: an answer may cost {need} USD, more than the budget; raise it, or lower max_tokens", .path.display())]
    BudgetTooSmall {
        /// The connector's file.
        path: PathBuf,
        /// The least that an answer of full length costs, in US dollars.
        need: f64,
    },
    /// A connector cannot start.
    #[error(transparent)]
    Connector(#[from] StartError),
    /// The HTTP address cannot be bound.
    #[error("http.listen: {address} cannot be bound: {source}; choose another address or stop what uses it")]
    Listen {
        /// The address as configured.
        address: SocketAddr,
        /// The system's words.
        source: std::io::Error,
    },
}

/// The running process.
pub struct App {
    connectors: Vec<Connector>,
    routers: Vec<Arc<Router>>,
    health: Arc<dyn Health>,
    tasks: Tasks,
    http: JoinHandle<std::io::Result<()>>,
    http_address: SocketAddr,
    metrics: Arc<Metrics>,
    stop_http: watch::Sender<bool>,
}

impl App {
    /// Builds every part and starts them. What is missing outside (brokers, topics, providers) is waited for afterwards.
    ///
    /// # Errors
    /// [`AppError`]: a configuration that cannot work.
    pub async fn start(
        runtime: RuntimeConfig,
        mut connectors: Vec<ConnectorConfig>,
        observer: Option<Arc<dyn Observer>>,
    ) -> Result<Self, AppError> {
        let clock: Arc<dyn Clock> = Arc::new(SystemClock);
        let metrics = Arc::new(Metrics::default());
        let tasks = Tasks::new(Handle::current());
        let answers = Arc::new(MemoryAnswers::new(runtime.cache.memory_bytes, Arc::clone(&clock)));
        let recall = Arc::new(Recall::new(Arc::clone(&answers) as Arc<dyn Answers>));
        let means = journal::Parts { clock: Arc::clone(&clock), tasks: tasks.clone(), metrics: metrics.journal() };
        let mut health: Vec<Arc<dyn Health>> = vec![Arc::clone(&answers) as Arc<dyn Health>];
        let journal = open_store(&runtime.store, means, &mut health);
        let signal = Signal::default();
        let files = plan_files(&runtime, &mut connectors, &mut health);
        let providers = providers(&runtime, &metrics, &signal, files)?;

        let mut parts = Vec::with_capacity(connectors.len());
        let mut routers = Vec::with_capacity(connectors.len());
        // A provider that nobody asks is neither up nor down.
        let mut asked = BTreeMap::new();
        for connector in connectors {
            let members = members(&providers, &runtime, &connector)?;
            asked.extend(members.iter().map(|member| (Arc::clone(member.name()), Arc::clone(member))));
            let settings = RouterSettings {
                strategy: connector.pipeline.strategy.unwrap_or(runtime.routing.strategy),
                budget: connector.pipeline.budget,
                reference: runtime.routing.reference,
            };
            let of_router = metrics.router(&connector.name);
            let config_hash = Arc::clone(&connector.pipeline.config_hash);
            let is_paid = members.iter().any(|member| is_model(&runtime, member.name()));
            let router = Arc::new(Router::new(members, settings, Arc::clone(&clock), signal.clone(), of_router));
            let pipeline = Pipeline::new(connector.pipeline, Arc::clone(&router), Arc::clone(&recall));
            routers.push(router);
            let remembered = journal.as_ref().map(|journal| {
                let window = connector.route.deduplicate;
                RememberedOutcomes::new(Arc::clone(journal), Arc::clone(&connector.name), config_hash, is_paid, window)
            });
            let handler = RecordHandler::new(pipeline, connector.route.format, Arc::clone(&clock), remembered);
            parts.push(Parts {
                kafka: runtime.kafka.clone(),
                route: connector.route,
                handler: Arc::new(handler),
                tasks: tasks.clone(),
                metrics: metrics.connector(&connector.name),
                status: Arc::new(ConnectorStatus::new(Arc::clone(&connector.name))),
                observer: observer.clone(),
                name: connector.name,
            });
        }

        health.push(Arc::new(ProviderHealth(asked.into_values().collect())));
        health.extend(parts.iter().map(|parts| Arc::clone(&parts.status) as Arc<dyn Health>));
        // Bound before anything consumes: a taken address must not cost a rebalance.
        let address = runtime.http.listen;
        let listen = |source| AppError::Listen { address, source };
        let listener = server::bind(address).await.map_err(listen)?;
        let http_address = listener.local_addr().map_err(listen)?;
        let connectors = parts.into_iter().map(Connector::start).collect::<Result<Vec<_>, _>>()?;
        let health: Arc<dyn Health> = Arc::new(AllHealth(health));
        let of_http = Arc::clone(&health);
        let context = router::Context { health: of_http, metrics: Arc::clone(&metrics), started_at: Instant::now() };
        let (stop_http, stopped) = watch::channel(false);
        let http = tasks.server(server::serve(listener, router::router(context), stopped));
        tracing::info!(http = %http_address, connectors = connectors.len(), journal = journal.is_some(), "started");
        Ok(Self { connectors, routers, health, tasks, http, http_address, metrics, stop_http })
    }

    /// Where HTTP listens.
    pub fn http_address(&self) -> SocketAddr {
        self.http_address
    }

    /// Who is asked by each connector, in the order in which the connectors were given.
    pub fn routers(&self) -> &[Arc<Router>] {
        &self.routers
    }

    /// How every part is doing, as `GET /v1/health` shows it.
    pub fn components(&self) -> Vec<Component> {
        self.health.components()
    }

    /// All metrics, as `GET /v1/metrics` shows them.
    ///
    /// # Errors
    /// Never in practice: the text is written to memory.
    pub fn metrics(&self) -> Result<String, std::fmt::Error> {
        self.metrics.encode()
    }

    /// Returns when a part that should run for ever has ended, with what it was.
    pub async fn failed(&mut self) -> String {
        let mut connectors: FuturesUnordered<_> = self.connectors.iter_mut().map(Connector::failed).collect();
        tokio::select! {
            Some(why) = connectors.next() => why,
            http = &mut self.http => match http {
                Ok(Ok(())) => "the HTTP server ended".to_owned(),
                Ok(Err(error)) => format!("the HTTP server failed: {error}"),
                Err(panic) => format!("the HTTP server failed: {panic}"),
            },
        }
    }

    /// Stops: takes nothing in, lets what is under way finish for at most `grace`, commits, leaves the groups. HTTP answers
    /// until the end. True if everything stopped by itself in time.
    pub async fn drain(self, grace: Duration) -> bool {
        /// Committing and leaving the group come after the grace of the records.
        const LEAVE: Duration = Duration::from_secs(8);
        const REPORT_EVERY: Duration = Duration::from_secs(5);
        let grace_ends_at = Instant::now() + grace;
        let deadline = grace_ends_at + LEAVE;
        for connector in &self.connectors {
            connector.stop(grace);
        }
        let mut report_at = Instant::now() + REPORT_EVERY;
        loop {
            let running: Vec<String> =
                self.connectors.iter().filter(|c| !c.is_stopped()).map(|c| c.status().name().to_owned()).collect();
            let now = Instant::now();
            // Calls of a session that was over before may still be finished.
            let is_asking = now < grace_ends_at && self.tasks.has_records();
            if (running.is_empty() && !is_asking) || now >= deadline {
                self.stop_http.send_replace(true);
                return running.is_empty();
            }
            if now >= report_at {
                tracing::info!(waiting_for = ?running, "still draining");
                report_at = now + REPORT_EVERY;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }
}

/// The journal, if there is one. Its store says among `health` how it is doing.
fn open_store(
    settings: &StoreSettings,
    parts: journal::Parts,
    health: &mut Vec<Arc<dyn Health>>,
) -> Option<Arc<dyn Journal>> {
    match &settings.url {
        StoreUrl::Off => None,
        StoreUrl::Memory => Some(Arc::new(MemoryJournal::default())),
        StoreUrl::Durable(location) => {
            let journal = Arc::new(SharedJournal::open(location, settings.retention, parts));
            health.push(Arc::clone(&journal) as Arc<dyn Health>);
            Some(journal)
        }
    }
}

fn providers(
    runtime: &RuntimeConfig,
    metrics: &Metrics,
    signal: &Signal,
    files: OpenFiles,
) -> Result<HashMap<String, Arc<Provider>>, BuildError> {
    let connections = files.calls().map(Connections::at_most);
    let idle = files.idle_connections(runtime.providers.len());
    for left_out in &runtime.left_out {
        let (provider, variable) = (&left_out.provider, &left_out.variable);
        tracing::info!(provider, variable, "provider left out: its key is not set");
    }
    let built = runtime.providers.iter().map(|settings| {
        let ProviderSettings { name, ceilings, max_retries, kind } = settings;
        let model = llm::build(settings, &runtime.cassettes, idle)?;
        let provider = Provider::new(model, *ceilings, *max_retries, metrics.provider(name), signal.clone());
        let provider = match (&connections, kind) {
            (Some(connections), ProviderKind::Remote(_)) => provider.over(connections.clone()),
            (_, ProviderKind::Offline) | (None, _) => provider,
        };
        Ok((name.clone(), Arc::new(provider)))
    });
    built.collect()
}

/// Raises the limit of open files, and lets no connector ask more at once than what it leaves: more records would only wait for a
/// connection, and a process that stops would wait for them.
fn plan_files(
    runtime: &RuntimeConfig,
    connectors: &mut [ConnectorConfig],
    health: &mut Vec<Arc<dyn Health>>,
) -> OpenFiles {
    let files = OpenFiles::raise(connectors.len());
    let mut largest = 0;
    for connector in connectors {
        if asked_names(runtime, connector).iter().any(|name| is_model(runtime, name)) {
            let max_in_flight = &mut connector.route.max_in_flight;
            largest = largest.max(*max_in_flight);
            *max_in_flight = files.calls().map_or(*max_in_flight, |calls| calls.min(*max_in_flight));
        }
    }
    health.push(Arc::new(OpenFilesHealth::new(files, largest)));
    files
}

/// The one provider that the connector names, or those of the routing.
fn asked_names<'a>(runtime: &'a RuntimeConfig, connector: &'a ConnectorConfig) -> &'a [String] {
    connector.pipeline.provider.as_ref().map_or(runtime.routing.fallback.as_slice(), std::slice::from_ref)
}

/// The providers that the connector asks.
fn members(
    providers: &HashMap<String, Arc<Provider>>,
    runtime: &RuntimeConfig,
    connector: &ConnectorConfig,
) -> Result<Vec<Arc<Provider>>, AppError> {
    let members: Vec<_> =
        asked_names(runtime, connector).iter().filter_map(|name| providers.get(name).cloned()).collect();
    if members.is_empty() {
        let provider = connector.pipeline.provider.clone().unwrap_or_default();
        return Err(AppError::NoSuchProvider { path: connector.path.clone(), provider });
    }
    check_budget(connector, &members)?;
    Ok(members)
}

/// A budget that cannot pay one answer would make a dead letter of every record.
fn check_budget(connector: &ConnectorConfig, members: &[Arc<Provider>]) -> Result<(), AppError> {
    let Some(budget) = connector.pipeline.budget else { return Ok(()) };
    let price = |member: &Arc<Provider>| {
        let output = connector.pipeline.max_tokens.unwrap_or_else(|| member.model().max_tokens());
        member.model().cost_usd(Usage { output_tokens: output.into(), ..Usage::default() })
    };
    let least = members.iter().map(price).min_by(f64::total_cmp).filter(|need| *need > budget.usd);
    least.map_or(Ok(()), |need| Err(AppError::BudgetTooSmall { path: connector.path.clone(), need }))
}

/// True unless asking this provider again costs nothing and answers the same.
fn is_model(runtime: &RuntimeConfig, provider: &str) -> bool {
    let mut settings = runtime.providers.iter().filter(|settings| settings.name == provider);
    settings.any(|settings| !matches!(settings.kind, ProviderKind::Offline))
}

struct ProviderHealth(Vec<Arc<Provider>>);

impl Health for ProviderHealth {
    fn components(&self) -> Vec<Component> {
        self.0.iter().map(|provider| component(provider)).collect()
    }
}

fn component(provider: &Provider) -> Component {
    let summary = provider.summary();
    let open = provider.open().map(|open| format!("{}; {}", open.failure, asked_again(open.until)));
    let trouble =
        open.or_else(|| provider.disabled().map(|why| format!("asked only when no other can be: {}", why.reason())));
    let waiting = provider.waiting();
    // Being busy is no fault.
    let status = if trouble.is_some() { Status::Degraded } else { Status::Up };
    let busy = (waiting > 0)
        .then(|| format!("{waiting} questions wait for a ceiling (calls at once, or requests or tokens a minute)"));
    #[allow(clippy::cast_possible_truncation, reason = "0 to 100")]
    let error_percent = (summary.error_ratio * 100.0).round() as i64;
    Component {
        kind: "provider",
        name: provider.name().to_string(),
        status,
        latency: summary.p95,
        detail: trouble.or(busy),
        facts: vec![
            ("in_flight", provider.in_flight().into()),
            ("waiting", waiting.into()),
            ("calls_5m", summary.calls.into()),
            ("error_percent_5m", error_percent),
        ],
        is_ready: true,
        is_alive: true,
    }
}

struct AllHealth(Vec<Arc<dyn Health>>);

impl Health for AllHealth {
    fn components(&self) -> Vec<Component> {
        self.0.iter().flat_map(|part| part.components()).collect()
    }
}

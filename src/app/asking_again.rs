//! Dead letters whose records are asked again in this process, otherwise than their connector asks.

use std::sync::Arc;
use std::time::Duration;

use futures_util::{StreamExt as _, stream};
use tokio::runtime::Handle;

use super::connectors::Builder;
use super::errors::AppError;
use super::lifecycle::Running;
use super::providers::Providers;
use super::shared::Shared;
use super::storage::Storage;
use crate::codec::dead_letter::{DeadLetter, LeftAlone};
use crate::config::connector::ConnectorConfig;
use crate::config::runtime::RuntimeConfig;
use crate::domain::failure::Failure;
use crate::domain::record::{Outgoing, Record};
use crate::kafka::dead_letters::destinations::{Chosen, Resend};
use crate::kafka::handler::{RecordHandler, RecordStep};
use crate::kafka::member::Member;
use crate::kafka::settings::{Tombstones, TopicSettings};
use crate::open_files::OpenFiles;
use crate::pipeline::engine::Engine;

/// Asks about the records of letters, and publishes their outcomes as the connector would.
pub struct AskingAgain {
    handler: Arc<RecordHandler>,
    topics: TopicSettings,
    running: Running,
    runtime: Handle,
}

impl AskingAgain {
    /// Asks what this connector asks. Answers that cost a call are remembered in the store before they are published, so
    /// that a command that was killed pays for none twice.
    ///
    /// # Errors
    /// [`AppError`]: a configuration that cannot work.
    pub async fn start(runtime: RuntimeConfig, mut connector: ConnectorConfig) -> Result<Self, AppError> {
        // Whoever names letters wants all of them asked: nothing of the connector chooses among them.
        connector.topics.reading.filter = None;
        connector.topics.reading.tombstones = Tombstones::DeadLetter;
        let shared = Shared::new(runtime);
        let storage = Storage::open(&shared).await?;
        let topics = connector.topics.clone();
        let configs = [connector];
        let providers = Providers::build(&shared, &configs, OpenFiles::raise(0, 0))?;
        let engine = Arc::new(Engine::new(storage.cache.recall(), shared.tasks.clone()));
        let builder = Builder { shared: &shared, engine: &engine, providers: &providers, storage: &storage };
        let [connector] = configs;
        let handler = builder.handler(connector).await?;
        let running = Running::new(Vec::<Member>::new(), storage.services, shared.tasks);
        let running = running.with_intake(storage.audit_counts);
        Ok(Self { handler, topics, running, runtime: Handle::current() })
    }

    /// Ends what runs beside it.
    pub async fn finish(self) {
        self.running.drain(Duration::ZERO).await;
    }

    /// What becomes of a letter's record, and the topic for that.
    async fn outcome(&self, letter: DeadLetter) -> (Arc<str>, Outgoing) {
        // Marked as one that is sent again, so that it is counted if it fails.
        let headers = letter.replayed().headers;
        let record = Arc::new(Record { headers, ..letter.source });
        let settled = match self.handler.begin(&record).step {
            RecordStep::Settled(settled) => settled,
            RecordStep::Ask(job) => self.handler.finish(*job).await,
            // It takes everything: see `start`.
            RecordStep::Skip(_) => self.handler.dead_letter(&record, &Failure::defect()),
        };
        (Arc::clone(self.topics.output(&settled)), settled.outgoing)
    }
}

impl Resend for AskingAgain {
    fn topic(&self, _letter: &DeadLetter) -> Result<Arc<str>, LeftAlone> {
        Ok(Arc::clone(&self.topics.sink_topic))
    }

    fn most(&self) -> usize {
        self.topics.max_in_flight
    }

    fn publish(&mut self, letters: Vec<Chosen>) -> Vec<(Arc<str>, Outgoing)> {
        let outcomes = letters.into_iter().map(|Chosen { letter, .. }| Box::pin(self.outcome(letter)));
        self.runtime.block_on(stream::iter(outcomes).buffered(self.topics.max_in_flight).collect())
    }
}

//! Security events: where they go.

use std::sync::Arc;

use tokio_util::sync::CancellationToken;

use super::errors::AppError;
use super::lifecycle::Service;
use super::shared::Shared;
use crate::kafka::audit_topic::AuditTopic;
use crate::kafka::settings::KafkaSettings;
use crate::ports::audit::{AuditLog, AuditLogs, AuditSink};
use crate::store::audit::file::AuditFile;
use crate::store::audit::flood::FloodGuard;
use crate::store::audit::stream::AuditStream;
use crate::store::row_writer;
use crate::store::settings::AuditSettings;

/// The places beside the database that the user names.
///
/// # Errors
/// [`AppError::Audit`] when one of them cannot be written to.
pub fn sinks(settings: &AuditSettings, kafka: &KafkaSettings) -> Result<Vec<Arc<dyn AuditSink>>, AppError> {
    let AuditSettings { file, topic, .. } = settings;
    let mut sinks: Vec<Arc<dyn AuditSink>> = Vec::new();
    if let Some(path) = file {
        let refused = |error| AppError::Audit(format!("audit.file: {} cannot be opened: {error}", path.display()));
        sinks.push(Arc::new(AuditFile::open(path).map_err(refused)?));
    }
    if let Some(topic) = topic {
        let refused = |error| AppError::Audit(format!("audit.kafka: {error}; look at kafka.client"));
        sinks.push(Arc::new(AuditTopic::new(kafka, Arc::clone(topic)).map_err(refused)?));
    }
    Ok(sinks)
}

/// What takes events down: in the table, if there is one, and in each sink.
pub(super) struct Audit {
    pub(super) log: Arc<dyn AuditLog>,
    /// Stops before the others: what it has counted still has to be written.
    pub(super) counts: Service,
    /// The tasks behind the sinks.
    pub(super) streams: Vec<Service>,
}

impl Audit {
    /// Opens the sinks.
    pub(super) fn open(shared: &Shared, table: Option<Arc<dyn AuditLog>>) -> Result<Self, AppError> {
        let Shared { runtime, clock, metrics, tasks, tracer: _ } = shared;
        let (mut logs, mut streams) = (Vec::from_iter(table), Vec::new());
        for sink in sinks(&runtime.audit, &runtime.kafka)? {
            let (stop, title) = (CancellationToken::new(), sink.title());
            let deps = row_writer::Dependencies {
                clock: Arc::clone(clock),
                tasks: tasks.clone(),
                metrics: metrics.table(sink.label()),
                stop: stop.clone(),
            };
            let (stream, task) = AuditStream::open(sink, deps);
            logs.push(Arc::new(stream));
            streams.push(Service::new(title, task, stop, Ok));
        }
        let guard = Arc::new(FloodGuard::new(Arc::new(AuditLogs(logs)), metrics.audit()));
        let stop = CancellationToken::new();
        let watch = Arc::clone(&guard).watch(Arc::clone(clock), stop.clone());
        let counts = Service::new("audit counts", tasks.service(watch), stop, Ok);
        Ok(Self { log: guard, counts, streams })
    }
}

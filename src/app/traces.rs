//! The export of traces, where the user wants them.

use std::sync::Arc;

use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use super::errors::AppError;
use super::lifecycle::Service;
use super::shared::Shared;
use crate::telemetry::traces::export::Exporter;
use crate::telemetry::traces::settings::TraceSettings;
use crate::telemetry::traces::tracer::Tracer;

/// What tells the processes of a service apart.
const INSTANCE: &str = "service.instance.id";

/// Begins to export; from then on the other parts record. `None` where traces are off.
///
/// # Errors
/// [`AppError::Traces`]: a variable that cannot be followed.
pub(super) fn open(shared: &mut Shared) -> Result<Option<Service>, AppError> {
    let Some(mut settings) = shared.runtime.traces.clone() else { return Ok(None) };
    if !settings.resource.iter().any(|(name, _)| name == INSTANCE) {
        settings.resource.push((INSTANCE.to_owned(), Uuid::now_v7().to_string()));
    }
    let TraceSettings { sampler, has_texts, .. } = settings;
    tracing::info!(endpoint = settings.collector(), ratio = sampler.ratio, has_texts, "traces are exported");
    let (exporter, worker) = Exporter::open(settings, shared.metrics.traces()).map_err(AppError::Traces)?;
    shared.tracer = Some(Arc::new(Tracer::new(sampler, has_texts, Arc::clone(&shared.clock), exporter)));
    let stop = CancellationToken::new();
    let task = shared.tasks.service(worker.run(stop.clone()));
    Ok(Some(Service::new("trace export", task, stop, Ok)))
}

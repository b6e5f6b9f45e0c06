//! What handlers share.

use std::sync::Arc;
use std::time::Instant;

use super::settings::HttpSettings;
use crate::ports::answer_cache::AnswerCache;
use crate::ports::health::Health;
use crate::telemetry::metrics::Metrics;

/// The state of the API.
#[derive(Clone)]
pub struct ApiState {
    /// What the user chose.
    pub settings: HttpSettings,
    /// The parts that report how they are.
    pub health: Arc<dyn Health>,
    /// Remembered answers.
    pub cache: Arc<dyn AnswerCache>,
    /// The metrics to show and to count requests in.
    pub metrics: Arc<Metrics>,
    /// Start of the process.
    pub started_at: Instant,
}

//! How the process ends.

use std::time::{Duration, Instant};

use crate::kafka::connector::Connector;
use crate::tasks::Tasks;

/// Committing and leaving the group come after the grace of the records.
const LEAVE: Duration = Duration::from_secs(8);
const REPORT_EVERY: Duration = Duration::from_secs(5);

/// Stops the connectors: they take nothing in, let what is under way finish for at most `grace`, commit, and leave their
/// groups. True if all of them stopped by themselves in time.
pub(super) async fn drain(connectors: &[Connector], tasks: &Tasks, grace: Duration) -> bool {
    let grace_ends_at = Instant::now() + grace;
    let deadline = grace_ends_at + LEAVE;
    for connector in connectors {
        connector.stop(grace);
    }
    let mut report_at = Instant::now() + REPORT_EVERY;
    loop {
        let running = connectors.iter().filter(|connector| !connector.is_stopped());
        let running: Vec<&str> = running.map(|connector| connector.status().name()).collect();
        let now = Instant::now();
        // Calls of a session that was over before may still be finished.
        let is_asking = now < grace_ends_at && tasks.has_records();
        if (running.is_empty() && !is_asking) || now >= deadline {
            return running.is_empty();
        }
        if now >= report_at {
            tracing::info!(waiting_for = ?running, "still draining");
            report_at = now + REPORT_EVERY;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

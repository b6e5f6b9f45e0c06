//! The running parts of the process: what each can do, when one fails, and how all of them stop.

use std::future::pending;
use std::time::Duration;

use futures_util::FutureExt as _;
use futures_util::future::{BoxFuture, select_all};
use tokio::task::JoinHandle;
use tokio::time::{Instant, interval_at, sleep_until};
use tokio_util::sync::CancellationToken;

use crate::kafka::member::Member;
use crate::tasks::Tasks;

/// Committing and leaving the group come after the grace of the records.
pub(super) const LEAVE: Duration = Duration::from_secs(8);
/// What HTTP and the store still have to do when no record is under way any more.
const FINISH: Duration = Duration::from_secs(1);
/// How long the end of the process takes at most, after the grace of the records.
pub const LONGEST_AFTER_GRACE: Duration = LEAVE.saturating_add(FINISH);
const REPORT_EVERY: Duration = Duration::from_secs(5);

/// A part of the process that runs until it is told to stop.
pub(super) trait Part: Send {
    /// What it is called in the log.
    fn name(&self) -> String;

    /// Asks it to end, and to finish what it has begun within `grace`.
    fn stop(&self, grace: Duration);

    /// Returns when it has ended: with an error if it failed. Waiting may be given up and begun again, but not after
    /// that.
    fn done(&mut self) -> BoxFuture<'_, Result<(), String>>;
}

/// A part that is one task.
pub(super) struct Service {
    name: &'static str,
    stop: CancellationToken,
    ended: BoxFuture<'static, Result<(), String>>,
}

impl Service {
    /// The task ends soon after `stop` is cancelled. `outcome` says whether what it returned is a failure.
    pub(super) fn new<T: Send + 'static>(
        name: &'static str,
        task: JoinHandle<T>,
        stop: CancellationToken,
        outcome: fn(T) -> Result<(), String>,
    ) -> Self {
        let ended = task.map(move |end| end.map_err(|panic| panic.to_string()).and_then(outcome)).boxed();
        Self { name, stop, ended }
    }
}

impl Part for Service {
    fn name(&self) -> String {
        self.name.to_owned()
    }

    fn stop(&self, _grace: Duration) {
        self.stop.cancel();
    }

    fn done(&mut self) -> BoxFuture<'_, Result<(), String>> {
        (&mut self.ended).boxed()
    }
}

impl Part for Member {
    fn name(&self) -> String {
        Member::name(self).to_owned()
    }

    fn stop(&self, grace: Duration) {
        Member::stop(self, grace);
    }

    fn done(&mut self) -> BoxFuture<'_, Result<(), String>> {
        Member::done(self).boxed()
    }
}

/// Provider calls that no connector waits for any more: they are finished, because they are paid for in any case.
struct OpenCalls(Tasks);

impl Part for OpenCalls {
    fn name(&self) -> String {
        "open provider calls".to_owned()
    }

    fn stop(&self, _grace: Duration) {}

    fn done(&mut self) -> BoxFuture<'_, Result<(), String>> {
        self.0.records_done().map(Ok).boxed()
    }
}

/// All running parts.
pub(super) struct Running {
    /// They take records and requests in, so they stop first.
    connectors: Vec<Box<dyn Part>>,
    /// The connectors need them, so they stop last.
    services: Vec<Box<dyn Part>>,
    tasks: Tasks,
}

impl Running {
    /// Parts that have been started, and where the work for records runs.
    pub(super) fn new<C: Part + 'static, S: Part + 'static>(
        connectors: impl IntoIterator<Item = C>,
        services: impl IntoIterator<Item = S>,
        tasks: Tasks,
    ) -> Self {
        let connectors = connectors.into_iter().map(|part| Box::new(part) as Box<dyn Part>).collect();
        let services = services.into_iter().map(|part| Box::new(part) as Box<dyn Part>).collect();
        Self { connectors, services, tasks }
    }

    /// The same with another part that takes work in, and stops first.
    pub(super) fn with_intake(mut self, part: impl Part + 'static) -> Self {
        self.connectors.push(Box::new(part));
        self
    }

    /// Returns when a part has ended that nobody asked to, with its name and why.
    pub(super) async fn failed(&mut self) -> String {
        let (name, end) = tokio::select! {
            ended = first_end(&mut self.connectors) => ended,
            ended = first_end(&mut self.services) => ended,
        };
        format!("{name}: {}", end.err().as_deref().unwrap_or("it ended by itself"))
    }

    /// Stops everything: the connectors, which finish records for at most `grace`; then calls that nobody waits for;
    /// then the rest. True if all connectors ended in time.
    pub(super) async fn drain(mut self, grace: Duration) -> bool {
        let began_at = Instant::now();
        let grace_ends_at = began_at + grace;
        tracing::info!(grace_s = grace.as_secs(), "stopping: nothing more is taken in, what is under way is finished");
        let is_drained = stop_all(&mut self.connectors, grace, grace_ends_at + LEAVE).await;
        stop_all(&mut vec![Box::new(OpenCalls(self.tasks))], grace, grace_ends_at).await;
        stop_all(&mut self.services, FINISH, Instant::now() + FINISH).await;
        tracing::info!(took_s = began_at.elapsed().as_secs_f64(), is_drained, "stopped");
        is_drained
    }
}

/// Stops these parts and waits for them until the deadline. True if all of them ended.
async fn stop_all(parts: &mut Vec<Box<dyn Part>>, grace: Duration, deadline: Instant) -> bool {
    for part in &*parts {
        part.stop(grace);
    }
    let mut report = interval_at(Instant::now() + REPORT_EVERY, REPORT_EVERY);
    while !parts.is_empty() {
        tokio::select! {
            biased;
            (part, end) = first_end(parts) => {
                if let Err(why) = end {
                    tracing::error!(part, why, "a part failed while it was stopping");
                }
            }
            () = sleep_until(deadline) => return false,
            _ = report.tick() => {
                let waiting_for: Vec<String> = parts.iter().map(|part| part.name()).collect();
                tracing::info!(?waiting_for, "still draining");
            }
        }
    }
    true
}

/// Waits for the first of these parts to end, takes it out, and returns its name and how it ended.
async fn first_end(parts: &mut Vec<Box<dyn Part>>) -> (String, Result<(), String>) {
    if parts.is_empty() {
        return pending().await;
    }
    let first = select_all(parts.iter_mut().map(|part| part.done()));
    let (end, index) = first.map(|(end, index, _others)| (end, index)).await;
    (parts.swap_remove(index).name(), end)
}

#[cfg(test)]
mod tests;

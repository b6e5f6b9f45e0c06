//! The gate: while a dependency is unavailable, nobody asks it and no record is blamed.
//!
//! One gate stands before each provider. A failure of kind `Unavailable` closes it until the time the dependency named, or
//! for a growing pause; then one caller at a time goes through as a probe, and the first success opens it for all.

use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::Instant;

use crate::domain::failure::Failure;

/// First pause after a dependency failed without naming one.
const FIRST_PAUSE: Duration = Duration::from_secs(1);
/// Longest pause that we choose ourselves; a dependency may ask for more.
const LONGEST_PAUSE: Duration = Duration::from_secs(60);

/// Why a gate is closed.
#[derive(Debug, Clone, PartialEq)]
pub struct Closed {
    /// The failure that closed it last.
    pub failure: Failure,
    /// When the next probe may go.
    pub until: Instant,
}

#[derive(Debug, Default)]
struct State {
    closed: Option<Closed>,
    failed_probes: u32,
    probing: bool,
}

/// A gate before one dependency.
#[derive(Debug)]
pub struct Gate {
    name: String,
    state: Mutex<State>,
    successes: AtomicU64,
    passes_out: AtomicUsize,
    changed: watch::Sender<()>,
}

/// Leave to ask once. Report the outcome through [`Pass::succeeded`] or [`Pass::failed`]; a pass that is dropped (its
/// request was cancelled) says nothing about the dependency.
#[derive(Debug)]
pub struct Pass<'a> {
    gate: &'a Gate,
    is_probe: bool,
}

impl Gate {
    /// An open gate before the dependency with this name.
    pub fn new(name: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            state: Mutex::default(),
            successes: AtomicU64::new(0),
            passes_out: AtomicUsize::new(0),
            changed: watch::Sender::new(()),
        }
    }

    /// The dependency's name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Why it is closed, or `None` when it is open.
    pub fn closed(&self) -> Option<Closed> {
        self.state().closed.clone()
    }

    /// True when requests pass freely.
    pub fn is_open(&self) -> bool {
        self.state().closed.is_none()
    }

    /// Answers that came through so far: what a request compares to see whether only it fails.
    pub fn successes(&self) -> u64 {
        self.successes.load(Ordering::Relaxed)
    }

    /// True while a call that was let through is under way.
    pub fn is_asked(&self) -> bool {
        self.passes_out.load(Ordering::Relaxed) > 0
    }

    fn let_pass(&self, is_probe: bool) -> Pass<'_> {
        self.passes_out.fetch_add(1, Ordering::Relaxed);
        Pass { gate: self, is_probe }
    }

    /// Waits until this caller may ask.
    pub async fn pass(&self) -> Pass<'_> {
        let mut changed = self.changed.subscribe();
        loop {
            changed.mark_unchanged();
            let wait_until = {
                let mut state = self.state();
                match &state.closed {
                    None => return self.let_pass(false),
                    Some(_) if state.probing => None,
                    Some(closed) if closed.until <= Instant::now() => {
                        state.probing = true;
                        return self.let_pass(true);
                    }
                    Some(closed) => Some(closed.until),
                }
            };
            // The sender lives in `self`, so a change can always still come.
            let change = changed.changed();
            match wait_until {
                Some(until) => drop(tokio::time::timeout_at(until, change).await),
                None => drop(change.await),
            }
        }
    }

    fn close(&self, failure: Failure, was_probe: bool) {
        let mut state = self.state();
        let first = state.closed.is_none();
        if first || was_probe {
            state.failed_probes += 1;
        }
        let own = FIRST_PAUSE.saturating_mul(1 << (state.failed_probes.max(1) - 1).min(6)).min(LONGEST_PAUSE);
        let until = Instant::now() + failure.retry_after.unwrap_or(own);
        let until = state.closed.as_ref().filter(|_| !was_probe).map_or(until, |closed| closed.until.max(until));
        if first {
            tracing::warn!(
                dependency = self.name,
                code = %failure.code,
                detail = failure.detail,
                pause_ms = u64::try_from((until - Instant::now()).as_millis()).unwrap_or(u64::MAX),
                "intake pauses: a dependency is unavailable"
            );
        }
        state.closed = Some(Closed { failure, until });
    }

    fn open(&self) {
        let mut state = self.state();
        state.failed_probes = 0;
        if state.closed.take().is_some() {
            tracing::info!(dependency = self.name, "intake goes on: the dependency is available again");
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Pass<'_> {
    /// The dependency answered. Only a probe opens the gate: an answer to a call from before a pause was asked for is no
    /// leave to end it.
    pub fn succeeded(self) {
        self.gate.successes.fetch_add(1, Ordering::Relaxed);
        if self.is_probe {
            self.gate.open();
        }
    }

    /// The dependency is unavailable.
    pub fn failed(self, failure: Failure) {
        self.gate.close(failure, self.is_probe);
    }
}

impl Drop for Pass<'_> {
    fn drop(&mut self) {
        if self.is_probe {
            self.gate.state().probing = false;
        }
        self.gate.passes_out.fetch_sub(1, Ordering::Relaxed);
        self.gate.changed.send_replace(());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::failure::Code;

    fn unavailable(retry_after: Option<Duration>) -> Failure {
        Failure::new(Code::ProviderUnavailable, "gone").retry_after(retry_after)
    }

    #[tokio::test(start_paused = true)]
    async fn nobody_passes_before_the_time_that_the_dependency_named() {
        let gate = Gate::new("gpt");
        gate.pass().await.failed(unavailable(Some(Duration::from_secs(34))));
        let closed_at = Instant::now();
        let probe = gate.pass().await;
        assert!(closed_at.elapsed() >= Duration::from_secs(34));
        assert!(probe.is_probe);
    }

    #[tokio::test(start_paused = true)]
    async fn one_probe_goes_at_a_time_and_its_success_opens_the_gate() {
        let gate = Gate::new("gpt");
        gate.pass().await.failed(unavailable(None));
        let probe = gate.pass().await;
        assert!(tokio::time::timeout(Duration::from_secs(600), gate.pass()).await.is_err(), "a second probe passed");
        probe.succeeded();
        assert!(gate.is_open());
        assert!(!gate.pass().await.is_probe);
    }

    #[tokio::test(start_paused = true)]
    async fn pauses_grow_to_a_minute_while_probes_fail() {
        let gate = Gate::new("gpt");
        gate.pass().await.failed(unavailable(None));
        let mut pauses = Vec::new();
        for _ in 0..8 {
            let before = Instant::now();
            gate.pass().await.failed(unavailable(None));
            pauses.push(before.elapsed().as_secs());
        }
        assert_eq!(pauses, [1, 2, 4, 8, 16, 32, 60, 60]);
    }

    #[tokio::test(start_paused = true)]
    async fn a_cancelled_probe_lets_the_next_one_go() {
        let gate = Gate::new("gpt");
        gate.pass().await.failed(unavailable(None));
        drop(gate.pass().await);
        assert!(gate.pass().await.is_probe);
        assert!(!gate.is_open());
    }

    #[tokio::test(start_paused = true)]
    async fn a_late_success_from_before_the_pause_does_not_open_the_gate() {
        let gate = Gate::new("gpt");
        let early = gate.pass().await;
        gate.pass().await.failed(unavailable(Some(Duration::from_secs(5))));
        early.succeeded();
        assert!(!gate.is_open());
    }
}

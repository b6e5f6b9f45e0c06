//! One provider with everything that stands before its model.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, watch};
use tokio::time::Instant;

use super::breaker::{Applicant, Breaker, Change, Open, Verdict};
use super::calls::{CallCounts, Calls};
use super::ceilings::{Full, Limiter};
use super::connections::Connections;
use super::health::{Disabled, Health, Summary};
use super::provider_log::ProviderLog;
use super::settings::Ceilings;
use super::waiting::{Waiters, Waiting};
use crate::domain::answer::Usage;
use crate::domain::failure::{Code, Failure, Kind};
use crate::ports::model::{Call, CallError, Model, Reply};
use crate::telemetry::metrics::{Exemplar, ProviderMetrics};
use crate::telemetry::traces::trace::Trace;

/// Told whenever somebody who waits for a provider should look again. One for all providers of the process.
#[derive(Debug, Clone)]
pub struct Signal(Arc<watch::Sender<()>>);

impl Default for Signal {
    fn default() -> Self {
        Self(Arc::new(watch::Sender::new(())))
    }
}

impl Signal {
    pub(super) fn subscribe(&self) -> watch::Receiver<()> {
        self.0.subscribe()
    }

    fn send(&self) {
        self.0.send_replace(());
    }
}

/// A model, its breaker, its ceilings, and how it has been doing.
pub struct Provider {
    model: Arc<dyn Model>,
    name: Arc<str>,
    max_retries: u32,
    breaker: Breaker,
    limiter: Limiter,
    calls: Calls,
    /// `None` for a model that needs no connection.
    connections: Option<Connections>,
    health: Mutex<Health>,
    successes: AtomicU64,
    waiters: Waiters,
    metrics: ProviderMetrics,
    signal: Signal,
    log: ProviderLog,
}

/// Leave for one call. Dropped unused, or while the call is under way (its record was cancelled), it says nothing about
/// the provider.
pub(in crate::pipeline) struct Admission<'a> {
    provider: &'a Provider,
    is_probe: bool,
    need: Usage,
    used: Option<u64>,
    has_ended: bool,
    connection: Option<OwnedSemaphorePermit>,
}

/// Why there is no leave now.
#[derive(Debug)]
pub(super) enum Denied {
    /// A ceiling, of ours or the provider's: until this time, or until a call ends.
    Busy(Option<Instant>),
    /// The breaker.
    Open(Open),
}

impl Provider {
    /// A provider that has not been asked yet.
    pub fn new(
        model: Arc<dyn Model>,
        ceilings: Ceilings,
        max_retries: u32,
        metrics: ProviderMetrics,
        signal: Signal,
    ) -> Self {
        Self {
            name: Arc::from(model.name()),
            model,
            max_retries,
            breaker: Breaker::default(),
            limiter: Limiter::new(ceilings),
            calls: Calls::default(),
            connections: None,
            health: Mutex::default(),
            successes: AtomicU64::new(0),
            waiters: Waiters::default(),
            metrics,
            signal,
            log: ProviderLog::default(),
        }
    }

    /// The same, with a place among those `connections` for each of its calls.
    #[must_use]
    pub fn over(self, connections: Connections) -> Self {
        Self { connections: Some(connections), ..self }
    }

    /// Its name as configured.
    pub fn name(&self) -> &Arc<str> {
        &self.name
    }

    /// The model behind it.
    pub fn model(&self) -> &dyn Model {
        self.model.as_ref()
    }

    /// Why it may not be asked, or `None` if it may.
    pub fn open(&self) -> Option<Open> {
        self.breaker.open()
    }

    /// Lets it be asked at once if it refused a key that has just been replaced.
    pub fn has_new_key(&self) {
        if self.breaker.has_new_key() {
            self.signal.send();
        }
    }

    /// Why others are preferred, if they are.
    pub fn disabled(&self) -> Option<Disabled> {
        let disabled = self.health().disabled();
        self.log.disabled(&self.name, disabled);
        disabled
    }

    /// How it did over the last five minutes.
    pub fn summary(&self) -> Summary {
        self.health().summary()
    }

    /// Calls under way.
    pub fn in_flight(&self) -> u32 {
        self.limiter.in_flight()
    }

    /// Its calls since the start of the process.
    pub fn calls(&self) -> CallCounts {
        self.calls.counts()
    }

    /// Questions that wait for a ceiling: of ours, or one that the provider has named.
    pub fn waiting(&self) -> u32 {
        self.waiters.count()
    }

    /// Somebody waits for a ceiling, as long as this lives.
    pub(super) fn wait(&self) -> Waiting<'_> {
        self.waiters.wait()
    }

    /// Calls that were answered so far.
    pub(super) fn successes(&self) -> u64 {
        self.successes.load(Ordering::Relaxed)
    }

    pub(super) fn load(&self) -> f64 {
        self.limiter.load()
    }

    pub(super) fn breaker(&self) -> &Breaker {
        &self.breaker
    }

    /// Further attempts of one question after errors that may pass.
    pub(in crate::pipeline) fn max_retries(&self) -> u32 {
        self.max_retries
    }

    /// Takes note of whether an answer was valid.
    pub(in crate::pipeline) fn judged(&self, is_valid: bool) {
        self.health().judged(is_valid);
        self.metrics.judged(is_valid);
        self.show_health();
    }

    /// What a call is charged as that needed so much at most. What the provider does not tell is estimated on the safe
    /// side: no budget may think that it was free.
    pub(in crate::pipeline) fn charged(&self, reply: &Reply, need: Usage) -> Usage {
        let told = reply.usage;
        // Rules have no tokens.
        if self.model.max_tokens() == 0 {
            return told;
        }
        let or_else = |told: u64, estimate: u64| if told == 0 { estimate } else { told };
        Usage {
            input_tokens: or_else(told.input_tokens, need.input_tokens),
            output_tokens: or_else(told.output_tokens, tokens_of(reply.text.len())),
            ..told
        }
    }

    /// Leave for a call that needs so much at most, if there is any now.
    pub(super) fn admit(&self, need: Usage, applicant: Applicant) -> Result<Admission<'_>, Denied> {
        let tokens = total(need);
        match self.breaker.look(applicant) {
            Verdict::Wait(open) | Verdict::Probing(open) => return Err(Denied::Open(open)),
            Verdict::Go | Verdict::Probe => {}
        }
        if let Some(until) = self.breaker.resting_until() {
            return Err(Denied::Busy(Some(until)));
        }
        // Nobody may see a place taken that is given back at once: no signal follows.
        let _door = self.connections.as_ref().map(Connections::door);
        // Before the limiter, which does not give a request back.
        let connection = match &self.connections {
            None => None,
            Some(connections) => Some(connections.enter().ok_or(Denied::Busy(None))?),
        };
        self.limiter.enter(tokens).map_err(|full| match full {
            Full::Calls => Denied::Busy(None),
            Full::Until(at) => Denied::Busy(Some(at)),
        })?;
        let is_probe = match self.breaker.admit(applicant) {
            Verdict::Go => false,
            Verdict::Probe => true,
            Verdict::Wait(open) | Verdict::Probing(open) => {
                self.limiter.leave(tokens, Some(0));
                return Err(Denied::Open(open));
            }
        };
        self.metrics.in_flight.inc();
        Ok(Admission { provider: self, is_probe, need, used: None, has_ended: false, connection })
    }

    fn succeeded(&self, reply: &Reply, charged: Usage, is_probe: bool, ended: EndedCall) {
        let EndedCall { took, exemplar } = ended;
        self.successes.fetch_add(1, Ordering::Relaxed);
        self.health().answered(took);
        self.metrics.call(Ok(reply.usage), self.model.cost_usd(charged), took, exemplar);
        self.changed(self.breaker.succeeded(is_probe));
        if let Some(pause) = reply.pause {
            let provider = &*self.name;
            let detail = format!("{provider} has nothing left of a limit; it names the time of its renewal");
            let failure = Failure::new(Code::ProviderRateLimited, detail).retry_after(Some(pause));
            if self.breaker.rests(failure, pause) {
                tracing::debug!(provider, ?pause, "a limit of the provider is used up");
            }
        }
    }

    fn failed(&self, error: &CallError, is_probe: bool, EndedCall { took, exemplar }: EndedCall) {
        let code = error.failure.code;
        self.metrics.call(Err(code), 0.0, took, exemplar);
        // Timeouts and bodies that are no answer count against the provider too; what it refuses, it has understood.
        if code.kind() == Kind::Unavailable || error.is_transient {
            let change = self.breaker.failed(error, is_probe);
            // A pause that was asked for is no error.
            if error.failure.retry_after.is_none() {
                self.health().failed();
            }
            self.changed(change);
        } else {
            self.successes.fetch_add(1, Ordering::Relaxed);
            self.health().answered(took);
            self.changed(self.breaker.succeeded(is_probe));
        }
    }

    /// This process could not make the call, which says nothing about the provider.
    fn not_called(&self, error: &CallError) {
        self.metrics.call(Err(error.failure.code), 0.0, Duration::ZERO, None);
        self.log.not_called(&self.name, &error.failure);
    }

    fn changed(&self, change: Change) {
        match change {
            Change::None => {}
            Change::Opened => {
                if let Some(Open { failure, until }) = self.breaker.open() {
                    let pause_ms = u64::try_from((until - Instant::now()).as_millis()).unwrap_or(u64::MAX);
                    let (provider, detail) = (&*self.name, failure.detail);
                    tracing::warn!(provider, code = %failure.code, detail, pause_ms, "the provider is left alone for a while");
                }
                self.metrics.breaker_opened();
            }
            Change::Closed => {
                tracing::info!(provider = &*self.name, "the provider answers again");
                self.metrics.breaker_closed();
            }
        }
        self.show_health();
    }

    fn show_health(&self) {
        let mut health = self.health();
        let disabled = health.disabled();
        let summary = health.summary();
        drop(health);
        self.log.disabled(&self.name, disabled);
        self.metrics.health(disabled.is_some(), summary.error_ratio, summary.p95);
    }

    fn health(&self) -> MutexGuard<'_, Health> {
        self.health.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// How long a call took, and the trace that it belongs to.
#[derive(Clone, Copy)]
struct EndedCall {
    took: Duration,
    exemplar: Option<Exemplar>,
}

impl Admission<'_> {
    /// True if the provider is just being tried out.
    pub(in crate::pipeline) fn is_probe(&self) -> bool {
        self.is_probe
    }

    /// Makes the call, which is a part of this trace, and lets everyone know how it went.
    pub(in crate::pipeline) async fn ask(mut self, call: &Call<'_>, trace: &Trace) -> Result<Reply, CallError> {
        let began_at = Instant::now();
        let open_call = self.provider.calls.begin();
        let outcome = self.provider.model.ask(call).await;
        open_call.end(outcome.as_ref().err().map(|error| &error.failure));
        // Only a trace that this process records says which part of it was the call.
        let exemplar = trace.now().and_then(|at| trace.exemplar(at));
        let ended = EndedCall { took: began_at.elapsed(), exemplar };
        self.has_ended = !outcome.as_ref().is_err_and(is_no_call);
        match &outcome {
            Ok(reply) => {
                let charged = self.provider.charged(reply, self.need);
                self.used = Some(total(charged)).filter(|tokens| *tokens > 0);
                self.provider.succeeded(reply, charged, self.is_probe, ended);
            }
            Err(error) if is_no_call(error) => self.provider.not_called(error),
            Err(error) => self.provider.failed(error, self.is_probe, ended),
        }
        outcome
    }
}

impl Drop for Admission<'_> {
    fn drop(&mut self) {
        let provider = self.provider;
        if !self.has_ended && self.is_probe {
            provider.breaker.abandoned();
        }
        provider.limiter.leave(total(self.need), self.used);
        self.connection = None;
        provider.metrics.in_flight.dec();
        provider.signal.send();
    }
}

/// Characters that make a token at the least, for estimates on the safe side; English has about four.
const CHARS_PER_TOKEN: usize = 3;

/// Tokens of a text with so many characters, by an estimate on the safe side.
pub(in crate::pipeline) fn tokens_of(chars: usize) -> u64 {
    u64::try_from(chars / CHARS_PER_TOKEN).unwrap_or(u64::MAX)
}

/// True if the process lacks what it needs to make a call.
fn is_no_call(error: &CallError) -> bool {
    error.failure.code == Code::TooManyOpenFiles
}

/// Input and output together.
pub(in crate::pipeline) fn total(usage: Usage) -> u64 {
    usage.input_tokens + usage.output_tokens
}

#[cfg(test)]
mod tests;

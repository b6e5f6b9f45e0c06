//! What is taken down of a request: a row for each of its prompts. A row is written once, when nobody works on the prompt any
//! more: at the end of the handler, or of a call that was open when the client went or the deadline passed, and has been
//! paid for.

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use axum::response::Response;

use super::Outcome;
use crate::domain::attempt::{Attempt, Spending};
use crate::http::audit;
use crate::http::auth::Identity;
use crate::http::problem::Problem;
use crate::http::request_id::RequestId;
use crate::http::state::ApiState;
use crate::ports::audit::AuditResult;
use crate::ports::request_log::LoggedRequest;
use crate::ports::request_observer::RequestObserver;

/// The status of a request whose client went before it had its answer, as nginx has it.
pub const CLIENT_GONE: u16 = 499;
/// Its code.
const CLIENT_GONE_CODE: &str = "client_gone";

/// A request that is under way. Whoever works on it has a copy.
#[derive(Clone)]
pub struct RequestRecord(Arc<UnderWay>);

struct UnderWay {
    facts: Arc<Facts>,
    /// Its prompts, as far as they are known.
    prompts: Mutex<Vec<Arc<PromptRecord>>>,
}

/// What the prompts of a request have in common.
struct Facts {
    api: ApiState,
    id: RequestId,
    identity: Identity,
    endpoint: &'static str,
    created_at: Duration,
    began_at: Instant,
}

/// A prompt that is under way.
pub struct PromptRecord {
    facts: Arc<Facts>,
    request_id: String,
    /// The prompt, where texts are kept.
    text: Option<String>,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    outcome: Option<Outcome>,
    /// How long the client waited for its answer, if it has one.
    answered_after: Option<Duration>,
    /// Whether it was said already that the prompt looks like an attack.
    is_suspicious: bool,
    calls: Calls,
}

/// What the calls for a prompt come to together.
#[derive(Default)]
struct Calls {
    provider: Option<Arc<str>>,
    model: Option<Arc<str>>,
    spending: Spending,
}

impl RequestRecord {
    /// A request that has just come.
    pub fn new(api: &ApiState, id: &RequestId, identity: &Identity, endpoint: &'static str) -> Self {
        let (created_at, began_at) = (api.clock.now(), Instant::now());
        let (api, id, identity) = (Arc::clone(api), id.clone(), identity.clone());
        let facts = Arc::new(Facts { api, id, identity, endpoint, created_at, began_at });
        Self(Arc::new(UnderWay { facts, prompts: Mutex::default() }))
    }

    /// Its only prompt; with its text where texts are kept.
    pub fn prompt(&self, text: Option<String>) -> Arc<PromptRecord> {
        let prompt = self.0.prompt(self.0.facts.id.to_string(), text);
        self.0.prompts().push(Arc::clone(&prompt));
        prompt
    }

    /// The prompts of a batch, whose ids end in their index.
    pub fn prompts(&self, texts: Vec<Option<String>>) -> Vec<Arc<PromptRecord>> {
        let is_one = texts.len() == 1;
        let id = |index| if is_one { self.0.facts.id.to_string() } else { format!("{}.{index}", self.0.facts.id) };
        let prompts: Vec<_> =
            texts.into_iter().enumerate().map(|(index, text)| self.0.prompt(id(index), text)).collect();
        self.0.prompts().extend(prompts.iter().cloned());
        prompts
    }

    /// The client has its answer. One that was refused before its prompts were known has one row.
    pub fn answered(&self, response: &Response) {
        let took = self.0.facts.began_at.elapsed();
        let refused = response.extensions().get::<Problem>().map(Outcome::from);
        let outcome = refused.unwrap_or_else(|| Outcome { status: response.status().as_u16(), ..Outcome::default() });
        if self.0.prompts().is_empty() {
            self.prompt(None);
        }
        for prompt in &*self.0.prompts() {
            let mut state = prompt.state();
            state.outcome.get_or_insert_with(|| outcome.clone());
            state.answered_after = Some(took);
        }
    }
}

impl UnderWay {
    fn prompt(&self, request_id: String, text: Option<String>) -> Arc<PromptRecord> {
        Arc::new(PromptRecord { facts: Arc::clone(&self.facts), request_id, text, state: Mutex::default() })
    }

    fn prompts(&self) -> MutexGuard<'_, Vec<Arc<PromptRecord>>> {
        self.prompts.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for UnderWay {
    /// A client that went before its prompts were known has a row, too.
    fn drop(&mut self) {
        if self.prompts().is_empty() {
            drop(self.prompt(self.facts.id.to_string(), None));
        }
    }
}

impl PromptRecord {
    /// Itself, for those who work on the prompt.
    pub fn observer(self: &Arc<Self>) -> Arc<dyn RequestObserver> {
        Arc::clone(self) as _
    }

    /// What came of the prompt.
    pub fn came_to(&self, outcome: Outcome) {
        self.state().outcome = Some(outcome);
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn row(&self, text: Option<String>, outcome: Outcome) -> LoggedRequest {
        let Facts { identity, endpoint, created_at, began_at, .. } = &*self.facts;
        LoggedRequest {
            tenant: identity.caller.tenant().clone(),
            request_id: self.request_id.clone(),
            created_at: *created_at,
            endpoint,
            api_key_id: identity.key.as_ref().map(|key| key.id.to_string()),
            status: outcome.status,
            code: outcome.code.map(str::to_owned),
            provider: outcome.provider,
            model: outcome.model,
            schema: outcome.schema,
            template: outcome.template,
            processing_time: outcome.took.unwrap_or_else(|| began_at.elapsed()),
            input_tokens: outcome.input_tokens,
            output_tokens: outcome.output_tokens,
            cost_usd: outcome.cost_usd,
            cached: outcome.cached,
            validation_status: outcome.validation_status,
            confidence: outcome.confidence,
            prompt: text,
            data: outcome.data,
        }
    }
}

impl State {
    /// What the row says.
    fn outcome(self) -> Outcome {
        let Self { outcome, answered_after, is_suspicious: _, calls } = self;
        let mut outcome = match outcome {
            Some(outcome) if outcome.status < 400 => outcome,
            // What came to nothing is paid for all the same.
            other => calls.paid(other.unwrap_or_default()),
        };
        outcome.took = outcome.took.or(answered_after);
        if answered_after.is_none() {
            let is_defect = std::thread::panicking();
            (outcome.status, outcome.code) =
                if is_defect { (500, Some("internal_error")) } else { (CLIENT_GONE, Some(CLIENT_GONE_CODE)) };
        }
        outcome
    }
}

impl Calls {
    fn paid(self, outcome: Outcome) -> Outcome {
        let Self { provider, model, spending: Spending { usage, cost_usd } } = self;
        let text = |name: Option<Arc<str>>| name.map(|name| name.to_string());
        let (input_tokens, output_tokens) = (usage.input_tokens, usage.output_tokens);
        Outcome { provider: text(provider), model: text(model), input_tokens, output_tokens, cost_usd, ..outcome }
    }
}

impl RequestObserver for PromptRecord {
    fn suspicious(&self, reason: &str, is_refused: bool) {
        if std::mem::replace(&mut self.state().is_suspicious, true) {
            return;
        }
        let result = if is_refused { AuditResult::Denied } else { AuditResult::Success };
        let Facts { api, identity, endpoint, .. } = &*self.facts;
        audit::suspicious(api, &self.request_id, identity, endpoint, (reason, result));
    }

    fn attempted(&self, attempt: &Attempt) {
        let calls = &mut self.state().calls;
        calls.provider = Some(Arc::clone(&attempt.provider));
        calls.model = Some(Arc::clone(&attempt.model));
        calls.spending.add(attempt);
    }
}

impl fmt::Debug for PromptRecord {
    /// Without the prompt.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PromptRecord").field("request_id", &self.request_id).finish_non_exhaustive()
    }
}

impl Drop for PromptRecord {
    fn drop(&mut self) {
        let outcome = std::mem::take(&mut *self.state()).outcome();
        let text = self.text.take();
        if let Some(logger) = &self.facts.api.request_log {
            logger.log.log(self.row(text, outcome));
        }
    }
}

#[cfg(test)]
mod tests;

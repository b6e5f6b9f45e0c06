//! `POST /v1/analyze/batch`: many prompts, each with its answer or its own problem, in the order asked.
//!
//! - `equal_prompts`: what is taken down of prompts that are asked as one.

mod equal_prompts;

use std::collections::HashMap;
use std::sync::Arc;
use std::task::Poll;

use axum::extract::State;
use axum::{Extension, Json};
use futures_util::FutureExt as _;
use futures_util::future::{BoxFuture, poll_fn};
use futures_util::stream::{self, StreamExt as _};
use serde::Serialize;
use tokio::time::Instant;
use utoipa::ToSchema;
use utoipa::openapi::Object;

use self::equal_prompts::EqualPrompts;
use super::analyzer::{Analyzer, BegunRequest};
use super::batch_request::BatchRequest;
use super::outcome::{outcome, text};
use super::prompt_request::PromptRequest;
use super::request_schemas::BatchRequestSchema;
use super::specs::digest;
use super::structured_response::{StructuredResponse, micro_dollars, milliseconds};
use crate::http::auth::Identity;
use crate::http::idempotent::IdempotencyKey;
use crate::http::json_body::JsonBody;
use crate::http::openapi::problems::PipelineProblems;
use crate::http::openapi::schemas::words;
use crate::http::problem::Problem;
use crate::http::query::NoQuery;
use crate::http::rate_limit::charge_batch;
use crate::http::request_id::RequestId;
use crate::http::request_log::record::{PromptRecord, RequestRecord};
use crate::http::state::ApiState;
use crate::pipeline::caller::Caller;
use crate::ports::request_observer::RequestObserver;
use crate::telemetry::traces::trace::Trace;

/// Prompts of one batch that are answered at the same time. With the rest of them a process has others to answer.
const AT_ONCE: usize = 32;

/// The answers to a batch.
#[derive(Debug, Serialize, ToSchema)]
pub struct BatchResponse {
    request_id: RequestId,
    /// In the order asked.
    results: Vec<Item>,
    summary: Summary,
}

/// A prompt's answer, or its own problem.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = BatchItem)]
struct Item {
    index: usize,
    #[schema(schema_with = statuses)]
    status: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    result: Option<StructuredResponse>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<Problem>,
}

/// What came of a batch. `cost_usd` is what its answers cost together.
#[derive(Debug, Default, Serialize, ToSchema)]
#[schema(as = BatchSummary)]
struct Summary {
    total: usize,
    successful: usize,
    failed: usize,
    cached: usize,
    deduplicated: usize,
    cost_usd: f64,
    processing_time_ms: u64,
}

type ItemOutcome = Result<StructuredResponse, Problem>;

/// Answers up to 100 prompts side by side
///
/// Each has its answer or its own problem, in the order asked. Equal prompts are asked once, unless they bypass the cache;
/// each counts as a request. When the client goes away nothing more is asked.
///
/// # Errors
/// What is wrong with the request as a whole, or the limit of the key.
#[utoipa::path(
    post, path = "/v1/analyze/batch", tag = "Analyze", operation_id = "analyze_batch",
    params(IdempotencyKey),
    request_body(content = BatchRequestSchema, example = json!({
        "template_id": "support-intent",
        "prompts": ["Where is my parcel?", { "parameters": { "message": "Please cancel my plan" } }],
        "options": { "timeout": "20s" },
    })),
    responses(
        (status = 200, description = "The answers, and what came of them together", body = BatchResponse, example = json!({
            "request_id": "01a22919-4bf0-7689-acaa-b36c615be3cd",
            "results": [{
                "index": 0,
                "status": "error",
                "error": {
                    "type": "about:blank", "title": "Service Unavailable", "status": 503,
                    "detail": "no provider can be asked before the deadline", "code": "provider_unavailable",
                    "request_id": "01a22919-4bf0-7689-acaa-b36c615be3cd",
                },
            }],
            "summary": {
                "total": 1, "successful": 0, "failed": 1, "cached": 0, "deduplicated": 0, "cost_usd": 0.0,
                "processing_time_ms": 815,
            },
        })),
        PipelineProblems,
    ),
)]
pub async fn analyze_batch(
    State(api): State<ApiState>,
    Extension(id): Extension<RequestId>,
    Extension(identity): Extension<Identity>,
    Extension(record): Extension<RequestRecord>,
    Extension(trace): Extension<Trace>,
    _: NoQuery,
    JsonBody(body): JsonBody,
) -> Result<Json<BatchResponse>, Problem> {
    let began_at = Instant::now();
    let BatchRequest(requests) = BatchRequest::of_body(body)?;
    if let Some(key) = &identity.key {
        charge_batch(&*api.rate_limits, key, requests.len()).await?;
    }
    let records = record.prompts(requests.iter().map(|it| it.as_ref().ok().and_then(|it| text(&api, it))).collect());
    let mut leaders = leaders(&requests);
    let asker = Asker { analyzer: &api.analyzer, caller: &identity.caller, id: &id, records: &records, trace: &trace };
    let firsts = (0..requests.len()).filter(|index| leaders.get(*index) == Some(index)).collect();
    let mut outcomes = asker.answer_all(&requests, firsts, &leaders).await;
    let on_their_own = followers_of_refused(&mut leaders, &outcomes);
    outcomes.extend(asker.answer_all(&requests, on_their_own, &leaders).await);
    let mut summary = Summary { total: requests.len(), ..Summary::default() };
    let mut results = Vec::with_capacity(requests.len());
    for (index, ((request, leader), record)) in requests.into_iter().zip(leaders).zip(&records).enumerate() {
        let answer = request.and_then(|_| outcomes.get(&leader).cloned().unwrap_or_else(|| Err(Problem::defect())));
        let is_repeated = leader != index && answer.is_ok();
        let answer = if is_repeated { answer.map(|first| first.repeated()) } else { answer };
        summary.add(&answer, is_repeated);
        record.came_to(outcome(&api, &answer));
        results.push(Item::new(index, answer, &id));
    }
    summary.cost_usd = micro_dollars(summary.cost_usd);
    summary.processing_time_ms = milliseconds(began_at.elapsed());
    Ok(Json(BatchResponse { request_id: id, results, summary }))
}

/// For each request the index of the first one that asks the same and waits as long. One that bypasses the cache wants
/// an answer of its own.
fn leaders(requests: &[Result<PromptRequest, Problem>]) -> Vec<usize> {
    let (mut first, mut leaders) = (HashMap::new(), Vec::with_capacity(requests.len()));
    for (index, request) in requests.iter().enumerate() {
        let shareable = request.as_ref().ok().filter(|request| request.options.bypass_cache != Some(true));
        let leader = shareable.and_then(|request| {
            let PromptRequest { prompt, parameters, only_parameter, output_format, options, .. } = request;
            let format = output_format.unwrap_or_default();
            let question = (digest(request).ok()?, prompt, parameters, only_parameter, format, options.timeout);
            Some(*first.entry(question).or_insert(index))
        });
        leaders.push(leader.unwrap_or(index));
    }
    leaders
}

/// Those whose leader was refused before anybody was asked. They become their own leaders: their problem is the same,
/// but names their place.
fn followers_of_refused(leaders: &mut [usize], outcomes: &HashMap<usize, ItemOutcome>) -> Vec<usize> {
    let is_refused = |leader: &usize| match outcomes.get(leader) {
        Some(Err(problem)) => problem.status().is_client_error() && problem.attempt_log().is_empty(),
        Some(Ok(_)) | None => false,
    };
    let mut followers = Vec::new();
    for (index, leader) in leaders.iter_mut().enumerate() {
        if *leader != index && is_refused(leader) {
            *leader = index;
            followers.push(index);
        }
    }
    followers
}

/// What the prompts of a batch have in common when they are asked.
#[derive(Clone, Copy)]
struct Asker<'a> {
    analyzer: &'a Analyzer,
    caller: &'a Arc<Caller>,
    id: &'a RequestId,
    /// Where each request is taken down.
    records: &'a [Arc<PromptRecord>],
    trace: &'a Trace,
}

impl<'a> Asker<'a> {
    /// Answers the requests with these indices, as far as they can be read, for all that have them as leaders. What
    /// processes share is looked up for all of them at once, and then those without an answer are asked.
    async fn answer_all(
        self,
        requests: &'a [Result<PromptRequest, Problem>],
        indices: Vec<usize>,
        leaders: &[usize],
    ) -> HashMap<usize, ItemOutcome> {
        let mut look_ups: Vec<BoxFuture<'_, (usize, Result<BegunRequest<'a>, Problem>)>> = Vec::new();
        for index in indices {
            if let Some(Ok(request)) = requests.get(index) {
                let observer = EqualPrompts::observer(self.records, leaders, index);
                look_ups.push(async move { (index, self.look_ahead(request, observer).await) }.boxed());
            }
        }
        let at_once = look_ups.len().max(1);
        let begun: Vec<_> = stream::iter(look_ups).buffered(at_once).collect().await;
        let mut answers: Vec<BoxFuture<'_, (usize, ItemOutcome)>> = Vec::new();
        for (index, begun) in begun {
            let answer = async move { (index, self.finish(begun).await) };
            answers.push(answer.boxed());
        }
        stream::iter(answers).buffer_unordered(AT_ONCE).collect().await
    }

    async fn look_ahead(
        self,
        request: &'a PromptRequest,
        observer: Option<Arc<dyn RequestObserver>>,
    ) -> Result<BegunRequest<'a>, Problem> {
        let begun = self.analyzer.begin(request, self.caller, self.id, observer, self.trace.clone()).await?;
        others_have_a_turn().await;
        Ok(self.analyzer.look_ahead(begun).await)
    }

    async fn finish(self, begun: Result<BegunRequest<'a>, Problem>) -> ItemOutcome {
        let answer = self.analyzer.finish(begun?).await;
        others_have_a_turn().await;
        answer
    }
}

/// Lets a thread that works on a batch serve other requests as well: a hundred prompts whose answers are remembered wait
/// for nothing. It is woken at once, since a stream of many futures goes on as long as none of them is.
async fn others_have_a_turn() {
    let mut has_waited = false;
    poll_fn(|context| {
        if std::mem::replace(&mut has_waited, true) {
            return Poll::Ready(());
        }
        context.waker().wake_by_ref();
        Poll::Pending
    })
    .await;
}

impl Item {
    fn new(index: usize, outcome: ItemOutcome, id: &RequestId) -> Self {
        match outcome {
            Ok(result) => Self { index, status: "ok", result: Some(result), error: None },
            Err(problem) => Self { index, status: "error", result: None, error: Some(problem.of_request(id)) },
        }
    }
}

fn statuses() -> Object {
    words("Whether there is a `result` or an `error`", ["ok", "error"])
}

impl Summary {
    fn add(&mut self, outcome: &ItemOutcome, is_repeated: bool) {
        let Ok(answer) = outcome else {
            self.failed += 1;
            return;
        };
        self.successful += 1;
        self.deduplicated += usize::from(is_repeated);
        self.cached += usize::from(answer.is_cached() && !is_repeated);
        self.cost_usd += answer.cost_usd();
    }
}

#[cfg(test)]
mod tests;

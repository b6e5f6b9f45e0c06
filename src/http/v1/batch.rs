//! `POST /v1/analyze/batch`: many prompts, each with its answer or its own problem, in the order asked.

use std::collections::HashMap;
use std::sync::Arc;

use axum::extract::State;
use axum::{Extension, Json};
use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use futures_util::stream::{self, StreamExt as _};
use serde::Serialize;
use tokio::time::Instant;

use super::analyzer::Analyzer;
use super::batch_request::BatchRequest;
use super::prompt_request::PromptRequest;
use super::specs::digest;
use super::structured_response::{StructuredResponse, micro_dollars, milliseconds};
use crate::http::auth::Identity;
use crate::http::json_body::JsonBody;
use crate::http::problem::Problem;
use crate::http::rate_limit::charge_batch;
use crate::http::request_id::RequestId;
use crate::http::request_log::Outcomes;
use crate::http::state::ApiState;
use crate::pipeline::caller::Caller;

/// Prompts of one batch that are answered at the same time. With the rest of them a process has others to answer.
const AT_ONCE: usize = 32;

/// A BatchResponse.
#[derive(Debug, Serialize)]
pub struct BatchResponse {
    request_id: RequestId,
    results: Vec<Item>,
    summary: Summary,
}

#[derive(Debug, Serialize)]
struct Item {
    index: usize,
    status: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    result: Option<StructuredResponse>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<Problem>,
}

#[derive(Debug, Default, Serialize)]
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

/// The handler of the route. Dropped, as it is when the client has gone, it asks nothing more.
///
/// # Errors
/// What is wrong with the request as a whole, or the limit of the key: each prompt counts as a request.
pub async fn analyze_batch(
    State(api): State<ApiState>,
    Extension(id): Extension<RequestId>,
    Extension(identity): Extension<Identity>,
    JsonBody(body): JsonBody,
) -> Result<(Extension<Outcomes>, Json<BatchResponse>), Problem> {
    let began_at = Instant::now();
    let BatchRequest(requests) = BatchRequest::of_body(body)?;
    if let Some(key) = &identity.key {
        charge_batch(&*api.rate_limits, key, requests.len()).await?;
    }
    let leaders = leaders(&requests);
    let outcomes = answer_all(&api.analyzer, &requests, &leaders, &identity.caller, &id).await;
    let mut summary = Summary { total: requests.len(), ..Summary::default() };
    let (mut results, mut logged) = (Vec::with_capacity(requests.len()), Vec::with_capacity(requests.len()));
    for (index, (request, leader)) in requests.into_iter().zip(leaders).enumerate() {
        let text = request.as_ref().ok().filter(|_| api.stores_text()).cloned();
        let outcome = request.and_then(|_| outcomes.get(&leader).cloned().unwrap_or_else(|| Err(Problem::defect())));
        let is_repeated = leader != index && outcome.is_ok();
        let outcome = if is_repeated { outcome.map(|first| first.repeated()) } else { outcome };
        summary.add(&outcome, is_repeated);
        logged.push(super::outcome::outcome(&outcome, text.as_ref()));
        results.push(Item::new(index, outcome, &id));
    }
    summary.cost_usd = micro_dollars(summary.cost_usd);
    summary.processing_time_ms = milliseconds(began_at.elapsed());
    Ok((Extension(Outcomes(logged)), Json(BatchResponse { request_id: id, results, summary })))
}

/// For each request the index of the first one that asks the same.
fn leaders(requests: &[Result<PromptRequest, Problem>]) -> Vec<usize> {
    let (mut first, mut leaders) = (HashMap::new(), Vec::with_capacity(requests.len()));
    for (index, request) in requests.iter().enumerate() {
        let leader = request.as_ref().map_or(index, |request| {
            let PromptRequest { prompt, parameters, output_format, .. } = request;
            let question = (digest(request), prompt, parameters, output_format.unwrap_or_default());
            *first.entry(question).or_insert(index)
        });
        leaders.push(leader);
    }
    leaders
}

/// Answers those that are the first to ask something.
async fn answer_all(
    analyzer: &Analyzer,
    requests: &[Result<PromptRequest, Problem>],
    leaders: &[usize],
    caller: &Arc<Caller>,
    id: &RequestId,
) -> HashMap<usize, ItemOutcome> {
    let mut answers: Vec<BoxFuture<'_, (usize, ItemOutcome)>> = Vec::new();
    for (index, request) in requests.iter().enumerate() {
        if let (Ok(request), true) = (request, leaders.get(index) == Some(&index)) {
            answers.push(async move { (index, analyzer.answer(request, caller, id).await) }.boxed());
        }
    }
    stream::iter(answers).buffer_unordered(AT_ONCE).collect().await
}

impl Item {
    fn new(index: usize, outcome: ItemOutcome, id: &RequestId) -> Self {
        match outcome {
            Ok(result) => Self { index, status: "ok", result: Some(result), error: None },
            Err(problem) => Self { index, status: "error", result: None, error: Some(problem.of_request(id)) },
        }
    }
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

//! The layer around routes that ask.

use std::time::{Duration, Instant};

use axum::Extension;
use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::Response;

use super::{Outcome, Outcomes};
use crate::http::audit;
use crate::http::auth::Identity;
use crate::http::endpoint::endpoint;
use crate::http::problem::Problem;
use crate::http::request_id::RequestId;
use crate::http::state::ApiState;
use crate::ports::request_log::LoggedRequest;

/// Takes a request down when it has its answer, and records what of it was suspicious. A batch has a row for each
/// prompt, whose ids end in the prompt's index.
pub async fn take_down(
    State(api): State<ApiState>,
    Extension(id): Extension<RequestId>,
    Extension(identity): Extension<Identity>,
    request: Request,
    next: Next,
) -> Response {
    let (endpoint, created_at, began_at) = (endpoint(&request), api.clock.now(), Instant::now());
    let mut response = next.run(request).await;
    let took = began_at.elapsed();
    let outcomes = match (response.extensions_mut().remove(), response.extensions().get::<Problem>()) {
        (Some(Outcomes(outcomes)), _) => outcomes,
        (None, Some(problem)) => vec![Outcome::from(problem)],
        (None, None) => vec![Outcome { status: response.status().as_u16(), ..Outcome::default() }],
    };
    let is_batch = endpoint.ends_with("/batch") && outcomes.len() > 1;
    for (index, outcome) in outcomes.into_iter().enumerate() {
        let request_id = if is_batch { format!("{id}.{index}") } else { id.to_string() };
        audit::suspicious(&api, &request_id, &identity, endpoint, &outcome);
        if let Some(logger) = &api.request_log {
            let whose = Whose { identity: &identity, request_id, created_at, endpoint, took };
            logger.log.log(whose.row(outcome));
        }
    }
    response
}

/// What the outcomes of a request have in common.
struct Whose<'a> {
    identity: &'a Identity,
    request_id: String,
    created_at: Duration,
    endpoint: &'static str,
    took: Duration,
}

impl Whose<'_> {
    fn row(self, outcome: Outcome) -> LoggedRequest {
        LoggedRequest {
            tenant: self.identity.caller.tenant().clone(),
            request_id: self.request_id,
            created_at: self.created_at,
            endpoint: self.endpoint,
            api_key_id: self.identity.key.as_ref().map(|key| key.id.to_string()),
            status: outcome.status,
            code: outcome.code.map(str::to_owned),
            provider: outcome.provider,
            model: outcome.model,
            schema: outcome.schema,
            template: outcome.template,
            processing_time: outcome.took.unwrap_or(self.took),
            input_tokens: outcome.input_tokens,
            output_tokens: outcome.output_tokens,
            cost_usd: outcome.cost_usd,
            cached: outcome.cached,
            validation_status: outcome.validation_status,
            confidence: outcome.confidence,
            prompt: outcome.prompt,
            data: outcome.data,
        }
    }
}

//! `GET /v1/providers`: who can be asked, and how they are doing.

use std::time::Duration;

use axum::Json;
use axum::extract::State;
use serde::Serialize;
use utoipa::ToSchema;
use utoipa::openapi::Object;

use super::provider_list::KnownProvider;
use super::structured_response::milliseconds;
use crate::domain::answer::Usage;
use crate::http::openapi::schemas::words;
use crate::http::query::NoQuery;
use crate::http::state::ApiState;
use crate::pipeline::route::provider::Provider;

/// All of them. There are few, so there is one page.
#[derive(Debug, Serialize, ToSchema)]
pub struct ProviderList {
    data: Vec<Shown>,
    has_more: bool,
    #[schema(required)]
    next: Option<&'static str>,
}

/// A provider, and how it is doing.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Provider)]
struct Shown {
    name: String,
    /// The format that it is asked in.
    kind: &'static str,
    model: String,
    #[schema(schema_with = states)]
    state: &'static str,
    /// Of the last five minutes, as `error_rate` is.
    #[schema(required)]
    p95_ms: Option<u64>,
    error_rate: f64,
    in_flight: u32,
    prices: Prices,
}

/// US dollars per 1,000 tokens.
#[derive(Debug, Serialize, ToSchema)]
struct Prices {
    input_per_1k: f64,
    output_per_1k: f64,
    cached_per_1k: f64,
}

/// Lists who can be asked, and how they are doing
#[utoipa::path(
    get, path = "/v1/providers", tag = "Providers", operation_id = "list_providers",
    responses((status = 200, description = "All of them", body = ProviderList, example = json!({
        "data": [{
            "name": "claude", "kind": "anthropic", "model": "claude-sonnet-5-5", "state": "up",
            "p95_ms": 1840, "error_rate": 0.002, "in_flight": 3,
            "prices": { "input_per_1k": 0.003, "output_per_1k": 0.015, "cached_per_1k": 0.0003 },
        }],
        "has_more": false,
        "next": null,
    }))),
)]
pub async fn list(State(api): State<ApiState>, _: NoQuery) -> Json<ProviderList> {
    Json(ProviderList { data: api.providers.iter().map(shown).collect(), has_more: false, next: None })
}

fn shown(KnownProvider { kind, provider }: &KnownProvider) -> Shown {
    let (model, summary) = (provider.model(), provider.summary());
    let price = |usage| model.cost_usd(usage);
    Shown {
        name: provider.name().to_string(),
        kind,
        model: model.family().to_owned(),
        state: state(provider),
        p95_ms: summary.p95.map(|p95: Duration| milliseconds(p95)),
        error_rate: (summary.error_ratio * 1e4).round() / 1e4,
        in_flight: provider.in_flight(),
        prices: Prices {
            input_per_1k: price(Usage { input_tokens: 1000, ..Usage::default() }),
            output_per_1k: price(Usage { output_tokens: 1000, ..Usage::default() }),
            cached_per_1k: price(Usage { input_tokens: 1000, cached_tokens: 1000, ..Usage::default() }),
        },
    }
}

fn states() -> Object {
    words(
        "Down while nobody may ask it, degraded while it is asked only when no other can be",
        ["up", "degraded", "down"],
    )
}

/// Down while nobody may ask it, degraded while it is asked only when no other can be.
fn state(provider: &Provider) -> &'static str {
    if provider.open().is_some() {
        "down"
    } else if provider.disabled().is_some() {
        "degraded"
    } else {
        "up"
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::time::Duration;

    use serde_json::json;

    use crate::domain::failure::Code;
    use crate::http::testing::{Api, parts};
    use crate::pipeline::route::testing::{Scripted, fails_for};

    #[tokio::test(start_paused = true)]
    async fn a_provider_shows_what_it_costs_and_that_it_asked_for_a_pause() {
        let script = [fails_for(Code::ProviderRateLimited, Duration::from_secs(90))];
        let api = Api::new(parts(&[Scripted::new("a", script) as Arc<_>]));
        let first = api.get("/v1/providers").await.json();
        assert_eq!((&first["has_more"], &first["next"]), (&json!(false), &json!(null)));
        let provider = &first["data"][0];
        assert_eq!(
            (&provider["name"], &provider["kind"], &provider["state"]),
            (&json!("a"), &json!("fake"), &json!("up"))
        );
        assert_eq!((&provider["p95_ms"], &provider["in_flight"]), (&json!(null), &json!(0)));
        assert_eq!(provider["prices"].as_object().unwrap().len(), 3);
        api.post("/v1/analyze", &json!({ "prompt": "x" })).await;
        let provider = &api.get("/v1/providers").await.json()["data"][0];
        assert_eq!(provider["state"], "down", "{provider}");
    }
}

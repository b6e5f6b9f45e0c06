//! `GET /v1/providers`: who can be asked, and how they are doing.

use std::time::Duration;

use axum::Json;
use axum::extract::State;
use serde::Serialize;

use super::provider_list::KnownProvider;
use super::structured_response::milliseconds;
use crate::domain::answer::Usage;
use crate::http::state::ApiState;
use crate::pipeline::route::provider::Provider;

/// All of them. There are few, so there is one page.
#[derive(Debug, Serialize)]
pub struct ProviderList {
    data: Vec<Shown>,
    has_more: bool,
    next: Option<&'static str>,
}

#[derive(Debug, Serialize)]
struct Shown {
    name: String,
    kind: &'static str,
    model: String,
    state: &'static str,
    /// Of the last five minutes, as `error_rate` is.
    p95_ms: Option<u64>,
    error_rate: f64,
    in_flight: u32,
    prices: Prices,
}

/// US dollars per 1,000 tokens.
#[derive(Debug, Serialize)]
struct Prices {
    input_per_1k: f64,
    output_per_1k: f64,
    cached_per_1k: f64,
}

/// The handler of the route.
pub async fn list(State(api): State<ApiState>) -> Json<ProviderList> {
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

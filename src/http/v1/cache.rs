//! `/v1/cache`: remembered answers as a whole.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::extract::State;
use axum::http::Uri;
use axum::{Extension, Json};
use serde::Serialize;
use utoipa::ToSchema;

use crate::domain::name_pattern::NamePattern;
use crate::http::audit;
use crate::http::auth::Identity;
use crate::http::error_status::RequestCode;
use crate::http::problem::Problem;
use crate::http::query::Query;
use crate::http::request_id::RequestId;
use crate::http::state::{ApiParts, ApiState};
use crate::ports::answer_cache::TierStats;
use crate::ports::audit::{AuditEvent, AuditEventType, AuditResult};

/// Longest pattern, in characters.
const MAX_PATTERN_CHARS: usize = 200;

/// The answer of `DELETE /v1/cache`.
#[derive(Debug, Serialize, ToSchema)]
pub struct Invalidated {
    /// Answers that were forgotten.
    invalidated: u64,
}

/// The answer of `GET /v1/cache/stats`. What cannot be told now is null.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = CacheStats)]
pub struct Stats {
    #[schema(required)]
    entries: Option<u64>,
    #[schema(required)]
    bytes: Option<u64>,
    hits: u64,
    misses: u64,
    hit_rate: f64,
    tiers: BTreeMap<&'static str, Tier>,
}

/// `memory` of this process, and `redis` where it is shared.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = CacheTier)]
struct Tier {
    #[schema(required)]
    entries: Option<u64>,
    #[schema(required)]
    bytes: Option<u64>,
    hits: u64,
    misses: u64,
    hit_rate: f64,
}

/// Forgets answers by name
///
/// The caller's answers whose tag, schema or template has a name of the pattern. Finished though the client has gone:
/// other processes are told at the end, and would keep in memory what has left the shared tier.
///
/// # Errors
/// `invalid_request` without a pattern; `store_unavailable` when the shared tier cannot be reached.
#[utoipa::path(
    delete, path = "/v1/cache", tag = "Cache", operation_id = "invalidate_cache",
    params(("pattern" = String, Query, min_length = 1, max_length = 200, example = "invoice_*",
        description = "A name, with `*` for any characters and `?` for one")),
    responses((status = 200, description = "They are forgotten", body = Invalidated, example = json!({ "invalidated": 12 }))),
)]
pub async fn invalidate(
    State(api): State<ApiState>,
    Extension(identity): Extension<Identity>,
    Extension(id): Extension<RequestId>,
    uri: Uri,
) -> Result<Json<Invalidated>, Problem> {
    let mut query = Query::of(&uri);
    let pattern = pattern(&mut query);
    query.finish()?;
    let asking = Arc::clone(&api);
    let work = async move {
        let invalidated = api.cache.invalidate(identity.caller.tenant(), &NamePattern::new(pattern.clone())).await;
        record(&api, &id, &identity, &pattern, invalidated.as_ref().ok());
        if let Err(incomplete) = &invalidated {
            tracing::warn!(error = %incomplete, "remembered answers could not be invalidated everywhere");
        }
        invalidated
    };
    let invalidated = asking.to_its_end(work).await?.map_err(|_incomplete| {
        let detail = "the shared cache cannot be reached, and answers may still be in it; ask again when it is there";
        Problem::new(RequestCode::StoreUnavailable, detail)
    })?;
    Ok(Json(Invalidated { invalidated }))
}

/// The pattern that must be there. A request without one is refused when its query is finished.
fn pattern(query: &mut Query) -> String {
    let help = format!("send a pattern of 1 to {MAX_PATTERN_CHARS} characters, for example invoice_*, or * for all");
    let pattern = query.required("pattern", &help).unwrap_or_default();
    if pattern.chars().count() > MAX_PATTERN_CHARS {
        query.error("pattern", help);
    }
    pattern
}

/// Records that answers were removed.
fn record(api: &ApiParts, id: &RequestId, identity: &Identity, pattern: &str, removed: Option<&u64>) {
    let (result, outcome) = match removed {
        Some(removed) => (AuditResult::Success, format!("{removed} removed")),
        None => (AuditResult::Failed, "not removed everywhere".to_owned()),
    };
    api.audit.record(AuditEvent {
        resource: "cache".to_owned(),
        detail: Some(format!("pattern {pattern}: {outcome}")),
        ..audit::event_of(api, id.as_str(), identity, (AuditEventType::CacheInvalidation, result))
    });
}

/// Tells how much is remembered, and how often that helps
///
/// # Errors
/// `invalid_request` with a query.
#[utoipa::path(
    get, path = "/v1/cache/stats", tag = "Cache", operation_id = "cache_stats",
    responses(
        (status = 200, description = "Of this process since its start, and of what all share", body = Stats, example = json!({
            "entries": 9, "bytes": 18432, "hits": 7, "misses": 3, "hit_rate": 0.7,
            "tiers": { "memory": { "entries": 9, "bytes": 18432, "hits": 7, "misses": 3, "hit_rate": 0.7 } },
        })),
        (status = 400, description = "`invalid_request`: there is a query"),
    ),
)]
pub async fn stats(State(api): State<ApiState>, uri: Uri) -> Result<Json<Stats>, Problem> {
    Query::of(&uri).finish()?;
    Ok(Json(Stats::of(&api.cache.stats().await)))
}

impl Stats {
    /// An answer in both tiers is one entry, so the larger of them counts; a request misses when the last tier does.
    fn of(tiers: &[TierStats]) -> Self {
        let hits = tiers.iter().map(|tier| tier.hits).sum();
        let misses = tiers.last().map_or(0, |tier| tier.misses);
        let shown = |tier: &TierStats| {
            let TierStats { tier, entries, bytes, hits, misses } = *tier;
            (tier, Tier { entries, bytes, hits, misses, hit_rate: hit_rate(hits, misses) })
        };
        Self {
            entries: tiers.iter().filter_map(|tier| tier.entries).max(),
            bytes: tiers.iter().filter_map(|tier| tier.bytes).max(),
            hits,
            misses,
            hit_rate: hit_rate(hits, misses),
            tiers: tiers.iter().map(shown).collect(),
        }
    }
}

/// To four digits after the point; 0 where nothing was looked up.
fn hit_rate(hits: u64, misses: u64) -> f64 {
    #[allow(clippy::cast_precision_loss, reason = "a share to four digits")]
    let share = hits as f64 / (hits + misses).max(1) as f64;
    (share * 1e4).round() / 1e4
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use axum::body::Body;
    use axum::http::Request;
    use futures_util::FutureExt as _;
    use futures_util::future::{BoxFuture, ready};
    use serde_json::{Value, json};
    use tokio::sync::Notify;
    use tokio::time::timeout;

    use super::*;
    use crate::domain::tenant::Tenant;
    use crate::http::testing::{Answer, Api, parts};
    use crate::ports::answer_cache::{AnswerCache, NotInvalidated};
    use crate::ports::model::FakeModel;

    async fn delete(api: &Api, path: &str) -> Answer {
        api.send(Request::delete(path).body(Body::empty()).unwrap()).await
    }

    async fn ask(api: &Api, prompt: &str, tag: &str) -> Value {
        let options = json!({ "bypass_validation": true, "cache_tag": tag });
        api.post("/v1/analyze", &json!({ "prompt": prompt, "options": options })).await.json()
    }

    #[tokio::test]
    async fn answers_are_forgotten_by_the_pattern_of_their_names() {
        let api = Api::new(parts(&[Arc::new(FakeModel::new((0..9).map(|_| FakeModel::says("{}"))))]));
        ask(&api, "x", "invoice_2025").await;
        ask(&api, "x", "invoice_2026").await;
        assert_eq!(api.get("/v1/cache/stats").await.json()["tiers"]["memory"]["entries"], 2);
        assert_eq!(delete(&api, "/v1/cache?pattern=invoice_2025").await.json(), json!({ "invalidated": 1 }));
        assert_eq!(ask(&api, "x", "invoice_2025").await["cached"], false);
        assert_eq!(ask(&api, "x", "invoice_2026").await["cached"], true);
        assert_eq!(delete(&api, "/v1/cache?pattern=in%76oice_*").await.json(), json!({ "invalidated": 2 }));
        for path in [
            "/v1/cache",
            "/v1/cache?pattern=",
            "/v1/cache?pattern=a&pattern=b",
            "/v1/cache?pattern=a&x=1",
            "/v1/cache?patern=a",
        ] {
            assert_eq!(delete(&api, path).await.problem(), (400, "invalid_request".to_owned()), "{path}");
        }
        let detail = async |path: &str| delete(&api, path).await.json()["errors"][0]["detail"].clone();
        for path in ["/v1/cache", "/v1/cache?pattern=", &format!("/v1/cache?pattern={}", "x".repeat(201))] {
            let detail = detail(path).await;
            assert!(detail.as_str().unwrap().starts_with("send a pattern of 1 to 200 characters"), "{path}: {detail}");
        }
        let twice = delete(&api, "/v1/cache?pattern=&pattern=b").await;
        assert_eq!(twice.places(), ["?pattern"], "what is wrong with a parameter is said once: {twice:?}");
        let misspelt = delete(&api, "/v1/cache?patern=a").await;
        assert_eq!(misspelt.places(), ["?pattern", "?patern"]);
        assert!(misspelt.text.contains("there is no such parameter; did you mean ?pattern"), "{misspelt:?}");
        assert_eq!(api.get("/v1/cache/stats?x=1").await.problem().0, 400);
    }

    /// A cache whose invalidations wait.
    #[derive(Default)]
    struct Waits {
        has_begun: Notify,
        goes_on: Notify,
        is_done: Notify,
    }

    impl AnswerCache for Waits {
        fn stats(&self) -> BoxFuture<'_, Vec<TierStats>> {
            ready(Vec::new()).boxed()
        }

        fn invalidate<'a>(
            &'a self,
            _tenant: &'a Tenant,
            _pattern: &'a NamePattern,
        ) -> BoxFuture<'a, Result<u64, NotInvalidated>> {
            async {
                self.has_begun.notify_one();
                self.goes_on.notified().await;
                self.is_done.notify_one();
                Ok(0)
            }
            .boxed()
        }
    }

    #[tokio::test]
    async fn an_invalidation_that_has_begun_is_finished_though_its_client_has_gone() {
        let cache = Arc::new(Waits::default());
        let api = Api::new(ApiParts { cache: Arc::clone(&cache) as _, ..parts(&[]) });
        tokio::select! {
            answer = delete(&api, "/v1/cache?pattern=*") => panic!("it was to wait: {answer:?}"),
            () = cache.has_begun.notified() => {}
        }
        cache.goes_on.notify_one();
        timeout(Duration::from_secs(10), cache.is_done.notified()).await.expect("it is finished");
    }

    #[test]
    fn tiers_are_counted_together() {
        let tier = |tier, entries, hits, misses| TierStats { tier, entries, bytes: None, hits, misses };
        let stats = Stats::of(&[tier("memory", Some(3), 6, 4), tier("redis", Some(9), 1, 3)]);
        let stats = serde_json::to_value(stats).unwrap();
        assert_eq!((&stats["entries"], &stats["bytes"], &stats["hit_rate"]), (&json!(9), &json!(null), &json!(0.7)));
        assert_eq!((&stats["hits"], &stats["misses"]), (&json!(7), &json!(3)));
        assert_eq!(stats["tiers"]["memory"]["hit_rate"], 0.6);
        assert_eq!(serde_json::to_value(Stats::of(&[])).unwrap()["hit_rate"], 0.0);
    }
}

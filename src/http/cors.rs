//! Which web pages may ask from a browser (CORS). A browser asks first, without a key, whether it may.

use axum::http::{HeaderName, Method, header};
use tower_http::cors::{AllowHeaders, AllowOrigin, CorsLayer};

use super::request_id;
use super::settings::{CorsSettings, Origins};

/// All that routes take.
const METHODS: [Method; 6] = [Method::GET, Method::HEAD, Method::POST, Method::PUT, Method::PATCH, Method::DELETE];

/// Headers of answers that a page may read, beside those that any page may.
const EXPOSED: [HeaderName; 7] = [
    header::ETAG,
    header::LOCATION,
    header::RETRY_AFTER,
    request_id::HEADER,
    HeaderName::from_static("idempotency-replayed"),
    HeaderName::from_static("ratelimit"),
    HeaderName::from_static("ratelimit-policy"),
];

/// Answers browsers as the user chose. A page may send any header: it has no key but the one that its user gave it.
pub fn layer(settings: &CorsSettings) -> CorsLayer {
    let origins = match &settings.origins {
        Origins::Any => AllowOrigin::any(),
        Origins::These(origins) => AllowOrigin::list(origins.iter().cloned()),
    };
    CorsLayer::new()
        .allow_origin(origins)
        .allow_methods(METHODS)
        .allow_headers(AllowHeaders::mirror_request())
        .allow_credentials(settings.credentials)
        .expose_headers(EXPOSED)
        .max_age(settings.max_age)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::time::Duration;

    use axum::body::Body;
    use axum::http::{HeaderValue, Request};
    use serde_json::json;

    use super::*;
    use crate::http::auth::Authenticator;
    use crate::http::testing::{Answer, Api, parts};
    use crate::ports::clock::SystemClock;
    use crate::ports::model::FakeModel;

    const PAGE: &str = "https://app.example.com";

    /// An API that pages of these origins may ask, with a key that nobody has.
    fn api(origins: Option<Origins>) -> Api {
        let mut parts = parts(&[Arc::new(FakeModel::default())]);
        let max_age = Duration::from_secs(600);
        parts.settings.cors = origins.map(|origins| CorsSettings { origins, credentials: false, max_age });
        let keys = Authenticator::keys(None, Arc::new(SystemClock), Arc::clone(&parts.metrics));
        parts.authenticator = Arc::new(keys);
        Api::new(parts)
    }

    fn one_page() -> Api {
        api(Some(Origins::These(vec![HeaderValue::from_static(PAGE)])))
    }

    async fn preflight(api: &Api, origin: &str) -> Answer {
        let request = Request::options("/v1/analyze")
            .header("origin", origin)
            .header("access-control-request-method", "POST")
            .header("access-control-request-headers", "authorization,idempotency-key,traceparent");
        api.send(request.body(Body::empty()).unwrap()).await
    }

    #[tokio::test]
    async fn a_browser_is_told_without_a_key_what_a_page_may_ask() {
        let answer = preflight(&one_page(), PAGE).await;
        assert_eq!((answer.status.as_u16(), answer.text.as_str()), (200, ""), "{answer:?}");
        assert_eq!(answer.header("access-control-allow-origin"), PAGE);
        assert_eq!(answer.header("access-control-allow-methods"), "GET,HEAD,POST,PUT,PATCH,DELETE");
        assert_eq!(answer.header("access-control-allow-headers"), "authorization,idempotency-key,traceparent");
        assert_eq!(answer.header("access-control-max-age"), "600");
        assert_eq!(answer.header("access-control-allow-credentials"), "");
    }

    #[tokio::test]
    async fn a_page_of_another_origin_may_not_ask() {
        for origin in ["https://app.example.com.evil.example", "http://app.example.com", "null"] {
            let answer = preflight(&one_page(), origin).await;
            assert_eq!(answer.header("access-control-allow-origin"), "", "{origin}");
            assert!(answer.headers.get_all("vary").iter().any(|vary| vary.to_str().unwrap().contains("origin")));
        }
    }

    #[tokio::test]
    async fn a_page_may_read_problems_and_the_limits_of_its_key() {
        let api = one_page();
        let request = Request::post("/v1/analyze").header("origin", PAGE).header("content-type", "application/json");
        let refused = api.send(request.body(Body::from(json!({ "prompt": "x" }).to_string())).unwrap()).await;
        assert_eq!(refused.problem(), (401, "unauthorized".to_owned()));
        assert_eq!(refused.header("access-control-allow-origin"), PAGE);
        let exposed = refused.header("access-control-expose-headers");
        assert!(exposed.contains("x-request-id") && exposed.contains("ratelimit-policy"), "{exposed}");
        assert_eq!(refused.header("x-frame-options"), "DENY");
    }

    #[tokio::test]
    async fn any_page_may_ask_if_the_user_says_so_and_none_unless_told() {
        let any = preflight(&api(Some(Origins::Any)), PAGE).await;
        assert_eq!(any.header("access-control-allow-origin"), "*");
        let none = preflight(&api(None), PAGE).await;
        assert_eq!(none.problem(), (405, "method_not_allowed".to_owned()));
        assert_eq!(none.header("access-control-allow-origin"), "");
    }
}

//! Clients that do not encrypt are sent to where they must.

use axum::Router;
use axum::extract::{Request, State};
use axum::http::uri::{Authority, PathAndQuery};
use axum::http::{HeaderValue, StatusCode, header};
use axum::middleware::from_fn;
use axum::response::{IntoResponse as _, Response};

use super::error_status::RequestCode;
use super::middleware;
use super::problem::Problem;

/// The port that URLs with `https` do not name.
pub const HTTPS: u16 = 443;

/// Sends every request to this port of the host that it names, over HTTPS.
pub fn router(port: u16) -> Router {
    Router::new().fallback(to_https).layer(from_fn(middleware::around)).with_state(port)
}

async fn to_https(State(port): State<u16>, request: Request) -> Response {
    let Some(location) = location(&request, port) else {
        let detail = "the request names no host; ask again with a Host header, or over HTTPS";
        return Problem::new(RequestCode::InvalidRequest, detail).into_response();
    };
    // Method and body stay as they are.
    (StatusCode::PERMANENT_REDIRECT, [(header::LOCATION, location)]).into_response()
}

fn location(request: &Request, port: u16) -> Option<HeaderValue> {
    let named = request.headers().get(header::HOST).and_then(|host| host.to_str().ok()?.parse::<Authority>().ok());
    let authority = request.uri().authority().cloned().or(named)?;
    let host = authority.host();
    // The `*` of OPTIONS is no path, and would become a part of the host.
    let path = request.uri().path_and_query().map(PathAndQuery::as_str).filter(|path| path.starts_with('/'));
    let path = path.unwrap_or("/");
    let place = if port == HTTPS { host.to_owned() } else { format!("{host}:{port}") };
    HeaderValue::try_from(format!("https://{place}{path}")).ok().filter(|_| !host.is_empty())
}

#[cfg(test)]
mod tests {
    use axum::body::Body;

    use super::*;
    use crate::http::testing::{Answer, Api};

    async fn redirected(port: u16, path: &str, host: &str) -> Answer {
        let request = Request::post(path).header("host", host).body(Body::from("{}")).unwrap();
        Api::of(router(port)).send(request).await
    }

    #[tokio::test]
    async fn a_request_is_sent_to_the_same_path_of_the_same_host_over_https() {
        for (port, host, location) in [
            (443, "api.example.com", "https://api.example.com/v1/cache?pattern=a*"),
            (8443, "api.example.com:8080", "https://api.example.com:8443/v1/cache?pattern=a*"),
            (443, "[::1]:80", "https://[::1]/v1/cache?pattern=a*"),
        ] {
            let answer = redirected(port, "/v1/cache?pattern=a*", host).await;
            assert_eq!((answer.status.as_u16(), answer.header("location")), (308, location));
        }
        assert_eq!(redirected(443, "//evil.example", "a").await.header("location"), "https://a//evil.example");
    }

    #[tokio::test]
    async fn a_question_about_the_whole_server_is_sent_to_its_root() {
        let request = Request::options("*").header("host", "api.example.com").body(Body::empty()).unwrap();
        let answer = Api::of(router(443)).send(request).await;
        assert_eq!(answer.header("location"), "https://api.example.com/");
    }

    #[tokio::test]
    async fn a_request_without_a_host_is_a_problem() {
        for host in ["", "a b", "user@", "a/b"] {
            let answer = redirected(443, "/", host).await;
            assert_eq!(answer.problem(), (400, "invalid_request".to_owned()), "{host}");
        }
    }
}

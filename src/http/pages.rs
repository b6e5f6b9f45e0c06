//! The API explained in a browser: Swagger UI, where it can be tried out, and ReDoc. Everything that they load comes
//! from this program, so they work without the Internet, and their policy allows nothing else.
//!
//! Scripts and styles are sent as they lie here, compressed by gzip, which every browser takes.

use std::sync::Arc;

use axum::Router;
use axum::extract::rejection::PathRejection;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, HeaderName, header};
use axum::response::{Html, IntoResponse, Redirect, Response};
use axum::routing::get;

use super::compression::Precompressed;
use super::error_status::RequestCode;
use super::openapi::document;
use super::problem::Problem;
use super::state::ApiState;

/// Both pages put styles into the document while they run; ReDoc searches in a worker that it makes itself.
const POLICY: (HeaderName, &str) = (
    header::CONTENT_SECURITY_POLICY,
    "default-src 'none'; script-src 'self'; worker-src blob:; style-src 'self' 'unsafe-inline'; \
     img-src 'self' data:; font-src 'self' data:; connect-src 'self'; base-uri 'none'; form-action 'none'; \
     frame-ancestors 'none'",
);
/// An hour: their names stay the same when the program is updated.
const KEPT: (HeaderName, &str) = (header::CACHE_CONTROL, "max-age=3600");
const GZIP: (HeaderName, &str) = (header::CONTENT_ENCODING, "gzip");
const JAVASCRIPT: (HeaderName, &str) = (header::CONTENT_TYPE, "text/javascript; charset=utf-8");
const CSS: (HeaderName, &str) = (header::CONTENT_TYPE, "text/css; charset=utf-8");
const JSON: (HeaderName, &str) = (header::CONTENT_TYPE, "application/json");

type FileName = Result<Path<String>, PathRejection>;

static DOCUMENT: Precompressed = Precompressed::new(document);

/// Routes for people, who need no key to read.
pub fn routes() -> Router<ApiState> {
    Router::new()
        .route("/openapi.json", get(openapi))
        .route("/docs", get(async || ([POLICY], Html(include_str!("pages/docs.html")))))
        .route("/docs/", get(async || Redirect::permanent("/docs")))
        .route("/docs/{file}", get(docs_file))
        .route("/redoc", get(async || ([POLICY], Html(include_str!("pages/redoc.html")))))
        .route("/redoc/", get(async || Redirect::permanent("/redoc")))
        .route("/redoc/{file}", get(redoc_file))
}

async fn openapi(State(api): State<ApiState>, headers: HeaderMap) -> Response {
    ([JSON], DOCUMENT.response(&api.tasks, &headers).await).into_response()
}

async fn docs_file(file: FileName) -> Response {
    let file = name(&file);
    match file {
        "init.js" => ([JAVASCRIPT, KEPT], include_str!("pages/docs.js")).into_response(),
        "swagger-ui-bundle.js" => ([JAVASCRIPT, KEPT, GZIP], swagger_ui(file)).into_response(),
        "swagger-ui.css" => ([CSS, KEPT, GZIP], swagger_ui(file)).into_response(),
        _ => no_such_file(),
    }
}

async fn redoc_file(file: FileName) -> Response {
    match name(&file) {
        "init.js" => ([JAVASCRIPT, KEPT], include_str!("pages/redoc.js")).into_response(),
        "redoc.standalone.js" => {
            let script: &[u8] = include_bytes!("pages/redoc.standalone.js.gz");
            ([JAVASCRIPT, KEPT, GZIP], script).into_response()
        }
        _ => no_such_file(),
    }
}

/// No file has a name that is no text.
fn name(file: &FileName) -> &str {
    file.as_ref().map_or("", |Path(name)| name)
}

/// A file of Swagger UI, as the crate carries it.
fn swagger_ui(file: &str) -> Vec<u8> {
    let found = utoipa_swagger_ui::serve(file, Arc::default()).ok().flatten();
    found.map(|file| file.bytes.into_owned()).unwrap_or_default()
}

fn no_such_file() -> Response {
    Problem::new(RequestCode::NotFound, "the pages have no such file").into_response()
}

#[cfg(test)]
mod tests;

//! What the layers of the router do for every operation, said in the document: who may ask, the headers of each answer,
//! and the problems that no handler sees.

use axum::http::StatusCode;
use utoipa::Modify;
use utoipa::openapi::path::{Operation, PathItem};
use utoipa::openapi::schema::Components;
use utoipa::openapi::security::{Http, HttpAuthScheme, SecurityRequirement, SecurityScheme};
use utoipa::openapi::{Header, Object, OpenApi, Ref, RefOr, Response, Type};

use super::problems::{ProblemFormat, by_status, coded, name_of};
use crate::http::error_status::RequestCode;
use crate::http::v1::openai;

/// The headers of answers, with what each says.
const HEADERS: [(&str, &str); 5] = [
    ("x-request-id", "The request's id: the client's own, or a new one"),
    ("RateLimit-Policy", "The key's limit: `\"default\";q=1000;w=3600` is 1000 requests in 3600 seconds"),
    ("RateLimit", "What is left of it: `\"default\";r=999;t=4` is 999 requests, and all of them again in 4 seconds"),
    ("Retry-After", "Seconds after which the request may succeed"),
    ("WWW-Authenticate", "How a key is sent"),
];

/// Completes the operations.
pub(super) struct Layers;

/// Who may use an operation, by the layers that its route has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Audience {
    Everybody,
    Clients,
    Administrators,
}

/// Why a request does not reach its handler, by who may ask.
const OF_CLIENTS: [RequestCode; 4] =
    [RequestCode::Unauthorized, RequestCode::RateLimited, RequestCode::ShuttingDown, RequestCode::StoreUnavailable];
const OF_ADMINISTRATORS: [RequestCode; 4] =
    [RequestCode::Unauthorized, RequestCode::NotFound, RequestCode::ShuttingDown, RequestCode::StoreUnavailable];
/// Why parameters or a body are refused that are not what the operation takes.
const OF_PARAMETERS: [RequestCode; 1] = [RequestCode::InvalidRequest];
const OF_BODIES: [RequestCode; 4] = [
    RequestCode::InvalidRequest,
    RequestCode::RequestTimeout,
    RequestCode::PayloadTooLarge,
    RequestCode::UnsupportedMediaType,
];
/// What every operation may answer with, though none should.
const DEFECT: (StatusCode, &str) = (StatusCode::INTERNAL_SERVER_ERROR, "internal_error");

impl Modify for Layers {
    fn modify(&self, document: &mut OpenApi) {
        for (path, item) in &mut document.paths.paths {
            let (audience, format) = (Audience::of(path), problem_format(path));
            operations(item).for_each(|operation| complete(operation, audience, format));
        }
        add_components(document.components.get_or_insert_default());
    }
}

impl Audience {
    fn of(path: &str) -> Self {
        match path {
            "/v1/health" | "/v1/health/live" | "/v1/health/ready" | "/v1/metrics" => Self::Everybody,
            path if path.starts_with("/admin/") => Self::Administrators,
            _ => Self::Clients,
        }
    }

    fn security(self) -> Vec<SecurityRequirement> {
        let needs = |scheme| vec![SecurityRequirement::new(scheme, [] as [&str; 0])];
        match self {
            Self::Everybody => Vec::new(),
            Self::Clients => needs("key"),
            Self::Administrators => needs("admin_key"),
        }
    }

    fn codes(self) -> &'static [RequestCode] {
        match self {
            Self::Everybody => &[],
            Self::Clients => &OF_CLIENTS,
            Self::Administrators => &OF_ADMINISTRATORS,
        }
    }
}

fn problem_format(path: &str) -> ProblemFormat {
    if openai::error::is_route(path) { ProblemFormat::OpenAi } else { ProblemFormat::Rfc9457 }
}

fn add_components(components: &mut Components) {
    for (name, description) in [
        ("key", "A key of a client: `structured-prompt key create` makes one"),
        ("admin_key", "The admin key, `http.admin_key`; without it there is no `/admin`"),
    ] {
        let scheme = Http::builder().scheme(HttpAuthScheme::Bearer).description(Some(description)).build();
        components.security_schemes.insert(name.to_owned(), SecurityScheme::Http(scheme).into());
    }
    for (name, description) in HEADERS {
        let mut header = Header::new(Object::with_type(Type::String));
        header.description = Some(description.to_owned());
        components.headers.insert(name.to_owned(), header.into());
    }
    let codes = [&OF_CLIENTS[..], &OF_ADMINISTRATORS, &OF_PARAMETERS, &OF_BODIES].concat();
    for (status, mut problem) in by_status(codes.iter().map(coded).chain([DEFECT])) {
        ProblemFormat::Rfc9457.add_body(status, &mut problem);
        add_headers(status, &mut problem);
        components.responses.insert(name_of(status), problem.into());
    }
}

fn operations(item: &mut PathItem) -> impl Iterator<Item = &mut Operation> {
    let PathItem { get, put, post, delete, patch, .. } = item;
    [get, put, post, delete, patch].into_iter().flatten()
}

fn complete(operation: &mut Operation, audience: Audience, format: ProblemFormat) {
    operation.security = Some(audience.security());
    // What a Rust function returns as an error is among the responses.
    operation.description = operation.description.take().and_then(without_errors);
    let of_input: &[RequestCode] = match (&operation.request_body, audience) {
        (Some(_), _) => &OF_BODIES,
        (None, Audience::Clients | Audience::Administrators) => &OF_PARAMETERS,
        // Whoever looks after the process may add what they like.
        (None, Audience::Everybody) => &[],
    };
    let codes = audience.codes().iter().chain(of_input).map(coded).chain([DEFECT]);
    let responses = &mut operation.responses.responses;
    for (status, response) in by_status(codes) {
        responses.entry(status.as_str().to_owned()).or_insert_with(|| match format {
            ProblemFormat::Rfc9457 => Ref::from_response_name(name_of(status)).into(),
            ProblemFormat::OpenAi => response.into(),
        });
    }
    for (status, response) in responses {
        if let (RefOr::T(response), Ok(status)) = (response, status.parse()) {
            format.add_body(status, response);
            add_headers(status, response);
            if status.is_success() && audience == Audience::Clients {
                refer(response, ["RateLimit-Policy", "RateLimit"]);
            }
        }
    }
}

/// A doc comment without its section `# Errors`.
fn without_errors(description: String) -> Option<String> {
    let text = description.split("# Errors").next().unwrap_or_default().trim();
    (!text.is_empty()).then(|| text.to_owned())
}

fn add_headers(status: StatusCode, response: &mut Response) {
    refer(response, ["x-request-id"]);
    match status {
        StatusCode::UNAUTHORIZED => refer(response, ["WWW-Authenticate"]),
        StatusCode::TOO_MANY_REQUESTS => refer(response, ["RateLimit-Policy", "RateLimit", "Retry-After"]),
        StatusCode::CONFLICT | StatusCode::SERVICE_UNAVAILABLE => refer(response, ["Retry-After"]),
        _ => {}
    }
}

fn refer<const N: usize>(response: &mut Response, headers: [&str; N]) {
    for name in headers {
        let header = Ref::new(format!("#/components/headers/{name}"));
        response.headers.entry(name.to_owned()).or_insert(RefOr::Ref(header));
    }
}

//! The one table of error codes and HTTP statuses. `docs/errors.md` shows it; a test compares the two.

use axum::http::StatusCode;

use crate::domain::failure::{Code, Kind};

macro_rules! request_codes {
    ($($(#[$doc:meta])* $variant:ident = $name:literal, $status:ident;)*) => {
        /// Why a request is refused before, or without, the pipeline. Each has a section in `docs/errors.md`.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum RequestCode { $($(#[$doc])* $variant,)* }

        impl RequestCode {
            /// Every code.
            pub const ALL: &'static [RequestCode] = &[$(RequestCode::$variant,)*];

            /// The name that users see.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $name,)* }
            }

            /// The status that goes with it.
            pub const fn status(self) -> StatusCode {
                match self { $(Self::$variant => StatusCode::$status,)* }
            }
        }
    };
}

request_codes! {
    /// The request is not what the route takes.
    InvalidRequest = "invalid_request", BAD_REQUEST;
    /// The JSON Schema of the request cannot be used.
    InvalidSchema = "invalid_schema", BAD_REQUEST;
    /// There is no key, or it does not open this route.
    Unauthorized = "unauthorized", UNAUTHORIZED;
    /// It belongs to somebody else, or can be changed by nobody.
    Forbidden = "forbidden", FORBIDDEN;
    /// There is nothing at this path.
    NotFound = "not_found", NOT_FOUND;
    /// The path does not take this method.
    MethodNotAllowed = "method_not_allowed", METHOD_NOT_ALLOWED;
    /// There is one of this name already.
    AlreadyExists = "already_exists", CONFLICT;
    /// What was valid would not be valid any more, and the version does not say so.
    IncompatibleSchema = "incompatible_schema", CONFLICT;
    /// The same request is under way.
    IdempotencyInProgress = "idempotency_in_progress", CONFLICT;
    /// Another request has this idempotency key.
    IdempotencyMismatch = "idempotency_mismatch", UNPROCESSABLE_ENTITY;
    /// The request did not arrive in time.
    RequestTimeout = "request_timeout", REQUEST_TIMEOUT;
    /// It is not as the client knows it any more.
    PreconditionFailed = "precondition_failed", PRECONDITION_FAILED;
    /// The client does not say which state it knows.
    PreconditionRequired = "precondition_required", PRECONDITION_REQUIRED;
    /// The body is larger than the limit.
    PayloadTooLarge = "payload_too_large", PAYLOAD_TOO_LARGE;
    /// The body is not JSON, by its content type.
    UnsupportedMediaType = "unsupported_media_type", UNSUPPORTED_MEDIA_TYPE;
    /// The key's limit of requests is reached.
    RateLimited = "rate_limited", TOO_MANY_REQUESTS;
    /// The database cannot be used now.
    StoreUnavailable = "store_unavailable", SERVICE_UNAVAILABLE;
    /// The process is about to end.
    ShuttingDown = "shutting_down", SERVICE_UNAVAILABLE;
}

/// The status of a request that the pipeline has no answer to: by who must act, with these exceptions.
pub fn status_of(code: Code) -> StatusCode {
    if code == Code::IdConflict {
        return StatusCode::CONFLICT;
    }
    if matches!(code, Code::EventTooLarge | Code::ResultTooLarge) {
        return StatusCode::PAYLOAD_TOO_LARGE;
    }
    if matches!(code, Code::ProviderFailed | Code::ProviderMalformed | Code::ProviderRejected | Code::NotRecorded) {
        return StatusCode::BAD_GATEWAY;
    }
    if matches!(code, Code::DeadlineExceeded | Code::ProviderTimeout) {
        return StatusCode::GATEWAY_TIMEOUT;
    }
    match code.kind() {
        Kind::Invalid => StatusCode::BAD_REQUEST,
        Kind::Refused => StatusCode::UNPROCESSABLE_ENTITY,
        Kind::Unavailable => StatusCode::SERVICE_UNAVAILABLE,
        Kind::Bug => StatusCode::INTERNAL_SERVER_ERROR,
    }
}

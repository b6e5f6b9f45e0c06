//! What requests about keys look like, for the OpenAPI document. A test holds that the members here are those that are
//! read.

use utoipa::{IntoParams, ToSchema};

/// A key to make.
#[derive(Debug, ToSchema)]
#[schema(as = NewApiKey)]
#[serde(deny_unknown_fields)]
pub struct NewKeySchema {
    /// Who or what it is for, on one line.
    #[schema(pattern = "^[^\\x00-\\x1f\\x7f-\\x9f]{1,100}$")]
    pub name: String,
    /// The team that it asks for: letters, digits, `.`, `_` and `-`. `default` if left out.
    #[schema(pattern = "^[A-Za-z0-9._-]{1,64}$")]
    pub team: Option<String>,
    /// Requests that may be made with it in an hour; 1000 if left out.
    #[schema(minimum = 1, maximum = 100_000_000)]
    pub rate_limit: Option<u32>,
    /// When it ends; never if left out.
    #[schema(format = DateTime)]
    pub expires_at: Option<String>,
}

/// What to change of a key. What is left out stays.
#[derive(Debug, ToSchema)]
#[schema(as = ApiKeyChange)]
#[serde(deny_unknown_fields)]
pub struct KeyChangeSchema {
    /// Who or what it is for, on one line.
    #[schema(pattern = "^[^\\x00-\\x1f\\x7f-\\x9f]{1,100}$")]
    pub name: Option<String>,
    /// Requests that may be made with it in an hour.
    #[schema(minimum = 1, maximum = 100_000_000)]
    pub rate_limit: Option<u32>,
    /// When it ends; `null` for never.
    #[schema(format = DateTime)]
    pub expires_at: Option<String>,
}

/// Which state of the key the client knows, where it may say.
#[derive(Debug, IntoParams)]
#[into_params(parameter_in = Header)]
pub struct KeyIfMatch {
    /// The `ETag` of the key as it was read: one that was changed since is not changed.
    #[param(rename = "If-Match", example = "*")]
    pub if_match: Option<String>,
}

/// Which key.
#[derive(Debug, IntoParams)]
#[into_params(parameter_in = Path)]
pub struct KeyPath {
    /// Its id.
    #[param(example = "4f9KqT2mZxB")]
    pub id: String,
}

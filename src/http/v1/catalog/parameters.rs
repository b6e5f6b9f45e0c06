//! What stands in the paths, queries and headers of requests, for the OpenAPI document.

use utoipa::IntoParams;

/// Which entry.
#[derive(Debug, IntoParams)]
#[into_params(parameter_in = Path)]
pub struct EntryPath {
    /// Its name, with or without a version: `order`, `order@1`, `order@1.2` or `order@1.2.0`.
    #[param(example = "invoice")]
    pub id: String,
}

/// Which entry, where it is changed.
#[derive(Debug, IntoParams)]
#[into_params(parameter_in = Path)]
pub struct EntryName {
    /// Its name, without a version.
    #[param(example = "order")]
    pub id: String,
}

/// Which entries.
#[derive(Debug, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct EntryParameters {
    /// Those that have this text in their name or description.
    #[param(max_length = 200, example = "invoice")]
    pub search: Option<String>,
    /// Those of this visibility: `private` or `public`.
    #[param(pattern = "^(private|public)$", example = "public")]
    pub visibility: Option<String>,
}

/// Whether a version may be too small for its change.
#[derive(Debug, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct ForceParameter {
    /// `true` makes the version that is asked for, whatever was valid before.
    pub force: Option<bool>,
}

/// Which state the client knows, where it has to say.
#[derive(Debug, IntoParams)]
#[into_params(parameter_in = Header)]
pub struct IfMatch {
    /// The `ETag` of the version that was read, or `*`.
    #[param(rename = "If-Match", example = "*")]
    pub if_match: String,
}

/// Which state the client knows, where it may say.
#[derive(Debug, IntoParams)]
#[into_params(parameter_in = Header)]
pub struct OptionalIfMatch {
    /// The `ETag` of the version that was read: another one is not removed.
    #[param(rename = "If-Match", example = "*")]
    pub if_match: Option<String>,
}

/// Which state the client has.
#[derive(Debug, IntoParams)]
#[into_params(parameter_in = Header)]
pub struct IfNoneMatch {
    /// The `ETag` of the answer that the client has: 304 if it is still the same.
    #[param(rename = "If-None-Match")]
    pub if_none_match: Option<String>,
}

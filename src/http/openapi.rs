//! The OpenAPI document, made of the annotations of the handlers.
//!
//! - [`layers`]: what the layers of the router add to every operation; [`problems`]: the answers that are none;
//! - [`schemas`]: parts of schemas that no derive can say.
//!
//! `docs/openapi.json` is its snapshot: `structured-prompt openapi > docs/openapi.json`.

mod layers;
pub mod problems;
pub mod schemas;

use utoipa::OpenApi;

use self::layers::Layers;
use super::admin::{api_keys, log_level};
use super::v1::openai::{chat_completions, error, models};
use super::v1::templates::render;
use super::v1::{analyze, batch, cache, providers, requests, schemas as json_schemas, templates, usage};
use super::{health, metrics, problem};

/// Every operation that has a place in the document, by audience as in [`super::router`].
#[derive(OpenApi)]
#[openapi(
    info(title = "structured-prompt", description = include_str!("openapi/description.md")),
    paths(
        analyze::analyze,
        batch::analyze_batch,
        chat_completions::create,
        models::list,
        models::get,
        providers::list,
        json_schemas::list,
        json_schemas::create,
        json_schemas::get,
        json_schemas::change,
        json_schemas::delete,
        json_schemas::versions,
        templates::list,
        templates::create,
        templates::get,
        templates::change,
        templates::delete,
        templates::versions,
        render::render,
        cache::invalidate,
        cache::stats,
        requests::list,
        requests::get,
        usage::usage,
        api_keys::list,
        api_keys::create,
        api_keys::get,
        api_keys::change,
        api_keys::revoke,
        log_level::get,
        log_level::change,
        health::health,
        health::live,
        health::ready,
        metrics::metrics,
    ),
    components(schemas(problem::Problem, error::ErrorBody)),
    modifiers(&Layers),
    tags(
        (name = "Analyze", description = "Prompts and their answers"),
        (name = "OpenAI", description = "The same for those who have one of its clients"),
        (name = "Providers", description = "Who can be asked"),
        (name = "Schemas", description = "JSON Schemas that a team keeps, in versions"),
        (name = "Templates", description = "Prompt templates that a team keeps, in versions"),
        (name = "Cache", description = "Remembered answers"),
        (name = "Requests", description = "What the caller's team has asked, and what it cost"),
        (name = "API keys", description = "For administrators: the keys of all teams"),
        (name = "Logs", description = "For administrators: what is logged"),
        (name = "Operations", description = "For operators and their machines; no key is needed"),
    )
)]
struct Document;

/// The document as JSON.
pub fn document() -> String {
    let document = serde_json::to_string_pretty(&Document::openapi()).unwrap_or_default();
    document + "\n"
}

#[cfg(test)]
mod tests;

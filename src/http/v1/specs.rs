//! From a request to the specification that it comes to, found again by its content.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;
use sha2::{Digest as _, Sha256};

use super::named::NamedParts;
use super::prompt_request::{OwnSchema, PromptOptions, PromptRequest, SchemaChoice};
use crate::http::error_status::RequestCode;
use crate::http::problem::Problem;
use crate::pipeline::route::provider::{Provider, Signal};
use crate::pipeline::route::router::Router;
use crate::pipeline::route::settings::{RecordCeiling, Strategy};
use crate::pipeline::spec::{
    CacheMode, CachePolicy, Checks, EvidenceMode, Generation, LowConfidencePolicy, PatternPolicy, Spec, SpecSettings,
    UngroundedPolicy,
};
use crate::pipeline::spec_cache::{SpecCache, SpecDigest};
use crate::prompt::template::Template;
use crate::schema::{Schema, SchemaError};
use crate::tasks::Tasks;

/// The name of a client's own schema that has no title.
const OWN_SCHEMA: &str = "result";
/// The template of requests that have none: the prompt itself.
const PLAIN_TEMPLATE: &str = "{{ data }}";
/// Tokens that one request may take beside its prompt and answer, all of its calls together: what three calls send of
/// instructions and schema, and an answer of four times the usual length.
const REST_TOKENS: u64 = 22_768;

/// Who can be asked.
pub struct AskedProviders {
    /// Those that a request may name.
    pub by_name: BTreeMap<Arc<str>, Arc<Provider>>,
    /// Those that are asked otherwise, in the order in which they stand in for each other; never empty.
    pub fallback: Vec<Arc<Provider>>,
    /// How the first of them is chosen, unless the request says.
    pub strategy: Strategy,
    /// That of all providers.
    pub signal: Signal,
}

/// What holds for all requests.
#[derive(Debug, Clone, Copy)]
pub struct SpecDefaults {
    /// Longest prompt in characters.
    pub max_prompt_chars: usize,
    /// What to do with suspicious input.
    pub patterns: PatternPolicy,
    /// How long answers are remembered, unless the request says.
    pub cache_ttl: Duration,
}

/// The specifications of requests.
pub struct Specs {
    cache: SpecCache,
    builder: Arc<SpecBuilder>,
    tasks: Tasks,
}

/// Makes specifications of requests.
struct SpecBuilder {
    providers: AskedProviders,
    defaults: SpecDefaults,
}

impl Specs {
    /// Specifications that are asked of these providers.
    pub fn new(providers: AskedProviders, defaults: SpecDefaults, tasks: Tasks) -> Self {
        Self { cache: SpecCache::default(), builder: Arc::new(SpecBuilder { providers, defaults }), tasks }
    }

    /// The specification that a request comes to with what it names. A new one is made beside the threads that serve
    /// requests: that takes milliseconds, and many of them where a schema is meant to cost time.
    ///
    /// # Errors
    /// `invalid_request` or `invalid_schema`, with the place.
    pub async fn find(&self, request: &PromptRequest, named: &NamedParts) -> Result<Arc<Spec>, Problem> {
        let build = async {
            let (builder, request, named) = (Arc::clone(&self.builder), request.without_input(), named.clone());
            let built = self.tasks.computation(move || builder.build(&request, &named));
            built.await.map_err(|_panicked| Problem::defect())?
        };
        self.cache.get_or_build(with_versions(digest(request)?, named), build).await
    }
}

impl SpecBuilder {
    fn build(&self, request: &PromptRequest, named: &NamedParts) -> Result<Spec, Problem> {
        let PromptOptions {
            temperature,
            max_tokens,
            allow_relaxed,
            bypass_validation,
            confidence_threshold,
            evidence,
            ..
        } = request.options;
        let (template, schema, router) = (template(named)?, schema(request, named)?, self.router(request)?);
        let checks = Checks {
            max_prompt_chars: self.defaults.max_prompt_chars,
            patterns: self.defaults.patterns,
            bypass_validation: bypass_validation.unwrap_or(false),
            allow_relaxed: allow_relaxed.unwrap_or(true),
            confidence_threshold,
            on_low_confidence: LowConfidencePolicy::Flag,
            evidence: evidence.unwrap_or(EvidenceMode::Locate),
            on_ungrounded: UngroundedPolicy::Flag,
        };
        let cache = self.cache_policy(&request.options);
        let (generation, ceiling) = (Generation { temperature, max_tokens }, self.ceiling(max_tokens));
        let cache_tag = request.options.cache_tag.as_deref().map(Arc::from);
        let settings =
            SpecSettings { template, schema, generation, checks, ceiling, cache, cache_tag, calibration: None };
        Ok(Spec::new(settings, router))
    }

    fn cache_policy(&self, options: &PromptOptions) -> CachePolicy {
        let policy = CachePolicy::on(options.cache_ttl.unwrap_or(self.defaults.cache_ttl));
        match policy.mode {
            CacheMode::On if options.bypass_cache == Some(true) => CachePolicy { mode: CacheMode::WriteOnly, ..policy },
            CacheMode::Off | CacheMode::On | CacheMode::ReadOnly | CacheMode::WriteOnly => policy,
        }
    }

    /// Three calls with the longest prompt, whose tokens have three characters at the least, and with the longest
    /// answer.
    fn ceiling(&self, max_tokens: Option<u32>) -> RecordCeiling {
        let answers = 3 * u64::from(max_tokens.unwrap_or(0));
        RecordCeiling { tokens: self.defaults.max_prompt_chars as u64 + REST_TOKENS + answers, usd: None }
    }

    fn router(&self, request: &PromptRequest) -> Result<Router, Problem> {
        let AskedProviders { by_name, fallback, strategy, signal } = &self.providers;
        let PromptOptions { provider, strategy: wanted, .. } = &request.options;
        let members = match provider {
            None => fallback.clone(),
            Some(name) => match by_name.get(name.as_str()) {
                Some(provider) => vec![Arc::clone(provider)],
                None => {
                    let names: Vec<_> = by_name.keys().map(AsRef::as_ref).collect();
                    let detail = format!(
                        "there is no such provider; there are {}, and others when their keys are set",
                        names.join(", ")
                    );
                    let place = request.place_of(request.inherited.provider);
                    return Err(Problem::unknown_name(place.error("/options/provider", detail)));
                }
            },
        };
        Ok(Router::new(members, wanted.unwrap_or(*strategy), signal.clone()))
    }
}

fn template(named: &NamedParts) -> Result<Arc<Template>, Problem> {
    match &named.template {
        Some(named) => Ok(Arc::clone(&named.template)),
        None => Template::inline(PLAIN_TEMPLATE).map(Arc::new).map_err(|_constant| Problem::defect()),
    }
}

fn schema(request: &PromptRequest, named: &NamedParts) -> Result<Arc<Schema>, Problem> {
    match (&request.schema, &named.schema) {
        (Some(SchemaChoice::Own(own)), _) => {
            let digest = own_digest(request, own)?;
            let version: String = digest.iter().take(6).map(|byte| format!("{byte:02x}")).collect();
            let compiled = Schema::compile(&own_name(&own.json), &version, own.json.clone());
            compiled.map(Arc::new).map_err(|error| invalid_schema(request, &error))
        }
        (_, Some(schema)) => Ok(Arc::clone(schema)),
        (_, None) => Err(Problem::defect()),
    }
}

fn own_digest(request: &PromptRequest, own: &OwnSchema) -> Result<[u8; 32], Problem> {
    own.digest.as_ref().copied().map_err(|error| invalid_schema(request, error))
}

fn invalid_schema(request: &PromptRequest, error: &SchemaError) -> Problem {
    let place = request.place_of(request.inherited.schema).at("schema");
    Problem::at_places(RequestCode::InvalidSchema, vec![place.error(&error.pointer, error.message.as_str())])
}

/// The title of a client's own schema as a name that every provider accepts: `[a-zA-Z0-9_-]{1,64}`.
fn own_name(schema: &Value) -> String {
    let title = schema.get("title").and_then(Value::as_str).unwrap_or_default();
    let legal = |c: char| if c.is_ascii_alphanumeric() || matches!(c, '_' | '-') { c } else { '-' };
    let name: String = title.trim().chars().take(64).map(legal).collect();
    if name.chars().any(|c| c.is_ascii_alphanumeric()) { name } else { OWN_SCHEMA.to_owned() }
}

/// Over everything that makes a specification what it is, as far as the request says it. The prompt and the parameters
/// are not part of it: all parameters of a template have values.
///
/// # Errors
/// `invalid_schema` if the client's own schema is too large to be read.
pub(super) fn digest(request: &PromptRequest) -> Result<SpecDigest, Problem> {
    // Exhaustive on purpose: a new field does not compile until somebody decides whether it belongs here.
    let PromptRequest {
        place: _,
        inherited: _,
        prompt: _,
        only_parameter: _,
        template_id,
        parameters: _,
        schema,
        output_format: _,
        options,
    } = request;
    let PromptOptions {
        provider,
        strategy,
        temperature,
        max_tokens,
        timeout: _,
        bypass_cache,
        cache_ttl,
        cache_tag,
        bypass_validation,
        allow_relaxed,
        confidence_threshold,
        evidence,
    } = options;
    let mut hash = Sha256::new();
    let mut part = |bytes: Option<&[u8]>| {
        hash.update(bytes.map_or(u64::MAX, |bytes| bytes.len() as u64).to_be_bytes());
        hash.update(bytes.unwrap_or_default());
    };
    part(template_id.as_deref().map(str::as_bytes));
    let (named, own) = match schema {
        None => (None, None),
        Some(SchemaChoice::Named(id)) => (Some(id), None),
        Some(SchemaChoice::Own(own)) => (None, Some(own_digest(request, own)?)),
    };
    part(named.map(String::as_bytes));
    part(own.as_ref().map(<[u8; 32]>::as_slice));
    part(provider.as_deref().map(str::as_bytes));
    part(cache_tag.as_deref().map(str::as_bytes));
    part(strategy.map(|strategy| strategy.as_str().as_bytes()));
    let rest =
        (temperature, max_tokens, bypass_cache, cache_ttl, bypass_validation, allow_relaxed, confidence_threshold);
    part(Some(format!("{rest:?}").as_bytes()));
    part(Some(format!("{evidence:?}").as_bytes()));
    Ok(SpecDigest(hash.finalize().into()))
}

/// The same with what its names mean now.
fn with_versions(SpecDigest(request): SpecDigest, named: &NamedParts) -> SpecDigest {
    let mut hash = Sha256::new_with_prefix(request);
    let template = named.template.as_ref().map(|named| &named.template);
    let versions = [
        template.map(|template| (template.name(), template.version(), template.digest())),
        named.schema.as_ref().map(|schema| (schema.name(), schema.version(), schema.digest())),
    ];
    for version in versions {
        let Some((name, version, digest)) = version else {
            hash.update([0]);
            continue;
        };
        // Neither has a NUL in it.
        hash.update([1]);
        hash.update(format!("{name}\0{version}\0"));
        hash.update(digest);
    }
    SpecDigest(hash.finalize().into())
}

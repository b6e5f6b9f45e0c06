//! A specification: what is asked, and of whom. Immutable, shared by all requests that ask the same, and with
//! everything prepared that does not depend on the request.

use std::sync::Arc;
use std::time::Duration;

use sha2::{Digest as _, Sha256};

use crate::domain::answer_key::AnswerNames;
use crate::domain::calibration::Calibration;
use crate::domain::fingerprint::Fingerprint;
use crate::domain::tenant::Tenant;
use crate::pipeline::agreement::SecondProvider;
use crate::pipeline::ground::Grounder;
pub use crate::pipeline::ground::UngroundedPolicy;
use crate::pipeline::route::router::Router;
use crate::pipeline::route::settings::RecordCeiling;
use crate::ports::model::{CallSettings, CallSpec};
use crate::prompt::fold::fold;
use crate::prompt::meta::{self, QuotedFields};
use crate::prompt::template::Template;
use crate::schema::Schema;
use crate::schema::with_quotes::with_quotes;

/// What to do with input that looks like an injection attempt. Free text may well mention SQL, so a connector flags by
/// default and loses nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PatternPolicy {
    /// Do not look.
    Off,
    /// Mark the result.
    Flag,
    /// Refuse the input.
    Reject,
}

/// What to do with an answer below the confidence threshold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LowConfidencePolicy {
    /// Mark the result.
    Flag,
    /// Publish the result where a person sees it first.
    Review,
    /// Dead-letter the record.
    DeadLetter,
}

/// Whether it is found out where an answer's values stand in the record's text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EvidenceMode {
    /// It is not.
    Off,
    /// Values are looked for. It costs no tokens, unless the schema wants quotes for some of them.
    Locate,
    /// Values are looked for in what the model quotes for them, then elsewhere.
    Quote,
}

/// How a model generates.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Generation {
    /// Sampling temperature; `None` leaves it to the provider's setting.
    pub temperature: Option<f64>,
    /// Ceiling for the answer's tokens; `None` leaves it to the provider's setting.
    pub max_tokens: Option<u32>,
}

/// What input and answers are held against, beside the schema.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Checks {
    /// Longest prompt in characters, after normalisation.
    pub max_prompt_chars: usize,
    /// What to do with suspicious input.
    pub patterns: PatternPolicy,
    /// Whether any object is an answer, valid against the schema or not.
    pub bypass_validation: bool,
    /// Whether an answer that only nearly has the schema's shape may be published, marked.
    pub allow_relaxed: bool,
    /// Confidence below which [`Checks::on_low_confidence`] applies.
    pub confidence_threshold: Option<f64>,
    /// What happens below the threshold.
    pub on_low_confidence: LowConfidencePolicy,
    /// Whether values are looked for in the record's text.
    pub evidence: EvidenceMode,
    /// What happens where one is not there.
    pub on_ungrounded: UngroundedPolicy,
}

/// Which use is made of remembered answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CacheMode {
    /// They are neither used nor added to.
    Off,
    /// They are used, and added to. Equal questions at the same time share one call.
    On,
    /// They are used. A new answer is not remembered.
    ReadOnly,
    /// A provider is asked in any case, and its answer remembered.
    WriteOnly,
}

/// The use of remembered answers, and for how long a new one is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CachePolicy {
    /// Which use is made of them.
    pub mode: CacheMode,
    /// How long a new answer is remembered.
    pub ttl: Duration,
}

impl CachePolicy {
    /// Remembers nothing and uses nothing that is remembered.
    pub const OFF: Self = Self { mode: CacheMode::Off, ttl: Duration::ZERO };

    /// Uses what is remembered, and remembers answers for so long; a time of zero turns the cache off.
    pub const fn on(ttl: Duration) -> Self {
        if ttl.is_zero() { Self::OFF } else { Self { mode: CacheMode::On, ttl } }
    }

    /// Whether any use is made of them.
    pub fn is_on(self) -> bool {
        self.mode != CacheMode::Off
    }

    /// Whether a remembered answer may be taken.
    pub fn reads(self) -> bool {
        matches!(self.mode, CacheMode::On | CacheMode::ReadOnly)
    }

    /// Whether a new answer is remembered.
    pub fn writes(self) -> bool {
        matches!(self.mode, CacheMode::On | CacheMode::WriteOnly)
    }
}

/// What a user chooses about what is asked.
#[derive(Debug, Clone)]
pub struct SpecSettings {
    /// The compiled prompt template.
    pub template: Arc<Template>,
    /// The compiled schema.
    pub schema: Arc<Schema>,
    /// How a model generates.
    pub generation: Generation,
    /// What input and answers are held against.
    pub checks: Checks,
    /// What all calls for one request may cost.
    pub ceiling: RecordCeiling,
    /// The use of remembered answers.
    pub cache: CachePolicy,
    /// A name of the user's own, by which the answers can be invalidated.
    pub cache_tag: Option<Arc<str>>,
    /// How often values were right by their evidence, for results to tell.
    pub calibration: Option<Arc<Calibration>>,
}

/// What is asked, and of whom.
pub struct Spec {
    settings: SpecSettings,
    router: Router,
    call: CallSpec,
    grounder: Option<Grounder>,
    second_provider: Option<SecondProvider>,
    /// Over all that changes an answer but the tenant and the prompt.
    question: Sha256,
    /// The same as the first releases reckoned it: remembered outcomes are kept under it.
    outcome: Sha256,
}

impl Spec {
    /// A specification of these `settings` that is asked of the providers of `router`.
    pub fn new(settings: SpecSettings, router: Router) -> Self {
        let grounder = grounder(&settings);
        let quoted = grounder.as_ref().and_then(|grounder| quoted(settings.checks.evidence, grounder));
        let (question, outcome) = (question(&settings, quoted.as_ref(), &router), outcome(&settings, &router));
        let call = call(&settings, quoted.as_ref());
        Self { settings, router, call, grounder, second_provider: None, question, outcome }
    }

    /// The same, where a second provider is asked about some of the answers. It stays the same question: answers that are
    /// remembered are used, and say what was found out when they were given.
    #[must_use]
    pub fn compared_with(self, second: SecondProvider) -> Self {
        Self { second_provider: Some(second), ..self }
    }

    /// What the user chose.
    pub fn settings(&self) -> &SpecSettings {
        &self.settings
    }

    /// Who is asked.
    pub fn router(&self) -> &Router {
        &self.router
    }

    /// What the calls for all requests have in common.
    pub(super) fn call(&self) -> &CallSpec {
        &self.call
    }

    /// What looks for an answer's values in the record's text, where that is wanted.
    pub(super) fn grounder(&self) -> Option<&Grounder> {
        self.grounder.as_ref()
    }

    /// Who else is asked about its answers, if anybody is.
    pub(super) fn second_provider(&self) -> Option<&SecondProvider> {
        self.second_provider.as_ref()
    }

    /// What makes this question of this tenant the same as another one: the key of its remembered answer.
    /// White space in the prompt is folded, letter case if `fold_case` says so.
    pub(super) fn fingerprint(&self, tenant: &Tenant, prompt: &str, fold_case: bool) -> Fingerprint {
        let mut hash = self.question.clone();
        update(&mut hash, tenant.path());
        fold(prompt, fold_case, |piece| hash.update(piece));
        Fingerprint(hash.finalize().into())
    }

    /// The names by which this tenant's answers can be invalidated.
    pub(super) fn answer_names(&self, tenant: &Tenant) -> AnswerNames {
        let SpecSettings { template, schema, cache_tag, .. } = &self.settings;
        AnswerNames::new(tenant, cache_tag.as_deref(), schema.name(), template.name())
    }

    /// What makes an outcome that is remembered beyond the process that of the same question. It must never change:
    /// after an update of this program, and after a provider was set up anew, what was paid for is still found.
    pub(super) fn outcome_fingerprint(&self, prompt: &str) -> Fingerprint {
        Fingerprint(self.outcome.clone().chain_update(prompt).finalize().into())
    }
}

fn call(settings: &SpecSettings, quoted: Option<&QuotedFields>) -> CallSpec {
    let SpecSettings { schema, generation: Generation { temperature, max_tokens }, .. } = settings;
    let data = schema.asked();
    let (asked, data_schema) = match quoted {
        Some(_) => (with_quotes(data), Some(data.clone())),
        None => (data.clone(), None),
    };
    CallSpec::new(CallSettings {
        instructions: meta::opening(quoted),
        closing_instructions: meta::closing(&asked),
        schema_name: schema.name().to_owned(),
        schema: asked,
        data_schema,
        temperature: *temperature,
        max_tokens: *max_tokens,
    })
}

fn grounder(settings: &SpecSettings) -> Option<Grounder> {
    let SpecSettings { template, schema, checks, calibration, .. } = settings;
    let (template, schema) = (Arc::clone(template), Arc::clone(schema));
    let is_wanted = checks.evidence != EvidenceMode::Off;
    is_wanted.then(|| Grounder::new(template, schema, checks.on_ungrounded, calibration.clone()))
}

/// The values that the model is to quote for, if there are some.
fn quoted(mode: EvidenceMode, grounder: &Grounder) -> Option<QuotedFields> {
    match mode {
        EvidenceMode::Off => None,
        EvidenceMode::Quote => Some(QuotedFields::All),
        EvidenceMode::Locate => {
            Some(grounder.quoted_fields()).filter(|fields| !fields.is_empty()).map(QuotedFields::Only)
        }
    }
}

fn question(settings: &SpecSettings, quoted: Option<&QuotedFields>, router: &Router) -> Sha256 {
    // Exhaustive on purpose: a new setting does not compile until somebody decides whether it changes an answer.
    let SpecSettings { template, schema, generation, checks, ceiling: _, cache: _, cache_tag, calibration: _ } =
        settings;
    let Generation { temperature, max_tokens } = generation;
    let mut hash = Sha256::new_with_prefix(b"structured-prompt/question/3");
    // Answers are invalidated by these names: what one tag, schema or template gets rid of must not be another's hit.
    for name in [cache_tag.as_deref().unwrap_or_default(), schema.name(), template.name()] {
        update(&mut hash, name);
    }
    hash.update(schema.digest());
    hash.update(template.digest());
    hash.update(temperature.map_or([0xff; 8], f64::to_be_bytes));
    hash.update(max_tokens.map_or([0; 5], |tokens| {
        let [a, b, c, d] = tokens.to_be_bytes();
        [1, a, b, c, d]
    }));
    hash.update([accepted_answers(*checks)]);
    hash.update((router.providers().len() as u64).to_be_bytes());
    for provider in router.providers() {
        hash.update(provider.model().digest());
    }
    // Questions without quotes keep the key that they had before there were any.
    if let Some(quoted) = quoted {
        update(&mut hash, "quotes");
        let QuotedFields::Only(fields) = quoted else { return hash };
        fields.iter().for_each(|field| update(&mut hash, field));
    }
    hash
}

fn outcome(settings: &SpecSettings, router: &Router) -> Sha256 {
    let SpecSettings { template, schema, generation, checks, .. } = settings;
    let mut hash = Sha256::new_with_prefix(b"structured-prompt/question/1");
    hash.update(schema.digest());
    hash.update(template.digest());
    hash.update(generation.temperature.map_or([0xff; 8], f64::to_be_bytes));
    hash.update(generation.max_tokens.unwrap_or(0).to_be_bytes());
    hash.update([accepted_answers(*checks)]);
    for provider in router.providers() {
        update(&mut hash, provider.model().family());
    }
    hash
}

/// Which answers are taken.
fn accepted_answers(checks: Checks) -> u8 {
    // Exhaustive on purpose, as in `question`.
    let Checks {
        allow_relaxed,
        bypass_validation,
        max_prompt_chars: _,
        patterns: _,
        confidence_threshold: _,
        on_low_confidence: _,
        evidence: _, // what is asked of it, `question` has
        on_ungrounded: _,
    } = checks;
    u8::from(allow_relaxed) | u8::from(bypass_validation) << 1
}

/// With its length, so that two parts cannot be taken for others.
fn update(hash: &mut Sha256, part: &str) {
    hash.update((part.len() as u64).to_be_bytes());
    hash.update(part);
}

#[cfg(test)]
mod tests;

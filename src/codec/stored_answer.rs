//! An answer as bytes: what processes share of it, and what is kept of one that its record still waits for.
//!
//! Byte 0 is the version of this layout, byte 1 how the rest is packed: as it is, or as its length (four bytes) and
//! zstd. The rest is the length of the data (four bytes), the data, and all else about the answer as JSON. What is not
//! exactly that is nobody's answer. Lengths are little-endian.

use std::collections::HashSet;
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::domain::agreement::Agreement;
use crate::domain::answer::{Answer, AnswerFactors, Usage, Validation};
use crate::domain::attempt::{Attempt, LadderStep, PassedOver};
use crate::domain::error_code::Code;
use crate::domain::grounding::RememberedGrounding;
use crate::domain::logprobs::ValueLogprob;
use crate::domain::quotes::FieldQuotes;

/// Goes up with each change of the layout or of what a field means.
const VERSION: u8 = 2;
/// The version before, which is still read.
const FORMER_VERSION: u8 = 1;
const PLAIN: u8 = 0;
const ZSTD: u8 = 1;
/// Shorter values take hardly less when they are compressed.
const COMPRESS_FROM: usize = 1024;
/// Fast, and within a few percent of what higher levels reach on texts this short.
const LEVEL: i32 = 1;
/// Longest answer that is shared, before compression: many times the usual, and what one poisoned value can cost.
const MAX_UNPACKED: usize = 1 << 20;
/// Longest value that is written.
pub const MAX_BYTES: usize = MAX_UNPACKED + 2;
/// Provider names that are kept once for all answers: more than anybody has.
const MAX_PROVIDERS: usize = 256;

/// All about an answer but its data.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Facts<F> {
    provider: String,
    model: String,
    validation: String,
    confidence: F,
    attempts: Vec<AttemptFacts>,
    usage: UsageFacts,
    cost_usd: f64,
    /// Quotes by field. Only answers that quotes were asked for have it, which older processes have no use for.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    quotes: Vec<(String, Vec<String>)>,
    /// Log probabilities by field, with the number of tokens. Only answers of providers that tell them have it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    logprobs: Vec<(String, f64, u32)>,
    /// Only answers that a second provider was asked about have it, which older processes have no use for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    agreement: Option<AgreementFacts>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct AgreementFacts {
    share: f64,
    values: Vec<(String, bool)>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct FactorFacts {
    validation: f64,
    ladder: f64,
    provider: Option<f64>,
}

/// As the former version has them. Its score and completeness are not used any more, and a provider that did not say how
/// sure it was counted as certain.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct FormerFactorFacts {
    #[serde(rename = "score")]
    _score: f64,
    validation: f64,
    ladder: f64,
    provider: f64,
    #[serde(rename = "completeness")]
    _completeness: f64,
}

impl From<FormerFactorFacts> for FactorFacts {
    fn from(former: FormerFactorFacts) -> Self {
        let FormerFactorFacts { _score, validation, ladder, provider, _completeness } = former;
        #[allow(clippy::float_cmp, reason = "it was written as exactly 1 where nothing was said")]
        let provider = Some(provider).filter(|provider| *provider != 1.0);
        Self { validation, ladder, provider }
    }
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct AttemptFacts {
    step: String,
    provider: String,
    model: String,
    response_id: Option<String>,
    usage: UsageFacts,
    cost_usd: f64,
    error: Option<String>,
    reasoning: bool,
    objects: u32,
    times: u32,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct UsageFacts {
    input: u64,
    output: u64,
    cached: u64,
    reasoning: u64,
}

/// The bytes of an answer; `None` if it is longer than [`MAX_BYTES`].
pub fn encode(answer: &Answer) -> Option<Vec<u8>> {
    let data_len = u32::try_from(answer.data.len()).ok()?;
    let mut unpacked = data_len.to_le_bytes().to_vec();
    unpacked.extend_from_slice(&answer.data);
    serde_json::to_writer(&mut unpacked, &facts(answer)).ok()?;
    if unpacked.len() > MAX_UNPACKED {
        return None;
    }
    if unpacked.len() >= COMPRESS_FROM
        && let Some(packed) = compress(&unpacked)
    {
        return Some(packed);
    }
    unpacked.splice(..0, [VERSION, PLAIN]);
    Some(unpacked)
}

fn compress(unpacked: &[u8]) -> Option<Vec<u8>> {
    let mut packed = vec![VERSION, ZSTD];
    packed.extend_from_slice(&u32::try_from(unpacked.len()).ok()?.to_le_bytes());
    let start = packed.len();
    packed.resize(start + zstd_safe::compress_bound(unpacked.len()), 0);
    let len = zstd_safe::compress(packed.get_mut(start..)?, unpacked, LEVEL).ok()?;
    packed.truncate(start + len);
    // Two bytes is what a value takes beside its content when it is not compressed.
    (packed.len() < unpacked.len() + 2).then_some(packed)
}

/// Reads answers.
#[derive(Debug, Default)]
pub struct Decoder {
    /// The names of providers, each once: a thousand answers of one provider share its name.
    providers: Mutex<HashSet<Arc<str>>>,
}

impl Decoder {
    /// The answer that [`encode`] wrote as these bytes; `None` for any others.
    pub fn decode(&self, bytes: &[u8]) -> Option<Answer> {
        let ([version, packing], content) = bytes.split_first_chunk()?;
        let unpack = match *version {
            VERSION => Self::unpacked::<FactorFacts>,
            FORMER_VERSION => Self::unpacked::<FormerFactorFacts>,
            _ => return None,
        };
        match *packing {
            PLAIN => unpack(self, content),
            ZSTD => unpack(self, &decompress(content)?),
            _ => None,
        }
    }

    fn unpacked<F: DeserializeOwned + Into<FactorFacts>>(&self, content: &[u8]) -> Option<Answer> {
        let (len, rest) = content.split_first_chunk()?;
        let (data, facts) = rest.split_at_checked(u32::from_le_bytes(*len) as usize)?;
        let Facts { provider, model, validation, confidence, attempts, usage, cost_usd, quotes, logprobs, agreement } =
            serde_json::from_slice::<Facts<F>>(facts).ok()?;
        let model: Arc<str> = model.into();
        let agreement = match agreement {
            Some(facts) => Some(facts.read()?),
            None => None,
        };
        Some(Answer {
            data: Bytes::copy_from_slice(data),
            provider: self.provider(provider),
            validation: [Validation::Passed, Validation::Relaxed, Validation::Bypassed]
                .into_iter()
                .find(|it| it.as_str() == validation)?,
            factors: confidence.into().read()?,
            attempt_log: attempts.into_iter().map(|it| self.attempt(it, &model)).collect::<Option<_>>()?,
            usage: usage.read(),
            cost_usd: Some(cost_usd).filter(|cost| *cost >= 0.0)?,
            quotes: quotes.into_iter().map(|(field, quotes)| FieldQuotes { field, quotes }).collect(),
            logprobs: logprobs.into_iter().map(logprob).collect::<Option<_>>()?,
            grounding: RememberedGrounding::default(),
            agreement,
            model,
        })
    }

    fn attempt(&self, facts: AttemptFacts, answered_by: &Arc<str>) -> Option<Attempt> {
        let AttemptFacts { step, provider, model, response_id, usage, cost_usd, error, reasoning, objects, times } =
            facts;
        let error = match error {
            Some(name) => Some(Code::ALL.iter().copied().find(|code| code.as_str() == name)?),
            None => None,
        };
        Some(Attempt {
            step: STEPS.into_iter().find(|it| it.as_str() == step)?,
            provider: self.provider(provider),
            model: if model == **answered_by { Arc::clone(answered_by) } else { model.into() },
            response_id: response_id.map(Arc::from),
            usage: usage.read(),
            cost_usd: Some(cost_usd).filter(|cost| *cost >= 0.0)?,
            error,
            passed_over: PassedOver { reasoning, objects },
            times,
        })
    }

    fn provider(&self, name: String) -> Arc<str> {
        let mut known = self.providers.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(name) = known.get(name.as_str()) {
            return Arc::clone(name);
        }
        let name: Arc<str> = name.into();
        if known.len() < MAX_PROVIDERS {
            known.insert(Arc::clone(&name));
        }
        name
    }
}

const STEPS: [LadderStep; 6] = [
    LadderStep::Ask,
    LadderStep::Retry,
    LadderStep::Correct,
    LadderStep::Lengthen,
    LadderStep::Fallback,
    LadderStep::Relax,
];

fn decompress(content: &[u8]) -> Option<Vec<u8>> {
    let (len, packed) = content.split_first_chunk()?;
    let len = u32::from_le_bytes(*len) as usize;
    if len > MAX_UNPACKED {
        return None;
    }
    let mut unpacked = vec![0; len];
    let written = zstd_safe::decompress(unpacked.as_mut_slice(), packed).ok()?;
    (written == len).then_some(unpacked)
}

// Exhaustive on purpose in what follows: a new field does not compile until somebody decides how it is written, and
// whether the version goes up.

fn facts(answer: &Answer) -> Facts<FactorFacts> {
    // Where its values stand depends on the texts of a record, which another process finds out for its own.
    let Answer {
        data: _,
        grounding: _,
        provider,
        model,
        validation,
        factors,
        attempt_log,
        usage,
        cost_usd,
        quotes,
        logprobs,
        agreement,
    } = answer;
    let AnswerFactors { validation: valid, ladder, provider: sure } = *factors;
    Facts {
        provider: provider.to_string(),
        model: model.to_string(),
        validation: validation.as_str().to_owned(),
        confidence: FactorFacts { validation: valid, ladder, provider: sure },
        attempts: attempt_log.iter().map(attempt_facts).collect(),
        usage: usage_facts(*usage),
        cost_usd: *cost_usd,
        quotes: quotes.iter().map(|FieldQuotes { field, quotes }| (field.clone(), quotes.clone())).collect(),
        logprobs: logprobs.iter().map(|ValueLogprob { field, mean, tokens }| (field.clone(), *mean, *tokens)).collect(),
        agreement: agreement.as_ref().map(agreement_facts),
    }
}

fn logprob((field, mean, tokens): (String, f64, u32)) -> Option<ValueLogprob> {
    (mean <= 0.0).then_some(ValueLogprob { field, mean, tokens })
}

fn agreement_facts(agreement: &Agreement) -> AgreementFacts {
    let values = agreement.values().iter().map(|(pointer, is_same)| (pointer.clone(), *is_same));
    AgreementFacts { share: agreement.share(), values: values.collect() }
}

fn attempt_facts(attempt: &Attempt) -> AttemptFacts {
    let Attempt { step, provider, model, response_id, usage, cost_usd, error, passed_over, times } = attempt;
    let PassedOver { reasoning, objects } = *passed_over;
    AttemptFacts {
        step: step.as_str().to_owned(),
        provider: provider.to_string(),
        model: model.to_string(),
        response_id: response_id.as_deref().map(str::to_owned),
        usage: usage_facts(*usage),
        cost_usd: *cost_usd,
        error: error.map(|code| code.as_str().to_owned()),
        reasoning,
        objects,
        times: *times,
    }
}

fn usage_facts(usage: Usage) -> UsageFacts {
    let Usage { input_tokens, output_tokens, cached_tokens, reasoning_tokens } = usage;
    UsageFacts { input: input_tokens, output: output_tokens, cached: cached_tokens, reasoning: reasoning_tokens }
}

impl UsageFacts {
    fn read(self) -> Usage {
        let Self { input, output, cached, reasoning } = self;
        Usage { input_tokens: input, output_tokens: output, cached_tokens: cached, reasoning_tokens: reasoning }
    }
}

impl AgreementFacts {
    fn read(self) -> Option<Agreement> {
        let Self { share, values } = self;
        (0.0..=1.0).contains(&share).then(|| Agreement::new(share, values))
    }
}

impl FactorFacts {
    fn read(self) -> Option<AnswerFactors> {
        let Self { validation, ladder, provider } = self;
        let is_share = [validation, ladder, provider.unwrap_or(1.0)].iter().all(|part| (0.0..=1.0).contains(part));
        is_share.then_some(AnswerFactors { validation, ladder, provider })
    }
}

#[cfg(test)]
mod tests;

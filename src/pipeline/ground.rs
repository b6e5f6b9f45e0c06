//! Ground: where do an answer's values stand in the record's own text?
//!
//! Records share a remembered answer when their prompts are nearly the same, so a grounding belongs to an answer and to
//! the texts of a record. It is found out once, remembered with the answer, and used again where the texts are the very
//! same, which a hash tells.

use std::borrow::Cow;
use std::hash::{BuildHasher as _, Hash as _, Hasher as _};
use std::sync::{Arc, LazyLock, OnceLock};

use bytes::Bytes;
use foldhash::quality::RandomState;
use serde_json::Value;

use crate::domain::answer::{Answer, Flag, Validation};
use crate::domain::calibration::Calibration;
use crate::domain::evidence::{Evidence, EvidenceState};
use crate::domain::grounding::{Grounding, TextsHash};
use crate::evidence::{Locator, Source};
use crate::prompt::template::{Scope, Template};
use crate::schema::Schema;

/// Seeded anew in each process, so that no sender can choose texts with the same hash.
static HASHES: LazyLock<RandomState> = LazyLock::new(RandomState::default);

/// Texts of one record that are searched: more than a prompt has fields.
const MAX_TEXTS: usize = 10_000;
/// Values that are named in flags. They stand in a header; the evidence has the others.
const MAX_FLAGS: usize = 8;
/// Bytes of the JSON Pointer of a value that is named. Its keys may be the sender's.
const MAX_POINTER_BYTES: usize = 200;
/// Values that are replaced by null. Each is held against the schema by itself.
const MAX_NULLS: usize = 100;

/// What to do about a value that does not stand in the record's text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum UngroundedPolicy {
    /// Mark the result.
    Flag,
    /// Publish null instead, where the schema allows it, and mark the result.
    Null,
    /// Publish the result where a person sees it first.
    Review,
    /// Dead-letter the record.
    DeadLetter,
}

/// Grounds the answers to one specification. Made once for it.
pub struct Grounder {
    template: Arc<Template>,
    schema: Arc<Schema>,
    locator: Locator,
    /// What is to be done about values of a field that has no policy of its own.
    policy: UngroundedPolicy,
    /// How often values were right by their evidence, where that was counted.
    calibration: Option<Arc<Calibration>>,
    /// The hash of no texts: two specifications that ground differently may share an answer.
    no_texts: u64,
}

/// A record's own texts, kept while its answer is waited for.
pub(super) struct RecordTexts {
    hash: TextsHash,
    texts: Texts,
}

/// The texts that are searched.
struct Texts {
    sources: Vec<Source<'static>>,
    /// Whether the record has more.
    is_cut: bool,
}

impl UngroundedPolicy {
    /// The word that users have for it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Flag => "flag",
            Self::Null => "null",
            Self::Review => "review",
            Self::DeadLetter => "dead-letter",
        }
    }
}

impl Grounder {
    /// A grounder for answers of this schema to prompts of this template.
    pub fn new(
        template: Arc<Template>,
        schema: Arc<Schema>,
        policy: UngroundedPolicy,
        calibration: Option<Arc<Calibration>>,
    ) -> Self {
        let counted = calibration.as_ref().map(|calibration| serde_json::to_string(&**calibration).unwrap_or_default());
        let no_texts = HASHES.hash_one((schema.json().to_string(), policy, counted));
        let locator = Locator::new(schema.json());
        Self { template, schema, locator, policy, calibration, no_texts }
    }

    /// The fields that the schema wants quotes for.
    pub(super) fn quoted_fields(&self) -> Vec<String> {
        self.locator.quoted_fields()
    }

    /// The texts of a record that its prompt was made of.
    pub(super) fn texts(&self, input: &Scope<'_>) -> RecordTexts {
        RecordTexts { hash: self.hash(input), texts: self.read(input) }
    }

    /// Where a remembered answer's values stand in the texts of a record.
    pub(super) fn ground_remembered(&self, answer: &Answer, input: &Scope<'_>) -> Arc<Grounding> {
        answer.grounding.get_or_find(self.hash(input), || self.find(answer, &self.read(input)))
    }

    /// Where an answer's values stand in texts that were kept.
    pub(super) fn ground(&self, answer: &Answer, texts: &RecordTexts) -> Arc<Grounding> {
        answer.grounding.get_or_find(texts.hash, || self.find(answer, &texts.texts))
    }

    fn hash(&self, input: &Scope<'_>) -> TextsHash {
        let mut hasher = HASHES.build_hasher();
        hasher.write_u64(self.no_texts);
        self.template.visit_sources(input, &mut |name, text| (name, text).hash(&mut hasher));
        TextsHash(hasher.finish())
    }

    fn read(&self, input: &Scope<'_>) -> Texts {
        let mut texts = Texts { sources: Vec::new(), is_cut: false };
        self.template.visit_sources(input, &mut |name, text| {
            if texts.sources.len() < MAX_TEXTS {
                texts.sources.push(Source { pointer: Cow::Owned(name.to_owned()), text: Cow::Owned(text.to_owned()) });
            } else {
                texts.is_cut = true;
            }
        });
        texts
    }

    fn find(&self, answer: &Answer, texts: &Texts) -> Grounding {
        let mut data: Value = serde_json::from_slice(&answer.data).unwrap_or_default();
        let mut evidence = self.locator.locate(&texts.sources, &data, &answer.quotes);
        if texts.is_cut {
            // What is in none of the texts that were searched may be in one of the others.
            let missing = evidence.fields.iter_mut().filter(|field| field.state == EvidenceState::None);
            missing.for_each(|field| field.state = EvidenceState::Unsearched);
        }
        if let Some(calibration) = &self.calibration {
            calibration.add_accuracy(&mut evidence, &data);
        }
        let missing = missing(&evidence);
        let with = |policy| missing.iter().copied().filter(move |pointer| self.policy_of(pointer) == policy);
        let may_null = answer.validation == Validation::Passed;
        let nulled = self.replace(&mut data, with(UngroundedPolicy::Null).filter(|_| may_null));
        let data = if nulled.is_empty() { None } else { serde_json::to_vec(&data).ok().map(Bytes::from) };
        let is_for_review = with(UngroundedPolicy::Review).next().is_some();
        let refused = with(UngroundedPolicy::DeadLetter).take(MAX_FLAGS).map(named).collect();
        let (grounded, flags) = (evidence.grounded(), flags(&missing, &nulled));
        Grounding { grounded, evidence, data, flags, is_for_review, refused, written: OnceLock::new() }
    }

    fn policy_of(&self, pointer: &str) -> UngroundedPolicy {
        let own = self.locator.on_ungrounded(pointer);
        let all =
            [UngroundedPolicy::Flag, UngroundedPolicy::Null, UngroundedPolicy::Review, UngroundedPolicy::DeadLetter];
        all.into_iter().find(|policy| Some(policy.as_str()) == own).unwrap_or(self.policy)
    }

    /// Puts null in the place of these values, as far as the data stays valid, and says of which.
    fn replace<'p>(&self, data: &mut Value, pointers: impl Iterator<Item = &'p str>) -> Vec<&'p str> {
        let mut nulled = Vec::new();
        for pointer in pointers.take(MAX_NULLS) {
            let Some(value) = data.pointer_mut(pointer).map(Value::take) else { continue };
            if self.schema.validate(data).is_ok() {
                nulled.push(pointer);
            } else if let Some(place) = data.pointer_mut(pointer) {
                *place = value;
            }
        }
        nulled
    }
}

/// The values that should be in the text and were not found there.
fn missing(evidence: &Evidence) -> Vec<&str> {
    let missing = evidence.fields.iter().filter(|field| field.state.is_ungrounded());
    missing.map(|field| field.field.as_str()).collect()
}

fn flags(missing: &[&str], nulled: &[&str]) -> Vec<Flag> {
    let flag = |pointer: &&str| match nulled.contains(pointer) {
        true => Flag::Nulled(named(pointer)),
        false => Flag::Ungrounded(named(pointer)),
    };
    let mut flags: Vec<_> = missing.iter().take(MAX_FLAGS).map(flag).collect();
    if missing.len() > MAX_FLAGS {
        flags.push(Flag::UngroundedMore(missing.len() - MAX_FLAGS));
    }
    flags.sort_unstable();
    flags
}

/// The JSON Pointer of a value; of the nearest place around it, where that is too long.
fn named(pointer: &str) -> Arc<str> {
    let fits = |pointer: &&str| pointer.len() <= MAX_POINTER_BYTES;
    let around = std::iter::successors(Some(pointer), |pointer| pointer.rsplit_once('/').map(|(around, _)| around));
    Arc::from(around.into_iter().find(fits).unwrap_or_default())
}

#[cfg(test)]
mod tests;

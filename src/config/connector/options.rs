//! The `options` section.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use super::agreement::{self, ConnectorAgreement};
use super::calibration::{self, NamedCalibration};
use super::named_provider::check_provider;
use super::sink::Target;
use super::{ConnectorSpec, RuntimeDefaults};
use crate::config::diagnostics::Diagnostics;
use crate::config::document::Value;
use crate::config::runtime::{PATTERN_POLICIES, STRATEGIES};
use crate::config::section::Section;
use crate::config::units::duration;
use crate::config::values::{Problem, choice, flag, integer, number, text};
use crate::pipeline::budget::BudgetSettings;
use crate::pipeline::route::settings::{RecordCeiling, Strategy};
use crate::pipeline::spec::{
    CachePolicy, Checks, EvidenceMode, Generation, LowConfidencePolicy, PatternPolicy, UngroundedPolicy,
};

/// Longest prompt in characters where the file does not say: the limit that the pipeline's promises are made for.
const DEFAULT_PROMPT_CHARS: u32 = 10_000;

/// Some 300,000 tokens: what the largest models take, and what one record should ever cost.
const MAX_PROMPT_CHARS: u32 = 1_000_000;

/// Characters that make a token at the least, as the ceilings count.
const CHARS_PER_TOKEN: u32 = 3;

/// What a provider's answer may have where the file does not say, and what instructions and schema usually take.
const USUAL_REST_TOKENS: u32 = 4096;

/// Three calls with the longest prompt and four times the usual ceiling for an answer.
const MAX_RECORD_TOKENS: u32 = 32_768;

/// A budget's window where the file does not say.
const BUDGET_WINDOW: Duration = Duration::from_secs(24 * 3600);

const LOW_CONFIDENCE: &[(&str, LowConfidencePolicy)] = &[
    ("flag", LowConfidencePolicy::Flag),
    ("review", LowConfidencePolicy::Review),
    ("dead-letter", LowConfidencePolicy::DeadLetter),
];
const EVIDENCE: &[(&str, EvidenceMode)] =
    &[("locate", EvidenceMode::Locate), ("quote", EvidenceMode::Quote), ("off", EvidenceMode::Off)];
const UNGROUNDED: &[(&str, UngroundedPolicy)] = &[
    (UngroundedPolicy::Flag.as_str(), UngroundedPolicy::Flag),
    (UngroundedPolicy::Null.as_str(), UngroundedPolicy::Null),
    (UngroundedPolicy::Review.as_str(), UngroundedPolicy::Review),
    (UngroundedPolicy::DeadLetter.as_str(), UngroundedPolicy::DeadLetter),
];

/// The options as written, defaults filled in.
pub(super) struct Options {
    pub(super) provider: Option<String>,
    pub(super) strategy: Option<Strategy>,
    pub(super) allow_relaxed: bool,
    pub(super) record_ceiling: RecordCeiling,
    pub(super) budget: Option<BudgetSettings>,
    pub(super) temperature: Option<f64>,
    pub(super) max_tokens: Option<u32>,
    pub(super) max_prompt_chars: u32,
    pub(super) patterns: PatternPolicy,
    pub(super) confidence_threshold: Option<f64>,
    pub(super) on_low_confidence: LowConfidencePolicy,
    pub(super) evidence: EvidenceMode,
    pub(super) on_ungrounded: UngroundedPolicy,
    pub(super) agreement: Option<ConnectorAgreement>,
    pub(super) calibration: Option<NamedCalibration>,
    /// `None` takes the runtime's.
    pub(super) cache_ttl: Option<Duration>,
}

impl Options {
    /// How it is asked with these options.
    pub(super) fn spec(&self, default_ttl: Duration) -> ConnectorSpec {
        ConnectorSpec {
            generation: Generation { temperature: self.temperature, max_tokens: self.max_tokens },
            checks: Checks {
                max_prompt_chars: self.max_prompt_chars as usize,
                patterns: self.patterns,
                bypass_validation: false,
                allow_relaxed: self.allow_relaxed,
                confidence_threshold: self.confidence_threshold,
                on_low_confidence: self.on_low_confidence,
                evidence: self.evidence,
                on_ungrounded: self.on_ungrounded,
            },
            ceiling: self.record_ceiling,
            cache: CachePolicy::on(self.cache_ttl.unwrap_or(default_ttl)),
            calibration: self.calibration.as_ref().map(|counted| Arc::clone(&counted.calibration)),
        }
    }
}

/// Reads the section of a connector that has this topic for review.
pub(super) fn read(
    diagnostics: &Diagnostics,
    mut section: Section<'_>,
    base: &Path,
    defaults: &RuntimeDefaults,
    review: &Target,
) -> Options {
    let provider = provider(diagnostics, &mut section, defaults);
    let strategy = section.get("strategy", choice(STRATEGIES, &[]));
    if strategy.is_some() && provider.is_some() {
        let help = "remove strategy, or remove provider and let the strategy choose";
        diagnostics.note(
            &section.location_of("strategy"),
            Problem::new("there is nothing to choose: the provider is named", help),
        );
    }
    let record_ceiling = RecordCeiling {
        tokens: section.get("max_record_tokens", integer(1..=100_000_000)).unwrap_or(MAX_RECORD_TOKENS).into(),
        usd: section.get("max_record_cost_usd", number(0.0..=1_000_000.0)),
    };
    let max_tokens = section.get("max_tokens", integer(1..=1_000_000));
    if max_tokens.is_some_and(|most| u64::from(most) >= record_ceiling.tokens) {
        let message = format!("no call fits into max_record_tokens, which is {}", record_ceiling.tokens);
        let help = "lower max_tokens, or raise max_record_tokens: it holds the prompt, the schema and the answer of every call";
        diagnostics.note(&section.location_of("max_tokens"), Problem::new(message, help));
    }
    let max_prompt_chars = max_prompt_chars(diagnostics, &mut section, max_tokens, record_ceiling.tokens);
    let budget = budget(&mut section);
    let agreement = agreement::read(diagnostics, &mut section, provider.as_deref(), defaults);
    let options = Options {
        provider,
        strategy,
        allow_relaxed: section.get("allow_relaxed", flag).unwrap_or(false),
        record_ceiling,
        budget,
        temperature: section.get("temperature", number(0.0..=2.0)),
        max_tokens,
        max_prompt_chars,
        patterns: section.get("suspicious_input", choice(PATTERN_POLICIES, &[])).unwrap_or(PatternPolicy::Flag),
        confidence_threshold: section.get("confidence_threshold", number(0.0..=1.0)),
        on_low_confidence: section
            .get("on_low_confidence", choice(LOW_CONFIDENCE, &[]))
            .unwrap_or(LowConfidencePolicy::Flag),
        evidence: section.get("evidence", choice(EVIDENCE, &[])).unwrap_or(EvidenceMode::Locate),
        on_ungrounded: ungrounded(&mut section),
        agreement,
        calibration: calibration::read(diagnostics, &mut section, base),
        cache_ttl: section.get("cache_ttl", duration),
    };
    if options.evidence == EvidenceMode::Off && options.on_ungrounded != UngroundedPolicy::Flag {
        let help = "remove one of the two: only values that are looked for can be missing";
        diagnostics
            .note(&section.location_of("on_ungrounded"), Problem::new("nothing is looked for: evidence is off", help));
    }
    check_review(diagnostics, &section, &options, review);
    check_agreement(diagnostics, &section, &options);
    check_calibration(diagnostics, &section, &options);
    section.finish();
    options
}

/// Only where values are looked for can one be without ground.
fn check_agreement(diagnostics: &Diagnostics, section: &Section<'_>, options: &Options) {
    let is_compared = options.agreement.as_ref().is_some_and(|one| one.settings.when_ungrounded);
    if options.evidence == EvidenceMode::Off && is_compared {
        let help = "remove evidence: off, or write sample: 5% instead of when";
        let problem = Problem::new("nothing is looked for: evidence is off", help);
        diagnostics.note(&section.location_of("agreement"), problem);
    }
}

/// Who asks for reviews names their topic.
fn check_review(diagnostics: &Diagnostics, section: &Section<'_>, options: &Options, review: &Target) {
    let policies = [
        ("on_ungrounded", options.on_ungrounded == UngroundedPolicy::Review),
        ("on_low_confidence", options.on_low_confidence == LowConfidencePolicy::Review),
    ];
    for (key, _) in policies.iter().filter(|(_, is_review)| *is_review && review.is_none()) {
        let help = "write review: { kafka: { topic: … } }, at the top level of the file";
        diagnostics.note(&section.location_of(key), Problem::new("there is no topic for results to review", help));
    }
}

/// Shares are told by the evidence of a value.
fn check_calibration(diagnostics: &Diagnostics, section: &Section<'_>, options: &Options) {
    if options.evidence == EvidenceMode::Off && options.calibration.is_some() {
        let help = "remove one of the two: shares are told by the evidence of a value";
        diagnostics
            .note(&section.location_of("calibration"), Problem::new("nothing is looked for: evidence is off", help));
    }
}

/// The word `null` is null in YAML, where it stands for what is left out otherwise.
fn ungrounded(section: &mut Section<'_>) -> UngroundedPolicy {
    let is_null = section.node("on_ungrounded").is_some_and(|node| node.value == Value::Null);
    let word = section.get("on_ungrounded", choice(UNGROUNDED, &[]));
    word.unwrap_or(if is_null { UngroundedPolicy::Null } else { UngroundedPolicy::Flag })
}

/// The provider that is asked, if it is not left to the routing; it must be one that can be asked.
fn provider(diagnostics: &Diagnostics, section: &mut Section<'_>, defaults: &RuntimeDefaults) -> Option<String> {
    let provider = section.get("provider", text);
    if let Some(name) = &provider {
        let help = "set the variable, name another provider, or leave the choice to the routing";
        check_provider(diagnostics, &section.location_of("provider"), name, defaults, help);
    }
    if let (None, Some(why)) = (&provider, &defaults.nobody_to_ask) {
        let help = "set one of these variables, or name a provider here; `offline` needs no key, and is no model";
        diagnostics.note(&section.location_of("provider"), Problem::new(why.clone(), help));
    }
    provider
}

/// A longer prompt than usual has to fit into the record's ceiling.
fn max_prompt_chars(
    diagnostics: &Diagnostics,
    section: &mut Section<'_>,
    max_tokens: Option<u32>,
    ceiling: u64,
) -> u32 {
    let chars = section.get("max_prompt_chars", integer(1..=MAX_PROMPT_CHARS)).unwrap_or(DEFAULT_PROMPT_CHARS);
    let tokens = u64::from(chars / CHARS_PER_TOKEN) + u64::from(max_tokens.unwrap_or(USUAL_REST_TOKENS));
    if chars > DEFAULT_PROMPT_CHARS && tokens > ceiling {
        let message = format!("a prompt of that length does not fit into max_record_tokens, which is {ceiling}");
        // Three calls, as many as a record may have.
        let room = 3 * tokens;
        let help = format!(
            "write for example max_record_tokens: {room}, or lower max_prompt_chars; a budget bounds what it costs"
        );
        diagnostics.note(&section.location_of("max_prompt_chars"), Problem::new(message, help));
    }
    chars
}

fn budget(section: &mut Section<'_>) -> Option<BudgetSettings> {
    let is_written = section.node("budget").is_some_and(|node| node.value != Value::Null);
    let mut budget = section.section("budget");
    let usd = if is_written {
        budget.require("usd", number(0.000_001..=1_000_000_000.0))
    } else {
        budget.get("usd", number(0.0..=0.0))
    };
    let window = budget.get("window", |node| {
        let window = duration(node)?;
        let is_sane = window >= Duration::from_secs(1);
        if is_sane {
            Ok(window)
        } else {
            Err(Problem::new("the window is shorter than a second", "write for example 24h"))
        }
    });
    budget.finish();
    Some(BudgetSettings { usd: usd?, window: window.unwrap_or(BUDGET_WINDOW) })
}

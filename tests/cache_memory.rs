//! `cache.memory_mb` is what the process spends on remembered answers.

#![allow(clippy::expect_used, reason = "tests")]

use std::alloc::System;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use bytes::Bytes;
use cap::Cap;
use structured_prompt::cache::memory::MemoryAnswers;
use structured_prompt::domain::agreement::Agreement;
use structured_prompt::domain::answer::{Answer, AnswerFactors, Usage, Validation};
use structured_prompt::domain::answer_key::{AnswerKey, AnswerNames};
use structured_prompt::domain::attempt::{Attempt, LadderStep, PassedOver};
use structured_prompt::domain::evidence::{Accuracy, Evidence, EvidenceState, FieldEvidence, Span};
use structured_prompt::domain::fingerprint::Fingerprint;
use structured_prompt::domain::grounding::{Grounding, RememberedGrounding, TextsHash};
use structured_prompt::domain::logprobs::ValueLogprob;
use structured_prompt::domain::quotes::{FieldQuotes, QuoteOutcome};
use structured_prompt::domain::tenant::Tenant;
use structured_prompt::ports::answers::Answers as _;
use structured_prompt::ports::clock::ManualClock;
use structured_prompt::telemetry::metrics::CacheMetrics;

#[global_allocator]
static ALLOCATED: Cap<System> = Cap::new(System, usize::MAX);

/// An answer as a provider gives it: one call, an id, a model that the reply names.
fn answer(data: usize, id: usize) -> Arc<Answer> {
    let model: Arc<str> = "a-model-of-a-provider-2026-11".into();
    let attempt = Attempt {
        step: LadderStep::Ask,
        provider: "gpt".into(),
        model: Arc::clone(&model),
        response_id: Some("x".repeat(id).into()),
        usage: Usage::default(),
        cost_usd: 0.0,
        error: None,
        passed_over: PassedOver::default(),
        times: 1,
    };
    Arc::new(Answer {
        data: vec![b'x'; data].into_boxed_slice().into(),
        provider: Arc::clone(&attempt.provider),
        model,
        validation: Validation::Passed,
        factors: AnswerFactors { validation: 1.0, ladder: 1.0, provider: None },
        attempt_log: vec![attempt],
        usage: Usage::default(),
        cost_usd: 0.0,
        quotes: Vec::new(),
        logprobs: Vec::new(),
        grounding: RememberedGrounding::default(),
        agreement: None,
    })
}

/// The same with all that can be known of its values, as it is after a result was written.
fn evident(data: usize, fields: usize) -> Arc<Answer> {
    let names: Vec<String> = (0..fields).map(|n| format!("/lines/{n}/description")).collect();
    let source: Arc<str> = "/body".into();
    let field = |name: &String| FieldEvidence {
        field: name.clone(),
        state: EvidenceState::Exact,
        source: Some(Arc::clone(&source)),
        spans: vec![Span { start: 1112, end: 1121 }],
        accuracy: Some(Accuracy { p: 0.912, n: 1234 }),
    };
    let known = concat!(
        r#""evidence":"exact","source":"/body","spans":[[1112,1121]],"#,
        r#""logprob_mean":-0.0123456789,"agreed":false,"p":0.912,"n":1234"#
    );
    let written: String = names.iter().map(|name| format!("\"{name}\":{{{known}}},")).collect();
    let grounding = RememberedGrounding::default();
    grounding.get_or_find(TextsHash(1), || Grounding {
        evidence: Evidence { fields: names.iter().map(field).collect(), quotes: vec![QuoteOutcome::Used; fields] },
        grounded: Some(1.0),
        data: None,
        flags: Vec::new(),
        is_for_review: false,
        refused: Vec::new(),
        written: OnceLock::from(Bytes::from(written.into_boxed_str().into_boxed_bytes())),
    });
    let plain = Arc::unwrap_or_clone(answer(data, 36));
    Arc::new(Answer {
        quotes: names
            .iter()
            .map(|name| FieldQuotes { field: name.clone(), quotes: vec!["x".repeat(40), "y".repeat(20)] })
            .collect(),
        logprobs: names.iter().map(|name| ValueLogprob { field: name.clone(), mean: -0.01, tokens: 3 }).collect(),
        agreement: Some(Agreement::new(0.5, names.iter().map(|name| (name.clone(), false)).collect())),
        grounding,
        ..plain
    })
}

/// One test, because the allocator counts for the whole process.
#[test]
fn a_full_cache_takes_what_its_setting_says() {
    for data in [0, 40, 300, 2000, 30_000] {
        fill(&format!("{data} bytes of data"), data as u64 + 200, || answer(data, 36));
    }
    for fields in [1, 10, 60] {
        fill(&format!("all that is known of {fields} values"), 200 * fields as u64, || evident(300, fields));
    }
}

/// Puts more answers into a cache than it has room for; each takes so many bytes at least.
fn fill(what: &str, least: u64, answer: impl Fn() -> Arc<Answer>) {
    const LIMIT: u64 = 16 << 20;
    let before = ALLOCATED.allocated();
    let cache = MemoryAnswers::new(LIMIT, Arc::new(ManualClock::default()), CacheMetrics::default());
    for n in 0..80_000.min(2 * LIMIT / least) as u32 {
        let mut question = [0; 32];
        question[..4].copy_from_slice(&n.to_be_bytes());
        let answer = answer();
        // As a record that is published does: the bytes are shared with the producer.
        drop(answer.data.clone());
        let names = AnswerNames::new(&Tenant::default(), Some("invoice_2026"), "invoice", "invoice");
        let key = AnswerKey { question: Fingerprint(question), names };
        cache.put(&key, answer, Duration::from_secs(3600));
    }
    let spent = (ALLOCATED.allocated() - before) as u64;
    assert!(spent <= LIMIT + LIMIT / 20, "{what}: {spent} of {LIMIT}");
    assert!(spent >= LIMIT * 3 / 4, "{what}: only {spent} of {LIMIT}");
}

//! `cache.memory_mb` is what the process spends on remembered answers.

#![allow(clippy::expect_used, reason = "tests")]

use std::alloc::System;
use std::sync::Arc;
use std::time::Duration;

use cap::Cap;
use structured_prompt::cache::memory::MemoryAnswers;
use structured_prompt::domain::answer::{Answer, AnswerFactors, Usage, Validation};
use structured_prompt::domain::answer_key::{AnswerKey, AnswerNames};
use structured_prompt::domain::attempt::{Attempt, LadderStep, PassedOver};
use structured_prompt::domain::fingerprint::Fingerprint;
use structured_prompt::domain::grounding::RememberedGrounding;
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

#[test]
fn a_full_cache_takes_what_its_setting_says() {
    const LIMIT: u64 = 16 << 20;
    for data in [0, 40, 300, 2000, 30_000] {
        let before = ALLOCATED.allocated();
        let cache = MemoryAnswers::new(LIMIT, Arc::new(ManualClock::default()), CacheMetrics::default());
        for n in 0..80_000_u32.min(2 * LIMIT as u32 / (data as u32 + 200)) {
            let mut question = [0; 32];
            question[..4].copy_from_slice(&n.to_be_bytes());
            let answer = answer(data, 36);
            // As a record that is published does: the bytes are shared with the producer.
            drop(answer.data.clone());
            let names = AnswerNames::new(&Tenant::default(), Some("invoice_2026"), "invoice", "invoice");
            let key = AnswerKey { question: Fingerprint(question), names };
            cache.put(&key, answer, Duration::from_secs(3600));
        }
        let spent = (ALLOCATED.allocated() - before) as u64;
        assert!(spent <= LIMIT + LIMIT / 20, "{data} bytes of data: {spent} of {LIMIT}");
        assert!(spent >= LIMIT * 3 / 4, "{data} bytes of data: only {spent} of {LIMIT}");
    }
}

//! Answers in memory.

use std::sync::Arc;
use std::time::Duration;

use quick_cache::Weighter;
use quick_cache::sync::Cache;

use crate::domain::answer::Answer;
use crate::domain::fingerprint::Fingerprint;
use crate::domain::health::{Component, Status};
use crate::ports::answers::Answers;
use crate::ports::clock::Clock;
use crate::ports::health::Health;

/// Bytes that an entry costs beside its data: key, counters, allocation headers, the cache's own bookkeeping.
const ENTRY_OVERHEAD: u64 = 256;
/// Expected size of an answer's data; sizes the cache's tables, not its bound.
const TYPICAL_DATA: u64 = 512;

#[derive(Clone)]
struct Entry {
    answer: Arc<Answer>,
    expires_at: Duration,
}

#[derive(Clone)]
struct Bytes;

impl Weighter<Fingerprint, Entry> for Bytes {
    fn weight(&self, _question: &Fingerprint, entry: &Entry) -> u64 {
        ENTRY_OVERHEAD + entry.answer.data.len() as u64
    }
}

/// A cache bounded by the bytes of its answers, which forgets what is used least (S3-FIFO).
pub struct MemoryAnswers {
    entries: Option<Cache<Fingerprint, Entry, Bytes>>,
    clock: Arc<dyn Clock>,
}

impl MemoryAnswers {
    /// A cache of at most `bytes`; 0 remembers nothing.
    pub fn new(bytes: u64, clock: Arc<dyn Clock>) -> Self {
        let items = usize::try_from(bytes / (ENTRY_OVERHEAD + TYPICAL_DATA)).unwrap_or(usize::MAX).max(16);
        let entries = (bytes > 0).then(|| Cache::with_weighter(items, bytes, Bytes));
        Self { entries, clock }
    }
}

impl Answers for MemoryAnswers {
    fn get(&self, question: &Fingerprint) -> Option<Arc<Answer>> {
        let entries = self.entries.as_ref()?;
        let entry = entries.get(question)?;
        if entry.expires_at <= self.clock.now() {
            entries.remove(question);
            return None;
        }
        Some(entry.answer)
    }

    fn put(&self, question: Fingerprint, answer: Arc<Answer>, ttl: Duration) {
        if let Some(entries) = &self.entries {
            entries.insert(question, Entry { answer, expires_at: self.clock.now().saturating_add(ttl) });
        }
    }
}

impl Health for MemoryAnswers {
    fn components(&self) -> Vec<Component> {
        let count = |n: u64| i64::try_from(n).unwrap_or(i64::MAX);
        let facts = self.entries.as_ref().map_or_else(Vec::new, |entries| {
            vec![("answers", count(entries.len() as u64)), ("bytes", count(entries.weight()))]
        });
        vec![Component {
            kind: "cache",
            name: "memory".to_owned(),
            status: Status::Up,
            latency: None,
            detail: self.entries.is_none().then(|| "turned off by cache.memory_mb: 0".to_owned()),
            facts,
            is_ready: true,
            is_alive: true,
        }]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::answer::{Confidence, Usage, Validation};
    use crate::ports::clock::ManualClock;

    fn answer(size: usize) -> Arc<Answer> {
        Arc::new(Answer {
            data: vec![b'x'; size].into(),
            provider: "fake".into(),
            model: "fake-1".into(),
            validation: Validation::Passed,
            confidence: Confidence { score: 1.0, completeness: 1.0, provider: 1.0, ladder: 1.0, validation: 1.0 },
            trail: Vec::new(),
            usage: Usage::default(),
            cost_usd: 0.0,
        })
    }

    #[test]
    fn an_answer_is_remembered_until_it_expires() {
        let clock = Arc::new(ManualClock::default());
        let cache = MemoryAnswers::new(1 << 20, clock.clone());
        let question = Fingerprint([1; 32]);
        cache.put(question, answer(10), Duration::from_secs(60));
        clock.advance(Duration::from_secs(59));
        assert!(cache.get(&question).is_some());
        clock.advance(Duration::from_secs(1));
        assert!(cache.get(&question).is_none());
    }

    #[test]
    fn the_bound_is_in_bytes() {
        let cache = MemoryAnswers::new(1 << 20, Arc::new(ManualClock::default()));
        for n in 0..=255 {
            cache.put(Fingerprint([n; 32]), answer(64 << 10), Duration::from_secs(60));
        }
        let kept = (0..=255).filter(|n| cache.get(&Fingerprint([*n; 32])).is_some()).count();
        assert!((1..=16).contains(&kept), "{kept} answers of 64 KiB in a cache of 1 MiB");
    }

    #[test]
    fn size_zero_remembers_nothing() {
        let cache = MemoryAnswers::new(0, Arc::new(ManualClock::default()));
        cache.put(Fingerprint([1; 32]), answer(1), Duration::from_secs(60));
        assert!(cache.get(&Fingerprint([1; 32])).is_none());
    }
}

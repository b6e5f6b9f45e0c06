//! Answers in memory.

mod answer_size;

use std::collections::HashSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use quick_cache::Weighter;
use quick_cache::sync::Cache;
use tokio_util::sync::CancellationToken;

use crate::domain::answer::Answer;
use crate::domain::answer_key::{AnswerKey, AnswerNames};
use crate::domain::fingerprint::Fingerprint;
use crate::domain::health::{Component, Status};
use crate::domain::name_pattern::NamePattern;
use crate::domain::tenant::Tenant;
use crate::ports::answer_cache::TierStats;
use crate::ports::answers::Answers;
use crate::ports::clock::Clock;
use crate::ports::health::Health;
use crate::telemetry::metrics::CacheMetrics;
use answer_size::{answer_bytes, counted};

/// What the cache's tables keep for an entry beside its key and value: a slot of the hash table, links, and what is
/// remembered of entries that had to leave.
const TABLE_SLOT: usize = 64;
/// Expected size of an entry; sizes the cache's tables, not its bound.
const TYPICAL_ENTRY: u64 = 1024;
/// How often answers that have expired are looked for.
const SWEEP: Duration = Duration::from_secs(60);

#[derive(Clone)]
struct Entry {
    answer: Arc<Answer>,
    names: AnswerNames,
    expires_at: Duration,
}

#[derive(Clone)]
struct Bytes;

impl Weighter<Fingerprint, Entry> for Bytes {
    fn weight(&self, _question: &Fingerprint, entry: &Entry) -> u64 {
        let table = TABLE_SLOT + size_of::<(Fingerprint, Entry)>();
        (table + counted(entry.names.as_str().len()) + answer_bytes(&entry.answer)) as u64
    }
}

/// A cache bounded by the bytes of its answers, which forgets what is used least (S3-FIFO).
pub struct MemoryAnswers {
    entries: Option<Cache<Fingerprint, Entry, Bytes>>,
    /// Goes up before answers are invalidated.
    invalidations: AtomicU64,
    clock: Arc<dyn Clock>,
    metrics: CacheMetrics,
}

impl MemoryAnswers {
    /// A cache of at most `bytes`; 0 remembers nothing.
    pub fn new(bytes: u64, clock: Arc<dyn Clock>, metrics: CacheMetrics) -> Self {
        let items = usize::try_from(bytes / TYPICAL_ENTRY).unwrap_or(usize::MAX).max(16);
        let entries = (bytes > 0).then(|| Cache::with_weighter(items, bytes, Bytes));
        Self { entries, invalidations: AtomicU64::default(), clock, metrics }
    }

    /// Lets go of answers that have expired, again and again until it is told to stop: nobody may ask for them any
    /// more.
    pub async fn sweep(self: Arc<Self>, stop: CancellationToken) {
        while stop.run_until_cancelled(tokio::time::sleep(SWEEP)).await.is_some() {
            self.remove_expired();
        }
    }

    /// Forgets a tenant's answers whose tag, schema or template has a name of the pattern, and returns their questions.
    pub fn invalidate(&self, tenant: &Tenant, pattern: &NamePattern) -> HashSet<Fingerprint> {
        let Some(entries) = &self.entries else { return HashSet::new() };
        self.invalidations.fetch_add(1, Ordering::SeqCst);
        let now = self.clock.now();
        let named = entries.iter().filter(|(_, entry)| entry.expires_at > now && entry.names.matches(tenant, pattern));
        let questions: HashSet<Fingerprint> = named.map(|(question, _)| question).collect();
        for question in &questions {
            entries.remove(question);
        }
        questions
    }

    /// Forgets everything.
    pub fn clear(&self) {
        self.invalidations.fetch_add(1, Ordering::SeqCst);
        if let Some(entries) = &self.entries {
            entries.clear();
        }
    }

    /// How many answers it has, what they take, and how often it was asked.
    pub fn stats(&self) -> TierStats {
        TierStats {
            tier: "memory",
            entries: Some(self.entries.as_ref().map_or(0, |entries| entries.len() as u64)),
            bytes: Some(self.entries.as_ref().map_or(0, Cache::weight)),
            hits: self.metrics.memory_hits.get(),
            misses: self.metrics.memory_misses.get(),
        }
    }

    fn remove_expired(&self) {
        let now = self.clock.now();
        if let Some(entries) = &self.entries {
            entries.retain(|_, entry| entry.expires_at > now);
        }
    }
}

impl Answers for MemoryAnswers {
    fn get(&self, question: &Fingerprint) -> Option<Arc<Answer>> {
        let found = self.get_again(question);
        let count = if found.is_some() { &self.metrics.memory_hits } else { &self.metrics.memory_misses };
        count.inc();
        found
    }

    fn get_again(&self, question: &Fingerprint) -> Option<Arc<Answer>> {
        let entries = self.entries.as_ref()?;
        let entry = entries.get(question)?;
        if entry.expires_at <= self.clock.now() {
            entries.remove(question);
            return None;
        }
        Some(entry.answer)
    }

    fn put(&self, key: &AnswerKey, answer: Arc<Answer>, ttl: Duration) {
        if let Some(entries) = &self.entries {
            let expires_at = self.clock.now().saturating_add(ttl);
            entries.insert(key.question, Entry { answer, names: key.names.clone(), expires_at });
        }
    }

    fn invalidations(&self) -> u64 {
        self.invalidations.load(Ordering::SeqCst)
    }

    fn put_unless_invalidated(&self, key: &AnswerKey, answer: Arc<Answer>, ttl: Duration, invalidations: u64) {
        self.put(key, answer, ttl);
        // Asked after the answer is there: an invalidation that begins later than this finds it.
        if self.invalidations() != invalidations
            && let Some(entries) = &self.entries
        {
            entries.remove(&key.question);
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
    use crate::domain::answer::{AnswerFactors, Usage, Validation};
    use crate::domain::grounding::RememberedGrounding;
    use crate::ports::clock::ManualClock;

    fn answer(size: usize) -> Arc<Answer> {
        Arc::new(Answer {
            data: vec![b'x'; size].into(),
            provider: "fake".into(),
            model: "fake-1".into(),
            validation: Validation::Passed,
            factors: AnswerFactors { validation: 1.0, ladder: 1.0, provider: None },
            attempt_log: Vec::new(),
            usage: Usage::default(),
            cost_usd: 0.0,
            quotes: Vec::new(),
            logprobs: Vec::new(),
            grounding: RememberedGrounding::default(),
            agreement: None,
        })
    }

    fn memory(bytes: u64, clock: &Arc<ManualClock>) -> MemoryAnswers {
        MemoryAnswers::new(bytes, Arc::clone(clock) as Arc<dyn Clock>, CacheMetrics::default())
    }

    fn key(n: u8) -> AnswerKey {
        named(n, "team", "schema")
    }

    fn named(n: u8, team: &str, schema: &str) -> AnswerKey {
        let names = AnswerNames::new(&Tenant::of_team(team).unwrap(), Some("tag"), schema, "template");
        AnswerKey { question: Fingerprint([n; 32]), names }
    }

    #[test]
    fn an_answer_is_remembered_until_it_expires() {
        let clock = Arc::new(ManualClock::default());
        let cache = memory(1 << 20, &clock);
        let question = Fingerprint([1; 32]);
        cache.put(&key(1), answer(10), Duration::from_secs(60));
        clock.advance(Duration::from_secs(59));
        assert!(cache.get(&question).is_some());
        clock.advance(Duration::from_secs(1));
        assert!(cache.get(&question).is_none());
    }

    #[tokio::test(start_paused = true)]
    async fn an_answer_that_has_expired_leaves_though_nobody_asks_for_it() {
        let clock = Arc::new(ManualClock::default());
        let cache = Arc::new(memory(1 << 20, &clock));
        let stop = CancellationToken::new();
        let sweep = Arc::clone(&cache).sweep(stop.clone());
        let look = async {
            for (n, ttl) in [(1, 30), (2, 3600)] {
                cache.put(&key(n), answer(10), Duration::from_secs(ttl));
            }
            clock.advance(SWEEP);
            tokio::time::sleep(SWEEP + Duration::from_secs(1)).await;
            let facts = cache.components().remove(0).facts;
            assert_eq!(facts.first(), Some(&("answers", 1)));
            stop.cancel();
        };
        tokio::join!(sweep, look);
    }

    #[test]
    fn the_bound_is_in_bytes() {
        let cache = memory(1 << 20, &Arc::default());
        for n in 0..=255 {
            cache.put(&key(n), answer(64 << 10), Duration::from_secs(60));
        }
        let kept = (0..=255).filter(|n| cache.get(&Fingerprint([*n; 32])).is_some()).count();
        assert!((1..=16).contains(&kept), "{kept} answers of 64 KiB in a cache of 1 MiB");
    }

    #[test]
    fn size_zero_remembers_nothing() {
        let cache = memory(0, &Arc::default());
        cache.put(&key(1), answer(1), Duration::from_secs(60));
        assert!(cache.get(&Fingerprint([1; 32])).is_none());
    }

    #[test]
    fn a_pattern_forgets_answers_of_its_tenant_only() {
        let clock = Arc::new(ManualClock::default());
        let cache = memory(1 << 20, &clock);
        let minute = Duration::from_secs(60);
        for key in [named(1, "a", "invoice"), named(2, "a", "ticket"), named(3, "b", "invoice")] {
            cache.put(&key, answer(10), minute);
        }
        cache.put(&named(4, "a", "invoice"), answer(10), Duration::from_secs(1));
        clock.advance(Duration::from_secs(2));
        let forgotten = cache.invalidate(&Tenant::of_team("a").unwrap(), &NamePattern::new("inv*"));
        assert_eq!(forgotten, HashSet::from([Fingerprint([1; 32])]), "what has expired was not there any more");
        let kept = [1, 2, 3, 4].map(|n| cache.get(&Fingerprint([n; 32])).is_some());
        assert_eq!(kept, [false, true, true, false]);
        cache.clear();
        assert_eq!(cache.stats().entries, Some(0));
    }

    #[test]
    fn look_ups_are_counted_once_for_each_question() {
        let cache = memory(1 << 20, &Arc::default());
        assert!(cache.get(&key(1).question).is_none() && cache.get_again(&key(1).question).is_none());
        cache.put(&key(1), answer(10), Duration::from_secs(60));
        assert!(cache.get(&key(1).question).is_some());
        let TierStats { hits, misses, bytes, .. } = cache.stats();
        assert_eq!((hits, misses), (1, 1));
        assert!(bytes.is_some_and(|bytes| bytes > 10));
    }
}

//! Caches as processes have them.

use std::sync::Arc;
use std::time::Duration;

use structured_prompt::cache::memory::MemoryAnswers;
use structured_prompt::cache::redis::RedisAnswers;
use structured_prompt::cache::tiers::Tiers;
use structured_prompt::domain::answer::{Answer, AnswerFactors, Usage, Validation};
use structured_prompt::domain::answer_key::{AnswerKey, AnswerNames};
use structured_prompt::domain::fingerprint::Fingerprint;
use structured_prompt::domain::grounding::RememberedGrounding;
use structured_prompt::domain::health::{Component, Status};
use structured_prompt::domain::logprobs::ValueLogprob;
use structured_prompt::domain::name_pattern::NamePattern;
use structured_prompt::domain::quotes::FieldQuotes;
use structured_prompt::domain::secret::Secret;
use structured_prompt::domain::tenant::Tenant;
use structured_prompt::pipeline::recall::{Recall, SharedLookUp};
use structured_prompt::ports::answer_cache::{AnswerCache as _, NotInvalidated, TierStats};
use structured_prompt::ports::answers::{Answers, SharedAnswers};
use structured_prompt::ports::clock::ManualClock;
use structured_prompt::ports::health::Health as _;
use structured_prompt::telemetry::metrics::CacheMetrics;
use tokio_util::sync::CancellationToken;

pub const HOUR: Duration = Duration::from_secs(3600);

/// The tiers of one process.
pub struct Process {
    pub memory: Arc<MemoryAnswers>,
    pub redis: Arc<RedisAnswers>,
    pub recall: Recall,
    tiers: Tiers,
    stop: CancellationToken,
}

impl Process {
    /// Over the Redis at this URL, once it is connected.
    pub async fn start(url: &str) -> Self {
        let process = Self::unconnected(url);
        process.until("connected", |it| it.component().status == Status::Up).await;
        process
    }

    pub fn unconnected(url: &str) -> Self {
        let (metrics, stop) = (CacheMetrics::default(), CancellationToken::new());
        let memory = Arc::new(MemoryAnswers::new(16 << 20, Arc::new(ManualClock::default()), metrics.clone()));
        let (redis, worker) = RedisAnswers::open(&Secret::new(url).into(), Arc::clone(&memory), metrics, stop.clone());
        tokio::spawn(worker);
        let redis = Arc::new(redis);
        let recall = Recall::new(Arc::clone(&memory) as Arc<dyn Answers>);
        let recall = recall.with_shared(Arc::clone(&redis) as Arc<dyn SharedAnswers>);
        let tiers = Tiers::new(Arc::clone(&memory), Some(Arc::clone(&redis)));
        Self { memory, redis, recall, tiers, stop }
    }

    /// Remembers an answer in both tiers.
    pub fn put(&self, key: &AnswerKey, answer: &Arc<Answer>) {
        self.recall.put(key, answer, HOUR);
    }

    /// What is found on the way to a provider.
    pub async fn shared(&self, key: &AnswerKey) -> Option<Arc<Answer>> {
        match self.recall.get_shared(key, |_| true).await {
            SharedLookUp::Found(answer) => Some(answer),
            SharedLookUp::None | SharedLookUp::TimedOut => None,
        }
    }

    /// Remembers an answer again and again until it is in Redis: a process that has just lost its connection drops it.
    pub async fn put_until_found(&self, key: &AnswerKey) {
        let put = async || {
            self.put(key, &answer(10));
            SharedAnswers::get(&*self.redis, key).await
        };
        some("an answer in Redis", put).await;
    }

    /// Waits until an answer is in Redis. A look-up on a busy machine may be a miss.
    pub async fn found(&self, key: &AnswerKey) -> (Arc<Answer>, Duration) {
        some("an answer in Redis", async || SharedAnswers::get(&*self.redis, key).await).await
    }

    /// Waits until an answer has been taken from Redis into memory.
    pub async fn taken(&self, key: &AnswerKey) -> Arc<Answer> {
        some("an answer from Redis", async || self.shared(key).await).await
    }

    pub async fn invalidate(&self, tenant: &Tenant, pattern: &str) -> Result<u64, NotInvalidated> {
        self.tiers.invalidate(tenant, &NamePattern::new(pattern)).await
    }

    pub async fn stats(&self) -> Vec<TierStats> {
        self.tiers.stats().await
    }

    /// The same, once Redis has told its part.
    pub async fn whole_stats(&self) -> Vec<TierStats> {
        let are_whole = |stats: &Vec<TierStats>| stats.iter().all(|tier| tier.entries.is_some());
        some("all statistics", async || Some(self.stats().await).filter(are_whole)).await
    }

    pub fn component(&self) -> Component {
        self.redis.components().remove(0)
    }

    pub fn has_in_memory(&self, key: &AnswerKey) -> bool {
        self.memory.get(&key.question).is_some()
    }

    /// Waits until something holds.
    pub async fn until(&self, what: &str, holds: impl Fn(&Self) -> bool) {
        let look = async {
            while !holds(self) {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        let waited = tokio::time::timeout(Duration::from_secs(20), look).await;
        assert!(waited.is_ok(), "{what}: not within 20 s; {:?}", self.component());
    }
}

/// Asks until there is something.
pub async fn some<T>(what: &str, ask: impl AsyncFn() -> Option<T>) -> T {
    let asking = async {
        loop {
            if let Some(found) = ask().await {
                return found;
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(20), asking).await.unwrap_or_else(|_| panic!("{what}: not within 20 s"))
}

impl Drop for Process {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

pub fn acme() -> Tenant {
    Tenant::new("acme", "default").unwrap()
}

/// A question of a tenant, by number, with the names of its schema and its tag.
pub fn key_of(tenant: &Tenant, n: u32, schema: &str, tag: Option<&str>) -> AnswerKey {
    let mut question = [9; 32];
    question[..4].copy_from_slice(&n.to_be_bytes());
    AnswerKey { question: Fingerprint(question), names: AnswerNames::new(tenant, tag, schema, "inline") }
}

pub fn key(n: u32) -> AnswerKey {
    key_of(&acme(), n, "invoice", None)
}

/// An answer of about this many bytes.
pub fn answer(bytes: usize) -> Arc<Answer> {
    let words = "words of an answer ".repeat(bytes.div_ceil(19));
    Arc::new(Answer {
        data: format!(r#"{{"text":"{}"}}"#, &words[..bytes]).into(),
        provider: "gpt".into(),
        model: "gpt-4.1".into(),
        validation: Validation::Passed,
        factors: AnswerFactors { validation: 1.0, ladder: 1.0, provider: None },
        attempt_log: Vec::new(),
        usage: Usage::default(),
        cost_usd: 0.5,
        quotes: vec![FieldQuotes { field: "/text".to_owned(), quotes: vec!["words of an answer".to_owned()] }],
        logprobs: vec![ValueLogprob { field: "/text".to_owned(), mean: -0.25, tokens: 4 }],
        grounding: RememberedGrounding::default(),
        agreement: None,
    })
}

/// What a Redis answers to a command.
pub async fn command(url: &str, command: &[&[u8]]) -> redis::Value {
    let client = redis::Client::open(url).unwrap();
    let mut connection = client.get_multiplexed_async_connection().await.unwrap();
    let mut asked = redis::cmd(std::str::from_utf8(command[0]).unwrap());
    asked.arg(&command[1..]).query_async(&mut connection).await.unwrap()
}

/// The names of all keys.
pub async fn keys(url: &str) -> Vec<Vec<u8>> {
    redis::from_redis_value(command(url, &[b"KEYS", b"*"]).await).unwrap()
}

//! Answers that processes share through a Redis server (7 or newer): behind those in memory, and never needed. Whatever
//! the server does, a look-up is a miss within [`ANSWER_LIMIT`], and a server that is known to be away or slow is not
//! waited for at all.
//!
//! - `keys`: what an answer is stored under;
//! - `connection`: connecting, and what the server sends of its own accord; `link`: what is known of it without asking;
//! - `worker`: the task that keeps the connection, writes, and hears of invalidations;
//! - `invalidation`: removing answers by their names;
//! - [`rate_limits`]: the limits of keys, which all processes count together on the same connection.

mod connection;
mod invalidation;
mod keys;
mod link;
pub mod rate_limits;
mod worker;

use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use redis::{InfoDict, RedisResult};
use tokio::sync::{mpsc, oneshot};
use tokio::time::{Instant, timeout};
use tokio_util::sync::CancellationToken;

use self::connection::{Server, is_refusal, why};
use self::invalidation::Invalidation;
use self::link::Link;
use self::rate_limits::RedisRateLimits;
use self::worker::{Job, Worker};
use crate::cache::memory::MemoryAnswers;
use crate::codec::stored_answer::{Decoder, MAX_BYTES};
use crate::domain::answer::Answer;
use crate::domain::answer_key::AnswerKey;
use crate::domain::fingerprint::Fingerprint;
use crate::domain::health::Component;
use crate::domain::name_pattern::NamePattern;
use crate::domain::tenant::Tenant;
use crate::file_watch::current_secret::CurrentSecret;
use crate::ports::answer_cache::{NotInvalidated, TierStats};
use crate::ports::answers::SharedAnswers;
use crate::ports::health::Health;
use crate::telemetry::metrics::CacheMetrics;

/// How long a look-up waits for the server, so that whoever waits for the look-up has the miss within 50 ms.
const ANSWER_LIMIT: Duration = Duration::from_millis(40);
/// How long statistics wait for the server.
const STATS_LIMIT: Duration = Duration::from_millis(80);
/// How long an invalidation waits for what this process has not written yet.
const FLUSH_LIMIT: Duration = Duration::from_secs(2);
/// Answers that wait to be written. Some milliseconds' worth for a server that is well, and some megabytes while it is
/// away.
const QUEUE: usize = 256;

/// The answers in a Redis server.
pub struct RedisAnswers {
    link: Arc<Link>,
    jobs: mpsc::Sender<Job>,
    decoder: Decoder,
    metrics: CacheMetrics,
}

/// What a look-up came to.
enum Lookup {
    /// An answer, and for how long it will be there.
    Hit(Arc<Answer>, Duration),
    /// Nothing is there.
    Miss,
    /// What is there is no answer of ours.
    Unreadable,
    /// The server is away or slow.
    Unavailable,
}

impl RedisAnswers {
    /// Answers in the server at this URL, and the task that looks after them until `stop`. What is invalidated by any
    /// process leaves `memory` too.
    pub fn open(
        url: &CurrentSecret,
        memory: Arc<MemoryAnswers>,
        metrics: CacheMetrics,
        stop: CancellationToken,
    ) -> (Self, impl Future<Output = ()> + use<>) {
        let server = Server::new(url.clone());
        let link = Arc::new(Link::new(server.place()));
        let (sender, jobs) = mpsc::channel(QUEUE);
        let worker = Worker {
            server,
            link: Arc::clone(&link),
            jobs,
            memory,
            metrics: metrics.clone(),
            stop,
            was_connected: false,
        };
        (Self { link, jobs: sender, decoder: Decoder::default(), metrics }, worker.run())
    }

    /// Limits of keys that are counted in the same server.
    pub fn rate_limits(&self) -> RedisRateLimits {
        RedisRateLimits::new(Arc::clone(&self.link))
    }

    async fn look_up(&self, key: &AnswerKey) -> Lookup {
        let Some(mut connection) = self.link.connection() else { return Lookup::Unavailable };
        let key = keys::key(key);
        // The connection sends the pipelines of those who look something up at the same time together.
        let mut pipeline = redis::pipe();
        // Not longer than anything of ours, whatever somebody has put there.
        pipeline.cmd("GETRANGE").arg(&key).arg(0).arg(MAX_BYTES - 1).cmd("PTTL").arg(&key);
        let began_at = Instant::now();
        let answered: Result<RedisResult<(Vec<u8>, i64)>, _> =
            timeout(ANSWER_LIMIT, pipeline.query_async(&mut connection)).await;
        self.metrics.redis_seconds.observe(began_at.elapsed().as_secs_f64());
        match answered {
            Ok(Ok((value, _))) if value.is_empty() => Lookup::Miss,
            Ok(Ok((value, left))) => self.read(&value, left).unwrap_or(Lookup::Unreadable),
            // Something else than a text is stored there, for example.
            Ok(Err(error)) if is_refusal(&error) => Lookup::Unreadable,
            Ok(Err(_)) | Err(_) => {
                self.link.suspect();
                Lookup::Unavailable
            }
        }
    }

    /// The answer in a value that is kept for another `left` milliseconds. One without an end is none of ours.
    fn read(&self, value: &[u8], left: i64) -> Option<Lookup> {
        let left = u64::try_from(left).ok().filter(|left| *left > 0)?;
        Some(Lookup::Hit(Arc::new(self.decoder.decode(value)?), Duration::from_millis(left)))
    }

    /// How many entries the server has, what they take, and how often this process has looked there.
    pub async fn stats(&self) -> TierStats {
        let (entries, bytes) = self.server_stats().await.unzip();
        let CacheMetrics { redis_hits, redis_misses, redis_unreadable, redis_unavailable, .. } = &self.metrics;
        let misses = redis_misses.get() + redis_unreadable.get() + redis_unavailable.get();
        TierStats { tier: "redis", entries, bytes: bytes.flatten(), hits: redis_hits.get(), misses }
    }

    /// Entries and bytes. The server counts all that it has: a cache has a server of its own.
    async fn server_stats(&self) -> Option<(u64, Option<u64>)> {
        let mut connection = self.link.connection()?;
        let mut pipeline = redis::pipe();
        pipeline.cmd("DBSIZE").cmd("INFO").arg("memory");
        let (entries, memory): (u64, InfoDict) =
            timeout(STATS_LIMIT, pipeline.query_async(&mut connection)).await.ok()?.ok()?;
        Some((entries, memory.get("used_memory_dataset")))
    }

    /// Waits until what was put so far is written, dropped or refused. False if the server does not get that far in
    /// time.
    async fn flush(&self) -> bool {
        let (done, flushed) = oneshot::channel();
        let flush = async { self.jobs.send(Job::Flush(done)).await.is_ok() && flushed.await.is_ok() };
        timeout(FLUSH_LIMIT, flush).await.unwrap_or(false)
    }

    /// Waits for the answers that were put so far. True if the server has taken all that this process ever put.
    pub async fn has_taken_all(&self) -> bool {
        self.flush().await && self.metrics.dropped.get() + self.metrics.failed.get() == 0
    }

    /// Removes a tenant's answers whose tag, schema or template has a name of the pattern, calls `on_removed` for each,
    /// and tells all processes.
    ///
    /// # Errors
    /// [`NotInvalidated`].
    pub async fn invalidate(
        &self,
        tenant: &Tenant,
        pattern: &NamePattern,
        on_removed: impl FnMut(&Fingerprint),
    ) -> Result<(), NotInvalidated> {
        let Some(mut connection) = self.link.connection() else {
            return Err(NotInvalidated(self.link.problem()));
        };
        // What this process has not written yet is to be found too.
        if !self.flush().await {
            return Err(NotInvalidated(self.link.problem()));
        }
        let invalidation = Invalidation { tenant: tenant.clone(), pattern: pattern.clone() };
        invalidation.carry_out(&mut connection, on_removed).await.map_err(|error| NotInvalidated(why(&error)))
    }
}

impl SharedAnswers for RedisAnswers {
    fn get<'a>(&'a self, key: &'a AnswerKey) -> BoxFuture<'a, Option<(Arc<Answer>, Duration)>> {
        async {
            let found = self.look_up(key).await;
            match &found {
                Lookup::Hit(..) => &self.metrics.redis_hits,
                Lookup::Miss => &self.metrics.redis_misses,
                Lookup::Unreadable => &self.metrics.redis_unreadable,
                Lookup::Unavailable => &self.metrics.redis_unavailable,
            }
            .inc();
            if let Lookup::Hit(answer, left) = found { Some((answer, left)) } else { None }
        }
        .boxed()
    }

    fn put(&self, key: &AnswerKey, answer: Arc<Answer>, ttl: Duration) {
        // A time that no clock can tell is as good as none.
        let Some(until) = Instant::now().checked_add(ttl) else { return };
        if self.jobs.try_send(Job::Write { key: key.clone(), answer, until }).is_err() {
            self.metrics.dropped.inc();
        }
    }
}

impl Health for RedisAnswers {
    fn components(&self) -> Vec<Component> {
        vec![self.link.component()]
    }
}

//! The tiers of the answer cache as one: memory, and behind it what processes share.

use std::sync::Arc;

use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;

use crate::cache::memory::MemoryAnswers;
use crate::cache::redis::RedisAnswers;
use crate::domain::name_pattern::NamePattern;
use crate::domain::tenant::Tenant;
use crate::ports::answer_cache::{AnswerCache, NotInvalidated, TierStats};

/// The answers in memory, and those in Redis if there is one.
pub struct Tiers {
    memory: Arc<MemoryAnswers>,
    redis: Option<Arc<RedisAnswers>>,
}

impl Tiers {
    /// These tiers.
    pub fn new(memory: Arc<MemoryAnswers>, redis: Option<Arc<RedisAnswers>>) -> Self {
        Self { memory, redis }
    }
}

impl AnswerCache for Tiers {
    fn stats(&self) -> BoxFuture<'_, Vec<TierStats>> {
        async {
            let mut stats = vec![self.memory.stats()];
            if let Some(redis) = &self.redis {
                stats.push(redis.stats().await);
            }
            stats
        }
        .boxed()
    }

    fn invalidate<'a>(
        &'a self,
        tenant: &'a Tenant,
        pattern: &'a NamePattern,
    ) -> BoxFuture<'a, Result<u64, NotInvalidated>> {
        async {
            let mut only_in_memory = self.memory.invalidate(tenant, pattern);
            let Some(redis) = &self.redis else { return Ok(only_in_memory.len() as u64) };
            let mut in_redis = 0;
            let removed = redis.invalidate(tenant, pattern, |question| {
                in_redis += 1;
                only_in_memory.remove(question);
            });
            let removed = removed.await;
            // Some may have come from there in the meantime.
            self.memory.invalidate(tenant, pattern);
            removed?;
            Ok(in_redis + only_in_memory.len() as u64)
        }
        .boxed()
    }
}

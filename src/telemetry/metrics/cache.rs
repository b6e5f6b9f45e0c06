//! The handles of the answer cache.

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::Registry;

use super::SECONDS;

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Lookups {
    tier: &'static str,
    outcome: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Writes {
    outcome: &'static str,
}

/// The cache's metrics. Fields are plain handles; `register` says what each means.
#[derive(Debug, Clone)]
#[allow(missing_docs, reason = "each field is one metric, documented where it is registered")]
pub struct CacheMetrics {
    lookups: Family<Lookups, Counter>,
    writes: Family<Writes, Counter>,
    pub memory_hits: Counter,
    pub memory_misses: Counter,
    pub redis_hits: Counter,
    pub redis_misses: Counter,
    pub redis_unreadable: Counter,
    pub redis_unavailable: Counter,
    pub redis_seconds: Histogram,
    pub written: Counter,
    pub dropped: Counter,
    pub failed: Counter,
}

impl Default for CacheMetrics {
    fn default() -> Self {
        let (lookups, writes) = (Family::<Lookups, Counter>::default(), Family::<Writes, Counter>::default());
        let of = |tier, outcome| lookups.get_or_create_owned(&Lookups { tier, outcome });
        let write = |outcome| writes.get_or_create_owned(&Writes { outcome });
        Self {
            memory_hits: of("memory", "hit"),
            memory_misses: of("memory", "miss"),
            redis_hits: of("redis", "hit"),
            redis_misses: of("redis", "miss"),
            redis_unreadable: of("redis", "unreadable"),
            redis_unavailable: of("redis", "unavailable"),
            redis_seconds: Histogram::new(SECONDS),
            written: write("ok"),
            dropped: write("dropped"),
            failed: write("error"),
            lookups,
            writes,
        }
    }
}

impl CacheMetrics {
    pub(super) fn register(&self, registry: &mut Registry) {
        registry.register("cache_lookups", "Look-ups of remembered answers, by tier", self.lookups.clone());
        let help = "Duration of a look-up in Redis";
        registry.register("cache_redis_seconds", help, self.redis_seconds.clone());
        let help = "Answers for Redis: written, dropped because its queue was full, or refused";
        registry.register("cache_redis_writes", help, self.writes.clone());
    }
}

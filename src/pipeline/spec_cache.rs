//! Specifications that requests bring along, found again by their content: compiling a schema and a template takes
//! longer than looking up an answer.

use std::sync::Arc;

use quick_cache::Weighter;
use quick_cache::sync::Cache;

use crate::pipeline::spec::Spec;

/// Memory for specifications: some hundreds of ordinary ones.
const CAPACITY_BYTES: u64 = 64 << 20;
/// What a specification takes beside its schema, by measure: the template's engine, tables, instructions.
const FIXED_BYTES: u64 = 32 << 10;
/// What is made of each byte of a schema's text, by measure: of three of the built-in schemas a specification takes 83,
/// 112 and 154 kB, with texts of 1.8, 2.3 and 4.3 kB.
const BYTES_PER_SCHEMA_BYTE: u64 = 32;
/// Specifications of a usual process. It sizes the cache's tables, not its bound.
const USUAL_COUNT: usize = 256;

/// The content of a specification as it was written, as a SHA-256.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct SpecDigest(pub [u8; 32]);

/// The specifications used of late. Which of them stay is not for one client to decide that never asks the same twice
/// (S3-FIFO).
pub struct SpecCache(Cache<SpecDigest, Arc<Spec>, SpecBytes>);

#[derive(Debug, Clone)]
struct SpecBytes;

impl Weighter<SpecDigest, Arc<Spec>> for SpecBytes {
    fn weight(&self, _digest: &SpecDigest, spec: &Arc<Spec>) -> u64 {
        FIXED_BYTES + BYTES_PER_SCHEMA_BYTE * spec.call().schema_len() as u64
    }
}

impl Default for SpecCache {
    fn default() -> Self {
        Self(Cache::with_weighter(USUAL_COUNT, CAPACITY_BYTES, SpecBytes))
    }
}

impl SpecCache {
    /// The specification with this content, built if it is not there. Requests that bring the same at the same time
    /// wait for one to build it.
    ///
    /// # Errors
    /// Those of `build`; nothing is kept then.
    pub async fn get_or_build<E>(
        &self,
        digest: SpecDigest,
        build: impl Future<Output = Result<Spec, E>>,
    ) -> Result<Arc<Spec>, E> {
        self.0.get_or_insert_async(&digest, async { build.await.map(Arc::new) }).await
    }
}

#[cfg(test)]
mod tests {
    use std::future::ready;

    use serde_json::json;

    use super::*;
    use crate::pipeline::testing::{router_to, settings};
    use crate::ports::model::FakeModel;
    use crate::schema::Schema;

    fn spec() -> Spec {
        Spec::new(settings(), router_to(Arc::new(FakeModel::default())))
    }

    #[tokio::test]
    async fn the_same_content_is_built_once_and_a_failure_is_not_kept() {
        let cache = SpecCache::default();
        let (one, other) = (SpecDigest([1; 32]), SpecDigest([2; 32]));
        assert_eq!(cache.get_or_build(one, ready(Err("no schema"))).await.err(), Some("no schema"));
        let first = cache.get_or_build(one, ready(Ok::<_, ()>(spec()))).await.unwrap();
        let again = cache.get_or_build(one, ready(Err("built twice"))).await.unwrap();
        assert!(Arc::ptr_eq(&first, &again));
        assert!(!Arc::ptr_eq(&first, &cache.get_or_build(other, ready(Ok::<_, ()>(spec()))).await.unwrap()));
    }

    #[tokio::test]
    async fn specifications_that_are_used_once_do_not_drive_out_one_that_is_used_again() {
        let cache = SpecCache::default();
        let digest = |n: usize| {
            let mut bytes = [0; 32];
            bytes[..8].copy_from_slice(&n.to_be_bytes());
            SpecDigest(bytes)
        };
        let used = cache.get_or_build(digest(0), ready(Ok::<_, ()>(spec()))).await.unwrap();
        let shared = Arc::new(spec());
        for n in 1..=4 * usize::try_from(CAPACITY_BYTES / FIXED_BYTES).unwrap() {
            cache.0.insert(digest(n), Arc::clone(&shared));
            let found = cache.get_or_build(digest(0), ready(Err("driven out"))).await.unwrap();
            assert!(Arc::ptr_eq(&used, &found));
        }
        assert!(cache.0.weight() <= CAPACITY_BYTES);
    }

    #[test]
    fn few_large_schemas_are_as_many_bytes_as_many_small_ones() {
        let cache = SpecCache::default();
        let schema = json!({ "type": "object", "description": "x".repeat(50_000) });
        let large = settings().with(|it| it.schema = Arc::new(Schema::compile("large", "1.0.0", schema).unwrap()));
        let large = Arc::new(Spec::new(large, router_to(Arc::new(FakeModel::default()))));
        for n in 0..100 {
            cache.0.insert(SpecDigest([n; 32]), Arc::clone(&large));
        }
        assert!((20..=42).contains(&cache.0.len()), "{} of 1.6 MB each", cache.0.len());
    }
}

//! Specifications that requests bring along, found again by their content: compiling a schema and a template takes
//! longer than looking up an answer.

use std::sync::Arc;

use quick_cache::sync::Cache;

use crate::pipeline::spec::Spec;

/// Specifications kept. One takes some tens of kilobytes.
const CAPACITY: usize = 1024;

/// The content of a specification as it was written, as a SHA-256.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct SpecDigest(pub [u8; 32]);

/// The specifications used of late. Which of them stay is not for one client to decide that never asks the same twice
/// (S3-FIFO).
pub struct SpecCache(Cache<SpecDigest, Arc<Spec>>);

impl Default for SpecCache {
    fn default() -> Self {
        Self(Cache::new(CAPACITY))
    }
}

impl SpecCache {
    /// The specification with this content, built if it is not there. Requests that bring the same at the same time
    /// wait for one to build it.
    ///
    /// # Errors
    /// Those of `build`; nothing is kept then.
    pub fn get_or_build<E>(&self, digest: SpecDigest, build: impl FnOnce() -> Result<Spec, E>) -> Result<Arc<Spec>, E> {
        self.0.get_or_insert_with(&digest, || build().map(Arc::new))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pipeline::testing::{router_to, settings};
    use crate::ports::model::FakeModel;

    fn spec() -> Spec {
        Spec::new(settings(), router_to(Arc::new(FakeModel::default())))
    }

    #[test]
    fn the_same_content_is_built_once_and_a_failure_is_not_kept() {
        let cache = SpecCache::default();
        let (one, other) = (SpecDigest([1; 32]), SpecDigest([2; 32]));
        assert_eq!(cache.get_or_build(one, || Err("no schema")).err(), Some("no schema"));
        let first = cache.get_or_build(one, || Ok::<_, ()>(spec())).unwrap();
        let again = cache.get_or_build(one, || Err("built twice")).unwrap();
        assert!(Arc::ptr_eq(&first, &again));
        assert!(!Arc::ptr_eq(&first, &cache.get_or_build(other, || Ok::<_, ()>(spec())).unwrap()));
    }

    #[test]
    fn specifications_that_are_used_once_do_not_drive_out_one_that_is_used_again() {
        let cache = SpecCache::default();
        let digest = |n: usize| {
            let mut bytes = [0; 32];
            bytes[..8].copy_from_slice(&n.to_be_bytes());
            SpecDigest(bytes)
        };
        let used = cache.get_or_build(digest(0), || Ok::<_, ()>(spec())).unwrap();
        let shared = Arc::new(spec());
        for n in 1..=4 * CAPACITY {
            cache.0.insert(digest(n), Arc::clone(&shared));
            let found = cache.get_or_build(digest(0), || Err("driven out")).unwrap();
            assert!(Arc::ptr_eq(&used, &found));
        }
        assert!(cache.0.len() <= CAPACITY);
    }
}

//! What can be asked of the answer cache as a whole, and done to it.

use futures_util::FutureExt as _;
use futures_util::future::{BoxFuture, ready};

use crate::domain::name_pattern::NamePattern;
use crate::domain::tenant::Tenant;
use crate::ports::answers::FakeAnswers;

/// One of the places where answers are remembered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TierStats {
    /// The name that users see: `memory` or `redis`.
    pub tier: &'static str,
    /// Answers in it; `None` while that cannot be told.
    pub entries: Option<u64>,
    /// What they take; `None` while that cannot be told.
    pub bytes: Option<u64>,
    /// Look-ups by this process that found an answer, since it started.
    pub hits: u64,
    /// Look-ups by this process that did not.
    pub misses: u64,
}

/// Answers could not be invalidated everywhere. Those of this process's memory were; it has to be asked for again.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the shared cache cannot be reached: {0}; answers may still be in it, so ask for the same again")]
pub struct NotInvalidated(pub String);

/// The tiers of remembered answers together.
pub trait AnswerCache: Send + Sync {
    /// How the tiers are doing, the nearest first. Comes within a tenth of a second, whatever the tiers do.
    fn stats(&self) -> BoxFuture<'_, Vec<TierStats>>;

    /// Forgets a tenant's answers whose tag, schema or template has a name of the pattern, in all processes that share
    /// them. Returns how many there were in the shared tier and this process's memory; one in both counts once. Answers
    /// to calls that are under way are remembered all the same.
    fn invalidate<'a>(
        &'a self,
        tenant: &'a Tenant,
        pattern: &'a NamePattern,
    ) -> BoxFuture<'a, Result<u64, NotInvalidated>>;
}

impl AnswerCache for FakeAnswers {
    fn stats(&self) -> BoxFuture<'_, Vec<TierStats>> {
        let entries = Some(self.entries().len() as u64);
        ready(vec![TierStats { tier: "memory", entries, bytes: Some(0), hits: 0, misses: 0 }]).boxed()
    }

    fn invalidate<'a>(
        &'a self,
        tenant: &'a Tenant,
        pattern: &'a NamePattern,
    ) -> BoxFuture<'a, Result<u64, NotInvalidated>> {
        let mut entries = self.entries();
        let before = entries.len();
        entries.retain(|_, (names, _)| !names.matches(tenant, pattern));
        ready(Ok((before - entries.len()) as u64)).boxed()
    }
}

//! Why a store cannot be used now.

/// The reason in a sentence without secrets. It may pass: whoever needs the store tries again.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct StoreError(pub(super) String);

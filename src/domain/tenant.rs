//! Whose data it is.

use std::sync::Arc;

/// A tenant: nothing that one of them asks, or is answered, is seen by another.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Tenant(Arc<str>);

impl Tenant {
    /// The tenant of this name.
    pub fn new(name: impl Into<Arc<str>>) -> Self {
        Self(name.into())
    }

    /// Its name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Default for Tenant {
    /// The one of an installation that has no others.
    fn default() -> Self {
        Self::new("default")
    }
}

//! A part that can say how it is doing.

use crate::domain::health::Component;

/// Reports from memory: must answer at once, whatever state the part's dependency is in.
pub trait Health: Send + Sync {
    /// The parts' state as last known.
    fn components(&self) -> Vec<Component>;
}

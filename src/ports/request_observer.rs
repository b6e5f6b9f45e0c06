//! Whoever wants to know how a request fares while it is under way.

use std::fmt::Debug;

use crate::domain::attempt::Attempt;

/// Learns of a request what outlives the interest of its client. Whoever works on the request holds the observer, so it is
/// dropped when nothing more can come.
pub trait RequestObserver: Debug + Send + Sync {
    /// The input looks like an attack, for this reason, and was refused for it or not.
    fn suspicious(&self, reason: &str, is_refused: bool);

    /// A step towards the answer was taken: mostly a call, which was paid for.
    fn attempted(&self, attempt: &Attempt);
}

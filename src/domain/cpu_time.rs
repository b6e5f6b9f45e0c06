//! How long a test computes, whatever else the machine does.

use std::time::Duration;

use rustix::time::{ClockId, clock_gettime};

/// A moment in the computing time of this thread.
pub(crate) struct CpuTime(Duration);

impl CpuTime {
    /// Now.
    pub(crate) fn now() -> Self {
        Self(Duration::try_from(clock_gettime(ClockId::ThreadCPUTime)).unwrap())
    }

    /// The time that this thread has computed since then.
    pub(crate) fn elapsed(&self) -> Duration {
        Self::now().0 - self.0
    }
}

//! The only place that spawns. Each task has a kind, and the kind says what its end means.

use std::io;
use std::thread;

use tokio::runtime::Handle;
use tokio::task::JoinHandle;

/// Spawns onto one runtime, from any thread.
#[derive(Debug, Clone)]
pub struct Tasks {
    runtime: Handle,
}

/// A task that belongs to one record: dropping the handle cancels it, and its panic is the record's failure, reported by
/// the task itself. Nothing else depends on it.
#[derive(Debug)]
pub struct RecordTask(JoinHandle<()>);

impl Drop for RecordTask {
    fn drop(&mut self) {
        self.0.abort();
    }
}

impl Tasks {
    /// Tasks on this runtime.
    pub fn new(runtime: Handle) -> Self {
        Self { runtime }
    }

    /// Spawns the work for one record.
    #[allow(clippy::disallowed_methods, reason = "the one place that spawns")]
    pub fn record(&self, work: impl Future<Output = ()> + Send + 'static) -> RecordTask {
        RecordTask(self.runtime.spawn(work))
    }

    /// Spawns a server that lives as long as the process; its end before that is the process's failure, which the caller
    /// notices by awaiting the handle.
    #[allow(clippy::disallowed_methods, reason = "the one place that spawns")]
    pub fn server<T: Send + 'static>(&self, work: impl Future<Output = T> + Send + 'static) -> JoinHandle<T> {
        self.runtime.spawn(work)
    }

    /// Spawns the one task behind a set of handles. It ends with the last handle; that it ended before, by a panic, is for
    /// the handles to notice and to report.
    #[allow(clippy::disallowed_methods, reason = "the one place that spawns")]
    pub fn worker(&self, work: impl Future<Output = ()> + Send + 'static) {
        drop(self.runtime.spawn(work));
    }

    /// The runtime, for a thread that has to wait for something asynchronous.
    pub fn runtime(&self) -> &Handle {
        &self.runtime
    }
}

/// Starts a named thread for a client that blocks. It ends by itself when its owner says so.
///
/// # Errors
/// When the system has no thread to give.
pub fn thread<T: Send + 'static>(
    name: impl Into<String>,
    work: impl FnOnce() -> T + Send + 'static,
) -> io::Result<thread::JoinHandle<T>> {
    thread::Builder::new().name(name.into()).spawn(work)
}

//! The only place that spawns. Each task has a kind, and the kind says what its end means.

use std::convert::Infallible;
use std::io;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use tokio::runtime::Handle;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use tokio::time::timeout;

/// Time that a record's task has for what it began, once nobody waits for it any more. Longer than nearly every call of a
/// provider; not for ever, because a provider that is away may stay away.
const LET_FINISH: Duration = Duration::from_secs(120);

/// Spawns onto one runtime, from any thread.
#[derive(Debug, Clone)]
pub struct Tasks {
    runtime: Handle,
}

/// Says that a task has begun what somebody pays for, whether it is finished or not.
#[derive(Debug, Clone, Default)]
pub struct Commitment(Arc<AtomicBool>);

impl Commitment {
    /// From now on the task is worth finishing.
    pub fn begin(&self) {
        self.0.store(true, Ordering::Relaxed);
    }

    fn has_begun(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

/// A task that belongs to one record. Dropping the handle cancels it, unless it is committed to something: that it may finish,
/// within two minutes. Its panic is the record's failure, reported by the task itself. Nothing else depends on it.
#[derive(Debug)]
pub struct RecordTask {
    task: JoinHandle<()>,
    commitment: Commitment,
    /// Dropped with the handle, which the task notices.
    _wanted: oneshot::Sender<Infallible>,
}

impl Drop for RecordTask {
    fn drop(&mut self) {
        if !self.commitment.has_begun() {
            self.task.abort();
        }
    }
}

#[cfg(test)]
impl RecordTask {
    /// What becomes of it when its process is killed.
    pub fn kill(&self) {
        self.task.abort();
    }
}

impl Tasks {
    /// Tasks on this runtime.
    pub fn new(runtime: Handle) -> Self {
        Self { runtime }
    }

    /// Spawns the work for one record.
    #[allow(clippy::disallowed_methods, reason = "the one place that spawns")]
    pub fn record(&self, work: impl Future<Output = ()> + Send + 'static, commitment: Commitment) -> RecordTask {
        let (wanted, unwanted) = oneshot::channel();
        let task = self.runtime.spawn(let_finish(work, unwanted));
        RecordTask { task, commitment, _wanted: wanted }
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

/// Works as long as somebody wants it, and then for a while.
async fn let_finish(work: impl Future<Output = ()>, unwanted: oneshot::Receiver<Infallible>) {
    let mut work = pin!(work);
    tokio::select! {
        biased;
        () = &mut work => return,
        _ = unwanted => {}
    }
    drop(timeout(LET_FINISH, work).await);
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

#[cfg(test)]
mod tests {
    use tokio::time::sleep;

    use super::*;

    /// Whether a task has done its work, which takes so long, when its handle was dropped after a second.
    async fn is_done(work: Duration, is_committed: bool) -> bool {
        let done = Arc::new(AtomicBool::new(false));
        let (is_done, commitment) = (Arc::clone(&done), Commitment::default());
        if is_committed {
            commitment.begin();
        }
        let work = async move {
            sleep(work).await;
            is_done.store(true, Ordering::Relaxed);
        };
        let task = Tasks::new(Handle::current()).record(work, commitment);
        sleep(Duration::from_secs(1)).await;
        drop(task);
        sleep(LET_FINISH * 2).await;
        done.load(Ordering::Relaxed)
    }

    #[tokio::test(start_paused = true)]
    async fn what_was_begun_is_finished_within_its_time_and_nothing_else() {
        let (short, long) = (Duration::from_secs(2), LET_FINISH + Duration::from_secs(2));
        assert!(is_done(short, true).await);
        assert!(!is_done(long, true).await);
        assert!(!is_done(short, false).await);
    }
}

//! The only place that spawns. Each task has a kind, and the kind says what its end means.

use std::convert::Infallible;
use std::future::poll_fn;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
#[cfg(test)]
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::task::Poll;
use std::thread;

use tokio::runtime::Handle;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
#[cfg(test)]
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// Spawns onto one runtime, from any thread.
#[derive(Debug, Clone)]
pub struct Tasks {
    runtime: Handle,
    records: TaskTracker,
    /// Cancelled when the process is killed; the next process has another one.
    #[cfg(test)]
    killed: Arc<Mutex<CancellationToken>>,
}

/// Says whether a task is worth finishing though nobody waits for it: what it has begun is paid for in any case.
#[derive(Debug, Clone, Default)]
pub struct Commitment(Arc<AtomicBool>);

/// A task that belongs to one record. Dropping the handle cancels it as soon as it is not committed to anything. Its
/// panic is the record's failure, reported by the task itself. Nothing else depends on it.
#[derive(Debug)]
pub struct RecordTask {
    /// Dropped with the handle, which the task notices.
    _wanted: oneshot::Sender<Infallible>,
}

impl Commitment {
    /// From now on the task is worth finishing.
    pub fn begin(&self) {
        self.0.store(true, Ordering::Relaxed);
    }

    /// Until now it was.
    pub fn end(&self) {
        self.0.store(false, Ordering::Relaxed);
    }

    /// Whether it is now.
    pub fn holds(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

impl Tasks {
    /// Tasks on this runtime.
    pub fn new(runtime: Handle) -> Self {
        let records = TaskTracker::new();
        // Closed says that its end may be waited for, not that nothing may begin any more.
        records.close();
        Self {
            runtime,
            records,
            #[cfg(test)]
            killed: Arc::default(),
        }
    }

    /// Spawns the work for one record.
    pub fn record(&self, work: impl Future<Output = ()> + Send + 'static, commitment: Commitment) -> RecordTask {
        let (wanted, unwanted) = oneshot::channel();
        // Boxed, because without optimisation a future is copied over the stack with each function that it is handed
        // to.
        let work = until_unwanted(Box::pin(work), commitment, unwanted);
        #[cfg(test)]
        let work = self.killed().clone().run_until_cancelled_owned(work);
        drop(self.records.spawn_on(work, &self.runtime));
        RecordTask { _wanted: wanted }
    }

    /// True while work for a record is under way, whether anybody waits for it or not.
    pub fn has_records(&self) -> bool {
        !self.records.is_empty()
    }

    /// Returns when no work for a record is under way.
    pub async fn records_done(&self) {
        self.records.wait().await;
    }

    /// What becomes of the work for records when its process is killed. The process that follows it begins work of its
    /// own.
    #[cfg(test)]
    pub fn kill_records(&self) {
        std::mem::take(&mut *self.killed()).cancel();
    }

    #[cfg(test)]
    fn killed(&self) -> MutexGuard<'_, CancellationToken> {
        self.killed.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Spawns a part of the process. Its end, also by a panic, is the process's failure unless it was told to stop; the
    /// caller notices it by the handle.
    #[allow(clippy::disallowed_methods, reason = "the one place that spawns")]
    pub fn service<T: Send + 'static>(&self, work: impl Future<Output = T> + Send + 'static) -> JoinHandle<T> {
        self.runtime.spawn(work)
    }

    /// Spawns work beside its caller, who awaits its outcome by the handle.
    #[allow(clippy::disallowed_methods, reason = "the one place that spawns")]
    pub fn side_work<T: Send + 'static>(&self, work: impl Future<Output = T> + Send + 'static) -> JoinHandle<T> {
        self.runtime.spawn(work)
    }

    /// Runs what keeps a core busy for milliseconds beside the workers, which have others to serve. Its caller awaits its
    /// outcome by the handle.
    pub fn computation<T: Send + 'static>(&self, work: impl FnOnce() -> T + Send + 'static) -> JoinHandle<T> {
        self.runtime.spawn_blocking(work)
    }

    /// Spawns the service of one connection. Its end, also by a panic, concerns nobody but its client.
    #[allow(clippy::disallowed_methods, reason = "the one place that spawns")]
    pub fn connection(&self, work: impl Future<Output = ()> + Send + 'static) {
        drop(self.runtime.spawn(work));
    }

    /// The runtime, for a thread that has to wait for something asynchronous.
    pub fn runtime(&self) -> &Handle {
        &self.runtime
    }
}

/// Works as long as somebody wants it, and then as long as it is committed. Decided here and not by whoever drops the
/// handle, on another thread: a commitment that begins in the same moment counts.
async fn until_unwanted(
    mut work: Pin<Box<impl Future<Output = ()>>>,
    commitment: Commitment,
    unwanted: oneshot::Receiver<Infallible>,
) {
    tokio::select! {
        biased;
        _ = unwanted => {}
        () = &mut work => return,
    }
    poll_fn(|context| {
        if commitment.holds() && work.as_mut().poll(context).is_pending() && commitment.holds() {
            return Poll::Pending;
        }
        Poll::Ready(())
    })
    .await;
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

/// Starts a named thread that is a part of the process, as [`Tasks::service`] is. What it returns is sent at its end;
/// nothing is sent when it panics.
///
/// # Errors
/// When the system has no thread to give.
pub fn service_thread<T: Send + 'static>(
    name: impl Into<String>,
    work: impl FnOnce() -> T + Send + 'static,
) -> io::Result<oneshot::Receiver<T>> {
    let (end, ended) = oneshot::channel();
    // Whoever waited may have gone, because the process ends anyway.
    thread(name, move || drop(end.send(work())))?;
    Ok(ended)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use tokio::time::sleep;

    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    /// Whether a task has done its work when its handle was dropped after a second and a half. Each second it does as
    /// told.
    async fn is_done(steps: &'static [fn(&Commitment)]) -> bool {
        let done = Arc::new(AtomicBool::new(false));
        let (is_done, commitment) = (Arc::clone(&done), Commitment::default());
        let tasks = Tasks::new(Handle::current());
        let own = commitment.clone();
        let work = async move {
            for step in steps {
                step(&own);
                sleep(SECOND).await;
            }
            is_done.store(true, Ordering::Relaxed);
        };
        let task = tasks.record(work, commitment);
        sleep(SECOND.mul_f64(1.5)).await;
        drop(task);
        while tasks.has_records() {
            sleep(SECOND).await;
        }
        done.load(Ordering::Relaxed)
    }

    #[tokio::test(start_paused = true)]
    async fn what_nobody_waits_for_is_finished_while_it_is_committed() {
        assert!(is_done(&[Commitment::begin, |_| (), |_| (), |_| ()]).await);
        assert!(!is_done(&[|_| (), |_| (), |_| ()]).await, "it never was");
        assert!(!is_done(&[Commitment::begin, Commitment::end, |_| ()]).await, "it was before");
        assert!(!is_done(&[Commitment::begin, |_| (), Commitment::end]).await, "it no longer is");
    }

    #[tokio::test]
    async fn a_thread_that_panics_sends_nothing() {
        assert_eq!(service_thread("returns", || 1).unwrap().await, Ok(1));
        assert!(service_thread("panics", || panic!("as told")).unwrap().await.is_err());
    }

    #[tokio::test(start_paused = true)]
    async fn the_end_of_all_work_for_records_can_be_waited_for() {
        let tasks = Tasks::new(Handle::current());
        let _short = tasks.record(sleep(SECOND), Commitment::default());
        let _long = tasks.record(sleep(2 * SECOND), Commitment::default());
        let began_at = tokio::time::Instant::now();
        tasks.records_done().await;
        assert_eq!(began_at.elapsed().as_secs(), 2);
        assert!(!tasks.has_records());
    }
}

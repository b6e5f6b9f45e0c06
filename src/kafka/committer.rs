//! Commits offsets on a thread of its own: the client's synchronous commit blocks, and its asynchronous one does not tell
//! how it ended (librdkafka 2.12 reports manual commits only to a callback that the Rust client, being event-based, does
//! not set).

use std::sync::Arc;
use std::thread::JoinHandle;

use crossbeam_channel::{Receiver, Sender, bounded};
use rdkafka::consumer::{CommitMode, Consumer as _};
use rdkafka::error::KafkaResult;
use rdkafka::topic_partition_list::{Offset, TopicPartitionList};

use super::client::Consumer;
use super::ledger::Partition;
use crate::tasks;

/// For each partition the offset of the next record to consume.
pub(super) type Offsets = Vec<(Partition, i64)>;

/// A running committer; ends when dropped, after the commit that is under way.
pub(super) struct Committer {
    requests: Option<Sender<Offsets>>,
    results: Receiver<KafkaResult<Offsets>>,
    thread: Option<JoinHandle<()>>,
    is_busy: bool,
    is_gone: bool,
}

impl Committer {
    pub(super) fn start(consumer: Arc<Consumer>, group: &str) -> Self {
        let (requests, requested) = bounded::<Offsets>(1);
        let (sent, results) = bounded(1);
        let work = move || {
            for offsets in requested {
                if sent.send(commit(&consumer, offsets)).is_err() {
                    return;
                }
            }
        };
        let thread = tasks::thread(format!("commit-{group}"), work);
        Self { requests: Some(requests), results, is_gone: thread.is_err(), thread: thread.ok(), is_busy: false }
    }

    /// True while a commit is under way; another one waits for its result.
    pub(super) fn is_busy(&self) -> bool {
        self.is_busy
    }

    /// True if the thread could not start or has panicked: nothing will be committed any more.
    pub(super) fn is_gone(&self) -> bool {
        self.is_gone
    }

    /// Begins a commit, unless one is under way.
    pub(super) fn commit(&mut self, offsets: Offsets) {
        if self.is_busy {
            return;
        }
        self.is_busy = true;
        self.is_gone = self.requests.as_ref().is_none_or(|requests| requests.try_send(offsets).is_err());
    }

    /// The result of a commit that has ended since the last call.
    pub(super) fn result(&mut self) -> Option<KafkaResult<Offsets>> {
        match self.results.try_recv() {
            Ok(result) => {
                self.is_busy = false;
                Some(result)
            }
            Err(error) => {
                self.is_gone |= error.is_disconnected();
                None
            }
        }
    }
}

impl Drop for Committer {
    fn drop(&mut self) {
        self.requests = None;
        if let Some(Err(_panic)) = self.thread.take().map(JoinHandle::join) {
            tracing::error!("the committing thread panicked");
        }
    }
}

fn commit(consumer: &Consumer, offsets: Offsets) -> KafkaResult<Offsets> {
    let mut list = TopicPartitionList::new();
    for (partition, next) in &offsets {
        list.add_partition_offset(&partition.topic, partition.number, Offset::Offset(*next))?;
    }
    consumer.commit(&list, CommitMode::Sync)?;
    Ok(offsets)
}

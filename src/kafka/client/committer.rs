//! Commits offsets, and reads what was committed, on a thread of its own: the client's synchronous calls block, and its
//! asynchronous commit does not tell how it ended (librdkafka 2.12 reports manual commits only to a callback that the
//! Rust client, being event-based, does not set).

use std::sync::{Arc, Weak};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, Sender, bounded};
use rdkafka::consumer::{CommitMode, Consumer as _, ConsumerGroupMetadata};
use rdkafka::error::{KafkaError, KafkaResult, RDKafkaErrorCode};
use rdkafka::producer::Producer as _;
use rdkafka::topic_partition_list::Offset;

use super::callbacks::{Consumer, Producer};
use super::cluster::{self, ClusterError, Done, Fetched, Request};
use super::commit::{Commit, Partition, list, map};
use super::commit_metadata::Completed;
use super::transaction_calls::{self, insist};
use crate::tasks;

/// How long the group may take to say what was committed, before it is asked again.
const FETCH_TIMEOUT: Duration = Duration::from_secs(5);

/// Age at which a request of any kind does not come back: far beyond all timeouts of the client (`socket.timeout.ms` is
/// a minute).
const GONE_AFTER: Duration = Duration::from_secs(150);

/// How long the end of a session waits for a request that is under way, unless it is lost already. A call that never
/// comes back keeps its thread and the producer, whose next one with the same `transactional.id` fences it.
const LAST_REQUEST: Duration = Duration::from_secs(5);

/// A running committer; ends when dropped, after the request that is under way, or without it.
pub(super) struct Committer {
    requests: Option<Sender<(Request, Option<ConsumerGroupMetadata>)>>,
    results: Receiver<Done>,
    thread: Option<JoinHandle<()>>,
    busy_since: Option<Instant>,
    is_gone: bool,
}

impl Committer {
    pub(super) fn start(consumer: &Arc<Consumer>, producer: Arc<Producer>, group: &str) -> Self {
        let (requests, requested) = bounded::<(Request, Option<ConsumerGroupMetadata>)>(1);
        let (sent, results) = bounded(1);
        // A call that never comes back must not keep the consumer in its group.
        let consumer = Arc::downgrade(consumer);
        let work = move || {
            for (request, membership) in requested {
                if sent.send(carry_out(&consumer, &producer, request, membership.as_ref())).is_err() {
                    return;
                }
            }
        };
        let thread = tasks::thread(format!("commit-{group}"), work);
        Self { requests: Some(requests), results, is_gone: thread.is_err(), thread: thread.ok(), busy_since: None }
    }

    /// True while a request is under way; another one waits for its result.
    pub(super) fn is_busy(&self) -> bool {
        self.busy_since.is_some()
    }

    /// True if the thread could not start, has panicked or does not come back: nothing will be committed any more.
    pub(super) fn is_gone(&self) -> bool {
        self.is_gone || self.busy_since.is_some_and(|since| since.elapsed() > GONE_AFTER)
    }

    /// Begins a request, unless one is under way. A transaction is committed as the member `membership` of the group.
    pub(super) fn request(&mut self, request: Request, membership: Option<ConsumerGroupMetadata>) {
        if self.is_busy() {
            return;
        }
        self.busy_since = Some(Instant::now());
        self.is_gone = self.requests.as_ref().is_none_or(|requests| requests.try_send((request, membership)).is_err());
    }

    /// The result of a request that has ended since the last call.
    pub(super) fn done(&mut self) -> Option<Done> {
        match self.results.try_recv() {
            Ok(result) => {
                self.busy_since = None;
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
        let is_lost = self.busy_since.is_some_and(|since| {
            let wait = LAST_REQUEST.min(transaction_calls::LOST_AFTER.saturating_sub(since.elapsed()));
            self.results.recv_timeout(wait).is_err_and(|error| error.is_timeout())
        });
        if is_lost {
            tracing::warn!("the Kafka client does not come back from a call; its thread is left behind");
            return;
        }
        if let Some(Err(_panic)) = self.thread.take().map(JoinHandle::join) {
            tracing::error!("the committing thread panicked");
        }
    }
}

fn carry_out(
    consumer: &Weak<Consumer>,
    producer: &Producer,
    request: Request,
    membership: Option<&ConsumerGroupMetadata>,
) -> Done {
    let deadline = Instant::now() + transaction_calls::REQUEST;
    let insist = |call: &dyn Fn(Duration) -> KafkaResult<()>| insist(deadline, call).map_err(ClusterError::from);
    match request {
        Request::Commit(commits) => Done::Commit(with(consumer, |consumer| commit(consumer, commits))),
        Request::Fetch(partitions) => Done::Fetch(with(consumer, |consumer| fetch(consumer, &partitions))),
        Request::InitTransactions => Done::InitTransactions(insist(&|limit| producer.init_transactions(limit))),
        Request::AbortTransaction => Done::AbortTransaction(insist(&|limit| producer.abort_transaction(limit))),
        Request::CommitTransaction(commits) => Done::CommitTransaction(match membership {
            Some(membership) => commit_transaction(producer, commits, membership, deadline).map_err(ClusterError::from),
            None => Err(ClusterError::from(RDKafkaErrorCode::UnknownMemberId)),
        }),
    }
}

/// The session has ended if the consumer is gone.
fn with<T>(consumer: &Weak<Consumer>, call: impl FnOnce(&Consumer) -> KafkaResult<T>) -> Result<T, ClusterError> {
    let consumer = consumer.upgrade().ok_or(RDKafkaErrorCode::State)?;
    Ok(call(&consumer)?)
}

fn commit(consumer: &Consumer, commits: Vec<Commit>) -> KafkaResult<Vec<Commit>> {
    let committed = consumer.commit(&list(&commits, true)?, CommitMode::Sync);
    let is_refused = |error: &KafkaError| error.rdkafka_error_code() == Some(RDKafkaErrorCode::OffsetMetadataTooLarge);
    if committed.as_ref().is_err_and(is_refused) {
        // This cluster's `offset.metadata.max.bytes` is below the default. Plain offsets are right, a restart only
        // repeats more.
        consumer.commit(&list(&commits, false)?, CommitMode::Sync)?;
        return Ok(commits);
    }
    committed.map(|()| commits)
}

fn commit_transaction(
    producer: &Producer,
    commits: Vec<Commit>,
    membership: &ConsumerGroupMetadata,
    deadline: Instant,
) -> KafkaResult<Vec<Commit>> {
    let list = list(&commits, true)?;
    insist(deadline, |limit| producer.send_offsets_to_transaction(&list, membership, limit))?;
    insist(deadline, |limit| producer.commit_transaction(limit))?;
    Ok(commits)
}

fn fetch(consumer: &Consumer, partitions: &[Partition]) -> KafkaResult<Fetched> {
    let list = consumer.committed_offsets(cluster::list(partitions), FETCH_TIMEOUT)?;
    let mut fetched = Fetched::default();
    let mut is_silent = false;
    for element in list.elements() {
        element.error()?;
        let partition = Partition { topic: element.topic().into(), number: element.partition() };
        let Offset::Offset(base) = element.offset() else {
            fetched.committed.push((partition, None));
            continue;
        };
        if !is_silent {
            // What was deleted is worth knowing, but not worth waiting for a partition without a leader, and for the
            // next one.
            match consumer.fetch_watermarks(&partition.topic, partition.number, FETCH_TIMEOUT) {
                Ok((first, _)) if first > base => fetched.deleted.push((partition.clone(), base..first)),
                Ok(_) => {}
                Err(error) => {
                    tracing::warn!(%partition, %error, "the partition does not say where it begins; deleted records are not counted");
                    is_silent = true;
                }
            }
        }
        let map = map(&element, base).unwrap_or_else(|reason| {
            fetched.refused.push((partition.clone(), reason));
            Completed::default()
        });
        fetched.committed.push((partition, Some((base, map))));
    }
    fetched.list = list;
    Ok(fetched)
}

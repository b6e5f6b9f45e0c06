//! What a cluster knows: logs, a consumer group, transactions. Time passes, requests come late, members fall silent.

use std::collections::{BTreeMap, VecDeque};
use std::time::{Duration, Instant};

use fastrand::Rng;
use rdkafka::error::RDKafkaErrorCode as Code;
use rdkafka::topic_partition_list::TopicPartitionList;

use crate::domain::record::{Outgoing, Record};
use crate::kafka::client::cluster::{self, ClusterError, Event, Fetched};
use crate::kafka::client::commit::{Commit, Partition};
use crate::kafka::client::commit_metadata::Completed;
use crate::kafka::client::transaction_calls;

/// After this time without a poll the group goes on without a member.
pub(super) const SESSION_TIMEOUT: Duration = Duration::from_secs(6);

pub(super) type MemberId = usize;

/// What became of a record in an output topic.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Visibility {
    /// Its transaction is open.
    Pending(u64),
    Committed,
    Aborted,
}

pub(super) struct Written {
    pub(super) is_letter: bool,
    pub(super) outgoing: Outgoing,
    pub(super) visibility: Visibility,
}

#[derive(Debug, Default)]
pub(super) struct Member {
    pub(super) generation: u64,
    pub(super) last_poll: Option<Instant>,
    pub(super) events: VecDeque<Event>,
    /// It was told something and has not answered.
    pub(super) owes_answer: bool,
}

/// The producer of one `transactional.id`.
#[derive(Debug, Default, Clone)]
pub(super) struct Producer {
    pub(super) epoch: u32,
    pub(super) open: Option<Open>,
    /// Offsets that came late: they end with the transaction that is open, or with the next one.
    stray: Vec<Commit>,
}

#[derive(Debug, Clone)]
pub(super) struct Open {
    pub(super) id: u64,
    began_at: Instant,
    pub(super) offsets: Vec<Commit>,
}

/// What is still on its way to the broker when its client has given up waiting.
pub(super) enum Late {
    /// The end of a transaction.
    End { producer: usize, epoch: u32 },
    /// Offsets for a transaction.
    Offsets { producer: usize, epoch: u32, commits: Vec<Commit> },
    /// A commit outside of transactions.
    Commit { member: MemberId, generation: u64, commits: Vec<Commit> },
}

pub(super) struct World {
    pub(super) random: Rng,
    pub(super) topic: std::sync::Arc<str>,
    /// The source, by partition.
    pub(super) log: Vec<Vec<Record>>,
    /// Both outputs, in the order in which they were written.
    pub(super) written: Vec<Written>,
    pub(super) committed: Vec<Option<(i64, String)>>,
    pub(super) producers: Vec<Producer>,
    pub(super) members: BTreeMap<MemberId, Member>,
    owners: Vec<Option<MemberId>>,
    pub(super) generation: u64,
    late: Vec<(Instant, Late)>,
    next_id: u64,
    /// Share of requests that go wrong, in percent.
    pub(super) fault_rate: u32,
    /// The group takes no commit: outside of transactions none is answered, in them it is refused.
    pub(super) takes_no_commits: bool,
    /// Clients drop all that they are told about pauses.
    pub(super) loses_pauses: bool,
    /// A partition of which none is, while those of others in the same request are.
    pub(super) refused: Option<i32>,
}

/// A call took too long.
pub(super) fn timeout() -> ClusterError {
    ClusterError::from(Code::OperationTimedOut)
}

impl World {
    pub(super) fn new(random: Rng, log: Vec<Vec<Record>>, producers: usize) -> Self {
        let partitions = log.len();
        Self {
            random,
            topic: "in".into(),
            log,
            written: Vec::new(),
            committed: vec![None; partitions],
            producers: vec![Producer::default(); producers],
            members: BTreeMap::new(),
            owners: vec![None; partitions],
            generation: 0,
            late: Vec::new(),
            next_id: 0,
            fault_rate: 0,
            takes_no_commits: false,
            loses_pauses: false,
            refused: None,
        }
    }

    /// What the group says of partitions that are assigned.
    pub(super) fn fetched(&self, partitions: &[Partition]) -> Fetched {
        let committed = partitions.iter().map(|partition| {
            let committed = self.committed[usize::try_from(partition.number).unwrap()].as_ref();
            let read = committed.map(|(next, text)| (*next, Completed::decode(text, *next).unwrap()));
            (partition.clone(), read)
        });
        Fetched {
            list: cluster::list(partitions),
            committed: committed.collect(),
            deleted: Vec::new(),
            refused: Vec::new(),
        }
    }

    pub(super) fn is_wrong(&mut self) -> bool {
        self.random.u32(0..100) < self.fault_rate
    }

    /// Whether a client drops what it is told about pauses.
    pub(super) fn loses_pause(&mut self) -> bool {
        self.is_wrong() || self.loses_pauses
    }

    pub(super) fn id(&mut self) -> u64 {
        self.next_id += 1;
        self.next_id
    }

    pub(super) fn partition(&self, number: usize) -> Partition {
        Partition { topic: self.topic.clone(), number: i32::try_from(number).unwrap() }
    }

    /// True when everything is committed, nothing hangs in a transaction, and nothing is on its way.
    pub(super) fn is_done(&self) -> bool {
        let ends = self.log.iter().map(|log| i64::try_from(log.len()).unwrap());
        let is_committed = |(committed, end): (&Option<(i64, String)>, i64)| {
            committed.as_ref().map_or(end == 0, |(next, _)| *next == end)
        };
        self.late.is_empty()
            && self.committed.iter().zip(ends).all(is_committed)
            && self.producers.iter().all(|producer| producer.open.is_none())
    }

    /// Time has passed.
    pub(super) fn tick(&mut self, now: Instant) {
        let (due, late) = std::mem::take(&mut self.late).into_iter().partition(|(due, _)| *due <= now);
        self.late = late;
        due.into_iter().for_each(|(_, late)| self.arrive(late));
        for producer in 0..self.producers.len() {
            let is_old = |open: &Open| now.duration_since(open.began_at) > transaction_calls::TIMEOUT;
            if self.producers[producer].open.as_ref().is_some_and(is_old) {
                self.end_transaction(producer, false);
                self.producers[producer].epoch += 1;
            }
        }
        let is_silent = |member: &Member| member.last_poll.is_some_and(|at| now.duration_since(at) > SESSION_TIMEOUT);
        let silent: Vec<_> = self.members.iter().filter(|(_, member)| is_silent(member)).map(|(id, _)| *id).collect();
        silent.into_iter().for_each(|member| self.leave(member));
        self.rebalance();
    }

    pub(super) fn join(&mut self, now: Instant) -> MemberId {
        let id = usize::try_from(self.id()).unwrap();
        self.generation += 1;
        let member = Member { generation: self.generation, last_poll: Some(now), ..Member::default() };
        self.members.insert(id, member);
        id
    }

    pub(super) fn leave(&mut self, member: MemberId) {
        if self.members.remove(&member).is_some() {
            self.generation += 1;
            self.owners.iter_mut().filter(|owner| **owner == Some(member)).for_each(|owner| *owner = None);
        }
    }

    /// The group goes on without anybody.
    pub(super) fn forget_members(&mut self) {
        let members: Vec<MemberId> = self.members.keys().copied().collect();
        members.into_iter().for_each(|member| self.leave(member));
    }

    pub(super) fn give_back(&mut self, member: MemberId, partition: usize) {
        if self.owners[partition] == Some(member) {
            self.owners[partition] = None;
        }
    }

    /// One step towards an even assignment, cooperatively: who has too much is told to give back, and only what nobody
    /// has is assigned.
    fn rebalance(&mut self) {
        let ids: Vec<MemberId> = self.members.keys().copied().collect();
        for id in &ids {
            if self.members[id].owes_answer {
                continue;
            }
            let is_meant = |partition: usize| ids[partition % ids.len()] == *id;
            let all = 0..self.owners.len();
            let revoked: Vec<_> = all.clone().filter(|p| self.owners[*p] == Some(*id) && !is_meant(*p)).collect();
            let assigned: Vec<_> = all.filter(|p| self.owners[*p].is_none() && is_meant(*p)).collect();
            let event = if !revoked.is_empty() {
                Event::Revoked(revoked.iter().map(|p| self.partition(*p)).collect())
            } else if !assigned.is_empty() {
                assigned.iter().for_each(|partition| self.owners[*partition] = Some(*id));
                Event::Assigned(assigned.iter().map(|p| self.partition(*p)).collect())
            } else {
                continue;
            };
            // The members learn of each step as a new generation.
            self.generation += 1;
            let member = self.members.get_mut(id).unwrap();
            member.owes_answer = true;
            member.events.push_back(event);
        }
    }

    /// What the group says to a commit. It does not look at who owns a partition (KIP-447 leaves that to the member).
    pub(super) fn knows(&self, member: MemberId, generation: u64) -> bool {
        !self.takes_no_commits && self.members.contains_key(&member) && self.generation == generation
    }

    /// A commit outside of transactions. What goes wrong goes wrong before or after it is done.
    pub(super) fn commit_of(
        &mut self,
        member: MemberId,
        commits: Vec<Commit>,
        is_wrong: bool,
        now: Instant,
    ) -> Result<Vec<Commit>, ClusterError> {
        let generation = self.members.get(&member).map_or(0, |member| member.generation);
        if self.takes_no_commits {
            return Err(timeout());
        }
        if !self.knows(member, generation) {
            return Err(ClusterError::from(Code::IllegalGeneration));
        }
        if let Some(refused) = self.refused {
            let taken: Vec<Commit> =
                commits.iter().filter(|commit| commit.partition.number != refused).cloned().collect();
            self.commit(&taken);
            return if taken.len() == commits.len() {
                Ok(commits)
            } else {
                Err(ClusterError::from(Code::UnknownTopicOrPartition))
            };
        }
        let way = if is_wrong { self.random.u8(0..4) } else { 3 };
        if matches!(way, 1 | 2) {
            // Held up. The client gives up waiting, or sends it again by itself.
            self.send_late(Late::Commit { member, generation, commits: commits.clone() }, now);
        }
        if way >= 2 {
            self.commit(&commits);
        }
        if way < 2 || is_wrong && self.random.bool() { Err(timeout()) } else { Ok(commits) }
    }

    fn commit(&mut self, commits: &[Commit]) {
        for commit in commits {
            self.committed[usize::try_from(commit.partition.number).unwrap()] =
                Some((commit.next, commit.map.text.clone()));
        }
    }

    /// The open transaction of a producer, begun now if there is none.
    pub(super) fn open(&mut self, producer: usize, now: Instant) -> u64 {
        let id = self.id();
        let open = || Open { id, began_at: now, offsets: Vec::new() };
        self.producers[producer].open.get_or_insert_with(open).id
    }

    pub(super) fn end_transaction(&mut self, producer: usize, is_committed: bool) {
        let stray = std::mem::take(&mut self.producers[producer].stray);
        let Some(open) = self.producers[producer].open.take() else { return };
        let visibility = if is_committed { Visibility::Committed } else { Visibility::Aborted };
        let of_it = self.written.iter_mut().filter(|written| written.visibility == Visibility::Pending(open.id));
        of_it.for_each(|written| written.visibility = visibility);
        if is_committed {
            self.commit(&open.offsets);
            self.commit(&stray);
        }
    }

    pub(super) fn send_late(&mut self, late: Late, now: Instant) {
        let due = now + Duration::from_secs(self.random.u64(1..40));
        self.late.push((due, late));
    }

    fn arrive(&mut self, late: Late) {
        match late {
            // Whatever is open by now: a broker before KIP-890 does not know which transaction was meant.
            Late::End { producer, epoch } if self.producers[producer].epoch == epoch => {
                self.end_transaction(producer, true);
            }
            // Whatever was committed since: offsets may go back.
            Late::Commit { member, generation, commits } if self.knows(member, generation) => self.commit(&commits),
            Late::Offsets { producer, epoch, commits } if self.producers[producer].epoch == epoch => {
                self.producers[producer].stray = commits;
            }
            Late::End { .. } | Late::Offsets { .. } | Late::Commit { .. } => {}
        }
    }

    /// True if a transaction that is open has offsets for this partition: what is committed is not certain.
    pub(super) fn is_unstable(&self, partition: &Partition) -> bool {
        let open = self.producers.iter().filter_map(|producer| producer.open.as_ref());
        open.flat_map(|open| &open.offsets).any(|commit| commit.partition == *partition)
    }
}

/// The clock that the test moves.
pub(super) fn now() -> Instant {
    tokio::time::Instant::now().into_std()
}

/// The partitions in a list.
pub(super) fn numbers(list: &TopicPartitionList) -> Vec<usize> {
    list.elements().iter().map(|element| usize::try_from(element.partition()).unwrap()).collect()
}

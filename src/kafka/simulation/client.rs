//! One process's clients in the simulated cluster.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::rc::Rc;
use std::time::{Duration, Instant};

use rdkafka::error::RDKafkaErrorCode as Code;
use rdkafka::topic_partition_list::TopicPartitionList;

use super::world::{Late, MemberId, Visibility, World, Written, now, numbers, timeout};
use crate::domain::record::Outgoing;
use crate::kafka::client::cluster::Ticket;
use crate::kafka::client::cluster::{Cluster, ClusterError, Delivery, Done, Event, Received, Request};
use crate::kafka::client::commit::Commit;

/// How long a client insists on a call.
const CALL: Duration = Duration::from_secs(10);

struct Sending {
    due: Instant,
    ticket: Ticket,
    is_letter: bool,
    outgoing: Outgoing,
}

pub(super) struct Client {
    world: Rc<RefCell<World>>,
    /// Killed: nothing that it does reaches anybody.
    is_dead: Rc<RefCell<bool>>,
    member: MemberId,
    /// Which `transactional.id` it has.
    producer: usize,
    is_transactional: bool,
    epoch: Option<u32>,
    is_in_transaction: bool,
    has_failed: bool,
    fatal: Option<Code>,
    assigned: BTreeMap<usize, i64>,
    /// Of which a record was handed out.
    begun: BTreeSet<usize>,
    paused: BTreeSet<usize>,
    fetches_begin: Instant,
    is_lost: bool,
    noted: Option<u64>,
    sending: VecDeque<Sending>,
    reports: Vec<Delivery>,
    request: Option<(Instant, Request)>,
    replies: VecDeque<(Instant, Done)>,
    /// A call does not come back.
    hangs: bool,
}

impl Client {
    pub(super) fn join(
        world: &Rc<RefCell<World>>,
        producer: usize,
        is_transactional: bool,
        is_dead: Rc<RefCell<bool>>,
    ) -> Self {
        let member = world.borrow_mut().join(now());
        Self {
            world: Rc::clone(world),
            is_dead,
            member,
            producer,
            is_transactional,
            epoch: None,
            is_in_transaction: false,
            has_failed: false,
            fatal: None,
            assigned: BTreeMap::new(),
            begun: BTreeSet::new(),
            paused: BTreeSet::new(),
            fetches_begin: now(),
            is_lost: false,
            noted: None,
            sending: VecDeque::new(),
            reports: Vec::new(),
            request: None,
            replies: VecDeque::new(),
            hangs: false,
        }
    }

    /// Whether what it is told of pauses is lost. In such a moment the beginning of a fetch is, and then nothing is
    /// ever fetched.
    fn told(&self) -> bool {
        assert!(now() >= self.fetches_begin, "a client is told of pauses while fetches begin");
        self.world.borrow_mut().loses_pause()
    }

    fn is_dead(&self) -> bool {
        *self.is_dead.borrow()
    }

    /// True if a newer producer has this one's `transactional.id`, or the broker gave up its transaction.
    fn is_fenced(&mut self, world: &World) -> bool {
        let is_fenced = self.is_transactional && self.epoch != Some(world.producers[self.producer].epoch);
        if is_fenced {
            self.fatal = Some(Code::Fenced);
        }
        is_fenced
    }

    /// What was sent reaches the broker, in batches: all that is due.
    fn deliver(&mut self) {
        if self.is_dead() || self.has_failed || self.fatal.is_some() {
            return;
        }
        let world = Rc::clone(&self.world);
        let mut world = world.borrow_mut();
        let count = self.sending.iter().take_while(|sending| sending.due <= now()).count();
        let batch: Vec<Sending> = self.sending.drain(..count).collect();
        if batch.is_empty() || self.is_fenced(&world) {
            return;
        }
        if batch.iter().any(is_too_large) {
            self.has_failed = self.is_transactional;
            self.reports.extend(batch.iter().map(|sending| (sending.ticket, Err(Code::MessageSizeTooLarge))));
            return;
        }
        let visibility = if self.is_transactional {
            Visibility::Pending(world.open(self.producer, now()))
        } else {
            Visibility::Committed
        };
        for Sending { ticket, is_letter, outgoing, .. } in batch {
            world.written.push(Written { is_letter, outgoing, visibility });
            self.reports.push((ticket, Ok(())));
        }
    }

    fn carry_out(&mut self, request: Request) {
        let world = Rc::clone(&self.world);
        let mut world = world.borrow_mut();
        let is_wrong = world.is_wrong();
        let done = match request {
            Request::Commit(commits) => Done::Commit(world.commit_of(self.member, commits, is_wrong, now())),
            Request::Fetch(partitions) => {
                let is_unstable = partitions.iter().any(|partition| world.is_unstable(partition));
                Done::Fetch(if is_unstable || is_wrong {
                    Err(ClusterError::from(Code::UnstableOffsetCommit))
                } else {
                    Ok(world.fetched(&partitions))
                })
            }
            Request::InitTransactions => {
                world.end_transaction(self.producer, false);
                world.producers[self.producer].epoch += 1;
                self.epoch = Some(world.producers[self.producer].epoch);
                Done::InitTransactions(if is_wrong { Err(timeout()) } else { Ok(()) })
            }
            Request::AbortTransaction => Done::AbortTransaction(self.abort(&mut world, is_wrong)),
            Request::CommitTransaction(commits) => {
                Done::CommitTransaction(self.commit_transaction(&mut world, commits, is_wrong))
            }
        };
        if is_wrong && !matches!(done, Done::Commit(_) | Done::Fetch(_)) && world.random.u8(0..4) == 0 {
            self.hangs = true;
            return;
        }
        // A call whose answer never comes is waited for.
        let wait = if is_wrong { CALL } else { Duration::ZERO };
        self.replies.push_back((now() + wait, done));
    }

    fn abort(&mut self, world: &mut World, is_wrong: bool) -> Result<(), ClusterError> {
        if self.is_fenced(world) {
            return Err(ClusterError::fatal(Code::Fenced, "fenced"));
        }
        world.end_transaction(self.producer, false);
        self.reports.extend(self.sending.drain(..).map(|sending| (sending.ticket, Err(Code::PurgeQueue))));
        (self.is_in_transaction, self.has_failed) = (false, false);
        if is_wrong { Err(timeout()) } else { Ok(()) }
    }

    fn commit_transaction(
        &mut self,
        world: &mut World,
        commits: Vec<Commit>,
        is_wrong: bool,
    ) -> Result<Vec<Commit>, ClusterError> {
        if self.is_fenced(world) {
            return Err(ClusterError::fatal(Code::Fenced, "fenced"));
        }
        let failed = |code| {
            let mut error = ClusterError::from(code);
            error.requires_abort = true;
            error
        };
        if self.has_failed {
            return Err(failed(Code::MessageSizeTooLarge));
        }
        let stage = if is_wrong { world.random.u8(0..4) } else { 3 };
        if stage == 0 {
            // The client calls for an abort, although its request may still arrive (librdkafka 2.12.1).
            world.send_late(Late::Offsets { producer: self.producer, epoch: self.epoch.unwrap(), commits }, now());
            return Err(failed(Code::OperationTimedOut));
        }
        if !self.noted.take().is_some_and(|generation| world.knows(self.member, generation)) {
            return Err(failed(Code::IllegalGeneration));
        }
        world.open(self.producer, now());
        world.producers[self.producer].open.as_mut().unwrap().offsets.clone_from(&commits);
        match stage {
            1 => return Err(timeout()),
            2 => {
                world.send_late(Late::End { producer: self.producer, epoch: self.epoch.unwrap() }, now());
                return Err(timeout());
            }
            _ => world.end_transaction(self.producer, true),
        }
        self.is_in_transaction = false;
        if is_wrong { Err(timeout()) } else { Ok(commits) }
    }
}

/// Topics have a limit, and results that speak of something big are above it. Letters are not.
fn is_too_large(sending: &Sending) -> bool {
    let value = sending.outgoing.value.as_deref().unwrap_or_default();
    !sending.is_letter && value.windows(3).any(|window| window == b"big")
}

impl Cluster for Client {
    fn now(&self) -> Instant {
        now()
    }

    fn has_former_secret(&self) -> bool {
        false
    }

    fn poll(&mut self, _wait: Duration) -> Option<Result<Received, ClusterError>> {
        let mut world = self.world.borrow_mut();
        let generation = world.generation;
        let Some(member) = world.members.get_mut(&self.member) else {
            self.is_lost = true;
            return None;
        };
        (member.last_poll, member.generation) = (Some(now()), generation);
        let ready = |(partition, next): (&usize, &i64)| {
            let has_more = usize::try_from(*next).unwrap() < world.log[*partition].len();
            (has_more && !self.paused.contains(partition)).then_some(*partition)
        };
        let ready: Vec<usize> = self.assigned.iter().filter_map(ready).collect();
        let partition = *world.random.choice(&ready)?;
        let next = self.assigned.get_mut(&partition).unwrap();
        let record = world.log[partition][usize::try_from(*next).unwrap()].clone();
        *next += 1;
        self.begun.insert(partition);
        Some(Ok((record, None)))
    }

    fn event(&mut self) -> Option<Event> {
        if self.is_lost {
            let world = self.world.borrow();
            let lost = std::mem::take(&mut self.assigned).into_keys().map(|partition| world.partition(partition));
            return Some(Event::Revoked(lost.collect()));
        }
        self.world.borrow_mut().members.get_mut(&self.member)?.events.pop_front()
    }

    fn is_lost(&self) -> bool {
        self.is_lost
    }

    fn assign(&mut self, list: &TopicPartitionList) -> Result<(), ClusterError> {
        let mut world = self.world.borrow_mut();
        // All partitions are paused for a rebalance. In the moment in which a record is handed out, it is fetched again
        // then.
        for (partition, next) in &mut self.assigned {
            if self.begun.contains(partition) && world.is_wrong() {
                *next -= 1;
                self.begun.remove(partition);
            }
        }
        for partition in numbers(list) {
            let next = world.committed[partition].as_ref().map_or(0, |(next, _)| *next);
            self.assigned.insert(partition, next);
        }
        self.fetches_begin = now() + Duration::from_secs(1);
        if let Some(member) = world.members.get_mut(&self.member) {
            member.owes_answer = false;
        }
        Ok(())
    }

    fn unassign(&mut self, list: &TopicPartitionList) -> Result<(), ClusterError> {
        if self.is_dead() {
            return Ok(());
        }
        let mut world = self.world.borrow_mut();
        for partition in numbers(list) {
            self.assigned.remove(&partition);
            self.begun.remove(&partition);
            world.give_back(self.member, partition);
        }
        if let Some(member) = world.members.get_mut(&self.member) {
            member.owes_answer = false;
        }
        Ok(())
    }

    fn pause(&mut self, list: &TopicPartitionList) -> Result<(), ClusterError> {
        let is_lost = self.told();
        self.paused.extend(numbers(list).into_iter().filter(|_| !is_lost));
        Ok(())
    }

    fn resume(&mut self, list: &TopicPartitionList) -> Result<(), ClusterError> {
        let is_lost = self.told();
        let resumed = numbers(list);
        self.paused.retain(|partition| is_lost || !resumed.contains(partition));
        Ok(())
    }

    fn note_membership(&mut self) -> bool {
        self.noted = self.world.borrow().members.get(&self.member).map(|member| member.generation);
        self.noted.is_some()
    }

    fn close(&mut self) {}

    fn send(&mut self, topic: &str, outgoing: &Outgoing, ticket: Ticket) -> Result<(), Code> {
        if let Some(code) = self.fatal {
            return Err(code);
        }
        assert!(!self.is_transactional || self.is_in_transaction, "sent outside of a transaction");
        if self.has_failed {
            return Err(Code::State);
        }
        let earlier = self.sending.back().map(|sending| sending.due);
        let wait = Duration::from_millis(self.world.borrow_mut().random.u64(0..30));
        let due = earlier.map_or(now() + wait, |earlier| earlier.max(now() + wait));
        self.sending.push_back(Sending { due, ticket, is_letter: topic == super::LETTERS, outgoing: outgoing.clone() });
        Ok(())
    }

    fn deliveries(&mut self) -> Vec<Delivery> {
        self.deliver();
        std::mem::take(&mut self.reports)
    }

    fn fatal_error(&self) -> Option<Code> {
        self.fatal
    }

    fn denied_output(&self) -> Option<String> {
        None
    }

    fn begin_transaction(&mut self) -> Result<(), ClusterError> {
        assert!(self.epoch.is_some() && !self.is_in_transaction, "not the time to begin a transaction");
        self.is_in_transaction = true;
        Ok(())
    }

    fn abandon_transaction(&mut self) -> Result<(), ClusterError> {
        let world = Rc::clone(&self.world);
        if self.is_dead() { Ok(()) } else { self.abort(&mut world.borrow_mut(), false) }
    }

    fn request(&mut self, request: Request) {
        assert!(!self.is_busy(), "two requests at a time");
        let wait = Duration::from_millis(self.world.borrow_mut().random.u64(1..200));
        self.request = Some((now() + wait, request));
    }

    fn is_busy(&self) -> bool {
        self.hangs || self.request.is_some() || !self.replies.is_empty()
    }

    fn done(&mut self) -> Option<Done> {
        if let Some((_, request)) = self.request.take_if(|(due, _)| *due <= now())
            && !self.is_dead()
        {
            self.carry_out(request);
        }
        self.replies.pop_front_if(|(due, _)| *due <= now()).map(|(_, done)| done)
    }

    fn is_gone(&self) -> bool {
        false
    }
}

impl Drop for Client {
    /// A client that is closed leaves the group. One that is killed does not, and what it had asked for may still be
    /// done.
    fn drop(&mut self) {
        if !self.is_dead() {
            self.world.borrow_mut().leave(self.member);
        } else if let Some((_, request)) = self.request.take()
            && self.world.borrow_mut().random.bool()
        {
            self.carry_out(request);
        }
    }
}

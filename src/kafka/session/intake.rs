//! Whether records are taken in: not while too much is open, while nobody can be asked, or while nothing can be published.

use std::time::Duration;

use rdkafka::error::RDKafkaErrorCode;
use rdkafka::topic_partition_list::TopicPartitionList;

use super::super::cluster::{self, Cluster, Trouble};
use super::super::ledger::Partition;
use super::super::memory::Memory;
use super::super::status::Paused;
use super::{Broken, Drain, NAP_ASKING, Session};

/// Records taken in one turn, so that acknowledgements and commits get their turn too.
const BATCH: usize = 500;
/// Longest wait of an idle loop, which a record ends at once.
const IDLE: Duration = Duration::from_millis(100);
/// Records between receipt and acknowledgement at which intake stops. It goes on at four fifths, so that it does not toggle
/// with every record.
const MAX_OPEN: usize = 10_000;
/// The same bound in bytes of records held.
const MAX_OPEN_BYTES: usize = 64 << 20;
/// Time after an assignment in which nothing is paused.
const FETCH_BEGINS_WITHIN: Duration = Duration::from_secs(2);
/// Time between two resumptions.
const RESUME_AGAIN_AFTER: Duration = Duration::from_secs(1);
/// Time for which a stop for fullness is a mere wait. After it the partitions are paused, because the client must be polled
/// all the same; not before, because pausing throws away what it has fetched ahead, and a fast stream is full for moments.
const HOLD: Duration = Duration::from_millis(500);

impl<C: Cluster> Session<'_, C> {
    /// Polls for records, and says how many there were.
    pub(super) fn intake(&mut self) -> Result<usize, Broken> {
        let taken = self.take_batch()?;
        if taken > 0 {
            self.quarantine.idle();
            if self.paused.is_some() {
                self.pause_or_resume()?;
            }
        }
        Ok(taken)
    }

    /// False while intake stands still and partitions are not paused for it: for want of time, or because they must not be yet.
    pub(super) fn may_poll(&self) -> bool {
        match self.paused {
            Some(_) => self.cluster.now() >= self.pausable_at,
            None => self.full_since.is_none(),
        }
    }

    /// With nothing in flight it waits for records here, otherwise it only looks.
    fn take_batch(&mut self) -> Result<usize, Broken> {
        if !self.may_poll() {
            return Ok(0);
        }
        let mut wait = match (self.in_flight.is_empty(), &self.drain) {
            (true, None) => IDLE,
            (true, Some(_)) => NAP_ASKING,
            (false, _) => Duration::ZERO,
        };
        for taken in 0..BATCH {
            match self.cluster.poll(wait) {
                None => return Ok(taken),
                Some(Ok(received)) => self.take(received),
                Some(Err(error)) => {
                    self.go_on_after(error)?;
                    return Ok(taken);
                }
            }
            if self.open_bytes >= MAX_OPEN_BYTES {
                return Ok(taken + 1);
            }
            wait = Duration::ZERO;
        }
        Ok(BATCH)
    }

    /// Says a consumer's error that it goes on after. That brokers are away is what the probe says, once and with the reason.
    ///
    /// # Errors
    /// It does not go on after this one. Without its group it may, and does so without a word; clients that are built anew say
    /// whether it is permitted now.
    fn go_on_after(&mut self, error: Trouble) -> Result<(), Broken> {
        if error.code == Some(RDKafkaErrorCode::GroupAuthorizationFailed) {
            let group = &self.parts.route.group;
            let why = format!("group {group} may not be joined (GroupAuthorizationFailed); permit READ of it");
            return Err(Broken::new(why));
        }
        if error.is_fatal {
            return Err(error.into());
        }
        if error.code == Some(RDKafkaErrorCode::TopicAuthorizationFailed) {
            self.source_denied();
        }
        let is_outage = matches!(
            error.code,
            Some(
                RDKafkaErrorCode::AllBrokersDown | RDKafkaErrorCode::BrokerTransportFailure | RDKafkaErrorCode::Resolve
            )
        );
        if is_outage {
            tracing::debug!(connector = &*self.parts.name, %error, "the consumer reports an outage");
        } else if let Some(unsaid) = self.said_errors.due(error.to_string()) {
            tracing::warn!(connector = &*self.parts.name, %error, unsaid, "the consumer reports an error and goes on");
        }
        Ok(())
    }

    /// Pauses or resumes all partitions when the reasons for it change.
    pub(super) fn adjust_intake(&mut self) -> Result<(), Trouble> {
        let (high, low) = (MAX_OPEN, MAX_OPEN / 5 * 4);
        let (high_bytes, low_bytes) = (MAX_OPEN_BYTES, MAX_OPEN_BYTES / 5 * 4);
        // What is closed behind an open position counts: it is what a crash would repeat.
        let open = self.ledger.len().max(self.in_flight.len());
        let is_full = match self.full_since {
            Some(_) => open > low || self.open_bytes > low_bytes || self.has_long_map,
            None => open >= high || self.open_bytes >= high_bytes || self.has_long_map,
        };
        self.full_since = is_full.then(|| self.full_since.unwrap_or_else(|| self.cluster.now()));
        let was_paused = self.paused.is_some();
        let reason = self.pause_reason();
        self.say_gate(reason.as_ref());
        self.paused = reason;
        let is_due = self.paused.is_none() && self.cluster.now() >= self.resume_due;
        if is_due || self.paused.is_some() != was_paused {
            self.pause_or_resume()?;
        }
        Ok(())
    }

    /// Pauses or resumes what is ours. The client's operations on a partition are numbered before they are queued, and what arrives
    /// behind a later number is dropped (librdkafka 2.12.1, `rdkafka_partition.c`): a resumption, or the beginning of the fetch itself.
    /// So nothing is paused while its fetch may be about to begin, a resumption is repeated, which does nothing when it was done, and
    /// a pause as soon as it is seen to be missing.
    fn pause_or_resume(&mut self) -> Result<(), Trouble> {
        let ours = self.fetched_partitions();
        if self.paused.is_some() {
            return if self.may_poll() { self.cluster.pause(&ours) } else { Ok(()) };
        }
        self.resume_due = self.cluster.now() + RESUME_AGAIN_AFTER;
        self.cluster.resume(&ours)
    }

    /// Partitions were assigned, and the client is about to fetch them. It remembers a pause from when they were ours before.
    pub(super) fn fetch_begins(&mut self) {
        let now = self.cluster.now();
        (self.pausable_at, self.resume_due) = (now + FETCH_BEGINS_WITHIN, now);
    }

    /// What is ours and not on its way out.
    pub(super) fn fetched_partitions(&self) -> TopicPartitionList {
        let ours = self.ledger.partitions().filter(|partition| !self.is_leaving(partition));
        cluster::list(&ours.cloned().collect::<Vec<Partition>>())
    }

    /// Says once that nobody can be asked any more, and that somebody can again. Between two probes intake may go on for a
    /// moment, to find somebody to probe with; that is not worth a line.
    fn say_gate(&mut self, reason: Option<&Paused>) {
        let connector = &*self.parts.name;
        if let (Some(Paused::Gate(detail)), false) = (reason, self.is_gate_said) {
            tracing::warn!(connector, detail, "intake pauses");
            self.is_gate_said = true;
        } else if self.is_gate_said && self.parts.door.router().is_open() {
            tracing::info!(connector, "intake goes on");
            self.is_gate_said = false;
        }
    }

    fn pause_reason(&self) -> Option<Paused> {
        if self.drain.as_ref().is_some_and(Drain::is_final) {
            return Some(Paused::Stopping);
        }
        if let Some(problem) = self.outbox.problem().map(str::to_owned).or_else(|| self.parts.status.kafka_problem()) {
            return Some(Paused::Kafka(problem));
        }
        if let Some(unconfirmed) = self.unconfirmed() {
            return Some(unconfirmed);
        }
        if let Some(problem) = self.parts.door.memory().and_then(Memory::problem) {
            return Some(Paused::Gate(problem));
        }
        // When its time has come and nobody is left to ask, somebody must be let in to find out.
        if let Some(closed) = self.parts.door.router().closed()
            && (self.asking > 0 || tokio::time::Instant::now() < closed.until)
        {
            return Some(Paused::Gate(format!("{} is unavailable: {}", closed.dependency, closed.failure)));
        }
        self.full_since.filter(|since| self.cluster.now().duration_since(*since) >= HOLD).map(|_| Paused::Full)
    }
}

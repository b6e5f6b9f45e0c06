//! Whether records are taken in: not while too much is open, while nobody can be asked, or while nothing can be
//! published.

use std::time::Duration;

use rdkafka::error::RDKafkaErrorCode;
use rdkafka::topic_partition_list::TopicPartitionList;

use super::client_pauses::RESUME_AGAIN_AFTER;
use super::drain::Drain;
use super::{NAP_ASKING, Session, SessionError};
use crate::delivery::remembered::RememberedOutcomes;
use crate::kafka::client::cluster::{self, Cluster, ClusterError};
use crate::kafka::client::commit::Partition;
use crate::kafka::status::Paused;
use crate::telemetry::metrics::PauseReason;

/// Records taken in one turn, so that acknowledgements and commits get their turn too.
const BATCH: usize = 500;
/// Time for the same: large records are decoded, rendered and matched in it.
const BATCH_TIME: Duration = Duration::from_millis(50);
/// Longest wait of an idle loop, which a record ends at once.
const IDLE: Duration = Duration::from_millis(100);
/// Records between receipt and acknowledgement at which intake stops. It goes on at four fifths, so that it does not
/// toggle with every record.
const MAX_OPEN: usize = 10_000;
/// The same bound in bytes of records held.
const MAX_OPEN_BYTES: usize = 64 << 20;
/// Time for which a stop for fullness is a mere wait. After it the partitions are paused, because the client must be
/// polled all the same; not before, because pausing throws away what it has fetched ahead, and a fast stream is full
/// for moments.
const HOLD: Duration = Duration::from_millis(500);

impl<C: Cluster> Session<'_, C> {
    /// Polls for records, and says how many there were.
    pub(super) fn intake(&mut self) -> Result<usize, SessionError> {
        let taken = self.take_batch()?;
        if taken > 0 {
            self.quarantine.idle();
            if self.intake.client_pauses.is_paused {
                self.cluster.pause(&self.fetched_partitions())?;
            }
        }
        Ok(taken)
    }

    /// False while intake stands still and the partitions are not paused for it: for want of time, or because they must
    /// not be yet.
    pub(super) fn may_poll(&self) -> bool {
        if self.intake.paused.is_some() {
            self.intake.client_pauses.is_paused
        } else {
            self.intake.full_since.is_none()
        }
    }

    /// With nothing in flight it waits for records here, otherwise it only looks.
    fn take_batch(&mut self) -> Result<usize, SessionError> {
        if !self.may_poll() {
            return Ok(0);
        }
        let mut wait = match (self.flights.is_empty(), &self.drain) {
            (true, None) => IDLE,
            (true, Some(_)) => NAP_ASKING,
            (false, _) => Duration::ZERO,
        };
        let mut until = None;
        for taken in 0..BATCH {
            match self.cluster.poll(wait) {
                None => return Ok(taken),
                Some(Ok(received)) => {
                    // From here on, because waiting for the first one is no work.
                    until.get_or_insert_with(|| self.cluster.now() + BATCH_TIME);
                    self.take(received);
                }
                Some(Err(error)) => {
                    self.go_on_after(error)?;
                    return Ok(taken);
                }
            }
            let is_time_up = until.is_some_and(|until| self.cluster.now() >= until);
            if is_time_up || self.flights.bytes() >= MAX_OPEN_BYTES {
                return Ok(taken + 1);
            }
            wait = Duration::ZERO;
        }
        Ok(BATCH)
    }

    /// Says a consumer's error that it goes on after. That brokers are away is what the probe says, once and with the
    /// reason.
    ///
    /// # Errors
    /// It does not go on after this one. Without its group it may, and does so without a word; clients that are built
    /// anew say whether it is permitted now.
    fn go_on_after(&mut self, error: ClusterError) -> Result<(), SessionError> {
        if error.code == Some(RDKafkaErrorCode::GroupAuthorizationFailed) {
            let group = &self.deps.topics.group;
            let why = format!("group {group} may not be joined (GroupAuthorizationFailed); permit READ of it");
            return Err(SessionError::new(why));
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
            tracing::debug!(connector = &*self.deps.name, %error, "the consumer reports an outage");
        } else if let Some(unsaid) = self.logs.consumer_errors.due(error.to_string()) {
            tracing::warn!(connector = &*self.deps.name, brokers = self.deps.brokers(), %error, unsaid, "the consumer reports an error and goes on");
        }
        Ok(())
    }

    /// Pauses or resumes all partitions when the reasons for it change.
    pub(super) fn adjust_intake(&mut self) -> Result<(), ClusterError> {
        let (high, low) = (MAX_OPEN, MAX_OPEN / 5 * 4);
        let (high_bytes, low_bytes) = (MAX_OPEN_BYTES, MAX_OPEN_BYTES / 5 * 4);
        // What is closed behind an open position counts: it is what a crash would repeat.
        let open = self.ledger.len().max(self.flights.len());
        let is_full = match self.intake.full_since {
            Some(_) => open > low || self.flights.bytes() > low_bytes || self.intake.has_long_map,
            None => open >= high || self.flights.bytes() >= high_bytes || self.intake.has_long_map,
        };
        self.intake.full_since = is_full.then(|| self.intake.full_since.unwrap_or_else(|| self.cluster.now()));
        self.intake.paused = self.pause_reason();
        self.log_gate();
        self.pause_or_resume()
    }

    /// Tells the client what it has not been told yet, as far as it may be told anything.
    fn pause_or_resume(&mut self) -> Result<(), ClusterError> {
        let now = self.cluster.now();
        if self.intake.client_pauses.is_quiet(now) {
            return Ok(());
        }
        if self.intake.paused.is_some() {
            if !self.intake.client_pauses.is_paused {
                self.cluster.pause(&self.fetched_partitions())?;
                self.intake.client_pauses.is_paused = true;
            }
        } else if self.intake.client_pauses.is_paused || now >= self.intake.client_pauses.resume_due {
            self.cluster.resume(&self.fetched_partitions())?;
            (self.intake.client_pauses.is_paused, self.intake.client_pauses.resume_due) =
                (false, now + RESUME_AGAIN_AFTER);
        }
        Ok(())
    }

    /// What is ours and not on its way out.
    pub(super) fn fetched_partitions(&self) -> TopicPartitionList {
        let ours = self.ledger.partitions().filter(|partition| !self.is_leaving(partition));
        cluster::list(&ours.cloned().collect::<Vec<Partition>>())
    }

    /// Says that nobody can be asked or nothing be remembered any more, and that it can again. Between two probes of a
    /// provider intake may go on for a moment, to find somebody to probe with; that is not worth a line.
    fn log_gate(&mut self) {
        let detail = match &self.intake.paused {
            Some(Paused::Gate(_, detail)) => Some(detail.as_str()),
            Some(Paused::Full | Paused::Kafka(_) | Paused::Stopping) | None => None,
        };
        let is_open = detail.is_none() && self.deps.handler.gate().is_open();
        self.intake.gate_log.observe(&self.deps.name, detail, is_open, self.cluster.now());
    }

    fn pause_reason(&self) -> Option<Paused> {
        if self.drain.as_ref().is_some_and(Drain::is_final) {
            return Some(Paused::Stopping);
        }
        if let Some(problem) =
            self.flights.send_queue().problem().map(str::to_owned).or_else(|| self.deps.status.kafka_problem())
        {
            return Some(Paused::Kafka(problem));
        }
        if let Some(unconfirmed) = self.unconfirmed() {
            return Some(unconfirmed);
        }
        if let Some(problem) = self.deps.handler.remembered().and_then(RememberedOutcomes::problem) {
            return Some(Paused::Gate(PauseReason::Store, problem));
        }
        // When its time has come and nobody is left to ask, somebody must be let in to find out.
        if let Some(closed) = self.deps.handler.gate().closed()
            && (self.flights.counts().asking > 0 || tokio::time::Instant::now() < closed.until)
        {
            let reason = if closed.is_budget { PauseReason::Budget } else { PauseReason::Providers };
            let detail = format!("{} is unavailable: {}; {}", closed.dependency, closed.failure, closed.end());
            return Some(Paused::Gate(reason, detail));
        }
        self.intake.full_since.filter(|since| self.cluster.now().duration_since(*since) >= HOLD).map(|_| Paused::Full)
    }
}

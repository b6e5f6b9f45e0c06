//! Transactions of a command: records, and the commit that says how far it has come.

use std::sync::Arc;
use std::time::{Duration, Instant};

use rdkafka::consumer::ConsumerGroupMetadata;
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::producer::Producer as _;
use rdkafka::topic_partition_list::TopicPartitionList;

use super::callbacks::Producer;
use super::cluster::Ticket;
use super::messages;
use super::transaction_calls::{self, REQUEST, insist};
use crate::domain::record::Outgoing;

/// How long it may take until a transaction has all that belongs to it. With the end of it that is less than the
/// brokers wait before they abort one.
const PREPARATION: Duration = Duration::from_secs(8);
const _: () = assert!(PREPARATION.as_millis() + REQUEST.as_millis() < transaction_calls::TIMEOUT.as_millis());

/// A record and the topic that it goes to.
pub(crate) type Message = (Arc<str>, Outgoing);

/// Why a transaction has not been committed.
#[derive(Debug)]
pub(crate) enum BatchError {
    /// Nothing of it was: the topic does not take the record of this index.
    Refused(usize, RDKafkaErrorCode),
    /// Nothing of it was.
    Failed(KafkaError),
    /// Nothing of it was, and the producer does nothing any more: another one has its `transactional.id`.
    Overtaken,
    /// All of it was, or nothing.
    Unconfirmed(KafkaError),
}

/// A producer that alone has its `transactional.id`, until the next one begins.
pub(crate) struct BatchProducer {
    producer: Producer,
}

impl BatchProducer {
    /// Ends whatever another producer has begun with the same id. What the group has committed must be read after this.
    pub(crate) fn init(producer: Producer, limit: Duration) -> Result<Self, BatchError> {
        let new = Self { producer };
        let deadline = Instant::now() + limit;
        insist(deadline, |limit| new.producer.init_transactions(limit)).map_err(|error| new.failed(error))?;
        Ok(new)
    }

    /// Publishes and commits: all of it or nothing. The time that it may take bounds how much that can be.
    pub(crate) fn publish_and_commit(
        &self,
        messages: &[Message],
        offsets: &TopicPartitionList,
        membership: &ConsumerGroupMetadata,
    ) -> Result<(), BatchError> {
        self.producer.begin_transaction().map_err(|error| self.failed(error))?;
        let deadline = Instant::now() + PREPARATION;
        let prepared = self.publish(messages, deadline).and_then(|()| {
            insist(deadline, |limit| self.producer.send_offsets_to_transaction(offsets, membership, limit))
                .map_err(|error| self.failed(error))
        });
        if let Err(error) = prepared {
            let aborted = insist(Instant::now() + REQUEST, |limit| self.producer.abort_transaction(limit));
            // If it was not aborted, the next producer or the broker does that; this one is of no use any more.
            return Err(match (error, aborted) {
                (BatchError::Refused(..), Err(of_abort)) => self.failed(of_abort),
                (error, _) => error,
            });
        }
        self.commit()
    }

    /// Sends the records, and waits until the brokers have them.
    fn publish(&self, messages: &[Message], deadline: Instant) -> Result<(), BatchError> {
        // What is left of the transaction before.
        drop(self.producer.context().take());
        for (index, (topic, outgoing)) in messages.iter().enumerate() {
            let mut next = messages::base_record(topic, outgoing, Ticket(index));
            while let Err((error, refused)) = self.producer.send(next) {
                match error.rdkafka_error_code() {
                    Some(RDKafkaErrorCode::QueueFull) if Instant::now() < deadline => {}
                    Some(RDKafkaErrorCode::MessageSizeTooLarge) => {
                        return Err(BatchError::Refused(index, RDKafkaErrorCode::MessageSizeTooLarge));
                    }
                    _ => return Err(self.failed(error)),
                }
                self.producer.poll(Duration::from_millis(10));
                next = refused;
            }
        }
        let mut delivered = 0;
        while delivered < messages.len() {
            if Instant::now() > deadline {
                return Err(self.failed(KafkaError::MessageProduction(RDKafkaErrorCode::MessageTimedOut)));
            }
            self.producer.poll(Duration::from_millis(50));
            for (Ticket(index), outcome) in self.producer.context().take() {
                outcome.map_err(|code| self.undelivered(index, code))?;
                delivered += 1;
            }
        }
        Ok(())
    }

    fn undelivered(&self, index: usize, code: RDKafkaErrorCode) -> BatchError {
        match self.failed(KafkaError::MessageProduction(code)) {
            BatchError::Overtaken => BatchError::Overtaken,
            BatchError::Refused(..) | BatchError::Failed(_) | BatchError::Unconfirmed(_) => {
                BatchError::Refused(index, code)
            }
        }
    }

    fn commit(&self) -> Result<(), BatchError> {
        let committed = insist(Instant::now() + REQUEST, |limit| self.producer.commit_transaction(limit));
        let Err(error) = committed else { return Ok(()) };
        let is_refused = matches!(&error, KafkaError::Transaction(error) if error.txn_requires_abort());
        // Only what was not committed can be aborted. A producer that was replaced may have committed before: the
        // client sends the request again when it lost the answer.
        let is_aborted = is_refused && self.producer.abort_transaction(REQUEST).is_ok();
        Err(if is_aborted { self.failed(error) } else { BatchError::Unconfirmed(error) })
    }

    /// What an error means that leaves no doubt. After one that is fatal the client repeats only that there was one.
    fn failed(&self, error: KafkaError) -> BatchError {
        let fatal = self.producer.client().fatal_error().map(|(code, _words)| code);
        let is_overtaken = [error.rdkafka_error_code(), fatal].into_iter().any(transaction_calls::is_fenced);
        if is_overtaken { BatchError::Overtaken } else { BatchError::Failed(error) }
    }
}

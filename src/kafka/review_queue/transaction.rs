//! The transaction of one decision: what is published in a result's place, and the commit that says it does not wait.

use std::time::{Duration, Instant};

use rdkafka::consumer::ConsumerGroupMetadata;
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::producer::Producer as _;
use rdkafka::topic_partition_list::TopicPartitionList;

use super::error::ReviewError;
use crate::domain::record::Outgoing;
use crate::kafka::client::callbacks::Producer;
use crate::kafka::client::cluster::Ticket;
use crate::kafka::client::transaction_calls::{self, REQUEST, insist};
use crate::kafka::client::{configuration, messages};
use crate::kafka::settings::KafkaSettings;

/// How long it may take until the transaction has all that belongs to it. With the end of it that is less than the
/// brokers wait before they abort one, which would look as if somebody else had decided.
const PREPARATION: Duration = Duration::from_secs(8);
const _: () = assert!(PREPARATION.as_millis() + REQUEST.as_millis() < transaction_calls::TIMEOUT.as_millis());

/// A producer that alone decides, until the next one begins.
pub(super) struct DecisionTransaction {
    producer: Producer,
}

impl DecisionTransaction {
    /// Ends whatever somebody else has begun with the same id. What was decided must be read after this.
    pub(super) fn init(settings: &KafkaSettings, transactional_id: &str, limit: Duration) -> Result<Self, ReviewError> {
        let new = Self { producer: configuration::review_producer(settings, transactional_id)? };
        let deadline = Instant::now() + limit;
        insist(deadline, |limit| new.producer.init_transactions(limit)).map_err(|error| new.failed(error))?;
        Ok(new)
    }

    /// Publishes and commits: both or nothing.
    pub(super) fn publish_and_commit(
        &self,
        (topic, outgoing): (&str, &Outgoing),
        offsets: &TopicPartitionList,
        membership: &ConsumerGroupMetadata,
    ) -> Result<(), ReviewError> {
        self.producer.begin_transaction()?;
        let deadline = Instant::now() + PREPARATION;
        let prepared = self.publish(topic, outgoing, deadline).and_then(|()| {
            insist(deadline, |limit| self.producer.send_offsets_to_transaction(offsets, membership, limit))
                .map_err(|error| self.failed(error))
        });
        if prepared.is_err() {
            // If this fails, too, the next decision or the broker ends it.
            drop(self.producer.abort_transaction(REQUEST));
            return prepared;
        }
        self.commit()
    }

    /// Sends one record, and waits until the broker has it.
    fn publish(&self, topic: &str, outgoing: &Outgoing, deadline: Instant) -> Result<(), ReviewError> {
        let sent = self.producer.send(messages::base_record(topic, outgoing, Ticket(0)));
        sent.map_err(|(error, _record)| self.failed(error))?;
        let mut outcome = Err(RDKafkaErrorCode::MessageTimedOut);
        while Instant::now() < deadline {
            self.producer.poll(Duration::from_millis(50));
            if let Some((_ticket, delivered)) = self.producer.context().take().into_iter().next() {
                outcome = delivered;
                break;
            }
        }
        let Err(code) = outcome else { return Ok(()) };
        let error = self.failed(KafkaError::MessageProduction(code));
        let is_overtaken = matches!(error, ReviewError::Overtaken);
        Err(if is_overtaken { error } else { ReviewError::Refused(topic.to_owned(), code) })
    }

    fn commit(&self) -> Result<(), ReviewError> {
        let committed = insist(Instant::now() + REQUEST, |limit| self.producer.commit_transaction(limit));
        let Err(error) = committed else { return Ok(()) };
        let is_refused = matches!(&error, KafkaError::Transaction(error) if error.txn_requires_abort());
        // Only what was not committed can be aborted. A producer that was replaced may have committed before: the
        // client sends the request again when it lost the answer.
        let is_aborted = is_refused && self.producer.abort_transaction(REQUEST).is_ok();
        Err(if is_aborted { self.failed(error) } else { ReviewError::Unconfirmed(error) })
    }

    /// What an error of the producer means that leaves no doubt. After one that is fatal the client repeats only that
    /// there was one.
    fn failed(&self, error: KafkaError) -> ReviewError {
        let fatal = self.producer.client().fatal_error().map(|(code, _words)| code);
        let is_overtaken = [error.rdkafka_error_code(), fatal].into_iter().any(transaction_calls::is_fenced);
        if is_overtaken { ReviewError::Overtaken } else { ReviewError::NotDecided(error) }
    }
}

//! From receipt to an outcome: records are taken in, begun, and asked about.

use std::sync::Arc;
use std::time::Duration;

use crossbeam_channel::{Sender, TrySendError};
use tracing::Instrument as _;

use super::ledger::{Opening, Stamp};
use super::{Answer, Session};
use crate::delivery::outcome::Settled;
use crate::domain::record::Record;
use crate::kafka::client::cluster::{Cluster, Received, Ticket};
use crate::kafka::client::commit::Partition;
use crate::kafka::process::quarantine;
use crate::kafka::status::Paused;

impl<C: Cluster> Session<'_, C> {
    /// Opens a record's position, and takes the record as far as it comes without waiting.
    pub(super) fn take(&mut self, (record, failure): Received) {
        let partition = Partition { topic: Arc::clone(&record.position.topic), number: record.position.partition };
        if self.is_leaving(&partition) || !self.open(&partition, &record) {
            return;
        }
        let received_at = self.cluster.now();
        self.deps.metrics.received.inc();
        let record = Arc::new(record);
        let handler = &self.deps.handler;
        let begun = match failure.or_else(|| self.quarantined.contains(&record.position).then(quarantine::failure)) {
            Some(failure) => handler.refuse(&record, &failure),
            None => {
                self.quarantine.working_on(&record.position);
                handler.begin(&record)
            }
        };
        self.flights.receive(partition, record, received_at, begun);
        self.publish_released();
    }

    /// Opens a record's position. False if the record is to be ignored: its partition is not ours, it was received
    /// before, or it has an outcome.
    fn open(&mut self, partition: &Partition, record: &Record) -> bool {
        let (offset, stamp) = (record.position.offset, Stamp::from(record));
        let mut opening = self.ledger.open(partition, offset, stamp);
        if opening == Opening::LogRestarted {
            self.log_restarted(partition, offset);
            opening = self.ledger.open(partition, offset, stamp);
        }
        if opening == Opening::Completed {
            self.deps.metrics.skipped.inc();
        }
        opening == Opening::Opened
    }

    /// Lets waiting records ask, oldest first, while there are places. Nothing is paid for a cluster that is away.
    pub(super) fn dispatch(&mut self) {
        if matches!(self.intake.paused, Some(Paused::Kafka(_))) {
            return;
        }
        let Self { deps, quarantine, answers: (sender, _), flights, .. } = self;
        while flights.counts().asking < deps.topics.max_in_flight {
            let is_asked = flights.ask_next(|ticket, record, job| {
                let handler = Arc::clone(&deps.handler);
                let commitment = handler.commitment(&job);
                let span = handler.span(&job);
                // Boxed, because each future around another one has room for it twice: as it is given, and as it runs.
                let work = Box::pin(async move { handler.finish(*job).await }.instrument(span));
                let work = Arc::clone(quarantine).watch(record.position.clone(), work);
                deps.tasks.record(send(work, ticket, sender.clone()), commitment)
            });
            if !is_asked {
                return;
            }
        }
    }

    /// Takes the outcomes of records that asked. True if there were any.
    pub(super) fn receive_answers(&mut self) -> bool {
        let mut any = false;
        while let Ok((ticket, settled)) = self.answers.1.try_recv() {
            self.answered(ticket, settled);
            any = true;
        }
        any
    }

    /// A record whose partition has left in the meantime is not ours to publish.
    pub(super) fn answered(&mut self, ticket: Ticket, settled: Settled) {
        self.flights.answered(ticket, settled);
        self.publish_released();
    }
}

async fn send(work: impl Future<Output = Settled>, ticket: Ticket, answers: Sender<Answer>) {
    let mut answer = (ticket, work.await);
    // The queue has a place for each record that asks. It can only be full for a moment, after cancellations, and a
    // worker of the runtime must not block for it.
    while let Err(TrySendError::Full(unsent)) = answers.try_send(answer) {
        answer = unsent;
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
}

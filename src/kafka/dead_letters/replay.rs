//! Sends the records of letters again, once each, whatever kills the process.
//!
//! Records travel in batches. A batch is one Kafka transaction together with the offsets up to which the letters were
//! read, which are committed to a consumer group of the replay's name. The name is the `transactional.id`, too: who
//! runs the same replay again ends what a killed process left open, and goes on behind the last batch.

use std::collections::BTreeSet;
use std::num::NonZeroU32;
use std::sync::Arc;
use std::thread::sleep;
use std::time::{Duration, Instant};

use rdkafka::consumer::Consumer as _;
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::topic_partition_list::TopicPartitionList;

use super::LettersError;
use super::destinations::{Chosen, Resend};
use super::reader::{Found, LetterReader, Spans, TIMEOUT};
use super::resume;
use super::selection::Selection;
use super::summary::ReplaySummary;
use crate::codec::dead_letter::{DeadLetter, LeftAlone};
use crate::kafka::client::batch_transaction::{BatchError, BatchProducer, Message};
use crate::kafka::client::configuration;
use crate::kafka::settings::KafkaSettings;

/// Bytes of the records of a batch at most: few enough for a slow cluster to take them before a transaction ends.
const MOST_BYTES: usize = 4 << 20;
/// How often is told how far it is, in letters.
const TELL_EVERY: u64 = 1000;

/// What is sent again, and how.
#[derive(Debug)]
pub struct ReplaySettings<'a> {
    /// The cluster.
    pub kafka: &'a KafkaSettings,
    /// The consumer group that keeps how far it has come, and the `transactional.id`.
    pub name: &'a str,
    /// The dead-letter topics.
    pub topics: &'a [Arc<str>],
    /// Which letters.
    pub selection: &'a Selection,
    /// Records a second at most.
    pub rate: Option<NonZeroU32>,
    /// Records at most.
    pub limit: Option<u64>,
}

/// How far a replay is.
#[derive(Debug, Clone, Copy)]
pub struct ReplayProgress {
    /// Offsets that were read.
    pub read: u64,
    /// Offsets that there are to read.
    pub total: u64,
    /// Records that were sent.
    pub sent: u64,
}

/// Reads all letters from the resume point on, and says what sending them would do.
///
/// # Errors
/// [`LettersError`]: a topic cannot be read, or does not exist.
pub fn dry_run(
    settings: &ReplaySettings<'_>,
    resend: &mut dyn Resend,
    tell: &mut dyn FnMut(ReplayProgress),
) -> Result<ReplaySummary, LettersError> {
    Replay::begin(settings, resend, None)?.run(tell)
}

/// Sends them.
///
/// # Errors
/// [`LettersError`]: not all were sent. The same replay goes on where this one ended.
pub fn execute(
    settings: &ReplaySettings<'_>,
    resend: &mut dyn Resend,
    tell: &mut dyn FnMut(ReplayProgress),
) -> Result<ReplaySummary, LettersError> {
    let producer = configuration::dead_letter_producer(settings.kafka, settings.name)?;
    // Before the group's offsets are read: it ends whatever another process has begun.
    let producer = BatchProducer::init(producer, TIMEOUT)?;
    Replay::begin(settings, resend, Some(producer))?.run(tell)
}

/// A replay under way.
struct Replay<'a> {
    settings: &'a ReplaySettings<'a>,
    resend: &'a mut dyn Resend,
    reader: LetterReader,
    /// None in a dry run.
    producer: Option<BatchProducer>,
    batch: Vec<Chosen>,
    bytes: usize,
    /// Records that were put into batches.
    chosen: u64,
    /// What was left when the last one that may be sent was chosen: what comes behind it is only counted.
    left_at_limit: Option<Spans>,
    /// Topics that are there.
    known: BTreeSet<Arc<str>>,
    summary: ReplaySummary,
    began_at: Instant,
}

impl<'a> Replay<'a> {
    fn begin(
        settings: &'a ReplaySettings<'a>,
        resend: &'a mut dyn Resend,
        producer: Option<BatchProducer>,
    ) -> Result<Self, LettersError> {
        let mut reader = LetterReader::new(settings.kafka, settings.name, settings.topics)?;
        if let Some(place) = &settings.selection.place {
            reader = reader.only(place);
        }
        reader.begin_at(resume::rest(reader.consumer(), reader.spans())?);
        Ok(Self {
            settings,
            resend,
            reader,
            producer,
            batch: Vec::new(),
            bytes: 0,
            chosen: 0,
            left_at_limit: None,
            known: BTreeSet::new(),
            summary: ReplaySummary::default(),
            began_at: Instant::now(),
        })
    }

    fn run(mut self, tell: &mut dyn FnMut(ReplayProgress)) -> Result<ReplaySummary, LettersError> {
        let most = self.settings.rate.map_or(u32::MAX, NonZeroU32::get) as usize;
        let most = most.min(self.resend.most());
        let mut told_at = 0;
        while let Some(found) = self.reader.next_record()? {
            if let Found::Letter { letter, is_whole } = found
                && self.settings.selection.includes(&letter)
            {
                self.take(*letter, is_whole)?;
            }
            let (read, total) = self.reader.progress();
            let is_full = self.batch.len() >= most || self.bytes >= MOST_BYTES;
            if is_full {
                self.send()?;
            }
            if is_full || read >= told_at + TELL_EVERY {
                told_at = read;
                tell(ReplayProgress { read, total, sent: self.summary.sent });
            }
        }
        // Also without a record: what was read need not be read again.
        self.send()?;
        Ok(self.summary)
    }

    /// Puts a letter that is meant into the batch, unless it is left alone.
    fn take(&mut self, letter: DeadLetter, is_whole: bool) -> Result<(), LettersError> {
        self.summary.add_match(&letter);
        if self.left_at_limit.is_some() {
            return Ok(());
        }
        let unreadable = (!is_whole).then_some(LeftAlone::UnreadableHeader);
        let left_alone = letter.left_alone().or(unreadable);
        match left_alone.map_or_else(|| self.resend.topic(&letter), Err) {
            Ok(topic) => {
                if self.known.insert(Arc::clone(&topic)) {
                    self.reader.find_topic(&topic)?;
                }
                self.bytes += letter.source.weight();
                self.batch.push(Chosen { topic, letter });
                self.chosen += 1;
            }
            Err(why) => self.summary.add_left_alone(why),
        }
        if self.settings.limit == Some(self.chosen) {
            self.left_at_limit = Some(self.reader.spans().clone());
        }
        Ok(())
    }

    /// Sends the batch, and commits what was read so far.
    fn send(&mut self) -> Result<(), LettersError> {
        let batch = std::mem::take(&mut self.batch);
        self.bytes = 0;
        if self.producer.is_none() {
            batch.iter().for_each(|chosen| self.summary.add_to_topic(&chosen.topic));
            return Ok(());
        }
        self.wait_for_turn(batch.len());
        let mut messages = self.resend.publish(batch);
        let offsets = resume::commit(self.left_at_limit.as_ref().unwrap_or(self.reader.spans()))?;
        while let Some((index, code)) = self.publish(&messages, &offsets)? {
            if code != RDKafkaErrorCode::MessageSizeTooLarge || index >= messages.len() {
                let topic = messages.get(index).map(|(topic, _)| topic.to_string());
                return Err(LettersError::Refused(topic.unwrap_or_default(), code));
            }
            messages.remove(index);
            self.summary.add_left_alone(LeftAlone::TooLarge);
        }
        self.summary.sent += messages.len() as u64;
        messages.iter().for_each(|(topic, _)| self.summary.add_to_topic(topic));
        Ok(())
    }

    /// One transaction. If a topic refuses one of the records, nothing of it was published: returns which, and why.
    fn publish(
        &self,
        messages: &[Message],
        offsets: &TopicPartitionList,
    ) -> Result<Option<(usize, RDKafkaErrorCode)>, LettersError> {
        let Some(producer) = &self.producer else { return Ok(None) };
        let membership = self.reader.consumer().group_metadata();
        let membership = membership.ok_or(KafkaError::ConsumerCommit(RDKafkaErrorCode::UnknownMemberId))?;
        match producer.publish_and_commit(messages, offsets, &membership) {
            Err(BatchError::Refused(index, code)) => Ok(Some((index, code))),
            outcome => Ok(outcome.map(|()| None)?),
        }
    }

    /// Waits until the rate allows so many more records. No transaction is open meanwhile.
    fn wait_for_turn(&self, records: usize) {
        let Some(rate) = self.settings.rate else { return };
        let sent = self.summary.sent.saturating_add(records as u64);
        let due = Duration::from_secs_f64(sent as f64 / f64::from(rate.get()));
        sleep(due.saturating_sub(self.began_at.elapsed()));
    }
}

//! What a connector remembers beyond its process: which record each event is answered for, and the final bytes of
//! outcomes that cost a provider call.

mod entry;
mod paid_answer;

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use futures_util::future::join;
use sha2::{Digest, Sha256};
use tokio::sync::watch;

use self::paid_answer::JournalledAnswer;
use super::outcome::{RecordOutcome, Settled};
use crate::codec::replay_mark::ReplayMark;
use crate::domain::event::Event;
use crate::domain::fingerprint::Fingerprint;
use crate::domain::record::Record;
use crate::ports::journal::{Claim, Claimed, Journal, Key};
use crate::ports::paid_answer::PaidAnswer;

/// One connector's part of the journal.
pub struct RememberedOutcomes {
    journal: Arc<dyn Journal>,
    connector: Arc<str>,
    config_hash: Arc<str>,
    /// Asking again would be paid again: outcomes are worth remembering.
    is_paid: bool,
    /// For how long an event has one outcome; `None` is no limit to how many it has.
    window: Option<Duration>,
    /// The records whose outcomes somebody is on the way to; each turn ends when its sender is gone.
    locks: Mutex<HashMap<Key, watch::Receiver<()>>>,
}

/// The only one in this process that is on the way to a record's outcome, as long as it lives.
pub struct RecordLock<'a> {
    outcomes: &'a RememberedOutcomes,
    record: Key,
    _end: watch::Sender<()>,
}

impl Drop for RecordLock<'_> {
    fn drop(&mut self) {
        self.outcomes.locks().remove(&self.record);
    }
}

/// Under which keys the outcome of a question may be remembered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Keys {
    /// A result: whenever the same event asks the same again.
    result: Key,
    /// A dead letter: only for this very record. Whoever sends the event again wants it tried again.
    dead_letter: Key,
}

impl RememberedOutcomes {
    /// A part of `journal` for one connector as configured.
    pub fn new(
        journal: Arc<dyn Journal>,
        connector: Arc<str>,
        config_hash: Arc<str>,
        is_paid: bool,
        window: Option<Duration>,
    ) -> Self {
        Self { journal, connector, config_hash, is_paid, window, locks: Mutex::default() }
    }

    /// Whether asking again would be paid again.
    pub fn is_paid(&self) -> bool {
        self.is_paid
    }

    /// Why nothing can be remembered at the moment.
    pub fn problem(&self) -> Option<String> {
        let is_needed = self.is_paid || self.window.is_some();
        if is_needed { self.journal.problem() } else { None }
    }

    /// The claim of a record to be the one that its event is answered for, where events have one outcome.
    pub fn claim(&self, record: &Record, event: &Event) -> Option<Claim> {
        let window = self.window?;
        let mut hash = self.hash(b"structured-prompt/event/1");
        update(&mut hash, event.source.as_bytes());
        update(&mut hash, event.id.as_bytes());
        let mut input = Sha256::new();
        update_optional(&mut input, record.value.as_ref());
        Some(Claim {
            event: Key(hash.finalize().into()),
            input: Key(input.finalize().into()),
            // A dead letter that is sent again is the record that it was: its event is that record's to answer.
            origin: ReplayMark::of(record).map_or_else(|| record.identity(), |mark| mark.original),
            window,
        })
    }

    /// Decides about claims; waits while the store is away.
    pub async fn decide(&self, claims: Vec<Claim>) -> Vec<Claimed> {
        self.journal.claim(claims).await
    }

    /// Where the outcome of a question would be, if it is worth remembering.
    pub fn keys(&self, record: &Record, event: &Event, question: &Fingerprint) -> Option<Keys> {
        if !self.is_paid {
            return None;
        }
        let mut hash = self.hash(b"structured-prompt/outcome/1");
        update(&mut hash, self.config_hash.as_bytes());
        update(&mut hash, &question.0);
        update(&mut hash, event.source.as_bytes());
        update(&mut hash, event.id.as_bytes());
        update_optional(&mut hash, record.key.as_ref());
        update_optional(&mut hash, record.value.as_ref());
        let mut of_record = hash.clone();
        update(&mut of_record, record.identity().as_bytes());
        if let Some(mark) = ReplayMark::of(record) {
            // Each time that it is sent again it is tried again.
            update(&mut of_record, &mark.times.to_be_bytes());
        }
        Some(Keys { result: Key(hash.finalize().into()), dead_letter: Key(of_record.finalize().into()) })
    }

    /// Waits until nobody else in this process is on the way to this very record's outcome: one that is read again
    /// while its call is still open is not asked again.
    pub async fn lock(&self, keys: Keys) -> RecordLock<'_> {
        loop {
            let mut ended = match self.locks().entry(keys.dead_letter) {
                Entry::Vacant(place) => {
                    let (end, ended) = watch::channel(());
                    place.insert(ended);
                    return RecordLock { outcomes: self, record: keys.dead_letter, _end: end };
                }
                Entry::Occupied(lock) => lock.get().clone(),
            };
            // Nothing is ever sent; its sender goes with the turn.
            drop(ended.changed().await);
        }
    }

    fn locks(&self) -> MutexGuard<'_, HashMap<Key, watch::Receiver<()>>> {
        self.locks.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The outcome that is remembered; waits while the store is away.
    pub async fn recall(&self, keys: Keys) -> Option<Settled> {
        let (result, dead_letter) = join(self.journal.recall(keys.result), self.journal.recall(keys.dead_letter)).await;
        let bytes = result.or(dead_letter)?;
        let decoded = entry::decode(&bytes);
        if decoded.is_none() {
            tracing::warn!(connector = &*self.connector, "an outcome in the store is of another version; asking again");
        }
        decoded
    }

    /// The place for the answer to a question whose outcome is not there yet. It is this very record's, as a dead
    /// letter is: whoever sends the event again, since this answer became one, wants another answer.
    pub fn paid_answer(&self, keys: Keys) -> Arc<dyn PaidAnswer> {
        Arc::new(JournalledAnswer::new(Arc::clone(&self.journal), keys.dead_letter))
    }

    /// Remembers an outcome; waits while the store is away.
    pub async fn record(&self, keys: Keys, settled: &Settled) {
        let key = match settled.outcome {
            RecordOutcome::Result { .. } => keys.result,
            RecordOutcome::DeadLetter { .. } => keys.dead_letter,
        };
        self.journal.record(key, entry::encode(settled)).await;
    }

    fn hash(&self, of: &[u8]) -> Sha256 {
        let mut hash = Sha256::new_with_prefix(of);
        update(&mut hash, self.connector.as_bytes());
        hash
    }
}

/// With its length, so that two parts cannot be taken for others.
fn update(hash: &mut Sha256, part: &[u8]) {
    hash.update((part.len() as u64).to_be_bytes());
    hash.update(part);
}

fn update_optional(hash: &mut Sha256, part: Option<&Bytes>) {
    hash.update([u8::from(part.is_some())]);
    update(hash, part.map_or(&[], |part| part));
}

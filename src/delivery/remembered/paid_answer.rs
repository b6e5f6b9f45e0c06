//! An answer in the journal whose record has no outcome yet.

use std::sync::Arc;

use bytes::Bytes;
use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use sha2::{Digest, Sha256};

use crate::codec::stored_answer::{Decoder, encode};
use crate::domain::answer::Answer;
use crate::ports::journal::{Journal, Key};
use crate::ports::paid_answer::PaidAnswer;

/// The place for one answer.
pub(super) struct JournalledAnswer {
    journal: Arc<dyn Journal>,
    key: Key,
}

impl JournalledAnswer {
    /// The place for the answer to the question of the record with this key.
    pub(super) fn new(journal: Arc<dyn Journal>, record: Key) -> Self {
        let hash = Sha256::new_with_prefix(b"structured-prompt/paid-answer/1").chain_update(record.0);
        Self { journal, key: Key(hash.finalize().into()) }
    }
}

impl PaidAnswer for JournalledAnswer {
    fn recall(&self) -> BoxFuture<'_, Option<Answer>> {
        async {
            let bytes = self.journal.recall(self.key).await?;
            Decoder::default().decode(&bytes)
        }
        .boxed()
    }

    /// One that is longer than what is kept of answers is asked for again after a kill.
    fn keep<'a>(&'a self, answer: &'a Answer) -> BoxFuture<'a, ()> {
        async {
            if let Some(bytes) = encode(answer) {
                self.journal.record(self.key, Bytes::from(bytes)).await;
            }
        }
        .boxed()
    }
}

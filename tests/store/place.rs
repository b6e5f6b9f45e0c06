//! Journals in real stores.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use structured_prompt::domain::health::Component;
use structured_prompt::ports::clock::{Clock, ManualClock};
use structured_prompt::ports::health::Health as _;
use structured_prompt::ports::journal::{Claim, Journal as _, Key};
use structured_prompt::store::journal::{Dependencies, SharedJournal};
use structured_prompt::store::selected::SelectedStore;
use structured_prompt::store::settings::Location;
use structured_prompt::tasks::Tasks;
use structured_prompt::telemetry::metrics::Metrics;
use tokio::runtime::Handle;
use tokio_util::sync::CancellationToken;

pub const RETENTION: Duration = Duration::from_secs(2);
pub const WINDOW: Duration = Duration::from_secs(1);

/// An empty store, and the clock that its journals read.
pub struct Place {
    pub location: Location,
    clock: Arc<ManualClock>,
    /// The store's own clock decides what has expired.
    has_own_clock: bool,
}

impl Place {
    pub fn new(location: Location, has_own_clock: bool) -> Self {
        let clock = Arc::new(ManualClock::default());
        clock.advance(Duration::from_secs(1_800_000_000));
        Self { location, clock, has_own_clock }
    }

    /// Another journal in it, as another process would have.
    pub fn journal(&self) -> SharedJournal {
        self.keeping(RETENTION)
    }

    pub fn keeping(&self, retention: Duration) -> SharedJournal {
        let deps = Dependencies {
            clock: Arc::clone(&self.clock) as Arc<dyn Clock>,
            tasks: Tasks::new(Handle::current()),
            metrics: Metrics::default().journal(),
            stop: CancellationToken::new(),
        };
        SharedJournal::open(&SelectedStore::at(&self.location), retention, deps).0
    }

    pub async fn pass(&self, time: Duration) {
        if self.has_own_clock {
            tokio::time::sleep(time).await;
        } else {
            self.clock.advance(time);
        }
    }
}

pub fn key(n: u32) -> Key {
    let mut key = [7; 32];
    key[..4].copy_from_slice(&n.to_be_bytes());
    Key(key)
}

pub fn body(n: u32) -> Bytes {
    Bytes::from(format!("outcome {n}"))
}

pub fn claim(event: u32, input: u32, origin: &str) -> Claim {
    Claim { event: key(event), input: key(input), origin: origin.to_owned(), window: WINDOW }
}

pub fn component(journal: &SharedJournal) -> Component {
    journal.components().remove(0)
}

/// Waits until the journal says what is wrong, and returns it.
pub async fn problem(journal: &SharedJournal) -> String {
    let look = async {
        loop {
            if let Some(why) = journal.problem() {
                return why;
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(30), look).await.expect("a problem within 30 s")
}

/// What a call returns; it must not take longer than a store needs to come back and be found again.
pub async fn soon<T>(call: impl Future<Output = T>) -> T {
    tokio::time::timeout(Duration::from_secs(20), call).await.expect("an answer within 20 s")
}

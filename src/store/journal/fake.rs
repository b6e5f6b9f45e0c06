//! A store in memory that fails as told.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use bytes::Bytes;
use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use tokio::sync::Semaphore;

use crate::store::availability::StoreName;
use crate::store::error::StoreError;
use crate::store::journal::backend::{Backend, Connection, Done, Hash, Holder, Work};

/// What an attempt to connect or to execute does.
#[derive(Debug, Clone, Copy)]
pub(super) enum Step {
    Fail(&'static str),
    Hang,
    Panic,
    /// Executes the batch, and then does not say so.
    Forget,
}

/// The store's other side: what tests see and command.
#[derive(Clone)]
pub(super) struct Fake(Arc<Inside>);

struct Inside {
    state: Mutex<State>,
    /// Each batch takes a permit.
    gate: Semaphore,
}

#[derive(Default)]
pub(super) struct State {
    pub(super) on_connect: VecDeque<Step>,
    pub(super) on_execute: VecDeque<Step>,
    /// Batches that were executed.
    pub(super) batches: Vec<Work>,
    pub(super) connections: usize,
    /// What each removal says: whether there is more.
    pub(super) on_purge: VecDeque<bool>,
    pub(super) purges: usize,
    outcomes: HashMap<Hash, Bytes>,
    holders: HashMap<Hash, Holder>,
}

impl Fake {
    /// A store that executes batches as they come.
    pub(super) fn open() -> Self {
        Self::gated(Semaphore::MAX_PERMITS)
    }

    /// A store that executes so many batches and then waits for [`Fake::admit`].
    pub(super) fn gated(batches: usize) -> Self {
        Self(Arc::new(Inside { state: Mutex::default(), gate: Semaphore::new(batches) }))
    }

    pub(super) fn admit(&self, batches: usize) {
        self.0.gate.add_permits(batches);
    }

    pub(super) fn state(&self) -> MutexGuard<'_, State> {
        self.0.state.lock().unwrap()
    }

    /// Entries of each batch so far.
    pub(super) fn sizes(&self) -> Vec<usize> {
        self.state().batches.iter().map(|work| work.outcomes.len() + work.claims.len() + work.recalls.len()).collect()
    }
}

impl Backend for Fake {
    fn name(&self) -> StoreName {
        StoreName { kind: "fake", place: "nowhere".to_owned(), advice: "wait" }
    }

    fn connect(&self) -> BoxFuture<'_, Result<Box<dyn Connection>, StoreError>> {
        async {
            self.state().connections += 1;
            let step = self.state().on_connect.pop_front();
            follow(step).await?;
            Ok(Box::new(self.clone()) as Box<dyn Connection>)
        }
        .boxed()
    }
}

impl Connection for Fake {
    fn execute<'a>(&'a mut self, work: &'a Work) -> BoxFuture<'a, Result<Done, StoreError>> {
        async {
            self.0.gate.acquire().await.unwrap().forget();
            let step = self.state().on_execute.pop_front();
            if !matches!(step, Some(Step::Forget)) {
                follow(step).await?;
            }
            let done = self.state().execute(work);
            follow(step).await.map(|()| done)
        }
        .boxed()
    }

    fn purge(&mut self, _now: Duration, _limit: u32) -> BoxFuture<'_, Result<bool, StoreError>> {
        async {
            self.state().purges += 1;
            Ok(self.state().on_purge.pop_front().unwrap_or_default())
        }
        .boxed()
    }
}

async fn follow(step: Option<Step>) -> Result<(), StoreError> {
    match step {
        None => Ok(()),
        Some(Step::Fail(why)) => Err(StoreError(why.to_owned())),
        Some(Step::Hang) => std::future::pending().await,
        Some(Step::Panic) => panic!("as told"),
        Some(Step::Forget) => Err(StoreError("connection reset".to_owned())),
    }
}

impl State {
    fn execute(&mut self, work: &Work) -> Done {
        self.batches.push(work.clone());
        let mut done = Done::default();
        for (key, body) in &work.outcomes {
            self.outcomes.entry(*key).or_insert_with(|| body.clone());
        }
        for (event, claim) in &work.claims {
            let own = Holder { input: claim.input, origin: claim.origin.clone().into_bytes() };
            done.holders.insert(*event, self.holders.entry(*event).or_insert(own).clone());
        }
        for key in &work.recalls {
            done.recalled.extend(self.outcomes.get(key).map(|body| (*key, body.clone())));
        }
        done
    }
}

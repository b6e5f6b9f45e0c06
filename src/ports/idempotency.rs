//! Requests that are answered once, however often their client sends them.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures_util::FutureExt as _;
use futures_util::future::ready;

use super::clock::Clock;
use super::repository::{Memory, RepositoryError, RepositoryFuture};
use crate::domain::fingerprint::Fingerprint;
use crate::domain::tenant::Tenant;

/// The answer that a repetition gets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredAnswer {
    /// The HTTP status.
    pub status: u16,
    /// Headers that belong to the content: its type, a location, an `ETag`.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Bytes,
}

/// Who works on a request. Whoever has the ticket finishes it or gives it up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ticket(pub i64);

impl Ticket {
    /// One that nobody else has.
    pub fn random() -> Self {
        Self(fastrand::i64(..))
    }
}

/// What a request comes to that names its key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Begun {
    /// It is new: it is to be done, by whoever has the ticket.
    New,
    /// The same is under way.
    Running,
    /// The same was answered before.
    Done(StoredAnswer),
    /// Another request has this key.
    OtherRequest,
}

/// A request with its key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IdempotentRequest {
    /// The key, which its client chose.
    pub key: String,
    /// What makes it the same as another: its route and its body.
    pub fingerprint: Fingerprint,
    /// Who would work on it. Chosen by the caller, who can give it up also when `begin` had no answer.
    pub ticket: Ticket,
    /// How long it may take. Afterwards its process is taken for dead, and a repetition is new.
    pub lease: Duration,
}

/// Remembers requests by tenant and key.
pub trait Idempotency: Send + Sync {
    /// Says what to do with a request, and that somebody works on it if it is new.
    fn begin<'a>(&'a self, tenant: &'a Tenant, request: IdempotentRequest) -> RepositoryFuture<'a, Begun>;
    /// Remembers an answer for `ttl`. Nothing is done if somebody else has begun the request anew meanwhile.
    fn finish<'a>(
        &'a self,
        tenant: &'a Tenant,
        key: &'a str,
        ticket: Ticket,
        answer: StoredAnswer,
        ttl: Duration,
    ) -> RepositoryFuture<'a, ()>;
    /// Forgets a request that has no answer worth repeating.
    fn abandon<'a>(&'a self, tenant: &'a Tenant, key: &'a str, ticket: Ticket) -> RepositoryFuture<'a, ()>;
}

/// Requests in memory, which end with the process.
pub struct MemoryIdempotency {
    clock: Arc<dyn Clock>,
    memory: Memory<HashMap<(Tenant, String), State>>,
}

#[derive(Debug, Clone)]
struct State {
    fingerprint: Fingerprint,
    ticket: Ticket,
    answer: Option<StoredAnswer>,
    expires_at: Duration,
}

impl MemoryIdempotency {
    /// No requests.
    pub fn new(clock: Arc<dyn Clock>) -> Self {
        Self { clock, memory: Memory::default() }
    }

    /// From now on every call fails for this reason, or none does.
    pub fn set_away(&self, why: Option<&str>) {
        self.memory.set_away(why);
    }

    fn begun(&self, tenant: &Tenant, request: IdempotentRequest) -> Result<Begun, RepositoryError> {
        let IdempotentRequest { key, fingerprint, ticket, lease } = request;
        let (now, mut requests) = (self.clock.now(), self.memory.state()?);
        requests.retain(|_, state| state.expires_at > now);
        let id = (tenant.clone(), key);
        Ok(match requests.get(&id) {
            Some(state) if state.fingerprint != fingerprint => Begun::OtherRequest,
            Some(State { answer: Some(answer), .. }) => Begun::Done(answer.clone()),
            Some(_) => Begun::Running,
            None => {
                requests.insert(id, State { fingerprint, ticket, answer: None, expires_at: now + lease });
                Begun::New
            }
        })
    }
}

impl Idempotency for MemoryIdempotency {
    fn begin<'a>(&'a self, tenant: &'a Tenant, request: IdempotentRequest) -> RepositoryFuture<'a, Begun> {
        ready(self.begun(tenant, request)).boxed()
    }

    fn finish<'a>(
        &'a self,
        tenant: &'a Tenant,
        key: &'a str,
        ticket: Ticket,
        answer: StoredAnswer,
        ttl: Duration,
    ) -> RepositoryFuture<'a, ()> {
        let finished = self.memory.state().map(|mut requests| {
            let state = requests.get_mut(&(tenant.clone(), key.to_owned()));
            if let Some(state) = state.filter(|state| state.ticket == ticket) {
                (state.answer, state.expires_at) = (Some(answer), self.clock.now() + ttl);
            }
        });
        ready(finished).boxed()
    }

    fn abandon<'a>(&'a self, tenant: &'a Tenant, key: &'a str, ticket: Ticket) -> RepositoryFuture<'a, ()> {
        let abandoned = self.memory.state().map(|mut requests| {
            let id = (tenant.clone(), key.to_owned());
            if requests.get(&id).is_some_and(|state| state.ticket == ticket && state.answer.is_none()) {
                requests.remove(&id);
            }
        });
        ready(abandoned).boxed()
    }
}

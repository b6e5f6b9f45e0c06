//! The gate before the providers: while it is closed, nobody can be asked, and no record is blamed for it.

use std::sync::Arc;

use tokio::time::Instant;

use crate::domain::failure::Failure;
use crate::pipeline::caller::Caller;
use crate::pipeline::route::breaker::Open;
use crate::pipeline::route::provider::Provider;
use crate::pipeline::route::router::Router;
use crate::pipeline::route::waiting::asked_again;
use crate::pipeline::spec::Spec;

/// Whether anybody may be asked what a specification asks, on behalf of a caller.
#[derive(Clone, Copy)]
pub struct Gate<'a> {
    router: &'a Router,
    caller: &'a Caller,
}

/// Why nobody may be asked.
#[derive(Debug, Clone, PartialEq)]
pub struct Closed {
    /// Who is waited for: the provider that may be asked first, or the budget.
    pub dependency: String,
    /// Whether it is the budget.
    pub is_budget: bool,
    /// What is wrong with it.
    pub failure: Failure,
    /// When that may have passed.
    pub until: Instant,
}

impl Closed {
    /// When it is asked again, in words.
    pub fn end(&self) -> String {
        asked_again(self.until)
    }

    /// As the failure of who cannot wait: never one of the question, whatever opened the breaker.
    pub(super) fn into_failure(self) -> Failure {
        let pause = self.until.saturating_duration_since(Instant::now());
        self.failure.as_unavailable().retry_after(Some(pause))
    }
}

impl<'a> Gate<'a> {
    /// The gate between this caller and the providers of this specification.
    pub fn new(spec: &'a Spec, caller: &'a Caller) -> Self {
        Self { router: spec.router(), caller }
    }

    /// Why nobody may be asked, or `None` if somebody may. Also while a probe is due or under way.
    pub fn closed(self) -> Option<Closed> {
        if let Some((failure, until)) = self.caller.budget().and_then(|budget| budget.spent_until()) {
            return Some(Closed { dependency: "budget".to_owned(), is_budget: true, failure, until });
        }
        let (name, open) = self.router.closed()?;
        let (dependency, Open { failure, until }) = (format!("provider {name}"), open);
        Some(Closed { dependency, is_budget: false, failure, until })
    }

    /// True when somebody may be asked freely.
    pub fn is_open(self) -> bool {
        self.closed().is_none()
    }

    /// True while a call is under way at any of the providers.
    pub fn is_asked(self) -> bool {
        self.router.is_asked()
    }

    /// Calls that the providers have answered so far: what a request compares to see whether only it fails.
    pub fn successes(self) -> u64 {
        self.router.successes()
    }

    /// Who may answer, in the order in which they stand in for each other.
    pub fn providers(self) -> &'a [Arc<Provider>] {
        self.router.providers()
    }

    /// The failure to report when nobody was asked at all.
    pub(super) fn unavailable(self) -> Failure {
        self.closed().map_or_else(Router::nobody, Closed::into_failure)
    }
}

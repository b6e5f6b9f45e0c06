//! What many events at once may cost. Whoever tries out keys, asks far more often than they may, or sends one
//! suspicious prompt after the other, makes thousands of equal events; in a database that keeps them for long they are
//! an attack of their own. It makes no difference whether suspicious input is refused or only flagged: whoever sends it
//! decides how much of it there is.
//!
//! So of such events, of one type, with one result, by one actor, the first within a minute is an event by itself, and
//! the others are one together, at the end of the minute, which says how many they are.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

use crate::domain::tenant::Tenant;
use crate::ports::audit::{AuditEvent, AuditEventType, AuditLog, AuditResult};
use crate::ports::clock::Clock;
use crate::telemetry::metrics::AuditMetrics;

/// Actors that are told apart within a minute, for each type of event and each result.
const MOST_ACTORS: usize = 100;
/// Who did what all further ones did.
const OTHERS: &str = "others";
/// How often is looked whether a minute has ended.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// Lets through what is not too much. What administrators do always is, and so is a good key.
pub struct FloodGuard {
    log: Arc<dyn AuditLog>,
    metrics: AuditMetrics,
    now: Mutex<Minute>,
}

/// Which events are counted together: those of one type, with one result, by one actor.
type Kind = (AuditEventType, AuditResult, String);

/// What came within one minute.
#[derive(Debug, Default)]
struct Minute {
    /// Which one, since the Unix epoch.
    number: u64,
    /// Who did what and how it ended, and all but the first such event as one.
    seen: HashMap<Kind, Option<AuditEvent>>,
    /// Whether the process stops: nothing is counted any more.
    is_last: bool,
}

impl FloodGuard {
    /// A guard before this log.
    pub fn new(log: Arc<dyn AuditLog>, metrics: AuditMetrics) -> Self {
        AuditEventType::ALL.iter().for_each(|event_type| metrics.may_hold_back(event_type.as_str()));
        Self { log, metrics, now: Mutex::default() }
    }

    /// Records what was counted when its minute is over, until `stop`; then also what is left, and from then on each
    /// event by itself.
    pub async fn watch(self: Arc<Self>, clock: Arc<dyn Clock>, stop: CancellationToken) {
        while stop.run_until_cancelled(sleep(LOOK_EVERY)).await.is_some() {
            let counted = self.minute().begin(minute_of(clock.now()));
            self.record_all(counted);
        }
        let counted = {
            let mut minute = self.minute();
            minute.is_last = true;
            minute.end()
        };
        self.record_all(counted);
    }

    fn record_all(&self, events: Vec<AuditEvent>) {
        events.into_iter().for_each(|event| self.log.record(event));
    }

    fn minute(&self) -> MutexGuard<'_, Minute> {
        self.now.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl AuditLog for FloodGuard {
    fn record(&self, event: AuditEvent) {
        if !is_guarded(&event) {
            return self.log.record(event);
        }
        let event_type = event.event_type;
        let (counted, event) = {
            let mut minute = self.minute();
            (minute.begin(minute_of(event.timestamp)), minute.take(event))
        };
        self.record_all(counted);
        match event {
            Some(event) => self.log.record(event),
            None => self.metrics.held_back(event_type.as_str()),
        }
    }
}

fn is_guarded(event: &AuditEvent) -> bool {
    match event.event_type {
        AuditEventType::Authentication => event.result != AuditResult::Success,
        AuditEventType::Authorization | AuditEventType::RateLimit | AuditEventType::SuspiciousInput => true,
        AuditEventType::AdminAction | AuditEventType::CacheInvalidation => false,
    }
}

fn minute_of(time: Duration) -> u64 {
    time.as_secs() / 60
}

impl Minute {
    /// Goes on to this minute, unless it is no later one. What was counted in the one before is returned.
    fn begin(&mut self, number: u64) -> Vec<AuditEvent> {
        if number <= self.number {
            return Vec::new();
        }
        self.number = number;
        self.end()
    }

    /// Forgets who did what, and returns what was counted.
    fn end(&mut self) -> Vec<AuditEvent> {
        std::mem::take(&mut self.seen).into_values().flatten().collect()
    }

    /// Returns an event that is to be recorded by itself, and counts any other.
    fn take(&mut self, event: AuditEvent) -> Option<AuditEvent> {
        if self.is_last {
            return Some(event);
        }
        let (event_type, result) = (event.event_type, event.result);
        let kind = (event_type, result, event.actor.clone());
        if let Some(counted) = self.seen.get_mut(&kind) {
            add(counted, event);
            return None;
        }
        let is_alike = |(other_type, other_result, _): &&Kind| (*other_type, *other_result) == (event_type, result);
        if self.seen.keys().filter(is_alike).count() < MOST_ACTORS {
            self.seen.insert(kind, None);
            return Some(event);
        }
        let (tenant, actor) = (Tenant::default(), OTHERS.to_owned());
        let counted = self.seen.entry((event_type, result, actor.clone())).or_default();
        // What one of them asked is for the eyes of its own team.
        add(counted, AuditEvent { tenant, actor, request_id: None, detail: None, ..event });
        None
    }
}

fn add(counted: &mut Option<AuditEvent>, event: AuditEvent) {
    let before = counted.as_ref().map_or(0, |event| event.times);
    *counted = Some(AuditEvent { times: before.saturating_add(event.times), ..event });
}

#[cfg(test)]
mod tests;

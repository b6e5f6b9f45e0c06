//! Waiting for records to be finished: shows how far they are, says what happens to the providers meanwhile, and gives
//! up when waiting is no use.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::status_line::StatusLine;
use super::tally::Tally;
use crate::app::App;
use crate::domain::failure::{Code, Failure};
use crate::pipeline::gate::Gate;
use crate::pipeline::route::calls::CallCounts;
use crate::pipeline::route::provider::Provider;

const TURN: Duration = Duration::from_millis(20);
/// The same news of the same provider is said again after this time.
const SAY_AGAIN: Duration = Duration::from_secs(5);
/// Everything that is slow at the start (the group's first assignment takes three seconds) is over by then.
const STARTED: Duration = Duration::from_secs(10);
/// A provider that cannot be reached for this long, and has not answered anything meanwhile, is not waited for: its
/// address is wrong, or somebody must start it.
const OUTAGE: Duration = Duration::from_secs(30);
/// Nobody watches a demonstration that pauses for longer.
const LONGEST_PAUSE: Duration = Duration::from_secs(600);
/// Without any call open, nobody paused and nothing moving for this long, something is wrong.
const STANDSTILL: Duration = Duration::from_secs(60);

/// Why the demonstration ended before its records, in lines for a person.
#[derive(Debug, Clone)]
pub(super) struct GaveUp(pub(super) String);

/// What was last said about a provider.
struct Said {
    code: Option<Code>,
    is_open: bool,
    failed: u64,
    at: Instant,
}

pub(super) struct Watch<'a> {
    app: &'a App,
    tally: &'a Tally,
    expected: usize,
    started_at: Instant,
    timeout: Option<Duration>,
    line: StatusLine,
    said: BTreeMap<String, Said>,
    said_parts: BTreeMap<(&'static str, String), String>,
    /// Since when nobody may be asked, with the calls that were answered by then.
    closed_since: Option<(Instant, u64)>,
    moved: ((usize, usize, u64), Instant),
}

impl<'a> Watch<'a> {
    /// `started_at` is when the whole began that `timeout` bounds.
    pub(super) fn new(
        app: &'a App,
        tally: &'a Tally,
        expected: usize,
        started_at: Instant,
        timeout: Option<Duration>,
    ) -> Self {
        Self {
            app,
            tally,
            expected,
            started_at,
            timeout,
            line: StatusLine::new(),
            said: BTreeMap::new(),
            said_parts: BTreeMap::new(),
            closed_since: None,
            moved: ((0, 0, 0), Instant::now()),
        }
    }

    /// Waits until this many records are finished.
    ///
    /// # Errors
    /// Why it was given up.
    pub(super) async fn until(&mut self, sent: usize) -> Result<(), GaveUp> {
        loop {
            let providers = self.providers();
            for provider in &providers {
                self.say_news(provider);
            }
            self.say_parts();
            if self.tally.count() >= sent {
                self.line.clear();
                return Ok(());
            }
            if let Some(why) = self.give_up() {
                self.line.clear();
                return Err(GaveUp(self.account(&why)));
            }
            let progress = self.progress();
            self.line.show(&progress);
            tokio::time::sleep(TURN).await;
        }
    }

    fn gate(&self) -> Option<Gate<'a>> {
        self.app.gates().next()
    }

    fn providers(&self) -> Vec<Arc<Provider>> {
        self.gate().map(Gate::providers).unwrap_or_default().to_vec()
    }

    /// Records that the connector has and has not finished.
    fn in_flight(&self) -> usize {
        let components = self.app.components();
        let facts = components.iter().filter(|part| part.kind == "connector").flat_map(|part| &part.facts);
        let records = facts.filter(|(name, _)| *name == "records_in_flight").map(|(_, count)| *count).sum::<i64>();
        usize::try_from(records).unwrap_or(0)
    }

    fn progress(&self) -> String {
        let seconds = self.started_at.elapsed().as_secs();
        let finished = self.tally.count();
        let received = (finished + self.in_flight()).min(self.expected);
        if received == 0 && self.started_at.elapsed() < STARTED {
            return format!("{seconds} s: joining the consumer group, which takes the embedded broker 3 s");
        }
        let calls: Vec<CallCounts> = self.providers().iter().map(|provider| provider.calls()).collect();
        let sum = |of: fn(&CallCounts) -> u64| calls.iter().map(of).sum::<u64>();
        let (asked, answered) = (sum(|calls| calls.begun), sum(|calls| calls.answered));
        let mut text = format!(
            "{seconds} s: {received} of {} received, {asked} asked, {answered} answered, {finished} finished",
            self.expected
        );
        if let Some(oldest) = calls.iter().filter_map(|calls| calls.oldest_open).max() {
            text += &format!(", oldest call {} s", oldest.as_secs());
        }
        text
    }

    fn say_news(&mut self, provider: &Provider) {
        let name = provider.name().to_string();
        let calls = provider.calls();
        let open = provider.open();
        let before = self.said.get(&name);
        let is_due = before.is_none_or(|said| said.at.elapsed() >= SAY_AGAIN);
        let was_open = before.is_some_and(|said| said.is_open);
        let last_code = before.and_then(|said| said.code);
        let has_failed = before.map_or(0, |said| said.failed) < calls.failed;
        let failure = open.as_ref().map(|open| &open.failure).or(calls.last_failure.as_ref().filter(|_| has_failed));
        let text = match (&open, failure) {
            (Some(open), Some(failure)) if is_due && has_failed || last_code != Some(failure.code) || !was_open => {
                let pause = open.until.saturating_duration_since(tokio::time::Instant::now());
                format!("{name}: {failure}; it is asked again in {} s", pause.as_secs() + 1)
            }
            (None, Some(failure)) if is_due || last_code != Some(failure.code) => {
                format!("{name}: a call failed: {failure}")
            }
            (None, None) if was_open => format!("{name}: it may be asked again"),
            _ => return,
        };
        let code = failure.map(|failure| failure.code);
        let said = Said { code, is_open: open.is_some(), failed: calls.failed, at: Instant::now() };
        self.said.insert(name, said);
        self.line.say(text);
    }

    /// What is wrong with Kafka, the connector or the store. A connector that waits for its providers says nothing new.
    fn say_parts(&mut self) {
        if self.started_at.elapsed() < STARTED {
            return;
        }
        let is_closed = self.gate().is_some_and(|gate| !gate.is_open());
        for part in self.app.components() {
            if part.kind == "provider" || (part.kind == "connector" && is_closed) {
                continue;
            }
            let detail = part.detail.unwrap_or_default();
            let last = self.said_parts.insert((part.kind, part.name.clone()), detail.clone()).unwrap_or_default();
            if last != detail && !detail.is_empty() {
                self.line.say(format_args!("{} {}: {detail}", part.kind, part.name));
            }
        }
    }

    fn give_up(&mut self) -> Option<String> {
        if let Some(timeout) = self.timeout.filter(|timeout| self.started_at.elapsed() >= *timeout) {
            return Some(format!("gave up after {} (--timeout)", seconds(timeout)));
        }
        if self.is_hopeless() {
            return Some("gave up: nobody can answer, and waiting does not change that".to_owned());
        }
        let answered = self.gate().map_or(0, Gate::successes);
        let position = (self.tally.count(), self.in_flight(), answered);
        let is_waiting = self.gate().is_some_and(|gate| gate.is_asked() || !gate.is_open());
        if position != self.moved.0 || is_waiting {
            self.moved = (position, Instant::now());
        }
        (self.moved.1.elapsed() >= STANDSTILL)
            .then(|| format!("gave up: nothing has moved for {}", seconds(STANDSTILL)))
    }

    /// Nobody may be asked, no call is open, and each provider waits for a person, or for longer than anybody watches.
    fn is_hopeless(&mut self) -> bool {
        let Some(gate) = self.gate() else { return false };
        let Some(closed) = gate.closed() else {
            self.closed_since = None;
            return false;
        };
        let answered = gate.successes();
        let since = match self.closed_since {
            Some((since, before)) if before == answered => since,
            Some(_) | None => Instant::now(),
        };
        self.closed_since = Some((since, answered));
        if gate.is_asked() {
            return false;
        }
        let is_long =
            |until: tokio::time::Instant| until.saturating_duration_since(tokio::time::Instant::now()) > LONGEST_PAUSE;
        if closed.failure.code == Code::BudgetExhausted {
            return is_long(closed.until);
        }
        let is_gone = since.elapsed() >= OUTAGE;
        gate.providers().iter().filter_map(|provider| provider.open()).all(|open| {
            needs_a_person(&open.failure)
                || (is_gone && open.failure.code == Code::ProviderUnavailable)
                || is_long(open.until)
        })
    }

    /// What was waited for.
    fn account(&self, why: &str) -> String {
        let open = self.expected.saturating_sub(self.tally.count());
        let mut text = format!("{why}: {open} of {} records have no outcome", self.expected);
        let now = tokio::time::Instant::now();
        for provider in self.providers() {
            let calls = provider.calls();
            let mut facts = Vec::new();
            if let Some(oldest) = calls.oldest_open {
                let open = provider.in_flight();
                facts.push(format!("{open} calls are open, the oldest for {}", seconds(oldest)));
            }
            match (provider.open(), &calls.last_failure) {
                (Some(open), _) => {
                    let pause = open.until.saturating_duration_since(now);
                    facts.push(format!("{}; its pause lasts for another {}", open.failure, seconds(pause)));
                }
                (None, Some(failure)) => facts.push(format!("the last failed call: {failure}")),
                (None, None) if facts.is_empty() => facts.push(format!("{} calls answered", calls.answered)),
                (None, None) => {}
            }
            text += &format!("\n  {}: {}", provider.name(), facts.join("; "));
        }
        if let Some(closed) = self.gate().and_then(Gate::closed).filter(|closed| closed.is_budget) {
            text += &format!("\n  budget: {}", closed.failure);
        }
        let is_closed = self.gate().is_some_and(|gate| !gate.is_open());
        for part in self.app.components() {
            let is_said = part.kind == "provider" || (part.kind == "connector" && is_closed);
            if let Some(detail) = part.detail.filter(|_| !is_said) {
                text += &format!("\n  {} {}: {detail}", part.kind, part.name);
            }
        }
        text
    }
}

/// A key that is not accepted, a model that is not there, money that is spent.
fn needs_a_person(failure: &Failure) -> bool {
    matches!(failure.code, Code::ProviderUnauthorized | Code::ProviderQuotaExhausted)
}

fn seconds(duration: Duration) -> String {
    if duration < Duration::from_secs(10) {
        format!("{:.1} s", duration.as_secs_f64())
    } else {
        format!("{} s", duration.as_secs())
    }
}

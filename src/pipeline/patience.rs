//! Patience: a question waits for its providers and goes on from where it stands, until it is answered or its time is
//! up.

use std::time::Duration;

use tokio::time::{Instant, sleep_until, timeout_at};

use crate::domain::answer::Answered;
use crate::domain::failure::{Code, Failure, Kind};
use crate::pipeline::engine::Engine;
use crate::pipeline::gate::Closed;
use crate::pipeline::request::Question;

/// Times that a provider may fail on a question, each time having answered others since the time before, until the
/// failure is the question's own.
const MAX_FAILURES_OF_ITS_OWN: u32 = 5;
/// How long a question with a deadline waits for providers that fail: through the first pause of a breaker, so that a
/// moment's failure costs no answer, and not through the second. Whether they work after it nobody knows, and a client that
/// is told so at once can do something else.
const LONGEST_WAIT_FOR_FAILING: Duration = Duration::from_millis(1500);

impl Engine {
    /// Ask ▶ approve ▶ ground ▶ compare ▶ score. Waits for providers as long as they are what is missing, and goes on
    /// when one can be asked; a question with a deadline waits until it is certain that none can be asked before, or
    /// likely that they all fail. The question keeps what its calls said and cost.
    ///
    /// # Errors
    /// The [`Failure`] of the stage that could not go on. One of kind `Unavailable`, with the known pause, comes only
    /// before a deadline.
    pub async fn finish(&self, question: &mut Question) -> Result<Answered, Failure> {
        let mut failures_of_its_own = 0;
        let mut successes_before = question.gate().successes();
        loop {
            self.ready(question).await?;
            let calls_before = question.progress.calls();
            let failure = match self.attempt(question).await {
                Err(failure) if failure.kind() == Kind::Unavailable => failure,
                outcome => return outcome,
            };
            // No call is open any more. Whoever else has the record by then makes the next one.
            question.commitment().end();
            // Nobody may be waiting for it any more, and then it does not begin another.
            tokio::task::yield_now().await;
            // Providers that fail on one question only must not be paused for it for ever.
            let successes = question.gate().successes();
            let is_dubious = matches!(failure.code, Code::ProviderUnavailable | Code::ProviderOverloaded);
            if is_dubious && question.progress.calls() > calls_before && successes > successes_before {
                failures_of_its_own += 1;
            }
            successes_before = successes;
            if failures_of_its_own >= MAX_FAILURES_OF_ITS_OWN {
                return Err(Failure { code: Code::ProviderFailed, ..failure });
            }
        }
    }

    /// Waits until somebody may be asked who can still help with this question, if only for a probe.
    ///
    /// # Errors
    /// Before a deadline: why nobody can be asked in time.
    pub async fn ready(&self, question: &Question) -> Result<(), Failure> {
        let Some(deadline) = question.deadline else {
            wait(question).await;
            return Ok(());
        };
        let closed = question.gate().closed().filter(|closed| closed.until >= give_up_at(closed, deadline));
        if closed.is_none() && timeout_at(deadline, wait(question)).await.is_ok() {
            return Ok(());
        }
        Err(question.gate().unavailable().after(question.progress.attempt_log()))
    }
}

/// The time from which on it is in vain to wait for providers, or a budget, until this deadline. A time that they named, or a
/// limit that is renewed, is waited for.
fn give_up_at(closed: &Closed, deadline: Instant) -> Instant {
    let Failure { code, retry_after, .. } = &closed.failure;
    if retry_after.is_some() || matches!(code, Code::ProviderRateLimited | Code::BudgetExhausted) {
        return deadline;
    }
    deadline.min(Instant::now() + LONGEST_WAIT_FOR_FAILING)
}

async fn wait(question: &Question) {
    // Money comes back at a time, and says nothing before.
    while let Some((_, until)) = question.caller.budget().and_then(|budget| budget.spent_until()) {
        sleep_until(until).await;
    }
    let router = question.spec.router();
    router.ready(|index| question.progress.may_help(index, router.member(index))).await;
}

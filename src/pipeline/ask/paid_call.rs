//! One call, and who pays for it.

use super::call_span;
use crate::domain::answer::Usage;
use crate::domain::failure::Code;
use crate::pipeline::budget::Reservation;
use crate::pipeline::caller::Caller;
use crate::pipeline::route::provider::{Admission, Provider};
use crate::ports::model::{Call, CallError, Reply};
use crate::telemetry::traces::trace::Trace;

/// A call that may be made.
pub(in crate::pipeline) struct PaidCall<'a> {
    /// Who pays.
    pub(in crate::pipeline) caller: &'a Caller,
    /// Who is asked.
    pub(in crate::pipeline) provider: &'a Provider,
    /// Leave for it.
    pub(in crate::pipeline) admission: Admission<'a>,
    /// The most that it can take.
    pub(in crate::pipeline) need: Usage,
    /// The money that is set aside for it, where there is a budget.
    pub(in crate::pipeline) reservation: Option<Reservation<'a>>,
    /// What it is a part of.
    pub(in crate::pipeline) trace: &'a Trace,
    /// The ladder's word for it.
    pub(in crate::pipeline) step: &'static str,
}

/// A reply, and what it cost.
pub(in crate::pipeline) struct Paid {
    /// The reply.
    pub(in crate::pipeline) reply: Reply,
    /// Tokens, with an estimate for what the provider did not tell.
    pub(in crate::pipeline) charged: Usage,
    /// Their price in US dollars.
    pub(in crate::pipeline) cost_usd: f64,
}

impl PaidCall<'_> {
    /// Makes the call.
    ///
    /// # Errors
    /// Why there is no reply.
    pub(in crate::pipeline) async fn make(self, call: &Call<'_>) -> Result<Paid, CallError> {
        let mut span = call_span::begin(self.trace, self.provider, call, self.step);
        let has_texts = self.trace.has_texts();
        let outcome = self.ask(call).await;
        let paid = outcome.as_ref().map(|paid| (&paid.reply, paid.charged, paid.cost_usd));
        call_span::end(&mut span, paid, has_texts);
        outcome
    }

    async fn ask(self, call: &Call<'_>) -> Result<Paid, CallError> {
        let Self { caller, provider, admission, need, reservation, trace, step: _ } = self;
        match admission.ask(call, trace).await {
            Ok(reply) => {
                let charged = provider.charged(&reply, need);
                let cost_usd = provider.model().cost_usd(charged);
                if let Some(reservation) = reservation {
                    reservation.settle(cost_usd);
                }
                caller.paid(cost_usd);
                Ok(Paid { reply, charged, cost_usd })
            }
            Err(error) => {
                // Nobody says what a call has cost that was given up: it may have been answered.
                if let Some(reservation) = reservation.filter(|_| error.failure.code == Code::ProviderTimeout) {
                    reservation.settle(provider.model().cost_usd(need));
                }
                Err(error)
            }
        }
    }
}

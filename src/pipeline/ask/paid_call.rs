//! One call, and who pays for it.

use crate::domain::answer::Usage;
use crate::domain::failure::Code;
use crate::pipeline::budget::Reservation;
use crate::pipeline::caller::Caller;
use crate::pipeline::route::provider::{Admission, Provider};
use crate::ports::model::{Call, CallError, Reply};

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
        let Self { caller, provider, admission, need, reservation } = self;
        match admission.ask(call).await {
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

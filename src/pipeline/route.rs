//! Route: who is asked, and when nobody may be.
//!
//! A [`Provider`](provider::Provider) is a model with everything that stands before it: a breaker, ceilings, and a
//! memory of how it has been doing. Providers are shared by all who ask. A [`Router`](router::Router) belongs to one
//! specification and chooses among them.

pub(in crate::pipeline) mod breaker;
pub mod calls;
mod ceilings;
pub mod connections;
mod health;
pub mod provider;
mod provider_log;
pub mod router;
pub mod settings;
pub mod waiting;

#[cfg(test)]
pub(crate) mod testing;

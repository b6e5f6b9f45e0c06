//! Route: who is asked, and when nobody may be.
//!
//! A [`Provider`](provider::Provider) is a model with everything that stands before it: a breaker, ceilings, and a memory of
//! how it has been doing. Providers are shared by all connectors. A [`Router`](router::Router) belongs to one connector and
//! chooses among them; when none may be asked, it is the connector's gate.

pub(in crate::pipeline) mod breaker;
pub mod budget;
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

//! The HTTP edge: health, readiness, metrics, and the API.
//!
//! - [`server`]: listening and serving; [`client_address`]: where requests come from; [`tls`]: the certificate that
//!   encrypted connections show; [`redirect`]: the way to them; [`settings`]: what a user chooses about it;
//! - [`router`]: every route, by audience; [`endpoint`]: their names; [`state`]: what handlers share; [`middleware`]:
//!   what holds for every request; [`compression`], [`cors`]: what some clients want of answers;
//! - [`auth`]: who asks; [`rate_limit`]: how much; [`admission`]: whether a request may begin;
//!   [`idempotent`]: what is answered once;
//! - [`v1`]: the resources of the API; [`admin`]: those of administrators; [`request_log`]: what was asked, and what
//!   came of it;
//! - [`audit`]: what of it concerns security;
//! - [`health`]: `/v1/health` and the probes; [`metrics`];
//! - [`openapi`]: the document that describes all of this; [`pages`]: the document in a browser;
//! - [`request_trace`]: what traces say of a request;
//! - [`problem`]: errors as problem documents; [`error_status`]: their codes and statuses; [`request_id`];
//! - [`json_body`], [`fields`], [`query`]: reading what a request says; [`list`]: lists in parts; [`precondition`]: which
//!   state of a thing a client knows.

pub mod admin;
pub mod admission;
pub mod audit;
pub mod auth;
pub mod client_address;
pub mod compression;
pub mod cors;
pub mod endpoint;
pub mod error_status;
pub mod fields;
pub mod health;
pub mod idempotent;
pub mod json_body;
pub mod list;
pub mod metrics;
pub mod middleware;
pub mod openapi;
pub mod pages;
pub mod precondition;
pub mod problem;
pub mod query;
pub mod rate_limit;
pub mod redirect;
pub mod request_id;
pub mod request_log;
pub mod request_trace;
pub mod router;
pub mod server;
pub mod settings;
pub mod state;
pub mod tls;
mod unread_body;
pub mod v1;

#[cfg(test)]
mod testing;

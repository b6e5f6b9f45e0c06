//! structured-prompt: a streaming connector that turns free text on Kafka topics into validated, typed records.
//!
//! The modules form layers; each imports only from the ones listed before it (`tests/architecture/layers.rs` holds the
//! table): [`domain`] → [`ports`], [`schema`], [`prompt`], [`evidence`], [`codec`] → [`pipeline`] → [`delivery`] → the
//! edges ([`kafka`], [`http`], [`llm`], [`cache`], [`store`]) → [`config`] → `app` → [`cli`]. [`telemetry`],
//! [`open_files`], [`file_watch`] and `tasks` may be used from the pipeline upwards; [`eval`] holds answers against labels, for `app`
//! and `cli`. `docs/architecture.md` walks one record through them.

pub mod domain;

pub mod codec;
pub mod eval;
pub mod evidence;
pub mod ports;
pub mod prompt;
pub mod schema;

pub mod delivery;
pub mod file_watch;
pub mod open_files;
pub mod pipeline;
pub mod tasks;
pub mod telemetry;

pub mod cache;
pub mod http;
pub mod kafka;
pub mod llm;
pub mod store;

pub mod config;

pub mod app;

pub mod cli;

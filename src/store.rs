//! What outlives the process: in a database (SQLite or Postgres), or the journal alone in Redis.
//!
//! - [`settings`]: what a user chooses; [`selected`]: the store that this names;
//! - [`database`]: connections, tables and migrations of both kinds of databases, for everybody who keeps something
//!   there;
//! - [`journal`]: [`crate::ports::journal`], whose calls one task collects and hands to the store as one batch: one
//!   transaction or pipeline, one wait for the disk;
//! - [`repositories`]: what the HTTP API keeps in a database: [`api_keys`], [`catalog`] (schemas and templates),
//!   [`request_log`], [`audit`], [`idempotency`];
//! - `revisions`: whether remembered entries may have changed; [`row_writer`]: rows that are written behind the back of
//!   those who make them;
//! - `removal`: when what is kept no longer is removed;
//! - `availability`: whether the store can be used now; [`database_health`]: whether a database answers; [`error`]: why
//!   not.

#[macro_use]
pub mod database;

pub mod api_keys;
pub mod audit;
mod availability;
pub mod catalog;
pub mod database_health;
pub mod error;
pub mod idempotency;
pub mod journal;
mod removal;
pub mod repositories;
pub mod request_log;
mod revisions;
pub mod row_writer;
pub mod selected;
pub mod settings;

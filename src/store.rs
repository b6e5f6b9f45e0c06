//! What outlives the process: in a database (SQLite or Postgres), or the journal alone in Redis.
//!
//! - [`settings`]: what a user chooses; [`selected`]: the store that this names;
//! - [`database`]: connections, tables and migrations of both kinds of databases, for everybody who keeps something
//!   there;
//! - [`journal`]: [`crate::ports::journal`], whose calls one task collects and hands to the store as one batch: one
//!   transaction or pipeline, one wait for the disk;
//! - `availability`: whether the store can be used now; [`error`]: why not.

mod availability;
pub mod database;
pub mod error;
pub mod journal;
pub mod selected;
pub mod settings;

//! The durable store behind [`crate::ports::journal`]: SQLite, Postgres or Redis.
//!
//! [`journal::SharedJournal`] queues calls for one task, which hands the store everything that is pending as one batch: one
//! transaction or pipeline, one wait for the disk. A store has to do two things only, connect and execute a batch
//! (`backend.rs`); that it may be away, and for how long, is the task's matter (`journal/worker.rs`).

mod backend;
mod postgres;
mod redis;
mod sql;
mod sqlite;

pub mod journal;
pub mod settings;

//! The journal in real stores: one contract for all, and what becomes of it when a store is away.

#![allow(
    clippy::disallowed_methods,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    clippy::unwrap_used,
    unreachable_pub,
    reason = "in a test they are assertions and their explanation"
)]

mod contract;
mod growth;
mod place;
mod postgres;
mod redis;
mod repositories;
#[path = "../support/servers.rs"]
mod servers;
mod sqlite;
mod ticket;
mod upgrade;

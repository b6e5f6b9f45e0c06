//! The answer cache over a real Redis, and over one that is killed, frozen, emptied or full of garbage.

#![allow(
    clippy::disallowed_methods,
    clippy::expect_used,
    clippy::panic,
    clippy::unwrap_used,
    unreachable_pub,
    reason = "in a test they are assertions and their explanation"
)]

mod away;
mod invalidation;
mod process;
mod proxy;
mod rate_limits;
#[path = "../support/servers.rs"]
mod servers;
mod sharing;
mod warm;

//! What every door that must not lose a record shares.
//!
//! - [`outcome`]: what became of a record, ready to be published;
//! - [`remembered`]: outcomes that cost a provider call, kept beyond the process before they leave it;
//! - [`settle`]: from a question to a settled outcome, which is remembered before it leaves.

pub mod outcome;
pub mod remembered;
pub mod settle;

//! A connector's process among others: where it stands on its machine, and how it ends.
//!
//! - `instance_slot`: its place among those that run the same connector, and so its `transactional.id`;
//! - `quarantine`: records that abort the process;
//! - `stop_request`: it is asked to stop.

pub(super) mod instance_slot;
pub(super) mod quarantine;
pub(super) mod stop_request;

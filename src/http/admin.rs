//! For administrators: what is behind the admin key, `/admin`.
//!
//! - [`api_keys`]: keys of all teams; [`log_level`]: what is logged;
//! - [`authorize`]: who is an administrator; [`seen`]: when one was last noticed.

pub mod api_keys;
pub mod authorize;
pub mod log_level;
pub mod seen;

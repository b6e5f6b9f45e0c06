//! For administrators: what is behind the admin key, `/admin`.
//!
//! - [`api_keys`]: keys of all teams; [`authorize`]: who is an administrator.

pub mod api_keys;
pub mod authorize;

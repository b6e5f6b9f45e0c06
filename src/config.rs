//! Configuration: as written in YAML and the environment → as true. Every finding at once, each with its place.
//!
//! YAML becomes a tree whose nodes know where they stand, environment variables are laid over it, and sections read
//! typed settings from it. Nothing here stops at the first mistake: a reader notes a finding and goes on.
//!
//! - [`runtime`]: the runtime configuration; [`connector`]: connector files; [`connector_test`]: files of tests of
//!   connectors; [`file_check`]: all of them checked without running anything;
//! - `document`: the tree; `yaml`, `scalar`: how a file becomes one; [`Environment`]: what lies over it;
//! - `section`: reads mappings; `values`, `units`: read single values; `secret_file`: secrets in files of their own;
//! - `top_level_keys`: by which the kinds of files are told apart;
//! - `diagnostics`: where readers report problems; `finding`: what is made of them.

mod diagnostics;
mod document;
mod environment;
mod finding;
mod scalar;
mod secret_file;
mod section;
mod top_level_keys;
mod units;
mod values;
mod yaml;

pub mod connector;
pub mod connector_test;
pub mod file_check;
pub mod runtime;

pub use environment::Environment;
pub use finding::{Finding, Findings, Place};
pub use units::parse_duration;

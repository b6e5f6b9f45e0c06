//! The top-level keys of both kinds of files. None is in both.

/// The top-level keys of a connector.
pub(super) const CONNECTOR_KEYS: [&str; 9] =
    ["name", "source", "prompt", "schema", "options", "delivery", "sink", "dead_letter", "review"];

/// The top-level keys of a runtime configuration. In the names of variables they are in upper case.
pub(super) const RUNTIME_KEYS: [&str; 10] =
    ["kafka", "http", "store", "request_log", "audit", "cache", "providers", "routing", "llm", "log"];

//! How a JSON document breaks a schema.

/// One way in which an instance breaks its schema.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Violation {
    /// JSON Pointer (RFC 6901) into the instance.
    pub pointer: String,
    /// What the schema asks for. Never quotes the instance.
    pub message: String,
}

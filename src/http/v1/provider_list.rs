//! What is known of a provider beside how it is doing.

use std::sync::Arc;

use crate::pipeline::route::provider::Provider;

/// A provider, and the wire format that it is asked in.
pub struct KnownProvider {
    /// `openai`, `anthropic`, `gemini` or `offline`.
    pub kind: &'static str,
    /// The provider.
    pub provider: Arc<Provider>,
}

//! Providers: the offline extractor and the wire formats of language models.
//!
//! One file per wire format ([`openai`], [`anthropic`], [`gemini`]); [`remote_model`] is what they have in common.
//! [`fields`] reads what servers put around an answer, [`error_response`] what they say instead of one;
//! [`request_parameters`] and [`provider_schema`] remember what a server does not take. Each asks once: who is asked,
//! how often and when is the pipeline's matter. Error details quote codes and parameter names, never messages: those
//! may repeat the prompt. [`script`] has answers that are given in place of theirs.

use std::sync::Arc;

use crate::llm::offline::Offline;
use crate::llm::remote_model::RemoteModel;
use crate::llm::scripted_model::ScriptedModel;
use crate::llm::settings::{Cassettes, ProviderKind, ProviderSettings};
use crate::ports::model::Model;

mod anthropic;
mod cassette;
mod error_response;
pub mod exchange_counts;
mod fields;
mod gemini;
mod http_client;
mod http_exchange;
mod keys;
pub mod offline;
mod openai;
mod prepared_spec;
mod provider_schema;
mod remote_model;
mod request_body;
mod request_parameters;
mod retry_hints;
mod schema_support;
pub mod script;
mod scripted_model;
pub mod settings;
mod token_logprobs;
mod wire_format;

/// Why a provider cannot be built from its settings.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("provider {name:?}: {reason}")]
pub struct BuildError {
    /// The provider's name as configured.
    pub name: String,
    /// What is wrong, and what to change.
    pub reason: String,
}

/// The model behind one entry of `providers`. It keeps at most `idle_connections` for later, if there is such a limit.
///
/// # Errors
/// When the base URL or a key is not usable, the machine's TLS certificates cannot be loaded, or the directory of
/// recorded exchanges is not there.
pub fn build(
    settings: &ProviderSettings,
    cassettes: &Cassettes,
    idle_connections: Option<usize>,
) -> Result<Arc<dyn Model>, BuildError> {
    if let Cassettes::Scripted(script) = cassettes {
        return Ok(Arc::new(ScriptedModel::new(settings, script)));
    }
    match &settings.kind {
        ProviderKind::Offline => Ok(Arc::new(Offline::new(&settings.name))),
        ProviderKind::Remote(remote) => match RemoteModel::new(&settings.name, remote, cassettes, idle_connections) {
            Ok(model) => Ok(Arc::new(model)),
            Err(reason) => Err(BuildError { name: settings.name.clone(), reason }),
        },
    }
}

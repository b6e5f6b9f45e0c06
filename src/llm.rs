//! Providers: the offline extractor and the wire formats of language models.
//!
//! One file per wire format; [`exchange`] and [`retry`] are what they share.

use std::sync::Arc;

use crate::llm::offline::Offline;
use crate::llm::openai::OpenAi;
use crate::llm::settings::{ProviderKind, ProviderSettings};
use crate::ports::model::Model;

mod exchange;
pub mod measured;
pub mod offline;
pub mod openai;
mod retry;
pub mod settings;

/// Why a provider cannot be built from its settings.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("provider {name:?}: {reason}")]
pub struct BuildError {
    /// The provider's name as configured.
    pub name: String,
    /// What is wrong, and what to change.
    pub reason: String,
}

/// The model behind one entry of `providers`.
///
/// # Errors
/// When the base URL is not usable, or the machine's TLS certificates cannot be loaded.
pub fn build(settings: &ProviderSettings) -> Result<Arc<dyn Model>, BuildError> {
    match &settings.kind {
        ProviderKind::Offline => Ok(Arc::new(Offline::new(&settings.name))),
        ProviderKind::OpenAi(openai) => match OpenAi::new(&settings.name, openai) {
            Ok(model) => Ok(Arc::new(model)),
            Err(reason) => Err(BuildError { name: settings.name.clone(), reason }),
        },
    }
}

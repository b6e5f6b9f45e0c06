//! The schema of a connector, for commands that need nothing else of its service.

use std::sync::Arc;

use super::connector_spec::{Unresolved, find_schema};
use super::errors::AppError;
use super::shared::Shared;
use super::storage;
use crate::config::connector::ConnectorConfig;
use crate::config::runtime::RuntimeConfig;
use crate::schema::Schema;

/// What the connector's schema means now.
///
/// # Errors
/// [`AppError`]: the store has no such schema, or cannot be asked.
pub async fn connector_schema(runtime: RuntimeConfig, connector: &ConnectorConfig) -> Result<Arc<Schema>, AppError> {
    let definitions = storage::definitions_alone(&Shared::new(runtime)).await?;
    find_schema(&connector.schema, &definitions).await.map_err(|error| {
        let (Unresolved::Away(message) | Unresolved::Wrong(message)) = error;
        AppError::Definition { path: connector.path.clone(), message }
    })
}

//! What is asked of the records of a connector.

use std::fmt;
use std::sync::Arc;

use super::HandlerSettings;
use crate::codec::result_event::{Origin, Versions};
use crate::pipeline::spec::{Spec, SpecSettings};
use crate::schema::fields::SchemaFields;

/// What is asked of a record, and what its result says of that.
pub(super) struct Asked {
    pub(super) spec: Arc<Spec>,
    pub(super) origin: Origin,
    /// What its schema names.
    pub(super) fields: SchemaFields,
}

impl fmt::Debug for Asked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Asked").field("origin", &self.origin).finish_non_exhaustive()
    }
}

impl Asked {
    pub(super) fn new(settings: &HandlerSettings, spec: Arc<Spec>) -> Self {
        let SpecSettings { schema, template, .. } = spec.settings();
        let versions = Versions {
            schema_uri: schema.uri(),
            schema: schema.version(),
            prompt: template.version(),
            config_hash: &settings.config_hash,
        };
        let fields = SchemaFields::of(schema.json());
        Self { origin: Origin::new(&settings.connector, versions), fields, spec }
    }
}

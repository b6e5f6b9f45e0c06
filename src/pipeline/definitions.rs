//! Schemas and templates by name: those that the tenant keeps, then built-in ones, then public ones of other teams.
//!
//! What was found is remembered until something in the catalogue changes, in any process: its revision is asked for every
//! few seconds. While the store is away or slow, what is remembered holds.

mod remembered;

use std::sync::{Arc, LazyLock};
use std::time::Duration;

use tokio_util::sync::CancellationToken;

use self::remembered::Remembered;
use crate::domain::json;
use crate::domain::tenant::Tenant;
use crate::ports::catalog::{Catalog, Entry};
use crate::prompt::definition::TemplateDefinition;
use crate::prompt::library as templates;
use crate::prompt::template::Template;
use crate::schema::{Schema, library as schemas};

/// How often is asked whether something has changed.
const REVISION_EVERY: Duration = Duration::from_secs(5);

/// Schemas and templates by name.
pub struct Definitions {
    schemas: Remembered<Schema>,
    templates: Remembered<NamedTemplate>,
}

/// A template by name, with its definition.
#[derive(Debug)]
pub struct NamedTemplate {
    /// As it was written.
    pub definition: TemplateDefinition,
    /// For requests that bring the parameters' values as data.
    pub template: Arc<Template>,
    /// Whether it is part of the program; then its schema is, too.
    pub is_built_in: bool,
}

/// Why there is no schema or template.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DefinitionError {
    /// The tenant sees none of this name, or none of this version.
    #[error("there is none of this name and version")]
    NotFound,
    /// Nothing is remembered, and the store cannot be asked now.
    #[error("the store cannot be asked: {0}")]
    Unavailable(String),
    /// What is stored cannot be used by this version of the program.
    #[error("it is stored, but cannot be used: {0}")]
    Unusable(String),
}

impl Definitions {
    /// Those of these catalogues, where there are any, and the built-in ones.
    pub fn new(schemas: Option<Arc<dyn Catalog>>, templates: Option<Arc<dyn Catalog>>) -> Self {
        Self {
            schemas: Remembered::new(schemas, compile_schema, schemas::find),
            templates: Remembered::new(templates, compile_template, built_in_template),
        }
    }

    /// The schema that a tenant means by a reference: "invoice", "invoice@1", "invoice@1.2.0".
    ///
    /// # Errors
    /// [`DefinitionError`].
    pub async fn schema(&self, tenant: &Tenant, reference: &str) -> Result<Arc<Schema>, DefinitionError> {
        self.schemas.find(tenant, reference).await
    }

    /// The template that a tenant means by a reference.
    ///
    /// # Errors
    /// [`DefinitionError`].
    pub async fn template(&self, tenant: &Tenant, reference: &str) -> Result<Arc<NamedTemplate>, DefinitionError> {
        self.templates.find(tenant, reference).await
    }

    /// Where schemas are kept, if the store keeps them.
    pub fn stored_schemas(&self) -> Option<&dyn Catalog> {
        self.schemas.catalog()
    }

    /// Where templates are kept, if the store keeps them.
    pub fn stored_templates(&self) -> Option<&dyn Catalog> {
        self.templates.catalog()
    }

    /// Looks all schemas up anew: one was changed here.
    pub fn forget_schemas(&self) {
        self.schemas.forget();
    }

    /// Looks all templates up anew: one was changed here.
    pub fn forget_templates(&self) {
        self.templates.forget();
    }

    /// Looks everything up anew whenever something has changed elsewhere, until `stop`.
    pub async fn watch(self: Arc<Self>, stop: CancellationToken) {
        while stop.run_until_cancelled(tokio::time::sleep(REVISION_EVERY)).await.is_some() {
            self.look_for_changes().await;
        }
    }

    /// Asks once whether something has changed.
    pub async fn look_for_changes(&self) {
        tokio::join!(self.schemas.look_for_changes(), self.templates.look_for_changes());
    }
}

/// A built-in template, ready for requests.
pub fn built_in_template(reference: &str) -> Option<Arc<NamedTemplate>> {
    /// Compiled at the first use.
    static COMPILED: LazyLock<Vec<Arc<NamedTemplate>>> = LazyLock::new(|| {
        let compiled = templates::all().iter().map(|source| {
            let definition = TemplateDefinition::of_built_in(source);
            let template = definition.over_values(source.name, source.version).ok()?;
            Some(Arc::new(NamedTemplate { definition, template: Arc::new(template), is_built_in: true }))
        });
        compiled.flatten().collect()
    });
    let source = templates::find(reference)?;
    let is_it =
        |one: &&Arc<NamedTemplate>| one.template.name() == source.name && one.template.version() == source.version;
    COMPILED.iter().find(is_it).cloned()
}

fn compile_schema(entry: &Entry) -> Result<Schema, String> {
    let document = json::parse(&entry.document).map_err(|fault| fault.to_string())?;
    let schema = document.get("schema").cloned().unwrap_or_default();
    Schema::compile(&entry.name, &entry.version.to_string(), schema).map_err(|error| error.to_string())
}

fn compile_template(entry: &Entry) -> Result<NamedTemplate, String> {
    let definition: TemplateDefinition = serde_json::from_str(&entry.document).map_err(|error| error.to_string())?;
    let template = definition.over_values(&entry.name, &entry.version.to_string());
    let template = Arc::new(template.map_err(|error| error.to_string())?);
    Ok(NamedTemplate { definition, template, is_built_in: false })
}

#[cfg(test)]
mod tests;

//! What a connector asks, with the schema and the template that its names mean now.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::{Instant, sleep};
use tokio_util::sync::CancellationToken;

use super::errors::AppError;
use crate::config::connector::part::Part;
use crate::config::connector::{ConnectorConfig, ConnectorSpec};
use crate::domain::tenant::Tenant;
use crate::kafka::handler::RecordHandler;
use crate::pipeline::agreement::{AgreementSettings, NotComparable, SecondProvider};
use crate::pipeline::definitions::{DefinitionError, Definitions};
use crate::pipeline::route::router::Router;
use crate::pipeline::spec::Spec;
use crate::prompt::template::Template;
use crate::schema::Schema;

/// How long the store is waited for that has what only it can have.
const PATIENCE: Duration = Duration::from_secs(30);
/// When it is asked again.
const ASK_AGAIN: Duration = Duration::from_secs(1);
/// How often is looked for new versions.
const LOOK_EVERY: Duration = Duration::from_secs(5);

/// A schema and a template that a connector uses.
type Parts = (Arc<Template>, Arc<Schema>);

/// What a connector asks, by name.
pub(super) struct NamedSpec {
    connector: Arc<str>,
    template: Part<Template>,
    parameters: std::collections::BTreeMap<String, String>,
    schema: Part<Schema>,
    rest: ConnectorSpec,
    router: Box<dyn Fn() -> Router + Send + Sync>,
    second: Option<Second>,
}

/// The provider that is asked about some of the answers.
struct Second {
    router: Box<dyn Fn() -> Router + Send + Sync>,
    settings: AgreementSettings,
}

/// A connector that takes new versions of what it names while it runs.
pub(super) struct Followed {
    pub(super) spec: NamedSpec,
    pub(super) handler: Arc<RecordHandler>,
    /// What it asks now.
    pub(super) parts: Parts,
}

/// Why a name means nothing.
pub(super) enum Unresolved {
    /// The store cannot be asked.
    Away(String),
    /// It has nothing that can be used.
    Wrong(String),
}

impl NamedSpec {
    /// That of a connector, asked of whom `router` makes.
    pub(super) fn of(config: &ConnectorConfig, router: impl Fn() -> Router + Send + Sync + 'static) -> Self {
        Self {
            connector: Arc::clone(&config.name),
            template: config.template.clone(),
            parameters: config.parameters.clone(),
            schema: config.schema.clone(),
            rest: config.spec.clone(),
            router: Box::new(router),
            second: None,
        }
    }

    /// The same, some of whose answers are compared with those of the only provider of what `router` makes.
    #[must_use]
    pub(super) fn compared_with(
        self,
        router: impl Fn() -> Router + Send + Sync + 'static,
        settings: AgreementSettings,
    ) -> Self {
        Self { second: Some(Second { router: Box::new(router), settings }), ..self }
    }

    /// Whether new versions can come.
    pub(super) fn has_names(&self) -> bool {
        matches!(self.template, Part::Named { .. }) || matches!(self.schema, Part::Named { .. })
    }

    /// What the names mean when the process starts. While the store is away, what is built in stands in; what is not is
    /// waited for.
    pub(super) async fn first(&self, config: &ConnectorConfig, definitions: &Definitions) -> Result<Parts, AppError> {
        let failed = |message: String| AppError::Definition { path: config.path.clone(), message };
        let deadline = Instant::now() + PATIENCE;
        loop {
            let why = match self.find(definitions).await {
                Ok(parts) => match self.rest.calibration_misfit(&parts.1) {
                    None => return Ok(parts),
                    Some(why) => {
                        let help = "make it anew with eval --calibration, or remove it";
                        return Err(failed(format!("options.calibration: {why}; {help}")));
                    }
                },
                Err(Unresolved::Wrong(why)) => return Err(failed(why)),
                Err(Unresolved::Away(why)) => why,
            };
            if let (Some(template), Some(schema)) = (self.template.known(), self.schema.known()) {
                return Ok((Arc::clone(template), Arc::clone(schema)));
            }
            if Instant::now() > deadline {
                return Err(failed(why));
            }
            tracing::warn!(connector = &*self.connector, why, "waiting for the store, which has what is to be asked");
            sleep(ASK_AGAIN).await;
        }
    }

    /// What is asked with these.
    pub(super) fn spec(&self, (template, schema): &Parts) -> Arc<Spec> {
        let spec = Spec::new(self.rest.with(Arc::clone(template), Arc::clone(schema)), (self.router)());
        // What the schema says of comparisons was checked when it was found.
        Arc::new(match self.second_provider(schema) {
            Some(Ok(second)) => spec.compared_with(second),
            Some(Err(_)) | None => spec,
        })
    }

    fn second_provider(&self, schema: &Schema) -> Option<Result<SecondProvider, NotComparable>> {
        let Second { router, settings } = self.second.as_ref()?;
        Some(SecondProvider::new(router(), *settings, schema))
    }

    async fn find(&self, definitions: &Definitions) -> Result<Parts, Unresolved> {
        let tenant = Tenant::default();
        let template = match &self.template {
            Part::Written(template) => Arc::clone(template),
            Part::Named { reference, built_in } => {
                let found = definitions.template(&tenant, reference).await;
                let found = found.map_err(|error| unresolved("prompt.template", reference, &error))?;
                let of_program = built_in.as_ref().filter(|_| found.is_built_in);
                let (name, version) = (found.template.name(), found.template.version());
                match of_program {
                    Some(template) => Arc::clone(template),
                    None => found.definition.over_records(name, version, &self.parameters).map(Arc::new).map_err(
                        |error| Unresolved::Wrong(format!("prompt.template: {reference} is not usable: {error}")),
                    )?,
                }
            }
        };
        let schema = find_schema(&self.schema, definitions).await?;
        if let Some(Err(error)) = self.second_provider(&schema) {
            return Err(Unresolved::Wrong(format!("options.agreement: the schema {}: {error}", schema.name())));
        }
        Ok((template, schema))
    }
}

/// The schema that a connector's part means now.
pub(super) async fn find_schema(part: &Part<Schema>, definitions: &Definitions) -> Result<Arc<Schema>, Unresolved> {
    match part {
        Part::Written(schema) => Ok(Arc::clone(schema)),
        Part::Named { reference, .. } => {
            let found = definitions.schema(&Tenant::default(), reference).await;
            found.map_err(|error| unresolved("schema", reference, &error))
        }
    }
}

impl Followed {
    /// Takes what the names mean now, if that is something else.
    async fn look(&mut self, definitions: &Definitions) {
        let parts = match self.spec.find(definitions).await {
            Ok(parts) => parts,
            Err(Unresolved::Away(_)) => return,
            Err(Unresolved::Wrong(why)) => {
                tracing::warn!(connector = &*self.spec.connector, why, "the connector keeps to what it knows");
                return;
            }
        };
        if identity(&parts) == identity(&self.parts) {
            return;
        }
        if let Some(why) = self.spec.rest.calibration_misfit(&parts.1) {
            tracing::warn!(
                connector = &*self.spec.connector,
                why,
                "results do not say how often such values were right"
            );
        }
        let (template, schema) = (parts.0.version(), parts.1.version());
        tracing::info!(
            connector = &*self.spec.connector,
            template,
            schema,
            "new records are asked with other versions"
        );
        self.handler.ask(self.spec.spec(&parts));
        self.parts = parts;
    }
}

/// Lets connectors take new versions of what they name, until `stop`.
pub(super) async fn follow(mut followed: Vec<Followed>, definitions: Arc<Definitions>, stop: CancellationToken) {
    while stop.run_until_cancelled(sleep(LOOK_EVERY)).await.is_some() {
        for one in &mut followed {
            one.look(&definitions).await;
        }
    }
}

/// What tells two versions apart.
fn identity((template, schema): &Parts) -> (&str, &[u8; 32], &str, &str, &[u8; 32]) {
    (template.version(), template.digest(), schema.name(), schema.version(), schema.digest())
}

fn unresolved(key: &str, reference: &str, error: &DefinitionError) -> Unresolved {
    match error {
        DefinitionError::Unavailable(why) => Unresolved::Away(format!("{key}: {reference} is in the store: {why}")),
        DefinitionError::NotFound => Unresolved::Wrong(format!(
            "{key}: {reference} is neither built in nor in the store; keep it with POST /v1/{}s, or name another",
            if key == "schema" { "schema" } else { "template" }
        )),
        DefinitionError::Unusable(_) => Unresolved::Wrong(format!("{key}: {reference}: {error}")),
    }
}

#[cfg(test)]
mod tests;

use std::path::Path;

use super::*;
use crate::config::connector::{RuntimeDefaults, read_text};
use crate::domain::record::{Position, Record};
use crate::domain::version::{Selector, Version};
use crate::kafka::handler::{HandlerSettings, RecordStep};
use crate::kafka::settings::RecordFormat;
use crate::pipeline::agreement::Sample;
use crate::pipeline::testing::{caller, engine, router_to};
use crate::ports::catalog::{Catalog, MemoryCatalog, NewEntry, NewVersion, Visibility};
use crate::ports::clock::ManualClock;
use crate::ports::model::{FakeModel, Model};

const CONNECTOR: &str = "name: orders
source: { kafka: { topics: [in], format: text } }
prompt: { template: order, parameters: { text: '{{ data }}' } }
schema: order@1
sink: { kafka: { topic: out } }
dead_letter: { kafka: { topic: dlq } }
";

struct Setup {
    schemas: Arc<MemoryCatalog>,
    definitions: Definitions,
    config: ConnectorConfig,
    model: Arc<FakeModel>,
}

fn config(text: &str) -> ConnectorConfig {
    read_text(Path::new("c.yaml"), text, &RuntimeDefaults::default()).unwrap_or_else(|findings| panic!("{findings}"))
}

async fn setup() -> Setup {
    let catalog = || Arc::new(MemoryCatalog::new(Arc::new(ManualClock::default())));
    let (schemas, templates) = (catalog(), catalog());
    let definitions = Definitions::new(Some(Arc::clone(&schemas) as _), Some(Arc::clone(&templates) as _));
    create(&*schemas, r#"{"schema":{"type":"object"}}"#).await;
    let template = r#"{"template":"{{ greeting }}: {{ text }}","schema_id":null,"parameters":[
        {"name":"greeting","description":"","default":"Read {{ this }}"},{"name":"text","description":"","default":null}]}"#;
    create(&*templates, template).await;
    let model = Arc::new(FakeModel::new((0..9).map(|_| FakeModel::says("{}"))));
    Setup { schemas, definitions, config: config(CONNECTOR), model }
}

async fn create(catalog: &dyn Catalog, document: &str) {
    let (name, description, document) = ("order".to_owned(), String::new(), document.to_owned());
    let entry = NewEntry { name, description, visibility: Visibility::Private, version: Version::FIRST, document };
    catalog.create(&Tenant::default(), entry).await.unwrap();
}

impl Setup {
    fn named(&self) -> NamedSpec {
        let model = Arc::clone(&self.model) as Arc<dyn Model>;
        NamedSpec::of(&self.config, move || router_to(Arc::clone(&model)))
    }

    async fn followed(&self) -> Followed {
        let spec = self.named();
        let parts = spec.first(&self.config, &self.definitions).await.unwrap();
        let (connector, config_hash) = (Arc::clone(&self.config.name), Arc::clone(&self.config.config_hash));
        let settings =
            HandlerSettings { connector, config_hash, format: RecordFormat::Text, has_review: false, reference: None };
        let clock = Arc::new(ManualClock::default());
        let handler = RecordHandler::new(settings, engine(), spec.spec(&parts), caller(), clock, None);
        Followed { spec, handler: Arc::new(handler), parts }
    }

    async fn add_version(&self, major: u32, minor: u32) {
        let after = self.schemas.find(&Tenant::default(), "order", Selector::Latest).await.unwrap().version;
        let document = format!(r#"{{"schema":{{"type":"object","title":"{major}.{minor}"}}}}"#);
        let version = Version { major, minor, patch: 0 };
        let new = NewVersion { after, version, description: None, visibility: None, document };
        self.schemas.add_version(&Tenant::default(), "order", new).await.unwrap();
    }
}

fn record(value: &str) -> Arc<Record> {
    Arc::new(Record {
        position: Position { topic: "in".into(), partition: 0, offset: 0 },
        timestamp_ms: None,
        key: None,
        value: Some(value.to_owned().into()),
        headers: Vec::new(),
    })
}

/// The version of the schema that a record's result names.
async fn version(handler: &RecordHandler, step: RecordStep) -> String {
    let settled = match step {
        RecordStep::Settled(settled) => settled,
        RecordStep::Ask(job) => handler.finish(*job).await,
        RecordStep::Skip(why) => panic!("passed over: {why:?}"),
    };
    let header = settled.outgoing.headers.iter().find(|header| header.name == "ce_schemaversion");
    String::from_utf8(header.expect("a result").value.clone().unwrap().to_vec()).unwrap()
}

#[tokio::test]
async fn a_running_connector_takes_a_new_version_for_new_records() {
    let it = setup().await;
    it.definitions.look_for_changes().await;
    let mut followed = it.followed().await;
    let handler = Arc::clone(&followed.handler);
    assert_eq!(version(&handler, handler.begin(&record("one")).step).await, "1.0.0");
    let under_way = handler.begin(&record("two")).step;
    it.add_version(1, 1).await;
    it.definitions.look_for_changes().await;
    followed.look(&it.definitions).await;
    assert_eq!(version(&handler, handler.begin(&record("three")).step).await, "1.1.0");
    assert_eq!(version(&handler, under_way).await, "1.0.0", "it keeps what it was asked with");
    it.add_version(2, 0).await;
    it.definitions.look_for_changes().await;
    followed.look(&it.definitions).await;
    assert_eq!(version(&handler, handler.begin(&record("four")).step).await, "1.1.0", "it names version 1");
}

#[tokio::test]
async fn a_schema_by_which_nothing_can_be_compared_is_refused_where_answers_are_compared() {
    let it = setup().await;
    let wrong = r#"{"schema":{"type":"object","properties":{"a":{"x-eval":"exactt"}}}}"#;
    let new = NewVersion {
        after: Version::FIRST,
        version: Version { major: 1, minor: 1, patch: 0 },
        description: None,
        visibility: None,
        document: wrong.to_owned(),
    };
    let settings = AgreementSettings { sample: Some(Sample::millionths(1)), when_ungrounded: false };
    let compared = || it.named().compared_with(|| router_to(Arc::new(FakeModel::default())), settings);
    assert!(compared().first(&it.config, &it.definitions).await.is_ok());
    it.schemas.add_version(&Tenant::default(), "order", new).await.unwrap();
    it.definitions.look_for_changes().await;
    let error = compared().first(&it.config, &it.definitions).await.err().unwrap().to_string();
    assert!(error.contains("options.agreement: the schema order: /a: x-eval: "), "{error}");
    assert!(it.named().first(&it.config, &it.definitions).await.is_ok(), "nothing is compared by it");
}

#[tokio::test]
async fn a_connector_keeps_what_it_knows_while_the_store_is_away_or_has_nothing_any_more() {
    let it = setup().await;
    let mut followed = it.followed().await;
    let handler = Arc::clone(&followed.handler);
    it.schemas.set_away(Some("gone"));
    it.definitions.forget_schemas();
    followed.look(&it.definitions).await;
    assert_eq!(version(&handler, handler.begin(&record("one")).step).await, "1.0.0");
    it.schemas.set_away(None);
    it.schemas.delete(&Tenant::default(), "order", Version::FIRST).await.unwrap();
    it.definitions.forget_schemas();
    followed.look(&it.definitions).await;
    assert_eq!(version(&handler, handler.begin(&record("two")).step).await, "1.0.0");
}

#[tokio::test(start_paused = true)]
async fn a_name_that_means_nothing_is_a_wrong_configuration_and_a_store_that_is_away_is_waited_for() {
    let it = setup().await;
    let error = async |text: &str| {
        let config = config(text);
        let named = NamedSpec::of(&config, || router_to(Arc::new(FakeModel::default())));
        named.first(&config, &it.definitions).await.map(drop).unwrap_err().to_string()
    };
    let nowhere = error(&CONNECTOR.replace("order@1", "odrer")).await;
    assert_eq!(
        nowhere,
        "c.yaml: schema: odrer is neither built in nor in the store; keep it with POST /v1/schemas, or name another"
    );
    let without = error(&CONNECTOR.replace("parameters: { text: '{{ data }}' }", "parameters: {}")).await;
    assert!(without.contains("needs the parameter text"), "{without}");
    it.schemas.set_away(Some("gone"));
    let away = error(CONNECTOR).await;
    assert!(away.contains("order@1 is in the store: gone"), "{away}");
    let (named, back) = (it.named(), async {
        sleep(Duration::from_secs(3)).await;
        it.schemas.set_away(None);
    });
    let (parts, ()) = tokio::join!(named.first(&it.config, &it.definitions), back);
    assert_eq!(parts.unwrap().1.version(), "1.0.0");
}

#[tokio::test]
async fn a_calibration_belongs_to_the_schema_that_the_store_has_when_the_process_starts() {
    let it = setup().await;
    let directory = tempfile::tempdir().unwrap();
    let shares = r#"{"exact":{"p":0.9,"n":20,"low":0.7,"high":0.97}}"#;
    let counted = |fields: &str| {
        let file = format!(
            r#"{{"format":1,"connector":"orders","variant":"orders","labels":20,"fields":{fields},"all":{shares}}}"#
        );
        std::fs::write(directory.path().join("counted.json"), file).unwrap();
        let text = format!("{CONNECTOR}options: {{ calibration: counted.json }}\n");
        read_text(&directory.path().join("c.yaml"), &text, &RuntimeDefaults::default()).unwrap()
    };
    let first = async |config: &ConnectorConfig| {
        let named = NamedSpec::of(config, || router_to(Arc::new(FakeModel::default())));
        let parts = named.first(config, &it.definitions).await.map_err(|error| error.to_string())?;
        Ok::<_, String>(named.spec(&parts).settings().calibration.is_some())
    };
    assert_eq!(first(&counted("{}")).await, Ok(true));
    let error = first(&counted(&format!(r#"{{"/total":{shares}}}"#))).await.unwrap_err();
    assert!(error.contains("options.calibration: the calibration was made for another schema"), "{error}");
    assert!(error.contains("order has no /total"), "{error}");
}

#[tokio::test]
async fn a_connector_asks_with_what_is_built_in_whatever_other_teams_make_public_under_its_name() {
    let it = setup().await;
    let (name, description) = ("invoice".to_owned(), String::new());
    let (visibility, version) = (Visibility::Public, Version { major: 2, minor: 0, patch: 0 });
    let document = r#"{"schema":{"type":"object","title":"Taken over"}}"#.to_owned();
    let entry = NewEntry { name, description, visibility, version, document };
    it.schemas.create(&Tenant::of_team("another").unwrap(), entry).await.unwrap();
    let config = config(&CONNECTOR.replace("order@1", "invoice@1"));
    let named = NamedSpec::of(&config, || router_to(Arc::new(FakeModel::default())));
    let (_, schema) = named.first(&config, &it.definitions).await.unwrap();
    assert_eq!((schema.name(), schema.version()), ("invoice", "1.0.0"));
}

#[tokio::test]
async fn what_is_built_in_stands_in_while_the_store_is_away() {
    let it = setup().await;
    it.schemas.set_away(Some("gone"));
    let config = config(
        &CONNECTOR
            .replace("order@1", "invoice")
            .replace("template: order, parameters: { text: '{{ data }}' }", "inline: 'x {{ data }}'"),
    );
    let named = NamedSpec::of(&config, || router_to(Arc::new(FakeModel::default())));
    assert_eq!(named.first(&config, &it.definitions).await.unwrap().1.name(), "invoice");
}

use super::*;
use crate::domain::version::{Selector, Version};
use crate::ports::catalog::{MemoryCatalog, NewEntry, NewVersion, Visibility};
use crate::ports::clock::ManualClock;

struct Setup {
    stored: Arc<MemoryCatalog>,
    definitions: Definitions,
}

fn setup() -> Setup {
    let stored = Arc::new(MemoryCatalog::new(Arc::new(ManualClock::default())));
    let definitions = Definitions::new(Some(Arc::clone(&stored) as _), None);
    Setup { stored, definitions }
}

fn team(name: &str) -> Tenant {
    Tenant::of_team(name).unwrap()
}

fn document(title: &str) -> String {
    format!(r#"{{"schema":{{"type":"object","title":"{title}"}}}}"#)
}

impl Setup {
    async fn create(&self, tenant: &Tenant, name: &str, visibility: Visibility, document: String) {
        let (name, description, version) = (name.to_owned(), String::new(), Version::FIRST);
        let entry = NewEntry { name, description, visibility, version, document };
        self.stored.create(tenant, entry).await.unwrap();
    }

    async fn add_version(&self, tenant: &Tenant, name: &str, version: Version) {
        let after = self.stored.find(tenant, name, Selector::Latest).await.unwrap().version;
        let document = document(&version.to_string());
        let version = NewVersion { after, version, description: None, visibility: None, document };
        self.stored.add_version(tenant, name, version).await.unwrap();
    }

    async fn title(&self, tenant: &Tenant, reference: &str) -> Result<String, DefinitionError> {
        let schema = self.definitions.schema(tenant, reference).await?;
        Ok(schema.json()["title"].as_str().unwrap_or_default().to_owned())
    }
}

#[tokio::test]
async fn ones_own_comes_before_what_is_built_in_and_that_before_what_is_public() {
    let (it, red, blue) = (setup(), team("red"), team("blue"));
    let built_in = it.title(&red, "invoice").await.unwrap();
    it.create(&blue, "invoice", Visibility::Public, document("of blue")).await;
    it.create(&blue, "order", Visibility::Public, document("of blue")).await;
    it.definitions.forget_schemas();
    assert_eq!(it.title(&red, "invoice@1").await.as_ref(), Ok(&built_in));
    assert_eq!(it.title(&red, "order@1").await.as_deref(), Ok("of blue"));
    it.create(&red, "invoice", Visibility::Private, document("of red")).await;
    it.definitions.forget_schemas();
    assert_eq!(it.title(&red, "invoice@1.0.0").await.as_deref(), Ok("of red"));
    assert_eq!(it.title(&blue, "invoice").await.as_deref(), Ok("of blue"));
    it.create(&red, "secret", Visibility::Private, document("of red")).await;
    assert_eq!(it.title(&blue, "secret").await, Err(DefinitionError::NotFound));
    let nobodys = setup();
    assert_eq!(nobodys.title(&red, "invoice@1.0.0").await, Ok(built_in));
    for reference in ["nothing", "invoice@2", "invoice@x", ""] {
        assert_eq!(nobodys.title(&red, reference).await, Err(DefinitionError::NotFound), "{reference}");
    }
}

#[tokio::test]
async fn another_teams_version_of_a_built_in_name_changes_nothing_for_others() {
    let (it, red, blue) = (setup(), team("red"), team("blue"));
    let built_in = it.title(&red, "invoice").await.unwrap();
    it.create(&blue, "invoice", Visibility::Public, document("of blue")).await;
    it.add_version(&blue, "invoice", Version { major: 2, minor: 0, patch: 0 }).await;
    it.definitions.forget_schemas();
    for reference in ["invoice", "invoice@1", "invoice@1.0.0"] {
        assert_eq!(it.title(&red, reference).await.as_ref(), Ok(&built_in), "{reference}");
    }
    assert_eq!(it.title(&red, "invoice@2").await, Err(DefinitionError::NotFound));
    assert_eq!(it.title(&blue, "invoice@2").await.as_deref(), Ok("2.0.0"));
}

#[tokio::test]
async fn a_version_of_ones_own_that_is_missing_is_not_the_built_in_one() {
    let (it, red) = (setup(), team("red"));
    it.create(&red, "invoice", Visibility::Private, document("of red")).await;
    it.add_version(&red, "invoice", Version { major: 2, minor: 0, patch: 0 }).await;
    assert_eq!(it.title(&red, "invoice").await.as_deref(), Ok("2.0.0"));
    assert_eq!(it.title(&red, "invoice@1").await.as_deref(), Ok("of red"));
    assert_eq!(it.title(&red, "invoice@1.1").await, Err(DefinitionError::NotFound));
}

#[tokio::test]
async fn a_new_version_is_noticed_by_the_revision() {
    let (it, red) = (setup(), team("red"));
    it.create(&red, "a", Visibility::Private, document("first")).await;
    it.definitions.look_for_changes().await;
    let first = it.definitions.schema(&red, "a").await.unwrap();
    it.definitions.look_for_changes().await;
    assert!(Arc::ptr_eq(&first, &it.definitions.schema(&red, "a").await.unwrap()), "it is remembered");
    it.add_version(&red, "a", Version { major: 1, minor: 1, patch: 0 }).await;
    assert_eq!(it.title(&red, "a").await.as_deref(), Ok("first"), "until somebody looks");
    it.definitions.look_for_changes().await;
    assert_eq!(it.title(&red, "a@1").await.as_deref(), Ok("1.1.0"));
    assert_eq!(it.title(&red, "a@1.0.0").await.as_deref(), Ok("first"));
}

#[tokio::test]
async fn a_store_that_is_away_keeps_what_is_known() {
    let (it, red) = (setup(), team("red"));
    it.create(&red, "a", Visibility::Private, document("first")).await;
    it.definitions.look_for_changes().await;
    it.title(&red, "a").await.unwrap();
    it.definitions.forget_schemas();
    it.stored.set_away(Some("gone"));
    it.definitions.look_for_changes().await;
    assert_eq!(it.title(&red, "a").await.as_deref(), Ok("first"));
    let unknown = DefinitionError::Unavailable("gone".to_owned());
    assert_eq!(it.title(&red, "invoice").await, Err(unknown), "it may be the team's own");
    it.stored.set_away(None);
    it.add_version(&red, "a", Version { major: 3, minor: 0, patch: 0 }).await;
    it.definitions.look_for_changes().await;
    assert_eq!(it.title(&red, "a").await.as_deref(), Ok("3.0.0"));
}

#[tokio::test]
async fn what_is_stored_and_cannot_be_used_says_so() {
    let (it, red) = (setup(), team("red"));
    it.create(&red, "a", Visibility::Private, r#"{"schema":{"type":"string"}}"#.to_owned()).await;
    let unusable = it.title(&red, "a").await.unwrap_err();
    assert!(matches!(&unusable, DefinitionError::Unusable(why) if why.contains("object")), "{unusable}");
}

#[tokio::test]
async fn without_a_store_there_are_the_built_in_ones() {
    let (definitions, tenant) = (Definitions::new(None, None), Tenant::default());
    assert_eq!(definitions.schema(&tenant, "invoice@1").await.unwrap().version(), "1.0.0");
    let template = definitions.template(&tenant, "invoice").await.unwrap();
    assert_eq!((template.template.name(), template.definition.parameters.len()), ("invoice", 1));
    assert_eq!(definitions.template(&tenant, "nothing").await.unwrap_err(), DefinitionError::NotFound);
}

//! An entry as clients see it.

use axum::body::Body;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use serde_json::{Map, Value};
use utoipa::ToSchema;

use crate::domain::json;
use crate::domain::time::rfc3339;
use crate::http::precondition;
use crate::ports::catalog::Entry;

/// An entry that a client may see.
#[derive(Debug, Clone)]
pub struct Found<Document = String> {
    /// The entry, in one of its versions.
    pub entry: Entry<Document>,
    /// Whether it is part of the program.
    pub is_built_in: bool,
}

impl<Document> Found<Document> {
    /// One that is stored.
    pub fn stored(entry: Entry<Document>) -> Self {
        Self { entry, is_built_in: false }
    }
}

impl Found {
    /// One that is part of the program.
    pub fn built_in(entry: &Entry) -> Self {
        Self { entry: entry.clone(), is_built_in: true }
    }

    /// The same without its document.
    pub fn listed(self) -> Found<()> {
        Found { entry: self.entry.listed(), is_built_in: self.is_built_in }
    }

    /// The tag of its present state.
    pub fn etag(&self) -> String {
        ShownEntry::whole(self).written().0
    }
}

/// An entry in one of its versions. Built-in ones have no team and no times. By itself it has the members of its
/// document as well.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = CatalogEntry)]
pub struct ShownEntry {
    /// Name and version: what requests name it by.
    id: String,
    name: String,
    version: String,
    /// What it is for.
    description: String,
    /// `private` is for its team alone, `public` for every team of the organisation.
    visibility: &'static str,
    /// Whether it is part of the program, and can be changed by nobody.
    built_in: bool,
    /// Whose it is.
    #[schema(required)]
    team: Option<String>,
    #[schema(format = DateTime, required)]
    created_at: Option<String>,
    /// When this version was made.
    #[schema(format = DateTime, required)]
    updated_at: Option<String>,
    /// The members of its document; none in lists.
    #[serde(flatten)]
    #[schema(ignore)]
    document: Map<String, Value>,
}

/// An entry as the body of an answer.
#[derive(Debug)]
pub struct WrittenEntry(Vec<u8>);

impl ShownEntry {
    /// As it is in a list.
    pub fn listed<Document>(found: &Found<Document>) -> Self {
        let Found { entry, is_built_in } = found;
        let of_store = |text: Option<String>| text.filter(|_| !is_built_in);
        Self {
            id: format!("{}@{}", entry.name, entry.version),
            name: entry.name.clone(),
            version: entry.version.to_string(),
            description: entry.description.clone(),
            visibility: entry.visibility.as_str(),
            built_in: *is_built_in,
            team: of_store(Some(entry.owner.team().to_owned())),
            created_at: of_store(rfc3339(entry.created_at)),
            updated_at: of_store(rfc3339(entry.updated_at)),
            document: Map::new(),
        }
    }

    /// With its document.
    pub fn whole(found: &Found) -> Self {
        let document = match json::parse(&found.entry.document) {
            Ok(Value::Object(members)) => members,
            _ => Map::new(),
        };
        Self { document, ..Self::listed(found) }
    }

    /// Its entity tag and its text. Nothing can change without another tag.
    pub fn written(&self) -> (String, WrittenEntry) {
        let text = serde_json::to_vec(self).unwrap_or_default();
        (precondition::etag_of(&text), WrittenEntry(text))
    }
}

impl IntoResponse for WrittenEntry {
    fn into_response(self) -> Response {
        ([(header::CONTENT_TYPE, "application/json")], Body::from(self.0)).into_response()
    }
}

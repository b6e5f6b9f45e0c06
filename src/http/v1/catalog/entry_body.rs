//! What a request says of an entry, beside its document.

use crate::domain::version::Version;
use crate::http::fields::Fields;
use crate::ports::catalog::{MAX_NAME_CHARS, Visibility};

/// Longest description, in characters.
const MAX_DESCRIPTION_CHARS: usize = 1_000;

/// The members that entries of both kinds have. What is `None` was left out.
#[derive(Debug, Default)]
pub struct EntryBody {
    /// What it is for.
    pub description: Option<String>,
    /// Who may read it.
    pub visibility: Option<Visibility>,
    /// The version to make.
    pub version: Option<Version>,
}

impl EntryBody {
    /// Reads them. Whatever is wrong is noted.
    pub fn read(fields: &mut Fields<'_>) -> Self {
        let words = [Visibility::Private, Visibility::Public].map(|visibility| (visibility.as_str(), visibility));
        let description = fields.text("description");
        if description.as_ref().is_some_and(|text| text.chars().count() > MAX_DESCRIPTION_CHARS) {
            fields.error("description", format!("a description has at most {MAX_DESCRIPTION_CHARS} characters"));
        }
        let visibility = fields.choice("visibility", &words);
        let version = fields.text("version").and_then(|text| {
            let version = text.parse();
            version.map_err(|error: crate::domain::version::BadVersion| fields.error("version", error.to_string())).ok()
        });
        Self { description, visibility, version }
    }
}

/// The name of a new entry.
pub fn name(fields: &mut Fields<'_>) -> Option<String> {
    let Some(name) = fields.text("name") else {
        fields.error("name", "it is missing; write a name that requests can name it by");
        return None;
    };
    let is_legal = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-');
    if name.len() > MAX_NAME_CHARS || !name.chars().all(is_legal) {
        fields.error("name", format!("a name has 1 to {MAX_NAME_CHARS} letters, digits, `_` or `-`"));
        return None;
    }
    Some(name)
}

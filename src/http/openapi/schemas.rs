//! Parts of schemas that no derive can say.

use serde_json::Value;
use utoipa::openapi::Object;
use utoipa::openapi::schema::{SchemaType, Type};

/// Text that is one of some words.
pub fn words<const N: usize>(description: &str, words: [&'static str; N]) -> Object {
    let text = Object::builder().schema_type(Type::String).description(Some(description));
    text.enum_values(Some(words)).build()
}

/// The same of a member that may be null.
pub fn nullable_words<const N: usize>(description: &str, words: [&'static str; N]) -> Object {
    let text = Object::builder().schema_type(SchemaType::from_iter([Type::String, Type::Null]));
    let values = words.into_iter().map(Value::from).chain([Value::Null]);
    text.description(Some(description)).enum_values(Some(values)).build()
}

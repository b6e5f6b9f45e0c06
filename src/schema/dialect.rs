//! One JSON Schema in the dialect of each provider's structured output, and what gets lost on the way.
//!
//! Nothing relies on the provider alone: every answer is validated against the original schema. A loss means only that the
//! provider may answer what we then have to send back.

mod openai;
mod rules;
mod translate;

use serde_json::{Map, Value};

/// The dialects.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Dialect {
    /// OpenAI's strict mode.
    OpenAi,
    /// Anthropic's `output_config.format`.
    Anthropic,
    /// Gemini's `responseJsonSchema`.
    Gemini,
}

impl Dialect {
    /// Every dialect.
    pub const ALL: [Self; 3] = [Self::OpenAi, Self::Anthropic, Self::Gemini];

    /// The name that users see: that of the provider's `kind`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::OpenAi => "openai",
            Self::Anthropic => "anthropic",
            Self::Gemini => "gemini",
        }
    }
}

/// A schema in a dialect.
#[derive(Debug, Clone, PartialEq)]
pub struct Compiled {
    /// What is sent; the original when the dialect cannot hold it.
    pub schema: Value,
    /// Whether the provider enforces what is sent. If not, it is a hint at most.
    pub is_strict: bool,
    /// What the provider does not enforce.
    pub losses: Vec<Loss>,
}

/// A keyword that the provider does not enforce.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Loss {
    /// JSON Pointer (RFC 6901) of the subschema within the original.
    pub pointer: String,
    /// The keyword.
    pub keyword: String,
    /// What becomes of it.
    pub effect: Effect,
}

/// What becomes of a keyword.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Effect {
    /// It is left out.
    Dropped,
    /// The model can read it in the description.
    Described,
    /// `oneOf` is sent as `anyOf`.
    AnyOf,
    /// The dialect cannot do without it and has no words for it: the whole schema is not enforced.
    Inexpressible,
    /// The schema has more of it than the dialect takes: nothing of it is enforced.
    TooMuch,
}

impl Effect {
    /// In words.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Dropped => "left out",
            Self::Described => "moved into the description",
            Self::AnyOf => "sent as anyOf",
            Self::Inexpressible => "cannot be said in this dialect, so nothing of the schema is enforced",
            Self::TooMuch => "more than this dialect takes, so nothing of the schema is enforced",
        }
    }
}

/// The schema in this dialect.
pub fn compile(dialect: Dialect, schema: &Value) -> Compiled {
    let (translated, losses) = match dialect {
        Dialect::OpenAi => (openai::strict(schema), openai::losses(schema)),
        Dialect::Anthropic => translate::translate(schema, &rules::ANTHROPIC),
        Dialect::Gemini => translate::translate(schema, &rules::GEMINI),
    };
    let is_strict = translated.is_some();
    Compiled { schema: translated.unwrap_or_else(|| schema.clone()), is_strict, losses }
}

/// Takes back from an answer what the dialect added: nulls that stand for absent properties. True if there was one.
pub fn restore(dialect: Dialect, schema: &Value, answer: &mut Value) -> bool {
    match dialect {
        Dialect::OpenAi => openai::prune(schema, answer),
        Dialect::Anthropic | Dialect::Gemini => false,
    }
}

/// What a provider with this dialect does not enforce, in one sentence for people; `None` when it enforces everything.
pub fn note(schema: &Value, provider: &str, dialect: Dialect) -> Option<String> {
    let Compiled { losses, is_strict, .. } = compile(dialect, schema);
    let places: Vec<String> = losses.iter().map(Loss::place).collect();
    match (places.as_slice(), is_strict) {
        ([], true) => None,
        (_, true) => Some(format!("{provider} does not enforce {}; we do", places.join(", "))),
        (_, false) => Some(format!("{provider} does not enforce this schema, because of {}; we do", places.join(", "))),
    }
}

impl Loss {
    /// JSON Pointer of the keyword within the original.
    pub fn place(&self) -> String {
        join(&self.pointer, &self.keyword)
    }
}

/// The names that a schema requires.
fn required(schema: &Map<String, Value>) -> Vec<&str> {
    schema.get("required").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str).collect()
}

/// A token of a JSON Pointer.
fn join(pointer: &str, token: &str) -> String {
    format!("{pointer}/{}", token.replace('~', "~0").replace('/', "~1"))
}

/// The subschemas of a schema, each with the tokens that lead to it.
fn subschemas(schema: &Map<String, Value>) -> Vec<(String, &Value)> {
    const MAPS: [&str; 6] =
        ["properties", "patternProperties", "$defs", "definitions", "dependentSchemas", "dependencies"];
    const LISTS: [&str; 4] = ["anyOf", "oneOf", "allOf", "prefixItems"];
    const SINGLE: [&str; 11] = [
        "items",
        "additionalItems",
        "additionalProperties",
        "contains",
        "propertyNames",
        "not",
        "if",
        "then",
        "else",
        "unevaluatedItems",
        "unevaluatedProperties",
    ];
    let mut found = Vec::new();
    for (keyword, value) in schema {
        let at = join("", keyword);
        let is_one_of = |keywords: &[&str]| keywords.contains(&keyword.as_str());
        if let Some(members) = value.as_object().filter(|_| is_one_of(&MAPS)) {
            found.extend(members.iter().map(|(name, inner)| (join(&at, name), inner)));
        } else if let Some(items) = value.as_array().filter(|_| is_one_of(&LISTS) || keyword == "items") {
            found.extend(items.iter().enumerate().map(|(index, inner)| (format!("{at}/{index}"), inner)));
        } else if value.is_object() && is_one_of(&SINGLE) {
            found.push((at, value));
        }
    }
    found
}

#[cfg(test)]
mod tests;

//! One JSON Schema in the dialect of each provider's structured output, and what gets lost on the way.
//!
//! Nothing relies on the provider alone: every answer is validated against the original schema. A loss means only that
//! the provider may answer what we then have to send back.

mod form;
mod restore;
mod rules;
mod translate;

use std::fmt;

use serde_json::Value;

use form::Document;

use crate::domain::json::pointer::join;

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
#[derive(Debug, Clone)]
pub struct Compiled {
    /// What is sent; the original when the dialect cannot hold it.
    pub schema: Value,
    /// Whether the provider enforces what is sent. If not, it is a hint at most.
    pub is_strict: bool,
    /// What the provider does not enforce.
    pub losses: Vec<Loss>,
    document: Document,
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
    /// It is left out, because the dialect takes at most this.
    LeftOut(&'static str),
    /// The model can read it in the description.
    Described,
    /// `oneOf` is sent as `anyOf`.
    AnyOf,
    /// Objects are closed: the model can answer with declared properties only.
    Closed,
    /// The property can be left out, but not be null: the dialect takes few unions.
    WithoutNull,
    /// The dialect cannot do without it and has no words for it: the whole schema is not enforced.
    Inexpressible,
    /// The schema has more than this, the most that the dialect takes: nothing of it is enforced.
    TooMuch(&'static str),
}

impl Effect {
    /// Whether nothing of the schema is enforced because of it.
    fn ends_enforcement(self) -> bool {
        matches!(self, Self::Inexpressible | Self::TooMuch(_))
    }
}

impl fmt::Display for Effect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Dropped => f.write_str("left out"),
            Self::LeftOut(limit) => write!(f, "left out: this dialect takes at most {limit}"),
            Self::Described => f.write_str("moved into the description"),
            Self::AnyOf => f.write_str("sent as anyOf"),
            Self::Closed => f.write_str("sent as false: this dialect takes no properties that are not declared"),
            Self::WithoutNull => {
                f.write_str("sent without null, because this dialect takes few unions: it is left out instead")
            }
            Self::Inexpressible => f.write_str("cannot be said in this dialect, so nothing of the schema is enforced"),
            Self::TooMuch(limit) => {
                write!(f, "this dialect takes at most {limit}, so nothing of the schema is enforced")
            }
        }
    }
}

/// The schema in this dialect.
pub fn compile(dialect: Dialect, schema: &Value) -> Compiled {
    let rules = match dialect {
        Dialect::OpenAi => &rules::OPENAI,
        Dialect::Anthropic => &rules::ANTHROPIC,
        Dialect::Gemini => &rules::GEMINI,
    };
    let document = form::read(schema);
    let (translated, losses) = translate::translate(&document, rules);
    let is_strict = translated.is_some();
    Compiled { schema: translated.unwrap_or_else(|| schema.clone()), is_strict, losses, document }
}

impl Compiled {
    /// Takes back from an answer what the dialect added: nulls that stand for absent properties. True if there was one.
    pub fn restore(&self, answer: &mut Value) -> bool {
        self.is_strict && restore::restore(&self.document, answer)
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

#[cfg(test)]
mod tests;

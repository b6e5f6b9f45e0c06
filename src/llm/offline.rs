//! The offline extractor: rules that fill a JSON Schema from text, without a key, a network or a model.
//!
//! It lets a new user see the whole product work, and it never pretends to be a model: its family and model are called
//! `offline-rules-1`, it uses no tokens, and its confidence counts how much of the answer the text really says.
//! [`extract`] is the whole of it: [`text`] finds the message in the prompt, [`facts`] the typed values in the message,
//! [`schema`] reads the schema, and [`fill`] walks one to take the other.

use futures_util::future::{BoxFuture, ready};
use serde_json::Value;

use crate::domain::answer::Usage;
use crate::ports::model::{Call, CallError, Finish, Model, Reply};

mod booleans;
mod choose;
mod collect;
mod dates;
mod facts;
mod fill;
mod identifiers;
mod labels;
mod language;
mod lexicon;
mod names;
mod neutral;
mod numbers;
mod pattern;
mod prose;
mod schema;
mod strings;
mod table;
mod text;

#[cfg(test)]
mod tests;

/// Family and model of the rules. Changes whenever the rules give other answers, since it is part of the cache key.
pub const FAMILY: &str = "offline-rules-1";

/// What the rules made of a text.
#[derive(Debug, Clone, PartialEq)]
pub struct Extraction {
    /// The answer. Its keys have the order of the schema's properties.
    pub data: Value,
    /// Share of the given values that the text supports, within 0.0–1.0; see [`extract`].
    pub confidence: f64,
}

/// Fills `schema` from the message in `content`, in bounded time for any input.
///
/// An unknown property is left out where the schema allows it, `null` where that is allowed, and otherwise the most
/// neutral value that the schema accepts. The answer is meant to be valid, but only validation can tell.
///
/// The confidence is the mean over the values given: a value read from the text counts up to 1.0, a value that stands
/// for silence (`normal`, `neutral`, `false`) counts 0.5, a mere filler counts nothing. Nulls say nothing and are not counted.
pub fn extract(content: &str, schema: &Value) -> Extraction {
    let text = text::Text::new(text::isolate(content));
    let facts = facts::Facts::new(&text);
    fill::Filler::new(schema, &facts).run()
}

/// The rules as a provider.
#[derive(Debug, Clone)]
pub struct Offline {
    name: String,
}

impl Offline {
    /// The extractor under its configured name, normally `offline`.
    pub fn new(name: impl Into<String>) -> Self {
        Self { name: name.into() }
    }
}

impl Model for Offline {
    fn name(&self) -> &str {
        &self.name
    }

    fn family(&self) -> &'static str {
        FAMILY
    }

    fn cost_usd(&self, _usage: Usage) -> f64 {
        0.0
    }

    /// Rules have no tokens.
    fn max_tokens(&self) -> u32 {
        0
    }

    /// Never fails. A correction is ignored: rules that were wrong once are wrong again.
    fn ask<'a>(&'a self, call: &'a Call<'a>) -> BoxFuture<'a, Result<Reply, CallError>> {
        let Extraction { data, confidence } = extract(call.content, call.schema);
        Box::pin(ready(Ok(Reply {
            text: data.to_string(),
            model: FAMILY.to_owned(),
            finish: Finish::Complete,
            usage: Usage::default(),
            confidence: Some(confidence),
            response_id: None,
            pause: None,
        })))
    }
}

//! The offline extractor: rules that fill a JSON Schema from text, without a key, a network or a model.
//!
//! It lets a new user see the whole product work, and it never pretends to be a model: its family and model are called
//! `offline-rules-2`, it uses no tokens, and its confidence says how sure the rules are of the values that they give.
//! [`extract`] is the whole of it: [`text`] finds the message in the prompt, [`facts`] the typed values in the message,
//! and [`fill`] walks the schema ([`node`](crate::schema::node)) to take them: [`field`] is a property, [`want`] what it
//! is after, [`label_match`] which label names it.

use futures_util::future::{BoxFuture, ready};
use serde_json::Value;

use crate::domain::answer::Usage;
use crate::ports::model::{Call, CallError, Finish, Model, Reply};

mod amounts;
mod booleans;
mod choose;
mod collect;
mod confidence;
mod dates;
mod facts;
mod field;
mod fill;
mod identifiers;
mod label_match;
mod labels;
mod language;
mod lexicon;
mod names;
mod neutral;
mod numbers;
mod pattern;
mod prose;
mod strings;
mod survey;
mod table;
mod text;
mod want;

#[cfg(test)]
mod tests;

/// Family and model of the rules. Changes whenever the rules give other answers, since it is part of the cache key.
pub const FAMILY: &str = "offline-rules-2";

/// What the rules made of a text.
#[derive(Debug, Clone, PartialEq)]
pub struct Extraction {
    /// The answer. Its keys have the order of the schema's properties.
    pub data: Value,
    /// How sure the rules are of the values, within 0.0–1.0; see [`extract`]. `None` where there are none.
    pub confidence: Option<f64>,
}

/// Fills `schema` from the message in `content`, in bounded time for any input.
///
/// An unknown property is left out where the schema allows it, `null` where that is allowed, and otherwise the most
/// neutral value that the schema accepts. The answer is meant to be valid, but only validation can tell.
///
/// A value is given only with evidence in the text for that very property: a label or a word beside it, or that it is
/// the only value of its type in the text and no other property is after this type. An entry of a form belongs to its
/// label alone.
///
/// The confidence is a mean over the values: one with a label beside it counts up to 1.0, one that stands for silence
/// (`normal`, `neutral`, `false`) 0.5. A null or a property left out counts nowhere. It is less in languages that the
/// rules have no words of and for long texts, and at most 0.4 where something had to be made up.
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

    /// Never fails. It gives no quotes: where its values stand is found without. A correction is ignored: rules that were
    /// wrong once are wrong again.
    fn ask<'a>(&'a self, call: &'a Call<'a>) -> BoxFuture<'a, Result<Reply, CallError>> {
        let Extraction { data, confidence } =
            extract(call.content, call.spec.data_schema.as_ref().unwrap_or(&call.spec.schema));
        Box::pin(ready(Ok(Reply {
            text: data.to_string(),
            model: FAMILY.to_owned(),
            finish: Finish::Complete,
            usage: Usage::default(),
            confidence,
            logprobs: Vec::new(),
            response_id: None,
            pause: None,
        })))
    }
}

//! From the tokens of a reply to the values of the objects in it.
//!
//! Providers tell of tokens, which stop where words and signs do, not where values do: one token may be `":"re`, and a
//! letter of several bytes may be cut in two. So both are held against the text by bytes: a value's tokens are those
//! that have a part of it.

use std::borrow::Cow;
use std::ops::Range;

use memchr::memmem;
use serde_json::Value;

use super::fields::{at, real};
use crate::domain::logprobs::ValueLogprob;
use crate::ports::model::ObjectLogprobs;
use crate::prompt::parse::{Form, parse_answer, value_places};

/// Decimals that a mean is rounded to; what they leave out says nothing.
const PER_UNIT: f64 = 10_000.0;

/// A token that a model chose.
#[derive(Debug)]
pub(super) struct Token<'a> {
    bytes: Cow<'a, [u8]>,
    logprob: f64,
}

impl<'a> Token<'a> {
    /// The token of an entry that has its log probability under this name. The text beside the bytes is for people
    /// where a letter is cut.
    pub(super) fn read(entry: &'a Value, logprob: &str) -> Option<Self> {
        let byte = |byte: &Value| byte.as_u64().and_then(|byte| u8::try_from(byte).ok());
        let told = at(entry, &["bytes"]).as_array().filter(|bytes| !bytes.is_empty());
        let bytes = told.and_then(|bytes| bytes.iter().map(byte).collect::<Option<Vec<u8>>>()).map(Cow::Owned);
        let bytes = bytes.or_else(|| Some(Cow::Borrowed(at(entry, &["token"]).as_str()?.as_bytes())))?;
        Some(Self { bytes, logprob: real(at(entry, &[logprob]))?.min(0.0) })
    }

    /// All entries of a list; nothing where one cannot be read, for then it is not known what stands where.
    pub(super) fn list(entries: &'a Value, logprob: &str) -> Vec<Self> {
        let entries = entries.as_array().into_iter().flatten();
        entries.map(|entry| Self::read(entry, logprob)).collect::<Option<_>>().unwrap_or_default()
    }
}

/// The log probabilities of the values in each JSON object of a reply. Nothing where the tokens are not those of the
/// text, and of an object that has to be mended before it can be read.
pub(super) fn of_values(text: &str, tokens: &[Token<'_>]) -> Vec<ObjectLogprobs> {
    let Some(places) = places(text, tokens) else { return Vec::new() };
    let candidates = parse_answer(text).candidates.into_iter().filter(|candidate| candidate.form != Form::Repaired);
    let objects = candidates.flat_map(|candidate| candidate.places).map(|object| {
        let values = value_places(text.get(object.clone()).unwrap_or_default()).into_iter();
        let values = values.filter_map(|(field, value)| {
            let (mean, tokens) = mean(&places, &(object.start + value.start..object.start + value.end))?;
            Some(ValueLogprob { field, mean, tokens })
        });
        ObjectLogprobs { start: object.start, values: values.collect() }
    });
    objects.filter(|object| !object.values.is_empty()).collect()
}

/// Where each token stands in the text. Before it may be the tokens of reasoning, and after it one that ends the message:
/// providers tell of them, and leave them out of the text.
fn places(text: &str, tokens: &[Token<'_>]) -> Option<Vec<(Range<usize>, f64)>> {
    if text.is_empty() {
        return None;
    }
    let all: Vec<u8> = tokens.iter().flat_map(|token| token.bytes.iter().copied()).collect();
    let before = memmem::rfind(&all, text.as_bytes())?;
    let mut end = 0;
    let places = tokens.iter().filter(|token| !token.bytes.is_empty()).map(|token| {
        let start = end;
        end += token.bytes.len();
        (start.saturating_sub(before)..end.saturating_sub(before), token.logprob)
    });
    Some(places.collect())
}

/// The mean over the tokens that have a part of a value, and their number.
fn mean(tokens: &[(Range<usize>, f64)], value: &Range<usize>) -> Option<(f64, u32)> {
    let first = tokens.partition_point(|(token, _)| token.end <= value.start);
    let own = tokens.get(first..)?.iter().take_while(|(token, _)| token.start < value.end);
    let (sum, count) = own.fold((0.0, 0_u32), |(sum, count), (_, logprob)| (sum + logprob, count + 1));
    let rounded = (sum / f64::from(count.max(1)) * PER_UNIT).round() / PER_UNIT;
    // Adding zero makes a negative zero positive.
    (count > 0 && rounded.is_finite()).then_some((rounded + 0.0, count))
}

#[cfg(test)]
mod tests;

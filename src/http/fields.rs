//! Reading the members of a JSON object: typed getters that note what is wrong with its JSON Pointer and go on, and
//! remember which members exist, so that all others are refused by name.

use std::cell::RefCell;
use std::ops::RangeInclusive;
use std::time::Duration;

use serde_json::{Map, Value};

use super::error_status::RequestCode;
use super::problem::{PlaceError, Problem};
use crate::domain::duration;
use crate::domain::json::pointer;
use crate::domain::nearest::nearest;

/// Most errors that one answer lists: enough to mend a request, bounded whatever the request is.
const MAX_ERRORS: usize = 20;
/// Longest name of a member that is repeated to the client, in characters.
const MAX_NAME_CHARS: usize = 100;

/// Everything that is wrong with a request.
#[derive(Debug, Default)]
pub struct PlaceErrors(RefCell<Vec<PlaceError>>);

/// An object that is being read.
#[derive(Debug)]
pub struct Fields<'a> {
    members: Map<String, Value>,
    place: Place,
    known: Vec<&'static str>,
    errors: &'a PlaceErrors,
}

/// Where a value stands in the body.
#[derive(Debug, Clone, Default)]
pub struct Place(String);

impl Place {
    /// The member or element `token` of the value here.
    #[must_use]
    pub fn at(&self, token: &str) -> Self {
        let token: String = token.chars().take(MAX_NAME_CHARS).collect();
        Self(pointer::join(&self.0, &token))
    }

    /// Something that is wrong here, or below at the JSON Pointer `pointer`.
    pub fn error(&self, pointer: &str, detail: impl Into<String>) -> PlaceError {
        PlaceError { pointer: format!("#{}{pointer}", self.0), detail: detail.into() }
    }
}

impl PlaceErrors {
    /// Notes one, unless something is noted of that place already: what was found first is why the value cannot be used,
    /// and what is said of it later may only follow from that.
    pub fn add(&self, error: PlaceError) {
        let mut errors = self.0.borrow_mut();
        if errors.len() < MAX_ERRORS && errors.iter().all(|noted| noted.pointer != error.pointer) {
            errors.push(error);
        }
    }

    /// What was read, if nothing was noted.
    ///
    /// # Errors
    /// `invalid_request` with all that was noted.
    pub fn check<T>(self, read: Option<T>) -> Result<T, Problem> {
        let errors = self.0.into_inner();
        match read.filter(|_| errors.is_empty()) {
            Some(read) => Ok(read),
            None => Err(Problem::at_places(RequestCode::InvalidRequest, errors)),
        }
    }
}

impl<'a> Fields<'a> {
    /// The members of `value`, which must be an object.
    pub fn of(value: Value, place: Place, errors: &'a PlaceErrors) -> Option<Self> {
        let kind = kind(&value);
        if let Value::Object(members) = value {
            return Some(Self { members, place, known: Vec::new(), errors });
        }
        errors.add(place.error("", format!("expected an object, found {kind}")));
        None
    }

    /// Where this object stands.
    pub fn place(&self) -> &Place {
        &self.place
    }

    /// Where errors are noted.
    pub fn errors(&self) -> &'a PlaceErrors {
        self.errors
    }

    /// Notes an error at a member.
    pub fn error(&self, name: &str, detail: impl Into<String>) {
        self.errors.add(self.place.at(name).error("", detail));
    }

    /// A member of any type. Null is the same as leaving it out.
    pub fn value(&mut self, name: &'static str) -> Option<Value> {
        self.known.push(name);
        self.members.swap_remove(name).filter(|value| !value.is_null())
    }

    /// Text that is not empty.
    pub fn text(&mut self, name: &'static str) -> Option<String> {
        let value = self.value(name)?;
        let kind = kind(&value);
        let Value::String(text) = value else { return self.wrong(name, format!("expected text, found {kind}")) };
        if text.is_empty() { self.wrong(name, "the text is empty; leave it out instead") } else { Some(text) }
    }

    /// True or false.
    pub fn flag(&mut self, name: &'static str) -> Option<bool> {
        let value = self.value(name)?;
        value.as_bool().or_else(|| self.wrong(name, format!("expected true or false, found {}", kind(&value))))
    }

    /// A number within a range.
    pub fn number(&mut self, name: &'static str, range: RangeInclusive<f64>) -> Option<f64> {
        let value = self.value(name)?;
        let number = value.as_f64().filter(|number| range.contains(number));
        number.or_else(|| self.wrong(name, format!("expected a number from {} to {}", range.start(), range.end())))
    }

    /// A whole number within a range, as JSON Schema has it: `1.0` is one.
    pub fn integer(&mut self, name: &'static str, range: RangeInclusive<u32>) -> Option<u32> {
        let value = self.value(name)?;
        let is_within = |number: &f64| (f64::from(*range.start())..=f64::from(*range.end())).contains(number);
        let number = value.as_f64().filter(|number| number.fract() == 0.0 && is_within(number));
        #[allow(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "whole, and in a range of this type"
        )]
        let number = number.map(|number| number as u32);
        number
            .or_else(|| self.wrong(name, format!("expected a whole number from {} to {}", range.start(), range.end())))
    }

    /// A duration as text (`"30s"`) within a range.
    pub fn duration(&mut self, name: &'static str, range: RangeInclusive<Duration>) -> Option<Duration> {
        let value = self.value(name)?;
        let duration = value.as_str().and_then(duration::parse).filter(|duration| range.contains(duration));
        let help = || {
            let (least, most) = (duration::text(*range.start()), duration::text(*range.end()));
            format!(
                "expected a duration from {least} to {most} as a whole number and a unit: \"250ms\", \"10s\", \"5m\", \"1h\""
            )
        };
        duration.or_else(|| self.wrong(name, help()))
    }

    /// One of some words.
    pub fn choice<T: Copy>(&mut self, name: &'static str, words: &[(&str, T)]) -> Option<T> {
        let value = self.value(name)?;
        let chosen = words.iter().find(|(word, _)| value.as_str() == Some(word)).map(|(_, chosen)| *chosen);
        chosen.or_else(|| {
            let words: Vec<_> = words.iter().map(|(word, _)| format!("\"{word}\"")).collect();
            self.wrong(name, format!("expected one of {}", words.join(", ")))
        })
    }

    /// One of some words, which must be there.
    pub fn required_choice<T: Copy>(&mut self, name: &'static str, words: &[(&str, T)]) -> Option<T> {
        if self.members.get(name).is_none_or(Value::is_null) {
            let words: Vec<_> = words.iter().map(|(word, _)| format!("\"{word}\"")).collect();
            self.error(name, format!("it is missing; send one of {}", words.join(", ")));
        }
        self.choice(name, words)
    }

    /// The members of an object.
    pub fn object(&mut self, name: &'static str) -> Option<Self> {
        let value = self.value(name)?;
        Self::of(value, self.place.at(name), self.errors)
    }

    /// The elements of an array, each with its place.
    pub fn list(&mut self, name: &'static str) -> Option<Vec<(Value, Place)>> {
        let (value, place) = (self.value(name)?, self.place.at(name));
        let kind = kind(&value);
        let Value::Array(items) = value else { return self.wrong(name, format!("expected an array, found {kind}")) };
        Some(items.into_iter().enumerate().map(|(index, item)| (item, place.at(&index.to_string()))).collect())
    }

    /// The members of an object whose names the client chooses.
    pub fn into_members(self) -> Map<String, Value> {
        self.members
    }

    /// Notes all members that nobody asked for.
    pub fn finish(self) {
        for name in self.members.keys().take(MAX_ERRORS) {
            let help = match nearest(name, self.known.iter().copied()) {
                Some(near) => format!("did you mean \"{near}\"?"),
                None => format!("there are {}", self.known.join(", ")),
            };
            self.error(name, format!("there is no such field; {help}"));
        }
    }

    fn wrong<T>(&self, name: &str, detail: impl Into<String>) -> Option<T> {
        self.error(name, detail);
        None
    }
}

/// What a value is, with its article.
pub fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "true or false",
        Value::Number(_) => "a number",
        Value::String(_) => "text",
        Value::Array(_) => "an array",
        Value::Object(_) => "an object",
    }
}

#[cfg(test)]
mod tests;

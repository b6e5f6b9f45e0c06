//! Reading what stands behind the `?` of a path. What is wrong is noted, so that a client learns of everything at once.

use std::time::Duration;

use axum::extract::FromRequestParts;
use axum::http::Uri;
use axum::http::request::Parts;

use super::error_status::RequestCode;
use super::problem::{PlaceError, Problem};
use crate::domain::nearest::nearest;
use crate::domain::time::parse_rfc3339;

/// Longest name of a parameter that is repeated to the client, in characters.
const MAX_NAME_CHARS: usize = 100;

/// The parameters of a request's query. Each is read once; what is left is refused by name.
pub struct Query {
    parameters: Vec<(String, String)>,
    known: Vec<&'static str>,
    errors: Vec<PlaceError>,
}

impl Query {
    /// The query of this request.
    pub fn of(uri: &Uri) -> Self {
        let query = uri.query().unwrap_or_default();
        let parameters = form_urlencoded::parse(query.as_bytes());
        Self {
            parameters: parameters.map(|(name, value)| (name.into_owned(), value.into_owned())).collect(),
            known: Vec::new(),
            errors: Vec::new(),
        }
    }

    /// A parameter, which is not empty.
    pub fn take(&mut self, name: &'static str) -> Option<String> {
        let value = self.only_value(name)?;
        if value.is_empty() {
            self.error(name, "it is empty; leave it out instead");
        }
        Some(value).filter(|value| !value.is_empty())
    }

    /// A parameter that must be there; `help` says what to send.
    pub fn required(&mut self, name: &'static str, help: &str) -> Option<String> {
        let value = self.only_value(name).filter(|value| !value.is_empty());
        if value.is_none() {
            self.error(name, help);
        }
        value
    }

    /// The value of a parameter. That it is there twice is noted, and then it has the first one.
    fn only_value(&mut self, name: &'static str) -> Option<String> {
        self.known.push(name);
        let found = self.parameters.extract_if(.., |(found, _)| found == name).map(|(_, value)| value);
        let values: Vec<String> = found.collect();
        if values.len() > 1 {
            self.error(name, "it is there more than once; send it once");
        }
        values.into_iter().next()
    }

    /// A parameter as what `read` makes of its text, or says is wrong with it.
    pub fn parse<T>(&mut self, name: &'static str, read: impl FnOnce(&str) -> Result<T, String>) -> Option<T> {
        let text = self.take(name)?;
        read(&text).map_err(|detail| self.error(name, detail)).ok()
    }

    /// One of these words.
    pub fn choice<T: Copy>(&mut self, name: &'static str, words: &[(&str, T)]) -> Option<T> {
        self.parse(name, |text| {
            let found = words.iter().find(|(word, _)| *word == text).map(|(_, meant)| *meant);
            let known = || words.iter().map(|(word, _)| *word).collect::<Vec<_>>().join(", ");
            found.ok_or_else(|| format!("write one of {}", known()))
        })
    }

    /// A time.
    pub fn time(&mut self, name: &'static str) -> Option<Duration> {
        const HELP: &str = "write a time with its zone: 2027-01-31T00:00:00Z (in a query the + of a zone is %2B)";
        self.parse(name, |text| parse_rfc3339(text).ok_or_else(|| HELP.to_owned()))
    }

    /// Notes that something is wrong with a parameter, unless something is noted of it already: what is said later may
    /// only follow from that.
    pub fn error(&mut self, name: &str, detail: impl Into<String>) {
        let pointer = format!("?{name}");
        if self.errors.iter().all(|noted| noted.pointer != pointer) {
            self.errors.push(PlaceError { pointer, detail: detail.into() });
        }
    }

    /// Refuses the request if something is wrong with its parameters, or nobody asked for one of them.
    ///
    /// # Errors
    /// `invalid_request`.
    pub fn finish(mut self) -> Result<(), Problem> {
        if let Some((name, _)) = self.parameters.first() {
            let name: String = name.chars().take(MAX_NAME_CHARS).collect();
            let help = match (nearest(&name, self.known.iter().copied()), self.known.as_slice()) {
                (Some(near), _) => format!("did you mean ?{near}"),
                (None, []) => "this route has none".to_owned(),
                (None, known) => format!("this route has ?{}", known.join(", ?")),
            };
            self.error(&name, format!("there is no such parameter; {help}"));
        }
        if self.errors.is_empty() { Ok(()) } else { Err(Problem::at_places(RequestCode::InvalidRequest, self.errors)) }
    }
}

/// Of a route that has no parameters: what is sent all the same is refused by name.
#[derive(Debug)]
pub struct NoQuery;

impl<S: Send + Sync> FromRequestParts<S> for NoQuery {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, Problem> {
        Query::of(&parts.uri).finish().map(|()| Self)
    }
}

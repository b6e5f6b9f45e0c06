//! Reading what stands behind the `?` of a path.

use axum::http::Uri;

use super::error_status::RequestCode;
use super::problem::Problem;

/// The parameters of a request's query. Each is read once; what is left is refused by name.
pub struct Query {
    parameters: Vec<(String, String)>,
    known: Vec<&'static str>,
}

impl Query {
    /// The query of this request.
    pub fn of(uri: &Uri) -> Self {
        let query = uri.query().unwrap_or_default();
        let parameters = form_urlencoded::parse(query.as_bytes());
        Self {
            parameters: parameters.map(|(name, value)| (name.into_owned(), value.into_owned())).collect(),
            known: Vec::new(),
        }
    }

    /// A parameter that is there and not empty.
    ///
    /// # Errors
    /// `invalid_request` when it is there twice.
    pub fn take(&mut self, name: &'static str) -> Result<Option<String>, Problem> {
        self.known.push(name);
        let mut values = self.parameters.extract_if(.., |(found, _)| found == name).map(|(_, value)| value);
        match (values.next(), values.next()) {
            (_, Some(_)) => {
                Err(Problem::new(RequestCode::InvalidRequest, format!("?{name} is there twice; send it once")))
            }
            (value, None) => Ok(value.filter(|value| !value.is_empty())),
        }
    }

    /// Refuses every parameter that nobody asked for.
    ///
    /// # Errors
    /// `invalid_request`.
    pub fn finish(self) -> Result<(), Problem> {
        let Some((name, _)) = self.parameters.first() else { return Ok(()) };
        let name: String = name.chars().take(100).collect();
        let known = if self.known.is_empty() { "none".to_owned() } else { format!("?{}", self.known.join(", ?")) };
        let detail = format!("there is no parameter ?{name}; this route has {known}");
        Err(Problem::new(RequestCode::InvalidRequest, detail))
    }
}

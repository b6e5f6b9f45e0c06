//! The `http.cors` section.

use std::time::Duration;

use axum::http::{HeaderValue, Uri};

use crate::config::diagnostics::Diagnostics;
use crate::config::document::Node;
use crate::config::section::Section;
use crate::config::units::duration;
use crate::config::values::{Problem, flag, text};
use crate::http::settings::{CorsSettings, Origins};

/// What some browsers cut longer times to.
const DEFAULT_MAX_AGE: Duration = Duration::from_secs(600);

/// All origins.
const ANY: &str = "*";

pub(super) fn read(diagnostics: &Diagnostics, mut section: Section<'_>) -> Option<CorsSettings> {
    let origins = section.list("origins", origin);
    let credentials = section.get("credentials", flag).unwrap_or(false);
    let max_age = section.get("max_age", duration).unwrap_or(DEFAULT_MAX_AGE);
    let origins: Vec<HeaderValue> = origins?.into_iter().map(|(origin, _)| origin).collect();
    let origins = if origins.iter().any(|origin| origin == ANY) { Origins::Any } else { Origins::These(origins) };
    if credentials && origins == Origins::Any {
        let problem = Problem::new(
            "with credentials any web page could ask in the name of whoever looks at it",
            "name the origins instead of *, or remove `credentials`",
        );
        diagnostics.note(&section.location_of("credentials"), problem);
    }
    section.finish();
    Some(CorsSettings { origins, credentials, max_age })
}

/// `*`, or scheme, host and port as a browser writes them: in lower case, and nothing after them.
fn origin(node: &Node) -> Result<HeaderValue, Problem> {
    let written = text(node)?;
    let is_origin = written == ANY || written.parse::<Uri>().is_ok_and(|uri| of_uri(&uri).as_ref() == Some(&written));
    let refused = || {
        let help = "write scheme, host and port in lower case, with nothing after them: https://app.example.com";
        Problem::new("this is not an origin", help)
    };
    HeaderValue::from_str(&written).ok().filter(|_| is_origin).ok_or_else(refused)
}

fn of_uri(uri: &Uri) -> Option<String> {
    let scheme = uri.scheme_str().filter(|scheme| matches!(*scheme, "http" | "https"))?;
    let host = uri.host()?.to_ascii_lowercase();
    let port = uri.port().map(|port| format!(":{port}")).unwrap_or_default();
    Some(format!("{scheme}://{host}{port}"))
}

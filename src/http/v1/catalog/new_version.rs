//! Which version a change makes.

use axum::http::Uri;

use crate::domain::version::{Step, Version};
use crate::http::error_status::RequestCode;
use crate::http::problem::{PlaceError, Problem};
use crate::http::query::Query;

/// How an entry is to be changed.
#[derive(Debug)]
pub struct Change {
    /// The least step of its version that says so.
    pub step: Step,
    /// What was valid and is not any more, by place.
    pub places: Vec<PlaceError>,
}

/// Whether a change may have a version that is too small for it (`?force=true`).
///
/// # Errors
/// What is wrong with the query.
pub fn is_forced(uri: &Uri) -> Result<bool, Problem> {
    let mut query = Query::of(uri);
    let is_forced = query.choice("force", &[("true", true), ("false", false)]).unwrap_or(false);
    query.finish()?;
    Ok(is_forced)
}

/// The version of an entry whose latest is `latest`: the one that is asked for, or the least that fits.
///
/// # Errors
/// `invalid_request` for a version that is not later, or where none is left that fits; `incompatible_schema` for one that
/// is too small.
pub fn new_version(
    latest: Version,
    asked_for: Option<Version>,
    change: Change,
    is_forced: bool,
) -> Result<Version, Problem> {
    let at_version = |detail: String| vec![PlaceError { pointer: "#/version".to_owned(), detail }];
    let least = || {
        latest.next(change.step).ok_or_else(|| {
            let detail = format!(
                "the version after {latest} would have a number above {}; write another later version here, or keep \
                 this under another name",
                Version::MAX_NUMBER
            );
            Problem::at_places(RequestCode::InvalidRequest, at_version(detail))
        })
    };
    let Some(version) = asked_for else { return least() };
    let Some(step) = latest.step_to(version) else {
        let detail = format!("the latest version is {latest}; write a later one, or leave it out");
        return Err(Problem::at_places(RequestCode::InvalidRequest, at_version(detail)));
    };
    if step >= change.step || is_forced {
        return Ok(version);
    }
    let places = if change.places.is_empty() {
        at_version(format!("something was added, so the version is {} at least; or send ?force=true", least()?))
    } else {
        change.places
    };
    Err(Problem::at_places(RequestCode::IncompatibleSchema, places))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_version_is_the_least_that_fits_or_the_one_asked_for_if_it_is_large_enough() {
        let version = |text: &str| text.parse::<Version>().unwrap();
        let of = |asked_for: &str, step: Step, is_forced: bool| {
            let asked_for = (!asked_for.is_empty()).then(|| version(asked_for));
            let made = new_version(version("1.2.3"), asked_for, Change { step, places: Vec::new() }, is_forced);
            made.map(|version| version.to_string()).map_err(|problem| problem.code())
        };
        assert_eq!(of("", Step::Minor, false).as_deref(), Ok("1.3.0"));
        assert_eq!(of("1.9.0", Step::Minor, false).as_deref(), Ok("1.9.0"));
        assert_eq!(of("3.0.0", Step::Patch, false).as_deref(), Ok("3.0.0"));
        assert_eq!(of("1.2.4", Step::Minor, false), Err("incompatible_schema"));
        assert_eq!(of("1.3.0", Step::Major, false), Err("incompatible_schema"));
        assert_eq!(of("1.3.0", Step::Major, true).as_deref(), Ok("1.3.0"));
        for earlier in ["1.2.3", "1.2.2", "0.9.0"] {
            assert_eq!(of(earlier, Step::Patch, true), Err("invalid_request"), "{earlier}");
        }
    }
    #[test]
    fn a_version_whose_number_would_be_too_large_is_refused_with_what_to_do() {
        let latest: Version = "1.2147483647.0".parse().unwrap();
        let change = || Change { step: Step::Minor, places: Vec::new() };
        for asked_for in [None, Some("1.2147483647.1".parse().unwrap())] {
            let problem = new_version(latest, asked_for, change(), false).unwrap_err();
            assert_eq!(problem.code(), "invalid_request");
            let problem = serde_json::to_value(&problem).unwrap();
            assert!(problem["detail"].as_str().unwrap().contains("write another later version"), "{problem}");
        }
        let next: Version = "2.0.0".parse().unwrap();
        assert_eq!(new_version(latest, Some(next), change(), false).ok(), Some(next));
    }
}

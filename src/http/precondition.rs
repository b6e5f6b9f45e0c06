//! Which state of an entry a client knows: `If-Match` and `If-None-Match` (RFC 9110, section 13.1).

use axum::http::{HeaderMap, HeaderName, header};

use crate::http::error_status::RequestCode;
use crate::http::problem::Problem;

/// Checks that a client knows the state with this entity tag. Two clients that change the same do not undo each other.
///
/// # Errors
/// `precondition_required` without `If-Match`, `precondition_failed` when it names other states.
pub fn check(headers: &HeaderMap, etag: &str) -> Result<(), Problem> {
    if headers.contains_key(header::IF_MATCH) {
        return check_if_sent(headers, etag);
    }
    let detail = "send If-Match with the ETag of the version that you have read, so that nobody's change is lost";
    Err(Problem::new(RequestCode::PreconditionRequired, detail))
}

/// The same for a request that need not say.
///
/// # Errors
/// `precondition_failed` when it names other states.
pub fn check_if_sent(headers: &HeaderMap, etag: &str) -> Result<(), Problem> {
    let is_met = !headers.contains_key(header::IF_MATCH) || names(headers, header::IF_MATCH, etag, false);
    if is_met { Ok(()) } else { Err(failed()) }
}

/// Whether a client that reads has the state with this tag.
pub fn is_known(headers: &HeaderMap, etag: &str) -> bool {
    names(headers, header::IF_NONE_MATCH, etag, true)
}

/// The problem of a client that knows an earlier state.
pub fn failed() -> Problem {
    let detail = "it was changed since you have read it; read it again, and send its ETag";
    Problem::new(RequestCode::PreconditionFailed, detail)
}

/// Whether a header names a tag, or any. A weak one is good enough for readers only.
fn names(headers: &HeaderMap, name: HeaderName, etag: &str, is_weak_enough: bool) -> bool {
    let lists = headers.get_all(name).into_iter().filter_map(|list| list.to_str().ok());
    let mut tags = lists.flat_map(|list| list.split(',')).map(str::trim);
    tags.any(|tag| {
        let tag = if is_weak_enough { tag.strip_prefix("W/").unwrap_or(tag) } else { tag };
        tag == "*" || tag == etag
    })
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    #[test]
    fn one_of_several_tags_is_enough_and_a_weak_one_only_for_readers() {
        let with =
            |name: HeaderName, value: &'static str| HeaderMap::from_iter([(name, HeaderValue::from_static(value))]);
        for (value, reads, changes) in [
            (r#""a""#, true, true),
            (r#""b", "a""#, true, true),
            (r#"W/"a""#, true, false),
            ("*", true, true),
            (r#""b""#, false, false),
            ("a", false, false),
        ] {
            assert_eq!(is_known(&with(header::IF_NONE_MATCH, value), r#""a""#), reads, "{value}");
            assert_eq!(check(&with(header::IF_MATCH, value), r#""a""#).is_ok(), changes, "{value}");
        }
        assert_eq!(check(&HeaderMap::new(), r#""a""#).unwrap_err().code(), "precondition_required");
        assert!(check_if_sent(&HeaderMap::new(), r#""a""#).is_ok());
    }
}

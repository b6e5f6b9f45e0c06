//! Which state of a thing a client knows: `ETag`, `If-Match` and `If-None-Match` (RFC 9110, section 13.1).

use axum::http::{HeaderMap, header};
use sha2::{Digest as _, Sha256};

use crate::http::error_status::RequestCode;
use crate::http::problem::Problem;

/// Which state of a thing a change is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WantedState {
    /// The one whose entity tag was sent, and no other.
    Tagged,
    /// Any that there is: `*` was sent, or nothing.
    Any,
}

/// The entity tag of a text: another text has another one.
pub fn etag_of(text: &[u8]) -> String {
    let tag: String = Sha256::digest(text).iter().take(8).map(|byte| format!("{byte:02x}")).collect();
    format!("\"{tag}\"")
}

/// Checks that a client knows the state with this entity tag, or says that any will do. Two clients that change one thing
/// do not undo each other.
///
/// # Errors
/// `precondition_required` without `If-Match`, `invalid_request` if it is malformed, `precondition_failed` when it names
/// other states.
pub fn check(headers: &HeaderMap, etag: &str) -> Result<WantedState, Problem> {
    if headers.contains_key(header::IF_MATCH) {
        return check_if_sent(headers, etag);
    }
    let detail = "send If-Match with the ETag of the version that you have read, so that nobody's change is lost";
    Err(Problem::new(RequestCode::PreconditionRequired, detail))
}

/// The same for a request that need not say.
///
/// # Errors
/// `invalid_request` if `If-Match` is malformed, `precondition_failed` when it names other states.
pub fn check_if_sent(headers: &HeaderMap, etag: &str) -> Result<WantedState, Problem> {
    let mut lists = headers.get_all(header::IF_MATCH).iter().peekable();
    if lists.peek().is_none() {
        return Ok(WantedState::Any);
    }
    let tags: Option<Vec<_>> = lists.map(|list| list.to_str().ok()).collect();
    let tags: Vec<_> = tags.unwrap_or_default().into_iter().flat_map(members).collect();
    if tags.is_empty() || !tags.iter().all(|tag| is_tag(tag)) {
        let detail = "If-Match is malformed; send the ETag of the answer as it is there, with its quotes: \
                      If-Match: \"0123456789abcdef\", or If-Match: *";
        return Err(Problem::new(RequestCode::InvalidRequest, detail));
    }
    if tags.contains(&"*") {
        return Ok(WantedState::Any);
    }
    // Whoever changes something needs to know exactly this state: a weak tag is none of it.
    if tags.contains(&etag) { Ok(WantedState::Tagged) } else { Err(failed()) }
}

/// Whether a client that reads has the state with this tag. A weak one is good enough, and what is malformed names none.
pub fn is_known(headers: &HeaderMap, etag: &str) -> bool {
    let lists = headers.get_all(header::IF_NONE_MATCH).into_iter().filter_map(|list| list.to_str().ok());
    lists.flat_map(members).any(|tag| tag == "*" || tag.strip_prefix("W/").unwrap_or(tag) == etag)
}

/// The problem of a client that knows an earlier state.
pub fn failed() -> Problem {
    let detail = "it was changed since you have read it; read it again, and send its ETag";
    Problem::new(RequestCode::PreconditionFailed, detail)
}

/// The members of a list. Commas may stand within the quotes of one.
fn members(list: &str) -> impl Iterator<Item = &str> {
    let mut is_quoted = false;
    let is_end = move |character| {
        is_quoted ^= character == '"';
        character == ',' && !is_quoted
    };
    list.split(is_end).map(str::trim).filter(|member| !member.is_empty())
}

/// Whether this is an entity tag, or stands for any.
fn is_tag(member: &str) -> bool {
    let tag = member.strip_prefix("W/").unwrap_or(member);
    let opaque = tag.strip_prefix('"').and_then(|tag| tag.strip_suffix('"'));
    member == "*" || opaque.is_some_and(|opaque| !opaque.contains(['"', ' ', '\t']))
}

#[cfg(test)]
mod tests {
    use axum::http::{HeaderName, HeaderValue};

    use super::*;

    #[test]
    fn one_of_several_tags_is_enough_and_a_weak_one_only_for_readers() {
        let with =
            |name: HeaderName, value: &str| HeaderMap::from_iter([(name, HeaderValue::from_str(value).unwrap())]);
        let code = |checked: Result<WantedState, Problem>| checked.map_or_else(|problem| problem.code(), |_| "none");
        let (failed, malformed) = ("precondition_failed", "invalid_request");
        for (value, reads, changes) in [
            (r#""a""#, true, "none"),
            (r#""b", "a""#, true, "none"),
            (r#""b,c" ,, "a","#, true, "none"),
            (r#"W/"a""#, true, failed),
            ("*", true, "none"),
            (r#""b""#, false, failed),
            (r#""a,b""#, false, failed),
            ("a", false, malformed),
            ("", false, malformed),
            (r#""a"#, false, malformed),
            (r#"a""#, false, malformed),
            ("W/a", false, malformed),
            (r#""b", c"#, false, malformed),
            (r#""b" "c""#, false, malformed),
            ("\"\u{e4}\"", false, malformed),
        ] {
            assert_eq!(is_known(&with(header::IF_NONE_MATCH, value), r#""a""#), reads, "{value}");
            assert_eq!(code(check(&with(header::IF_MATCH, value), r#""a""#)), changes, "{value}");
        }
        let mut twice = with(header::IF_MATCH, r#""b""#);
        twice.append(header::IF_MATCH, HeaderValue::from_static(r#""a""#));
        assert_eq!(code(check(&twice, r#""a""#)), "none");
        assert_eq!(check(&HeaderMap::new(), r#""a""#).unwrap_err().code(), "precondition_required");
        let wanted = |headers: &HeaderMap| check_if_sent(headers, r#""a""#).ok();
        let any = ["*", r#""b", *"#].map(|value| with(header::IF_MATCH, value));
        for headers in any.iter().chain([&HeaderMap::new()]) {
            assert_eq!(wanted(headers), Some(WantedState::Any), "{headers:?}");
        }
        assert_eq!(wanted(&with(header::IF_MATCH, r#""a""#)), Some(WantedState::Tagged));
    }
}

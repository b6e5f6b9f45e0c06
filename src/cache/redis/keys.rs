//! Names in Redis: of an answer's key, of the bucket of an API key, and of the channel on which processes tell each other
//! what to forget.

use crate::domain::answer_key::{AnswerKey, AnswerNames};
use crate::domain::api_key::KeyId;
use crate::domain::fingerprint::Fingerprint;
use crate::domain::tenant::Tenant;

/// What the keys of all answers begin with.
const PREFIX: &str = "structured-prompt:answer:";
/// The channel. Redis has one set of channels for all of its databases.
pub(super) const CHANNEL: &str = "structured-prompt:answers-invalidated";

/// `structured-prompt:answer:TENANT:TAG:SCHEMA:TEMPLATE:QUESTION`, the question in hexadecimal digits.
pub(super) fn key(AnswerKey { question, names }: &AnswerKey) -> String {
    format!("{PREFIX}{}:{question}", names.as_str())
}

/// `structured-prompt:rate-limit:KEY`: the requests that an API key has left.
pub(super) fn bucket(key: &KeyId) -> String {
    format!("structured-prompt:rate-limit:{}", key.as_str())
}

/// Reads what [`key`] wrote; `None` for keys of others.
pub(super) fn parse(key: &[u8]) -> Option<AnswerKey> {
    let rest = std::str::from_utf8(key).ok()?.strip_prefix(PREFIX)?;
    let (names, question) = rest.rsplit_once(':')?;
    Some(AnswerKey { question: Fingerprint(digits(question)?), names: AnswerNames::parse(names)? })
}

/// The pattern of SCAN for a tenant's answers. No tenant's name has a character that is special in it.
pub(super) fn all_of(tenant: &Tenant) -> String {
    format!("{PREFIX}{}*", AnswerNames::prefix(tenant))
}

fn digits(text: &str) -> Option<[u8; 32]> {
    let text = text.as_bytes();
    if text.len() != 64 || !text.iter().all(u8::is_ascii_hexdigit) {
        return None;
    }
    let mut bytes = [0; 32];
    for (byte, pair) in bytes.iter_mut().zip(text.chunks_exact(2)) {
        *byte = u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok()?;
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_read_again_and_others_are_not() {
        let tenant = Tenant::new("acme", "sales").unwrap();
        let names = AnswerNames::new(&tenant, Some("spring sale"), "invoice", "inline");
        let own = AnswerKey { question: Fingerprint([0xa5; 32]), names };
        let text = key(&own);
        assert_eq!(
            text,
            format!("structured-prompt:answer:acme/sales:spring%20sale:invoice:inline:{}", "a5".repeat(32))
        );
        assert_eq!(parse(text.as_bytes()), Some(own));
        for other in [&text[1..], &text[..text.len() - 1], &text.replace("%20", " "), "structured-prompt:answer:", ""] {
            assert_eq!(parse(other.as_bytes()), None, "{other}");
        }
        assert_eq!(parse(b"structured-prompt:answer:\xff"), None);
        assert_eq!(all_of(&tenant), "structured-prompt:answer:acme/sales:*");
    }
}

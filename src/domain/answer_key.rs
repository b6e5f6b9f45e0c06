//! What an answer is remembered under.

use std::sync::Arc;

use crate::domain::fingerprint::Fingerprint;
use crate::domain::name_pattern::NamePattern;
use crate::domain::tenant::Tenant;

/// The question, and the names by which its answer can be invalidated.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AnswerKey {
    /// It covers the names too: equal questions have equal names.
    pub question: Fingerprint,
    /// Whose answer it is, and what it belongs to.
    pub names: AnswerNames,
}

/// Whose answer it is, the tag that the request gave it, and the names of its schema and template.
///
/// Kept as one text, `tenant:tag:schema:template`, because that is what a cache stores and sends. Each part has
/// other characters than ASCII letters, digits, `-`, `_`, `.` and `/` percent-encoded; no tag is an empty part.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AnswerNames(Arc<str>);

impl AnswerNames {
    /// These names. An empty tag is none.
    pub fn new(tenant: &Tenant, tag: Option<&str>, schema: &str, template: &str) -> Self {
        let mut text = encoded(tenant.path());
        for part in [tag.unwrap_or_default(), schema, template] {
            text.push(':');
            text.push_str(&encoded(part));
        }
        Self(text.into())
    }

    /// Reads what [`AnswerNames::as_str`] wrote; `None` for any other text.
    pub fn parse(text: &str) -> Option<Self> {
        let is_whole = text.split(':').count() == 4 && text.split(':').all(|part| decoded(part).is_some());
        is_whole.then(|| Self(text.into()))
    }

    /// All of them as one text without white space.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// What the texts of all names of a tenant begin with.
    pub fn prefix(tenant: &Tenant) -> String {
        encoded(tenant.path()) + ":"
    }

    /// Whether it is an answer of this tenant with a tag, a schema or a template of such a name.
    pub fn matches(&self, tenant: &Tenant, pattern: &NamePattern) -> bool {
        let Some(names) = self.0.strip_prefix(&Self::prefix(tenant)) else { return false };
        let mut names = names.split(':').filter(|name| !name.is_empty()).filter_map(decoded);
        names.any(|name| pattern.matches(&name))
    }
}

fn is_kept(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.' | b'/')
}

fn encoded(name: &str) -> String {
    let mut text = String::with_capacity(name.len());
    for byte in name.bytes() {
        if is_kept(byte) {
            text.push(char::from(byte));
        } else {
            text.push('%');
            text.extend([byte >> 4, byte & 15].into_iter().filter_map(|digit| char::from_digit(digit.into(), 16)));
        }
    }
    text
}

fn decoded(part: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(part.len());
    let mut rest = part.as_bytes();
    while let Some((first, after)) = rest.split_first() {
        rest = after;
        if *first == b'%' {
            let (digits, after) = rest.split_at_checked(2)?;
            bytes.push(u8::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()?);
            rest = after;
        } else {
            bytes.push(Some(*first).filter(|byte| is_kept(*byte))?);
        }
    }
    String::from_utf8(bytes).ok()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn acme(team: &str) -> Tenant {
        Tenant::new("acme", team).unwrap()
    }

    fn matches(names: &AnswerNames, pattern: &str) -> bool {
        names.matches(&acme("default"), &NamePattern::new(pattern))
    }

    #[test]
    fn an_answer_is_found_by_its_tag_its_schema_and_its_template() {
        let names = AnswerNames::new(&acme("default"), Some("spring sale"), "invoice", "invoice-de");
        for (pattern, is_match) in
            [("spring*", true), ("invoice", true), ("*-de", true), ("acme", false), ("sale", false), ("", false)]
        {
            assert_eq!(matches(&names, pattern), is_match, "{pattern}");
        }
        let untagged = AnswerNames::new(&acme("default"), None, "invoice", "inline");
        assert!(!matches(&untagged, ""), "no tag is not a tag of no characters");
    }

    #[test]
    fn no_name_can_pass_for_another_tenants_or_for_several() {
        for tenant in [acme("sales"), Tenant::default(), Tenant::new("acmee", "default").unwrap()] {
            let names = AnswerNames::new(&tenant, Some("a:b"), "s", "t");
            assert!(!matches(&names, "*"), "{tenant}");
        }
        let names = AnswerNames::new(&acme("default"), Some("a:b"), "s", "t");
        assert!(matches(&names, "a:b") && !matches(&names, "b"));
    }

    #[test]
    fn other_texts_are_no_names() {
        for text in ["", "a:b:c", "a:b:c:d:e", "a:b:c:%", "a:b:c:%zz", "a:b:c:%ff", "a:b c:d:e", "a:b:c:é"] {
            assert_eq!(AnswerNames::parse(text), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_again(team in "[a-zA-Z0-9._-]{1,9}", tag in "\\PC{1,9}", schema in "\\PC{1,9}") {
            let names = AnswerNames::new(&acme(&team), Some(&tag), &schema, "t");
            prop_assert_eq!(AnswerNames::parse(names.as_str()), Some(names.clone()));
            let whole = NamePattern::new(tag.replace(['*', '?'], "?"));
            prop_assert!(names.matches(&acme(&team), &whole));
            prop_assert!(names.as_str().is_ascii());
        }
    }
}

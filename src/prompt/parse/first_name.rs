//! The name with which an object begins that cannot be read.

use serde_json::Value;

use super::scan::inner_object;
use super::strict;

/// What follows the colon in code: paths, formats, addresses.
const CODE: [&str; 10] = [":", "?", "<", ">", "^", "#", ".", "=", "!", "//"];

/// Whether an object begins with a name in wrong quotes, or with a bare one and its colon.
pub(super) fn is_misquoted(inner: &str) -> bool {
    closing(inner).is_some_and(|_| !inner.starts_with('"')) || bare(inner).is_some()
}

/// The names that may be meant.
pub(super) fn possible(text: &str) -> Vec<String> {
    let inner = inner_object(text);
    let Some(closing) = closing(inner) else { return bare(inner).map(str::to_owned).into_iter().collect() };
    let mut chars = inner.chars();
    chars.next();
    let Some((name, after)) = chars.as_str().split_once(closing) else { return Vec::new() };
    // A set.
    if !name.contains(':') && after.trim_start().starts_with([',', '}']) {
        return Vec::new();
    }
    let unescaped = match strict::parse(&format!("\"{name}\"")) {
        Ok(Value::String(unescaped)) => unescaped,
        _ => name.to_owned(),
    };
    // Its own quote may be the one that is missing.
    let before_colon = name.split_once(':').map(|(name, _)| name.trim().to_owned());
    before_colon.into_iter().chain([unescaped]).collect()
}

/// What ends a name in quotes.
fn closing(inner: &str) -> Option<&'static [char]> {
    match inner.chars().next()? {
        '"' => Some(&['"']),
        '\'' => Some(&['\'']),
        '“' | '”' | '„' => Some(&['“', '”', '"']),
        '‘' | '’' => Some(&['‘', '’', '\'']),
        _ => None,
    }
}

fn bare(inner: &str) -> Option<&str> {
    let length = inner.find(|c: char| !c.is_alphanumeric() && !matches!(c, '_' | '-' | '$'))?;
    let (name, rest) = inner.split_at_checked(length)?;
    let after = rest.trim_start().strip_prefix(':')?;
    let is_name = name.starts_with(|c: char| c.is_alphabetic() || matches!(c, '_' | '$'));
    (is_name && !CODE.iter().any(|code| after.starts_with(code))).then_some(name)
}

//! Web addresses that a text gives without a scheme or `www.`, or with a slash at the end.

use std::ops::Range;

use super::budget::Budget;
use super::exact;

/// A web address as an answer has it.
#[derive(Debug)]
pub(super) struct WebAddress {
    /// Folded, without scheme, `www.` and the slash at the end.
    core: String,
    /// The scheme with its colon and slashes.
    scheme: String,
}

impl WebAddress {
    /// Reads a web address of the schemes `http` and `https`, or one that begins with `www.`.
    pub(super) fn of(folded: &str) -> Option<Self> {
        let scheme = ["https://", "http://", ""].into_iter().find(|scheme| folded.starts_with(scheme))?;
        let rest = folded.strip_prefix(scheme)?;
        if scheme.is_empty() && !rest.starts_with("www.") {
            return None;
        }
        let core = rest.strip_prefix("www.").unwrap_or(rest).trim_end_matches('/');
        let is_address = core.contains('.') && !core.contains(char::is_whitespace);
        is_address.then(|| Self { core: core.to_owned(), scheme: scheme.to_owned() })
    }

    /// Where a folded text has the address, if it names no other scheme.
    pub(super) fn find(&self, text: &str, most: usize, budget: &mut Budget) -> Vec<Range<usize>> {
        let places = exact::tokens(text, &self.core, usize::MAX, budget).into_iter();
        places.filter_map(|place| self.whole(text, place)).take(most).collect()
    }

    fn whole(&self, text: &str, place: Range<usize>) -> Option<Range<usize>> {
        let (before, after) = (text.get(..place.start)?, text.get(place.end..)?);
        let before = before.strip_suffix("www.").unwrap_or(before);
        let start = if let Some((scheme, shorter)) = scheme_at_end(before) {
            if !self.scheme.is_empty() && self.scheme != scheme {
                return None;
            }
            shorter.len()
        } else {
            before.len()
        };
        let is_within = |c: char| c.is_alphanumeric() || matches!(c, '.' | '-' | '_' | '@' | '/' | '%' | '=');
        let rest = after.strip_prefix('/').unwrap_or(after);
        let mut next = rest.trim_start_matches(['.', ',', ';', ':', '!', '?']).chars();
        let ends = rest.starts_with(['.', ',', ';', ':', '!', '?']) && !next.next().is_some_and(char::is_alphanumeric);
        let goes_on = rest.starts_with(|c: char| is_within(c) || matches!(c, '?' | '#' | '&' | ':' | '+' | '~'));
        let is_inner = text.get(..start)?.ends_with(is_within);
        (!is_inner && (!goes_on || ends)).then(|| start..text.len() - rest.len())
    }
}

fn scheme_at_end(text: &str) -> Option<(&'static str, &str)> {
    ["https://", "http://"].into_iter().find_map(|scheme| Some((scheme, text.strip_suffix(scheme)?)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found<'t>(text: &'t str, value: &str) -> Option<&'t str> {
        let place = WebAddress::of(value)?.find(text, 8, &mut Budget::new()).into_iter().next()?;
        text.get(place)
    }

    #[test]
    fn addresses_are_found_without_what_people_leave_out() {
        for (text, value, expected) in [
            ("see example.com.", "https://example.com/", "example.com"),
            ("see www.example.com/a, please", "https://example.com/a", "www.example.com/a"),
            ("(http://example.com/)", "http://www.example.com", "http://example.com/"),
            ("https://www.example.com", "www.example.com", "https://www.example.com"),
        ] {
            assert_eq!(found(text, value), Some(expected), "{value} in {text}");
        }
        for (text, value) in [
            ("http://example.com", "https://example.com"),
            ("example.com/a", "https://example.com"),
            ("shop.example.com", "https://example.com"),
            ("anna@example.com", "https://example.com"),
            ("example.com.au", "https://example.com"),
        ] {
            assert_eq!(found(text, value), None, "{value} in {text}");
        }
    }
}

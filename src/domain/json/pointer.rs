//! JSON Pointers (RFC 6901): the tokens of a place, escaped.

use std::borrow::Cow;

/// Appends a token.
pub fn push(pointer: &mut String, token: &str) {
    pointer.push('/');
    if !token.contains(['~', '/']) {
        pointer.push_str(token);
        return;
    }
    for c in token.chars() {
        match c {
            '~' => pointer.push_str("~0"),
            '/' => pointer.push_str("~1"),
            c => pointer.push(c),
        }
    }
}

/// The pointer to what is at `token` within the place of another one.
pub fn join(pointer: &str, token: &str) -> String {
    let mut joined = String::with_capacity(pointer.len() + 1 + token.len());
    joined.push_str(pointer);
    push(&mut joined, token);
    joined
}

/// The tokens of a pointer as they were before escaping; none for the root.
pub fn tokens(pointer: &str) -> impl Iterator<Item = Cow<'_, str>> {
    pointer.split('/').skip(1).map(unescaped)
}

/// The last token; none for the root.
pub fn last(pointer: &str) -> Option<Cow<'_, str>> {
    pointer.rsplit_once('/').map(|(_, token)| unescaped(token))
}

fn unescaped(token: &str) -> Cow<'_, str> {
    if token.contains('~') { Cow::Owned(token.replace("~1", "/").replace("~0", "~")) } else { Cow::Borrowed(token) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_are_what_was_pushed() {
        for names in [&[][..], &["a"], &["a/b~c", "", "0"], &["~1", "/~0"]] {
            let pointer = names.iter().fold(String::new(), |pointer, name| join(&pointer, name));
            assert_eq!(tokens(&pointer).collect::<Vec<_>>(), names, "{pointer}");
            assert_eq!(last(&pointer).as_deref(), names.last().copied());
        }
        assert_eq!(join("/a", "b/c~d"), "/a/b~1c~0d");
    }
}

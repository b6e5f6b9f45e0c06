//! Regular expressions: our own, and those of schemas.

use regex::{Regex, RegexBuilder};

pub(super) use crate::evidence::pattern::literal;

/// Compiled size that a schema's pattern may have; patterns come from users.
const SIZE_LIMIT: usize = 256 * 1024;

/// Steps of [`example`], so that `{1000000}` costs nothing.
const MAX_EXAMPLE: usize = 512;

/// A schema's pattern. `None` if this engine cannot read it, which validation will judge.
pub(super) fn of_schema(pattern: &str) -> Option<Regex> {
    RegexBuilder::new(pattern).size_limit(SIZE_LIMIT).nest_limit(50).build().ok()
}

/// A short string that matches a simple pattern: literals, classes, first alternatives, fewest repetitions.
pub(super) fn example(pattern: &str) -> Option<String> {
    let mut out = String::new();
    let mut chars = pattern.chars().take(MAX_EXAMPLE).peekable();
    // The atom before a quantifier, and where groups began.
    let mut groups: Vec<usize> = Vec::new();
    let mut atom = 0;
    while let Some(c) = chars.next() {
        match c {
            '^' | '$' => {}
            '(' => groups.push(out.len()),
            ')' => atom = groups.pop()?,
            '|' if groups.is_empty() => break,
            '|' => skip_alternatives(&mut chars),
            '?' | '*' => {
                if chars.peek() != Some(&':') || c == '*' {
                    out.truncate(atom);
                } else {
                    chars.next();
                }
            }
            '+' => {}
            '{' => repeat(&mut out, atom, &mut chars)?,
            _ => {
                atom = out.len();
                out.push(single(c, &mut chars)?);
            }
        }
    }
    of_schema(pattern)?.is_match(&out).then_some(out)
}

type Chars<'a> = std::iter::Peekable<std::iter::Take<std::str::Chars<'a>>>;

/// Reads on to before the parenthesis that closes the group.
fn skip_alternatives(chars: &mut Chars<'_>) {
    let mut depth = 0;
    while let Some(c) = chars.peek() {
        match c {
            '(' => depth += 1,
            ')' if depth == 0 => return,
            ')' => depth -= 1,
            _ => {}
        }
        chars.next();
    }
}

/// `{n}`, `{n,}` or `{n,m}`: the atom `n` times.
fn repeat(out: &mut String, atom: usize, chars: &mut Chars<'_>) -> Option<()> {
    let range: String = chars.by_ref().take_while(|c| *c != '}').collect();
    let least: usize = range.split(',').next()?.trim().parse().ok()?;
    let piece = out.get(atom..)?.to_owned();
    if piece.len().saturating_mul(least) > MAX_EXAMPLE {
        return None;
    }
    out.truncate(atom);
    out.push_str(&piece.repeat(least));
    Some(())
}

fn single(c: char, chars: &mut Chars<'_>) -> Option<char> {
    match c {
        '.' => Some('x'),
        '[' => class(chars),
        '\\' => match chars.next()? {
            'd' => Some('0'),
            'w' => Some('x'),
            's' => Some(' '),
            escaped if escaped.is_alphanumeric() => None,
            escaped => Some(escaped),
        },
        _ => Some(c),
    }
}

/// The first member of a class such as `[A-Z0-9]`; negated classes are beyond us.
fn class(chars: &mut Chars<'_>) -> Option<char> {
    let first = match chars.next()? {
        '^' => return None,
        '\\' => single('\\', chars)?,
        c => c,
    };
    while let Some(c) = chars.next() {
        match c {
            '\\' => drop(chars.next()),
            ']' => return Some(first),
            _ => {}
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn simple_patterns_have_examples() {
        for (pattern, wanted) in [
            ("^[a-z]{2}$", Some("aa")),
            ("^[A-Z]{3}-\\d{4}$", Some("AAA-0000")),
            ("^(?:red|green)?x+$", Some("x")),
            ("^(INV|ORD)-[0-9]+$", Some("INV-0")),
            ("^[^a]$", None),
            ("^x{999999}$", None),
            ("(", None),
        ] {
            assert_eq!(example(pattern).as_deref(), wanted, "{pattern}");
        }
    }
}

//! What a reader of a result should know about it.

use std::borrow::Cow;
use std::fmt::{self, Write as _};
use std::sync::Arc;

/// Something a reader of the result should know about it (`flags` attribute).
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Flag {
    /// The input looked like an injection attempt, by the pattern of this name.
    SuspiciousInput(&'static str),
    /// A value does not stand in the record's own text: its JSON Pointer.
    Ungrounded(Arc<str>),
    /// So many more values do not.
    UngroundedMore(usize),
    /// A value does not, and null is published instead: its JSON Pointer.
    Nulled(Arc<str>),
    /// The confidence is below the connector's threshold.
    LowConfidence,
}

impl Flag {
    /// The pattern of an injection attempt, if it is about one.
    pub fn pattern(&self) -> Option<&'static str> {
        match self {
            Self::SuspiciousInput(pattern) => Some(pattern),
            Self::Ungrounded(_) | Self::UngroundedMore(_) | Self::Nulled(_) | Self::LowConfidence => None,
        }
    }

    /// The text that users see.
    pub fn text(&self) -> Cow<'static, str> {
        match self {
            Self::SuspiciousInput(pattern) => format!("suspicious-input:{pattern}").into(),
            Self::Ungrounded(pointer) => format!("ungrounded:{}", UriFragment(pointer)).into(),
            Self::UngroundedMore(count) => format!("ungrounded:+{count}").into(),
            Self::Nulled(pointer) => format!("nulled:{}", UriFragment(pointer)).into(),
            Self::LowConfidence => "low-confidence".into(),
        }
    }
}

/// A JSON Pointer as it stands in a URI fragment (RFC 6901, section 6): without white space, and without the commas that
/// separate flags in a header.
struct UriFragment<'a>(&'a str);

impl fmt::Display for UriFragment<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.bytes().try_for_each(|byte| match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'/' | b'-' | b'.' | b'_' | b'~' => {
                f.write_char(char::from(byte))
            }
            other => write!(f, "%{other:02X}"),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pointer_in_a_flag_has_neither_commas_nor_spaces() {
        let flag = Flag::Ungrounded("/größe, in cm/0".into());
        assert_eq!(flag.text(), "ungrounded:/gr%C3%B6%C3%9Fe%2C%20in%20cm/0");
        assert_eq!(Flag::UngroundedMore(3).text(), "ungrounded:+3");
    }
}

//! Mends what needs no guess: where JSON leaves only one meaning that the text can have.
//!
//! - A control character within a string (a raw line break, a tab) is escaped.
//! - `\'` within a string is the quote itself, as in every language that has this escape.
//! - A comma before a closing bracket, and comments, are left out.
//! - White space that is none in JSON (no-break spaces, byte-order marks) becomes a space outside strings.
//! - `True`, `False` and `None` are Python's words for JSON's.
//!
//! What could mean two things stays as it is, and is refused by the parser: `NaN`, single quotes around strings, other
//! escapes (`\d` may be a backslash and a letter, or a slip), missing commas, missing quotes.

use super::scan;

/// The text with all of that mended. `text` need not be JSON; what is no fault of these kinds is copied.
pub(super) fn mended(text: &str) -> String {
    let mut mended = Mended { out: String::with_capacity(text.len()), comma: None, last: None };
    let mut rest = text;
    while let Some(char) = rest.chars().next() {
        let length = match char {
            '"' => mended.string(rest),
            '/' => scan::comment(rest).unwrap_or_else(|| mended.other('/')),
            _ if char.is_ascii_alphabetic() => mended.word(rest),
            _ => mended.other(char),
        };
        rest = rest.get(length..).unwrap_or_default();
    }
    mended.out
}

struct Mended {
    out: String,
    /// Where in `out` a comma stands that only white space has followed so far.
    comma: Option<usize>,
    /// The last character that is no white space.
    last: Option<char>,
}

// Each of these copies something from the beginning of the text and returns how many bytes of it.
impl Mended {
    fn other(&mut self, char: char) -> usize {
        match char {
            ' ' | '\t' | '\r' | '\n' => self.out.push(char),
            '\u{200B}' | '\u{FEFF}' => self.out.push(' '),
            _ if char.is_whitespace() => self.out.push(' '),
            _ => self.token(char),
        }
        char.len_utf8()
    }

    fn token(&mut self, char: char) {
        match char {
            ',' => {
                let follows_value = !matches!(self.last, None | Some('[' | '{' | ',' | ':'));
                self.comma = follows_value.then_some(self.out.len());
            }
            '}' | ']' => {
                if let Some(at) = self.comma.take() {
                    self.out.remove(at);
                }
            }
            _ => self.comma = None,
        }
        self.last = Some(char);
        self.out.push(char);
    }

    fn word(&mut self, text: &str) -> usize {
        let length = text.find(|c: char| !c.is_ascii_alphanumeric()).unwrap_or(text.len());
        let word = text.get(..length).unwrap_or_default();
        self.out.push_str(match word {
            "True" => "true",
            "False" => "false",
            "None" => "null",
            _ => word,
        });
        (self.comma, self.last) = (None, Some('a'));
        length
    }

    fn string(&mut self, text: &str) -> usize {
        (self.comma, self.last) = (None, Some('"'));
        self.out.push('"');
        let mut chars = text.char_indices().skip(1);
        while let Some((at, char)) = chars.next() {
            match char {
                '"' => {
                    self.out.push('"');
                    return at + 1;
                }
                '\\' => match chars.next() {
                    Some((_, '\'')) => self.out.push('\''),
                    Some((_, escaped)) => self.out.extend(['\\', escaped]),
                    None => self.out.push('\\'),
                },
                '\n' => self.out.push_str("\\n"),
                '\r' => self.out.push_str("\\r"),
                '\t' => self.out.push_str("\\t"),
                '\0'..='\u{1F}' => self.out.push_str(&format!("\\u{:04x}", u32::from(char))),
                _ => self.out.push(char),
            }
        }
        text.len()
    }
}

#[cfg(test)]
mod tests {
    use super::mended;

    #[test]
    fn only_what_has_one_meaning_is_changed() {
        for (text, wanted) in [
            ("{\"a\":\"x\ny\"}", r#"{"a":"x\ny"}"#),
            ("{\"a\":\"\t\r\u{1}\0\"}", r#"{"a":"\t\r\u0001\u0000"}"#),
            (r#"{"a":"it\'s"}"#, r#"{"a":"it's"}"#),
            (r#"{"a":[1,],"b":2 , }"#, r#"{"a":[1],"b":2  }"#),
            ("{\"a\":1, // one\n}", "{\"a\":1 \n}"),
            (r#"{/* "b": 2, */"a":1}"#, r#"{"a":1}"#),
            ("{\u{a0}\"a\":\u{feff}1,\u{2003}}", "{ \"a\": 1 }"),
            (r#"{"a":True,"b":[None,False]}"#, r#"{"a":true,"b":[null,false]}"#),
        ] {
            assert_eq!(mended(text), wanted, "{text}");
        }
    }

    #[test]
    fn what_could_mean_two_things_stays() {
        for text in [
            r#"{"a":"\d\_\$"}"#,
            "{\"a\":\"x\\\ny\"}",
            r#"{"a":[,],"b":[1,,],"c":}"#,
            r#"{"a":NaN,"b":TRUE,"c":nil}"#,
            r#"{"a":"// no comment, True /* none */ ,}"}"#,
            "{\"日本\":\"語,]\u{a0}\u{feff}\"}",
            r#"{"a":"open"#,
        ] {
            assert_eq!(mended(text), text);
        }
    }
}

//! One pass over a JSON text.

use std::borrow::Cow;

use serde_json::map::Entry;
use serde_json::{Map, Number, Value};

use super::{Fault, FaultKind, MAX_DEPTH, MAX_DIGITS};

/// Reads a text from its beginning, value by value.
#[derive(Debug)]
pub struct Reader<'a> {
    text: &'a str,
    at: usize,
    /// Where the last member's name began.
    name_at: usize,
    depth: usize,
}

impl<'a> Reader<'a> {
    /// Begins at the first character.
    pub fn new(text: &'a str) -> Self {
        Self { text, at: 0, name_at: 0, depth: 0 }
    }

    /// Reads the next value.
    ///
    /// # Errors
    /// The first [`Fault`]; after it the reader is of no more use.
    pub fn value(&mut self) -> Result<Value, Fault> {
        self.skip_space();
        match self.peek() {
            Some(b'{') => self.object().map(Value::Object),
            Some(b'[') => self.array().map(Value::Array),
            Some(b'"') => self.string().map(|text| Value::String(text.into_owned())),
            Some(b't') => self.word("true", Value::Bool(true)),
            Some(b'f') => self.word("false", Value::Bool(false)),
            Some(b'n') => self.word("null", Value::Null),
            Some(b'-' | b'0'..=b'9') => self.number().map(Value::Number),
            _ => Err(self.unexpected()),
        }
    }

    /// Reads an object, and gives each name to `member`, which must read exactly one value. Names may be repeated: that
    /// is for `member` to notice.
    ///
    /// # Errors
    /// The first [`Fault`], or the first error of `member`.
    pub fn members<E: From<Fault>>(
        &mut self,
        mut member: impl FnMut(Cow<'a, str>, &mut Self) -> Result<(), E>,
    ) -> Result<(), E> {
        self.skip_space();
        self.open(b'{')?;
        if self.closes(b'}') {
            return Ok(());
        }
        loop {
            let name = self.name()?;
            member(name, self)?;
            if self.ends(b'}')? {
                return Ok(());
            }
        }
    }

    /// Reads an array, and gives the index of each element to `element`, which must read exactly one value.
    ///
    /// # Errors
    /// The first [`Fault`], or the first error of `element`.
    pub fn elements<E: From<Fault>>(
        &mut self,
        mut element: impl FnMut(usize, &mut Self) -> Result<(), E>,
    ) -> Result<(), E> {
        self.skip_space();
        self.open(b'[')?;
        if self.closes(b']') {
            return Ok(());
        }
        for index in 0.. {
            element(index, self)?;
            if self.ends(b']')? {
                break;
            }
        }
        Ok(())
    }

    /// Checks that nothing but space follows.
    ///
    /// # Errors
    /// [`FaultKind::Syntax`].
    pub fn end(&mut self) -> Result<(), Fault> {
        self.skip_space();
        if self.at == self.text.len() { Ok(()) } else { Err(self.fault(FaultKind::Syntax)) }
    }

    /// The first byte of what comes next, without reading it: it tells the kind of a value.
    pub fn next_byte(&mut self) -> Option<u8> {
        self.skip_space();
        self.peek()
    }

    /// How far the text was read, in bytes.
    pub fn position(&self) -> usize {
        self.at
    }

    fn fault(&self, kind: FaultKind) -> Fault {
        self.fault_at(self.at, kind)
    }

    fn fault_at(&self, at: usize, kind: FaultKind) -> Fault {
        let before = self.text.get(..at).unwrap_or(self.text);
        let line_start = before.rfind('\n').map_or(0, |end| end + 1);
        let line = before.bytes().filter(|byte| *byte == b'\n').count() + 1;
        let column = before.get(line_start..).unwrap_or_default().chars().count() + 1;
        Fault { kind, line, column, path: Vec::new() }
    }

    fn object(&mut self) -> Result<Map<String, Value>, Fault> {
        let mut object = Map::new();
        self.members(|name, reader| match object.entry(name) {
            Entry::Occupied(entry) => {
                Err(reader.fault_at(reader.name_at, FaultKind::Repeated).within(entry.key().as_str()))
            }
            Entry::Vacant(entry) => match reader.value() {
                Ok(value) => {
                    entry.insert(value);
                    Ok(())
                }
                Err(fault) => Err(fault.within(entry.key().as_str())),
            },
        })?;
        Ok(object)
    }

    fn array(&mut self) -> Result<Vec<Value>, Fault> {
        let mut items = Vec::new();
        self.elements(|index, reader| {
            items.push(reader.value().map_err(|fault| fault.within(index.to_string()))?);
            Ok::<_, Fault>(())
        })?;
        Ok(items)
    }

    /// A number, its text as it stands.
    pub(super) fn number(&mut self) -> Result<Number, Fault> {
        let start = self.at;
        self.take(b'-');
        let leading_zero = self.peek() == Some(b'0');
        let whole = self.digits()?;
        if leading_zero && whole > 1 {
            self.at = start;
            return Err(self.fault(FaultKind::Syntax));
        }
        if self.take(b'.') {
            self.digits()?;
        }
        let mut exponent = "";
        if self.take(b'e') || self.take(b'E') {
            if !self.take(b'-') {
                self.take(b'+');
            }
            let from = self.at;
            self.digits()?;
            exponent = self.text.get(from..self.at).unwrap_or_default();
        }
        let text = self.text.get(start..self.at).unwrap_or_default();
        // An exponent that does not fit is longer than any that does.
        let shift = if exponent.is_empty() { 0 } else { exponent.parse().unwrap_or(usize::MAX) };
        if text.len().saturating_add(shift) > MAX_DIGITS {
            self.at = start;
            return Err(self.fault(FaultKind::TooManyDigits));
        }
        Ok(Number::from_string_unchecked(text.to_owned()))
    }

    /// One digit or more; their number.
    fn digits(&mut self) -> Result<usize, Fault> {
        let start = self.at;
        while matches!(self.peek(), Some(b'0'..=b'9')) {
            self.at += 1;
        }
        if self.at == start { Err(self.unexpected()) } else { Ok(self.at - start) }
    }

    fn string(&mut self) -> Result<Cow<'a, str>, Fault> {
        let start = self.at;
        self.at += 1;
        let mut is_plain = true;
        loop {
            let rest = self.text.as_bytes().get(self.at..).unwrap_or_default();
            let Some(next) = rest.iter().position(|byte| matches!(byte, b'"' | b'\\' | 0..=0x1f)) else {
                self.at = self.text.len();
                return Err(self.fault(FaultKind::EndsEarly));
            };
            self.at += next;
            match self.peek() {
                Some(b'"') => break,
                Some(b'\\') => {
                    is_plain = false;
                    // Whatever is escaped, the quote included, does not end the string.
                    self.at += 2;
                }
                _ => return Err(self.fault(FaultKind::Syntax)),
            }
        }
        self.at += 1;
        if is_plain {
            return Ok(Cow::Borrowed(self.text.get(start + 1..self.at - 1).unwrap_or_default()));
        }
        let quoted = self.text.get(start..self.at).unwrap_or_default();
        serde_json::from_str(quoted).map(Cow::Owned).map_err(|error| {
            self.at = start + error.column().saturating_sub(1);
            self.fault(FaultKind::Syntax)
        })
    }

    /// A member's name and the colon after it.
    fn name(&mut self) -> Result<Cow<'a, str>, Fault> {
        self.skip_space();
        if self.peek() != Some(b'"') {
            return Err(self.unexpected());
        }
        self.name_at = self.at;
        let name = self.string()?;
        self.skip_space();
        if self.take(b':') { Ok(name) } else { Err(self.unexpected()) }
    }

    fn word(&mut self, word: &str, value: Value) -> Result<Value, Fault> {
        let rest = self.text.get(self.at..).unwrap_or_default();
        if rest.starts_with(word) {
            self.at += word.len();
            return Ok(value);
        }
        let is_cut = word.starts_with(rest);
        self.at += rest.bytes().zip(word.bytes()).take_while(|(found, wanted)| found == wanted).count();
        Err(self.fault(if is_cut { FaultKind::EndsEarly } else { FaultKind::Syntax }))
    }

    /// Steps into an object or array.
    fn open(&mut self, bracket: u8) -> Result<(), Fault> {
        if self.depth == MAX_DEPTH {
            return Err(self.fault(FaultKind::TooDeep));
        }
        if !self.take(bracket) {
            return Err(self.unexpected());
        }
        self.depth += 1;
        Ok(())
    }

    /// Steps out, if the bracket comes next.
    fn closes(&mut self, bracket: u8) -> bool {
        self.skip_space();
        let closes = self.take(bracket);
        self.depth -= usize::from(closes);
        closes
    }

    /// After a value: steps out, or over the comma before the next one.
    fn ends(&mut self, bracket: u8) -> Result<bool, Fault> {
        if self.closes(bracket) {
            return Ok(true);
        }
        if self.take(b',') { Ok(false) } else { Err(self.unexpected()) }
    }

    fn skip_space(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\n' | b'\r' | b'\t')) {
            self.at += 1;
        }
    }

    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn take(&mut self, byte: u8) -> bool {
        let found = self.peek() == Some(byte);
        self.at += usize::from(found);
        found
    }

    fn unexpected(&self) -> Fault {
        self.fault(if self.at >= self.text.len() { FaultKind::EndsEarly } else { FaultKind::Syntax })
    }
}

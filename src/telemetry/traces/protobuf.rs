//! Protobuf's wire format: as much of it as OTLP needs.

/// A message that is being written. Fields that have their default value are left out, as proto3 wants it.
#[derive(Debug, Default)]
pub(super) struct Message(Vec<u8>);

/// How a field's value is written.
#[derive(Clone, Copy)]
enum WireType {
    Varint = 0,
    Fixed64 = 1,
    Length = 2,
    Fixed32 = 5,
}

impl Message {
    /// Its bytes.
    pub(super) fn into_bytes(self) -> Vec<u8> {
        self.0
    }

    pub(super) fn uint(&mut self, field: u32, value: u64) {
        if value != 0 {
            self.tag(field, WireType::Varint);
            self.varint(value);
        }
    }

    pub(super) fn fixed64(&mut self, field: u32, value: u64) {
        if value != 0 {
            self.tag(field, WireType::Fixed64);
            self.0.extend(value.to_le_bytes());
        }
    }

    pub(super) fn fixed32(&mut self, field: u32, value: u32) {
        if value != 0 {
            self.tag(field, WireType::Fixed32);
            self.0.extend(value.to_le_bytes());
        }
    }

    pub(super) fn bytes(&mut self, field: u32, value: &[u8]) {
        if !value.is_empty() {
            self.length_delimited(field, value);
        }
    }

    pub(super) fn text(&mut self, field: u32, value: &str) {
        self.bytes(field, value.as_bytes());
    }

    /// A message within this one, also an empty one.
    pub(super) fn message(&mut self, field: u32, write: impl FnOnce(&mut Self)) {
        let mut inner = Self::default();
        write(&mut inner);
        self.length_delimited(field, &inner.0);
    }

    /// A member of a `oneof`, which is written though it has its default value.
    pub(super) fn one_of(&mut self, field: u32, value: OneOf<'_>) {
        match value {
            OneOf::Text(text) => self.length_delimited(field, text.as_bytes()),
            OneOf::Bool(value) => {
                self.tag(field, WireType::Varint);
                self.varint(u64::from(value));
            }
            OneOf::Int(value) => {
                self.tag(field, WireType::Varint);
                // Negative numbers are written as the 64 bits that they have.
                self.varint(value.cast_unsigned());
            }
            OneOf::Double(value) => {
                self.tag(field, WireType::Fixed64);
                self.0.extend(value.to_le_bytes());
            }
        }
    }

    fn length_delimited(&mut self, field: u32, value: &[u8]) {
        self.tag(field, WireType::Length);
        self.varint(value.len() as u64);
        self.0.extend(value);
    }

    fn tag(&mut self, field: u32, wire_type: WireType) {
        self.varint(u64::from(field << 3 | wire_type as u32));
    }

    fn varint(&mut self, mut value: u64) {
        while value >= 0x80 {
            self.0.push((value & 0x7f) as u8 | 0x80);
            value >>= 7;
        }
        self.0.push((value & 0x7f) as u8);
    }
}

/// A member of a `oneof`.
pub(super) enum OneOf<'a> {
    Text(&'a str),
    Bool(bool),
    Int(i64),
    Double(f64),
}

/// The value of a field that was read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Field<'a> {
    /// A number, however it was written.
    Number(u64),
    /// Bytes, a text or a message.
    Bytes(&'a [u8]),
}

/// The fields of a message with their numbers, in order; up to the first byte that is not protobuf.
pub(super) fn fields(mut rest: &[u8]) -> impl Iterator<Item = (u64, Field<'_>)> {
    std::iter::from_fn(move || {
        let tag = take_varint(&mut rest)?;
        let field = match tag & 7 {
            0 => Field::Number(take_varint(&mut rest)?),
            1 => Field::Number(u64::from_le_bytes(take(&mut rest, 8)?.try_into().ok()?)),
            2 => {
                let length = usize::try_from(take_varint(&mut rest)?).ok()?;
                Field::Bytes(take(&mut rest, length)?)
            }
            5 => Field::Number(u64::from(u32::from_le_bytes(take(&mut rest, 4)?.try_into().ok()?))),
            _ => return None,
        };
        Some((tag >> 3, field))
    })
}

fn take<'a>(rest: &mut &'a [u8], length: usize) -> Option<&'a [u8]> {
    let (taken, left) = rest.split_at_checked(length)?;
    *rest = left;
    Some(taken)
}

fn take_varint(rest: &mut &[u8]) -> Option<u64> {
    let mut value = 0;
    for place in 0..10 {
        let byte = *take(rest, 1)?.first()?;
        value |= u64::from(byte & 0x7f) << (7 * place);
        if byte < 0x80 {
            return Some(value);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_written_is_read() {
        let mut message = Message::default();
        message.uint(1, 150);
        message.text(2, "testing");
        message.fixed64(300, u64::MAX);
        message.fixed32(5, 7);
        let bytes = message.into_bytes();
        let read: Vec<_> = fields(&bytes).collect();
        let testing = Field::Bytes(b"testing");
        assert_eq!(
            read,
            [(1, Field::Number(150)), (2, testing), (300, Field::Number(u64::MAX)), (5, Field::Number(7))]
        );
        for length in 0..bytes.len() {
            assert!(fields(&bytes[..length]).count() < 4, "cut at {length}");
        }
    }

    #[test]
    fn fields_are_written_as_the_encoding_guide_shows() {
        let mut message = Message::default();
        message.uint(1, 150);
        message.text(2, "testing");
        message.message(3, |inner| inner.uint(1, 150));
        message.fixed32(5, 1);
        message.one_of(6, OneOf::Int(-1));
        message.uint(7, 0);
        let expected = [
            &[0x08, 0x96, 0x01][..],
            &[0x12, 0x07],
            b"testing",
            &[0x1a, 0x03, 0x08, 0x96, 0x01],
            &[0x2d, 1, 0, 0, 0],
            &[0x30, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01],
        ];
        assert_eq!(message.into_bytes(), expected.concat());
    }
}

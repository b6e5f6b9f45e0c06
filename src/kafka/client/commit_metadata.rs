//! The completed map: which records beyond a committed offset have an outcome already, as text for the commit's
//! metadata.
//!
//! Outcomes come in any order, and a commit can only name the end of the contiguous prefix. The map carries the rest,
//! so that a restart repeats what was unfinished and nothing else. It survives transactions: the client writes the
//! metadata in `TxnOffsetCommit` too.
//!
//! Format: `sp1`, the letter of an encoding, and base64url without padding. `r` is runs: LEB128 pairs of how many
//! offsets are open and how many are then completed. `b` is a bit for each offset, the least significant first. Both
//! count from the committed offset; the shorter one is taken. ASCII, because clients of other languages print metadata.

use std::fmt;
use std::ops::Range;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

/// Longest text that a broker takes by default (`offset.metadata.max.bytes`).
pub(crate) const MAX_CHARS: usize = 4096;
const PREFIX: &str = "sp";
const VERSION: &str = "sp1";
const RUNS: char = 'r';
const BITS: char = 'b';
/// Bytes that fit besides the version and the letter.
const MAX_BYTES: usize = (MAX_CHARS - VERSION.len() - 1) / 4 * 3;

/// Offsets that have an outcome: ascending ranges that do not touch.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Completed {
    ranges: Vec<Range<i64>>,
}

/// Why metadata is not a map. The offset beside it stands; without the map what was completed beyond it is repeated.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MetadataError {
    /// Somebody else's words.
    Foreign,
    /// A map of a version that is not known here.
    OtherVersion,
    /// Ours, but damaged.
    Damaged,
}

impl fmt::Display for MetadataError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Foreign => "was not written by structured-prompt",
            Self::OtherVersion => "was written by another version of structured-prompt",
            Self::Damaged => "is damaged",
        })
    }
}

/// A map as text.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Encoded {
    /// The metadata; empty when nothing is completed beyond the offset.
    pub text: String,
    /// False if the end of the map did not fit.
    pub is_whole: bool,
}

impl Completed {
    /// Adds offsets behind all those that are there.
    pub(crate) fn push(&mut self, range: Range<i64>) {
        match self.ranges.last_mut() {
            Some(last) if last.end >= range.start => last.end = last.end.max(range.end),
            _ if range.is_empty() => {}
            _ => self.ranges.push(range),
        }
    }

    /// True if this offset has an outcome.
    pub fn contains(&self, offset: i64) -> bool {
        let after = self.ranges.partition_point(|range| range.end <= offset);
        self.ranges.get(after).is_some_and(|range| range.contains(&offset))
    }

    /// The ranges from this offset on.
    pub(crate) fn from(&self, offset: i64) -> impl Iterator<Item = Range<i64>> {
        let after = self.ranges.partition_point(|range| range.end <= offset);
        self.ranges.iter().skip(after).map(move |range| range.start.max(offset)..range.end)
    }

    /// As metadata of a commit of `base`, which lies before all of it.
    pub(crate) fn encode(&self, base: i64) -> Encoded {
        if self.ranges.is_empty() {
            return Encoded { text: String::new(), is_whole: true };
        }
        let (runs, bits) = (self.runs(base), self.bits(base));
        let is_whole = runs.1 || bits.1;
        // Of two that are whole the shorter; otherwise the one that says more.
        let takes_runs = match (runs.1, bits.1) {
            (true, true) => runs.0.len() <= bits.0.len(),
            (runs_whole, false) if runs_whole => true,
            (_, true) => false,
            (_, false) => decode_runs(&runs.0, base).map_or(0, |map| map.end()) >= decode_bits(&bits.0, base).end(),
        };
        let (letter, bytes) = if takes_runs { (RUNS, runs.0) } else { (BITS, bits.0) };
        Encoded { text: format!("{VERSION}{letter}{}", URL_SAFE_NO_PAD.encode(bytes)), is_whole }
    }

    /// What metadata beside a committed offset says.
    ///
    /// # Errors
    /// [`MetadataError`] when it is no map.
    pub fn decode(text: &str, base: i64) -> Result<Self, MetadataError> {
        if text.is_empty() {
            return Ok(Self::default());
        }
        let Some(rest) = text.strip_prefix(VERSION) else {
            let is_ours = text.strip_prefix(PREFIX).is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_digit()));
            return Err(if is_ours { MetadataError::OtherVersion } else { MetadataError::Foreign });
        };
        let bytes = |rest: &str| URL_SAFE_NO_PAD.decode(rest).map_err(|_| MetadataError::Damaged);
        if let Some(rest) = rest.strip_prefix(RUNS) {
            return decode_runs(&bytes(rest)?, base).ok_or(MetadataError::Damaged);
        }
        match rest.strip_prefix(BITS) {
            Some(rest) if base.checked_add(i64::from(u32::MAX)).is_some() => Ok(decode_bits(&bytes(rest)?, base)),
            Some(_) => Err(MetadataError::Damaged),
            None if rest.starts_with(|c: char| c.is_ascii_digit()) => Err(MetadataError::OtherVersion),
            None => Err(MetadataError::Damaged),
        }
    }

    /// One past the last offset that has an outcome; 0 if there is none.
    fn end(&self) -> i64 {
        self.ranges.last().map_or(0, |range| range.end)
    }

    /// Runs, and whether they are all there.
    fn runs(&self, base: i64) -> (Vec<u8>, bool) {
        let (mut bytes, mut at) = (Vec::new(), base);
        for range in &self.ranges {
            let before = bytes.len();
            write_number(&mut bytes, range.start.abs_diff(at));
            write_number(&mut bytes, range.end.abs_diff(range.start));
            if bytes.len() > MAX_BYTES {
                bytes.truncate(before);
                return (bytes, false);
            }
            at = range.end;
        }
        (bytes, true)
    }

    /// Bits, and whether they are all there.
    fn bits(&self, base: i64) -> (Vec<u8>, bool) {
        let mut bytes = Vec::new();
        for offset in self.ranges.iter().cloned().flatten() {
            let position = offset.abs_diff(base);
            let Some(index) = usize::try_from(position / 8).ok().filter(|index| *index < MAX_BYTES) else {
                return (bytes, false);
            };
            if index >= bytes.len() {
                bytes.resize(index + 1, 0);
            }
            if let Some(byte) = bytes.get_mut(index) {
                *byte |= 1 << (position % 8);
            }
        }
        (bytes, true)
    }
}

fn decode_runs(bytes: &[u8], base: i64) -> Option<Completed> {
    let (mut map, mut at, mut rest) = (Completed::default(), base, bytes);
    while !rest.is_empty() {
        let start = at.checked_add(read_number(&mut rest)?)?;
        at = start.checked_add(read_number(&mut rest)?)?;
        map.push(start..at);
    }
    Some(map)
}

fn decode_bits(bytes: &[u8], base: i64) -> Completed {
    let mut map = Completed::default();
    for (offset, bit) in (base..).zip(bytes.iter().flat_map(|byte| (0..8).map(move |bit| byte >> bit & 1))) {
        if bit == 1 {
            map.push(offset..offset + 1);
        }
    }
    map
}

/// LEB128.
fn write_number(bytes: &mut Vec<u8>, mut number: u64) {
    while number >= 0x80 {
        #[allow(clippy::cast_possible_truncation, reason = "seven bits")]
        bytes.push((number & 0x7f) as u8 | 0x80);
        number >>= 7;
    }
    #[allow(clippy::cast_possible_truncation, reason = "less than 0x80")]
    bytes.push(number as u8);
}

fn read_number(bytes: &mut &[u8]) -> Option<i64> {
    let (mut number, mut shift) = (0_i64, 0);
    loop {
        let (byte, rest) = bytes.split_first()?;
        *bytes = rest;
        number |= i64::from(byte & 0x7f).checked_shl(shift).filter(|_| shift < 63)?;
        if byte & 0x80 == 0 {
            return (number >= 0).then_some(number);
        }
        shift += 7;
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn map(ranges: &[Range<i64>]) -> Completed {
        let mut map = Completed::default();
        ranges.iter().for_each(|range| map.push(range.clone()));
        map
    }

    #[test]
    fn it_says_what_is_completed() {
        let map = map(&[3..5, 5..6, 9..10]);
        let found: Vec<i64> = (0..12).filter(|offset| map.contains(*offset)).collect();
        assert_eq!(found, [3, 4, 5, 9]);
        assert_eq!(map.from(4).collect::<Vec<_>>(), [4..6, 9..10]);
        assert_eq!(map.from(10).count(), 0);
    }

    #[test]
    fn the_shorter_form_is_taken() {
        assert_eq!(map(&[]).encode(7), Encoded { text: String::new(), is_whole: true });
        assert_eq!(map(&[101..200, 200..5000]).encode(100).text, "sp1rAaMm");
        let every_other: Vec<_> = (0..40).map(|n| 101 + 2 * n..102 + 2 * n).collect();
        assert!(map(&every_other).encode(100).text.starts_with("sp1b"));
    }

    #[test]
    fn what_does_not_fit_is_left_out_at_the_end() {
        // Far apart, so that neither form can hold them.
        let sparse: Vec<_> = (1..5000).map(|n| n * 1000..n * 1000 + 1).collect();
        let encoded = map(&sparse).encode(0);
        assert!(!encoded.is_whole && encoded.text.len() <= MAX_CHARS, "{}", encoded.text.len());
        let read = Completed::decode(&encoded.text, 0).unwrap();
        assert!(read.ranges.len() > 900 && sparse.starts_with(&read.ranges), "{}", read.ranges.len());
        let dense: Vec<_> = (0..15_000).map(|n| 1 + 2 * n..2 + 2 * n).collect();
        let encoded = map(&dense).encode(0);
        assert!(!encoded.is_whole && encoded.text.len() <= MAX_CHARS && encoded.text.starts_with("sp1b"));
    }

    #[test]
    fn every_other_of_ten_thousand_fits() {
        let every_other: Vec<_> = (0..5000).map(|n| 1 + 2 * n..2 + 2 * n).collect();
        let encoded = map(&every_other).encode(0);
        assert!(encoded.is_whole && encoded.text.len() < MAX_CHARS / 2, "{}", encoded.text.len());
    }

    #[test]
    fn other_words_are_refused_by_what_they_are() {
        let refused = |text: &str| Completed::decode(text, 100).unwrap_err();
        for foreign in ["x", "owner=3", "spring", "é", "{\"v\":1}"] {
            assert_eq!(refused(foreign), MetadataError::Foreign, "{foreign}");
        }
        for other in ["sp2rAaMm", "sp10rAaMm", "sp0"] {
            assert_eq!(refused(other), MetadataError::OtherVersion, "{other}");
        }
        for damaged in ["sp1", "sp1x", "sp1r!", "sp1rAa", "sp1r_____________w", "sp1b==", "sp1r__________9_AQ"] {
            assert_eq!(refused(damaged), MetadataError::Damaged, "{damaged}");
        }
    }

    proptest! {
        #[test]
        fn what_is_written_is_read(base in 0_i64..1 << 40, runs in prop::collection::vec((1_i64..300, 1_i64..300), 0..400)) {
            let (mut map, mut at) = (Completed::default(), base);
            for (open, completed) in runs {
                map.push(at + open..at + open + completed);
                at += open + completed;
            }
            let encoded = map.encode(base);
            prop_assert!(encoded.text.len() <= MAX_CHARS && encoded.text.is_ascii());
            prop_assert!(encoded.is_whole);
            prop_assert_eq!(Completed::decode(&encoded.text, base).unwrap(), map);
        }

        #[test]
        fn whatever_stands_there_is_read_without_a_panic(text in "(sp1[rb])?[A-Za-z0-9_-]{0,40}|\\PC*", base in any::<i64>()) {
            Completed::decode(&text, base).ok();
        }
    }
}

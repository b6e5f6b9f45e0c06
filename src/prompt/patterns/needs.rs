//! A quick look at a text: which expressions have to be tried on it. Most texts lack what each of them needs.
//!
//! An automaton that looks for some two hundred words reads byte after byte, each step waiting for the one before.
//! Here pieces of four bytes are looked up at every second place: a word of five bytes has a whole piece at such a
//! place wherever it stands. Only where a piece is known the text is compared with the words that have it.

use std::collections::BTreeMap;

use super::expressions::Expression;

/// Expressions by their place in the table, one bit each.
pub(super) type Set = u64;

/// Bytes that are looked up at once.
const PIECE: usize = 4;
/// Places from one look-up to the next, and the pieces of a word that are known.
const STRIDE: usize = 2;

/// What all expressions need.
pub(super) struct Needs {
    symbols: Vec<(u8, Set)>,
    words: BTreeMap<u32, Vec<Word>>,
    /// A bit for the hash of each piece in `words`: small enough to stay in the fastest cache.
    known: Box<[u64; 1024]>,
}

/// A word, as found by one of its pieces.
struct Word {
    text: Vec<u8>,
    /// Where in the word the piece begins.
    offset: usize,
    needed_by: Set,
}

impl Needs {
    pub(super) fn of(expressions: impl Iterator<Item = &'static Expression>) -> Self {
        let mut needs = Self { symbols: Vec::new(), words: BTreeMap::new(), known: Box::new([0; 1024]) };
        for (index, expression) in expressions.enumerate() {
            for need in expression.needs {
                match need.as_bytes() {
                    [symbol] => needs.add_symbol(*symbol, 1 << index),
                    word => needs.add_word(word, 1 << index),
                }
                // Comparing ignores the case of ASCII only.
                let capitals = need.to_uppercase();
                if !need.is_ascii() && capitals != *need {
                    needs.add_word(capitals.as_bytes(), 1 << index);
                }
            }
        }
        needs
    }

    fn add_symbol(&mut self, symbol: u8, needed_by: Set) {
        match self.symbols.iter_mut().find(|(known, _)| *known == symbol) {
            Some((_, expressions)) => *expressions |= needed_by,
            None => self.symbols.push((symbol, needed_by)),
        }
    }

    fn add_word(&mut self, word: &[u8], needed_by: Set) {
        for (offset, bytes) in word.array_windows::<PIECE>().take(STRIDE).enumerate() {
            let piece = folded(*bytes);
            let (slot, bit) = hash(piece);
            if let Some(bits) = self.known.get_mut(slot) {
                *bits |= bit;
            }
            self.words.entry(piece).or_default().push(Word { text: word.to_vec(), offset, needed_by });
        }
    }

    /// The expressions that may match: the text has something that they need.
    pub(super) fn met_by(&self, text: &str) -> Set {
        let text = text.as_bytes();
        let has = |symbol: u8| memchr::memchr(symbol, text).is_some();
        let mut met = self.symbols.iter().filter(|(symbol, _)| has(*symbol)).fold(0, |met, (_, by)| met | by);
        for (index, bytes) in text.array_windows::<PIECE>().enumerate().step_by(STRIDE) {
            let piece = folded(*bytes);
            let (slot, bit) = hash(piece);
            if self.known.get(slot).is_some_and(|bits| bits & bit != 0) {
                met |= self.words_at(text, index, piece);
            }
        }
        met
    }

    /// The expressions that need one of the words that have this piece, where the text has it. Seldom called, and kept
    /// out of the loop above, which is quicker without it.
    #[cold]
    fn words_at(&self, text: &[u8], index: usize, piece: u32) -> Set {
        let is_there = |word: &&Word| {
            let start = index.checked_sub(word.offset);
            let found = start.and_then(|start| text.get(start..start + word.text.len()));
            found.is_some_and(|found| found.eq_ignore_ascii_case(&word.text))
        };
        self.words.get(&piece).into_iter().flatten().filter(is_there).fold(0, |met, word| met | word.needed_by)
    }
}

/// A piece, the same for capital and small letters of ASCII.
fn folded(piece: [u8; PIECE]) -> u32 {
    u32::from_le_bytes(piece) | 0x2020_2020
}

/// The bit of a piece: its place in `known`, and the bit there.
fn hash(piece: u32) -> (usize, u64) {
    let hash = piece.wrapping_mul(0x9E37_79B1) >> 16;
    ((hash >> 6) as usize, 1 << (hash & 63))
}

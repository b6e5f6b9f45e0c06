//! A quick look at a text: which expressions have to be tried on it. Most texts lack what each of them needs.
//!
//! An automaton that looks for some two hundred words reads byte after byte, each step waiting for the one before.
//! Here pieces of four bytes are looked up at every second place: a word of five bytes has a whole piece at such a
//! place wherever it stands. Only where a piece is known the text is compared with the words that have it.
//!
//! A word is found in every spelling that an expression, which is insensitive to case, takes for the same: small or
//! capital letters, also beyond ASCII, and any white space for a space.

use std::collections::{BTreeMap, BTreeSet};

use memchr::memmem::Finder;

use super::expressions::Expression;

/// Expressions by their place in the table, one bit each.
pub(super) type Set = u64;

/// Bytes that are looked up at once.
const PIECE: usize = 4;
/// Places from one look-up to the next, and the pieces of a word that are known.
const STRIDE: usize = 2;
/// The bytes that a word's pieces are taken from.
const START: usize = PIECE + STRIDE - 1;
/// Of `known`, in numbers of 64 bits: small enough to stay in the fastest cache.
const SLOTS: usize = 2048;

/// What an expression takes for a space, or for a letter of a word, beside its capital: the white space of Unicode, and
/// letters that only old prints have, such as the long s.
const RARE_SPELLINGS: &str = "\t\n\u{b}\u{c}\r \u{85}\u{a0}\u{1680}\u{2000}\u{2001}\u{2002}\u{2003}\u{2004}\u{2005}\
                              \u{2006}\u{2007}\u{2008}\u{2009}\u{200a}\u{2028}\u{2029}\u{202f}\u{205f}\u{3000}\
                              ſ\u{212a}\u{1c80}\u{1c81}\u{1c82}\u{1c83}\u{1c84}\u{1c85}\u{1c86}";

/// What all expressions need.
pub(super) struct Needs {
    marks: Vec<(Finder<'static>, Set)>,
    words: BTreeMap<u32, Vec<Word>>,
    /// Two bits for each piece in `words`.
    known: Box<[u64; SLOTS]>,
}

/// A word, as found by one of its pieces.
struct Word {
    before: &'static str,
    /// The rest of the word, which its pieces are from.
    core: &'static str,
    /// Where in the core the piece begins.
    offset: usize,
    needed_by: Set,
}

impl Needs {
    pub(super) fn of(expressions: impl Iterator<Item = &'static Expression>) -> Self {
        let mut needed_by: BTreeMap<&str, Set> = BTreeMap::new();
        for (index, expression) in expressions.enumerate() {
            for need in expression.needs {
                *needed_by.entry(need).or_default() |= 1 << index;
            }
        }
        let mut needs = Self { marks: Vec::new(), words: BTreeMap::new(), known: Box::new([0; SLOTS]) };
        for (need, expressions) in needed_by {
            if need.len() < START {
                needs.marks.push((Finder::new(need), expressions));
            } else {
                needs.add_word(need, expressions);
            }
        }
        needs
    }

    fn add_word(&mut self, text: &'static str, needed_by: Set) {
        let (before, core) = text.split_at(core_of(text));
        let mut starts = BTreeSet::new();
        add_starts(core, String::new(), &mut starts);
        let pieces_of = |start: [u8; START]| start.array_windows().map(|bytes| folded(*bytes)).collect::<Vec<_>>();
        let pieces: BTreeSet<(usize, u32)> =
            starts.into_iter().flat_map(|start| pieces_of(start).into_iter().enumerate()).collect();
        for (offset, piece) in pieces {
            let (slot, bits) = hash(piece);
            if let Some(known) = self.known.get_mut(slot) {
                *known |= bits;
            }
            self.words.entry(piece).or_default().push(Word { before, core, offset, needed_by });
        }
    }

    /// The expressions that may match: the text has something that they need.
    pub(super) fn met_by(&self, text: &str) -> Set {
        let has = |mark: &Finder<'_>| mark.find(text.as_bytes()).is_some();
        let mut met = self.marks.iter().filter(|(mark, _)| has(mark)).fold(0, |met, (_, by)| met | by);
        for (index, bytes) in text.as_bytes().array_windows::<PIECE>().enumerate().step_by(STRIDE) {
            let piece = folded(*bytes);
            let (slot, bits) = hash(piece);
            if self.known.get(slot).is_some_and(|known| known & bits == bits) {
                met |= self.words_at(text, index, piece);
            }
        }
        met
    }

    /// The expressions that need one of the words that have this piece, where the text has it. Seldom called, and kept
    /// out of the loop above, which is quicker without it.
    #[cold]
    fn words_at(&self, text: &str, index: usize, piece: u32) -> Set {
        let is_there = |word: &&Word| {
            let parts = index.checked_sub(word.offset).and_then(|core| text.split_at_checked(core));
            parts.is_some_and(|(before, core)| {
                begins_with(core.chars(), word.core.chars())
                    && begins_with(before.chars().rev(), word.before.chars().rev())
            })
        };
        self.words.get(&piece).into_iter().flatten().filter(is_there).fold(0, |met, word| met | word.needed_by)
    }
}

/// Where in a word the part begins that its pieces are taken from: the longest way from the next space, because a space
/// has many spellings, and because the parts of a word are rarer in a text than what joins them.
fn core_of(word: &str) -> usize {
    let to_space = |rest: &str| rest.find(' ').unwrap_or(rest.len()).min(START);
    let places = word.char_indices().filter_map(|(at, _)| Some((at, word.get(at..)?)));
    let places = places.filter(|(_, rest)| rest.len() >= START);
    places.rev().max_by_key(|(_, rest)| to_space(rest)).map_or(0, |(at, _)| at)
}

/// Whether a text begins with a word, in any spelling.
fn begins_with(text: impl Iterator<Item = char>, word: impl Iterator<Item = char>) -> bool {
    let mut text = text.peekable();
    for wanted in word {
        // The comparison that says it in most cases comes first.
        if text.next_if(|next| *next == wanted || plain(*next) == wanted).is_none() {
            return false;
        }
        while wanted == ' ' && text.next_if(|next| next.is_whitespace()).is_some() {}
    }
    true
}

/// Adds the first bytes of a word in all of its spellings, with `start` before what is left of the word. Capitals of
/// ASCII are left to [`folded`].
fn add_starts(word: &str, start: String, starts: &mut BTreeSet<[u8; START]>) {
    if let Some(bytes) = start.as_bytes().first_chunk() {
        starts.insert(*bytes);
        return;
    }
    let mut rest = word.chars();
    let Some(next) = rest.next() else { return };
    for spelling in spellings(next) {
        let longer = format!("{start}{spelling}");
        // Where a word begins with a space, the last one before it will do.
        if next == ' ' && !start.is_empty() {
            add_starts(word, longer.clone(), starts);
        }
        add_starts(rest.as_str(), longer, starts);
    }
}

/// The characters that [`plain`] makes this one of, without capitals of ASCII.
fn spellings(character: char) -> BTreeSet<char> {
    let capitals = character.to_uppercase().filter(|capital| !capital.is_ascii());
    let rare = RARE_SPELLINGS.chars().filter(|rare| plain(*rare) == character);
    [character].into_iter().chain(capitals).chain(rare).collect()
}

/// A character without its case, and a space for any white space.
fn plain(character: char) -> char {
    if character.is_whitespace() {
        return ' ';
    }
    if character.is_ascii() {
        return character.to_ascii_lowercase();
    }
    let modern = match character {
        // They have the capital of another letter, and no small letter but themselves.
        'ſ' | '\u{1c80}'..='\u{1c86}' => only(character.to_uppercase()).unwrap_or(character),
        _ => character,
    };
    only(modern.to_lowercase()).unwrap_or(modern)
}

/// The one character that there is.
fn only(mut characters: impl ExactSizeIterator<Item = char>) -> Option<char> {
    characters.next().filter(|_| characters.len() == 0)
}

/// A piece, the same for capital and small letters of ASCII.
fn folded(piece: [u8; PIECE]) -> u32 {
    u32::from_le_bytes(piece) | 0x2020_2020
}

/// The bits of a piece: their place in `known`, and two of the 64 there. One piece in a hundred that is not known has
/// both of them set by others.
fn hash(piece: u32) -> (usize, u64) {
    let hash = piece.wrapping_mul(0x9E37_79B1);
    let bit = |shift: u32| 1 << (hash >> shift & 63);
    ((hash >> 21) as usize, bit(15) | bit(9))
}

#[cfg(test)]
mod tests;

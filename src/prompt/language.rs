//! Which language a text is in.
//!
//! Function words decide first: an ordinary sentence of any language listed in `function_words` has several of them,
//! and looking them up costs a tenth of the statistics over letters. Where they do not decide, because the language is
//! not listed or the script has no spaces, the crate `whatlang` is asked, and believed when it is sure.

mod function_words;

use whatlang::{Detector, Lang};

use function_words::Scores;

/// Fewest letters to judge by. Below, the detector is sure of itself and often wrong.
const MIN_LETTERS: usize = 20;
/// Fewest words to judge by where words have spaces between them.
const MIN_WORDS: usize = 5;
/// Most characters that are read: more cost time and hardly ever change the verdict.
const MAX_CHARS: usize = 400;

/// The ISO 639-1 code of the text's language; `None` when the text is short, is hardly prose or leaves a doubt.
pub fn detect(text: &str) -> Option<&'static str> {
    let text = text.char_indices().nth(MAX_CHARS).and_then(|(end, _)| text.get(..end)).unwrap_or(text);
    let shape = Shape::of(text);
    if !shape.is_prose() {
        return None;
    }
    let scores = Scores::of(text);
    scores.clear(shape.words).or_else(|| by_letters(text, &shape, &scores))
}

/// The same for a text that may have a few words only: one that no other language has is enough.
pub fn guess(text: &str) -> Option<&'static str> {
    detect(text).or_else(|| Scores::of(text).guess())
}

/// What the statistics over letters say where the words left a doubt: between the languages that the words are of, or
/// among all languages, if they are sure.
fn by_letters(text: &str, shape: &Shape, scores: &Scores) -> Option<&'static str> {
    if shape.letters < MIN_LETTERS {
        return None;
    }
    let candidates = scores.candidates();
    if scores.are_many() {
        let allowed = candidates.iter().filter_map(|code| language(code)).collect();
        return Detector::with_allowlist(allowed).detect_lang(text).and_then(two_letter_code);
    }
    let info = whatlang::detect(text)?;
    let code = two_letter_code(info.lang())?;
    // Few words and the letters agree; or the letters are sure, of a language that has no list to contradict them.
    let is_likely = candidates.contains(&code) || (info.is_reliable() && !function_words::is_listed(code));
    is_likely.then_some(code)
}

/// What a text consists of.
#[derive(Debug, Default)]
struct Shape {
    /// Letters; a Chinese, Japanese or Korean character says about as much as two.
    letters: usize,
    /// Words: letters between spaces, punctuation aside.
    words: usize,
    /// What else stands between spaces: numbers, identifiers, addresses, operators.
    others: usize,
    /// Brackets and operators, as in code.
    symbols: usize,
    /// Letters of scripts that are written without spaces.
    unspaced: usize,
}

impl Shape {
    fn of(text: &str) -> Self {
        let mut shape = Self::default();
        for chunk in text.split_whitespace() {
            let bare = chunk.trim_matches(|c: char| !c.is_alphanumeric());
            let mut is_word = bare.chars().next().is_some_and(char::is_alphabetic);
            for c in bare.chars() {
                if c.is_alphabetic() {
                    shape.letters += if c >= '\u{2E80}' { 2 } else { 1 };
                    shape.unspaced += usize::from(c >= '\u{2E80}' || ('\u{0E00}'..'\u{0F00}').contains(&c));
                } else {
                    is_word &= !c.is_alphanumeric() && !matches!(c, '_' | '/' | '@' | '\\' | '=' | '.' | ':');
                }
            }
            shape.symbols += chunk
                .bytes()
                .filter(|byte| {
                    matches!(
                        byte,
                        b'{' | b'}' | b'[' | b']' | b'(' | b')' | b';' | b'=' | b'<' | b'>' | b'_' | b'|' | b'$'
                    )
                })
                .count();
            if is_word {
                shape.words += 1;
            } else {
                shape.others += 1;
            }
        }
        shape
    }

    /// Whether the text is made of sentences, not of identifiers, numbers or code.
    fn is_prose(&self) -> bool {
        if self.unspaced * 2 > self.letters / 2 {
            return self.letters >= MIN_LETTERS;
        }
        self.words >= MIN_WORDS && self.words > self.others && self.symbols * 12 <= self.letters
    }
}

/// ISO 639-3 and ISO 639-1 of every language that the detector knows.
#[rustfmt::skip]
const CODES: &[(&str, &str)] = &[
    ("afr", "af"), ("aka", "ak"), ("amh", "am"), ("ara", "ar"), ("aze", "az"), ("bel", "be"), ("ben", "bn"),
    ("bul", "bg"), ("cat", "ca"), ("ces", "cs"), ("cmn", "zh"), ("cym", "cy"), ("dan", "da"), ("deu", "de"),
    ("ell", "el"), ("eng", "en"), ("epo", "eo"), ("est", "et"), ("fin", "fi"), ("fra", "fr"), ("guj", "gu"),
    ("heb", "he"), ("hin", "hi"), ("hrv", "hr"), ("hun", "hu"), ("hye", "hy"), ("ind", "id"), ("ita", "it"),
    ("jav", "jv"), ("jpn", "ja"), ("kan", "kn"), ("kat", "ka"), ("khm", "km"), ("kor", "ko"), ("lat", "la"),
    ("lav", "lv"), ("lit", "lt"), ("mal", "ml"), ("mar", "mr"), ("mkd", "mk"), ("mya", "my"), ("nep", "ne"),
    ("nld", "nl"), ("nob", "nb"), ("ori", "or"), ("pan", "pa"), ("pes", "fa"), ("pol", "pl"), ("por", "pt"),
    ("ron", "ro"), ("rus", "ru"), ("sin", "si"), ("slk", "sk"), ("slv", "sl"), ("sna", "sn"), ("spa", "es"),
    ("srp", "sr"), ("swe", "sv"), ("tam", "ta"), ("tel", "te"), ("tgl", "tl"), ("tha", "th"), ("tuk", "tk"),
    ("tur", "tr"), ("ukr", "uk"), ("urd", "ur"), ("uzb", "uz"), ("vie", "vi"), ("yid", "yi"), ("zul", "zu"),
];

/// ISO 639-1 for the detector's ISO 639-3.
fn two_letter_code(language: Lang) -> Option<&'static str> {
    CODES.iter().find(|(three, _)| *three == language.code()).map(|(_, two)| *two)
}

/// The detector's name of a language.
fn language(code: &str) -> Option<Lang> {
    CODES.iter().find(|(_, two)| *two == code).and_then(|(three, _)| Lang::from_code(*three))
}

#[cfg(test)]
mod tests;

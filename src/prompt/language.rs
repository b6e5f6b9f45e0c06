//! Which language a text is in.

use whatlang::Lang;

/// Fewest letters to judge by. Below, the detector is sure of itself and often wrong.
const MIN_LETTERS: usize = 20;
/// Most characters that are read: more cost time and hardly ever change the verdict.
const MAX_CHARS: usize = 400;

/// The ISO 639-1 code of the text's language; `None` when the text is short or the detector unsure.
pub fn detect(text: &str) -> Option<&'static str> {
    let text = text.char_indices().nth(MAX_CHARS).and_then(|(end, _)| text.get(..end)).unwrap_or(text);
    // A Chinese, Japanese or Korean character says about as much as two letters.
    let letters: usize = text.chars().filter(|c| c.is_alphabetic()).map(|c| if c >= '\u{2E80}' { 2 } else { 1 }).sum();
    if letters < MIN_LETTERS {
        return None;
    }
    whatlang::detect(text).filter(whatlang::Info::is_reliable).and_then(|info| two_letter_code(info.lang()))
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sentences_are_recognised() {
        let cases = [
            ("en", "I would like to return the kettle that I bought last week because it arrived broken."),
            ("de", "Ich möchte den Wasserkocher zurückgeben, den ich letzte Woche gekauft habe, weil er kaputt ist."),
            ("fr", "Je voudrais retourner la bouilloire que j'ai achetée la semaine dernière car elle est cassée."),
            (
                "es",
                "Quisiera devolver el hervidor que compré la semana pasada porque llegó roto y no funciona. Nadie me ha contestado hasta ahora y necesito el dinero cuanto antes.",
            ),
            ("ja", "先週購入した電気ケトルが壊れて届いたので、返品したいです。"),
            ("ru", "Я хотел бы вернуть чайник, который купил на прошлой неделе, потому что он сломан."),
            ("el", "Θα ήθελα να επιστρέψω τον βραστήρα που αγόρασα την περασμένη εβδομάδα."),
        ];
        for (code, text) in cases {
            assert_eq!(detect(text), Some(code), "{text}");
        }
    }

    #[test]
    fn what_is_short_or_no_language_is_not() {
        for text in ["", "ok", "Hello there", "12345 67890 ---", "E-4711", "???", "🙂🙂🙂"] {
            assert_eq!(detect(text), None, "{text}");
        }
    }

    #[test]
    fn every_language_of_the_detector_has_a_code() {
        for language in Lang::all() {
            assert!(two_letter_code(*language).is_some_and(|code| code.len() == 2), "{language:?}");
        }
    }
}

use super::*;

/// Sentences with their languages, `-` for texts that have none.
const SENTENCES: &str = include_str!("../../../tests/corpus/languages.txt");

fn sentences() -> impl Iterator<Item = (&'static str, &'static str)> {
    SENTENCES.lines().filter_map(|line| line.split_once('\t'))
}

#[test]
fn one_ordinary_sentence_is_enough() {
    let mut wrong = Vec::new();
    for (code, text) in sentences().filter(|(code, _)| *code != "-") {
        let found = detect(text);
        if found != Some(code) {
            wrong.push(format!("{code} as {found:?}: {text}"));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn what_is_short_or_no_language_has_none() {
    for (_, text) in sentences().filter(|(code, _)| *code == "-") {
        assert_eq!(detect(text), None, "{text}");
    }
}

#[test]
fn the_corpus_has_eight_sentences_of_each_main_language() {
    for code in ["en", "de", "fr", "es", "it", "pt", "nl", "pl", "sv", "da"] {
        assert!(sentences().filter(|(known, _)| *known == code).count() >= 8, "{code}");
    }
}

#[test]
fn a_guess_takes_less_than_a_sentence() {
    for (code, text) in [("en", "Where is my order?"), ("de", "Wo ist mein Geld?"), ("es", "No funciona nada hoy")] {
        assert_eq!((detect(text), guess(text)), (None, Some(code)), "{text}");
    }
    assert_eq!(guess("E-4711"), None);
}

#[test]
fn long_texts_are_recognised() {
    let texts = [
        ("de", "Ich möchte den Wasserkocher zurückgeben, den ich letzte Woche gekauft habe, weil er kaputt ist. "),
        ("es", "Quisiera devolver el hervidor que compré la semana pasada porque llegó roto y no funciona. "),
        ("ja", "先週購入した電気ケトルが壊れて届いたので、返品したいです。"),
        ("el", "Θα ήθελα να επιστρέψω τον βραστήρα που αγόρασα την περασμένη εβδομάδα. "),
    ];
    for (code, text) in texts {
        assert_eq!(detect(&text.repeat(200)), Some(code));
    }
}

#[test]
fn every_language_of_the_detector_has_a_code() {
    for language in Lang::all() {
        assert!(two_letter_code(*language).is_some_and(|code| code.len() == 2), "{language:?}");
    }
}

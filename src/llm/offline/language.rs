//! The language of the text, in the notation that a schema wants.

use super::text::Text;
use crate::prompt::language;
use crate::schema::node::Node;

/// ISO 639-3 (as the detector names them), ISO 639-1 and English name.
const CODES: [(&str, &str, &str); 40] = [
    ("eng", "en", "English"),
    ("deu", "de", "German"),
    ("fra", "fr", "French"),
    ("spa", "es", "Spanish"),
    ("ita", "it", "Italian"),
    ("por", "pt", "Portuguese"),
    ("nld", "nl", "Dutch"),
    ("pol", "pl", "Polish"),
    ("rus", "ru", "Russian"),
    ("ukr", "uk", "Ukrainian"),
    ("ces", "cs", "Czech"),
    ("slk", "sk", "Slovak"),
    ("slv", "sl", "Slovenian"),
    ("hrv", "hr", "Croatian"),
    ("srp", "sr", "Serbian"),
    ("bul", "bg", "Bulgarian"),
    ("ron", "ro", "Romanian"),
    ("hun", "hu", "Hungarian"),
    ("ell", "el", "Greek"),
    ("tur", "tr", "Turkish"),
    ("swe", "sv", "Swedish"),
    ("dan", "da", "Danish"),
    ("nob", "nb", "Norwegian"),
    ("fin", "fi", "Finnish"),
    ("est", "et", "Estonian"),
    ("lav", "lv", "Latvian"),
    ("lit", "lt", "Lithuanian"),
    ("cat", "ca", "Catalan"),
    ("ara", "ar", "Arabic"),
    ("heb", "he", "Hebrew"),
    ("pes", "fa", "Persian"),
    ("hin", "hi", "Hindi"),
    ("ben", "bn", "Bengali"),
    ("cmn", "zh", "Chinese"),
    ("jpn", "ja", "Japanese"),
    ("kor", "ko", "Korean"),
    ("vie", "vi", "Vietnamese"),
    ("tha", "th", "Thai"),
    ("ind", "id", "Indonesian"),
    ("afr", "af", "Afrikaans"),
];

/// A detected language.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Language {
    /// ISO 639-1.
    pub(super) code: &'static str,
    code3: &'static str,
    name: &'static str,
}

impl Language {
    /// Whether `03/12/2026` is the third of December to its speakers.
    pub(super) fn day_first(self) -> bool {
        self.code != "en"
    }

    /// Whether `word` names this language in any notation, region subtags included.
    pub(super) fn is(self, word: &str) -> bool {
        let primary = word.split(['-', '_']).next().unwrap_or_default();
        [self.code, self.code3, self.name].iter().any(|name| name.eq_ignore_ascii_case(primary))
    }

    /// The notation that the schema of the property asks for; ISO 639-1 where it does not say.
    pub(super) fn written_for(self, node: &Node<'_>, name: &[String]) -> String {
        let hint = node.text("description").to_lowercase();
        let pattern = node.text("pattern");
        let chosen = if hint.contains("639-3") || hint.contains("639-2") || pattern.contains("{3}") {
            self.code3
        } else if hint.contains("english name")
            || hint.contains("name of the language")
            || name.iter().any(|w| w == "name")
        {
            self.name
        } else {
            self.code
        };
        if node.count("minLength").is_some_and(|least| chosen.len() < least) { self.name } else { chosen }.to_owned()
    }
}

/// The language of `text`, if one can be told.
pub(super) fn detect(text: &Text<'_>) -> Option<Language> {
    let code = language::guess(text.raw)?;
    CODES.iter().find(|(_, two, _)| *two == code).map(|(code3, code, name)| Language { code, code3, name })
}

/// The language that `text` is the name or code of.
pub(super) fn named(text: &str) -> Option<Language> {
    let name = text.trim_matches(|c: char| !c.is_alphanumeric());
    let known = CODES.iter().map(|(code3, code, name)| Language { code, code3, name });
    known.into_iter().find(|language| language.is(name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn languages_are_told_even_in_short_texts() {
        for (text, code) in [
            ("Where is my order? It was due last week.", "en"),
            ("Ich habe die falsche Lampe bekommen, bitte um Umtausch.", "de"),
            ("Je n'ai pas reçu ma commande, pouvez-vous m'aider ?", "fr"),
            ("No puedo entrar en mi cuenta, por favor ayuda", "es"),
            ("Non riesco ad accedere al mio account da ieri sera, potete aiutarmi?", "it"),
            ("Где мой заказ? Он должен был прийти вчера.", "ru"),
        ] {
            assert_eq!(detect(&Text::new(text)).map(|language| language.code), Some(code), "{text}");
        }
        assert_eq!(detect(&Text::new("12345")), None);
    }
}

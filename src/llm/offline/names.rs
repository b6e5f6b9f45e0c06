//! Names of people, companies and products: words in capitals in telling places.

use std::sync::LazyLock;

use regex::Regex;

use super::pattern::literal;
use super::text::fold;

static INTRODUCED: LazyLock<Regex> = LazyLock::new(|| {
    literal(
        r"(?i)\b(my name is|mein name ist|ich hei(?:ß|ss)e|je m['’]appelle|mon nom est|me llamo|mi nombre es|this is|i am|i['’]m|ich bin|je suis|soy)\s+([^\n,;:!?()]{2,60})",
    )
});
static CLOSING: LazyLock<Regex> = LazyLock::new(|| {
    literal(
        r"(?i)^\W*(?:(?:kind|best|warm|many|with) )?(?:regards|best|best wishes|cheers|thanks|many thanks|thank you|sincerely|yours truly|yours sincerely|mit (?:freundlichen|besten) gr(?:ü|ue)(?:ß|ss)en|viele gr(?:ü|ue)(?:ß|ss)e|liebe gr(?:ü|ue)(?:ß|ss)e|gru(?:ß|ss)|mfg|lg|vg|danke|cordialement|bien (?:à|a) vous|merci|saludos|un saludo|atentamente|gracias)(?: cordiales)?[,.!]*\s*(.*)$",
    )
});
static COMPANY: LazyLock<Regex> = LazyLock::new(|| {
    literal(
        r"((?:[\w&.'’-]{1,40} ){1,4})(GmbH(?: & Co\. KG)?|AG|Inc\b\.?|Ltd\b\.?|LLC|SARL|S\.A\.|SAS?\b|S\.L\.|SL\b|B\.V\.|BV\b|PLC|plc\b|Corp\b\.?|KG|SE\b|OHG|Limited)",
    )
});
static OWNED: LazyLock<Regex> = LazyLock::new(|| {
    literal(
        r"(?i)\b(?:my|your|our|the|a|an|new|bought|ordered|purchased|received|use|using|for|mein\w*|ihr\w*|eure\w*|unser\w*|de[rnm]|die|das|eine?[nmr]?|le|la|les|un|une|mon|ma|votre|notre|el|los|mi|su|una|with|on|of|from|in|to|du|del|vom)\s+([^\n,;:!?()]{2,60})",
    )
});

/// Words that begin with a capital and are no part of a name.
const NOT_NAMES: &str = " i ms ms. mr mr. mrs mrs. dr dr. herr frau the a an and my your we our it this that hi hello dear thanks thank regards please order monday tuesday wednesday thursday friday saturday sunday january february march april may june july august september october november december english german french spanish visa mastercard paypal ios android windows mac iphone email ticket invoice pdf csv api black friday christmas dhl ups fedex hermes gls dpd usps uk usa us eu ";

/// The run of capitalised words at the beginning of `text`, at most five, joined by small words of names.
fn capitalised(text: &str) -> &str {
    let mut end = 0;
    let mut at = 0;
    for word in text.split_inclusive(' ').take(6) {
        let bare = word.trim_end();
        let small = at > 0 && matches!(bare, "van" | "von" | "de" | "der" | "la" | "del" | "di" | "da" | "dos");
        let first = bare.chars().next();
        let capital = first.is_some_and(|c| c.is_uppercase() || (at > 0 && c.is_ascii_digit()));
        if !capital && !small {
            break;
        }
        at += word.len();
        if capital {
            end = at - (word.len() - bare.len());
        }
        if bare.ends_with(['.', '"', '”']) && bare.chars().count() > 2 {
            break;
        }
    }
    text.get(..end).unwrap_or_default().trim_end_matches(['.', '"', '”', '\'', '-'])
}

/// The people whom the text names as its author.
pub(super) fn people(text: &str) -> Vec<&str> {
    let mut found = Vec::new();
    for captures in INTRODUCED.captures_iter(text) {
        let (Some(words), Some(rest)) = (captures.get(1), captures.get(2)) else { continue };
        let name = capitalised(rest.as_str());
        // “This is Ridiculous” is no introduction: such openings need a first and a last name.
        let sure = !matches!(
            fold(words.as_str()).as_str(),
            "this is" | "i am" | "i'm" | "i’m" | "ich bin" | "je suis" | "soy"
        );
        if !name.is_empty() && (sure || name.contains(' ')) {
            found.push(name);
        }
    }
    found.extend(signature(text));
    found.dedup();
    found
}

/// The name under or after a closing such as “Kind regards,”.
fn signature(text: &str) -> Option<&str> {
    let mut lines = text.lines().rev().filter(|line| !line.trim().is_empty()).take(6).collect::<Vec<_>>();
    lines.reverse();
    for (index, line) in lines.iter().enumerate() {
        let after = CLOSING.captures(line).and_then(|captures| captures.get(1)).map(|rest| rest.as_str());
        let Some(after) = after else { continue };
        let next = if after.is_empty() { lines.get(index + 1).copied().unwrap_or_default() } else { after };
        let name = capitalised(next.trim_start_matches(['-', '–', '—', ' ']));
        let closing = CLOSING.is_match(next);
        let words = name.split(' ').count();
        if !name.is_empty() && !closing && words <= 4 && !NOT_NAMES.contains(&format!(" {} ", fold(name))) {
            return Some(name);
        }
    }
    let last = lines.last()?.trim_start();
    let signed = last.strip_prefix(['-', '–', '—'])?.trim_start_matches(['-', '–', '—']).trim();
    let name = capitalised(signed);
    (!name.is_empty() && name.len() == signed.len()).then_some(name)
}

/// The companies in `text`, told by their legal form.
pub(super) fn companies(text: &str) -> Vec<&str> {
    let mut found = Vec::new();
    for captures in COMPANY.captures_iter(text) {
        let (Some(words), Some(form)) = (captures.get(1), captures.get(2)) else { continue };
        // The capitalised words directly before the legal form.
        let mut start = words.end();
        for word in words.as_str().split_inclusive(' ').rev() {
            let capital = word.chars().next().is_some_and(|c| c.is_uppercase() || c == '&' || c.is_ascii_digit());
            if !capital || NOT_NAMES.contains(&format!(" {} ", fold(word.trim()))) {
                break;
            }
            start -= word.len();
        }
        if start < words.end()
            && let Some(name) = text.get(start..form.end())
        {
            found.push(name);
        }
    }
    found
}

/// Product names: capitalised words after a determiner or a verb of buying, if there are several or one is unlike a
/// word (`X2`, `AeroPress`). German writes every noun with a capital, so one plain word proves nothing.
pub(super) fn products(text: &str, nouns_are_capitals: bool) -> Vec<&str> {
    let mut found = Vec::new();
    let mut from = 0;
    while let Some(captures) = text.get(from..).and_then(|rest| OWNED.captures(rest)) {
        let Some(rest) = captures.get(1) else { break };
        from += rest.start();
        let name = capitalised(rest.as_str());
        let name = name.strip_suffix(" I").unwrap_or(name);
        let all: Vec<&str> = name.split(' ').collect();
        let odd = |word: &&str| {
            let letters = word.chars().any(char::is_alphabetic);
            let digit = word.chars().any(|c| c.is_ascii_digit());
            let upper = word.chars().skip(1).any(char::is_uppercase) && word.chars().any(char::is_lowercase);
            !word.contains('-') && ((letters && digit) || upper)
        };
        let known = all.iter().all(|word| NOT_NAMES.contains(&format!(" {} ", fold(word))));
        let two = !nouns_are_capitals
            && all.len() >= 2
            && all.iter().filter(|word| word.chars().next().is_some_and(char::is_uppercase)).count() >= 2;
        if !name.is_empty()
            && !known
            && (two || all.iter().any(odd))
            && !NOT_NAMES.contains(&format!(" {} ", fold(all.first().copied().unwrap_or_default())))
        {
            found.push(name);
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn people_introduce_themselves_or_sign() {
        for (text, name) in [
            ("Hello, my name is Maria van der Berg and I", "Maria van der Berg"),
            ("This is Tom Baker from Leeds.", "Tom Baker"),
            ("Hilfe!\n\nMit freundlichen Grüßen\nJürgen Weiß", "Jürgen Weiß"),
            ("Merci\nCordialement,\nÉlodie Martin", "Élodie Martin"),
            ("Por favor.\nUn saludo, Lucía", "Lucía"),
            ("Broken.\nThanks,\nPriya", "Priya"),
            ("It broke.\n— Sam", "Sam"),
        ] {
            assert_eq!(people(text), [name], "{text}");
        }
        assert_eq!(people("This is Ridiculous. I am very angry.\nThanks"), Vec::<&str>::new());
    }

    #[test]
    fn companies_and_products() {
        assert_eq!(companies("invoice to Nordwind Logistik GmbH today"), ["Nordwind Logistik GmbH"]);
        assert_eq!(companies("from Acme Tools Inc."), ["Acme Tools Inc."]);
        assert_eq!(products("I bought a Lumen Desk Lamp in May", false), ["Lumen Desk Lamp"]);
        assert_eq!(products("mein AeroPress ist kaputt", true), ["AeroPress"]);
        assert_eq!(products("die Lieferung und das Paket", true), Vec::<&str>::new());
    }
}

//! Names of the months in the languages that dates are read in.

/// Names and short forms of each month in English, German, French, Spanish, Italian, Dutch, Portuguese, Polish,
/// Swedish, Danish and Norwegian, in lower case, without the full stop of a short form.
const MONTHS: [&[&str]; 12] = [
    &[
        "january", "jan", "januar", "jänner", "jän", "janvier", "janv", "enero", "ene", "gennaio", "gen", "januari",
        "janeiro", "styczeń", "stycznia", "sty",
    ],
    &[
        "february",
        "feb",
        "februar",
        "feber",
        "février",
        "févr",
        "fév",
        "fevrier",
        "febrero",
        "febbraio",
        "febr",
        "februari",
        "fevereiro",
        "fev",
        "luty",
        "lutego",
        "lut",
    ],
    &[
        "march", "mar", "märz", "mär", "maerz", "mrz", "mars", "marts", "marzo", "maart", "mrt", "março", "marco",
        "marzec", "marca",
    ],
    &["april", "apr", "avril", "avr", "abril", "abr", "aprile", "kwiecień", "kwietnia", "kwi"],
    &["may", "mai", "mayo", "maggio", "mag", "mei", "maio", "maj", "maja"],
    &["june", "jun", "juni", "juin", "junio", "giugno", "giu", "junho", "czerwiec", "czerwca", "cze"],
    &["july", "jul", "juli", "juillet", "juil", "julio", "luglio", "lug", "julho", "lipiec", "lipca", "lip"],
    &["august", "aug", "août", "aout", "agosto", "ago", "augusti", "augustus", "sierpień", "sierpnia", "sie"],
    &[
        "september",
        "sep",
        "sept",
        "septembre",
        "septiembre",
        "setiembre",
        "settembre",
        "set",
        "sett",
        "setembro",
        "wrzesień",
        "września",
        "wrz",
    ],
    &[
        "october",
        "oct",
        "oktober",
        "okt",
        "octobre",
        "octubre",
        "ottobre",
        "ott",
        "outubro",
        "out",
        "październik",
        "października",
        "paź",
    ],
    &["november", "nov", "novembre", "noviembre", "novembro", "listopad", "listopada", "lis"],
    &[
        "december",
        "dec",
        "dezember",
        "dez",
        "décembre",
        "déc",
        "decembre",
        "diciembre",
        "dic",
        "dicembre",
        "dezembro",
        "desember",
        "grudzień",
        "grudnia",
        "gru",
    ],
];

/// The number of the month that a word in lower case names.
pub(crate) fn month(name: &str) -> Option<u32> {
    let index = MONTHS.iter().position(|names| names.contains(&name))?;
    u32::try_from(index + 1).ok()
}

/// All names, for an expression: longer ones first, so that none ends early.
pub(super) fn alternatives() -> String {
    let mut names: Vec<&str> = MONTHS.iter().flat_map(|names| names.iter().copied()).collect();
    names.sort_unstable_by_key(|name| std::cmp::Reverse(name.len()));
    names.join("|")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_name_is_that_of_one_month() {
        let all: Vec<&str> = MONTHS.iter().flat_map(|names| names.iter().copied()).collect();
        for name in &all {
            assert_eq!(all.iter().filter(|other| *other == name).count(), 1, "{name}");
            assert_eq!(*name, name.to_lowercase(), "{name}");
        }
        assert_eq!((month("märz"), month("października"), month("market")), (Some(3), Some(10), None));
    }
}

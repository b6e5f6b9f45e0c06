//! Two numbers with a mark between them: a range, a fraction, a ratio, or the parts of an identifier.

use super::boundaries::{is_dash, is_short_word, is_word, joins};
use super::currencies;
use super::digits::{digit, is_digit};
use super::number_context::UNITS;
use super::standing::Standing;

/// Digits that a number of a range has at most, unless what is counted stands beside it.
const MAX_DIGITS: usize = 3;

/// What something is rated out of.
const SCALES: [u64; 4] = [5, 10, 20, 100];

/// What is counted in ranges, in lower case.
const COUNTED: &[&str] = &[
    "day",
    "days",
    "week",
    "weeks",
    "month",
    "months",
    "year",
    "years",
    "hour",
    "hours",
    "minute",
    "minutes",
    "working",
    "business",
    "people",
    "persons",
    "pieces",
    "items",
    "times",
    "pages",
    "tag",
    "tage",
    "tagen",
    "werktage",
    "werktagen",
    "arbeitstage",
    "woche",
    "wochen",
    "monat",
    "monate",
    "monaten",
    "jahr",
    "jahre",
    "jahren",
    "stunde",
    "stunden",
    "minuten",
    "personen",
    "stück",
    "seiten",
    "jour",
    "jours",
    "semaine",
    "semaines",
    "mois",
    "an",
    "ans",
    "heure",
    "heures",
    "personnes",
    "pièces",
    "día",
    "días",
    "dias",
    "semana",
    "semanas",
    "mes",
    "meses",
    "año",
    "años",
    "hora",
    "horas",
    "minutos",
    "personas",
    "piezas",
    "giorno",
    "giorni",
    "settimana",
    "settimane",
    "mese",
    "mesi",
    "anno",
    "anni",
    "ora",
    "ore",
    "minuti",
    "persone",
    "pezzi",
    "dagen",
    "weken",
    "maanden",
    "jaar",
    "uur",
    "star",
    "stars",
    "points",
    "stern",
    "sterne",
    "sternen",
    "punkte",
    "punkten",
    "étoiles",
    "estrellas",
    "estrelas",
    "puntos",
    "pontos",
    "stelle",
    "punti",
    "sterren",
    "punten",
];

/// Letters of the longest of them.
const LONGEST_COUNTED: usize = 11;

/// Words before a rating, in lower case.
const RATED: &[&str] = &[
    "rated",
    "rating",
    "rate",
    "score",
    "scored",
    "grade",
    "bewertet",
    "bewertung",
    "note",
    "noté",
    "nota",
    "puntuación",
    "valoración",
    "voto",
    "punteggio",
    "beoordeling",
    "ocena",
];

/// Two numbers around a mark.
pub(super) struct NumberPair<'t> {
    before: &'t str,
    left: Whole,
    mark: char,
    right: Whole,
    after: &'t str,
}

/// The whole part of a number.
struct Whole {
    digits: usize,
    value: u64,
    has_leading_zero: bool,
}

impl<'t> NumberPair<'t> {
    /// The numbers on both sides of the mark at byte `at`.
    pub(super) fn around(text: &'t str, at: usize, mark: char) -> Self {
        const MARKS: [char; 3] = ['.', ',', '\''];
        let (left, right) = (text.get(..at).unwrap_or_default(), text.get(at + mark.len_utf8()..).unwrap_or_default());
        let is_other = |c: char| !is_digit(c) && !MARKS.contains(&c);
        let written = left
            .rfind(is_other)
            .and_then(|other| left.get(other..))
            .map_or(left, |rest| rest.get(rest.chars().next().map_or(0, char::len_utf8)..).unwrap_or_default());
        // Marks at the outer ends are those of a sentence or an abbreviation.
        let written = written.trim_start_matches(MARKS);
        let before = left.get(..left.len() - written.len()).unwrap_or_default();
        let number = right.find(is_other).and_then(|other| right.get(..other)).unwrap_or(right);
        let number = number.trim_end_matches(MARKS);
        let after = right.get(number.len()..).unwrap_or_default();
        Self { before, left: Whole::of(written), mark, right: Whole::of(number), after }
    }

    /// How the numbers stand: for themselves where they are a range or fraction without doubt.
    pub(super) fn standing(&self) -> Standing {
        let Self { left, right, .. } = self;
        if self.goes_on() || left.has_leading_zero || right.has_leading_zero {
            return Standing::Part;
        }
        let is_short = left.digits <= MAX_DIGITS && right.digits <= MAX_DIGITS;
        match self.mark {
            ':' if right.digits > 1 => Standing::Part,
            ':' => Standing::Unsure,
            '/' if self.is_rating() || (is_short && self.is_measured()) => Standing::Alone,
            '/' if left.digits < MAX_DIGITS && right.digits < MAX_DIGITS => Standing::Unsure,
            '/' => Standing::Part,
            _ if left.value >= right.value => Standing::Part,
            _ if self.is_measured() => Standing::Alone,
            _ if !is_short || right.digits > left.digits + 1 => self.years(),
            '-' | '‐' | '‑' => Standing::Unsure,
            _ => Standing::Alone,
        }
    }

    /// Whether what goes on outside makes one identifier of it.
    fn goes_on(&self) -> bool {
        let mut before = self.before.chars().rev();
        let (last, beyond) = (before.next(), before.next());
        let goes_back = last.is_some_and(|last| match last {
            '_' => true,
            ':' => beyond.is_some_and(is_digit),
            '/' => beyond.is_some_and(is_word),
            last if is_dash(last) => beyond.is_some_and(is_word),
            last => joins(last, '0'),
        });
        let mut after = self.after.chars();
        let (next, rest) = (after.next(), after.as_str());
        goes_back
            || next.is_some_and(|next| match next {
                '_' | '@' => true,
                ':' => rest.starts_with(is_digit),
                '/' => rest.starts_with(is_digit) || is_short_word(rest),
                next if is_dash(next) => rest.starts_with(is_digit) || is_short_word(rest),
                next => joins('0', next) && !self.is_measured(),
            })
    }

    /// Whether it is a rating, and not day and month as well: `4/5` is one beside a word that says so.
    fn is_rating(&self) -> bool {
        let (left, right) = (self.left.value, self.right.value);
        let is_date = |month: u64, day: u64| (1..=12).contains(&month) && (1..=31).contains(&day);
        let may_be_date = is_date(left, right) || is_date(right, left);
        SCALES.contains(&right) && left <= right && (!may_be_date || self.follows(RATED))
    }

    /// Whether one of these words stands before the pair.
    fn follows(&self, words: &[&str]) -> bool {
        let before = self.before.trim_end_matches([' ', ':', '\u{A0}']);
        let longest = before.chars().rev().take(LONGEST_COUNTED + 1).take_while(|c| c.is_alphabetic());
        let word: String = longest.collect::<Vec<_>>().into_iter().rev().flat_map(char::to_lowercase).collect();
        words.contains(&word.as_str())
    }

    /// Whether a unit, a currency or what is counted stands beside the pair.
    fn is_measured(&self) -> bool {
        const SYMBOLS: [char; 9] = ['€', '$', '£', '¥', '₹', '₩', '₽', '%', '°'];
        let after = self.after.strip_prefix([' ', '-', '\u{A0}', '\u{202F}']).unwrap_or(self.after);
        let word: String = after.chars().take(LONGEST_COUNTED + 1).take_while(|c| c.is_alphabetic()).collect();
        let word = word.to_lowercase();
        let is_currency = currencies::find(&word).is_some_and(|currency| currency.is_money());
        let before = self.before.trim_end_matches([' ', '\u{A0}']);
        let from = before.trim_end_matches(char::is_alphabetic).len();
        let name = before.get(from..).filter(|name| name.len() <= LONGEST_COUNTED).map(str::to_lowercase);
        let has_currency = name.and_then(|name| currencies::find(&name)).is_some_and(|currency| currency.is_money());
        after.starts_with(SYMBOLS)
            || is_currency
            || COUNTED.contains(&word.as_str())
            || UNITS.contains(&word.as_str())
            || before.ends_with(SYMBOLS)
            || has_currency
    }

    /// Longer numbers are years, or parts of an identifier.
    fn years(&self) -> Standing {
        let is_year = |number: &Whole| number.digits == 4 && (1900..=2100).contains(&number.value);
        if is_year(&self.left) && is_year(&self.right) { Standing::Unsure } else { Standing::Part }
    }
}

impl Whole {
    /// The whole part of a number with its marks.
    fn of(number: &str) -> Self {
        let whole = || number.chars().map_while(digit);
        let value = whole().fold(0_u64, |value, digit| value.saturating_mul(10).saturating_add(digit.into()));
        let digits = whole().count();
        Self { digits, value, has_leading_zero: digits > 1 && whole().next() == Some(0) }
    }
}

//! The typed values in a message, each kind searched when it is first asked for.

use std::cell::OnceCell;

use super::dates::{self, Date};
use super::identifiers::{self, Identifier};
use super::labels::{self, Label};
use super::language::{self, Language};
use super::numbers::{self, Money, Numeral};
use super::text::{Text, floor, name_words};

/// A text and what was found in it so far.
pub(super) struct Facts<'a> {
    pub(super) text: &'a Text<'a>,
    dates: OnceCell<Vec<Date>>,
    identifiers: OnceCell<Vec<Identifier<'a>>>,
    labels: OnceCell<Vec<Label<'a>>>,
    language: OnceCell<Option<Language>>,
    money: OnceCell<Vec<Money>>,
    numerals: OnceCell<Vec<Numeral>>,
}

impl<'a> Facts<'a> {
    /// Nothing is searched yet.
    pub(super) fn new(text: &'a Text<'a>) -> Self {
        Self {
            text,
            dates: OnceCell::new(),
            identifiers: OnceCell::new(),
            labels: OnceCell::new(),
            language: OnceCell::new(),
            money: OnceCell::new(),
            numerals: OnceCell::new(),
        }
    }

    /// The text as written.
    pub(super) fn raw(&self) -> &'a str {
        self.text.raw
    }

    /// The words before byte `at` in its line and sentence, at most ten or so.
    pub(super) fn words_before(&self, at: usize) -> Vec<String> {
        let before = self.raw().get(..at).unwrap_or_default();
        let before = before.get(floor(before, at.saturating_sub(80))..).unwrap_or_default();
        let line = before.rsplit('\n').next().unwrap_or_default();
        name_words(line.rsplit(". ").next().unwrap_or_default())
    }

    pub(super) fn dates(&self) -> &[Date] {
        self.dates.get_or_init(|| dates::dates(self.raw(), self.day_first()))
    }

    pub(super) fn identifiers(&self) -> &[Identifier<'a>] {
        self.identifiers.get_or_init(|| identifiers::identifiers(self.raw()))
    }

    pub(super) fn labels(&self) -> &[Label<'a>] {
        self.labels.get_or_init(|| labels::labels(self.raw()))
    }

    pub(super) fn language(&self) -> Option<Language> {
        *self.language.get_or_init(|| language::detect(self.text))
    }

    /// Whether `03/12/2026` is the third of December.
    pub(super) fn day_first(&self) -> bool {
        self.language().is_some_and(Language::day_first)
    }

    /// German writes every noun with a capital, so capitals say little.
    pub(super) fn german(&self) -> bool {
        self.language().is_some_and(|language| language.code == "de")
    }

    pub(super) fn money(&self) -> &[Money] {
        self.money.get_or_init(|| numbers::money(self.raw()))
    }

    pub(super) fn numerals(&self) -> &[Numeral] {
        self.numerals.get_or_init(|| numbers::numerals(self.raw()))
    }
}

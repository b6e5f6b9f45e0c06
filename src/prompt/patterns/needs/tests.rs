use std::collections::{BTreeMap, BTreeSet};

use regex_syntax::ParserBuilder;
use regex_syntax::hir::{Class, Hir, HirKind, Repetition};

use super::*;
use crate::prompt::patterns::expressions;

/// More characters than this, such as all letters, and a class is stood for by one that is in no need: with it a text
/// is furthest from having one.
const LARGE_CLASS: usize = 64;

/// Texts that have nothing of what is needed, one for each beginning of a need that they end with.
type Lacking = BTreeMap<String, String>;

/// What an expression needs, and what follows from its parts for texts that match them.
struct Proof {
    needs: &'static [&'static str],
    letters: BTreeSet<char>,
}

impl Proof {
    fn of(needs: &'static [&'static str]) -> Self {
        Self { needs, letters: needs.iter().flat_map(|need| need.chars()).collect() }
    }

    /// The texts that lack what is needed, with what matches the expression behind them. Where an expression looks
    /// around itself, as in `\b`, it is taken to see what it wants.
    fn with(&self, hir: &Hir, texts: &Lacking) -> Lacking {
        match hir.kind() {
            HirKind::Empty | HirKind::Look(_) => texts.clone(),
            HirKind::Literal(literal) => {
                let literal = std::str::from_utf8(&literal.0).unwrap();
                literal.chars().fold(texts.clone(), |texts, next| self.with_any_of(&[next], &texts))
            }
            HirKind::Class(class) => self.with_any_of(&self.members(class), texts),
            HirKind::Capture(capture) => self.with(&capture.sub, texts),
            HirKind::Concat(parts) => parts.iter().fold(texts.clone(), |texts, part| self.with(part, &texts)),
            HirKind::Alternation(parts) => parts.iter().flat_map(|part| self.with(part, texts)).collect(),
            HirKind::Repetition(repetition) => self.with_repeated(repetition, texts),
        }
    }

    fn with_repeated(&self, repetition: &Repetition, texts: &Lacking) -> Lacking {
        let mut last = (0..repetition.min).fold(texts.clone(), |texts, _| self.with(&repetition.sub, &texts));
        let mut all = last.clone();
        for _ in repetition.min..repetition.max.unwrap_or(u32::MAX) {
            last = self.with(&repetition.sub, &last);
            let before = all.len();
            for (end, text) in &last {
                all.entry(end.clone()).or_insert_with(|| text.clone());
            }
            if all.len() == before {
                break;
            }
        }
        all
    }

    fn with_any_of(&self, members: &[char], texts: &Lacking) -> Lacking {
        let pairs = texts.iter().flat_map(|(end, text)| members.iter().rev().map(move |member| (end, text, *member)));
        let longer = pairs.filter_map(|(end, text, member)| {
            let end = self.end_with(end, plain(member))?;
            Some((end, format!("{text}{member}")))
        });
        longer.collect()
    }

    /// The longest end of a text that a need may begin with; none if the text has a need.
    fn end_with(&self, end: &str, next: char) -> Option<String> {
        let longer = if next == ' ' && end.ends_with(' ') { end.to_owned() } else { format!("{end}{next}") };
        if self.needs.iter().any(|need| longer.ends_with(need)) {
            return None;
        }
        let begins_need = |end: &&str| self.needs.iter().any(|need| need.starts_with(end));
        longer.char_indices().map(|(at, _)| &longer[at..]).chain([""]).find(begins_need).map(str::to_owned)
    }

    fn members(&self, class: &Class) -> Vec<char> {
        let Class::Unicode(class) = class else { panic!("a class of bytes") };
        let members = || class.ranges().iter().flat_map(|range| range.start()..=range.end());
        if members().take(LARGE_CLASS).count() < LARGE_CLASS {
            return members().collect();
        }
        vec![members().find(|member| !self.letters.contains(&plain(*member))).unwrap()]
    }
}

fn hir(regex: &str) -> Hir {
    let mut parser = ParserBuilder::new().case_insensitive(true).multi_line(true).ignore_whitespace(true).build();
    parser.parse(regex).unwrap()
}

/// A text that an expression may match without having what it needs.
fn counterexample(regex: &str, needs: &'static [&'static str]) -> Option<String> {
    let empty = Lacking::from([(String::new(), String::new())]);
    Proof::of(needs).with(&hir(regex), &empty).into_values().min_by_key(String::len)
}

#[test]
fn no_text_that_matches_an_expression_lacks_what_it_needs() {
    let mut lacking = Vec::new();
    for Expression { name, needs, regex, .. } in expressions::all() {
        lacking.extend(counterexample(regex, needs).map(|text| format!("{name}: {text:?}, needs {needs:?}")));
    }
    assert!(lacking.is_empty(), "{}", lacking.join("\n"));
}

#[test]
fn a_need_that_is_missing_is_noticed() {
    assert_eq!(counterexample(r"\bskip\s+rules", &["skip "]), None);
    assert_eq!(counterexample(r"\bskip\s+rules", &[" skip "]).as_deref(), Some("SKIP\tRULES"));
    assert_eq!(counterexample(r"drop \s+ table", &["drop table"]), None);
    assert!(counterexample(r"drop [\s/]+ table", &["drop table"]).is_some());
    assert_eq!(counterexample(r"\w+ x{2,3} | [^y]*xx", &["xx"]), None);
    assert!(counterexample(r"\w+ x{1,3}", &["xx"]).is_some());
}

#[test]
fn a_need_is_marks_or_a_word_of_five_bytes() {
    for Expression { name, needs, .. } in expressions::all() {
        assert!(!needs.is_empty(), "{name}");
        for need in *needs {
            let is_mark = !need.is_empty() && need.bytes().all(|byte| byte.is_ascii_punctuation());
            assert!(is_mark || need.len() >= START, "{name}: {need}");
            assert!(need.chars().all(|character| plain(character) == character), "{name}: {need}");
            assert!(!need.contains("  "), "{name}: {need}");
        }
    }
}

#[test]
fn a_word_is_found_in_every_spelling_and_wherever_it_stands() {
    let mut spellings: BTreeMap<char, Vec<char>> = BTreeMap::new();
    for character in '\0'..='\u{ffff}' {
        spellings.entry(plain(character)).or_default().push(character);
    }
    let needs = Needs::of(expressions::all());
    let words: BTreeSet<_> = expressions::all().flat_map(|expression| expression.needs).collect();
    for word in words {
        let met = needs.met_by(word);
        for (at, character) in word.char_indices() {
            for spelling in &spellings[&character] {
                let (before, after) = (&word[..at], &word[at + character.len_utf8()..]);
                let spaces = if character == ' ' { "\n  " } else { "" };
                for text in [format!("{before}{spelling}{after}"), format!("é{before}{spelling}{spaces}{after}a")] {
                    assert_eq!(needs.met_by(&text) & met, met, "{word}: {text:?}");
                }
            }
        }
        let capitals = word.to_uppercase();
        assert_eq!(needs.met_by(&format!("a{capitals}")) & met, met, "{capitals}");
    }
}

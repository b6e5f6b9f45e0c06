//! Reads an answer from beginning to end: what is reasoning is passed over, what looks like an object is taken out.

use serde_json::Value;

use super::reasoning::{self, Family, Mark, Sense};
use super::scan::{self, Extent};
use super::strict::{self, Fault};
use super::{Candidate, Form, Reading, is_blank, mend};
use crate::domain::failure::{Code, Failure};
use crate::domain::json::{self, FaultKind, MAX_DEPTH};

/// Most different objects that are held against the schema. An answer with more does not say which one it means.
const MAX_CANDIDATES: usize = 16;
/// How often a text may be walked over, as a multiple of its length, in search of brackets that close. Only a text full
/// of brackets that do not comes near it.
const MAX_WALKS: usize = 16;

/// Longest line that announces an answer (`Here is the JSON:`), in bytes.
const LONGEST_ANNOUNCEMENT: usize = 200;

pub(super) struct Reader<'a> {
    text: &'a str,
    marks: Vec<Mark>,
    next_mark: usize,
    /// Where what may be the answer begins: after the last reasoning.
    from: usize,
    /// How far it was read.
    at: usize,
    /// Where the next bracket is that may begin an object, if that is known.
    bracket: Option<usize>,
    /// Bytes that may still be walked over.
    walk: usize,
    reading: Reading,
}

impl<'a> Reader<'a> {
    pub(super) fn new(text: &'a str) -> Self {
        let marks = reasoning::marks(text);
        let walk = text.len().saturating_mul(MAX_WALKS);
        Self { text, marks, next_mark: 0, from: 0, at: 0, bracket: None, walk, reading: Reading::default() }
    }

    pub(super) fn read(mut self) -> Reading {
        self.refuse_other_json();
        while self.at < self.text.len() {
            let bracket = self.bracket();
            match self.mark().filter(|mark| mark.start <= bracket) {
                Some(mark) => self.pass(mark),
                None if bracket < self.text.len() => self.object(bracket),
                None => break,
            }
        }
        self.reading.answer_at = self.from;
        let Reading { candidates, failure, has_reasoning, .. } = &mut self.reading;
        if candidates.len() > MAX_CANDIDATES {
            candidates.clear();
            *failure = Some(invalid(format!("the answer has more than {MAX_CANDIDATES} JSON objects")));
        }
        if candidates.is_empty() && failure.is_none() {
            let apart = if *has_reasoning { " apart from its reasoning" } else { "" };
            let detail = format!("the answer contains no JSON object{apart}");
            *failure = Some(Failure::new(Code::AnswerNotJson, detail));
        }
        self.reading
    }

    /// The next mark that was not passed.
    fn mark(&mut self) -> Option<Mark> {
        while self.marks.get(self.next_mark).is_some_and(|mark| mark.start < self.at) {
            self.next_mark += 1;
        }
        self.marks.get(self.next_mark).copied()
    }

    fn take_mark(&mut self) -> Option<Mark> {
        let mark = self.mark();
        self.next_mark += 1;
        mark
    }

    /// Position of the next bracket that may begin an object, or an array of some; the text's length if there is none.
    fn bracket(&mut self) -> usize {
        if let Some(known) = self.bracket.filter(|known| *known >= self.at) {
            return known;
        }
        let mut from = self.at;
        let found = loop {
            let rest = self.text.get(from..).unwrap_or_default();
            let Some(at) = rest.find(['{', '[']).map(|at| from + at) else { break self.text.len() };
            let after = self.text.get(at + 1..).unwrap_or_default();
            if self.text.get(at..).is_some_and(|rest| rest.starts_with('{')) || after.trim_start().starts_with('{') {
                break at;
            }
            from = at + 1;
        };
        self.bracket = Some(found);
        found
    }

    /// Passes a mark outside of reasoning, and the reasoning that it opens.
    fn pass(&mut self, mark: Mark) {
        self.next_mark += 1;
        self.at = mark.end;
        match mark.sense {
            Sense::Opens(family) => {
                let last = self.end_of_reasoning(family);
                let (end, after) = last.map_or((self.text.len(), self.text.len()), |last| (last.start, last.end));
                // A model that was told not to reason gives an empty pair.
                self.reading.has_reasoning |= !self.is_blank(mark.end, end);
                (self.from, self.at) = (after, after);
            }
            Sense::Closes(_) => {
                let has_reasoning = self.reading.has_reasoning || !self.is_blank(self.from, mark.start);
                self.begin_anew(mark.end, has_reasoning);
            }
            Sense::Answers => {
                let has_reasoning = self.reading.has_reasoning || !self.reading.candidates.is_empty();
                self.begin_anew(mark.end, has_reasoning);
            }
            Sense::EndsMessage => {}
        }
    }

    fn is_blank(&self, from: usize, to: usize) -> bool {
        self.text.get(from..to).unwrap_or_default().chars().all(is_blank)
    }

    /// What was read so far was no answer.
    fn begin_anew(&mut self, from: usize, has_reasoning: bool) {
        self.reading = Reading { has_reasoning, ..Reading::default() };
        (self.from, self.at) = (from, from);
        self.refuse_other_json();
    }

    /// The mark that ends reasoning of this family with all that is opened within it.
    fn end_of_reasoning(&mut self, family: Family) -> Option<Mark> {
        let mut open = vec![family];
        while let Some(mark) = self.take_mark() {
            match mark.sense {
                // Models repeat the mark that their template has written for them, and speak of it.
                Sense::Opens(family) if open.contains(&family) => {}
                Sense::Opens(family) => open.push(family),
                Sense::Closes(family) => {
                    let outermost = open.iter().position(|other| *other == family);
                    open.truncate(outermost.unwrap_or(open.len()));
                }
                Sense::EndsMessage => open.retain(|other| *other != Family::Channel),
                Sense::Answers => open.clear(),
            }
            if open.is_empty() {
                return Some(mark);
            }
        }
        None
    }

    /// Reads what begins with the bracket at `start`. Its inner objects are parts of it and never candidates.
    fn object(&mut self, start: usize) {
        let rest = self.text.get(start..).unwrap_or_default();
        let extent = scan::extent(rest, MAX_DEPTH);
        let walked = if let Extent::Closed(length) = extent { length } else { rest.len() };
        let Some(left) = self.walk.checked_sub(walked) else {
            self.unreadable(malformed("has too many brackets that do not close"));
            self.reading.candidates.clear();
            self.at = self.text.len();
            return;
        };
        self.walk = left;
        match extent {
            // Doubled braces, as in templates and LaTeX, are no object around another.
            Extent::Closed(length) if !looks_like_json(rest) => {
                let is_doubled =
                    rest.starts_with('[') || rest.get(1..).is_some_and(|inner| inner.trim_start().starts_with('{'));
                self.pass_over(start + if is_doubled { 1 } else { length });
            }
            Extent::Unclosed if !looks_like_json(rest) => self.at = start + 1,
            // A quote of the wrong kind may hide its end; what follows is read on its own.
            Extent::Unclosed if !is_json_so_far(rest) => {
                self.unreadable_at(start, malformed("has an object whose names are not in double quotes"));
                self.at = start + 1;
            }
            Extent::Closed(length) => {
                let object = rest.get(..length).unwrap_or_default();
                match read(object) {
                    Ok((value, is_mended)) => self.add(value, is_mended, start, start + length),
                    Err(failure) => self.skip(start, start + length, failure),
                }
            }
            Extent::Unclosed => {
                self.reading.is_cut = true;
                match close(rest) {
                    Ok(value) => self.add(value, true, start, self.text.len()),
                    Err(failure) if is_cut(rest) => {
                        self.unreadable_at(start, failure);
                        self.at = self.text.len();
                    }
                    Err(failure) => self.skip(start, self.text.len(), failure),
                }
            }
            Extent::TooDeep => {
                let failure = invalid(format!("the answer is nested deeper than {MAX_DEPTH} levels"));
                self.skip(start, self.text.len(), failure);
            }
        }
    }

    fn skip(&mut self, start: usize, end: usize, failure: Failure) {
        self.unreadable_at(start, failure);
        self.pass_over(end);
    }

    /// Goes on at `end`. What is no JSON may seem to reach further than it does, if a quote is missing in reasoning
    /// that only has an end; so not beyond a mark that ends such.
    fn pass_over(&mut self, end: usize) {
        let within = self.marks.get(self.next_mark..).unwrap_or_default().iter().take_while(|mark| mark.start < end);
        let mut ends = within.filter(|mark| matches!(mark.sense, Sense::Closes(_) | Sense::Answers));
        self.at = ends.find(|mark| mark.start >= self.at).map_or(end, |mark| mark.start);
    }

    /// What begins with the bracket at `start` cannot be read.
    fn unreadable_at(&mut self, start: usize, failure: Failure) {
        for name in super::first_name::possible(self.text.get(start..).unwrap_or_default()) {
            self.reading.unreadable_at.insert(name, start);
        }
        self.unreadable(failure);
    }

    fn unreadable(&mut self, failure: Failure) {
        self.reading.unreadable += 1;
        self.reading.failure = Some(failure);
    }

    fn add(&mut self, value: Value, is_mended: bool, start: usize, end: usize) {
        self.at = end;
        self.reading.failure = None;
        let before = self.text.get(self.from..start).unwrap_or_default().trim_matches(is_blank);
        let after = self.text.get(end..).unwrap_or_default().trim_matches(is_blank);
        let opening = before.trim_end_matches(|c: char| c.is_ascii_alphanumeric()).trim_end();
        let is_fenced = opening.ends_with("```") && after.starts_with("```");
        let unfenced = if is_fenced { opening.trim_end_matches('`').trim_end() } else { before };
        let is_announced =
            unfenced.len() <= LONGEST_ANNOUNCEMENT && unfenced.ends_with(':') && !unfenced.contains('\n');
        let is_at_edge = unfenced.is_empty() || is_announced || after.is_empty() || after == "```";
        let form = match () {
            () if is_mended => Form::Repaired,
            () if before.is_empty() && after.is_empty() => Form::Bare,
            () if is_fenced => Form::Fenced,
            () => Form::Embedded,
        };
        let candidates = &mut self.reading.candidates;
        if let Some(equal) = candidates.iter_mut().find(|former| json::equal(&former.value, &value)) {
            equal.is_at_edge |= is_at_edge;
            equal.places.push(start..end);
        } else if candidates.len() <= MAX_CANDIDATES {
            let places = std::iter::once(start..end).collect();
            candidates.push(Candidate { value, form, places, is_at_edge });
        }
    }

    /// Refuses what remains if it is, as a whole or in its only fence, JSON but no object.
    fn refuse_other_json(&mut self) {
        let text = self.text.get(self.from..).unwrap_or_default().trim_matches(is_blank);
        let inner = text.strip_prefix("```").and_then(|fenced| fenced.strip_suffix("```"));
        let inner = inner.map_or(text, |fenced| fenced.trim_start_matches(|c: char| c.is_ascii_alphanumeric()).trim());
        if inner.starts_with('{') {
            return;
        }
        let failure = match strict::parse(inner) {
            Ok(Value::Object(_)) | Err(Fault::Syntax(_)) => return,
            Ok(Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_)) => no_object(),
            Err(Fault::Refused(detail)) => invalid(detail),
        };
        self.unreadable(failure);
        self.at = self.text.len();
    }
}

/// Whether a bracket begins what is meant as JSON, and not a placeholder in prose (`{name}`), or a set. The names of an
/// object that is meant as such may be in wrong quotes, or in none.
fn looks_like_json(text: &str) -> bool {
    is_json_so_far(text) || super::first_name::is_misquoted(scan::inner_object(text))
}

/// Whether a bracket begins an object as JSON has them, as far as can be told from its first character.
fn is_json_so_far(text: &str) -> bool {
    matches!(scan::inner_object(text).bytes().next(), None | Some(b'"' | b'}'))
}

/// An object whose brackets close, and whether it had to be mended.
fn read(object: &str) -> Result<(Value, bool), Failure> {
    let (value, is_mended) = match strict::parse(object) {
        Ok(value) => (value, false),
        Err(Fault::Refused(detail)) => return Err(invalid(detail)),
        Err(Fault::Syntax(place)) => match strict::parse(&mend::mended(object)) {
            Ok(value) => (value, true),
            Err(Fault::Refused(detail)) => return Err(invalid(detail)),
            Err(Fault::Syntax(_)) => return Err(malformed(&format!("has JSON that is malformed {place}"))),
        },
    };
    if value.is_object() { Ok((value, is_mended)) } else { Err(no_object()) }
}

/// Whether an object that does not close is JSON as far as it goes, so that marks within it are its own text. What
/// seems to be a comment may as well be reasoning that goes on to such a mark.
fn is_cut(unclosed: &str) -> bool {
    !scan::has_comment(unclosed)
        && json::parse(&mend::mended(unclosed)).is_err_and(|fault| fault.kind == FaultKind::EndsEarly)
}

/// Adds the one closing bracket that an object lacks, if no value is cut: its last value must be a string, literal or
/// container that is complete. A number at the end may lack digits.
fn close(unclosed: &str) -> Result<Value, Failure> {
    let truncated =
        || Failure::new(Code::AnswerTruncated, "the answer ends within its JSON object; allow more output tokens");
    let body = unclosed.trim_end().trim_end_matches("```").trim_end();
    let complete = body.ends_with(['"', '}', ']']) || ["true", "false", "null"].iter().any(|word| body.ends_with(word));
    let missing = scan::only_missing_bracket(body).filter(|_| complete).ok_or_else(truncated)?;
    match strict::parse(&mend::mended(&format!("{body}{missing}"))) {
        Ok(value) if value.is_object() => Ok(value),
        Ok(_) => Err(no_object()),
        Err(Fault::Refused(detail)) => Err(invalid(detail)),
        Err(Fault::Syntax(_)) => Err(truncated()),
    }
}

fn no_object() -> Failure {
    invalid("the answer is JSON but not an object".to_owned())
}

fn malformed(what: &str) -> Failure {
    Failure::new(Code::AnswerNotJson, format!("the answer {what}"))
}

fn invalid(detail: String) -> Failure {
    Failure::new(Code::AnswerInvalid, detail)
}

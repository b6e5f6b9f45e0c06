//! The judge for loads in which a record is not an outcome: events that are sent again, topics that were made anew.

use std::collections::{BTreeMap, HashSet};

use super::broker::TestRecord;
use super::oracle::{self, Answers, Isolation, Judgement};
use super::service::Topics;

/// Judges what is expected: each of these events has one result, and of each code there are that many letters.
pub fn judge(topics: &Topics, answers: &Answers, events: &HashSet<String>, letters: &[(&str, usize)]) -> Judgement {
    let mut judgement = Judgement { extra_calls: answers.extra(), ..Judgement::default() };
    judgement.inputs = oracle::read(&topics.source, Isolation::Uncommitted).len();
    let mut answered = HashSet::new();
    let results = oracle::read(&topics.sink, Isolation::Committed);
    for result in &results {
        let event = result.record.text("ce_causationid").unwrap_or_default();
        if !events.contains(&event) {
            judgement.wrong.push(format!("a result of nothing: {:?}", result.record));
        } else if let Err(why) = oracle::check_value(&result.record, answers) {
            judgement.wrong.push(why);
        }
        judgement.dup_rc += usize::from(!answered.insert(event));
    }
    judgement.lost = events.difference(&answered).count();
    judgement.results = results.len();
    judge_letters(&mut judgement, topics, letters);
    let written = [&topics.sink, &topics.dead_letters].map(|topic| oracle::read(topic, Isolation::Uncommitted).len());
    let due = events.len() + letters.iter().map(|(_, count)| count).sum::<usize>() - judgement.lost;
    judgement.dup_ru = written.iter().sum::<usize>().saturating_sub(due);
    judgement
}

fn judge_letters(judgement: &mut Judgement, topics: &Topics, expected: &[(&str, usize)]) {
    let mut origins = HashSet::new();
    let mut left: BTreeMap<&str, usize> = expected.iter().copied().collect();
    for letter in oracle::read(&topics.dead_letters, Isolation::Committed) {
        let code = letter.record.text("sp-error-code").unwrap_or_default();
        *judgement.codes.entry(code.clone()).or_default() += 1;
        judgement.letters += 1;
        if !origins.insert(origin(&letter.record)) {
            judgement.dup_rc += 1;
        } else if let Some(count) = left.get_mut(code.as_str()).filter(|count| **count > 0) {
            *count -= 1;
        } else {
            judgement.wrong.push(format!("one letter {code} too many"));
        }
    }
    judgement.lost += left.values().sum::<usize>();
}

/// Where a letter's record stood.
fn origin(letter: &TestRecord) -> Vec<Option<String>> {
    ["topic", "partition", "offset"].map(|name| letter.text(&format!("__connect.errors.{name}"))).to_vec()
}

//! What is worth knowing about results that are published all the same: a line for each kind, once a minute, with the
//! position of a record and a count of the others. No text of a prompt or an answer.

use std::sync::{Mutex, PoisonError};

use crate::domain::answer::{Answered, CacheHit, Flag, Validation};
use crate::domain::attempt::LadderStep;
use crate::domain::failure::Code;
use crate::domain::record::Record;
use crate::telemetry::log_throttle::LogThrottle;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Kind {
    Relaxed,
    LowConfidence,
    Suspicious(&'static str),
    Fallback,
}

/// Which of them were said.
#[derive(Debug, Default)]
pub(super) struct ResultLog(Mutex<LogThrottle<Kind>>);

impl ResultLog {
    /// Says what is notable about a record's answer.
    pub(super) fn observe(&self, connector: &str, record: &Record, answered: &Answered) {
        let Answered { answer, cache_hit, flags, confidence, grounding: _ } = answered;
        if answer.validation == Validation::Relaxed {
            let detail = || format!("no answer of {} was valid; a relaxed one is published", answer.provider);
            self.say(Kind::Relaxed, connector, record, detail);
        }
        for flag in flags {
            match flag {
                Flag::LowConfidence => {
                    let score = confidence.score;
                    let detail = || format!("a result of confidence {score:.2} is below the threshold");
                    self.say(Kind::LowConfidence, connector, record, detail);
                }
                Flag::SuspiciousInput(pattern) => {
                    let detail = || format!("suspicious input: {pattern}");
                    self.say(Kind::Suspicious(pattern), connector, record, detail);
                }
                // Not even the best model quotes every value word for word: metrics say how many it does not.
                Flag::Ungrounded(_) | Flag::UngroundedMore(_) | Flag::Nulled(_) => {}
            }
        }
        if let Some((first, reason)) = given_up(answered).filter(|_| *cache_hit == CacheHit::None) {
            let why = reason.map_or("no reason", Code::as_str);
            let detail = || format!("{} answered instead of {first}: {why}", answer.provider);
            self.say(Kind::Fallback, connector, record, detail);
        }
    }

    /// The line is only made when it is due: this is asked for every record, remembered answers included.
    fn say(&self, kind: Kind, connector: &str, record: &Record, detail: impl FnOnce() -> String) {
        let unsaid = self.0.lock().unwrap_or_else(PoisonError::into_inner).due(kind);
        if let Some(unsaid) = unsaid {
            let detail = detail();
            tracing::warn!(connector, position = %record.position, unsaid, "{detail}");
        }
    }
}

/// The provider that was asked before the one that answered, and how its last attempt ended, if they differ.
fn given_up(answered: &Answered) -> Option<(&str, Option<Code>)> {
    let answer = &answered.answer;
    let calls = || answer.attempt_log.iter().filter(|attempt| attempt.step != LadderStep::Relax);
    let first = calls().next().filter(|attempt| attempt.provider != answer.provider)?;
    let last = calls().rfind(|attempt| attempt.provider == first.provider)?;
    Some((&*first.provider, last.error))
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::domain::answer::{Answer, AnswerFactors, Confidence, Usage};
    use crate::domain::attempt::{Attempt, PassedOver};
    use crate::domain::grounding::RememberedGrounding;
    use crate::domain::record::Position;
    use crate::telemetry::captured::captured;

    fn position() -> String {
        Position { topic: "in".into(), partition: 3, offset: 42 }.to_string()
    }

    fn attempt(step: LadderStep, provider: &str, error: Option<Code>) -> Attempt {
        let provider = Arc::from(provider);
        let usage = Usage::default();
        Attempt {
            step,
            provider,
            model: "m".into(),
            response_id: None,
            usage,
            cost_usd: 0.0,
            error,
            times: 1,
            passed_over: PassedOver::default(),
        }
    }

    fn lines(change: impl Fn(&mut Answer), flags: &[Flag], times: usize) -> Vec<String> {
        let mut answer = Answer {
            data: "{}".into(),
            provider: "first".into(),
            model: "m".into(),
            validation: Validation::Passed,
            factors: AnswerFactors { validation: 1.0, ladder: 1.0, provider: None },
            attempt_log: vec![attempt(LadderStep::Ask, "first", None)],
            usage: Usage::default(),
            cost_usd: 0.0,
            quotes: Vec::new(),
            logprobs: Vec::new(),
            grounding: RememberedGrounding::default(),
            agreement: None,
        };
        change(&mut answer);
        let answered = Answered {
            confidence: Confidence::new(answer.factors, None),
            answer: Arc::new(answer),
            cache_hit: CacheHit::None,
            flags: flags.to_vec(),
            grounding: None,
        };
        let position = Position { topic: "in".into(), partition: 3, offset: 42 };
        let record = Record { position, timestamp_ms: None, key: None, value: None, headers: Vec::new() };
        let result_log = ResultLog::default();
        captured(|| (0..times).for_each(|_| result_log.observe("tickets", &record, &answered)))
    }

    #[test]
    fn an_ordinary_result_is_not_notable() {
        assert_eq!(lines(|_| (), &[], 3), Vec::<String>::new());
    }

    #[test]
    fn each_kind_is_one_line_with_the_records_position() {
        let relaxed = lines(|answer| answer.validation = Validation::Relaxed, &[], 100);
        let low = lines(|answer| answer.factors.ladder = 0.314, &[Flag::LowConfidence], 100);
        let flags = [Flag::SuspiciousInput("sql-union"), Flag::LowConfidence];
        let suspicious = lines(|_| (), &flags, 100);
        let attempt_log = || {
            vec![
                attempt(LadderStep::Ask, "first", Some(Code::ProviderTimeout)),
                attempt(LadderStep::Fallback, "second", None),
            ]
        };
        let fallback =
            lines(|answer| (answer.attempt_log, answer.provider) = (attempt_log(), "second".into()), &[], 100);
        let expected = [
            (&relaxed, 0, 1, "a relaxed one is published"),
            (&low, 0, 1, "confidence 0.31 is below the threshold"),
            (&suspicious, 0, 2, "suspicious input: sql-union"),
            (&fallback, 0, 1, "second answered instead of first: provider_timeout"),
        ];
        for (lines, index, count, text) in expected {
            assert_eq!(lines.len(), count, "{lines:?}");
            let line: &String = &lines[index];
            assert!(line.contains(text), "{line}");
            assert!(line.contains("tickets") && line.contains(&position()), "{line}");
        }
    }
}

//! Which letters are meant.

use std::collections::BTreeSet;
use std::time::Duration;

use crate::codec::dead_letter::DeadLetter;
use crate::domain::record::Position;

/// What letters must have. A condition that is not given holds for all; of several codes one must hold, and of several
/// headers all.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Selection {
    /// The connector that wrote it.
    pub connector: Option<String>,
    /// Its code.
    pub codes: BTreeSet<String>,
    /// The stage in which its record failed.
    pub stage: Option<String>,
    /// When its record failed at the earliest, since the Unix epoch.
    pub since: Option<Duration>,
    /// Before when its record failed, since the Unix epoch.
    pub until: Option<Duration>,
    /// Its record's key, as UTF-8.
    pub key: Option<String>,
    /// Headers of its record, as UTF-8.
    pub headers: Vec<(String, String)>,
    /// A provider that was asked.
    pub provider: Option<String>,
    /// Where it stands.
    pub place: Option<Position>,
}

impl Selection {
    /// Whether a letter is meant.
    pub fn includes(&self, letter: &DeadLetter) -> bool {
        let Self { connector, codes, stage, since, until, key, headers, provider, place } = self;
        // Of a letter whose time cannot be read nobody can say that it is within the limits.
        let has_failed = |is_within: &dyn Fn(Duration) -> bool| letter.failed_at.is_some_and(is_within);
        connector.as_ref().is_none_or(|connector| letter.connector == *connector)
            && (codes.is_empty() || codes.contains(&letter.code))
            && stage.as_ref().is_none_or(|stage| letter.stage == *stage)
            && since.is_none_or(|since| has_failed(&|at| at >= since))
            && until.is_none_or(|until| has_failed(&|at| at < until))
            && key.as_ref().is_none_or(|key| letter.source.key.as_deref() == Some(key.as_bytes()))
            && headers.iter().all(|header| has_header(letter, header))
            && provider.as_ref().is_none_or(|provider| letter.providers().contains(provider))
            && place.as_ref().is_none_or(|place| letter.position == *place)
    }
}

/// Whether any header of this name has this value: Kafka allows several.
fn has_header(letter: &DeadLetter, (name, value): &(String, String)) -> bool {
    letter.source.headers.iter().any(|header| header.name == *name && header.value.as_deref() == Some(value.as_bytes()))
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;
    use crate::domain::record::{Header, Record};

    fn letter() -> DeadLetter {
        let position = |topic: &str, offset| Position { topic: topic.into(), partition: 0, offset };
        let headers = vec![Header::text("tenant", "a"), Header::text("tenant", "b")];
        let source = Record {
            position: position("in", 3),
            timestamp_ms: None,
            key: Some(Bytes::from_static(b"k")),
            value: None,
            headers,
        };
        DeadLetter {
            position: position("dlq", 7),
            code: "answer_invalid".to_owned(),
            stage: "approve".to_owned(),
            detail: String::new(),
            connector: "triage".to_owned(),
            failed_at: Some(Duration::from_secs(100)),
            attempt_log: Some(r#"[{"step":"ask","provider":"gpt"},{"step":"ask","provider":"claude"}]"#.to_owned()),
            trace_id: String::new(),
            source,
            is_pointer: false,
        }
    }

    fn codes(codes: &[&str]) -> Selection {
        Selection { codes: codes.iter().map(|code| (*code).to_owned()).collect(), ..Selection::default() }
    }

    #[test]
    fn each_condition_holds_or_does_not() {
        let letter = letter();
        let text = |text: &str| Some(text.to_owned());
        let seconds = |seconds| Some(Duration::from_secs(seconds));
        let header = |name: &str, value: &str| Selection {
            headers: vec![("tenant".to_owned(), "b".to_owned()), (name.to_owned(), value.to_owned())],
            ..Selection::default()
        };
        let all = Selection::default;
        for (holds, does_not) in [
            (codes(&["tombstone", "answer_invalid"]), codes(&["tombstone"])),
            (Selection { connector: text("triage"), ..all() }, Selection { connector: text("other"), ..all() }),
            (Selection { stage: text("approve"), ..all() }, Selection { stage: text("ask"), ..all() }),
            (Selection { since: seconds(100), ..all() }, Selection { since: seconds(101), ..all() }),
            (Selection { until: seconds(101), ..all() }, Selection { until: seconds(100), ..all() }),
            (Selection { key: text("k"), ..all() }, Selection { key: text("K"), ..all() }),
            (Selection { provider: text("gpt"), ..all() }, Selection { provider: text("gp"), ..all() }),
            (header("tenant", "a"), header("tenant", "c")),
            (
                Selection { place: Some(letter.position.clone()), ..all() },
                Selection { place: Some(letter.source.position.clone()), ..all() },
            ),
        ] {
            assert!(holds.includes(&letter), "{holds:?}");
            assert!(!does_not.includes(&letter), "{does_not:?}");
        }
        assert!(all().includes(&letter));
    }

    #[test]
    fn all_conditions_must_hold_together() {
        let letter = letter();
        let both = |stage: &str| Selection { stage: Some(stage.to_owned()), ..codes(&["answer_invalid"]) };
        assert!(both("approve").includes(&letter) && !both("ask").includes(&letter));
    }

    #[test]
    fn a_letter_without_a_time_is_within_no_limits() {
        let letter = DeadLetter { failed_at: None, ..letter() };
        let since = Selection { since: Some(Duration::ZERO), ..Selection::default() };
        assert!(!since.includes(&letter) && Selection::default().includes(&letter));
    }
}

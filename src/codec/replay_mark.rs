//! What a record says that was a dead letter and is sent again: headers behind those of its sender.

use super::write;
use crate::domain::record::{Header, Record};

/// How often it was sent again, this time included.
const TIMES: &str = "sp-replays";
/// Which record it was at first: [`Record::identity`].
const ORIGINAL: &str = "sp-replay-of";
/// The trace id of the dead letter. The record has a trace of its own, and this is the link.
const LETTER_TRACE: &str = "sp-replay-of-trace-id";

/// What a record says of itself that is sent again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReplayMark {
    /// How often it was sent again, this time included.
    pub times: u32,
    /// Which record it was at first: its [`Record::identity`].
    pub original: String,
    /// The trace id of the dead letter that it was.
    pub letter_trace_id: String,
}

impl ReplayMark {
    /// That of a record; `None` for one that is sent for the first time.
    pub fn of(record: &Record) -> Option<Self> {
        Self::among(&record.headers)
    }

    /// That among these headers.
    pub(super) fn among(headers: &[Header]) -> Option<Self> {
        let last = |name: &str| {
            let header = headers.iter().rev().find(|header| header.name == name)?;
            std::str::from_utf8(header.value.as_ref()?).ok()
        };
        let times = last(TIMES)?.parse().ok().filter(|times| *times > 0)?;
        let (original, letter_trace_id) = (last(ORIGINAL)?.to_owned(), last(LETTER_TRACE)?.to_owned());
        Some(Self { times, original, letter_trace_id })
    }

    /// The timestamp that the record had at first, in milliseconds since the Unix epoch.
    pub(super) fn original_timestamp_ms(&self) -> Option<i64> {
        // A record without one counts as of 1970.
        self.original.rsplit_once('@')?.1.parse().ok().filter(|timestamp| *timestamp != 0)
    }

    /// Appends the headers.
    pub(super) fn push(&self, headers: &mut Vec<Header>) {
        write::push(headers, TIMES, self.times.to_string());
        write::push(headers, ORIGINAL, self.original.clone());
        write::push(headers, LETTER_TRACE, self.letter_trace_id.clone());
    }
}

/// Whether a header marks a record that is sent again. Its result is none.
pub(super) fn is_mark(name: &str) -> bool {
    [TIMES, ORIGINAL, LETTER_TRACE].contains(&name)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::codec::fixtures::binary;

    #[test]
    fn a_record_without_all_of_the_headers_is_sent_for_the_first_time() {
        let whole = [(TIMES, "2"), (ORIGINAL, "in/3/42@1767225600123"), (LETTER_TRACE, "0af7")];
        let mark = ReplayMark::of(&binary(&whole, None)).unwrap();
        assert_eq!((mark.times, mark.original.as_str(), mark.letter_trace_id.as_str()), (2, whole[1].1, "0af7"));
        assert_eq!(mark.original_timestamp_ms(), Some(1_767_225_600_123));
        for times in ["0", "-1", "two", ""] {
            assert_eq!(ReplayMark::of(&binary(&[(TIMES, times), whole[1], whole[2]], None)), None, "{times}");
        }
        for missing in 0..whole.len() {
            let mut rest = whole.to_vec();
            rest.remove(missing);
            assert_eq!(ReplayMark::of(&binary(&rest, None)), None, "{missing}");
        }
    }

    #[test]
    fn a_mark_is_read_as_it_was_written() {
        let mark = ReplayMark { times: 3, original: "in/0/7@0".to_owned(), letter_trace_id: "1b".to_owned() };
        let mut headers = Vec::new();
        mark.push(&mut headers);
        assert_eq!(ReplayMark::among(&headers).as_ref(), Some(&mark));
        assert!(headers.iter().all(|header| is_mark(&header.name)));
        assert_eq!(mark.original_timestamp_ms(), None);
    }
}

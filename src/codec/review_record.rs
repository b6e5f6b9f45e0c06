//! A result that waits for a person: the record that the result topic would have, and behind it the record that was
//! answered, byte for byte, in headers. `waiting` reads it back, and makes what is published of it.

mod waiting;

pub use self::waiting::{Approval, Correction, NotForReview, Reviewer, WaitingResult};
use super::write;
use crate::codec::dead_letter::SOURCE_TIMESTAMP;
use crate::domain::failure::Code;
use crate::domain::record::{Header, Outgoing, Record};

/// Why a person should see it: codes with commas between them.
const REASON: &str = "sp-review-reason";
/// What the names of all headers about the answered record begin with.
const SOURCE: &str = "sp-source-";
/// What stands before the names of its own headers.
const SOURCE_HEADER: &str = "sp-source-header-";

/// The record for review of a result that is written already. Its key is that of the record that was answered, as a
/// result's is.
pub fn encode(record: &Record, mut result: Outgoing, reasons: &[Code]) -> Outgoing {
    let headers = &mut result.headers;
    let reasons: Vec<_> = reasons.iter().map(|code| code.as_str()).collect();
    write::push(headers, REASON, reasons.join(","));
    let position = &record.position;
    write::push(headers, "sp-source-topic", position.topic.to_string());
    write::push(headers, "sp-source-partition", position.partition.to_string());
    write::push(headers, "sp-source-offset", position.offset.to_string());
    if let Some(timestamp_ms) = record.timestamp_ms {
        write::push(headers, SOURCE_TIMESTAMP, timestamp_ms.to_string());
    }
    headers.push(Header { name: "sp-source-value".into(), value: record.value.clone() });
    headers.extend(
        record.headers.iter().map(|header| Header {
            name: format!("{SOURCE_HEADER}{}", header.name).into(),
            value: header.value.clone(),
        }),
    );
    result
}

/// Whether a header was added for a reviewer. A record that waited for one and is sent again must not look like one for
/// ever.
pub(super) fn is_mark(name: &str) -> bool {
    name == REASON || name.starts_with(SOURCE)
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;
    use crate::codec::fixtures::binary;

    #[test]
    fn a_result_for_review_is_the_result_with_the_answered_record_behind_it() {
        let mut record = binary(&[("tenant", "a"), ("sp-source-offset", "7")], Some(b"hello"));
        record.headers.push(Header { name: "empty".into(), value: None });
        let plain = Outgoing {
            key: record.key.clone(),
            value: Some(Bytes::from_static(b"{}")),
            headers: vec![Header::text("ce_id", "r-1"), Header::text("tenant", "a")],
            timestamp_ms: None,
        };
        let outgoing = encode(&record, plain.clone(), &[Code::Ungrounded, Code::LowConfidence]);
        assert_eq!((&outgoing.key, &outgoing.value), (&plain.key, &plain.value));
        assert!(outgoing.headers.starts_with(&plain.headers));
        let added = outgoing.headers.get(plain.headers.len()..).unwrap();
        let shown = |header: &Header| {
            let value = header.value.as_ref().map(|value| String::from_utf8(value.to_vec()).unwrap());
            format!("{}={}", header.name, value.unwrap_or_else(|| "null".to_owned()))
        };
        assert_eq!(
            added.iter().map(shown).collect::<Vec<_>>(),
            [
                "sp-review-reason=ungrounded,low_confidence",
                "sp-source-topic=support.tickets",
                "sp-source-partition=3",
                "sp-source-offset=42",
                "sp-source-timestamp=1767225600123",
                "sp-source-value=hello",
                "sp-source-header-ce_specversion=1.0",
                "sp-source-header-ce_id=a-1",
                "sp-source-header-ce_source=/tickets",
                "sp-source-header-ce_type=t.v1",
                "sp-source-header-tenant=a",
                "sp-source-header-sp-source-offset=7",
                "sp-source-header-empty=null",
            ]
        );
        assert!(added.iter().all(|header| is_mark(&header.name)));
        assert!(!plain.headers.iter().any(|header| is_mark(&header.name)));
    }
}

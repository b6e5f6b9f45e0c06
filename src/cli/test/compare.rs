//! What a record became, against what its test expects.

use super::difference::{Extent, differences};
use super::snapshot;
use crate::app::connector_test::Published;
use crate::config::connector_test::{Expected, ExpectedOutcome};
use crate::delivery::outcome::RecordOutcome;
use crate::domain::record::{Header, Outgoing};

/// What is not as expected, one a line.
pub(super) fn compare(expected: &Expected, published: &Published) -> Vec<String> {
    let settled = &published.settled;
    let wrong = match (&expected.outcome, settled.outcome) {
        (ExpectedOutcome::DeadLetter(code), RecordOutcome::DeadLetter { code: given }) if *code == given => Vec::new(),
        (outcome, RecordOutcome::DeadLetter { code }) => {
            let wanted = match outcome {
                ExpectedOutcome::DeadLetter(expected) => format!("the dead letter {expected}"),
                ExpectedOutcome::Result { .. } => "a result".to_owned(),
            };
            let detail = settled.detail.as_deref().unwrap_or_default();
            // What else is expected is of another record.
            return vec![format!("expected {wanted}, got the dead letter {code}: {detail}")];
        }
        (ExpectedOutcome::DeadLetter(code), RecordOutcome::Result { .. }) => {
            let data = snapshot::value(&settled.outgoing);
            return vec![format!("expected the dead letter {code}, got the result {data}")];
        }
        (
            ExpectedOutcome::Result { at_least, exactly, is_for_review: wanted },
            RecordOutcome::Result { is_for_review, .. },
        ) => {
            let data = snapshot::value(&settled.outgoing);
            let at_least = at_least.iter().flat_map(|expected| differences(expected, &data, Extent::AtLeast));
            let exactly = exactly.iter().flat_map(|expected| differences(expected, &data, Extent::Exactly));
            review(*wanted, is_for_review, &settled.outgoing).into_iter().chain(at_least).chain(exactly).collect()
        }
    };
    wrong.into_iter().chain(headers(&expected.headers, &settled.outgoing)).collect()
}

fn review(wanted: bool, given: bool, outgoing: &Outgoing) -> Option<String> {
    match (wanted, given) {
        (true, false) => Some("expected a result that a person sees first, and it is published".to_owned()),
        (false, true) => {
            let reason = last(outgoing, "sp-review-reason").and_then(text).unwrap_or_default();
            Some(format!("expected a result that is published, and a person sees it first: {reason}"))
        }
        _ => None,
    }
}

fn headers(expected: &[(String, Option<String>)], outgoing: &Outgoing) -> Vec<String> {
    let wrong = expected.iter().filter_map(|(name, wanted)| {
        let given = last(outgoing, name).map(|header| text(header).unwrap_or_default());
        match (wanted, given) {
            (Some(wanted), Some(given)) if *wanted == given => None,
            (None, None) => None,
            (Some(wanted), Some(given)) => Some(format!("header {name}: expected {wanted:?}, got {given:?}")),
            (Some(wanted), None) => Some(format!("header {name}: expected {wanted:?}, and it is not there")),
            (None, Some(given)) => Some(format!("header {name}: {given:?} is not expected")),
        }
    });
    wrong.collect()
}

/// The last header of a name, which is the one that readers see.
fn last<'a>(outgoing: &'a Outgoing, name: &str) -> Option<&'a Header> {
    outgoing.headers.iter().rev().find(|header| header.name == name)
}

fn text(header: &Header) -> Option<String> {
    header.value.as_ref().map(|value| String::from_utf8_lossy(value).into_owned())
}

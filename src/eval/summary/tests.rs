use super::*;
use crate::domain::evidence::EvidenceState::{Exact, None as NotFound};
use crate::eval::testing::{answer, failed, fields, labels, run, with_evidence};

fn counts(share: &Share) -> (usize, usize) {
    (share.count, share.of)
}

#[test]
fn a_label_without_an_answer_is_wrong_in_every_field_and_one_that_nobody_was_asked_for_does_not_count() {
    let expected = r#"{"name":"Ada","total":null,"mood":"good","tags":["a"]}"#;
    let labels = labels(&[expected; 5]);
    let outcomes = vec![
        answer(expected),
        answer(r#"{"name":null,"total":3,"mood":"bad","tags":["a"]}"#),
        failed(Code::ProviderRefused),
        failed(Code::AnswerInvalid),
        failed(Code::ProviderUnavailable),
    ];
    let summary = Summary::of(&run(&labels, outcomes), &fields(), &labels);
    assert_eq!((summary.labels, summary.unasked, summary.refused), (4, 1, 1));
    assert_eq!(counts(&summary.answered), (2, 4));
    assert_eq!(counts(&summary.fields_right), (5, 16));
    assert_eq!(counts(&summary.labels_right), (1, 4));
    assert_eq!(counts(&summary.omitted), (1, 6));
    assert_eq!(counts(&summary.invented), (1, 2));
    assert_eq!(summary.dead_letters, BTreeMap::from([("answer_invalid", 1), ("provider_refused", 1)]));
    assert_eq!((summary.cost.calls, summary.cost.input_tokens, summary.cost.output_tokens), (5, 500, 100));
    assert!((summary.cost.usd_per_answer.unwrap() - 0.025).abs() < 1e-9, "what failed is paid, too");
    let name = &summary.fields[0];
    assert_eq!(
        (counts(&name.right), counts(&name.omitted), counts(&name.invented), name.wrong),
        ((1, 4), (1, 2), (0, 0), 0)
    );
    let mood = &summary.fields[2];
    assert_eq!((counts(&mood.right), mood.wrong), ((1, 4), 1));
    assert_eq!(
        summary.by_language.iter().map(|(name, share)| (name.as_str(), share.of)).collect::<Vec<_>>(),
        [("de", 8), ("en", 8)]
    );
    assert_eq!(counts(&summary.by_trap["odd-0"]), (4, 8));
}

#[test]
fn ungrounded_values_are_told_apart_from_wrong_ones() {
    let expected = r#"{"name":"Ada","total":12,"mood":"good","tags":[]}"#;
    let labels = labels(&[expected; 2]);
    let first = with_evidence(answer(expected), &[("/name", Exact, &[(0, 3)]), ("/total", NotFound, &[])]);
    let second = answer(r#"{"name":"Ada","total":13,"mood":"good","tags":[]}"#);
    let second = with_evidence(second, &[("/name", Exact, &[(0, 3)]), ("/total", NotFound, &[])]);
    let summary = Summary::of(&run(&labels, vec![first, second]), &fields(), &labels);
    assert_eq!(counts(&summary.ungrounded), (2, 4));
    assert_eq!(counts(&summary.fields[1].ungrounded), (2, 2));
    assert_eq!(counts(&summary.at_their_place), (2, 2));
    let states: Vec<_> = summary.by_state.iter().map(|one| (one.state, counts(&one.right))).collect();
    assert_eq!(states, [("exact", (2, 2)), ("none", (1, 2)), ("absent", (2, 2))]);
}

#[test]
fn times_of_recordings_are_not_told() {
    let labels = labels(&["{}"; 3]);
    let mut run = run(&labels, vec![answer("{}"), answer("{}"), answer("{}")]);
    assert_eq!(Summary::of(&run, &fields(), &labels).latency, Some(Latency { p50_ms: 100.0, p95_ms: 100.0 }));
    run.is_replayed = true;
    assert_eq!(Summary::of(&run, &fields(), &labels).latency, None);
}

#[test]
fn nothing_at_all_is_no_division_by_zero() {
    let summary = Summary::of(&run(&[], Vec::new()), &fields(), &[]);
    assert_eq!((summary.fields_right.rate, summary.cost.usd_per_answer, summary.latency), (None, None, None));
    assert!(serde_json::to_string(&summary).is_ok());
}

//! What replies lead to that are neither plainly valid nor plainly invalid.

use super::*;
use crate::domain::attempt::PassedOver;
use crate::domain::logprobs::ValueLogprob;
use crate::ports::model::ObjectLogprobs;

fn runaway() -> Result<Reply, CallError> {
    finished(Finish::Truncated, &format!("{{\"intent\":\"refund\",\"count\":1{}", "0".repeat(200)))
}

#[tokio::test]
async fn reasoning_and_examples_cost_no_call_and_are_in_the_attempt_log() {
    for (text, passed_over) in [
        (r#"<think>maybe {"intent":"other"}</think>{"intent":"refund"}"#, PassedOver { reasoning: true, objects: 0 }),
        (r#"Schema: {"type":"object"} Answer: {"intent":"refund"}"#, PassedOver { reasoning: false, objects: 1 }),
    ] {
        let model = Scripted::new("a", [FakeModel::says(text)]);
        let answered = ask(&asking(settings(), &[&model], 2)).await.unwrap();
        assert_eq!(&answered.answer.data[..], VALID.as_bytes());
        let attempt_log: Vec<_> =
            answered.answer.attempt_log.iter().map(|attempt| (attempt.step, attempt.passed_over)).collect();
        assert_eq!(attempt_log, [(LadderStep::Ask, passed_over)]);
        assert!((answered.answer.factors.validation - 1.0).abs() < 1e-9);
    }
}

#[tokio::test]
async fn two_answers_are_asked_for_again_as_one() {
    let both = FakeModel::says(r#"{"intent":"refund"} or {"intent":"other"}"#);
    let model = Scripted::new("a", [both, FakeModel::says(VALID)]);
    let answered = ask(&asking(settings(), &[&model], 2)).await.unwrap();
    assert_eq!(steps(&answered), [(LadderStep::Ask, "a", Some(Code::AnswerInvalid)), (LadderStep::Correct, "a", None)]);
    assert!(model.asked()[1].errors.as_ref().unwrap().contains("2 different JSON objects"));
}

#[tokio::test]
async fn reasoning_without_an_answer_is_none_even_with_a_draft_in_it() {
    let draft = r#"<think>maybe {"intent":"other"}"#;
    let model = Scripted::new("a", [FakeModel::says(draft), FakeModel::says(VALID)]);
    let answered = ask(&asking(settings(), &[&model], 2)).await.unwrap();
    assert_eq!(steps(&answered), [(LadderStep::Ask, "a", Some(Code::AnswerNotJson)), (LadderStep::Correct, "a", None)]);
    let model = Scripted::new("a", [finished(Finish::Truncated, draft), FakeModel::says(VALID)]);
    let answered = ask(&asking(settings(), &[&model], 2)).await.unwrap();
    assert_eq!(
        steps(&answered),
        [(LadderStep::Ask, "a", Some(Code::AnswerTruncated)), (LadderStep::Lengthen, "a", None)]
    );
}

#[tokio::test]
async fn a_raw_line_break_and_a_whole_answer_that_is_said_to_be_cut_cost_no_call() {
    let text = r#"{"intent":"refund","text":"a_b"}"#.replace('_', "\n");
    let schema = json!({ "type": "object", "properties": { "text": { "type": "string" } }, "required": ["intent"] });
    let schema = Arc::new(Schema::compile("ticket", "1.0.0", schema).unwrap());
    for (finish, text, validation) in [
        (Finish::Complete, text.as_str(), 0.9),
        (Finish::Truncated, text.as_str(), 0.9),
        (Finish::Truncated, VALID, 1.0),
    ] {
        let model = Scripted::new("a", [finished(finish, text)]);
        let settings = settings().with(|it| it.schema = Arc::clone(&schema));
        let answered = ask(&asking(settings, &[&model], 2)).await.unwrap();
        assert_eq!((model.calls(), answered.answer.attempt_log.len()), (1, 1));
        assert!((answered.answer.factors.validation - validation).abs() < 1e-9, "{text}");
    }
}

#[tokio::test]
async fn an_answer_that_ran_away_is_not_lengthened() {
    let alone = Scripted::new("a", [runaway()]);
    let failure = ask(&asking(settings(), &[&alone], 2)).await.unwrap_err();
    assert_eq!((failure.code, failure.attempts(), alone.calls()), (Code::AnswerTruncated, 1, 1));
    assert!(failure.detail.contains("repeats itself"), "{failure}");

    let first = Scripted::new("a", [runaway()]);
    let second = Scripted::new("b", [FakeModel::says(VALID)]);
    let answered = ask(&asking(settings(), &[&first, &second], 2)).await.unwrap();
    assert_eq!(
        steps(&answered),
        [(LadderStep::Ask, "a", Some(Code::AnswerTruncated)), (LadderStep::Fallback, "b", None)]
    );
    assert_eq!(second.asked()[0].max_tokens, None, "at the limit that is meant for it");
    assert!((answered.answer.factors.ladder - 0.85).abs() < 1e-9);
}

#[tokio::test]
async fn no_more_than_three_models_run_away_with_a_record() {
    let models: Vec<_> = ["a", "b", "c", "d"].map(|name| Scripted::new(name, [runaway()])).into();
    let failure = ask(&asking(settings(), &models.iter().collect::<Vec<_>>(), 2)).await.unwrap_err();
    assert_eq!((failure.code, failure.attempts()), (Code::AnswerTruncated, 3));
}

#[tokio::test]
async fn a_lengthened_answer_that_runs_away_is_the_last() {
    let model = Scripted::new("a", [finished(Finish::Truncated, "{"), runaway()]);
    let failure = ask(&asking(settings(), &[&model], 2)).await.unwrap_err();
    assert_eq!((failure.code, failure.attempts()), (Code::AnswerTruncated, 2));
    assert!(failure.detail.contains("repeats itself"), "{failure}");
}

#[tokio::test]
async fn what_was_nearly_valid_before_a_cut_answer_can_be_relaxed() {
    let cut = || finished(Finish::Truncated, "{");
    let model = Scripted::new("a", [FakeModel::says(r#"{"count":"3"}"#), cut(), cut()]);
    let allowed = settings().with(|it| it.checks.allow_relaxed = true);
    let answered = ask(&asking(allowed, &[&model], 2)).await.unwrap();
    assert_eq!(answered.answer.validation, Validation::Relaxed);
    assert_eq!(steps(&answered).len(), 4);
}

/// A reply that tells how likely its values were.
fn told(text: &str, values: &[(&str, f64)]) -> Result<Reply, CallError> {
    let value = |(field, mean): &(&str, f64)| ValueLogprob { field: (*field).to_owned(), mean: *mean, tokens: 1 };
    let logprobs = vec![ObjectLogprobs { start: 0, values: values.iter().map(value).collect() }];
    FakeModel::says(text).map(|reply| Reply { logprobs, ..reply })
}

#[tokio::test]
async fn the_signal_of_a_provider_is_that_of_the_values_that_are_taken() {
    let half = 0.5_f64.ln();
    let corrected = told(VALID, &[("/intent", half)]);
    let model = Scripted::new("a", [told(INVALID, &[("/intent", -9.0)]), corrected]);
    let answered = ask(&asking(settings(), &[&model], 2)).await.unwrap();
    assert!((answered.answer.factors.provider.unwrap() - 0.5).abs() < 1e-9);
    assert_eq!(answered.answer.logprobs, [ValueLogprob { field: "/intent".into(), mean: half, tokens: 1 }]);
    assert!((answered.confidence.score - 0.5 * 0.85).abs() < 1e-9);
}

#[tokio::test]
async fn an_answer_in_a_relaxed_form_has_no_log_probabilities() {
    let model = Scripted::new("a", [told(r#"{"count":"3"}"#, &[("/count", -1.0)])]);
    let allowed = settings().with(|it| it.checks.allow_relaxed = true);
    let answer = ask(&asking(allowed, &[&model], 0)).await.unwrap().answer;
    assert_eq!((answer.validation, answer.factors.provider), (Validation::Relaxed, None));
    assert_eq!(answer.logprobs, []);
}

use std::time::Duration;

use serde_json::json;

use super::*;
use crate::domain::answer::{Flag, Usage};
use crate::domain::event::Data;
use crate::domain::failure::Code;
use crate::pipeline::spec::{CachePolicy, EvidenceMode, LowConfidencePolicy, PatternPolicy, SpecSettings};
use crate::pipeline::testing::{self, Asking, router_to};
use crate::ports::model::{CallError, FakeModel, Finish, Model, Reply};
use crate::prompt::template::Template;
use crate::schema::Schema;
use crate::telemetry::traces::trace::Trace;

mod deadline;
mod numbers;
mod remembered;

fn settings() -> SpecSettings {
    let schema = json!({
        "type": "object",
        "properties": { "intent": { "enum": ["refund", "other"] }, "order": { "type": "string" } },
        "required": ["intent"],
        "additionalProperties": false,
    });
    testing::settings().with(|it| {
        it.template = Arc::new(Template::inline("{{ data.body }}").unwrap());
        it.schema = Arc::new(Schema::compile("ticket", "1.0.0", schema).unwrap());
        it.checks.max_prompt_chars = 100;
        it.checks.patterns = PatternPolicy::Flag;
        it.checks.evidence = EvidenceMode::Off;
        it.cache = CachePolicy::on(Duration::from_secs(60));
    })
}

struct Test {
    model: Arc<FakeModel>,
    asking: Asking,
}

impl Test {
    fn new(settings: SpecSettings, replies: impl IntoIterator<Item = Result<Reply, CallError>>) -> Self {
        let model = Arc::new(FakeModel::new(replies));
        Self { model: Arc::clone(&model), asking: Asking::new(settings, router_to(model)) }
    }

    async fn ask(&self, body: &str) -> Result<Answered, Failure> {
        self.asking.attempt(data(body)).await
    }
}

fn data(body: &str) -> Data {
    Data::Json(json!({ "body": body }))
}

fn code(outcome: Result<Answered, Failure>) -> (Code, u32) {
    let failure = outcome.expect_err("a failure");
    (failure.code, failure.attempts())
}

const VALID: &str = r#"{"intent":"refund","order":"A-1"}"#;

#[tokio::test]
async fn a_question_is_paid_once_and_remembered() {
    let test = Test::new(settings(), [FakeModel::says(VALID)]);
    let first = test.ask("money back").await.unwrap();
    let again = test.ask("  money back\r\n").await.unwrap();
    assert_eq!((first.cache_hit, again.cache_hit), (CacheHit::None, CacheHit::Memory));
    assert_eq!(first.answer, again.answer);
    assert_eq!(&first.answer.data[..], VALID.as_bytes());
    assert_eq!(first.answer.usage, Usage { input_tokens: 10, output_tokens: 5, ..Usage::default() });
}

#[tokio::test]
async fn equal_questions_at_the_same_time_share_one_call() {
    let test = Test::new(settings(), [FakeModel::says(VALID)]);
    let (first, second, third) = tokio::join!(test.ask("same"), test.ask("same"), test.ask("same"));
    let hits = [first, second, third].map(|outcome| outcome.unwrap().cache_hit);
    assert_eq!(hits.iter().filter(|hit| **hit == CacheHit::None).count(), 1);
}

#[tokio::test]
async fn a_zero_ttl_asks_every_time() {
    let settings = settings().with(|it| it.cache = CachePolicy::on(Duration::ZERO));
    let test = Test::new(settings, [FakeModel::says(VALID), FakeModel::says(VALID)]);
    test.ask("same").await.unwrap();
    test.ask("same").await.unwrap();
    assert_eq!(test.model.left(), 0);
}

#[tokio::test]
async fn an_invalid_answer_is_asked_again_and_costs_confidence() {
    let test = Test::new(settings(), [FakeModel::says(r#"{"intent":"nonsense"}"#), FakeModel::says(VALID)]);
    let answered = test.ask("x").await.unwrap();
    assert_eq!(answered.answer.attempt_log.len(), 2);
    assert_eq!(answered.answer.usage.input_tokens, 20);
    assert!(answered.answer.factors.ladder < 1.0);
}

#[tokio::test]
async fn an_answer_that_never_becomes_valid_fails_after_three_calls() {
    let invalid = || FakeModel::says(r#"{"intent":"nonsense"}"#);
    let test = Test::new(settings(), [invalid(), invalid(), invalid(), FakeModel::says(VALID)]);
    assert_eq!(code(test.ask("x").await), (Code::AnswerInvalid, 3));
    assert_eq!(test.model.left(), 1);
}

#[tokio::test]
async fn a_refusal_is_not_asked_again_nor_remembered() {
    let refusal = FakeModel::says("I cannot help with that.").map(|reply| Reply { finish: Finish::Refused, ..reply });
    let test = Test::new(settings(), [refusal, FakeModel::says(VALID)]);
    assert_eq!(code(test.ask("x").await), (Code::ProviderRefused, 1));
    assert!(test.ask("x").await.is_ok());
}

#[tokio::test]
async fn prose_without_json_is_asked_again() {
    let test = Test::new(settings(), [FakeModel::says("It is a refund."), FakeModel::says(VALID)]);
    assert_eq!(test.ask("x").await.unwrap().answer.attempt_log.len(), 2);
}

#[tokio::test]
async fn the_answer_after_reasoning_is_taken_with_one_call() {
    let drafts = r#"<think>{"intent":"other"}, or {"intent":"refund"}?</think> As {"type":"object"} asks: "#;
    let test = Test::new(settings(), [FakeModel::says(&format!("{drafts}{VALID}"))]);
    let answered = test.ask("x").await.unwrap();
    assert_eq!((&answered.answer.data[..], answered.answer.attempt_log.len()), (VALID.as_bytes(), 1));
    assert_eq!(&*test.ask("x").await.unwrap().answer.data, VALID.as_bytes(), "and remembered");
}

#[tokio::test]
async fn limits_cost_no_call() {
    let test = Test::new(settings(), []);
    assert_eq!(code(test.ask(" \n\t ").await), (Code::PromptEmpty, 0));
    assert_eq!(code(test.ask(&"x".repeat(101)).await), (Code::PromptTooLong, 0));
}

#[tokio::test]
async fn nothing_is_asked_about_a_blank_text_whatever_stands_around_it() {
    let template = Arc::new(Template::inline("What does the customer want? {{ data.body }}").unwrap());
    let test = Test::new(settings().with(|it| it.template = template), []);
    assert_eq!(code(test.ask(" \u{200b}\n").await), (Code::PromptEmpty, 0));
}

#[tokio::test]
async fn a_hundred_wide_characters_are_within_a_limit_of_a_hundred() {
    let test = Test::new(settings(), [FakeModel::says(VALID)]);
    assert!(test.ask(&"日".repeat(100)).await.is_ok());
}

#[tokio::test]
async fn suspicious_input_is_flagged_or_rejected_as_configured() {
    let injection = "'; DROP TABLE users; --";
    let flagged = Test::new(settings(), [FakeModel::says(VALID)]).ask(injection).await.unwrap();
    assert_eq!(flagged.flags, [Flag::SuspiciousInput("sql-stacked-query")]);
    let strict = settings().with(|it| it.checks.patterns = PatternPolicy::Reject);
    assert_eq!(code(Test::new(strict, []).ask(injection).await), (Code::SuspiciousInput, 0));
}

#[tokio::test]
async fn low_confidence_is_flagged_or_dead_lettered_as_configured() {
    let flag = settings().with(|it| it.checks.confidence_threshold = Some(0.99));
    let dead_letter = flag.clone().with(|it| it.checks.on_low_confidence = LowConfidencePolicy::DeadLetter);
    let corrected = || [FakeModel::says(r#"{"intent":"nonsense"}"#), FakeModel::says(VALID)];
    assert_eq!(Test::new(flag, corrected()).ask("x").await.unwrap().flags, [Flag::LowConfidence]);
    assert_eq!(code(Test::new(dead_letter, corrected()).ask("x").await), (Code::LowConfidence, 2));
}

#[tokio::test]
async fn a_cancelled_leader_lets_another_request_lead() {
    struct Hangs;
    impl Model for Hangs {
        fn name(&self) -> &'static str {
            "hangs"
        }
        fn family(&self) -> &'static str {
            "hangs"
        }
        fn cost_usd(&self, _usage: Usage) -> f64 {
            0.0
        }
        fn max_tokens(&self) -> u32 {
            100
        }
        fn ask<'a>(
            &'a self,
            _call: &'a crate::ports::model::Call<'a>,
        ) -> futures_util::future::BoxFuture<'a, Result<Reply, CallError>> {
            Box::pin(std::future::pending())
        }
    }
    let asking = Asking::new(settings(), router_to(Arc::new(Hangs)));
    let wait = Duration::from_millis(10);
    assert!(tokio::time::timeout(wait, asking.attempt(data("same"))).await.is_err());
    // Were the flight still registered, this one would follow it for ever instead of leading.
    let Begun::Ask(question) = asking.begin(data("same")) else { panic!("nothing is remembered") };
    assert!(matches!(
        asking.engine.recall.join(question.fingerprint.unwrap(), &Trace::default()),
        SingleFlight::Lead(_)
    ));
}

use std::time::Duration;

use serde_json::json;

use super::ladder::Ladder;
use super::progress::Owed;
use super::{Asked, Progress};
use crate::domain::answer::{Answered, Validation};
use crate::domain::attempt::LadderStep;
use crate::domain::event::Data;
use crate::domain::failure::{Code, Failure, Kind};
use crate::domain::tenant::Tenant;
use crate::pipeline::approve::Rejected;
use crate::pipeline::budget::BudgetSettings;
use crate::pipeline::route::settings::{RecordCeiling, Strategy};
use crate::pipeline::route::testing::{Limits, Scripted, fails, fails_for, finished, router};
use crate::pipeline::spec::SpecSettings;
use crate::pipeline::testing::{self, Asking, caller_of};
use crate::ports::model::{CallError, FakeModel, Finish, Model, Reply};
use crate::schema::Schema;
use crate::telemetry::traces::trace::Trace;
use std::sync::Arc;

const VALID: &str = r#"{"intent":"refund"}"#;
const INVALID: &str = r#"{"intent":"nonsense"}"#;

fn settings() -> SpecSettings {
    let schema = json!({
        "type": "object",
        "properties": { "intent": { "enum": ["refund", "other"] }, "count": { "type": "integer" } },
        "required": ["intent"],
        "additionalProperties": false,
    });
    testing::settings().with(|it| it.schema = Arc::new(Schema::compile("ticket", "1.0.0", schema).unwrap()))
}

fn asking(settings: SpecSettings, models: &[&Arc<Scripted>], max_retries: u32) -> Asking {
    let members = models
        .iter()
        .map(|model| (Arc::clone(model) as Arc<dyn Model>, Limits { max_retries, ..Limits::default() }))
        .collect();
    Asking::new(settings, router(members, Strategy::Priority))
}

fn with_budget(asking: Asking, usd: f64) -> Asking {
    let budget = BudgetSettings { usd, window: Duration::from_secs(3600) };
    asking.on_behalf_of(caller_of(Tenant::default(), Some(budget)))
}

async fn ask(asking: &Asking) -> Result<Answered, Failure> {
    asking.attempt(Data::Text("money back".into())).await
}

fn steps(answered: &Answered) -> Vec<(LadderStep, &str, Option<Code>)> {
    answered.answer.attempt_log.iter().map(|attempt| (attempt.step, &*attempt.provider, attempt.error)).collect()
}

#[tokio::test(start_paused = true)]
async fn a_transient_error_is_retried_twice_and_then_the_next_provider_is_asked() {
    let gemini = Scripted::new("gemini", [fails(Code::ProviderUnavailable)]);
    let reply = FakeModel::says(VALID).map(|reply| Reply { response_id: Some("resp-1".to_owned()), ..reply });
    let claude = Scripted::new("claude", [reply]);
    let answered = ask(&asking(settings(), &[&gemini, &claude], 2)).await.unwrap();
    let down = Some(Code::ProviderUnavailable);
    let wanted = [
        (LadderStep::Ask, "gemini", down),
        (LadderStep::Retry, "gemini", down),
        (LadderStep::Retry, "gemini", down),
        (LadderStep::Fallback, "claude", None),
    ];
    assert_eq!(steps(&answered), wanted);
    assert_eq!(&*answered.answer.provider, "claude");
    let models: Vec<_> = answered.answer.attempt_log.iter().map(|attempt| &*attempt.model).collect();
    assert_eq!(models, ["gemini", "gemini", "gemini", "fake-1"], "who was asked, or who answered");
    let id = answered.answer.attempt_log.last().and_then(|attempt| attempt.response_id.as_deref());
    assert_eq!(id, Some("resp-1"));
    assert!((answered.answer.factors.ladder - 1.0).abs() < 1e-9, "the question was not to blame");
}

#[tokio::test(start_paused = true)]
async fn a_pause_that_was_asked_for_goes_to_the_next_provider_at_once_and_is_kept_for_later_records() {
    let pause = Duration::from_secs(30);
    let gemini = Scripted::new("gemini", [fails_for(Code::ProviderRateLimited, pause), FakeModel::says(VALID)]);
    let claude = Scripted::new("claude", [FakeModel::says(VALID)]);
    let asking = asking(settings(), &[&gemini, &claude], 2);
    for _ in 0..20 {
        assert_eq!(&*ask(&asking).await.unwrap().answer.provider, "claude");
        tokio::time::advance(Duration::from_secs(1)).await;
    }
    assert_eq!(gemini.calls(), 1);
    tokio::time::advance(pause).await;
    assert_eq!(&*ask(&asking).await.unwrap().answer.provider, "gemini");
}

#[tokio::test]
async fn an_invalid_answer_goes_back_with_its_errors_then_to_another_provider() {
    let gemini = Scripted::new("gemini", [FakeModel::says(INVALID)]);
    let claude = Scripted::new("claude", [FakeModel::says(VALID)]);
    let answered = ask(&asking(settings(), &[&gemini, &claude], 2)).await.unwrap();
    let invalid = Some(Code::AnswerInvalid);
    let wanted = [
        (LadderStep::Ask, "gemini", invalid),
        (LadderStep::Correct, "gemini", invalid),
        (LadderStep::Fallback, "claude", None),
    ];
    assert_eq!(steps(&answered), wanted);
    assert!(gemini.asked()[1].errors.as_ref().unwrap().contains("/intent"));
    assert_eq!(claude.asked()[0].errors, None, "another model's mistakes are not shown to it");
    assert!((answered.answer.factors.ladder - 0.7).abs() < 1e-9);
}

#[tokio::test]
async fn no_more_than_two_corrections_whatever_stands_in_reserve() {
    let models: Vec<_> = ["a", "b", "c", "d"].map(|name| Scripted::new(name, [FakeModel::says(INVALID)])).into();
    let failure = ask(&asking(settings(), &models.iter().collect::<Vec<_>>(), 2)).await.unwrap_err();
    assert_eq!((failure.code, failure.attempts()), (Code::AnswerInvalid, 3));
}

#[tokio::test]
async fn truncation_raises_the_ceiling_once() {
    let cut = || finished(Finish::Truncated, "{");
    let once = Scripted::new("a", [cut(), FakeModel::says(VALID)]);
    let answered = ask(&asking(settings(), &[&once], 2)).await.unwrap();
    assert_eq!(steps(&answered).iter().map(|step| step.0).collect::<Vec<_>>(), [LadderStep::Ask, LadderStep::Lengthen]);
    assert_eq!(once.asked().iter().map(|asked| asked.max_tokens).collect::<Vec<_>>(), [None, Some(400)]);
    let always = Scripted::new("a", [cut()]);
    let failure = ask(&asking(settings(), &[&always, &once], 2)).await.unwrap_err();
    assert_eq!((failure.code, failure.attempts()), (Code::AnswerTruncated, 2));
}

#[tokio::test]
async fn a_refusal_is_asked_of_nobody_else() {
    let refuses = Scripted::new("a", [finished(Finish::Refused, "no")]);
    let filtered = Err(CallError::lasting(Failure::new(Code::ProviderRefused, "filtered")));
    let filters = Scripted::new("a", [filtered]);
    let other = Scripted::new("b", [FakeModel::says(VALID)]);
    for first in [refuses, filters] {
        let failure = ask(&asking(settings(), &[&first, &other], 2)).await.unwrap_err();
        assert_eq!((failure.code, failure.attempts()), (Code::ProviderRefused, 1));
    }
    assert_eq!(other.calls(), 0);
}

#[tokio::test]
async fn a_request_that_one_provider_rejects_may_suit_another() {
    let rejected = Err(CallError::lasting(Failure::new(Code::ProviderRejected, "too long for this model")));
    let first = Scripted::new("a", [rejected]);
    let second = Scripted::new("b", [FakeModel::says(VALID)]);
    let asking = asking(settings(), &[&first, &second], 2);
    for _ in 0..5 {
        assert_eq!(&*ask(&asking).await.unwrap().answer.provider, "b");
    }
    assert_eq!(first.calls(), 5, "the request is to blame, not the provider");
}

#[tokio::test(start_paused = true)]
async fn what_a_provider_says_of_the_question_is_told_before_who_was_away() {
    let invalid = Scripted::new("a", [FakeModel::says("no JSON")]);
    let away = Scripted::new("b", [fails(Code::ProviderUnavailable)]);
    let failure = ask(&asking(settings(), &[&invalid, &away], 0)).await.unwrap_err();
    assert_eq!(failure.code, Code::AnswerNotJson);
    let slow = Scripted::new("a", [fails(Code::ProviderTimeout)]);
    let failure = ask(&asking(settings(), &[&slow, &away], 0)).await.unwrap_err();
    assert_eq!(failure.code, Code::ProviderUnavailable, "the record waits for the one that may answer it");
}

#[tokio::test]
async fn a_record_stops_at_its_ceiling() {
    let invalid = || Scripted::new("a", [FakeModel::says(INVALID)]);
    let by_usd = settings().with(|it| it.ceiling = RecordCeiling { tokens: 100_000, usd: Some(2.5) });
    let failure = ask(&asking(by_usd, &[&invalid()], 2)).await.unwrap_err();
    assert_eq!((failure.code, failure.attempts()), (Code::RecordCeiling, 2));
    let by_tokens = settings().with(|it| it.ceiling = RecordCeiling { tokens: 10, usd: None });
    let failure = ask(&asking(by_tokens, &[&invalid()], 2)).await.unwrap_err();
    assert_eq!((failure.code, failure.attempts()), (Code::RecordCeiling, 0));
}

#[tokio::test]
async fn a_cut_answer_is_lengthened_to_what_the_ceiling_leaves() {
    let cut = finished(Finish::Truncated, "{");
    let model = Scripted::new("a", [cut, FakeModel::says(VALID)]);
    let tokens = 900;
    let settings = settings().with(|it| it.ceiling = RecordCeiling { tokens, usd: None });
    ask(&asking(settings, &[&model], 2)).await.unwrap();
    let longer = model.asked()[1].max_tokens.unwrap();
    assert!((101..400).contains(&longer), "{longer}");
}

#[tokio::test(start_paused = true)]
async fn a_call_that_timed_out_is_charged_at_its_worst_price() {
    let model = Scripted::new("a", [fails(Code::ProviderTimeout), FakeModel::says(VALID)]);
    let asking = with_budget(asking(settings(), &[&model], 0), 2.5);
    assert_eq!(ask(&asking).await.unwrap_err().code, Code::ProviderTimeout);
    assert!(ask(&asking).await.is_ok());
    assert_eq!(ask(&asking).await.unwrap_err().code, Code::BudgetExhausted);
}

#[tokio::test]
async fn the_estimate_holds_everything_that_is_sent() {
    let model = Scripted::new("a", []);
    let asking = asking(settings(), &[&model], 2);
    let mut progress = Progress::default();
    let (answer, errors) = ("a".repeat(3000), "e".repeat(300));
    let owed = Owed { index: 0, step: LadderStep::Correct, rejected: Some(Rejected { answer, errors }) };
    let (spec, caller, text) = (&*asking.spec, &*asking.caller, "money back");
    let trace = &Trace::default();
    let asked = Asked { spec, caller, deadline: None, prompt: text, content: text, trace };
    let ladder = Ladder::new(asked, &mut progress);
    let member = spec.router().member(0);
    let plain = ladder.need(member).input_tokens;
    let schema = spec.settings().schema.json().to_string().len();
    let sent = spec.call().system(ladder.language_note()).len() + schema + text.len();
    assert!(plain * 3 > sent as u64, "the schema goes with the instructions and beside them");
    ladder.progress.owed = Some(owed);
    assert!(ladder.need(member).input_tokens >= plain + 1100);
}

#[tokio::test(start_paused = true)]
async fn a_spent_budget_closes_the_gate_and_blames_no_record() {
    let model = Scripted::new("a", [FakeModel::says(VALID)]);
    let asking = with_budget(asking(settings(), &[&model], 2), 2.0);
    assert!(ask(&asking).await.is_ok() && ask(&asking).await.is_ok());
    let failure = ask(&asking).await.unwrap_err();
    assert_eq!((failure.code, failure.attempts()), (Code::BudgetExhausted, 0));
    assert_eq!(asking.gate().closed().unwrap().dependency, "budget");
    assert_eq!(model.calls(), 2);
}

#[tokio::test]
async fn a_nearly_valid_answer_is_published_marked_where_that_is_allowed() {
    let nearly = || Scripted::new("a", [FakeModel::says(r#"{"count":"3"}"#)]);
    assert_eq!(ask(&asking(settings(), &[&nearly()], 2)).await.unwrap_err().code, Code::AnswerInvalid);
    let allowed = settings().with(|it| it.checks.allow_relaxed = true);
    let answered = ask(&asking(allowed.clone(), &[&nearly()], 2)).await.unwrap();
    assert_eq!(answered.answer.validation, Validation::Relaxed);
    assert_eq!(&answered.answer.data[..], br#"{"count":3}"#);
    assert_eq!(steps(&answered).last(), Some(&(LadderStep::Relax, "a", None)));
    assert!(answered.confidence.score < 0.4);

    let low = allowed.with(|it| it.ceiling = RecordCeiling { tokens: 100_000, usd: Some(1.5) });
    let answered = ask(&asking(low, &[&nearly()], 2)).await.unwrap();
    assert_eq!(steps(&answered).len(), 2, "one call, and the ceiling allows no second");
}

#[tokio::test]
async fn any_object_is_an_answer_where_validation_is_bypassed() {
    let model = Scripted::new("a", [FakeModel::says("no object"), FakeModel::says(INVALID)]);
    let bypassed = settings().with(|it| it.checks.bypass_validation = true);
    let answered = ask(&asking(bypassed, &[&model], 2)).await.unwrap();
    assert_eq!(answered.answer.validation, Validation::Bypassed);
    assert_eq!(&answered.answer.data[..], INVALID.as_bytes());
    assert!(answered.confidence.score <= 0.5, "{:?}", answered.confidence);
    assert_eq!(model.calls(), 2, "something that is no object is none");
}

mod replies;
mod usage;
mod waits;

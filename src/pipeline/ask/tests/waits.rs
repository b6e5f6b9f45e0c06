//! What ends a ladder, who is to blame, and what is carried over when a record waits.

use futures_util::future::join_all;

use super::*;
use crate::pipeline::request::Question;

/// A question that has not been asked.
fn question(asking: &Asking, text: &str) -> Question {
    asking.question(text)
}

/// Asks until there is an outcome, as a connector does.
async fn wait_for(asking: &Asking, question: &mut Question) -> Result<Answered, Failure> {
    loop {
        asking.engine.ready(question).await?;
        match asking.engine.attempt(question).await {
            Err(failure) if failure.kind() == Kind::Unavailable => {}
            outcome => return outcome,
        }
    }
}

fn attempt_log(failure: &Failure) -> Vec<(LadderStep, Option<Code>)> {
    failure.attempt_log.iter().map(|attempt| (attempt.step, attempt.error)).collect()
}

#[tokio::test(start_paused = true)]
async fn a_record_that_was_never_asked_is_not_blamed_for_what_others_found() {
    for code in [Code::ProviderTimeout, Code::ProviderMalformed] {
        let model = Scripted::new("a", [fails(code)]);
        let asking = asking(settings(), &[&model], 2);
        assert_eq!(ask(&asking).await.unwrap_err().code, code, "three attempts of one record open the breaker");
        let failure = ask(&asking).await.unwrap_err();
        assert_eq!((failure.code, failure.attempts()), (Code::ProviderUnavailable, 0));
        assert_eq!(failure.detail, "as told", "what is wrong is still said");
    }
}

#[tokio::test(start_paused = true)]
async fn a_provider_that_hangs_for_ever_gets_each_record_after_its_own_attempts_and_none_before() {
    let model = Scripted::with("a", 1.0, Duration::from_secs(1), [fails(Code::ProviderTimeout)]);
    let asking = asking(settings(), &[&model], 2);
    let mut questions: Vec<_> = (0..8).map(|n| question(&asking, &n.to_string())).collect();
    let began_at = tokio::time::Instant::now();
    let first = join_all(questions.iter_mut().map(|question| asking.engine.attempt(question))).await;
    // Three calls, and pauses of at most 0.5 and 1 s before the second and the third.
    assert!(began_at.elapsed() <= Duration::from_millis(4500), "{:?}", began_at.elapsed());
    for failure in first.into_iter().map(Result::unwrap_err) {
        assert_eq!((failure.code, failure.attempts()), (Code::ProviderTimeout, 3));
    }
    assert_eq!(model.calls(), 8 * 3);
    for n in 0..8 {
        let failure = asking.engine.attempt(&mut question(&asking, &n.to_string())).await.unwrap_err();
        assert_eq!((failure.code, failure.attempts()), (Code::ProviderUnavailable, 0), "who comes later waits");
    }
}

#[tokio::test(start_paused = true)]
async fn while_a_provider_hangs_for_ever_its_probes_cost_no_record_its_attempts_at_once() {
    let model = Scripted::with("a", 1.0, Duration::from_secs(1), [fails(Code::ProviderTimeout)]);
    let asking = asking(settings(), &[&model], 2);
    asking.engine.attempt(&mut question(&asking, "first")).await.unwrap_err();
    let mut probe = question(&asking, "second");
    asking.engine.ready(&probe).await.unwrap();
    let failure = asking.engine.attempt(&mut probe).await.unwrap_err();
    assert_eq!((failure.code, failure.attempts()), (Code::ProviderUnavailable, 1));
}

#[tokio::test(start_paused = true)]
async fn who_timed_out_goes_to_another_provider_before_it_goes_past_an_open_breaker() {
    let slow = Scripted::with("a", 1.0, Duration::from_secs(1), [fails(Code::ProviderTimeout)]);
    let other = Scripted::new("b", [FakeModel::says(VALID)]);
    let asking = asking(settings(), &[&slow, &other], 2);
    let mut questions: Vec<_> = (0..8).map(|n| question(&asking, &n.to_string())).collect();
    let outcomes = join_all(questions.iter_mut().map(|question| asking.engine.attempt(question))).await;
    assert!(outcomes.into_iter().all(|outcome| &*outcome.unwrap().answer.provider == "b"));
    assert_eq!(slow.calls(), 8);
}

#[tokio::test(start_paused = true)]
async fn a_chain_that_hangs_for_ever_gets_each_record_after_its_attempts_at_all_of_it() {
    let hangs = |name| Scripted::with(name, 1.0, Duration::from_secs(1), [fails(Code::ProviderTimeout)]);
    let (first, second) = (hangs("a"), hangs("b"));
    let asking = asking(settings(), &[&first, &second], 2);
    let mut questions: Vec<_> = (0..8).map(|n| question(&asking, &n.to_string())).collect();
    for outcome in join_all(questions.iter_mut().map(|question| asking.engine.attempt(question))).await {
        let failure = outcome.unwrap_err();
        assert_eq!((failure.code, failure.attempts()), (Code::ProviderTimeout, 6));
    }
    assert_eq!((first.calls(), second.calls()), (8 * 3, 8 * 3));
}

#[tokio::test(start_paused = true)]
async fn a_maintenance_page_costs_no_record_that_was_not_asked_three_times() {
    let page = || fails(Code::ProviderMalformed);
    let script = (0..66).map(|_| page()).chain([FakeModel::says(VALID)]);
    let model = Scripted::with("a", 1.0, Duration::from_millis(100), script);
    let asking = asking(settings(), &[&model], 2);
    let mut questions: Vec<_> = (0..64).map(|n| question(&asking, &n.to_string())).collect();
    let outcomes = join_all(questions.iter_mut().map(|question| wait_for(&asking, question))).await;
    let lost: Vec<_> = outcomes.into_iter().filter_map(Result::err).collect();
    assert!(lost.iter().all(|failure| failure.attempts() == 3), "{lost:?}");
    assert!(lost.len() <= 1, "{} records", lost.len());
}

#[tokio::test(start_paused = true)]
async fn a_correction_that_meets_an_outage_is_made_later_and_its_answer_is_not_paid_again() {
    let pause = Duration::from_secs(30);
    let invalid = || FakeModel::says(INVALID);
    let script = [invalid(), fails_for(Code::ProviderRateLimited, pause), FakeModel::says(VALID)];
    let model = Scripted::new("a", script);
    let asking = asking(settings(), &[&model], 2);
    let mut question = question(&asking, "money back");
    let failure = asking.engine.attempt(&mut question).await.unwrap_err();
    assert_eq!((failure.code, failure.retry_after), (Code::ProviderRateLimited, Some(pause)));
    let limited = (LadderStep::Correct, Some(Code::ProviderRateLimited));
    assert_eq!(attempt_log(&failure), [(LadderStep::Ask, Some(Code::AnswerInvalid)), limited]);
    let answered = wait_for(&asking, &mut question).await.unwrap();
    let invalid = (LadderStep::Ask, "a", Some(Code::AnswerInvalid));
    let limited = (LadderStep::Correct, "a", Some(Code::ProviderRateLimited));
    assert_eq!(steps(&answered), [invalid, limited, (LadderStep::Correct, "a", None)]);
    assert!(model.asked()[2].errors.as_ref().unwrap().contains("/intent"));
    assert!((answered.answer.cost_usd - 2.0).abs() < 1e-9, "both answers were paid");
    assert!((answered.answer.factors.ladder - 0.85).abs() < 1e-9);
}

#[tokio::test(start_paused = true)]
async fn an_answer_that_was_cut_is_lengthened_later_too() {
    let unauthorized = Err(CallError::lasting(Failure::new(Code::ProviderUnauthorized, "401")));
    let model = Scripted::new("a", [finished(Finish::Truncated, "{"), unauthorized, FakeModel::says(VALID)]);
    let asking = asking(settings(), &[&model], 2);
    let mut question = question(&asking, "money back");
    assert_eq!(asking.engine.attempt(&mut question).await.unwrap_err().code, Code::ProviderUnauthorized);
    wait_for(&asking, &mut question).await.unwrap();
    assert_eq!(model.asked().iter().map(|asked| asked.max_tokens).collect::<Vec<_>>(), [None, Some(400), Some(400)]);
}

#[tokio::test(start_paused = true)]
async fn no_relaxed_answer_is_published_while_a_correction_may_come() {
    let limited = fails_for(Code::ProviderRateLimited, Duration::from_secs(30));
    let model = Scripted::new("a", [FakeModel::says(r#"{"count":"3"}"#), limited, FakeModel::says(VALID)]);
    let asking = asking(settings().with(|it| it.checks.allow_relaxed = true), &[&model], 2);
    let answered = wait_for(&asking, &mut question(&asking, "money back")).await.unwrap();
    assert_eq!(answered.answer.validation, Validation::Passed);
}

#[tokio::test(start_paused = true)]
async fn what_was_paid_before_a_wait_counts_towards_the_ceiling() {
    let limited = || fails_for(Code::ProviderRateLimited, Duration::from_secs(30));
    let model = Scripted::new("a", [FakeModel::says(INVALID), limited(), FakeModel::says(INVALID), limited()]);
    let ceiling = RecordCeiling { tokens: 100_000, usd: Some(2.5) };
    let asking = asking(settings().with(|it| it.ceiling = ceiling), &[&model], 2);
    let failure = wait_for(&asking, &mut question(&asking, "money back")).await.unwrap_err();
    assert_eq!((failure.code, failure.attempts()), (Code::RecordCeiling, 3));
}

#[tokio::test(start_paused = true)]
async fn who_has_said_all_it_can_is_not_asked_while_another_is_waited_for() {
    let slow = Scripted::with("a", 1.0, Duration::from_secs(1), [fails(Code::ProviderTimeout)]);
    let pause = Duration::from_secs(3000);
    let limited = Scripted::new("b", [fails_for(Code::ProviderRateLimited, pause), FakeModel::says(VALID)]);
    let asking = asking(settings(), &[&slow, &limited], 1);
    let began_at = tokio::time::Instant::now();
    let answered = wait_for(&asking, &mut question(&asking, "money back")).await.unwrap();
    assert_eq!(&*answered.answer.provider, "b");
    assert!(began_at.elapsed() >= pause);
    assert_eq!((slow.calls(), limited.calls()), (2, 2));
}

#[tokio::test(start_paused = true)]
async fn retries_are_counted_over_all_questions_to_a_provider() {
    let down = || fails(Code::ProviderUnavailable);
    let script = [down(), FakeModel::says(INVALID), down(), down(), FakeModel::says(VALID)];
    let model = Scripted::new("a", script);
    let failure = ask(&asking(settings(), &[&model], 2)).await.unwrap_err();
    assert_eq!((failure.code, failure.attempts()), (Code::ProviderUnavailable, 4), "one retry, then the other");
}

#[tokio::test]
async fn a_longer_limit_that_is_refused_leaves_the_answer_truncated() {
    let rejected = Err(CallError::lasting(Failure::new(Code::ProviderRejected, "max_tokens is too large")));
    let model = Scripted::new("a", [finished(Finish::Truncated, "{"), rejected]);
    let failure = ask(&asking(settings(), &[&model], 2)).await.unwrap_err();
    assert_eq!((failure.code, failure.attempts()), (Code::AnswerTruncated, 2));
}

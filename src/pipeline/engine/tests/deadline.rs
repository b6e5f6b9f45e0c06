//! Requests that wait only so long.

use tokio::time::{Instant, sleep};

use super::*;
use crate::domain::tenant::Tenant;
use crate::pipeline::budget::BudgetSettings;
use crate::pipeline::route::settings::Strategy;
use crate::pipeline::route::testing::{Limits, Scripted, fails, fails_for, finished, router};
use crate::pipeline::testing::caller_of;

const SECOND: Duration = Duration::from_secs(1);

fn of(model: &Arc<Scripted>) -> Asking {
    let members = vec![(Arc::clone(model) as Arc<dyn Model>, Limits::default())];
    Asking::new(settings(), router(members, Strategy::Priority))
}

#[tokio::test(start_paused = true)]
async fn a_call_that_is_open_at_the_deadline_is_finished_and_its_answer_remembered() {
    let model = Scripted::with("slow", 1.0, 10 * SECOND, [FakeModel::says(VALID)]);
    let asking = of(&model);
    let began_at = Instant::now();
    assert_eq!(code(asking.run(data("x"), SECOND).await), (Code::DeadlineExceeded, 0));
    assert_eq!(began_at.elapsed(), SECOND);
    sleep(10 * SECOND).await;
    assert_eq!(asking.run(data("x"), SECOND).await.unwrap().cache_hit, CacheHit::Memory);
    assert_eq!(model.calls(), 1, "it was paid once");
}

#[tokio::test(start_paused = true)]
async fn no_call_is_begun_after_the_deadline_whatever_the_open_one_comes_to() {
    let invalid = FakeModel::says(r#"{"intent":"nonsense"}"#);
    let cut = finished(Finish::Truncated, "{");
    for first in [invalid, cut, fails(Code::ProviderUnavailable), fails(Code::ProviderTimeout)] {
        let model = Scripted::with("slow", 1.0, 10 * SECOND, [first, FakeModel::says(VALID)]);
        let members = vec![(Arc::clone(&model) as Arc<dyn Model>, Limits { max_retries: 2, ..Limits::default() })];
        let asking = Asking::new(settings(), router(members, Strategy::Priority));
        assert_eq!(code(asking.run(data("x"), SECOND).await).0, Code::DeadlineExceeded);
        sleep(100 * SECOND).await;
        assert_eq!(model.calls(), 1);
    }
}

#[tokio::test(start_paused = true)]
async fn who_cannot_be_asked_in_time_is_not_waited_for_and_the_time_is_told() {
    let pause = 30 * SECOND;
    let model = Scripted::new("limited", [fails_for(Code::ProviderRateLimited, pause), FakeModel::says(VALID)]);
    let asking = of(&model);
    let began_at = Instant::now();
    let failure = asking.run(data("x"), 10 * SECOND).await.unwrap_err();
    assert_eq!((failure.code, failure.retry_after), (Code::ProviderRateLimited, Some(pause)));
    assert_eq!(failure.attempts(), 1);
    assert_eq!(began_at.elapsed(), Duration::ZERO);
    assert!(asking.run(data("x"), pause + SECOND).await.is_ok(), "with more time it waits");
    assert_eq!(began_at.elapsed(), pause);
}

/// Asks of one provider with two retries.
fn of_patient(model: &Arc<Scripted>) -> Asking {
    let limits = Limits { max_retries: 2, ..Limits::default() };
    Asking::new(settings(), router(vec![(Arc::clone(model) as Arc<dyn Model>, limits)], Strategy::Priority))
}

#[tokio::test(start_paused = true)]
async fn a_provider_that_fails_is_waited_for_through_one_pause_and_then_others_are_told_at_once() {
    let model = Scripted::new("refuses connections", [fails(Code::ProviderUnavailable)]);
    let asking = of_patient(&model);
    let began_at = Instant::now();
    let failure = asking.run(data("x"), 30 * SECOND).await.unwrap_err();
    // Two retries within 1.5 s, and a probe a second after the last one.
    assert!(began_at.elapsed() < 3 * SECOND, "{:?}", began_at.elapsed());
    assert_eq!(
        (failure.code, failure.attempts(), failure.retry_after),
        (Code::ProviderUnavailable, 4, Some(2 * SECOND))
    );
    let began_at = Instant::now();
    let failure = asking.run(data("y"), 30 * SECOND).await.unwrap_err();
    assert_eq!(
        (failure.code, failure.attempts(), failure.retry_after),
        (Code::ProviderUnavailable, 0, Some(2 * SECOND))
    );
    assert_eq!(began_at.elapsed(), Duration::ZERO);
    sleep(3 * SECOND).await;
    assert_eq!(
        code(asking.run(data("z"), 30 * SECOND).await),
        (Code::ProviderUnavailable, 1),
        "the next one is a probe"
    );
}

#[tokio::test(start_paused = true)]
async fn a_provider_that_failed_for_a_moment_costs_no_answer() {
    let away = || fails(Code::ProviderUnavailable);
    let model = Scripted::new("away for a moment", [away(), away(), away(), FakeModel::says(VALID)]);
    let asking = of_patient(&model);
    let (first, second) = tokio::join!(asking.run(data("x"), 30 * SECOND), async {
        sleep(2 * SECOND).await;
        asking.run(data("y"), 30 * SECOND).await
    });
    assert!(first.is_ok() && second.is_ok(), "{first:?} {second:?}");
}

#[tokio::test(start_paused = true)]
async fn a_budget_that_is_spent_ends_a_request_whose_time_ends_before_the_window() {
    let window = 3600 * SECOND;
    let asking = of(&Scripted::new("paid", [FakeModel::says(VALID)]));
    let asking = asking.on_behalf_of(caller_of(Tenant::default(), Some(BudgetSettings { usd: 1.0, window })));
    assert!(asking.run(data("x"), SECOND).await.is_ok());
    let failure = asking.run(data("y"), SECOND).await.unwrap_err();
    assert_eq!((failure.code, failure.retry_after), (Code::BudgetExhausted, Some(window)));
}

#[tokio::test(start_paused = true)]
async fn what_a_caller_has_spent_counts_whatever_it_asks_of_whom() {
    let budget = BudgetSettings { usd: 1.0, window: 3600 * SECOND };
    let caller = caller_of(Tenant::default(), Some(budget));
    let first = of(&Scripted::new("one", [FakeModel::says(VALID)])).on_behalf_of(Arc::clone(&caller));
    let second = of(&Scripted::new("another", [FakeModel::says(VALID)])).on_behalf_of(caller);
    assert!(first.run(data("x"), SECOND).await.is_ok());
    assert_eq!(code(second.run(data("x"), SECOND).await).0, Code::BudgetExhausted);
}

#[tokio::test(start_paused = true)]
async fn a_request_that_nobody_was_asked_for_is_given_up_at_its_deadline() {
    let slow = Scripted::with("busy", 1.0, 10 * SECOND, [FakeModel::says(VALID)]);
    let one_at_a_time = Limits {
        ceilings: crate::pipeline::route::settings::Ceilings { concurrency: Some(1), ..Default::default() },
        max_retries: 0,
    };
    let asking =
        Asking::new(settings(), router(vec![(Arc::clone(&slow) as Arc<dyn Model>, one_at_a_time)], Strategy::Priority));
    let (first, second) = tokio::join!(asking.run(data("x"), 20 * SECOND), asking.run(data("y"), SECOND));
    assert!(first.is_ok());
    assert_eq!(code(second), (Code::DeadlineExceeded, 0));
    sleep(30 * SECOND).await;
    assert_eq!(slow.calls(), 1, "nobody waits for the second one any more, so nobody is asked");
}

#[tokio::test(start_paused = true)]
async fn whoever_has_no_deadline_waits_as_long_as_it_takes() {
    let pause = 3600 * SECOND;
    let asking = of(&Scripted::new("away", [fails_for(Code::ProviderOverloaded, pause), FakeModel::says(VALID)]));
    let began_at = Instant::now();
    assert!(asking.engine.finish(&mut asking.question_of(data("x"))).await.is_ok());
    assert_eq!(began_at.elapsed(), pause);
}

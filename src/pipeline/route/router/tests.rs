use std::sync::Arc;
use std::time::Duration;

use super::super::settings::Ceilings;
use super::super::testing::{Limits, Scripted, call_spec, fails, fails_for, router};
use super::*;
use crate::domain::failure::Code;
use crate::ports::model::{Call, FakeModel, Model, Reply};
use crate::telemetry::captured::Captured;
use crate::telemetry::traces::trace::Trace;

const NEED: Usage = Usage { input_tokens: 100, output_tokens: 100, cached_tokens: 0, reasoning_tokens: 0 };

fn over(models: &[&Arc<Scripted>], strategy: Strategy) -> Router {
    let members = models.iter().map(|model| (Arc::clone(model) as Arc<dyn Model>, Limits::default())).collect();
    router(members, strategy)
}

fn with_latency(name: &'static str, millis: u64) -> Arc<Scripted> {
    Scripted::with(name, 1.0, Duration::from_millis(millis), [FakeModel::says("{}")])
}

/// Asks once and says whether the answer was valid.
async fn ask(router: &Router, is_valid: impl Fn(usize) -> bool) -> usize {
    let (index, admission) = router.admit(&[], NEED).await.expect("somebody can be asked");
    let spec = call_spec();
    let call = Call { spec: &spec, note: "", prompt: "", content: "", correction: None, max_tokens: None };
    if admission.ask(&call, &Trace::default()).await.is_ok() {
        router.member(index).judged(is_valid(index));
    }
    index
}

/// Records that arrive at random times, by the seed; the shares of the providers in percent.
async fn shares(router: &Arc<Router>, providers: usize, seed: u64, records: usize) -> Vec<usize> {
    let mut random = fastrand::Rng::with_seed(seed);
    let mut asked = tokio::task::JoinSet::new();
    for _ in 0..records {
        tokio::time::sleep(Duration::from_millis(random.u64(0..20))).await;
        let router = Arc::clone(router);
        asked.spawn(async move { ask(&router, |_| true).await });
    }
    let mut counts = vec![0; providers];
    while let Some(index) = asked.join_next().await {
        counts[index.unwrap()] += 1;
    }
    counts.iter().map(|count| count * 100 / records).collect()
}

#[tokio::test(start_paused = true)]
async fn least_busy_shares_load_by_speed() {
    for seed in 0..5 {
        let models = [with_latency("fast", 100), with_latency("slow", 300)];
        let router = Arc::new(over(&[&models[0], &models[1]], Strategy::LeastBusy));
        let shares = shares(&router, 2, seed, 1000).await;
        assert!((66..=82).contains(&shares[0]), "a provider three times as fast takes three quarters: {shares:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn least_busy_reckons_with_ceilings() {
    let model = |name| with_latency(name, 200) as Arc<dyn Model>;
    let wide = Ceilings { concurrency: Some(30), ..Ceilings::default() };
    let narrow = Ceilings { concurrency: Some(10), ..Ceilings::default() };
    let members = vec![
        (model("wide"), Limits { ceilings: wide, max_retries: 0 }),
        (model("narrow"), Limits { ceilings: narrow, max_retries: 0 }),
    ];
    let router = Arc::new(router(members, Strategy::LeastBusy));
    let shares = shares(&router, 2, 7, 1000).await;
    assert!((68..=82).contains(&shares[0]), "{shares:?}");
}

#[tokio::test(start_paused = true)]
async fn latency_prefers_the_fastest_and_notices_a_change() {
    for seed in 0..5 {
        let models = [with_latency("slow", 400), with_latency("fast", 80)];
        let router = Arc::new(over(&[&models[0], &models[1]], Strategy::Latency));
        let shares = shares(&router, 2, seed, 1000).await;
        assert!(shares[1] >= 90, "{shares:?}");
        // What has not been measured for five minutes is worth a try.
        let before = models[0].calls();
        tokio::time::advance(Duration::from_secs(301)).await;
        ask(&router, |_| true).await;
        ask(&router, |_| true).await;
        assert!(models[0].calls() > before);
    }
}

#[tokio::test(start_paused = true)]
async fn cost_is_reckoned_per_valid_record() {
    let cheap = Scripted::with("cheap", 1.0, Duration::ZERO, [FakeModel::says("{}")]);
    let dear = Scripted::with("dear", 2.0, Duration::ZERO, [FakeModel::says("{}")]);
    let router = over(&[&dear, &cheap], Strategy::Cost);
    for _ in 0..50 {
        ask(&router, |_| true).await;
    }
    assert_eq!((cheap.calls(), dear.calls()), (50, 0));
    // Two of three answers of the cheap one become invalid: a valid record of it now costs more.
    let mut asked = 0;
    while dear.calls() == 0 && asked < 500 {
        asked += 1;
        ask(&router, |index| index == 0 || asked % 3 == 0).await;
    }
    assert!((100..=200).contains(&asked), "{asked}");
}

#[tokio::test(start_paused = true)]
async fn priority_keeps_the_order_and_skips_who_is_away() {
    let first =
        Scripted::new("first", [fails_for(Code::ProviderOverloaded, Duration::from_secs(9)), FakeModel::says("{}")]);
    let second = Scripted::new("second", [FakeModel::says("{}")]);
    let router = over(&[&first, &second], Strategy::Priority);
    assert_eq!(ask(&router, |_| true).await, 0);
    assert_eq!(ask(&router, |_| true).await, 1);
    tokio::time::advance(Duration::from_secs(9)).await;
    assert_eq!(ask(&router, |_| true).await, 0);
    assert_eq!(ask(&router, |_| true).await, 0);
}

#[tokio::test(start_paused = true)]
async fn a_disabled_provider_is_asked_when_no_other_can_be() {
    let mut script: Vec<_> = (0..30).map(|_| FakeModel::says("{}")).collect();
    script.extend([fails(Code::ProviderUnavailable), fails(Code::ProviderUnavailable)]);
    script.extend((0..2).map(|_| FakeModel::says("{}")));
    script.extend([fails(Code::ProviderUnavailable), fails(Code::ProviderUnavailable), FakeModel::says("{}")]);
    let flaky = Scripted::new("flaky", script);
    let pause = Duration::from_secs(60);
    let other = Scripted::new(
        "other",
        [FakeModel::says("{}"), fails_for(Code::ProviderRateLimited, pause), FakeModel::says("{}")],
    );
    let router = over(&[&flaky, &other], Strategy::Priority);
    for _ in 0..36 {
        assert_eq!(ask(&router, |_| true).await, 0);
    }
    assert!(router.member(0).disabled().is_some(), "4 of 36 failed");
    assert_eq!(ask(&router, |_| true).await, 1);
    assert_eq!(ask(&router, |_| true).await, 1);
    assert_eq!(ask(&router, |_| true).await, 0, "the other one asked for a pause");
    tokio::time::advance(pause).await;
    assert_eq!(ask(&router, |_| true).await, 1);
    tokio::time::advance(Duration::from_secs(15 * 60)).await;
    assert_eq!(ask(&router, |_| true).await, 0, "its time is over");
}

#[tokio::test(start_paused = true)]
async fn a_full_provider_is_passed_over_and_when_all_are_full_the_record_waits() {
    let one = Ceilings { concurrency: Some(1), ..Ceilings::default() };
    let models = [with_latency("a", 100), with_latency("b", 100)];
    let members =
        models.iter().map(|model| (Arc::clone(model) as Arc<dyn Model>, Limits { ceilings: one, max_retries: 0 }));
    let router = router(members.collect(), Strategy::Priority);
    let began_at = Instant::now();
    let asked = tokio::join!(ask(&router, |_| true), ask(&router, |_| true), ask(&router, |_| true));
    assert_eq!((asked.0, asked.1), (0, 1));
    assert_eq!(began_at.elapsed(), Duration::from_millis(200));
}

#[tokio::test(start_paused = true)]
async fn the_gate_closes_when_all_are_away_and_opens_for_the_first_that_may_be_tried() {
    let a = Scripted::new("a", [fails_for(Code::ProviderRateLimited, Duration::from_secs(40)), FakeModel::says("{}")]);
    let b = Scripted::new("b", [fails_for(Code::ProviderOverloaded, Duration::from_secs(20)), FakeModel::says("{}")]);
    let router = over(&[&a, &b], Strategy::Priority);
    ask(&router, |_| true).await;
    assert!(router.closed().is_none(), "b is left");
    ask(&router, |_| true).await;
    assert_eq!(&**router.closed().unwrap().0, "b");
    assert!(matches!(router.admit(&[], NEED).await, Err(Some(failure)) if failure.code == Code::ProviderOverloaded));
    let began_at = Instant::now();
    router.ready(|_| true).await;
    assert_eq!(began_at.elapsed(), Duration::from_secs(20));
    assert_eq!(ask(&router, |_| true).await, 1);
    assert!(router.closed().is_none());
}

#[tokio::test(start_paused = true)]
async fn while_a_probe_is_under_way_everyone_else_waits_for_it() {
    let away = fails_for(Code::ProviderOverloaded, Duration::from_secs(5));
    let model = Scripted::with("a", 1.0, Duration::from_secs(3), [away, FakeModel::says("{}")]);
    let router = Arc::new(over(&[&model], Strategy::Priority));
    ask(&router, |_| true).await;
    let mut others = tokio::task::JoinSet::new();
    for _ in 0..100 {
        let router = Arc::clone(&router);
        others.spawn(async move {
            loop {
                router.ready(|_| true).await;
                if let Ok((_, admission)) = router.admit(&[], NEED).await {
                    let is_probe = admission.is_probe();
                    if is_probe {
                        let spec = call_spec();
                        let call =
                            Call { spec: &spec, note: "", prompt: "", content: "", correction: None, max_tokens: None };
                        admission.ask(&call, &Trace::default()).await.unwrap();
                    }
                    return is_probe;
                }
            }
        });
    }
    let mut probes = 0;
    while let Some(is_probe) = others.join_next().await {
        probes += usize::from(is_probe.unwrap());
    }
    assert_eq!(probes, 1);
}

#[tokio::test(start_paused = true)]
async fn a_limit_that_is_used_up_is_waited_for_before_it_is_exceeded() {
    for pause in [Duration::from_secs(1), Duration::from_secs(90)] {
        let spent = FakeModel::says("{}").map(|reply| Reply { pause: Some(pause), ..reply });
        let (a, b) = (Scripted::new("a", [spent]), Scripted::new("b", [FakeModel::says("{}")]));
        let router = over(&[&a, &b], Strategy::Priority);
        assert_eq!(ask(&router, |_| true).await, 0);
        assert_eq!(ask(&router, |_| true).await, 1, "another one is asked meanwhile");
        let router = over(&[&a], Strategy::Priority);
        ask(&router, |_| true).await;
        assert_eq!(router.closed().is_none(), pause < Duration::from_secs(2));
        router.ready(|_| true).await;
        ask(&router, |_| true).await;
        let asked = a.asked();
        let [.., first, second] = &asked[..] else { panic!("{asked:?}") };
        assert!(second.at - first.at >= pause);
    }
}

#[tokio::test(start_paused = true)]
async fn that_another_provider_is_asked_is_said_once_with_the_reason() {
    let logged = Captured::start();
    let [first, second] = [
        Scripted::new("first", [fails_for(Code::ProviderRateLimited, Duration::from_secs(600))]),
        Scripted::new("second", [FakeModel::says("{}")]),
    ];
    let router = over(&[&first, &second], Strategy::Priority);
    for _ in 0..20 {
        ask(&router, |_| true).await;
    }
    assert_eq!((first.calls(), second.calls()), (1, 19));
    let lines = logged.lines();
    let said: Vec<_> = lines.iter().filter(|line| line.contains("another provider is asked")).collect();
    assert!(
        matches!(&said[..], [line] if line.contains("first") && line.contains("provider_rate_limited")),
        "{lines:?}"
    );
}

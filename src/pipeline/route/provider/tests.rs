use std::sync::Arc;
use std::time::Duration;

use super::*;
use crate::pipeline::route::breaker::Applicant;
use crate::pipeline::route::testing::{Scripted, call_spec, fails};
use crate::pipeline::route::waiting::asked_again;
use crate::ports::model::FakeModel;
use crate::telemetry::captured::Captured;
use crate::telemetry::metrics::{Metrics, TextFormat};
use crate::telemetry::traces::testing::Recorded;

const NEED: Usage = Usage { input_tokens: 1, output_tokens: 1, cached_tokens: 0, reasoning_tokens: 0 };

fn provider(model: Arc<Scripted>) -> Provider {
    let metrics = Metrics::default().provider(model.name());
    Provider::new(model, Ceilings::default(), 0, metrics, Signal::default())
}

async fn ask(provider: &Provider) -> Result<Reply, CallError> {
    ask_within(provider, &Trace::default()).await
}

async fn ask_within(provider: &Provider, trace: &Trace) -> Result<Reply, CallError> {
    let spec = call_spec();
    let call = Call { spec: &spec, note: "", prompt: "", content: "", correction: None, max_tokens: None };
    provider.admit(NEED, Applicant::Anyone).expect("it may be asked").ask(&call, trace).await
}

#[tokio::test(start_paused = true)]
async fn a_call_for_which_there_was_no_file_says_nothing_about_the_provider() {
    let logged = Captured::start();
    let provider = provider(Scripted::new("gpt", [fails(Code::TooManyOpenFiles)]));
    for _ in 0..100 {
        assert!(ask(&provider).await.is_err());
    }
    assert_eq!((provider.open(), provider.disabled(), provider.summary().calls), (None, None, 0));
    let lines = logged.lines();
    assert!(matches!(&lines[..], [line] if line.contains("too_many_open_files")), "{lines:?}");
}

#[tokio::test(start_paused = true)]
async fn a_probe_without_a_file_lets_the_next_one_go() {
    let script = [fails(Code::ProviderUnavailable), fails(Code::ProviderUnavailable), fails(Code::ProviderUnavailable)];
    let script = script.into_iter().chain([fails(Code::TooManyOpenFiles), FakeModel::says("{}")]);
    let provider = provider(Scripted::new("gpt", script));
    for _ in 0..3 {
        assert!(ask(&provider).await.is_err());
    }
    assert!(provider.open().is_some());
    tokio::time::sleep(Duration::from_secs(2)).await;
    assert!(ask(&provider).await.is_err(), "a probe");
    assert!(ask(&provider).await.is_ok(), "another one");
    assert_eq!(provider.open(), None);
}

#[tokio::test(start_paused = true)]
async fn the_duration_of_a_call_names_its_trace_if_that_is_sampled() {
    let metrics = Metrics::default();
    let model = Scripted::new("gpt", [FakeModel::says("{}"), fails(Code::ProviderUnavailable)]);
    let provider = Provider::new(model, Ceilings::default(), 0, metrics.provider("gpt"), Signal::default());
    let named = |trace: &Trace| {
        let text = metrics.encode(TextFormat::OpenMetrics).unwrap();
        let exemplar = format!("# {{trace_id=\"{}\"}}", trace.id().unwrap());
        text.lines().any(|line| line.starts_with("sp_provider_call_seconds_bucket{") && line.contains(&exemplar))
    };
    for is_sampled in [false, true] {
        let recorded = Recorded::new(is_sampled);
        for _ in 0..2 {
            let trace = recorded.begin();
            let _outcome = ask_within(&provider, &trace).await;
            assert_eq!(named(&trace), is_sampled);
        }
    }
}

#[tokio::test(start_paused = true)]
async fn providers_share_the_places_for_connections() {
    let connections = Connections::at_most(2);
    let [one, other] = ["one", "other"].map(|name| provider(Scripted::new(name, [])).over(connections.clone()));
    let first = one.admit(NEED, Applicant::Anyone).expect("the first place");
    let second = other.admit(NEED, Applicant::Anyone).expect("the second place");
    assert!(matches!(one.admit(NEED, Applicant::Anyone), Err(Denied::Busy(None))));
    assert_eq!((one.in_flight(), other.in_flight()), (1, 1), "what was refused is not under way");
    drop(second);
    assert!(one.admit(NEED, Applicant::Anyone).is_ok());
    drop(first);
    let offline = provider(Scripted::new("offline", []));
    assert!(offline.admit(NEED, Applicant::Anyone).is_ok(), "it needs no connection");
}

#[tokio::test(start_paused = true)]
async fn who_finds_no_place_uses_up_no_request_and_who_may_not_call_keeps_no_place() {
    let connections = Connections::at_most(1);
    let ceilings = Ceilings { requests_per_minute: Some(10), ..Ceilings::default() };
    let [one, other] = ["one", "other"].map(|name| {
        let model = Scripted::new(name, []);
        let metrics = Metrics::default().provider(model.name());
        Provider::new(model, ceilings, 0, metrics, Signal::default()).over(connections.clone())
    });
    let place = other.admit(NEED, Applicant::Anyone).expect("the only place");
    for _ in 0..100 {
        assert!(matches!(one.admit(NEED, Applicant::Anyone), Err(Denied::Busy(None))));
    }
    drop(place);
    assert!(matches!(other.admit(NEED, Applicant::Anyone), Err(Denied::Busy(Some(_)))), "its request is used up");
    assert!(one.admit(NEED, Applicant::Anyone).is_ok(), "a place, and a request");
}

#[tokio::test(start_paused = true)]
async fn that_a_provider_is_disabled_and_enabled_is_a_line_each() {
    let logged = Captured::start();
    let provider = provider(Scripted::new("gpt", [FakeModel::says("{}")]));
    for _ in 0..20 {
        provider.judged(false);
    }
    let lines = logged.lines();
    assert!(matches!(&lines[..], [line] if line.contains("asked only when no other can be") && line.contains("gpt")));
    assert!(lines[0].contains("broke their schema"), "{lines:?}");
    tokio::time::sleep(Duration::from_secs(31)).await;
    assert_eq!(provider.disabled(), None);
    let lines = logged.lines();
    assert!(lines.len() == 2 && lines[1].contains("asked like the others again"), "{lines:?}");
}

#[tokio::test(start_paused = true)]
async fn the_last_state_of_a_provider_that_flaps_is_said_when_its_time_comes() {
    let logged = Captured::start();
    let log = ProviderLog::default();
    let off = Some(Disabled::InvalidAnswers);
    for state in [off, None, off, None, off, off] {
        log.disabled("gpt", state);
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
    assert_eq!(logged.lines().len(), 2, "{:?}", logged.lines());
    tokio::time::sleep(Duration::from_secs(60)).await;
    log.disabled("gpt", off);
    log.disabled("gpt", off);
    let lines = logged.lines();
    assert!(lines.len() == 3 && lines[2].contains("asked only when no other can be"), "{lines:?}");
    assert!(lines[2].contains("unsaid=3"), "{lines:?}");
}

#[tokio::test(start_paused = true)]
async fn who_waits_for_a_ceiling_is_counted_as_long_as_it_waits() {
    let provider = provider(Scripted::new("gpt", []));
    let waiting = [provider.wait(), provider.wait()];
    assert_eq!(provider.waiting(), 2);
    drop(waiting);
    assert_eq!(provider.waiting(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_pause_has_its_end_in_words() {
    let now = Instant::now();
    assert_eq!(asked_again(now + Duration::from_millis(11_200)), "it is asked again in 12 s");
    assert_eq!(asked_again(now), "it is being tried out");
}

#[tokio::test(start_paused = true)]
async fn a_provider_that_refused_its_key_is_asked_at_once_with_a_new_one() {
    let refused = || fails(Code::ProviderUnauthorized);
    let provider = provider(Scripted::new("gpt", [refused(), refused(), refused(), FakeModel::says("{}")]));
    for _ in 0..3 {
        assert!(ask(&provider).await.is_err());
    }
    let told = provider.signal.subscribe();
    assert!(matches!(provider.admit(NEED, Applicant::Anyone), Err(Denied::Open(_))), "it is left alone for 15 s");
    provider.has_new_key();
    assert!(told.has_changed().unwrap(), "who waits looks again");
    assert!(ask(&provider).await.is_ok() && provider.open().is_none());
}

#[tokio::test(start_paused = true)]
async fn a_new_key_is_no_reason_to_ask_a_provider_that_is_away() {
    let script = [fails(Code::ProviderUnavailable), fails(Code::ProviderUnavailable), fails(Code::ProviderUnavailable)];
    let provider = provider(Scripted::new("gpt", script));
    for _ in 0..3 {
        assert!(ask(&provider).await.is_err());
    }
    provider.has_new_key();
    assert!(matches!(provider.admit(NEED, Applicant::Anyone), Err(Denied::Open(_))));
}

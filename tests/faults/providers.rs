//! The provider is slow, hangs, asks for a pause, fails or talks rubbish.

use std::collections::HashSet;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use super::groups::moves;
use super::oracle;
use super::row::{Bench, Row};
use super::scene::{self, Guarantee, Load, SHORT_SESSIONS, Scene, tail};
use super::service::{Service, Setup};
use super::stub_provider::{Fault, Latency, Script, StubProvider, When};
use super::tally::Tally;
use super::wait::wait_until;

use Guarantee::{AtLeastOnce, ExactlyOnce};

const LIMIT: Duration = Duration::from_secs(180);

pub fn rows() -> Vec<Row> {
    vec![
        Row::new(20, "slow provider, 2000 in flight", "EOS", slow),
        Row::new(21, "provider never answers", "EOS", hangs),
        Row::new(22, "429 with Retry-After, alone and with an alternative", "EOS", rate_limited),
        Row::new(23, "storm of 500, 502 and 503", "EOS", storm),
        Row::new(24, "garbage instead of an answer", "ALO", garbage),
    ]
}

fn slow(bench: &mut Bench) -> Tally {
    const WATCHED: &str = "session.timeout.ms: 6000, heartbeat.interval.ms: 1000, max.poll.interval.ms: 6000";
    let latency = bench.times(8, 15, 30) as u64 * 1000;
    let waves = bench.times(1, 2, 60);
    let mut tally = Tally::default();
    let load = Load::new(ExactlyOnce, 2000 * waves).in_flight(2000).latency(latency, latency + 1000);
    let scene = Scene::new(&bench.cluster, load.client(WATCHED).timeout("100s"));
    let service = scene.setup.start();
    let limit = Duration::from_millis(latency + 1000) * waves as u32 + Duration::from_secs(60);
    scene.finish(&mut tally, &service, None, limit);
    tally.note(format!("{} calls at once", scene.stub.max_concurrency()));
    tally.expect(scene.stub.max_concurrency() >= 1800, || "fewer calls at once than wanted".to_owned());
    let moved = moves(&service);
    tally.expect(moved == 1, || format!("partitions moved {moved} times: {}", tail(&service)));
    let restarts = service.metric("sp_connector_restarts_total");
    tally.expect(restarts == 0.0, || format!("clients were rebuilt {restarts} times"));
    tally.extra_calls_at_most(0);
    tally
}

fn hangs(bench: &mut Bench) -> Tally {
    // Three tries of two seconds, the pauses between them, and five seconds.
    const IN_FLIGHT_UNTIL: Duration = Duration::from_secs(3 * 2 + 2 + 5);
    let mut tally = Tally::default();
    for _ in 0..bench.times(1, 2, 10) {
        let mut scene = Scene::new(&bench.cluster, Load::new(ExactlyOnce, 100).timeout("2s"));
        scene.stub.set_script(scene.script().fault(When::Chance(1.0), Fault::Hang));
        let service = scene.setup.start();
        wait_until("calls", Duration::from_secs(40), || match scene.stub.in_flight() {
            90.. => Ok(()),
            calls => Err(format!("{calls} calls: {}", tail(&service))),
        });
        let began_at = Instant::now();
        wait_until("nothing in flight", Duration::from_secs(60), || match service.metric("sp_records_in_flight") {
            0.0 => Ok(()),
            count => Err(format!("{count} in flight: {}", tail(&service))),
        });
        let took = began_at.elapsed();
        tally.note_time("given up after", took);
        tally.expect(took <= IN_FLIGHT_UNTIL, || format!("{took:.1?} until nothing was in flight"));
        scene.stub.set_script(scene.script());
        scene.add(300);
        scene.wait_done(&mut tally, &service, None, LIMIT);
        scene.judge_codes(&mut tally, &["missing_attribute", "provider_timeout"]);
    }
    tally.extra_calls_at_most(0);
    tally
}

/// When the provider asked for a pause, and who called all the same.
#[derive(Clone, Default)]
struct Pause {
    asked_at: Arc<Mutex<Option<Instant>>>,
    early: Arc<AtomicUsize>,
}

impl Pause {
    const LASTS: Duration = Duration::from_secs(5);
    /// Calls that were on their way.
    const NOTICE: Duration = Duration::from_secs(1);

    /// 429 to each call for a while, from the n-th on.
    fn apply(&self, script: Script, from: u64) -> Script {
        let Self { asked_at, early } = self.clone();
        script.latency(Latency::Fixed(Duration::ZERO)).fault_of(move |_, call| {
            let mut asked_at = asked_at.lock().expect("the time");
            if asked_at.is_none() && call >= from {
                *asked_at = Some(Instant::now());
            }
            let since = asked_at.map(|at| at.elapsed()).filter(|since| *since < Self::LASTS)?;
            early.fetch_add(usize::from(since > Self::NOTICE), Ordering::SeqCst);
            let left = (Self::LASTS - since).as_secs_f64().ceil();
            Some(Fault::error(429, "requests", Some("rate_limit_exceeded")).with("retry-after", &left.to_string()))
        })
    }

    fn wait_asked(&self, service: &Service) {
        wait_until("a pause", Duration::from_secs(40), || match *self.asked_at.lock().expect("the time") {
            Some(_) => Ok(()),
            None => Err(tail(service)),
        });
    }
}

fn rate_limited(bench: &mut Bench) -> Tally {
    let mut tally = Tally::default();
    for has_alternative in std::iter::repeat_n([false, true], bench.times(1, 2, 10)).flatten() {
        let mut scene = Scene::new(&bench.cluster, Load::new(ExactlyOnce, 3000));
        let pause = Pause::default();
        scene.stub.set_script(pause.apply(scene.script(), 300));
        let other = StubProvider::start(scene::script(&scene.answers, (50, 100)));
        if has_alternative {
            let one = |name, stub: &StubProvider| {
                let url = stub.base_url();
                format!("  {name}: {{ kind: openai, base_url: \"{url}\", model: {name}-1, api_key_env: null }}\n")
            };
            let both = one("stub", &scene.stub) + &one("other", &other);
            let routing = "routing: { strategy: priority, fallback: [stub, other] }";
            let setup = Setup::with_providers(&format!("providers:\n{both}{routing}"));
            let setup = setup.brokers(&bench.cluster.proxied()).client(SHORT_SESSIONS);
            scene.setup = setup.connector(&scene.topics, &scene.load.delivery());
        }
        let service = scene.setup.start();
        pause.wait_asked(&service);
        if has_alternative {
            let asked_at = Instant::now();
            scene.wait_written(50);
            let took = asked_at.elapsed();
            tally.expect(took < Pause::LASTS, || format!("no alternative was asked for {took:.1?}"));
        }
        scene.wait_done(&mut tally, &service, None, LIMIT);
        scene.judge_codes(&mut tally, &["missing_attribute"]);
        if has_alternative {
            let asked = other.calls();
            tally.note(format!("the alternative was asked {asked} times"));
            tally.expect(asked >= 50, || format!("the alternative was asked {asked} times"));
        }
        let early = pause.early.load(Ordering::SeqCst);
        tally.expect(early == 0, || format!("{early} calls before the time that the provider named"));
    }
    tally.extra_calls_at_most(0);
    tally
}

fn storm(bench: &mut Bench) -> Tally {
    let lasts = Duration::from_secs(bench.times(8, 20, 300) as u64);
    // A probe goes every eight seconds at the latest; its answer and the commit come after it.
    let recovery = Duration::from_secs(10);
    let mut tally = Tally::default();
    for _ in 0..bench.times(1, 2, 3) {
        let scene = Scene::new(&bench.cluster, Load::new(ExactlyOnce, 6000));
        let service = scene.setup.start();
        scene.wait_written(100);
        let per_second = |time: Duration| {
            let before = scene.stub.calls();
            std::thread::sleep(time);
            (scene.stub.calls() - before) as f64 / time.as_secs_f64()
        };
        let normal = per_second(Duration::from_secs(2));
        let fault = |_: &serde_json::Value, call: u64| Some(Fault::Error([500, 502, 503][call as usize % 3]));
        scene.stub.set_script(scene.script().fault_of(fault));
        // What was under way finds out.
        std::thread::sleep(Duration::from_secs(3));
        let open = per_second(lasts);
        tally.note(format!("{normal:.0} calls a second before, {open:.1} in the storm"));
        tally.expect(open <= normal / 20.0, || format!("{open:.1} calls a second in the storm, {normal:.0} before"));
        scene.stub.set_script(scene.script());
        let ended_at = Instant::now();
        scene.wait_written(20);
        tally.recovered(ended_at.elapsed(), recovery);
        scene.wait_done(&mut tally, &service, None, LIMIT);
        scene.judge_codes(&mut tally, &["missing_attribute"]);
    }
    tally.extra_calls_at_most(0);
    tally
}

/// What comes instead of an answer, by event.
fn rubbish(event: usize) -> Option<Fault> {
    let raw = |content_type, body: &str| Fault::Raw { content_type, body: body.to_owned() };
    let kinds = [
        Fault::Empty,
        raw("text/html", "<html><body>502 Bad Gateway</body></html>"),
        raw("application/json", "{\"id\":\"chatcmpl-1\",\"choices\":[{\"mess"),
        raw("application/octet-stream", "\u{0}\u{1}\u{fffd}"),
        Fault::NoChoices,
        Fault::NullContent,
        Fault::Says("I am sorry, Dave.".to_owned()),
        Fault::Says("{\"intent\": \"refund\", \"urg".to_owned()),
        Fault::Invalid,
        Fault::Truncated,
    ];
    event.is_multiple_of(10).then(|| kinds[event / 10 % kinds.len()].clone())
}

fn garbage(bench: &mut Bench) -> Tally {
    // One letter or another, by what came; all of them are the provider's or the answer's.
    const CODES: &[&str] = &[
        "missing_attribute",
        "provider_malformed",
        "provider_failed",
        "answer_not_json",
        "answer_invalid",
        "answer_truncated",
    ];
    let events = bench.times(500, 1500, 100_000);
    let mut tally = Tally::default();
    let scene = Scene::new(&bench.cluster, Load::new(AtLeastOnce, events));
    let fault = |request: &serde_json::Value, _: u64| {
        scene::asked(request).trim_start_matches("e-").parse().ok().and_then(rubbish)
    };
    scene.stub.set_script(scene.script().fault_of(fault));
    let service = scene.setup.start();
    scene.wait_done(&mut tally, &service, None, LIMIT.max(Duration::from_millis(events as u64 * 50)));
    scene.judge_codes(&mut tally, CODES);
    scene::expect_no_panic(&mut tally, &service);
    let spoilt: HashSet<String> = (0..events).filter(|n| rubbish(*n).is_some()).map(|n| format!("e-{n}")).collect();
    let results = oracle::read(&scene.topics.sink, oracle::Isolation::Committed);
    let good = results.iter().filter_map(|result| result.record.text("ce_causationid"));
    let passed = good.filter(|event| spoilt.contains(event)).count();
    tally.expect(passed == 0, || format!("{passed} results from garbage"));
    // One kind of garbage is an answer that was cut: it is asked for once more, with more room.
    tally.extra_calls_at_most(events / 100);
    tally.repeats_at_most(0);
    tally
}

//! Topics for outcomes that are missing, vanish or take only small records.

use std::collections::HashSet;
use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use super::broker::{self, TestRecord};
use super::by_event;
use super::oracle;
use super::proxy::{Direction, api};
use super::repeats::{ids, nameless};
use super::row::{Bench, Row};
use super::scene::{Guarantee, Load, Scene, good, tail};
use super::service::{Service, Topics};
use super::stub_provider::{Fault, Latency, Script, When};
use super::tally::Tally;
use super::wait::wait_until;

use Guarantee::ExactlyOnce;

const LIMIT: Duration = Duration::from_secs(120);
/// Until a missing topic is said.
const SAID: Duration = Duration::from_secs(35);

pub fn rows() -> Vec<Row> {
    vec![
        Row::new(35, "output topic missing at start, deleted at run time", "EOS", |bench| vanished(bench, false)),
        Row::new(36, "dead-letter topic missing at start, deleted at run time", "EOS", |bench| vanished(bench, true)),
        Row::new(37, "result over the topic's limit, over the client's limit", "EOS", too_large),
    ]
}

/// Waits until health names the topic, and the process is not ready.
fn wait_missing(tally: &mut Tally, service: &Service, topic: &str) {
    let began_at = Instant::now();
    wait_until("health that names the topic", Duration::from_secs(60), || match service.get("/v1/health") {
        (503, body) if body.to_string().contains(topic) => Ok(()),
        (status, body) => Err(format!("{status} {body}")),
    });
    let took = began_at.elapsed();
    tally.note_time("said after", took);
    tally.expect(took <= SAID, || format!("said after {took:.1?}"));
    tally.expect(service.get("/v1/health/ready").0 == 503, || "ready without a topic".to_owned());
    tally.expect(service.get("/v1/health/live").0 == 200, || "not live".to_owned());
}

const FIRST: usize = 300;
/// As many as may be asked about at once.
const SECOND: Range<usize> = FIRST..400;

fn vanished(bench: &mut Bench, is_letters: bool) -> Tally {
    let mut tally = Tally::default();
    for _ in 0..bench.times(1, 2, 10) {
        let topics = Topics::named();
        let (missing, there) =
            if is_letters { (&topics.dead_letters, &topics.sink) } else { (&topics.sink, &topics.dead_letters) };
        let missing = missing.clone();
        broker::create_topic(&topics.source, 6, &[]);
        broker::create_topic(there, 6, &[]);
        let mut scene = Scene::on(&bench.cluster, Load::new(ExactlyOnce, 0), topics);
        scene.add(FIRST);
        let service = scene.setup.start();
        wait_missing(&mut tally, &service, &missing);
        tally.expect(scene.stub.calls() == 0, || "asked before outcomes could be published".to_owned());
        broker::create_topic(&missing, 6, &[]);
        scene.finish(&mut tally, &service, None, LIMIT);

        // All calls are under way when the topic goes, so that their outcomes are due without it.
        let late = scene.script().latency(Latency::Fixed(Duration::from_secs(4)));
        let refusing = |script: Script| script.fault(When::Chance(1.0), Fault::Refusal);
        scene.stub.set_script(if is_letters { refusing(late) } else { late });
        let second = good(SECOND);
        broker::produce(&scene.topics.source, 6, &second);
        wait_until("calls", Duration::from_secs(30), || match scene.stub.in_flight() {
            calls if calls == second.len() as u64 => Ok(()),
            calls => Err(format!("{calls} calls: {}", tail(&service))),
        });
        broker::delete_topic(&missing);
        wait_missing(&mut tally, &service, &missing);
        std::thread::sleep(Duration::from_secs(5));
        let lag = oracle::lag(&scene.topics);
        tally.expect(lag == Ok(second.len() as i64), || format!("offsets were committed without a topic: {lag:?}"));
        broker::create_topic(&missing, 6, &[]);
        scene.wait_done(&mut tally, &service, None, LIMIT);
        // What was in the topic is gone with it; of the other one everything is there.
        let (events, letters) = if is_letters {
            (ids(0..FIRST), ("provider_refused", second.len()))
        } else {
            (ids(SECOND), nameless(FIRST))
        };
        tally.add(by_event::judge(&scene.topics, &scene.answers, &events, &[letters]), ExactlyOnce);
    }
    tally.extra_calls_at_most(0);
    tally
}

/// What no codec makes smaller.
fn incompressible(random: &mut fastrand::Rng, chars: usize) -> String {
    (0..chars).map(|_| random.alphanumeric()).collect()
}

fn too_large(bench: &mut Bench) -> Tally {
    const MAX: &str = "10000";
    const OF_CLIENT: &str = "session.timeout.ms: 3000, heartbeat.interval.ms: 500, message.max.bytes: 10000";
    let mut tally = Tally::default();
    for is_of_client in std::iter::repeat_n([false, true], bench.times(1, 3, 10)).flatten() {
        let mut topics = Topics::create(6);
        let load = Load::new(ExactlyOnce, 0).latency(20, 100);
        let load = if is_of_client { load.client(OF_CLIENT) } else { load };
        if !is_of_client {
            topics.sink.push_str("-small");
            broker::create_topic(&topics.sink, 6, &[("max.message.bytes", MAX)]);
        }
        let mut scene = Scene::on(&bench.cluster, load, topics);
        scene.add(300);
        // A result keeps the subject of its event; so does a letter, and then a pointer takes its place.
        let poison = TestRecord::event("e-300", "Ticket 300: help")
            .header("ce_subject", incompressible(&mut bench.random, 20_000));
        broker::produce(&scene.topics.source, 6, &[poison]);
        let aborts = Arc::new(AtomicUsize::new(0));
        let count = Arc::clone(&aborts);
        bench.cluster.on_frame(move |frame| {
            let is_abort = frame.is(Direction::Request, api::END_TXN) && frame.bytes.last() == Some(&0);
            count.fetch_add(usize::from(is_abort), Ordering::SeqCst);
            super::proxy::Verdict::Pass
        });
        let service = scene.setup.start();
        scene.wait_done(&mut tally, &service, None, LIMIT);
        bench.cluster.heal();
        let events: HashSet<String> = ids(0..300);
        let letters = [nameless(300), ("result_too_large", 1)];
        tally.add(by_event::judge(&scene.topics, &scene.answers, &events, &letters), ExactlyOnce);
        let aborts = aborts.load(Ordering::SeqCst);
        tally
            .note(format!("{aborts} aborts {}", if is_of_client { "at the client's limit" } else { "at the topic's" }));
        tally.expect(aborts <= 3, || format!("{aborts} transactions were aborted for one record"));
        tally.expect(service.metric("sp_connector_restarts_total") == 0.0, || "clients were rebuilt".to_owned());
    }
    tally.extra_calls_at_most(0);
    tally
}

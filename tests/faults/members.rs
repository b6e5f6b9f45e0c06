//! Who an instance is: names that two share, and restarts under one name.

use std::time::{Duration, Instant};

use super::groups::{moves, no_step_back};
use super::row::{Bench, Row};
use super::scene::{CONSUMER_PROTOCOL, Guarantee, Load, SHORT_SESSIONS, Scene, tail};
use super::service::Service;
use super::tally::Tally;
use super::wait::wait_until;

use Guarantee::{AtLeastOnce, ExactlyOnce};

pub fn rows() -> Vec<Row> {
    vec![
        Row::new(17, "same transactional.id twice", "EOS", twins),
        Row::new(18, "same group.instance.id twice, classic and consumer protocol", "ALO", namesakes),
        Row::new(19, "rolling restart with static membership", "EOS", rolling_restart),
    ]
}

/// The one that must end says why and fails.
fn ends_with(tally: &mut Tally, ending: &mut Service, words: &str, limit: Duration) {
    let began_at = Instant::now();
    let ended = ending.wait_for_end(Duration::from_secs(30));
    let took = began_at.elapsed();
    tally.note_time("ended after", took);
    tally.expect(ended.is_some_and(|status| !status.success()), || format!("{ended:?}: {}", tail(ending)));
    tally.expect(took <= limit, || format!("it took {took:.1?} to end"));
    tally.expect(ending.log_text().contains(words), || format!("no reason is given: {}", tail(ending)));
}

fn twins(bench: &mut Bench) -> Tally {
    let mut tally = Tally::default();
    let mut in_flight = 0;
    for _ in 0..bench.times(1, 3, 10) {
        let scene = Scene::new(&bench.cluster, Load::new(ExactlyOnce, 3000).in_flight(50).latency(50, 200));
        let mut older = scene.setup.start();
        scene.wait_written(200);
        // Its places are elsewhere, as on another machine of the same name.
        let elsewhere = tempfile::tempdir().expect("a directory");
        let newer = scene.setup.spawn_with(&[("TMPDIR", elsewhere.path().to_str().expect("a path of text"))]);
        newer.address();
        ends_with(&mut tally, &mut older, "took over the transactions", Duration::from_secs(5));
        scene.finish(&mut tally, &newer, None, Duration::from_secs(90));
        no_step_back(&mut tally, &scene);
        in_flight += scene.load.in_flight;
    }
    tally.extra_calls_at_most(in_flight);
    tally
}

fn namesakes(bench: &mut Bench) -> Tally {
    let mut tally = Tally::default();
    let mut in_flight = 0;
    let rounds = bench.times(1, 2, 10);
    for (client, is_newer_refused) in
        std::iter::repeat_n([(SHORT_SESSIONS, false), (CONSUMER_PROTOCOL, true)], rounds).flatten()
    {
        let load = Load::new(AtLeastOnce, 2000).in_flight(50).latency(50, 200).client(client);
        let scene = Scene::new(&bench.cluster, load);
        let mut older = scene.setup.start_as("one");
        scene.wait_written(200);
        let mut newer = scene.setup.start_as("one");
        let (ending, staying) = if is_newer_refused { (&mut newer, &mut older) } else { (&mut older, &mut newer) };
        ends_with(&mut tally, ending, "give each its own", Duration::from_secs(10));
        scene.finish(&mut tally, staying, None, Duration::from_secs(90));
        no_step_back(&mut tally, &scene);
        in_flight += scene.load.in_flight;
    }
    tally.extra_calls_at_most(in_flight);
    // What the one that was fenced had published and could not commit any more.
    tally.repeats_at_most(rounds * 600);
    tally
}

fn rolling_restart(bench: &mut Bench) -> Tally {
    const LONG_SESSIONS: &str = "session.timeout.ms: 45000, heartbeat.interval.ms: 1000";
    const NAMES: [&str; 3] = ["a", "b", "c"];
    let mut tally = Tally::default();
    for client in std::iter::repeat_n([LONG_SESSIONS, CONSUMER_PROTOCOL], bench.times(1, 1, 5)).flatten() {
        let load = Load::new(ExactlyOnce, 500).in_flight(50).latency(50, 200).client(client);
        let mut scene = Scene::new(&bench.cluster, load);
        let mut instances = NAMES.map(|name| scene.setup.start_as(name));
        settle(&instances);
        let mut before = [0; 3];
        for index in 0..NAMES.len() {
            before.iter_mut().zip(&instances).for_each(|(count, instance)| *count = moves(instance));
            scene.add(500);
            let (status, took) = instances[index].terminate();
            tally.expect(status.success(), || format!("{status} after {took:?}"));
            instances[index] = scene.setup.start_as(NAMES[index]);
            settle(&instances);
            for (other, instance) in instances.iter().enumerate() {
                let expected = if other == index { 1 } else { before[other] };
                let moved = moves(instance);
                tally.expect(moved == expected, || {
                    format!("a restart of {} moved partitions of {}: {}", NAMES[index], NAMES[other], tail(instance))
                });
            }
        }
        scene.finish(&mut tally, &instances[0], None, Duration::from_secs(90));
        no_step_back(&mut tally, &scene);
    }
    tally.extra_calls_at_most(0);
    tally
}

/// Waits until each has partitions and none have moved for a while.
fn settle(instances: &[Service]) {
    let mut quiet = (Instant::now(), 0);
    wait_until("a settled group", Duration::from_secs(60), || {
        let counts: Vec<usize> = instances.iter().map(moves).collect();
        let sum = counts.iter().sum();
        if sum != quiet.1 {
            quiet = (Instant::now(), sum);
        }
        let is_settled = counts.iter().all(|count| *count > 0) && quiet.0.elapsed() >= Duration::from_secs(3);
        if is_settled { Ok(()) } else { Err(format!("{counts:?}")) }
    });
}

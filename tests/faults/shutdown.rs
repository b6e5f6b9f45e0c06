//! SIGTERM, at any time.

use std::time::Duration;

use super::process::signal;
use super::row::{Bench, Row};
use super::scene::{Guarantee, Load, Scene, tail};
use super::service::Service;
use super::stub_provider::Latency;
use super::tally::Tally;
use super::wait::wait_until;

use Guarantee::{AtLeastOnce, ExactlyOnce};

/// What Kubernetes allows.
const GRACE: Duration = Duration::from_secs(30);
/// Calls that are open when the signal comes.
const IN_FLIGHT: usize = 1000;

pub fn rows() -> Vec<Row> {
    vec![
        Row::new(50, "SIGTERM under 1000 in flight", "ALO, EOS", terminated_under_load).short(),
        Row::new(51, "SIGTERM twice, during start, during a rebalance", "EOS", terminated_at_bad_times),
    ]
}

fn terminated_under_load(bench: &mut Bench) -> Tally {
    let rounds = bench.times(1, 3, 20);
    let mut tally = Tally::default();
    let mut longest = Duration::ZERO;
    for guarantee in [AtLeastOnce, ExactlyOnce] {
        // Calls last longer than it takes to begin as many, and less than the program waits for them.
        let load = Load::new(guarantee, 0).in_flight(IN_FLIGHT + 100).latency(10_000, 14_000).timeout("60s");
        let mut scene = Scene::new(&bench.cluster, load);
        for _ in 0..rounds {
            scene.add(IN_FLIGHT + 500);
            let mut service = scene.setup.start();
            wait_open(&scene, &service, IN_FLIGHT as u64);
            let (status, took) = service.terminate();
            longest = longest.max(took);
            tally.expect(status.success(), || format!("{status} after {took:?}"));
            tally.expect(took <= GRACE, || format!("{took:?} until the end"));
        }
        scene.stub.set_script(scene.script().latency(Latency::Fixed(Duration::from_millis(20))));
        let service = scene.setup.start();
        scene.finish(&mut tally, &service, None, Duration::from_secs(120));
    }
    tally.note_time("longest drain", longest);
    tally.repeats_at_most(0);
    tally.extra_calls_at_most(0);
    tally
}

fn wait_open(scene: &Scene, service: &Service, wanted: u64) {
    wait_until("calls", Duration::from_secs(60), || match scene.stub.in_flight() {
        calls if calls >= wanted => Ok(()),
        calls => Err(format!("{calls} calls: {}", tail(service))),
    });
}

fn terminated_at_bad_times(bench: &mut Bench) -> Tally {
    let rounds = bench.times(1, 4, 20);
    let mut tally = Tally::default();
    let mut scene = Scene::new(&bench.cluster, Load::new(ExactlyOnce, 0).in_flight(200).latency(1500, 3000));
    let mut cut = 0;
    for _ in 0..rounds {
        // During the start, at any moment of it.
        scene.add(200);
        let mut starting = scene.setup.spawn();
        std::thread::sleep(Duration::from_millis(bench.random.u64(0..3000)));
        signal(starting.id(), "TERM");
        tally.expect(starting.wait_for_end(GRACE).is_some(), || "a process that starts does not end".to_owned());

        // Twice.
        scene.add(400);
        let mut twice = scene.setup.start();
        wait_open(&scene, &twice, 100);
        signal(twice.id(), "TERM");
        // Sooner it would count as the same signal, sent to a process and to its group.
        std::thread::sleep(Duration::from_millis(700));
        let open = scene.stub.in_flight();
        tally.expect(open > 0 && twice.ended().is_none(), || format!("{open} calls at the second signal"));
        cut += scene.load.in_flight;
        signal(twice.id(), "TERM");
        // No call that is open ends in that time.
        let ended = twice.wait_for_end(Duration::from_millis(700));
        let is_at_once = ended.is_some_and(|status| !status.success());
        tally.expect(is_at_once, || format!("a second signal does not end it at once: {ended:?}"));

        // While partitions move.
        scene.add(400);
        let mut first = scene.setup.start();
        wait_open(&scene, &first, 100);
        let mut second = scene.setup.spawn();
        std::thread::sleep(Duration::from_millis(bench.random.u64(200..2000)));
        signal(first.id(), "TERM");
        std::thread::sleep(Duration::from_millis(bench.random.u64(0..500)));
        signal(second.id(), "TERM");
        for leaving in [&mut first, &mut second] {
            tally.expect(leaving.wait_for_end(GRACE).is_some(), || "a rebalance keeps it from ending".to_owned());
        }
    }
    let service = scene.setup.start();
    scene.finish(&mut tally, &service, None, Duration::from_secs(120));
    tally.extra_calls_at_most(cut);
    tally
}

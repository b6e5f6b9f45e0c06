//! The process dies, at random and at the worst moments.

use std::os::unix::process::ExitStatusExt as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use super::broker;
use super::oracle::{self, Isolation, Order};
use super::process::Victim;
use super::proxy::{Direction, Frame, Verdict, api};
use super::row::{Bench, Row};
use super::scene::{Guarantee, Load, Scene, good, tail};
use super::service::Service;
use super::tally::Tally;
use super::wait::wait_until;

use Direction::{Reply, Request};
use Guarantee::{AtLeastOnce, ExactlyOnce};

const IN_FLIGHT: usize = 500;
/// What is published in the second between two commits, with [`IN_FLIGHT`] calls of 0.2 to 0.8 s; no machine does more.
const PER_SECOND: usize = 1000;
/// A process is killed within so many seconds of its first call.
const LONGEST_LIFE: usize = 3;

pub fn rows() -> Vec<Row> {
    vec![
        Row::new(1, "kill -9 mid-flight", "ALO", |bench| killed_at_random(bench, AtLeastOnce)).short(),
        Row::new(2, "kill -9 mid-flight", "EOS", |bench| killed_at_random(bench, ExactlyOnce)).short(),
        Row::new(3, "kill -9 between journal and commit", "EOS", killed_with_all_journalled).short(),
        Row::new(4, "kill -9 between provider reply and journal", "EOS", killed_after_an_answer),
        Row::new(5, "kill -9 between send_offsets and commit, and during commit", "EOS", killed_in_the_protocol)
            .short(),
        Row::new(6, "power cycle of a transaction's owner", "EOS", owner_gone),
    ]
}

/// Starts an instance and waits until it asks.
fn at_work(scene: &Scene) -> Service {
    let service = scene.setup.start();
    let before = scene.stub.calls();
    wait_until("calls", Duration::from_secs(40), || {
        if scene.stub.calls() > before || scene.is_done() { Ok(()) } else { Err(tail(&service)) }
    });
    service
}

fn killed_at_random(bench: &mut Bench, guarantee: Guarantee) -> Tally {
    let kills = bench.times(1, 8, 50);
    let load = Load::new(guarantee, 0).in_flight(IN_FLIGHT).latency(200, 800).order(Order::Key);
    let mut scene = Scene::new(&bench.cluster, load);
    let mut tally = Tally::default();
    let mut open = 0;
    for _ in 0..kills {
        // More than a life can do, so that every kill meets open calls.
        let left = scene.load.events.saturating_sub(scene.stub.calls() as usize);
        scene.add(((LONGEST_LIFE + 1) * PER_SECOND).saturating_sub(left));
        let mut service = at_work(&scene);
        std::thread::sleep(Duration::from_millis(bench.random.u64(0..LONGEST_LIFE as u64 * 1000)));
        open += scene.stub.in_flight() as usize;
        service.kill();
    }
    let service = scene.setup.start();
    scene.finish(&mut tally, &service, None, Duration::from_secs(180));
    tally.note(format!("{kills} kills with {open} calls open"));
    tally.expect(open > 0, || "no call was ever open".to_owned());
    // More than were open: an answered call is in flight until the journal has it, however long a busy disk takes.
    tally.extra_calls_at_most(kills * IN_FLIGHT);
    if guarantee == AtLeastOnce {
        tally.repeats_at_most(kills * (IN_FLIGHT + PER_SECOND));
    }
    tally
}

/// Kills the instance when this frame passes: before it does, or some time after.
#[derive(Debug, Clone, Copy)]
struct Step {
    direction: Direction,
    api: i16,
    /// The frame never arrives.
    is_before: bool,
}

impl Step {
    const fn before(direction: Direction, api: i16) -> Self {
        Self { direction, api, is_before: true }
    }

    const fn after(direction: Direction, api: i16) -> Self {
        Self { direction, api, is_before: false }
    }

    fn is_at(self, frame: &Frame<'_>, victim: &Victim) -> bool {
        frame.is(self.direction, self.api) && victim.is_marked()
    }

    fn judge(self, frame: &Frame<'_>, victim: &Victim, wait: Duration) -> Verdict {
        if !self.is_at(frame, victim) {
            return Verdict::Pass;
        }
        if self.is_before {
            victim.kill();
            return Verdict::Cut;
        }
        let victim = victim.clone();
        std::thread::spawn(move || {
            std::thread::sleep(wait);
            victim.kill();
        });
        Verdict::Pass
    }
}

/// Between the offsets and the commit, and all through the commit.
const STEPS: [Step; 6] = [
    Step::before(Request, api::ADD_OFFSETS_TO_TXN),
    Step::after(Request, api::TXN_OFFSET_COMMIT),
    Step::before(Reply, api::TXN_OFFSET_COMMIT),
    Step::before(Request, api::END_TXN),
    Step::after(Request, api::END_TXN),
    Step::before(Reply, api::END_TXN),
];

fn killed_in_the_protocol(bench: &mut Bench) -> Tally {
    let rounds = bench.times(1, 3, 50);
    let mut scene = Scene::new(&bench.cluster, Load::new(ExactlyOnce, 0).order(Order::Key));
    let victim = Victim::default();
    let mut kills = 0;
    for step in std::iter::repeat_n(STEPS, rounds).flatten() {
        scene.add(600);
        let wait = Duration::from_micros(bench.random.u64(0..4000));
        let marked = victim.clone();
        // In the first transaction of the process, which follows on recovery, or in the second.
        let spared = AtomicUsize::new(bench.random.usize(0..2));
        bench.cluster.on_frame(move |frame| {
            let is_due = step.is_at(frame, &marked)
                && spared.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| left.checked_sub(1)).is_err();
            if is_due { step.judge(frame, &marked, wait) } else { Verdict::Pass }
        });
        kills += usize::from(killed_by_hook(&scene, &victim));
    }
    bench.cluster.heal();
    let service = scene.setup.start();
    let mut tally = Tally::default();
    scene.finish(&mut tally, &service, None, Duration::from_secs(120));
    tally.note(format!("{kills} kills"));
    tally.expect(kills == rounds * STEPS.len(), || format!("only {kills} kills"));
    tally.extra_calls_at_most(kills * scene.load.in_flight);
    tally
}

/// Starts an instance for the hook to kill. True if it did.
fn killed_by_hook(scene: &Scene, victim: &Victim) -> bool {
    let mut service = scene.setup.spawn();
    victim.mark(service.id());
    let ended = service.wait_for_end(Duration::from_secs(30));
    let is_killed = ended.is_some_and(|status| status.signal() == Some(9));
    victim.mark(0);
    is_killed
}

fn killed_with_all_journalled(bench: &mut Bench) -> Tally {
    let kills = bench.times(2, 5, 50);
    let mut scene = Scene::new(&bench.cluster, Load::new(ExactlyOnce, 0));
    let victim = Victim::default();
    let stub = Arc::new(std::sync::atomic::AtomicU64::new(0));
    for _ in 0..kills {
        // As many as may be asked at once, so that all are answered while the commit waits.
        scene.add(scene.load.in_flight);
        let (marked, open) = (victim.clone(), Arc::clone(&stub));
        bench.cluster.on_frame(move |frame| {
            if frame.is(Request, api::END_TXN) && marked.is_marked() {
                // Until nobody has been asking for a while.
                let mut quiet = 0;
                while quiet < 20 {
                    std::thread::sleep(Duration::from_millis(20));
                    quiet = if open.load(std::sync::atomic::Ordering::SeqCst) == 0 { quiet + 1 } else { 0 };
                }
                marked.kill();
                return Verdict::Cut;
            }
            Verdict::Pass
        });
        let mut service = scene.setup.spawn();
        victim.mark(service.id());
        wait_until("the kill", Duration::from_secs(30), || {
            stub.store(scene.stub.in_flight(), std::sync::atomic::Ordering::SeqCst);
            if service.wait_for_end(Duration::ZERO).is_some() { Ok(()) } else { Err(tail(&service)) }
        });
    }
    bench.cluster.heal();
    let service = scene.setup.start();
    let mut tally = Tally::default();
    scene.finish(&mut tally, &service, None, Duration::from_secs(60));
    tally.note(format!("{kills} kills"));
    tally.extra_calls_at_most(0);
    tally
}

fn killed_after_an_answer(bench: &mut Bench) -> Tally {
    let kills = bench.times(2, 6, 50);
    let mut scene = Scene::new(&bench.cluster, Load::new(ExactlyOnce, 0));
    let victim = Victim::default();
    for _ in 0..kills {
        scene.add(300);
        let (marked, nth) = (victim.clone(), scene.stub.calls() + bench.random.u64(1..200));
        scene.stub.set_script(scene.script().answered(move |call| {
            if call >= nth {
                marked.kill();
            }
        }));
        let is_killed = killed_by_hook(&scene, &victim);
        assert!(is_killed, "nobody killed it");
    }
    scene.stub.set_script(scene.script());
    let service = scene.setup.start();
    let mut tally = Tally::default();
    scene.finish(&mut tally, &service, None, Duration::from_secs(60));
    tally.note(format!("{kills} kills"));
    tally.extra_calls_at_most(kills * scene.load.in_flight);
    tally
}

/// How long readers of committed records wait for a transaction whose owner is gone: a restart ends it, else its
/// timeout.
fn owner_gone(bench: &mut Bench) -> Tally {
    let mut tally = Tally::default();
    for (is_restarted, limit) in [(true, 2), (false, 25)] {
        let scene = Scene::new(&bench.cluster, Load::new(ExactlyOnce, 0));
        // Without a dead letter, so that the first transaction holds results.
        broker::produce(&scene.topics.source, scene.load.partitions, &good(0..600));
        let victim = Victim::default();
        let marked = victim.clone();
        bench.cluster.on_frame(move |frame| Step::before(Request, api::END_TXN).judge(frame, &marked, Duration::ZERO));
        assert!(killed_by_hook(&scene, &victim), "no transaction was ended");
        bench.cluster.heal();
        let began_at = Instant::now();
        let open = oracle::ends(&scene.topics.sink, Isolation::Uncommitted).expect("the ends");
        let readable = || oracle::ends(&scene.topics.sink, Isolation::Committed).map_err(|error| error.to_string());
        let is_held = readable().is_ok_and(|seen| seen.iter().zip(&open).any(|(seen, open)| seen < open));
        tally.expect(is_held, || "no transaction with results was left open".to_owned());
        let restarted = is_restarted.then(|| scene.setup.start());
        wait_until("readers go on", Duration::from_secs(60), || {
            let seen = readable()?;
            let is_there = seen.iter().zip(&open).all(|(seen, open)| seen >= open);
            if is_there { Ok(()) } else { Err(format!("{seen:?} of {open:?}")) }
        });
        let time = began_at.elapsed();
        tally.recovered(time, Duration::from_secs(limit));
        tally.note_time(if is_restarted { "restarted:" } else { "not restarted:" }, time);
        let service = restarted.unwrap_or_else(|| scene.setup.start());
        scene.finish(&mut tally, &service, None, Duration::from_secs(60));
    }
    tally
}

//! Partitions move: instances come, go, stop and come back too late.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use super::commits;
use super::oracle::Order;
use super::process::{Victim, signal};
use super::proxy::{self, Direction, Verdict, api};
use super::row::{Bench, Row};
use super::scene::{CONSUMER_PROTOCOL, Guarantee, Load, SHORT_SESSIONS, Scene, tail};
use super::servers::Postgres;
use super::service::Service;
use super::tally::Tally;
use super::wait::wait_until;

use Guarantee::{AtLeastOnce, ExactlyOnce};

const PROTOCOLS: [&str; 2] = [SHORT_SESSIONS, CONSUMER_PROTOCOL];
/// Published between two commits by an instance that was at it when it stopped.
const UNCOMMITTED: usize = 600;

pub fn rows() -> Vec<Row> {
    vec![
        Row::new(13, "rebalance under load, classic and consumer protocol", "ALO, EOS", coming_and_going),
        Row::new(14, "SIGSTOP (zombie), then CONT", "ALO, EOS", stopped_for_long),
        Row::new(15, "commits that arrive when partitions have moved, or after newer ones", "ALO, EOS", late_commits),
        Row::new(16, "transaction of a member that the group has left behind", "EOS", late_transaction),
    ]
}

fn steady(guarantee: Guarantee, events: usize) -> Load {
    Load::new(guarantee, events).in_flight(50).latency(100, 400)
}

/// How often partitions came or went.
pub fn moves(service: &Service) -> usize {
    service.messages().iter().filter(|message| message.starts_with("partitions ")).count()
}

fn wait_assigned(service: &Service) {
    wait_until("partitions", Duration::from_secs(60), || match moves(service) {
        0 => Err(tail(service)),
        _ => Ok(()),
    });
}

fn coming_and_going(bench: &mut Bench) -> Tally {
    let changes = bench.times(3, 6, 60);
    let pause = Duration::from_secs(bench.times(3, 5, 10) as u64);
    let mut tally = Tally::default();
    let (mut of_alo, mut moved) = (0, 0);
    for (client, guarantee) in PROTOCOLS.iter().flat_map(|client| [(*client, AtLeastOnce), (*client, ExactlyOnce)]) {
        let load = steady(guarantee, 1000).client(client).order(Order::Partition);
        let mut scene = Scene::new(&bench.cluster, load);
        let mut running = vec![scene.setup.start()];
        scene.wait_written(50);
        for _ in 0..changes {
            scene.add(150 * pause.as_secs() as usize);
            if running.len() == 1 || running.len() == 2 && bench.random.bool() {
                running.push(scene.setup.start());
            } else {
                let mut leaving = running.swap_remove(bench.random.usize(..running.len()));
                let (status, took) = leaving.terminate();
                tally.expect(status.success(), || format!("{status} after {took:?}: {}", tail(&leaving)));
                moved += moves(&leaving);
            }
            std::thread::sleep(pause);
        }
        scene.finish(&mut tally, &running[0], None, Duration::from_secs(120));
        moved += running.iter().map(moves).sum::<usize>();
        of_alo += if guarantee == AtLeastOnce { scene.load.events } else { 0 };
    }
    tally.note(format!("{} changes, {moved} times that partitions moved", 4 * changes));
    // Each change moves partitions of each instance once or twice, away and back.
    let storm = 4 * (changes + 1) * 12;
    tally.expect(moved <= storm, || format!("a storm: partitions moved {moved} times"));
    tally.repeats_at_most(of_alo / 100);
    tally.extra_calls_at_most(0);
    tally
}

fn stopped_for_long(bench: &mut Bench) -> Tally {
    let rounds = bench.times(1, 3, 20);
    let stop = Duration::from_secs(bench.times(7, 9, 60) as u64);
    let mut tally = Tally::default();
    let mut in_flight = 0;
    // A frozen process may hold the lock of an SQLite file, for which all others would wait.
    let server = Postgres::migrated();
    for guarantee in [AtLeastOnce].into_iter().chain(std::iter::repeat_n(ExactlyOnce, rounds)) {
        let scene = Scene::new(&bench.cluster, steady(guarantee, 3000).store(server.url()));
        let mut zombie = scene.setup.start();
        scene.wait_written(300);
        let other = scene.setup.start();
        wait_assigned(&other);
        signal(zombie.id(), "STOP");
        std::thread::sleep(stop);
        signal(zombie.id(), "CONT");
        wait_until("the loss noticed", Duration::from_secs(30), || {
            let is_said = zombie.messages().iter().any(|message| message == "rebuilding the Kafka clients");
            if is_said { Ok(()) } else { Err(tail(&zombie)) }
        });
        scene.finish(&mut tally, &other, None, Duration::from_secs(120));
        tally.expect(zombie.ended().is_none(), || format!("the zombie ended: {}", tail(&zombie)));
        no_step_back(&mut tally, &scene);
        in_flight += scene.load.in_flight;
    }
    tally.repeats_at_most(UNCOMMITTED);
    tally.extra_calls_at_most(in_flight);
    tally
}

pub fn no_step_back(tally: &mut Tally, scene: &Scene) {
    let steps = commits::steps_back(&scene.topics);
    tally.expect(steps == 0, || format!("committed offsets went back {steps} times"));
}

/// Longer than an instance waits for a commit before it gives partitions back regardless.
const HELD: Duration = Duration::from_secs(7);
/// Longer than the client waits for the answer to a commit, and than there is something to commit.
const HELD_FOR_LONG: Duration = Duration::from_secs(30);

fn late_commits(bench: &mut Bench) -> Tally {
    let mut tally = Tally::default();
    for _ in 0..bench.times(1, 1, 10) {
        for (client, guarantee) in PROTOCOLS.iter().flat_map(|client| [(*client, AtLeastOnce), (*client, ExactlyOnce)])
        {
            commit_of_a_former_owner(bench, &mut tally, steady(guarantee, 3000).client(client));
        }
        // With the classic protocol what holds up a commit holds up heartbeats too, and the next generation refuses it.
        commit_after_newer_ones(bench, &mut tally, steady(AtLeastOnce, 3000).client(CONSUMER_PROTOCOL));
    }
    tally.extra_calls_at_most(0);
    tally
}

/// Nobody may take it.
fn commit_of_a_former_owner(bench: &Bench, tally: &mut Tally, load: Load) {
    let scene = Scene::new(&bench.cluster, load);
    let mut first = scene.setup.start();
    scene.wait_written(200);
    let of_first = ..proxy::connections();
    let second = scene.setup.start();
    wait_assigned(&second);
    bench.cluster.on_frame(move |frame| {
        let is_commit = [api::OFFSET_COMMIT, api::TXN_OFFSET_COMMIT].contains(&frame.api);
        if frame.direction == Direction::Request && is_commit && of_first.contains(&frame.connection) {
            std::thread::sleep(HELD);
        }
        Verdict::Pass
    });
    let (status, took) = first.terminate();
    tally.expect(status.success(), || format!("{status} after {took:?}: {}", tail(&first)));
    std::thread::sleep(HELD);
    bench.cluster.heal();
    scene.finish(tally, &second, None, Duration::from_secs(120));
    no_step_back(tally, &scene);
}

/// The group takes it, from a member that has committed more in the meantime, and has to be put right again.
fn commit_after_newer_ones(bench: &Bench, tally: &mut Tally, load: Load) {
    let scene = Scene::new(&bench.cluster, load);
    let service = scene.setup.start();
    scene.wait_written(500);
    let (is_caught, has_arrived) = (AtomicBool::new(false), Arc::new(AtomicBool::new(false)));
    let arrived = Arc::clone(&has_arrived);
    bench.cluster.on_frame(move |frame| {
        if frame.is(Direction::Request, api::OFFSET_COMMIT) && !is_caught.swap(true, Ordering::SeqCst) {
            std::thread::sleep(HELD_FOR_LONG);
            arrived.store(true, Ordering::SeqCst);
        }
        Verdict::Pass
    });
    wait_until("the late commit", Duration::from_secs(60), || match has_arrived.load(Ordering::SeqCst) {
        true => Ok(()),
        false => Err(tail(&service)),
    });
    std::thread::sleep(Duration::from_secs(1));
    bench.cluster.heal();
    scene.finish(tally, &service, None, Duration::from_secs(30));
    let steps = commits::steps_back(&scene.topics);
    tally.note(format!("offsets went back {steps} times and forth again"));
    tally.expect(steps > 0, || "the late commit was not late enough".to_owned());
}

fn late_transaction(bench: &mut Bench) -> Tally {
    let rounds = bench.times(1, 2, 10);
    let mut tally = Tally::default();
    let mut in_flight = 0;
    for client in std::iter::repeat_n(PROTOCOLS, rounds).flatten() {
        let scene = Scene::new(&bench.cluster, steady(ExactlyOnce, 2000).client(client));
        let zombie = scene.setup.start();
        scene.wait_written(200);
        let (victim, is_free) = (Victim::default(), Arc::new(AtomicBool::new(false)));
        victim.mark(zombie.id());
        let (stopped, freed, caught) = (victim.clone(), Arc::clone(&is_free), Arc::new(AtomicUsize::new(0)));
        let count = Arc::clone(&caught);
        bench.cluster.on_frame(move |frame| {
            if frame.is(Direction::Request, api::TXN_OFFSET_COMMIT) && stopped.stop() {
                count.fetch_add(1, Ordering::SeqCst);
                while !freed.load(Ordering::SeqCst) {
                    std::thread::sleep(Duration::from_millis(50));
                }
            }
            Verdict::Pass
        });
        wait_until("a transaction", Duration::from_secs(20), || match caught.load(Ordering::SeqCst) {
            0 => Err(tail(&zombie)),
            _ => Ok(()),
        });
        let other = scene.setup.start();
        // Its offsets arrive when their partitions are another's.
        wait_until("the other at work", Duration::from_secs(40), || match other.metric("sp_records_received_total") {
            count if count > 0.0 => Ok(()),
            _ => Err(tail(&other)),
        });
        is_free.store(true, Ordering::SeqCst);
        std::thread::sleep(Duration::from_millis(500));
        signal(zombie.id(), "CONT");
        wait_until("the loss noticed", Duration::from_secs(30), || {
            let is_said = zombie.messages().iter().any(|message| message == "rebuilding the Kafka clients");
            if is_said { Ok(()) } else { Err(tail(&zombie)) }
        });
        scene.finish(&mut tally, &other, None, Duration::from_secs(120));
        bench.cluster.heal();
        no_step_back(&mut tally, &scene);
        in_flight += scene.load.in_flight;
    }
    tally.extra_calls_at_most(in_flight);
    tally
}

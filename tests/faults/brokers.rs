//! Brokers restart, die, and answer late.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use super::cluster::{Cluster, NODES};
use super::oracle::Watch;
use super::process::Resources;
use super::proxy::{Direction, Verdict, api};
use super::row::{Bench, Row};
use super::scene::{Guarantee, Load, Scene, lost_calls, tail};
use super::service::Service;
use super::tally::Tally;
use super::wait::wait_until;

use Direction::{Reply, Request};
use Guarantee::{AtLeastOnce, ExactlyOnce};

/// Twice the time that the program gives a request of the transaction API.
const LATE: Duration = Duration::from_secs(20);

/// Calls at once: what clients that are built anew may pay again.
const IN_FLIGHT: usize = 50;

/// How long readers wait at most when a broker is gone.
const RECOVERY: Duration = Duration::from_secs(15);
/// The same where the client library lost a call: after 12 s it is given up, and the next session joins the group.
const RECOVERY_OF_LOST: Duration = Duration::from_secs(20);

pub fn rows() -> Vec<Row> {
    vec![
        Row::new(7, "broker restart (1 of 3)", "EOS", |bench| broker_gone(bench, Cluster::stop)),
        Row::new(8, "broker kill -9 (1 of 3)", "EOS", |bench| broker_gone(bench, Cluster::kill)).short(),
        Row::new(9, "all brokers down", "EOS", all_brokers_down),
        Row::new(10, "group coordinator dies during a commit", "ALO, EOS", group_coordinator_gone),
        Row::new(11, "transaction coordinator dies during the commit", "EOS", transaction_coordinator_gone),
        Row::new(12, "reply to EndTxn delayed 20 s", "EOS", late_end_of_transaction),
    ]
}

/// A load that lasts about as long as the fault, at a rate that a debug build keeps up with.
fn steady(guarantee: Guarantee, events: usize) -> Load {
    Load::new(guarantee, events).in_flight(IN_FLIGHT).latency(100, 400)
}

/// An instance that has been at work for a while.
fn warm(scene: &Scene) -> (Service, Resources) {
    let service = scene.setup.start();
    scene.wait_written(300);
    let before = Resources::of(service.id());
    (service, before)
}

fn broker_gone(bench: &mut Bench, end: fn(usize)) -> Tally {
    let mut tally = Tally::default();
    for _ in 0..bench.times(1, 3, 10) {
        Cluster::wait_in_sync();
        let scene = Scene::new(&bench.cluster, steady(ExactlyOnce, 4000));
        let (service, before) = warm(&scene);
        let node = Cluster::leader(&scene.topics.sink, 0);
        let watch = Watch::start(&scene.topics.sink);
        end(node);
        std::thread::sleep(Duration::from_secs(2));
        Cluster::start_node(node);
        recover(&mut tally, &scene, &service, before, watch);
    }
    tally
}

/// The end of a row without a kill of the process: readers wait for a while at most, and no call is paid twice.
fn recover(tally: &mut Tally, scene: &Scene, service: &Service, before: Resources, watch: Watch) {
    scene.wait_done(tally, service, Some(before), Duration::from_secs(120));
    let limit = if lost_calls(service) == 0 { RECOVERY } else { RECOVERY_OF_LOST };
    // Now, because a standstill counts when it has ended.
    tally.recovered(watch.longest_stall(), limit);
    scene.judge(tally);
    let rebuilt = service.metric("sp_connector_restarts_total") as usize;
    tally.note(format!("{:?}: clients rebuilt {rebuilt} times", scene.load.guarantee));
    scene.expect_paid_once(tally);
}

fn all_brokers_down(bench: &mut Bench) -> Tally {
    let down = Duration::from_secs(bench.times(10, 25, 120) as u64);
    let mut tally = Tally::default();
    Cluster::wait_in_sync();
    let scene = Scene::new(&bench.cluster, steady(ExactlyOnce, 4000));
    let (mut service, before) = warm(&scene);
    for node in 1..=NODES {
        Cluster::kill(node);
    }
    let began_at = Instant::now();
    while began_at.elapsed() < down {
        std::thread::sleep(Duration::from_millis(200));
        assert!(service.ended().is_none(), "{}", tail(&service));
        tally.expect(service.get("/v1/health/live").0 == 200, || "not live".to_owned());
    }
    tally.expect(service.get("/v1/health/ready").0 == 503, || "ready without brokers".to_owned());
    let during = Resources::of(service.id());
    tally.note(format!("{} kB of memory before, {} without brokers", before.rss_kb, during.rss_kb));
    tally.expect(during.rss_kb <= before.rss_kb + (64 << 10), || "more than 64 MB grown".to_owned());
    let starts: Vec<_> = (1..=NODES).map(|node| std::thread::spawn(move || Cluster::start_node(node))).collect();
    starts.into_iter().for_each(|start| start.join().expect("a broker that starts"));
    let came_back_at = Instant::now();
    scene.wait_written(50);
    tally.recovered(came_back_at.elapsed(), Duration::from_secs(30));
    scene.finish(&mut tally, &service, Some(before), Duration::from_secs(120));
    scene.expect_paid_once(&mut tally);
    tally
}

fn group_coordinator_gone(bench: &mut Bench) -> Tally {
    let mut tally = Tally::default();
    let rounds = bench.times(1, 2, 10);
    for guarantee in std::iter::repeat_n([AtLeastOnce, ExactlyOnce], rounds).flatten() {
        let key = if guarantee == ExactlyOnce { api::TXN_OFFSET_COMMIT } else { api::OFFSET_COMMIT };
        killed_at(bench, &mut tally, guarantee, key);
    }
    // What was published since the last commit may be done again if the membership ended with its coordinator.
    tally.repeats_at_most(rounds * 500);
    tally
}

fn transaction_coordinator_gone(bench: &mut Bench) -> Tally {
    let mut tally = Tally::default();
    for _ in 0..bench.times(1, 3, 10) {
        killed_at(bench, &mut tally, ExactlyOnce, api::END_TXN);
    }
    tally
}

/// Kills the node to which the next request of this kind goes. It may get it before it dies, or not.
fn killed_at(bench: &Bench, tally: &mut Tally, guarantee: Guarantee, key: i16) {
    Cluster::wait_in_sync();
    let scene = Scene::new(&bench.cluster, steady(guarantee, 4000));
    let (service, before) = warm(&scene);
    let killed = Arc::new(AtomicUsize::new(0));
    let node = Arc::clone(&killed);
    let watch = Watch::start(&scene.topics.sink);
    bench.cluster.on_frame(move |frame| {
        let is_first = || node.compare_exchange(0, frame.node, Ordering::SeqCst, Ordering::SeqCst).is_ok();
        if frame.is(Request, key) && is_first() {
            let node = frame.node;
            std::thread::spawn(move || Cluster::kill(node));
        }
        Verdict::Pass
    });
    wait_until("the kill", Duration::from_secs(30), || match killed.load(Ordering::SeqCst) {
        0 => Err(tail(&service)),
        _ => Ok(()),
    });
    std::thread::sleep(Duration::from_secs(3));
    Cluster::start_node(killed.load(Ordering::SeqCst));
    recover(tally, &scene, &service, before, watch);
    bench.cluster.heal();
}

/// The torn transaction of the Jepsen report: a commit that is thought to have failed must not hit the next
/// transaction.
fn late_end_of_transaction(bench: &mut Bench) -> Tally {
    let mut tally = Tally::default();
    let mut rebuilt = 0;
    let rounds = bench.times(1, 3, 20);
    for round in 0..rounds {
        let scene = Scene::new(&bench.cluster, steady(ExactlyOnce, 6000));
        let (service, _) = warm(&scene);
        let has_arrived = Arc::new(AtomicBool::new(false));
        let (is_late, arrives) = (AtomicUsize::new(0), Arc::clone(&has_arrived));
        // The request itself comes late in every second round, its reply in the others.
        let direction = if round % 2 == 0 { Reply } else { Request };
        bench.cluster.on_frame(move |frame| {
            if frame.is(direction, api::END_TXN) && is_late.fetch_add(1, Ordering::SeqCst) == 0 {
                std::thread::sleep(LATE);
                arrives.store(true, Ordering::SeqCst);
            }
            Verdict::Pass
        });
        wait_until("the late frame", LATE * 2, || match has_arrived.load(Ordering::SeqCst) {
            true => Ok(()),
            false => Err(tail(&service)),
        });
        let written = scene.written();
        scene.finish(&mut tally, &service, None, Duration::from_secs(120));
        tally.expect(scene.written() > written + 100, || "it came when all was over".to_owned());
        scene.expect_paid_once(&mut tally);
        rebuilt += service.metric("sp_connector_restarts_total") as usize;
        bench.cluster.heal();
    }
    tally.note(format!("producer rebuilt {rebuilt} times"));
    tally.expect(rebuilt >= rounds, || format!("rebuilt {rebuilt} times only"));
    tally
}

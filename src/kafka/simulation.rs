//! The session under simulation: the real loop, ledger, maps, transactions, claims and gate, against a cluster that
//! exists in memory only, in time that passes as told. A seed decides everything: what is read, how long a call takes,
//! which requests fail or come late, who is killed, frozen or stopped, and when. A seed that fails fails again.

mod client;
pub(super) mod process;
mod world;

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use fastrand::Rng;

use super::settings::{Guarantee, Ordering};
use crate::domain::record::{Header, Position, Record};
use process::{Company, Process, Script};
use world::{Visibility, World, now};

const RESULTS: &str = "results";
const LETTERS: &str = "letters";
/// Time in which things go wrong.
const FAULTS: Duration = Duration::from_secs(40);
/// Time after which everything must be done once nothing goes wrong any more.
const PATIENCE: Duration = Duration::from_secs(400);

/// What a seed decides at the beginning.
#[derive(Debug)]
struct Plan {
    guarantee: Guarantee,
    ordering: Ordering,
    deduplicates: bool,
    partitions: usize,
    records: usize,
    processes: usize,
    max_in_flight: usize,
}

impl Plan {
    fn of(random: &mut Rng) -> Self {
        let orderings = [Ordering::Partition, Ordering::Key, Ordering::None];
        Self {
            guarantee: if random.u8(0..4) == 0 { Guarantee::AtLeastOnce } else { Guarantee::ExactlyOnce },
            ordering: random.choice(orderings).unwrap(),
            deduplicates: random.u8(0..3) == 0,
            partitions: random.usize(1..4),
            records: random.usize(1..10),
            processes: random.usize(1..4),
            max_in_flight: random.usize(1..6),
        }
    }

    /// Each record's value is its event's id, or contradicts it.
    fn log(&self, random: &mut Rng) -> Vec<Vec<Record>> {
        let mut count = 0;
        let topic: Arc<str> = "in".into();
        let mut log = Vec::new();
        for partition in 0..self.partitions {
            let records = (0..self.records).map(|offset| {
                count += 1;
                let id = if self.deduplicates && random.u8(0..4) == 0 { random.usize(1..=count) } else { count };
                let says = if random.u8(0..12) == 0 { "big" } else { "e" };
                let key = random.choice(["a", "b", "c"]).unwrap();
                record(&topic, partition, offset, &format!("e{id}"), &format!("{says}{id}"), key)
            });
            log.push(records.collect());
        }
        log
    }
}

pub(super) fn record(
    topic: &Arc<str>,
    partition: usize,
    offset: usize,
    id: &str,
    value: &str,
    key: &'static str,
) -> Record {
    let number = i32::try_from(partition).unwrap();
    let position = Position { topic: topic.clone(), partition: number, offset: i64::try_from(offset).unwrap() };
    let attributes = [("ce_specversion", "1.0"), ("ce_source", "/s"), ("ce_type", "t"), ("content-type", "text/plain")];
    let mut headers: Vec<Header> = attributes.into_iter().map(|(name, value)| Header::text(name, value)).collect();
    headers.push(Header::text("ce_id", id));
    // What it is, for the judge.
    headers.push(Header::text("position", format!("{partition}/{offset}")));
    Record { position, timestamp_ms: Some(0), key: Some(key.into()), value: Some(value.to_owned().into()), headers }
}

/// One life of the cluster. Panics where the promise is broken.
fn simulate(seed: u64) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
    runtime.block_on(async {
        let mut random = Rng::with_seed(seed);
        let plan = Plan::of(&mut random);
        let log = plan.log(&mut random);
        let script = Arc::new(Script::new(random.fork()));
        let world = Rc::new(RefCell::new(World::new(random.fork(), log, plan.processes)));
        let company = Company::new(&plan, &script);
        let mut processes: Vec<Process<'_>> =
            (0..plan.processes).map(|number| Process::new(&company, &world, number)).collect();
        let healthy_from = now() + FAULTS;
        world.borrow_mut().fault_rate = random.u32(0..15);
        loop {
            let is_faulty = now() < healthy_from;
            if !is_faulty {
                world.borrow_mut().fault_rate = 0;
                script.recover();
            }
            random.shuffle(&mut processes);
            for process in &mut processes {
                if is_faulty {
                    process.suffer(&mut random);
                }
                process.turn();
            }
            if is_faulty && random.u16(0..400) == 0 {
                script.fail_for(Duration::from_secs(random.u64(1..8)));
            }
            world.borrow_mut().tick(now());
            if world.borrow().is_done() && processes.iter().all(Process::is_idle) {
                break;
            }
            assert!(now() < healthy_from + PATIENCE, "it does not come to its end: {plan:?}");
            tokio::time::advance(Duration::from_millis(random.u64(1..120))).await;
            for _ in 0..4 {
                tokio::task::yield_now().await;
            }
        }
        judge(&plan, &world.borrow(), &script);
    });
}

fn judge(plan: &Plan, world: &World, script: &Script) {
    let is_visible = |visibility: Visibility| visibility == Visibility::Committed;
    let visible: Vec<_> = world.written.iter().filter(|written| is_visible(written.visibility)).collect();
    let mut seen: BTreeMap<String, usize> = BTreeMap::new();
    let mut order: Vec<(usize, usize)> = Vec::new();
    for written in &visible {
        let header = written.outgoing.headers.iter().find(|header| header.name == "position").unwrap();
        let position = String::from_utf8(header.value.clone().unwrap().to_vec()).unwrap();
        let (partition, offset) = position.split_once('/').unwrap();
        let place = (partition.parse().unwrap(), offset.parse().unwrap());
        if !seen.contains_key(&position) {
            order.push(place);
        }
        let is_big = world.log[place.0][place.1].value.as_deref().unwrap().starts_with(b"big");
        assert!(!is_big || written.is_letter, "a result that its topic refuses was published");
        *seen.entry(position).or_default() += 1;
    }
    let mut answered: BTreeSet<(String, String)> = BTreeSet::new();
    for (partition, log) in world.log.iter().enumerate() {
        for (offset, record) in log.iter().enumerate() {
            let count = seen.get(&format!("{partition}/{offset}")).copied().unwrap_or_default();
            let id = String::from_utf8(record.headers[4].value.clone().unwrap().to_vec()).unwrap();
            let value = String::from_utf8(record.value.clone().unwrap().to_vec()).unwrap();
            if plan.guarantee == Guarantee::ExactlyOnce {
                assert!(count <= 1, "{partition}/{offset} has {count} outcomes");
            }
            // A repetition has none of its own; a contradiction has a letter.
            assert!(count >= 1 || plan.deduplicates, "{partition}/{offset} is lost");
            if count > 0 {
                answered.insert((id, value));
            }
        }
    }
    for record in world.log.iter().flatten() {
        let id = String::from_utf8(record.headers[4].value.clone().unwrap().to_vec()).unwrap();
        let value = String::from_utf8(record.value.clone().unwrap().to_vec()).unwrap();
        assert!(answered.contains(&(id.clone(), value)), "event {id} has no outcome");
    }
    judge_order(plan, world, &order);
    assert_eq!(script.asked_again(), BTreeSet::new(), "paid more than once: {plan:?}");
}

/// First sights of one partition, or of one key in it, ascend. Outside of transactions a refused batch is sent again
/// behind what was sent after it.
fn judge_order(plan: &Plan, world: &World, order: &[(usize, usize)]) {
    if plan.ordering == Ordering::None || plan.guarantee == Guarantee::AtLeastOnce {
        return;
    }
    let mut last: BTreeMap<(usize, Option<&[u8]>), usize> = BTreeMap::new();
    for (partition, offset) in order {
        let key = world.log[*partition][*offset].key.as_deref().filter(|_| plan.ordering == Ordering::Key);
        let before = last.insert((*partition, key), *offset);
        assert!(before.is_none_or(|before| before < *offset), "{partition}/{offset} after {before:?}: {plan:?}");
    }
}

fn simulate_all(seeds: std::ops::Range<u64>) {
    let is_broken = |seed: &u64| std::panic::catch_unwind(|| simulate(*seed)).is_err();
    let broken: Vec<u64> = seeds.filter(is_broken).take(5).collect();
    assert!(broken.is_empty(), "SIMULATION_SEED={} breaks the promise; also {broken:?}", broken[0]);
}

/// Seeds that a pull request must survive, in halves that run beside each other.
const SEEDS: u64 = 10_000;

#[test]
fn the_promise_holds_for_the_first_half_of_the_seeds() {
    simulate_all(0..SEEDS / 2);
}

#[test]
fn the_promise_holds_for_the_second_half_of_the_seeds() {
    simulate_all(SEEDS / 2..SEEDS);
}

/// A step of a life without chance: what changes, and the time that follows.
type Step = (fn(&mut World), Duration);

/// The life of a member that is alone.
struct Lonely {
    /// How much it has published after each step.
    published: Vec<usize>,
    /// Calls that it began.
    calls: usize,
}

/// Five records at a time.
async fn alone(guarantee: Guarantee, partitions: usize, records: usize, steps: &[Step]) -> Lonely {
    let plan = Plan {
        guarantee,
        ordering: Ordering::None,
        deduplicates: false,
        partitions,
        records,
        processes: 1,
        max_in_flight: 5,
    };
    let mut random = Rng::with_seed(1);
    let log = plan.log(&mut random);
    let script = Arc::new(Script::new(random.fork()));
    let world = Rc::new(RefCell::new(World::new(random.fork(), log, 1)));
    let company = Company::new(&plan, &script);
    let mut process = Process::new(&company, &world, 0);
    let mut published = Vec::new();
    for (change, time) in steps {
        change(&mut world.borrow_mut());
        let until = now() + *time;
        while now() < until {
            process.turn();
            world.borrow_mut().tick(now());
            tokio::time::advance(Duration::from_millis(20)).await;
            tokio::task::yield_now().await;
        }
        published.push(world.borrow().written.len());
    }
    Lonely { published, calls: script.calls() }
}

/// Until the membership ends, whoever has no coordinator cannot know whether it still has its partitions.
#[tokio::test(start_paused = true)]
async fn a_member_whose_commits_are_not_confirmed_publishes_for_two_seconds_more_and_then_waits() {
    let steps: [Step; 4] = [
        (|_| (), Duration::from_secs(5)),
        (|world| world.takes_no_commits = true, Duration::from_secs(3)),
        (|_| (), Duration::from_secs(30)),
        (|world| world.takes_no_commits = false, Duration::from_secs(60)),
    ];
    let published = alone(Guarantee::AtLeastOnce, 1, 400, &steps).await.published;
    let [before, noticed, held, after] = published[..] else { panic!("{published:?}") };
    assert!(before < noticed && noticed < 400, "{published:?}");
    assert_eq!(held, noticed);
    assert!(after > held, "{published:?}");
}

/// Which happens, though seldom, when a partition begins to be fetched in the same moment.
#[tokio::test(start_paused = true)]
async fn a_resumption_that_the_client_loses_is_repeated() {
    fn come_while_it_is_lost(world: &mut World) {
        (world.takes_no_commits, world.loses_pauses) = (false, true);
        let topic = world.topic.clone();
        world.log[0].extend((100..200).map(|n| record(&topic, 0, n, &format!("e{n}x"), &format!("e{n}x"), "a")));
    }
    let steps: [Step; 4] = [
        (|_| (), Duration::from_secs(5)),
        (|world| world.takes_no_commits = true, Duration::from_secs(5)),
        (come_while_it_is_lost, Duration::from_secs(3)),
        (|world| world.loses_pauses = false, Duration::from_secs(60)),
    ];
    let published = alone(Guarantee::AtLeastOnce, 1, 100, &steps).await.published;
    assert!(published[2] <= 100 && published[3] >= 200, "{published:?}");
}

#[tokio::test(start_paused = true)]
async fn a_partition_that_alone_cannot_be_committed_holds_back_nothing() {
    let steps: [Step; 1] = [(|world| world.refused = Some(0), Duration::from_secs(60))];
    assert_eq!(alone(Guarantee::AtLeastOnce, 2, 100, &steps).await.published, [200]);
}

/// What is published meanwhile is aborted: readers of uncommitted records see it, and brokers keep it.
#[tokio::test(start_paused = true)]
async fn a_group_that_refuses_transactions_is_tried_out_with_few_outcomes() {
    let steps: [Step; 3] = [
        (|_| (), Duration::from_secs(5)),
        (|world| world.takes_no_commits = true, Duration::from_secs(30)),
        (|world| world.takes_no_commits = false, Duration::from_secs(60)),
    ];
    let published = alone(Guarantee::ExactlyOnce, 1, 400, &steps).await.published;
    let [before, refused, after] = published[..] else { panic!("{published:?}") };
    // Some five a second.
    assert!(before < 400 && refused < before + 200, "{published:?}");
    assert!(after - refused >= 400 - before, "{published:?}");
}

/// Providers bill a call that was given up, so what reads its record again waits for it.
#[tokio::test(start_paused = true)]
async fn a_session_that_ends_unasked_gives_up_no_call() {
    let is_lost: Step = (World::forget_members, Duration::from_secs(3));
    let steps = [is_lost, is_lost, is_lost, is_lost, (|_| (), Duration::from_secs(60))];
    let Lonely { published, calls } = alone(Guarantee::AtLeastOnce, 1, 100, &steps).await;
    assert!(published.last() > Some(&100), "nothing was read again: {published:?}");
    assert_eq!(calls, 100);
}

/// `SIMULATION_SEED=N` or `SIMULATION_SEED=N..M`.
#[test]
#[ignore = "for a seed that failed, or for more of them than a test run has time for"]
#[allow(clippy::disallowed_methods, reason = "a test that is told what to do by hand")]
fn the_promise_holds_for_named_seeds() {
    let named = std::env::var("SIMULATION_SEED").expect("SIMULATION_SEED");
    let (first, end) = named.split_once("..").unwrap_or((&named, ""));
    let first: u64 = first.parse().expect("a number");
    simulate_all(first..end.parse().unwrap_or(first + 1));
}

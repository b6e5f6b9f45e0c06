//! The source topic's own log: corrupt, cut, made anew, wider.

use std::collections::HashSet;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use rdkafka::admin::{AdminOptions, NewPartitions};
use rdkafka::topic_partition_list::{Offset, TopicPartitionList};

use super::broker::{self, TestRecord, admin, block_on};
use super::by_event;
use super::oracle::{self, Isolation};
use super::proxy::{Direction, Verdict, api};
use super::repeats::{ids, nameless};
use super::row::{Bench, Row};
use super::scene::{self, Guarantee, Load, Scene};
use super::tally::Tally;
use super::wait::wait_until;

use Guarantee::{AtLeastOnce, ExactlyOnce};

const LIMIT: Duration = Duration::from_secs(120);

pub fn rows() -> Vec<Row> {
    vec![
        Row::new(47, "corrupt batch on the way from the broker", "EOS", corrupt),
        Row::new(48, "retention deletes unread records", "ALO", deleted),
        Row::new(49, "partitions added, topic made anew", "ALO", changed),
    ]
}

fn corrupt(bench: &mut Bench) -> Tally {
    const TEXT: &[u8] = b"parcel";
    let times = bench.times(3, 8, 50);
    let mut tally = Tally::default();
    // Many batches of one partition, so that others follow a corrupt one in the same reply.
    let load = Load { partitions: 1, ..Load::new(ExactlyOnce, 0).latency(5, 60) };
    let mut scene = Scene::new(&bench.cluster, load);
    (0..20).for_each(|_| scene.add(100));
    let spoilt = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&spoilt);
    let random = Mutex::new(bench.random.fork());
    bench.cluster.on_frame(move |frame| {
        if !frame.is(Direction::Reply, api::FETCH) || count.load(Ordering::SeqCst) >= times {
            return Verdict::Pass;
        }
        // In the text of an event: what the checksum of its batch covers.
        let words = frame.bytes.windows(TEXT.len()).enumerate().filter(|(_, window)| *window == TEXT);
        let places: Vec<usize> = words.map(|(place, _)| place).collect();
        let Some(place) = random.lock().expect("the numbers").choice(places) else { return Verdict::Pass };
        count.fetch_add(1, Ordering::SeqCst);
        Verdict::Corrupt(frame.bytes.len() - place - 1)
    });
    let service = scene.setup.start();
    for _ in 0..times {
        scene.add(300);
        std::thread::sleep(Duration::from_millis(500));
    }
    scene.finish(&mut tally, &service, None, LIMIT);
    let rebuilt = service.metric("sp_connector_restarts_total") as usize;
    tally.note(format!("clients rebuilt {rebuilt} times"));
    scene.expect_paid_once(&mut tally);
    let spoilt = spoilt.load(Ordering::SeqCst);
    tally.note(format!("{spoilt} replies spoilt"));
    tally.expect(spoilt > 0, || "no reply was spoilt".to_owned());
    let is_said = service.log_text().contains("CRC") || service.log_text().contains("Bad message");
    tally.expect(is_said, || "nothing is said of it".to_owned());
    tally
}

fn deleted(bench: &mut Bench) -> Tally {
    let mut tally = Tally::default();
    for _ in 0..bench.times(1, 2, 10) {
        let mut scene = Scene::new(&bench.cluster, Load::new(AtLeastOnce, 300).latency(5, 60));
        let mut service = scene.setup.start();
        scene.wait_done(&mut tally, &service, None, LIMIT);
        service.terminate();
        scene.add(1200);
        let mut cut = TopicPartitionList::new();
        let mut gaps = Vec::new();
        for (partition, committed, _) in oracle::progress(&scene.topics).expect("the offsets") {
            let first = committed + 20 + i64::from(partition);
            cut.add_partition_offset(&scene.topics.source, partition, Offset::Offset(first)).expect("an offset");
            gaps.push((partition, committed, first));
        }
        block_on(admin().delete_records(&cut, &AdminOptions::new())).expect("the deletion");
        let service = scene.setup.start();
        scene.wait_done(&mut tally, &service, None, LIMIT);
        let left = oracle::read(&scene.topics.source, Isolation::Uncommitted);
        let left: Vec<String> = left.into_iter().filter_map(|seen| seen.record.text("ce_id")).collect();
        let good = left.iter().filter(|id| !id.is_empty()).cloned();
        let events: HashSet<String> = ids(0..300).into_iter().chain(good).collect();
        let (code, letters) = nameless(300);
        let letters = [(code, letters + left.iter().filter(|id| id.is_empty()).count())];
        tally.add(by_event::judge(&scene.topics, &scene.answers, &events, &letters), AtLeastOnce);
        let log = service.log_text();
        for (partition, committed, first) in gaps {
            let is_said = |line: &str| {
                let numbers: HashSet<&str> = line.split(|c: char| !c.is_ascii_digit()).collect();
                numbers.contains(committed.to_string().as_str()) && numbers.contains(first.to_string().as_str())
            };
            tally.expect(log.lines().any(is_said), || {
                format!("the gap {committed}..{first} of partition {partition} is not reported")
            });
        }
    }
    tally.repeats_at_most(0);
    tally.extra_calls_at_most(0);
    tally
}

fn without_keys(records: Vec<TestRecord>) -> Vec<TestRecord> {
    records.into_iter().map(|record| TestRecord { key: None, ..record }).collect()
}

fn changed(bench: &mut Bench) -> Tally {
    let mut tally = Tally::default();
    for _ in 0..bench.times(1, 2, 10) {
        let mut scene = Scene::new(&bench.cluster, Load::new(AtLeastOnce, 300).latency(5, 60));
        let service = scene.setup.start();
        scene.wait_done(&mut tally, &service, None, LIMIT);
        let wider = NewPartitions::new(&scene.topics.source, 9);
        block_on(admin().create_partitions([&wider], &AdminOptions::new())).expect("an answer");
        broker::produce(&scene.topics.source, 9, &without_keys(scene::events(300..600)));
        scene.load.events = 600;
        scene.finish(&mut tally, &service, None, LIMIT);

        broker::delete_topic(&scene.topics.source);
        std::thread::sleep(Duration::from_secs(1));
        broker::create_topic(&scene.topics.source, 9, &[]);
        let good = scene::events(600..900).into_iter().filter(|record| record.text("ce_id").as_deref() != Some(""));
        broker::produce(&scene.topics.source, 9, &without_keys(good.collect()));
        let events = ids(0..900);
        wait_until("all results", LIMIT, || match broker::count(&scene.topics.sink) {
            count if count >= events.len() => Ok(()),
            count => Err(format!("{count} of {}: {}", events.len(), scene::tail(&service))),
        });
        scene.wait_done(&mut tally, &service, None, LIMIT);
        tally.add(by_event::judge(&scene.topics, &scene.answers, &events, &[nameless(600)]), AtLeastOnce);
        let is_said = service.log_text().contains("begins anew") || service.log_text().contains("offset reset");
        tally.expect(is_said, || "the reset is not reported".to_owned());
    }
    tally.repeats_at_most(0);
    tally.extra_calls_at_most(0);
    tally
}

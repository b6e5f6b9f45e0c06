//! Records that are no good events.

use std::collections::HashMap;
use std::time::Duration;

use super::broker::{self, TestRecord};
use super::oracle::{self, Isolation, Seen};
use super::process::Resources;
use super::raw;
use super::row::{Bench, Row};
use super::scene::{Guarantee, Load, Scene, tail};
use super::service::{Service, Topics};
use super::tally::Tally;
use super::wait::wait_until;

use Guarantee::{AtLeastOnce, ExactlyOnce};

const LIMIT: Duration = Duration::from_secs(120);

pub fn rows() -> Vec<Row> {
    vec![
        Row::new(38, "record that panics in the client library", "EOS", poison),
        Row::new(39, "record that aborts the process", "ALO, EOS", aborting),
        Row::new(42, "tombstone, empty value, no key, no headers", "ALO, EOS", sparse),
        Row::new(43, "invalid UTF-8, 10,000 headers, a header of 1 MB", "EOS", bytes),
        Row::new(44, "prompts of 1 MB, events of 10 MB", "EOS", huge),
    ]
}

/// No record may cost more than its own outcome.
fn unharmed(tally: &mut Tally, service: &Service) {
    let restarts = service.metric("sp_connector_restarts_total");
    tally.expect(restarts == 0.0, || format!("clients were rebuilt {restarts} times"));
    super::scene::expect_no_panic(tally, service);
}

/// A header's name that is not UTF-8 panics in the library that reads it, on the thread that polls.
fn poison(bench: &mut Bench) -> Tally {
    let count = bench.times(5, 20, 200);
    let mut tally = Tally::default();
    let mut scene = Scene::new(&bench.cluster, Load::new(ExactlyOnce, 0).latency(5, 60));
    for n in 0..count {
        scene.add(20);
        let partition = bench.random.i32(0..scene.load.partitions);
        raw::send_with_bad_header_name(&scene.topics.source, partition, &format!("poison-{n}"), "hello");
    }
    let service = scene.setup.start();
    scene.wait_done(&mut tally, &service, None, LIMIT);
    let letters = oracle::read(&scene.topics.dead_letters, Isolation::Committed);
    let caught = letters.iter().filter(|seen| seen.record.text("sp-error-code").as_deref() == Some("invalid_header"));
    let caught = caught.count();
    tally.expect(caught == count, || format!("{caught} letters of {count} such records"));
    let restarts = service.metric("sp_connector_restarts_total");
    tally.expect(restarts == 0.0, || format!("clients were rebuilt {restarts} times"));
    scene.judge_codes(&mut tally, &["missing_attribute", "invalid_header"]);
    tally.extra_calls_at_most(0);
    tally
}

/// With so little of a stack for the thread that polls, an event that is nested as deep as events may be aborts the
/// process (160 to 192 KiB do, with 288 it lives). There is no way to do it with as much as threads have otherwise.
const SMALL_STACK: (&str, &str) = ("RUST_MIN_STACK", "180224");
/// Processes that a record may cost.
const DEATHS: usize = 4;

fn aborting(bench: &mut Bench) -> Tally {
    let mut tally = Tally::default();
    let (mut died, in_flight) = (0, 100);
    for guarantee in std::iter::repeat_n([AtLeastOnce, ExactlyOnce], bench.times(1, 2, 10)).flatten() {
        let mut scene = Scene::new(&bench.cluster, Load::new(guarantee, 300).in_flight(in_flight));
        let nested = format!("{}0{}", "[".repeat(120), "]".repeat(120));
        let poison = TestRecord {
            value: Some(format!(r#"{{"body": "deep", "more": {nested}}}"#).into_bytes()),
            ..TestRecord::event("poison", "")
        };
        broker::produce(&scene.topics.source, scene.load.partitions, &[poison]);
        scene.add(300);
        let mut deaths = 0;
        let service = loop {
            let mut service = scene.setup.spawn_with(&[SMALL_STACK]);
            let mut has_died = false;
            wait_until("an end of either kind", LIMIT, || {
                has_died = service.ended().is_some();
                if has_died || scene.is_done() { Ok(()) } else { Err(tail(&service)) }
            });
            if !has_died {
                break service;
            }
            deaths += 1;
            if deaths > DEATHS {
                break scene.setup.start();
            }
        };
        tally.note(format!("{deaths} deaths"));
        died += deaths;
        tally.expect(deaths == DEATHS, || format!("{deaths} processes died of one record"));
        scene.wait_done(&mut tally, &service, None, LIMIT);
        let codes = scene.judge_codes(&mut tally, &["missing_attribute", "process_aborted"]);
        let refused = codes.get("process_aborted").copied().unwrap_or(0);
        tally.expect(refused == 1, || format!("{refused} records are refused for one"));
    }
    tally.extra_calls_at_most(died * in_flight);
    tally
}

fn sparse(bench: &mut Bench) -> Tally {
    let each = bench.times(20, 100, 2000);
    let mut tally = Tally::default();
    for guarantee in [AtLeastOnce, ExactlyOnce] {
        let mut scene = Scene::new(&bench.cluster, Load::new(guarantee, 0).latency(5, 60));
        scene.add(each);
        let keyless = |n: usize| TestRecord { key: None, ..super::scene::event(n) };
        let mut records: Vec<TestRecord> = (each..2 * each).map(keyless).collect();
        for n in 0..each {
            let with_attributes = TestRecord::event(&format!("odd-{n}"), "");
            records.extend([
                TestRecord::default().key(&format!("gone-{n}")),
                TestRecord::default(),
                TestRecord { value: None, ..with_attributes.clone() },
                TestRecord { value: Some(Vec::new()), ..with_attributes },
                TestRecord::new(""),
                TestRecord::new(format!("text {n}")),
            ]);
        }
        bench.random.shuffle(&mut records);
        broker::produce(&scene.topics.source, scene.load.partitions, &records);
        let service = scene.setup.start();
        scene.finish(&mut tally, &service, None, LIMIT);
        unharmed(&mut tally, &service);
    }
    tally.repeats_at_most(0);
    tally.extra_calls_at_most(0);
    tally
}

/// Up to so many bytes of anything.
fn noise(random: &mut fastrand::Rng, most: usize) -> Vec<u8> {
    let length = random.usize(..most);
    (0..length).map(|_| random.u8(..)).collect()
}

/// An event with noise in one or more places, or with more headers than anybody needs.
fn spoilt(random: &mut fastrand::Rng, n: usize) -> TestRecord {
    let mut record = TestRecord::event(&format!("e-{n}"), &format!("Ticket {n}: hello"));
    record.timestamp = Some(1_700_000_000_000 + i64::try_from(n).expect("few"));
    if n.is_multiple_of(100) {
        for header in 0..10_000 {
            record = record.header(&format!("h{header}"), "x");
        }
    } else if n % 100 == 50 {
        // Without an id it is a letter, whatever else is well.
        record.headers.retain(|(name, _)| name != "ce_id");
        record = record.header("large", noise(random, 2).repeat(500_000)).header("filled", vec![0xfe; 1_000_000]);
    }
    if random.bool() {
        record.key = Some(noise(random, 50));
    }
    if random.bool() {
        record.value = Some(noise(random, 500));
    }
    for _ in 0..random.usize(..4) {
        let at = random.usize(..=record.headers.len());
        let value = random.bool().then(|| noise(random, 100));
        let name = ["x-bytes", "ce_source", "ce_subject", "ce_time", "content-type"][random.usize(..5)];
        record.headers.insert(at, (name.to_owned(), value));
    }
    record
}

fn bytes(bench: &mut Bench) -> Tally {
    let count = bench.times(200, 1000, 20_000);
    let mut tally = Tally::default();
    let topics = Topics::named();
    for topic in [&topics.source, &topics.sink, &topics.dead_letters] {
        broker::create_topic(topic, 6, &[("max.message.bytes", "4000000")]);
    }
    let scene = Scene::on(&bench.cluster, Load::new(ExactlyOnce, 0).latency(5, 20), topics);
    let records: Vec<TestRecord> = (0..count).map(|n| spoilt(&mut bench.random, n)).collect();
    broker::produce(&scene.topics.source, scene.load.partitions, &records);
    let service = scene.setup.start();
    scene.wait_done(&mut tally, &service, None, LIMIT);
    unharmed(&mut tally, &service);
    let inputs = positions(&scene.topics.source);
    let letters = oracle::read(&scene.topics.dead_letters, Isolation::Committed);
    for letter in &letters {
        let part = |name: &str| letter.record.text(&format!("__connect.errors.{name}")).unwrap_or_default();
        let position = (part("partition").parse().unwrap_or(-1), part("offset").parse().unwrap_or(-1));
        let Some(input) = inputs.get(&position) else {
            tally.expect(false, || format!("a letter of nothing at {position:?}"));
            continue;
        };
        let (letter, input) = (&letter.record, &input.record);
        let is_equal = (&letter.key, &letter.value, letter.timestamp) == (&input.key, &input.value, input.timestamp)
            && letter.headers.starts_with(&input.headers);
        tally.expect(is_equal, || format!("the letter of {position:?} is not what was sent"));
    }
    tally.note(format!("{} letters compared byte for byte", letters.len()));
    tally.expect(letters.len() > count / 3, || format!("only {} letters", letters.len()));
    scene.judge(&mut tally);
    tally.extra_calls_at_most(0);
    tally
}

fn positions(topic: &str) -> HashMap<(i32, i64), Seen> {
    let all = oracle::read(topic, Isolation::Uncommitted).into_iter();
    all.map(|seen| ((seen.partition, seen.offset), seen)).collect()
}

fn huge(bench: &mut Bench) -> Tally {
    let count = bench.times(6, 20, 60);
    let mut tally = Tally::default();
    let topics = Topics::named();
    for topic in [&topics.source, &topics.sink, &topics.dead_letters] {
        broker::create_topic(topic, 6, &[("max.message.bytes", "16000000")]);
    }
    let mut scene = Scene::on(&bench.cluster, Load::new(ExactlyOnce, 0), topics);
    scene.add(200);
    let service = scene.setup.start();
    scene.finish(&mut tally, &service, None, LIMIT);
    let before = Resources::of(service.id());
    let sized = |n: usize, bytes: usize| TestRecord::event(&format!("large-{n}"), &"word ".repeat(bytes / 5));
    for n in 0..count {
        // A prompt that is too long within an event that is not, and events that are.
        let records = [sized(3 * n, 400_000), sized(3 * n + 1, 1_000_000), sized(3 * n + 2, 10_000_000)];
        broker::produce(&scene.topics.source, scene.load.partitions, &records);
    }
    scene.add(200);
    let mut most = before.rss_kb;
    wait_until("all offsets committed", LIMIT, || {
        most = most.max(Resources::of(service.id()).rss_kb);
        match oracle::lag(&scene.topics)? {
            0 => Ok(()),
            lag => Err(format!("lag {lag}: {}", tail(&service))),
        }
    });
    tally.note(format!("{} MB of memory before, {} at most", before.rss_kb >> 10, most >> 10));
    // What may be open, as received, as its letter and as the client's copy, and what is fetched ahead.
    tally.expect(most <= before.rss_kb + (256 << 10), || format!("{} MB of memory", most >> 10));
    unharmed(&mut tally, &service);
    let judgement = oracle::judge(&scene.topics, &scene.answers, scene.load.order);
    for (code, expected) in [("prompt_too_long", count), ("event_too_large", 2 * count)] {
        let found = judgement.codes.get(code).copied().unwrap_or(0);
        tally.expect(found == expected, || format!("{found} letters {code}, {expected} expected"));
    }
    tally.add(judgement, ExactlyOnce);
    tally.extra_calls_at_most(0);
    tally
}

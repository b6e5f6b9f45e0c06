//! Events that are sent again, and processes that take up where another ended.

use std::collections::HashSet;
use std::ops::Range;
use std::time::Duration;

use super::broker::{self, TestRecord};
use super::by_event;
use super::row::{Bench, Row};
use super::scene::{self, Guarantee, Load, Scene, event};
use super::service::{Service, Topics};
use super::stub_provider::Fault;
use super::tally::Tally;

use Guarantee::{AtLeastOnce, ExactlyOnce};

const LIMIT: Duration = Duration::from_secs(120);

pub fn rows() -> Vec<Row> {
    vec![
        Row::new(40, "same event again: 15 %, other partitions, instances, after a restart", "ALO, EOS", same_again)
            .short(),
        Row::new(41, "same id, other bytes: 1 %", "EOS", contradictions),
        Row::new(65, "another process takes up maps and journal (of the same build)", "EOS", taken_up),
    ]
}

/// The ids of good events among these.
pub fn ids(numbers: Range<usize>) -> HashSet<String> {
    numbers.map(event).filter_map(|record| record.text("ce_id")).filter(|id| !id.is_empty()).collect()
}

/// Letters of events without an id among the first so many.
pub fn nameless(count: usize) -> (&'static str, usize) {
    ("missing_attribute", (0..count).filter(|n| n % 20 == 7).count())
}

fn every_twentieth(count: usize, of: usize) -> impl Iterator<Item = TestRecord> {
    (0..count).filter(move |n| n % 20 == of).map(event)
}

fn same_again(bench: &mut Bench) -> Tally {
    let count = bench.times(1000, 3000, 20_000);
    let guarantees: &[Guarantee] = if count > 1000 { &[AtLeastOnce, ExactlyOnce] } else { &[ExactlyOnce] };
    let mut tally = Tally::default();
    for guarantee in guarantees {
        let scene = Scene::new(&bench.cluster, Load::new(*guarantee, 0).latency(5, 60).deduplicated());
        let send = |records: &[TestRecord]| broker::produce(&scene.topics.source, scene.load.partitions, records);
        // Half of the repetitions next to the originals, the others in whatever partition, at the same time.
        let mut records: Vec<TestRecord> = scene::events(0..count);
        records.extend(every_twentieth(count, 13).map(|record| record.key("elsewhere")));
        bench.random.shuffle(&mut records);
        records.extend(every_twentieth(count, 3));
        send(&records);
        let mut instances = [scene.setup.start(), scene.setup.start()];
        scene.wait_written(count / 4);
        let (status, _) = instances[0].terminate();
        tally.expect(status.success(), || format!("{status}"));
        instances[0] = scene.setup.start();
        send(&every_twentieth(count, 5).collect::<Vec<_>>());
        scene.wait_done(&mut tally, &instances[0], None, LIMIT);
        let judgement = by_event::judge(&scene.topics, &scene.answers, &ids(0..count), &[nameless(count)]);
        tally.add(judgement, *guarantee);
    }
    tally.repeats_at_most(0);
    tally.extra_calls_at_most(0);
    tally
}

fn contradictions(bench: &mut Bench) -> Tally {
    let count = bench.times(1000, 3000, 20_000);
    let mut tally = Tally::default();
    let scene = Scene::new(&bench.cluster, Load::new(ExactlyOnce, 0).latency(5, 60).deduplicated());
    let contradict = |n: usize| TestRecord::event(&format!("e-{n}"), &format!("Ticket {n}: something else"));
    let numbers = (0..count).filter(|n| n % 100 == 50);
    let contradictions: Vec<TestRecord> = numbers.map(contradict).collect();
    let mut records = scene::events(0..count);
    records.extend(contradictions.iter().cloned());
    // Whichever comes first has the result.
    bench.random.shuffle(&mut records);
    broker::produce(&scene.topics.source, scene.load.partitions, &records);
    let instances = [scene.setup.start(), scene.setup.start()];
    scene.wait_done(&mut tally, &instances[0], None, LIMIT);
    let letters = [nameless(count), ("id_conflict", contradictions.len())];
    tally.add(by_event::judge(&scene.topics, &scene.answers, &ids(0..count), &letters), ExactlyOnce);
    tally.extra_calls_at_most(0);
    tally
}

/// The first records have no answer until the last process runs: what the others did is in the map of each commit.
fn taken_up(bench: &mut Bench) -> Tally {
    const STUCK: usize = 6;
    let rounds = bench.times(2, 3, 20);
    let mut tally = Tally::default();
    let mut scene = Scene::on(&bench.cluster, Load::new(ExactlyOnce, 0), Topics::create(6));
    let is_stuck = |request: &serde_json::Value, _: u64| {
        let number: usize = scene::asked(request).trim_start_matches("e-").parse().unwrap_or(usize::MAX);
        (number < STUCK).then_some(Fault::Hang)
    };
    scene.stub.set_script(scene.script().fault_of(is_stuck));
    let skipped = |service: &Service| service.metric("sp_records_skipped_total") as usize;
    let mut skips = 0;
    for _ in 0..rounds {
        scene.add(600);
        let mut service = scene.setup.start();
        scene.wait_written(400);
        skips += skipped(&service);
        service.kill();
    }
    scene.stub.set_script(scene.script());
    let service = scene.setup.start();
    scene.finish(&mut tally, &service, None, LIMIT);
    skips += skipped(&service);
    tally.note(format!("{rounds} kills, {skips} records skipped by the map of another process"));
    tally.expect(skips >= rounds * 200, || format!("only {skips} records were skipped by the map"));
    tally.extra_calls_at_most(rounds * scene.load.in_flight);
    tally
}

//! The judge: reads the topics with consumers of its own and holds what it finds against the inputs and against what
//! the stub really answered. It shares no code with the program.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use rdkafka::ClientConfig;
use rdkafka::consumer::{BaseConsumer, Consumer as _};
use rdkafka::error::{KafkaError, KafkaResult};
use rdkafka::message::{BorrowedHeaders, Headers as _, Message as _};
use rdkafka::topic_partition_list::{Offset, TopicPartitionList};

use super::broker::{self, TestRecord};
use super::service::Topics;

const TIMEOUT: Duration = Duration::from_secs(20);

/// Numbers of the calls that answered each event, as the stub wrote them down.
#[derive(Clone, Default)]
pub struct Answers(Arc<Mutex<HashMap<String, Vec<u64>>>>);

impl Answers {
    pub fn note(&self, event: &str, call: u64) {
        self.0.lock().expect("the answers").entry(event.to_owned()).or_default().push(call);
    }

    fn has(&self, event: &str, call: u64) -> bool {
        self.0.lock().expect("the answers").get(event).is_some_and(|calls| calls.contains(&call))
    }

    /// Answers beyond the first of each event.
    pub fn extra(&self) -> usize {
        self.0.lock().expect("the answers").values().map(|calls| calls.len() - 1).sum()
    }

    pub fn count(&self) -> usize {
        self.0.lock().expect("the answers").values().map(Vec::len).sum()
    }

    /// Events that were answered.
    pub fn events(&self) -> usize {
        self.0.lock().expect("the answers").len()
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Isolation {
    Committed,
    Uncommitted,
}

/// The order that outcomes must have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Order {
    Partition,
    Key,
    None,
}

/// A record and where it stands.
pub struct Seen {
    pub partition: i32,
    pub offset: i64,
    pub record: TestRecord,
}

/// What the oracle found.
#[derive(Debug, Default)]
pub struct Judgement {
    pub inputs: usize,
    pub results: usize,
    pub letters: usize,
    pub lost: usize,
    pub dup_rc: usize,
    pub dup_ru: usize,
    pub extra_calls: usize,
    /// What must never be, with an example each.
    pub wrong: Vec<String>,
    pub codes: BTreeMap<String, usize>,
}

/// All partitions of a topic.
fn partitions(consumer: &BaseConsumer, topic: &str) -> KafkaResult<Vec<i32>> {
    let metadata = consumer.fetch_metadata(Some(topic), TIMEOUT)?;
    Ok(metadata.topics().iter().flat_map(|topic| topic.partitions()).map(|partition| partition.id()).collect())
}

fn reader(isolation: Isolation) -> BaseConsumer {
    let level = if isolation == Isolation::Committed { "read_committed" } else { "read_uncommitted" };
    ClientConfig::new()
        .set("bootstrap.servers", broker::brokers())
        .set("group.id", "oracle")
        .set("enable.auto.commit", "false")
        .set("enable.partition.eof", "true")
        .set("isolation.level", level)
        .set("message.max.bytes", "60000000")
        .set("fetch.message.max.bytes", "20000000")
        .create()
        .expect("a consumer")
}

/// Everything in a topic that such a reader sees, by partition and offset.
pub fn read(topic: &str, isolation: Isolation) -> Vec<Seen> {
    let consumer = reader(isolation);
    let mut assignment = TopicPartitionList::new();
    let mut open: HashSet<i32> = partitions(&consumer, topic).expect("the topic").into_iter().collect();
    for partition in &open {
        assignment.add_partition_offset(topic, *partition, Offset::Beginning).expect("an offset");
    }
    consumer.assign(&assignment).expect("an assignment");
    let mut all = Vec::new();
    while !open.is_empty() {
        let message = match consumer.poll(TIMEOUT).expect("a record or the end within the time") {
            Ok(message) => message,
            Err(KafkaError::PartitionEOF(partition)) => {
                open.remove(&partition);
                continue;
            }
            Err(error) => panic!("reading {topic}: {error}"),
        };
        let headers = message.headers().map_or_else(Vec::new, headers);
        let record = TestRecord {
            key: message.key().map(<[u8]>::to_vec),
            value: message.payload().map(<[u8]>::to_vec),
            headers,
            timestamp: message.timestamp().to_millis(),
        };
        all.push(Seen { partition: message.partition(), offset: message.offset(), record });
    }
    all.sort_by_key(|seen| (seen.partition, seen.offset));
    all
}

/// Without those whose names are not UTF-8, which the library panics on.
fn headers(borrowed: &BorrowedHeaders) -> Vec<(String, Option<Vec<u8>>)> {
    let header = |index| {
        let header = borrowed.get(index);
        (header.key.to_owned(), header.value.map(<[u8]>::to_vec))
    };
    let readable = |index| catch_unwind(AssertUnwindSafe(|| header(index))).ok();
    (0..borrowed.count()).filter_map(readable).collect()
}

/// Where such a reader would stop, by partition.
fn stops(consumer: &BaseConsumer, topic: &str) -> KafkaResult<Vec<i64>> {
    let stop = |partition| consumer.fetch_watermarks(topic, partition, Duration::from_secs(2)).map(|(_, high)| high);
    partitions(consumer, topic)?.into_iter().map(stop).collect()
}

/// The ends of a topic's partitions as readers of such records see them.
pub fn ends(topic: &str, isolation: Isolation) -> KafkaResult<Vec<i64>> {
    stops(&reader(isolation), topic)
}

/// For each partition of the source: what is committed, and the end.
pub fn progress(topics: &Topics) -> KafkaResult<Vec<(i32, i64, i64)>> {
    let consumer = broker::of_group(&topics.group);
    let partitions = partitions(&consumer, &topics.source)?;
    let mut list = TopicPartitionList::new();
    for partition in &partitions {
        list.add_partition(&topics.source, *partition);
    }
    let committed = consumer.committed_offsets(list, TIMEOUT)?;
    let of = |partition: i32| {
        let element = committed.find_partition(&topics.source, partition);
        let offset = element.and_then(|element| element.offset().to_raw()).filter(|offset| *offset >= 0);
        let (_, end) = consumer.fetch_watermarks(&topics.source, partition, TIMEOUT)?;
        Ok((partition, offset.unwrap_or(0), end))
    };
    partitions.into_iter().map(of).collect()
}

/// Records between what is committed and the ends.
pub fn lag(topics: &Topics) -> Result<i64, String> {
    let progress = progress(topics).map_err(|error| error.to_string())?;
    Ok(progress.into_iter().map(|(_, committed, end)| (end - committed).abs()).sum())
}

/// Inputs by position and by event id.
struct Inputs {
    positions: HashMap<String, usize>,
    events: HashMap<String, usize>,
    all: Vec<Seen>,
}

impl Inputs {
    fn of(topic: &str) -> Self {
        let all = read(topic, Isolation::Uncommitted);
        let position = |seen: &Seen| format!("{topic}/{}/{}", seen.partition, seen.offset);
        let positions = all.iter().enumerate().map(|(n, seen)| (position(seen), n)).collect();
        let id = |seen: &Seen| seen.record.text("ce_id");
        let events = all.iter().enumerate().filter_map(|(n, seen)| Some((id(seen)?, n))).collect();
        Self { positions, events, all }
    }

    /// Which input a result or a letter is the outcome of.
    fn cause(&self, outcome: &TestRecord, is_letter: bool) -> Option<usize> {
        if !is_letter {
            return self.events.get(&outcome.text("ce_causationid")?).copied();
        }
        let part = |name: &str| outcome.text(&format!("__connect.errors.{name}"));
        let position = format!("{}/{}/{}", part("topic")?, part("partition")?, part("offset")?);
        self.positions.get(&position).copied()
    }
}

/// Judges a connector's topics, whose events have different ids.
pub fn judge(topics: &Topics, answers: &Answers, order: Order) -> Judgement {
    let inputs = Inputs::of(&topics.source);
    let mut judgement = Judgement { inputs: inputs.all.len(), extra_calls: answers.extra(), ..Judgement::default() };
    let mut outcomes = vec![0_usize; inputs.all.len()];
    let mut is_lettered = vec![false; inputs.all.len()];
    let results = read(&topics.sink, Isolation::Committed);
    let letters = read(&topics.dead_letters, Isolation::Committed);
    for (seen, is_letter) in results.iter().map(|seen| (seen, false)).chain(letters.iter().map(|seen| (seen, true))) {
        let Some(input) = inputs.cause(&seen.record, is_letter) else {
            judgement.wrong.push(format!("an outcome of nothing: {:?}", seen.record));
            continue;
        };
        outcomes[input] += 1;
        if outcomes[input] > 1 && is_lettered[input] != is_letter {
            judgement.wrong.push(format!("input {input} has a result and a letter"));
        }
        is_lettered[input] = is_letter;
        if is_letter {
            *judgement.codes.entry(seen.record.text("sp-error-code").unwrap_or_default()).or_default() += 1;
        } else if let Err(why) = check_value(&seen.record, answers) {
            judgement.wrong.push(why);
        }
    }
    (judgement.results, judgement.letters) = (results.len(), letters.len());
    judgement.lost = outcomes.iter().filter(|count| **count == 0).count();
    judgement.dup_rc = outcomes.iter().map(|count| count.saturating_sub(1)).sum();
    let all = [&topics.sink, &topics.dead_letters].map(|topic| read(topic, Isolation::Uncommitted).len());
    judgement.dup_ru = all.iter().sum::<usize>().saturating_sub(inputs.all.len() - judgement.lost);
    judgement.wrong.extend(disorder(&inputs, &results, order));
    judgement
}

/// A result must be an answer that the stub gave for this event.
pub fn check_value(result: &TestRecord, answers: &Answers) -> Result<(), String> {
    let value = result.value.as_deref().unwrap_or_default();
    let json: serde_json::Value = serde_json::from_slice(value).map_err(|error| format!("no JSON: {error}"))?;
    let event = result.text("ce_causationid").unwrap_or_default();
    let salt = json["summary"].as_str().and_then(|text| text.split_once(" call "));
    let is_given = salt.is_some_and(|(of, call)| of == event && call.parse().is_ok_and(|call| answers.has(of, call)));
    if is_given { Ok(()) } else { Err(format!("{event} has an answer that was never given for it: {json}")) }
}

/// The first outcomes of the records of one key, or of one partition, stand in their order.
fn disorder(inputs: &Inputs, results: &[Seen], order: Order) -> Option<String> {
    let mut last: HashMap<(i32, i32, Option<Vec<u8>>), i64> = HashMap::new();
    let mut seen_before = HashSet::new();
    for result in results {
        let Some(index) = inputs.cause(&result.record, false).filter(|index| seen_before.insert(*index)) else {
            continue;
        };
        let input = &inputs.all[index];
        let lane = match order {
            Order::None => return None,
            Order::Partition => (result.partition, input.partition, None),
            Order::Key => (result.partition, input.partition, input.record.key.clone()),
        };
        let before = last.insert(lane, input.offset).unwrap_or(-1);
        if before > input.offset {
            return Some(format!(
                "offset {} is answered after {before} of partition {}",
                input.offset, input.partition
            ));
        }
    }
    None
}

/// Watches, from a thread, how long readers of committed records see nothing new.
pub struct Watch {
    stop: Arc<Mutex<bool>>,
    thread: std::thread::JoinHandle<Duration>,
}

impl Watch {
    pub fn start(topic: &str) -> Self {
        let stop = Arc::new(Mutex::new(false));
        let (topic, is_stopped) = (topic.to_owned(), Arc::clone(&stop));
        let watch = move || {
            let consumer = reader(Isolation::Committed);
            let (mut last, mut at, mut longest) = (-1, std::time::Instant::now(), Duration::ZERO);
            while !*is_stopped.lock().expect("the flag") {
                if let Ok(ends) = stops(&consumer, &topic)
                    && ends.iter().sum::<i64>() > last
                {
                    let end = ends.iter().sum();
                    longest = longest.max(if last < 0 { Duration::ZERO } else { at.elapsed() });
                    (last, at) = (end, std::time::Instant::now());
                }
                std::thread::sleep(Duration::from_millis(50));
            }
            longest
        };
        Self { stop, thread: std::thread::spawn(watch) }
    }

    /// The longest time without progress between two steps of it.
    pub fn longest_stall(self) -> Duration {
        *self.stop.lock().expect("the flag") = true;
        self.thread.join().expect("the watch")
    }
}

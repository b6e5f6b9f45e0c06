//! Records per second on a real Kafka: the cache-hit path and the stub-provider path beside a plain consume-produce copy
//! loop, in turn, in one run. `make bench` starts the broker. Ratios first: absolute figures move with the machine.
//!
//! Broker, stub and connector share the machine. Each figure is taken between the first and the last tenth of a topic that
//! was filled before, so it leaves out joining the group and warming up.

#![allow(
    clippy::disallowed_methods,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    clippy::print_stderr,
    clippy::unwrap_used,
    reason = "a benchmark stops at the first thing that is wrong, and prints what it measured"
)]

#[path = "../tests/support/stub_provider.rs"]
mod stub_provider;

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use rdkafka::ClientConfig;
use rdkafka::admin::{AdminClient, AdminOptions, NewTopic, TopicReplication};
use rdkafka::client::DefaultClientContext;
use rdkafka::consumer::{BaseConsumer, Consumer as _};
use rdkafka::message::Message as _;
use rdkafka::producer::{BaseProducer, BaseRecord, Producer as _};
use rdkafka::topic_partition_list::{Offset, TopicPartitionList};
use structured_prompt::app::App;
use structured_prompt::config::Environment;
use structured_prompt::config::{connector, runtime};
use structured_prompt::delivery::outcome::{Observer, RecordOutcome};
use structured_prompt::domain::record::{Header, Outgoing};
use structured_prompt::kafka::topic_io;
use stub_provider::{Script, StubProvider};

const PARTITIONS: i32 = 6;
const REPEATS: usize = 3;
const COPY_RECORDS: usize = 300_000;
const HIT_RECORDS: usize = 300_000;
const STUB_RECORDS: usize = 30_000;
/// Distinct prompts of the hit path; each is asked once, in the part that is not measured.
const DISTINCT: usize = 500;
const LIMIT: Duration = Duration::from_secs(180);

fn main() {
    let brokers = std::env::var("STRUCTURED_PROMPT_TEST_BROKERS").expect("run `make bench`: it starts a Kafka");
    let stub = StubProvider::start(Script::default());
    stub.keep_no_requests();
    let bench = Bench { brokers, run: std::process::id() };
    let (hits, asks) = (bench.topic("hits-in"), bench.topic("asks-in"));
    bench.fill(&hits, HIT_RECORDS, |n| n % DISTINCT);
    bench.fill(&asks, STUB_RECORDS, |n| n);

    let (mut copy, mut hit, mut ask) = (Vec::new(), Vec::new(), Vec::new());
    for repeat in 0..REPEATS {
        copy.push(bench.copy(&hits, &bench.topic(&format!("copy-out-{repeat}"))));
        hit.push(bench.connector(&format!("hit-{repeat}"), &hits, HIT_RECORDS, None));
        ask.push(bench.connector(&format!("ask-{repeat}"), &asks, STUB_RECORDS, Some(&stub.base_url())));
    }
    assert_eq!(stub.protocol_errors(), 0);
    let ratio = |path: &[f64]| median(&path.iter().zip(&copy).map(|(path, copy)| path / copy).collect::<Vec<_>>());
    println!("\nRatio to the copy loop of the same repeat (median of {REPEATS})");
    println!("  cache-hit path       {:.3}", ratio(&hit));
    println!("  stub-provider path   {:.3}", ratio(&ask));
    println!("Records per second (median, min–max of {REPEATS}), at-least-once, {PARTITIONS} partitions, 1 KB records");
    for (name, path) in [("copy loop", &copy), ("cache-hit path", &hit), ("stub-provider path", &ask)] {
        let (min, max) = path.iter().fold((f64::MAX, 0.0_f64), |(min, max), rate| (min.min(*rate), max.max(*rate)));
        println!("  {name:<20} {:>9.0}   {min:.0}–{max:.0}", median(path));
    }
}

fn median(values: &[f64]) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    sorted[sorted.len() / 2]
}

struct Bench {
    brokers: String,
    run: u32,
}

impl Bench {
    /// A new topic.
    fn topic(&self, name: &str) -> String {
        let name = format!("bench-{}-{name}", self.run);
        let admin: AdminClient<DefaultClientContext> =
            ClientConfig::new().set("bootstrap.servers", &self.brokers).create().expect("an admin client");
        let topic = NewTopic::new(&name, PARTITIONS, TopicReplication::Fixed(1));
        let created = block_on(admin.create_topics([&topic], &AdminOptions::new())).expect("an answer");
        created.into_iter().for_each(|result| drop(result.expect("a new topic")));
        name
    }

    /// Fills a topic with events of about 1 KB; `text` says which text record `n` has.
    fn fill(&self, topic: &str, records: usize, text: impl Fn(usize) -> usize) {
        let padding = "The parcel was handed over to the carrier and then nothing more was heard of it. ".repeat(10);
        for start in (0..records).step_by(20_000) {
            let batch: Vec<Outgoing> = (start..(start + 20_000).min(records))
                .map(|n| {
                    let body = format!("Ticket {}: {padding}", text(n));
                    Outgoing {
                        key: Some(format!("customer-{}", n % 1000).into()),
                        value: Some(serde_json::json!({ "body": body }).to_string().into()),
                        headers: vec![
                            Header::text("ce_specversion", "1.0"),
                            Header::text("ce_id", format!("e-{n}")),
                            Header::text("ce_source", "/bench"),
                            Header::text("ce_type", "com.example.ticket.v1"),
                            Header::text("content-type", "application/json"),
                        ],
                        timestamp_ms: None,
                    }
                })
                .collect();
            topic_io::produce_all(&self.brokers, topic, &batch).expect("the broker takes them");
        }
    }

    /// What any consume-produce program on this client could reach: 1 KB in, 300 B out, no work in between.
    fn copy(&self, source: &str, sink: &str) -> f64 {
        let consumer: BaseConsumer = ClientConfig::new()
            .set("bootstrap.servers", &self.brokers)
            .set("group.id", "bench-copy")
            .set("enable.auto.commit", "false")
            .set("fetch.queue.backoff.ms", "10")
            .create()
            .expect("a consumer");
        let producer: BaseProducer = ClientConfig::new()
            .set("bootstrap.servers", &self.brokers)
            .set("enable.idempotence", "true")
            .set("linger.ms", "5")
            .set("batch.size", "262144")
            .set("compression.codec", "lz4")
            .create()
            .expect("a producer");
        let mut assignment = TopicPartitionList::new();
        for partition in 0..PARTITIONS {
            assignment.add_partition_offset(source, partition, Offset::Beginning).expect("an offset");
        }
        consumer.assign(&assignment).expect("an assignment");
        let meter = Meter::new(COPY_RECORDS);
        while meter.count() < COPY_RECORDS {
            let Some(message) = consumer.poll(Duration::from_secs(10)) else { panic!("the copy loop stalls") };
            let message = message.expect("a record");
            let payload = message.payload().expect("a value");
            let mut record =
                BaseRecord::to(sink).key(message.key().expect("a key")).payload(&payload[..payload.len().min(300)]);
            while let Err((_, refused)) = producer.send(record) {
                producer.poll(Duration::from_millis(1));
                record = refused;
            }
            producer.poll(Duration::ZERO);
            meter.tick();
        }
        producer.flush(Duration::from_secs(30)).expect("all delivered");
        let rate = meter.rate();
        println!("copy loop            {rate:>9.0} records/s");
        rate
    }

    /// The real connector over a filled topic, with the offline extractor or the stub provider.
    fn connector(&self, name: &str, source: &str, records: usize, stub: Option<&str>) -> f64 {
        let (sink, dead_letters) = (self.topic(&format!("{name}-out")), self.topic(&format!("{name}-dlq")));
        let mut settings = vec![
            ("STRUCTURED_PROMPT_KAFKA__BROKERS", self.brokers.clone()),
            ("STRUCTURED_PROMPT_HTTP__LISTEN", "127.0.0.1:0".to_owned()),
            ("STRUCTURED_PROMPT_STORE__URL", "none".to_owned()),
        ];
        if let Some(base_url) = stub {
            settings.push(("STRUCTURED_PROMPT_PROVIDERS__LLAMA__BASE_URL", base_url.to_owned()));
        }
        let environment: Environment = settings.into_iter().collect();
        let runtime = runtime::load(None, &environment).unwrap_or_else(|findings| panic!("{findings}"));
        let provider = if stub.is_some() { "llama" } else { "offline" };
        let text = format!(
            "name: bench-{run}-{name}\n\
             source: {{ kafka: {{ topics: [{source}], format: cloudevents }} }}\n\
             prompt: {{ inline: \"Sort this: {{{{ data.body }}}}\" }}\n\
             schema: support-intent\n\
             options: {{ provider: {provider} }}\n\
             sink: {{ kafka: {{ topic: {sink}, format: cloudevents }} }}\n\
             dead_letter: {{ kafka: {{ topic: {dead_letters} }} }}\n",
            run = self.run
        );
        let connector =
            connector::read_text(Path::new("bench.yaml"), &text, &(&runtime).into()).unwrap_or_else(|e| panic!("{e}"));
        let meter = Arc::new(Meter::new(records));
        let observer = Arc::clone(&meter) as Arc<dyn Observer>;
        let pool = tokio::runtime::Builder::new_multi_thread().enable_all().build().expect("a runtime");
        pool.block_on(async {
            let app = App::start(runtime, vec![connector], Some(observer)).await.expect("the connector starts");
            let deadline = Instant::now() + LIMIT;
            while meter.count() < records {
                assert!(Instant::now() < deadline, "{} of {records} within {LIMIT:?}", meter.count());
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
            assert!(app.drain(Duration::from_secs(10)).await);
        });
        let rate = meter.rate();
        println!("{name:<20} {rate:>9.0} records/s");
        rate
    }
}

/// Notes when the first and the last tenth of the records were through.
struct Meter {
    expected: usize,
    count: AtomicUsize,
    began: std::sync::OnceLock<Instant>,
    ended: std::sync::OnceLock<Instant>,
}

impl Meter {
    fn new(expected: usize) -> Self {
        Self { expected, count: AtomicUsize::new(0), began: Default::default(), ended: Default::default() }
    }

    fn tick(&self) {
        let count = self.count.fetch_add(1, Ordering::Relaxed) + 1;
        if count == self.expected / 10 {
            self.began.get_or_init(Instant::now);
        } else if count == self.expected / 10 * 9 {
            self.ended.get_or_init(Instant::now);
        }
    }

    fn count(&self) -> usize {
        self.count.load(Ordering::Relaxed)
    }

    #[allow(clippy::cast_precision_loss, reason = "counts of a benchmark")]
    fn rate(&self) -> f64 {
        let (began, ended) = (self.began.get().expect("a beginning"), self.ended.get().expect("an end"));
        (self.expected / 10 * 8) as f64 / (*ended - *began).as_secs_f64()
    }
}

impl Observer for Meter {
    fn closed(&self, _outcome: &RecordOutcome, _took: Duration) {
        self.tick();
    }

    fn repeated(&self) {}
}

fn block_on<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime").block_on(future)
}

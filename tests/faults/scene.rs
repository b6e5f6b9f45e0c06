//! What most rows are made of: a load of events, a stub provider that writes down its answers, one connector, and the
//! end at which everything is judged.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use serde_json::Value;

use super::broker::{self, TestRecord};
use super::cluster::Cluster;
use super::oracle::{self, Answers, Order};
use super::process::Resources;
use super::service::{Service, Setup, Topics};
use super::stub_provider::{Latency, Script, StubProvider};
use super::tally::Tally;
use super::wait::wait_until;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Guarantee {
    AtLeastOnce,
    ExactlyOnce,
}

use Guarantee::ExactlyOnce;

/// The group goes on without an instance that was not heard of for three seconds.
pub const SHORT_SESSIONS: &str = "session.timeout.ms: 3000, heartbeat.interval.ms: 500";
/// The protocol of KIP-848, whose sessions are the brokers' affair.
pub const CONSUMER_PROTOCOL: &str = "group.protocol: consumer";

/// What is put on the source topic, and how it is worked on.
#[derive(Clone)]
pub struct Load {
    pub events: usize,
    pub partitions: i32,
    pub guarantee: Guarantee,
    pub order: Order,
    pub in_flight: usize,
    /// Milliseconds that an answer takes, from and to.
    pub latency: (u64, u64),
    /// Options of the Kafka client.
    pub client: &'static str,
    /// How long the provider may take.
    pub timeout: &'static str,
    /// Another store than a file of the scene.
    pub store: Option<String>,
    /// More keys of `delivery`.
    pub delivery: &'static str,
}

impl Load {
    pub fn new(guarantee: Guarantee, events: usize) -> Self {
        Self {
            events,
            partitions: 6,
            guarantee,
            order: Order::None,
            in_flight: 100,
            latency: (20, 200),
            client: SHORT_SESSIONS,
            timeout: "10s",
            store: None,
            delivery: "",
        }
    }

    pub fn order(self, order: Order) -> Self {
        Self { order, ..self }
    }

    pub fn in_flight(self, in_flight: usize) -> Self {
        Self { in_flight, ..self }
    }

    pub fn latency(self, from: u64, to: u64) -> Self {
        Self { latency: (from, to), ..self }
    }

    pub fn client(self, client: &'static str) -> Self {
        Self { client, ..self }
    }

    pub fn timeout(self, timeout: &'static str) -> Self {
        Self { timeout, ..self }
    }

    pub fn store(self, url: String) -> Self {
        Self { store: Some(url), ..self }
    }

    /// `delivery.deduplicate`, for a day.
    pub fn deduplicated(self) -> Self {
        Self { delivery: ", deduplicate: 24h", ..self }
    }

    pub fn delivery(&self) -> String {
        let guarantee = if self.guarantee == ExactlyOnce { "exactly-once" } else { "at-least-once" };
        let order = match self.order {
            Order::Partition => "partition",
            Order::Key => "key",
            Order::None => "none",
        };
        let Self { in_flight, delivery, .. } = self;
        format!("delivery: {{ guarantee: {guarantee}, ordering: {order}, max_in_flight: {in_flight}{delivery} }}")
    }
}

/// A good event, or every 20th time one without an id, which becomes a dead letter.
pub fn event(n: usize) -> TestRecord {
    let id = if n % 20 == 7 { String::new() } else { format!("e-{n}") };
    TestRecord::event(&id, &format!("Ticket {n}: where is my parcel?")).key(&format!("customer-{}", n % 97))
}

pub fn events(range: std::ops::Range<usize>) -> Vec<TestRecord> {
    range.map(event).collect()
}

/// Those of them that have an id.
pub fn good(range: std::ops::Range<usize>) -> Vec<TestRecord> {
    events(range).into_iter().filter(|record| record.text("ce_id").as_deref() != Some("")).collect()
}

/// The event that a request asks about.
pub fn asked(request: &Value) -> String {
    let messages = request["messages"].as_array().map(Vec::as_slice).unwrap_or_default();
    let mut numbers = messages.iter().filter_map(|message| {
        let (_, rest) = message["content"].as_str()?.split_once("Ticket ")?;
        rest.split(|c: char| !c.is_ascii_digit()).next().map(str::to_owned)
    });
    numbers.next_back().map_or_else(String::new, |number| format!("e-{number}"))
}

/// A valid answer whose summary says for what and in which call it was given.
pub fn answer(event: &str, call: u64) -> Value {
    serde_json::json!({
        "intent": "delivery_problem", "urgency": "normal", "sentiment": "neutral", "summary": format!("{event} call {call}"),
        "product": null, "order_id": null, "customer_email": null, "amount": null, "currency": null,
        "language": "en", "requires_human": false,
    })
}

/// A script that writes its answers down.
pub fn script(answers: &Answers, latency: (u64, u64)) -> Script {
    let answers = answers.clone();
    let script = Script::default().answer(move |request, call| {
        let event = asked(request);
        answers.note(&event, call);
        answer(&event, call).to_string()
    });
    script.latency(Latency::Between(Duration::from_millis(latency.0), Duration::from_millis(latency.1)))
}

pub struct Scene {
    pub load: Load,
    pub topics: Topics,
    pub answers: Answers,
    pub stub: StubProvider,
    pub setup: Setup,
}

impl Scene {
    /// Topics with the load on them, a stub, and a configuration; nothing runs yet.
    pub fn new(cluster: &Cluster, load: Load) -> Self {
        let topics = Topics::create(load.partitions);
        broker::produce(&topics.source, load.partitions, &events(0..load.events));
        Self::on(cluster, load, topics)
    }

    /// The same on topics that are there, or not.
    pub fn on(cluster: &Cluster, load: Load, topics: Topics) -> Self {
        let answers = Answers::default();
        let stub = StubProvider::start(script(&answers, load.latency));
        stub.keep_no_requests();
        let setup = setup(cluster, &stub, &load).connector(&topics, &load.delivery());
        Self { load, topics, answers, stub, setup }
    }

    /// More events, numbered on.
    pub fn add(&mut self, count: usize) {
        let first = self.load.events;
        self.load.events += count;
        broker::produce(&self.topics.source, self.load.partitions, &events(first..first + count));
    }

    /// Whatever the stub does otherwise, it goes on writing down.
    pub fn script(&self) -> Script {
        script(&self.answers, self.load.latency)
    }

    /// Records in the output topics, aborted ones and the markers of transactions too.
    pub fn written(&self) -> usize {
        broker::count(&self.topics.sink)
    }

    pub fn wait_written(&self, more: usize) {
        let before = self.written();
        wait_until("more outcomes", Duration::from_secs(60), || {
            let now = self.written();
            if now >= before + more || self.is_done() { Ok(()) } else { Err(format!("{before} before, now {now}")) }
        });
    }

    pub fn is_done(&self) -> bool {
        oracle::lag(&self.topics) == Ok(0)
    }

    /// Waits until everything is committed, holds the process against what it was, and judges.
    pub fn finish(&self, tally: &mut Tally, service: &Service, before: Option<Resources>, limit: Duration) {
        self.wait_done(tally, service, before, limit);
        self.judge(tally);
    }

    /// The same without the judge.
    pub fn wait_done(&self, tally: &mut Tally, service: &Service, before: Option<Resources>, limit: Duration) {
        let began_at = Instant::now();
        wait_until("all offsets committed", limit, || {
            // Asking costs the machine more than waiting.
            std::thread::sleep(Duration::from_millis(200));
            match oracle::lag(&self.topics)? {
                0 => Ok(()),
                lag => Err(format!("lag {lag}: {} {}", service.get("/v1/health").1, tail(service))),
            }
        });
        wait_until("nothing in flight", Duration::from_secs(10), || {
            let in_flight = service.metric("sp_records_in_flight");
            if in_flight == 0.0 { Ok(()) } else { Err(format!("{in_flight} in flight")) }
        });
        tally.note_time("to the end", began_at.elapsed());
        if let Some(before) = before {
            let after = Resources::of(service.id());
            // A producer goes with each: told, and no more than that is let pass.
            let lost = lost_calls(service);
            if lost > 0 {
                tally.note(format!("{lost} calls never came back, with {} more", after.beyond(&before)));
            }
            tally.compare(&before.and_producers(lost), &after);
        }
    }

    /// No call was made twice, nor given up: of a process that lives through it all, whatever becomes of its clients.
    pub fn expect_paid_once(&self, tally: &mut Tally) {
        tally.extra_calls_at_most(0);
        let given_up = self.stub.calls() as usize - self.answers.count();
        tally.expect(given_up == 0, || format!("{given_up} calls were given up"));
    }

    /// Judges the topics as they are.
    pub fn judge(&self, tally: &mut Tally) {
        self.judge_codes(tally, &[]);
    }

    /// The same, and no other letters than of these codes are there, if any are named. Says how many of each there are.
    pub fn judge_codes(&self, tally: &mut Tally, codes: &[&str]) -> BTreeMap<String, usize> {
        let judgement = oracle::judge(&self.topics, &self.answers, self.load.order);
        let is_other = |code: &&String| !codes.is_empty() && !codes.contains(&code.as_str());
        let others: Vec<_> = judgement.codes.keys().filter(is_other).cloned().collect();
        tally.expect(others.is_empty(), || format!("letters {others:?}: {:?}", judgement.codes));
        let found = judgement.codes.clone();
        tally.add(judgement, self.load.guarantee);
        tally.expect(self.stub.protocol_errors() == 0, || "requests that the provider does not understand".to_owned());
        found
    }
}

fn setup(cluster: &Cluster, stub: &StubProvider, load: &Load) -> Setup {
    let providers = format!(
        "providers:\n  stub: {{ kind: openai, base_url: \"{}\", model: stub-1, api_key_env: null, timeout: {} }}\n\
         routing: {{ fallback: [stub] }}",
        stub.base_url(),
        load.timeout
    );
    let setup = Setup::with_providers(&providers).brokers(&cluster.proxied()).client(load.client);
    match &load.store {
        Some(url) => setup.store(url),
        None => setup,
    }
}

/// Calls that the client library has lost: they never came back.
pub fn lost_calls(service: &Service) -> usize {
    service.log_text().matches("its thread is left behind").count()
}

/// A panic that was caught, wherever, is said in one of two ways.
pub fn expect_no_panic(tally: &mut Tally, service: &Service) {
    let is_said = service.messages().iter().any(|message| message == "panic");
    let has_panicked = is_said || service.log_text().contains("panicked");
    tally.expect(!has_panicked, || format!("a panic: {}", tail(service)));
}

/// The last lines of a log.
pub fn tail(service: &Service) -> String {
    let text = service.log_text();
    let lines: Vec<&str> = text.lines().rev().take(6).collect();
    lines.into_iter().rev().collect::<Vec<_>>().join("\n")
}

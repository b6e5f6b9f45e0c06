//! This program alone: the highest rate that it carries, answers from memory, and a batch beside single requests.

use std::path::Path;
use std::time::{Duration, Instant};

use super::client::{Address, Client};
use super::gateway::{self, Running};
use super::messages;
use super::open_loop::{Load, Outcome};
use super::overhead::fresh;
use crate::stub::Stub;

/// Rates that are tried, until one is not carried.
const RATES: [u32; 6] = [2000, 3000, 4000, 5000, 6000, 8000];
/// A rate is carried if nearly all answers come within this time.
const USABLE: Duration = Duration::from_millis(100);
/// Of remembered answers.
const HITS: u32 = 5000;
const HIT_TEXTS: usize = 500;
/// How long the provider takes in the comparison of a batch.
const BATCH_LATENCY: Duration = Duration::from_millis(200);
const BATCH: usize = 100;

/// What was found.
#[derive(Debug)]
pub struct Capacity {
    /// The rates that were tried, and whether each was carried.
    pub rates: Vec<(u32, Outcome, bool)>,
    pub hits: Outcome,
    pub batch: Duration,
    pub one_by_one: Duration,
}

impl Capacity {
    /// The highest rate that was carried, and how.
    pub fn highest(&self) -> Option<(u32, &Outcome)> {
        self.rates
            .iter()
            .filter(|(_, _, is_carried)| *is_carried)
            .map(|(rate, outcome, _)| (*rate, outcome))
            .next_back()
    }
}

/// Measures all of it.
pub fn measure(directory: &Path, binary: &Path, seconds: u32) -> Capacity {
    let directory = directory.join(format!("{}-s4-capacity", std::process::id()));
    let start = |name: &str, latency| {
        let directory = directory.join(name);
        std::fs::create_dir_all(&directory).expect("a directory");
        let stub = Stub::start(latency, &directory);
        let running = gateway::start(binary, &directory, stub.port, "/v1/analyze");
        (stub, running)
    };
    let (_stub, Running { address, mut process }) = start("rates", Duration::ZERO);
    let ask = |load: Load| load.run(&address, fresh((load.rate * load.seconds) as usize), messages::analyze);
    ask(Load { rate: 500, seconds: 3 });
    let mut rates = Vec::new();
    for rate in RATES {
        let outcome = ask(Load { rate, seconds });
        let is_carried = outcome.is_carried && outcome.quantile_ms(0.99) < USABLE.as_secs_f64() * 1000.0;
        println!("  S4  {rate:>5}/s {}", super::report::latencies(&outcome));
        rates.push((rate, outcome, is_carried));
        if !is_carried {
            break;
        }
    }
    let hits = remembered(&address, seconds);
    println!("  S4  {HITS:>5}/s from memory {}", super::report::latencies(&hits));
    process.stop(Duration::from_secs(60));
    let (_stub, Running { address, mut process }) = start("batch", BATCH_LATENCY);
    let (batch, one_by_one) = batches(&address);
    process.stop(Duration::from_secs(60));
    Capacity { rates, hits, batch, one_by_one }
}

/// Some texts again and again.
fn remembered(address: &Address, seconds: u32) -> Outcome {
    let first = fresh(HIT_TEXTS);
    let again = |number: usize| messages::analyze(first + number % HIT_TEXTS);
    Load { rate: 500, seconds: 2 }.run(address, 0, again);
    Load { rate: HITS, seconds }.run(address, 0, again)
}

/// The time of a batch, and of as many single requests one after the other.
fn batches(address: &Address) -> (Duration, Duration) {
    let batch_address = Address { path: "/v1/analyze/batch", ..address.clone() };
    let (mut batches, mut singles) = (Client::new(&batch_address), Client::new(address));
    singles.post(&messages::analyze(fresh(1))).expect("an answer");
    let body = messages::batch(fresh(BATCH), BATCH);
    let began = Instant::now();
    let answer = String::from_utf8_lossy(batches.post(&body).expect("an answer")).into_owned();
    let batch = began.elapsed();
    assert!(answer.contains(&format!("\"successful\":{BATCH}")), "{answer}");
    let began = Instant::now();
    for _ in 0..BATCH {
        singles.post(&messages::analyze(fresh(1))).expect("an answer");
    }
    (batch, began.elapsed())
}

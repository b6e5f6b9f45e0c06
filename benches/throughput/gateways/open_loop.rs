//! Requests at a constant rate, each timed from the moment at which it was due.

use std::io;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use super::client::{Address, Client};

/// A run that takes so many times as long as it should is broken off: the rate is not carried.
const MOST_DELAY: u32 = 3;

/// A rate, for a time.
#[derive(Debug, Clone, Copy)]
pub struct Load {
    pub rate: u32,
    pub seconds: u32,
}

/// What came of it.
#[derive(Debug, Clone)]
pub struct Outcome {
    /// From the moment at which each request was due to the end of its answer, sorted.
    pub latencies: Vec<Duration>,
    pub first_error: Option<String>,
    /// Answers in a second.
    pub answered_per_s: f64,
    /// Whether all requests were answered, and in time.
    pub is_carried: bool,
}

impl Load {
    fn requests(self) -> usize {
        self.rate as usize * self.seconds as usize
    }

    /// Sends bodies, which begin with that of `first`, on as many connections as an answer of 50 ms would need.
    pub fn run(self, address: &Address, first: usize, body: impl Fn(usize) -> String + Sync) -> Outcome {
        let (next, interval) = (AtomicUsize::new(0), Duration::from_secs(1) / self.rate);
        let began = Instant::now() + Duration::from_millis(100);
        let end = began + Duration::from_secs(u64::from(self.seconds * MOST_DELAY));
        let connection = || {
            let (mut client, mut latencies) = (Client::new(address), Vec::new());
            loop {
                let n = next.fetch_add(1, Ordering::Relaxed);
                let due = began + interval * u32::try_from(n).expect("few requests");
                if n >= self.requests() || Instant::now() > end {
                    return Ok(latencies);
                }
                let body = body(first + n);
                std::thread::sleep(due.saturating_duration_since(Instant::now()));
                check(client.post(&body)).map_err(|error| error.to_string())?;
                latencies.push(due.elapsed());
            }
        };
        let connections = (self.rate / 20).clamp(16, 256);
        let parts: Vec<Result<Vec<Duration>, String>> = std::thread::scope(|scope| {
            let threads: Vec<_> = (0..connections).map(|_| scope.spawn(connection)).collect();
            threads.into_iter().map(|thread| thread.join().expect("it does not panic")).collect()
        });
        Outcome::new(self, parts, began.elapsed())
    }
}

/// Only the right answer counts: the stub gives every request the same.
fn check(answer: io::Result<&[u8]>) -> io::Result<()> {
    let answer = answer?;
    let expected = b"delivery_problem";
    if answer.windows(expected.len()).any(|part| part == expected) {
        return Ok(());
    }
    Err(io::Error::other(format!("another answer: {}", String::from_utf8_lossy(answer))))
}

impl Outcome {
    pub fn new(load: Load, parts: Vec<Result<Vec<Duration>, String>>, took: Duration) -> Self {
        let (mut latencies, mut first_error) = (Vec::new(), None);
        for part in parts {
            match part {
                Ok(part) => latencies.extend(part),
                Err(error) => first_error = first_error.or(Some(error)),
            }
        }
        latencies.sort_unstable();
        let is_in_time = took.as_secs_f64() < f64::from(load.seconds) * 1.02 + 0.5;
        let is_carried = first_error.is_none() && latencies.len() == load.requests() && is_in_time;
        let answered_per_s = latencies.len() as f64 / took.as_secs_f64();
        Self { latencies, first_error, answered_per_s, is_carried }
    }

    /// The latency that this share of the requests did not exceed, in milliseconds.
    pub fn quantile_ms(&self, share: f64) -> f64 {
        let index = (self.latencies.len() as f64 * share) as usize;
        let latency = self.latencies.get(index.min(self.latencies.len().saturating_sub(1)));
        latency.map_or(f64::NAN, |latency| latency.as_secs_f64() * 1000.0)
    }
}

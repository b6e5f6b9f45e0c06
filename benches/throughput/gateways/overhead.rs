//! The same requests to the provider itself and to each gateway in front of it, in turns.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;
use std::process::Command;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use serde_json::Value;

use super::client::Address;
use super::gateway::{Gateway, Running};
use super::messages;
use super::open_loop::{Load, Outcome};
use crate::contender::repository;
use crate::process::tree_cpu_us;
use crate::stub::Stub;

/// Requests a second. At the lower rate the slowest peer has nothing to wait for.
pub const RATES: [u32; 2] = [100, 1000];
/// Before it is measured: connections are made, and what is compiled at run time has been.
const WARM_UP: Load = Load { rate: 200, seconds: 3 };

/// No text is sent twice, so that nothing is remembered.
static SENT: AtomicUsize = AtomicUsize::new(0);

/// A gateway at a rate.
#[derive(Debug)]
pub struct Overhead {
    pub gateway: &'static str,
    pub rate: u32,
    /// One of each round.
    pub rounds: Vec<Round>,
}

/// A gateway beside the provider itself, in one round.
#[derive(Debug)]
pub struct Round {
    pub outcome: Outcome,
    /// What the provider itself took, in the same round.
    pub direct: Outcome,
    /// CPU time for a request, in microseconds, of all of its processes.
    pub cpu_us: f64,
}

impl Round {
    /// What the gateway adds at this quantile, in milliseconds.
    pub fn added_ms(&self, share: f64) -> f64 {
        self.outcome.quantile_ms(share) - self.direct.quantile_ms(share)
    }
}

/// Numbers of texts that nobody has sent yet.
pub fn fresh(texts: usize) -> usize {
    SENT.fetch_add(texts, Ordering::Relaxed)
}

/// Asks everybody at each rate. Each second round goes backwards.
pub fn measure(directory: &Path, gateways: &[Gateway], repeats: usize, seconds: u32) -> Vec<Overhead> {
    let mut overheads = Vec::new();
    for rate in RATES {
        let all = gateways.iter().map(|gateway| Overhead { gateway: gateway.name(), rate, rounds: Vec::new() });
        let mut measured: Vec<Overhead> = all.collect();
        for repeat in 0..repeats {
            let mut order: Vec<usize> = (0..gateways.len()).collect();
            if repeat % 2 == 1 {
                order.reverse();
            }
            let load = Load { rate, seconds };
            for index in order {
                let directory = directory.join(format!("{}-s4-{rate}-{repeat}-{index}", std::process::id()));
                std::fs::create_dir_all(&directory).expect("a directory");
                let round = round(&gateways[index], load, &directory);
                println!("  S4  {rate:>5}/s {:<42}{}", gateways[index].name(), super::report::line(&round));
                measured[index].rounds.push(round);
            }
        }
        overheads.extend(measured);
    }
    overheads
}

/// The provider itself, and then the gateway.
fn round(gateway: &Gateway, load: Load, directory: &Path) -> Round {
    let stub = Stub::start(Duration::ZERO, directory);
    let socket = SocketAddr::from((Ipv4Addr::LOCALHOST, stub.port));
    let provider = Address { socket, path: "/v1/chat/completions", headers: String::new() };
    let ask = |load: Load, address: &Address, body: &(dyn Fn(usize) -> String + Sync)| {
        load.run(address, fresh((load.rate * load.seconds) as usize), body)
    };
    let chat = |number| messages::chat_completion("stub-1", number);
    ask(WARM_UP, &provider, &chat);
    let direct = ask(load, &provider, &chat);
    let Some(Running { address, mut process }) = gateway.start(directory, stub.port) else {
        let (outcome, cpu_us) = embedded(gateway, load, directory, stub.port);
        return Round { outcome, direct, cpu_us };
    };
    let body = |number| gateway.body(number);
    ask(WARM_UP, &address, &body);
    let before = tree_cpu_us(process.id());
    let outcome = ask(load, &address, &body);
    let cpu_us = (tree_cpu_us(process.id()) - before) as f64 / outcome.latencies.len().max(1) as f64;
    process.stop(Duration::from_secs(60));
    Round { outcome, direct, cpu_us }
}

/// TensorZero, which is asked by a program in Python at the same rate.
fn embedded(gateway: &Gateway, load: Load, directory: &Path, stub_port: u16) -> (Outcome, f64) {
    let Gateway::TensorZero(python) = gateway else { unreachable!("all others are started") };
    let output = Command::new(python)
        .arg(repository("benches/peers/tensorzero/peer.py"))
        .arg(format!("http://127.0.0.1:{stub_port}/v1"))
        .args([load.rate, load.seconds].map(|number| number.to_string()))
        .arg(directory)
        .arg(repository("src/schema/library/support-intent@1.0.0.json"))
        .arg(messages::padding())
        .output()
        .expect("Python");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    // Around it stands what the gateway has logged.
    let report = output.stdout.split(|byte| *byte == b'\n').find_map(|line| serde_json::from_slice::<Value>(line).ok());
    let report = report.unwrap_or_else(|| panic!("no report: {}", String::from_utf8_lossy(&output.stderr)));
    let seconds = |name: &str| report[name].as_f64().expect("seconds");
    let error = report["errors"][0].as_str().map(|error| Err(error.to_owned()));
    let latencies = report["nanoseconds"].as_array().expect("latencies");
    let latencies: Vec<Duration> =
        latencies.iter().map(|nanos| Duration::from_nanos(nanos.as_u64().expect("a number"))).collect();
    let cpu_us = seconds("cpu_seconds") * 1e6 / latencies.len().max(1) as f64;
    let parts = std::iter::once(Ok(latencies)).chain(error).collect();
    (Outcome::new(load, parts, Duration::from_secs_f64(seconds("seconds"))), cpu_us)
}

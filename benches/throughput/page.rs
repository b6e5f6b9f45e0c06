//! docs/benchmarks.md and docs/benchmarks-http.md.

use std::fmt::Write as _;
use std::process::Command;

use crate::contender::repository;
use crate::scenario;
use crate::summary::{Ratio, Spread, Summary};

/// The pages around their tables.
const THROUGHPUT: &str = include_str!("page.md");
const GATEWAYS: &str = include_str!("gateways.md");

/// Writes each page all of whose scenarios were measured: with fewer it would lose the figures of the others.
pub fn write(summary: &Summary, repeats: usize, is_quick: bool) {
    let quick = if is_quick { ", half the records (`--quick`)" } else { "" };
    let repeats = format!("{repeats} run{}{quick}", if repeats == 1 { "" } else { "s" });
    let is_measured =
        |scenario: &scenario::Scenario| summary.measured.iter().any(|it| it.scenario.name == scenario.name);
    if summary.idle.is_some() && scenario::ALL.iter().all(is_measured) {
        let page = THROUGHPUT
            .replace("{versions}", &throughput_versions())
            .replace("{ratios}", &ratios(summary))
            .replace("{figures}", &figures(summary))
            .replace("{idle}", &idle(summary));
        write_page("docs/benchmarks.md", &page, &repeats);
    } else {
        println!("docs/benchmarks.md stays as it is: it has the figures of all scenarios on Kafka");
    }
    if let Some(gateways) = &summary.gateways {
        let page =
            GATEWAYS.replace("{versions}", &gateway_versions()).replace("{gateways}", gateways.section().trim_end());
        write_page("docs/benchmarks-http.md", &page, &repeats);
    }
}

fn write_page(path: &str, page: &str, repeats: &str) {
    let page = page
        .replace("{date}", &said_by("date", &["--utc", "+%Y-%m-%d"]))
        .replace("{commit}", &said_by("git", &["rev-parse", "--short", "HEAD"]))
        .replace("{repeats}", repeats)
        .replace("{machine}", &machine());
    let path = repository(path);
    std::fs::write(&path, page).expect("the page");
    println!("written: {}", path.display());
}

fn ratios(summary: &Summary) -> String {
    let shown = |spread: Spread| format!("**{:.2}** ({:.2}–{:.2})", spread.median, spread.min, spread.max);
    let mut table = "| this program : other | records/s | CPU per record |\n|---|---|---|\n".to_owned();
    for Ratio { what, records_per_s, cpu } in summary.ratios() {
        writeln!(table, "| {what} | {} | {} |", shown(records_per_s), shown(cpu)).expect("a string");
    }
    table.trim_end().to_owned()
}

fn figures(summary: &Summary) -> String {
    let columns = "scenario | program | records/s | CPU/record of it | of the broker | of the stub | peak memory |";
    let mut table = format!("| {columns}\n|---|---|---|---|---|---|---|\n");
    for measured in &summary.measured {
        let rate = measured.spread(|figures| figures.records_per_s);
        let cpu = measured.spread(|figures| figures.cpu_us);
        let (broker, stub) = (measured.spread(|figures| figures.broker_us), measured.spread(|figures| figures.stub_us));
        let peak = measured.spread(|figures| figures.peak_mib as f64);
        writeln!(
            table,
            "| {} | {} | {:.0} ({:.0}–{:.0}) | {:.1} µs ({:.1}–{:.1}) | {:.1} µs | {:.1} µs | {:.0} MiB |",
            measured.scenario.name,
            measured.contender,
            rate.median,
            rate.min,
            rate.max,
            cpu.median,
            cpu.min,
            cpu.max,
            broker.median,
            stub.median,
            peak.max
        )
        .expect("a string");
    }
    table.trim_end().to_owned()
}

fn idle(summary: &Summary) -> String {
    let Some(idle) = summary.idle.as_ref().filter(|idle| !idle.is_empty()) else { return "not measured".to_owned() };
    let ready = Spread::of(idle.iter().map(|idle| idle.ready_ms));
    let core = Spread::of(idle.iter().map(|idle| idle.core_percent));
    let memory = Spread::of(idle.iter().map(|idle| idle.resident_mib as f64));
    format!(
        "ready {:.0} ms after its start ({:.0}–{:.0}), {:.2} % of a core, {:.0} MiB",
        ready.median, ready.min, ready.max, core.median, memory.median
    )
}

fn machine() -> String {
    let cpus = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = cpus.lines().find_map(|line| line.strip_prefix("model name")?.split_once(": ")).map(|(_, model)| model);
    let memory = std::fs::read_to_string("/proc/meminfo").unwrap_or_default();
    let kib: Option<u64> = memory.lines().find_map(|line| line.split_whitespace().nth(1)?.parse().ok());
    let cores = std::thread::available_parallelism().map_or(0, usize::from);
    format!(
        "{cores} cores ({}), {} GiB, {} open files at most, Linux {}",
        model.unwrap_or("unknown"),
        kib.unwrap_or_default() >> 20,
        said_by("sh", &["-c", "ulimit -Hn"]),
        said_by("uname", &["-r"])
    )
}

/// Versions of everything that took part on Kafka, from the files that pin them.
fn throughput_versions() -> String {
    let artifact = |pom: &str, name: &str| {
        let rest = pom.split_once(&format!("<artifactId>{name}</artifactId>")).expect("the artifact").1;
        rest.split_once("<version>").and_then(|(_, rest)| rest.split_once('<')).expect("its version").0.to_owned()
    };
    let (kafka, peer) = (text("tests/tools/kafka/pom.xml"), text("benches/peers/parallel-consumer/pom.xml"));
    let java = said_by("sh", &["-c", "java -version 2>&1 | sed -n 's/.*\"\\(.*\\)\".*/\\1/p'"]);
    format!(
        "Apache Kafka {}, Java {java}, Parallel Consumer {}, networknt json-schema-validator {}; {}, {}; {}",
        artifact(&kafka, "kafka_2.13"),
        artifact(&peer, "parallel-consumer-reactor"),
        artifact(&peer, "json-schema-validator"),
        said_by("python3", &["--version"]),
        packages("python"),
        said_by("rustc", &["--version"]),
    )
}

/// The same of the gateways.
fn gateway_versions() -> String {
    let portkey: serde_json::Value = serde_json::from_str(&text("benches/peers/portkey/package.json")).expect("JSON");
    format!(
        "{}, {}, Portkey {}; {}, Node.js {}; {}",
        packages("litellm"),
        packages("tensorzero"),
        portkey["dependencies"]["@portkey-ai/gateway"].as_str().expect("its version"),
        said_by("python3", &["--version"]),
        said_by("node", &["--version"]),
        said_by("rustc", &["--version"]),
    )
}

/// The pinned packages of a peer in Python.
fn packages(peer: &str) -> String {
    let requirements = text(&format!("benches/peers/{peer}/requirements.txt"));
    let packages: Vec<String> =
        requirements.lines().filter(|line| !line.starts_with('#')).map(|line| line.replace("==", " ")).collect();
    packages.join(", ")
}

/// A file of the repository.
fn text(path: &str) -> String {
    std::fs::read_to_string(repository(path)).expect("a file of the repository")
}

/// What a command prints.
fn said_by(command: &str, arguments: &[&str]) -> String {
    let output = Command::new(command).args(arguments).output().unwrap_or_else(|error| panic!("{command}: {error}"));
    String::from_utf8_lossy(&output.stdout).trim().to_owned()
}

//! Few open files.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;
use std::time::Duration;

use tempfile::TempDir;

use super::row::{Bench, Row};
use super::scene::{Guarantee, Load, Scene, tail};
use super::service::Service;
use super::tally::Tally;
use super::wait::wait_until;

use Guarantee::{AtLeastOnce, ExactlyOnce};

const LIMIT: Duration = Duration::from_secs(180);
const FEW: u64 = 256;
const IN_FLIGHT: usize = 2000;
/// Calls last a second, and nothing that waits for a connection is waited for.
const DRAIN: Duration = Duration::from_secs(8);
/// A line for each start and end of things, but none for each record or each turn.
const LINES: usize = 60;

pub fn rows() -> Vec<Row> {
    vec![Row::new(53, "256 open files, max_in_flight 2000", "ALO, EOS", few_files)]
}

/// A program that runs ours under a limit of files, its soft one (`-S`) or both.
fn limited(which: &str) -> (TempDir, PathBuf) {
    let directory = tempfile::tempdir().expect("a directory");
    let path = directory.path().join("limited");
    let text = format!("#!/bin/sh\nulimit {which} -n {FEW}\nexec {} \"$@\"\n", env!("CARGO_BIN_EXE_structured-prompt"));
    fs::write(&path, text).expect("a script");
    fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).expect("its permissions");
    (directory, path)
}

fn scene(bench: &Bench, guarantee: Guarantee, events: usize, program: &(TempDir, PathBuf)) -> Scene {
    let load = Load::new(guarantee, events).in_flight(IN_FLIGHT).latency(900, 1100).timeout("30s");
    let mut scene = Scene::new(&bench.cluster, load);
    scene.setup = scene.setup.binary(&program.1);
    scene
}

fn few_files(bench: &mut Bench) -> Tally {
    let mut tally = Tally::default();
    let program = limited("");
    for guarantee in [AtLeastOnce, ExactlyOnce] {
        let mut scene = scene(bench, guarantee, bench.times(1000, 2000, 20_000), &program);
        let service = scene.setup.start();
        scene.finish(&mut tally, &service, None, LIMIT * bench.times(1, 1, 4) as u32);
        let at_once = scene.stub.max_concurrency();
        tally.note(format!("{at_once} calls at once"));
        tally.expect((50..FEW / 2).contains(&at_once), || format!("{at_once} calls at once"));
        expect_calm(&mut tally, &service);
        drop(service);

        scene.add(1000);
        let mut service = scene.setup.start();
        wait_until("calls", Duration::from_secs(60), || match scene.stub.in_flight() {
            50.. => Ok(()),
            calls => Err(format!("{calls} calls: {}", tail(&service))),
        });
        let (status, took) = service.terminate();
        tally.note_time("SIGTERM", took);
        tally.expect(status.success() && took <= DRAIN, || format!("{status} {took:.1?} after SIGTERM"));
    }
    tally.repeats_at_most(0);
    tally.extra_calls_at_most(0);

    // The soft limit alone is no limit.
    let program = limited("-S");
    let scene = scene(bench, AtLeastOnce, 1000, &program);
    let service = scene.setup.start();
    let (soft, hard) = limits_of(&service);
    tally.expect(soft == hard && soft > FEW, || format!("a soft limit of {soft} files where {hard} are permitted"));
    scene.finish(&mut tally, &service, None, LIMIT);
    tally.note(format!("{} calls at once with a soft limit only", scene.stub.max_concurrency()));
    tally
}

/// The limits of open files of a process, the soft one and the hard one.
fn limits_of(service: &Service) -> (u64, u64) {
    let limits = fs::read_to_string(format!("/proc/{}/limits", service.id())).expect("a running process");
    let line = limits.lines().find_map(|line| line.strip_prefix("Max open files")).expect("its limit of files");
    let mut numbers = line.split_whitespace().map(|number| number.parse().unwrap_or(u64::MAX));
    (numbers.next().expect("the soft limit"), numbers.next().expect("the hard limit"))
}

/// Nobody is blamed, the cause is named, and the log is short.
fn expect_calm(tally: &mut Tally, service: &Service) {
    let health = service.get("/v1/health").1;
    let files = &health["components"]["process"]["open_files"];
    let detail = files["detail"].as_str().unwrap_or_default();
    tally.expect(detail.contains("open files") && detail.contains("ulimit -n"), || format!("health says {files}"));
    let provider = &health["components"]["provider"]["stub"];
    let is_blamed = provider["status"] != "up" || provider["error_percent_5m"] != 0;
    tally.expect(!is_blamed, || format!("the provider is blamed: {provider}"));
    let errors = service.metric("sp_journal_errors_total") + service.metric("sp_connector_restarts_total");
    tally.expect(errors == 0.0, || format!("{errors} failures of store and clients: {}", tail(service)));
    let messages = service.messages();
    let count = |text: &str| messages.iter().filter(|message| message.contains(text)).count();
    let (lines, said, pauses) = (messages.len(), count("few open files"), count("intake pauses"));
    tally.expect(lines <= LINES && said == 1 && pauses == 0, || {
        format!("{lines} lines, {said} of few files, {pauses} of pauses: {}", tail(service))
    });
}

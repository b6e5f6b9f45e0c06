//! A disk for logs that is full.

use std::fs;
use std::net::TcpStream;
use std::os::unix::fs::PermissionsExt as _;
use std::time::Duration;

use super::broker::{self, TestRecord};
use super::service::{Setup, Topics};
use super::{reader, servers, wait_until};

const LIMIT: Duration = Duration::from_secs(40);
const EVENTS: usize = 50;

/// Runs the program with both outputs on a full disk. What the program would say about its address is said for it.
const PROGRAM: &str = r#"#!/bin/sh
echo "{\"message\":\"started\",\"http\":\"$STRUCTURED_PROMPT_HTTP__LISTEN\"}"
exec "$BINARY" "$@" >/dev/full 2>&1
"#;

#[test]
fn records_are_answered_while_no_log_line_can_be_written() {
    let topics = Topics::create(1);
    let event = |n| TestRecord::event(&format!("e{n}"), &format!("Ticket {n}: where is my parcel?"));
    let mut events: Vec<TestRecord> = (0..EVENTS).map(event).collect();
    // Its dead letter is logged.
    events.push(TestRecord::new("no event"));
    broker::produce(&topics.source, 1, &events);
    let directory = tempfile::tempdir().expect("a directory");
    let program = directory.path().join("program");
    fs::write(&program, PROGRAM).expect("a script");
    fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).expect("its permissions");

    let address = format!("127.0.0.1:{}", servers::free_port());
    let environment = [
        ("BINARY", env!("CARGO_BIN_EXE_structured-prompt")),
        ("STRUCTURED_PROMPT_HTTP__LISTEN", &address),
        ("STRUCTURED_PROMPT_LOG__FILTER", "debug"),
    ];
    let setup = Setup::offline().binary(&program).connector(&topics, "");
    let mut service = setup.spawn_with(&environment);
    wait_until("the program", LIMIT, || TcpStream::connect(&address).map(drop).map_err(|error| error.to_string()));
    wait_until("all outcomes", LIMIT, || match reader::read(&topics) {
        found if found.results == EVENTS && found.dead_letters.len() == 1 => Ok(()),
        found => Err(format!("{} results, {} dead letters", found.results, found.dead_letters.len())),
    });
    service.wait_ready();
    let dropped = service.metric("sp_log_lines_dropped_total");
    assert!(dropped > 2.0, "{dropped} lines were dropped");
    assert!(service.terminate().0.success());
}

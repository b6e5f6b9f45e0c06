//! The examples that run by themselves do what their pages say.

#![allow(clippy::expect_used, clippy::panic, clippy::unwrap_used, reason = "in a test they are assertions")]

use std::path::Path;
use std::process::Command;

#[test]
fn a_provider_fails_and_recovers_and_nothing_is_lost() {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/provider-failover/run");
    let output = Command::new(script)
        .env("STRUCTURED_PROMPT_BINARY", env!("CARGO_BIN_EXE_structured-prompt"))
        .output()
        .expect("the script runs");
    let (out, err) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{out}\n{err}");
    for line in ["lost 0\n", "called too early 0\n", "opened 2 times and closed 2 times\n"] {
        assert!(out.contains(line), "no {line:?} in {out}\n{err}");
    }
}

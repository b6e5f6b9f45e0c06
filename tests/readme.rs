//! The README's first connector works as it is printed.

#![allow(clippy::expect_used, clippy::panic, clippy::unwrap_used, reason = "in a test they are assertions")]

use std::path::Path;
use std::process::Command;

/// The text of the code block that begins with this fence line.
fn block(readme: &str, fence: &str) -> String {
    let start = readme.find(&format!("\n```{fence}\n")).unwrap_or_else(|| panic!("no block {fence}")) + fence.len() + 5;
    let rest = &readme[start..];
    rest[..rest.find("\n```").expect("its end")].to_owned() + "\n"
}

#[test]
fn the_first_connector_passes_lint_and_answers_in_the_demo() {
    let readme = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("README.md")).expect("the README");
    let directory = tempfile::tempdir().expect("a directory");
    std::fs::create_dir(directory.path().join("connectors")).expect("a directory");
    std::fs::write(directory.path().join("connectors/reviews.yaml"), block(&readme, "yaml")).expect("the connector");

    let binary = Path::new(env!("CARGO_BIN_EXE_structured-prompt"));
    let directory_of_binary = binary.parent().expect("its directory").display().to_string();
    #[allow(clippy::disallowed_methods, reason = "the commands need the programs of this machine")]
    let path = format!("{directory_of_binary}:{}", std::env::var("PATH").expect("a path"));
    let output = Command::new("bash")
        .args(["-euo", "pipefail", "-c", &block(&readme, "sh")])
        .current_dir(directory.path())
        .env("PATH", path)
        .output()
        .expect("bash");
    let (out, err) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{out}\n{err}");
    assert!(out.contains("1 file, no findings"), "{out}");
    assert!(out.contains("sentiment positive"), "{out}");
}

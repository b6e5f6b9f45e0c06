//! Random requests, valid and invalid ones, made by schemathesis from the OpenAPI document. Every answer must be what the
//! document says: no 5xx, no undocumented status, bodies and headers as described, other methods refused with 405.

use super::service::{ADMIN_KEY, Service, python_program, succeed, test_file};

/// Requests of each operation and phase, always the same ones: so that a change is judged, and not luck.
const EXAMPLES: &str = "8";

/// `STRUCTURED_PROMPT_TEST_FUZZ_SECONDS` makes it go on for so long, with others each time.
#[test]
fn every_answer_to_a_random_request_is_one_that_the_document_describes() {
    let service = Service::start();
    let seconds: Option<u64> =
        std::env::var("STRUCTURED_PROMPT_TEST_FUZZ_SECONDS").ok().map(|text| text.parse().expect("seconds"));
    let directory = tempfile::tempdir().expect("a directory");
    let mut command = python_program("schemathesis");
    command
        .current_dir(directory.path())
        .env("KEY", &service.key)
        .env("ADMIN_KEY", ADMIN_KEY)
        .arg("--config-file")
        .arg(test_file("http/schemathesis.toml"))
        // How long it takes to make requests says something of the machine, and nothing of the program.
        .args([
            "run",
            "--no-color",
            "--suppress-health-check",
            "all",
            &format!("http://{}/openapi.json", service.program.address()),
        ]);
    match seconds {
        None => command.args(["--max-examples", EXAMPLES, "--seed", "1"]),
        Some(seconds) => command.args(["--max-time", &seconds.to_string()]),
    };
    let said = succeed(&mut command);
    println!("{said}");
    assert!(said.contains("Test cases:"), "it tried nothing: {said}");
    let log = service.program.log_text();
    assert!(!log.contains("\"panic\""), "{log}");
}

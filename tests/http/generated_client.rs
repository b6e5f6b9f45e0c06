//! A client that openapi-python-client makes of the document can be compiled, and is answered.

use super::service::{ADMIN_KEY, Service, python, python_program, succeed, test_file};

#[test]
fn a_client_that_is_generated_from_the_document_compiles_and_is_answered() {
    let service = Service::start();
    let directory = tempfile::tempdir().expect("a directory");
    let file = |name: &str| directory.path().join(name);
    std::fs::write(file("openapi.json"), service.document.to_string()).expect("a file");
    let mut generate = python_program("openapi-python-client");
    generate.args(["generate", "--fail-on-warning", "--meta", "none", "--path"]).arg(file("openapi.json"));
    generate.arg("--output-path").arg(file("generated_client")).arg("--config").arg(test_file("http/client.yaml"));
    succeed(&mut generate);
    succeed(std::process::Command::new(python()).args(["-m", "compileall", "-q"]).arg(file("generated_client")));
    let url = format!("http://{}", service.program.address());
    let mut call = std::process::Command::new(python());
    call.arg(test_file("tools/python/call_generated_client.py")).args([&url, &service.key, ADMIN_KEY]);
    let said = succeed(call.env("PYTHONPATH", directory.path()));
    assert_eq!(said.trim(), "everything was answered");
}

//! The manifests of deploy/kubernetes: Kubernetes takes them, the program understands what they give it, and they fit
//! together.
//!
//! - `pods`: what is said of the processes: arguments, environment, probes, their end, what they may do;
//! - `objects`: what the other objects say of them: selectors, autoscaling, the way in from outside.

#![allow(
    clippy::disallowed_methods,
    clippy::expect_used,
    clippy::panic,
    clippy::unwrap_used,
    unreachable_pub,
    reason = "in a test they are assertions and their explanation"
)]

use std::collections::BTreeMap;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::LazyLock;

use serde_json::Value;

#[path = "../support/wait.rs"]
mod wait;

mod objects;
mod pods;

/// What a user applies, below deploy/kubernetes.
const OVERLAYS: [&str; 4] = ["base", "overlays/small", "overlays/production", "overlays/standalone"];

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("deploy/kubernetes")
}

/// What tests/tools/python/check_manifests.py prints.
fn python(args: &[&str], input: &str) -> Value {
    let python = std::env::var("STRUCTURED_PROMPT_TEST_PYTHON")
        .expect("this test needs kubectl: run `make test`, or set the variable from scripts/python-tools.sh");
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/tools/python/check_manifests.py");
    let mut command = Command::new(python);
    command.arg(script).args(args).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().expect("Python runs");
    child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).expect("its report")
}

/// The objects that come of each overlay.
static OBJECTS: LazyLock<BTreeMap<&str, Vec<Value>>> = LazyLock::new(|| {
    let render = |overlay| python(&["render", folder().join(overlay).to_str().unwrap()], "");
    OVERLAYS.into_iter().map(|overlay| (overlay, serde_json::from_value(render(overlay)).unwrap())).collect()
});

fn objects(overlay: &str) -> Vec<Value> {
    OBJECTS[overlay].clone()
}

/// The documents of a YAML file.
fn documents(file: &Path) -> Vec<Value> {
    serde_json::from_value(python(&["read", file.to_str().unwrap()], "")).unwrap()
}

/// The two Secrets that users make.
static SECRETS: LazyLock<BTreeMap<String, BTreeMap<String, String>>> = LazyLock::new(|| {
    let texts = |secret: &Value| serde_json::from_value(secret["stringData"].clone()).unwrap();
    let secrets = documents(&folder().join("base/secret.example.yaml"));
    secrets.iter().map(|secret| (name(secret).to_owned(), texts(secret))).collect()
});

/// What is wrong with objects by their schemas.
fn problems(objects: &[Value]) -> Vec<String> {
    serde_json::from_value(python(&["check"], &serde_json::to_string(objects).unwrap())).unwrap()
}

fn name(object: &Value) -> &str {
    object["metadata"]["name"].as_str().expect("a name")
}

fn of_kind<'a>(objects: &'a [Value], kind: &'a str) -> impl Iterator<Item = &'a Value> {
    objects.iter().filter(move |object| object["kind"] == kind)
}

/// The objects that run pods.
fn workloads(objects: &[Value]) -> impl Iterator<Item = &Value> {
    objects.iter().filter(|object| object["spec"]["template"]["spec"]["containers"].is_array())
}

/// The items of an array, or none.
fn items(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().into_iter().flatten()
}

#[test]
fn every_object_of_every_overlay_fits_its_schema() {
    for overlay in OVERLAYS {
        let objects = objects(overlay);
        assert!(workloads(&objects).count() >= 2, "{overlay} runs nothing");
        assert_eq!(problems(&objects), Vec::<String>::new(), "{overlay}");
    }
    let secrets = documents(&folder().join("base/secret.example.yaml"));
    assert_eq!(problems(&secrets), Vec::<String>::new());
}

#[test]
fn a_misspelt_key_and_a_wrong_type_are_found() {
    let mut objects = objects("overlays/production");
    for object in &mut objects {
        match object["kind"].as_str() {
            Some("StatefulSet") => object["spec"]["template"]["spec"]["containers"][0]["readinesProbe"] = true.into(),
            Some("PodDisruptionBudget") => object["spec"]["maxUnavailable"] = true.into(),
            Some("ScaledObject") => object["spec"]["triggers"][0]["metdata"] = true.into(),
            Some(_) | None => {}
        }
    }
    let problems = problems(&objects);
    for found in ["StatefulSet connectors: ", "PodDisruptionBudget api: ", "ScaledObject connectors: "] {
        assert!(problems.iter().any(|problem| problem.starts_with(found)), "{problems:?}");
    }
}

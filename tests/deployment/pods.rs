//! What the manifests say of the processes.

use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::time::Duration;

use serde_json::{Value, json};
use structured_prompt::cli::run::LONGEST_STOP;
use tempfile::TempDir;

use super::wait::wait_until;
use super::{OVERLAYS, SECRETS, documents, folder, items, name, objects, of_kind, workloads};

/// Where the image has its temporary files.
const TEMPORARY: &str = "/var/lib/structured-prompt";

/// A pod on this machine: a directory that stands for the root of its files.
struct Pod {
    root: TempDir,
}

impl Pod {
    /// With the volumes of its containers.
    fn of(workload: &Value, objects: &[Value]) -> Self {
        let root = tempfile::tempdir().expect("a directory");
        let spec = &workload["spec"]["template"]["spec"];
        for mount in items(&spec["containers"]).flat_map(|container| items(&container["volumeMounts"])) {
            let directory = inside(root.path(), mount["mountPath"].as_str().unwrap());
            std::fs::create_dir_all(&directory).unwrap();
            let volume = items(&spec["volumes"]).find(|volume| volume["name"] == mount["name"]).expect("the volume");
            if volume["secret"].is_object() {
                write_certificate(&directory);
            }
            let Some(map) = volume["configMap"]["name"].as_str() else { continue };
            let map = of_kind(objects, "ConfigMap").find(|object| name(object) == map).expect("the map");
            for (file, text) in map["data"].as_object().unwrap() {
                std::fs::write(directory.join(file), text.as_str().unwrap()).unwrap();
            }
        }
        Self { root }
    }

    /// The program as a container starts it. Paths are those of this pod.
    fn program(&self, container: &Value, args: impl IntoIterator<Item = String>) -> Command {
        let mut program = Command::new(env!("CARGO_BIN_EXE_structured-prompt"));
        program.args(args).env_clear().envs(self.environment(container)).current_dir(self.root.path());
        program.env("TMPDIR", inside(self.root.path(), TEMPORARY));
        program
    }

    fn args(&self, container: &Value) -> Vec<String> {
        items(&container["args"]).map(|arg| self.text(arg)).collect()
    }

    /// The variables of a container, with the secrets of the example.
    fn environment(&self, container: &Value) -> Vec<(String, String)> {
        let mut variables: Vec<(String, String)> = items(&container["envFrom"])
            .map(|source| source["secretRef"]["name"].as_str().expect("a Secret"))
            .flat_map(|secret| SECRETS[secret].clone())
            .collect();
        for variable in items(&container["env"]) {
            let source = &variable["valueFrom"];
            let value = match (source["secretKeyRef"].as_object(), source["fieldRef"]["fieldPath"].as_str()) {
                (Some(key), _) => SECRETS[key["name"].as_str().unwrap()][key["key"].as_str().unwrap()].clone(),
                (None, Some("metadata.name")) => "connectors-0".to_owned(),
                (None, None) => self.text(&variable["value"]),
                (None, other) => panic!("this test does not know {other:?} of {variable}"),
            };
            variables.push((variable["name"].as_str().unwrap().to_owned(), value));
        }
        variables
    }

    /// A text of the manifests. A path is that of this pod.
    fn text(&self, text: &Value) -> String {
        let text = text.as_str().expect("a text");
        if text.starts_with('/') {
            inside(self.root.path(), text).to_str().unwrap().to_owned()
        } else {
            text.to_owned()
        }
    }
}

fn inside(root: &Path, path: &str) -> std::path::PathBuf {
    root.join(path.trim_start_matches('/'))
}

/// The files of a Secret of type kubernetes.io/tls.
fn write_certificate(directory: &Path) {
    let made = rcgen::generate_simple_self_signed(["extract.example.com".to_owned()]).expect("a certificate");
    std::fs::write(directory.join("tls.crt"), made.cert.pem()).unwrap();
    std::fs::write(directory.join("tls.key"), made.signing_key.serialize_pem()).unwrap();
}

/// A process, killed when dropped, and where it listens.
struct Running {
    child: Child,
    address: String,
}

impl Running {
    fn start(mut program: Command) -> Self {
        let mut child = program.stdout(Stdio::piped()).spawn().expect("the program starts");
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let (send, addresses) = mpsc::channel();
        std::thread::spawn(move || {
            for line in lines.map_while(Result::ok) {
                let entry: Value = serde_json::from_str(&line).unwrap_or_default();
                if entry["message"] == "started" {
                    drop(send.send(entry["http"].as_str().unwrap_or_default().to_owned()));
                }
            }
        });
        let mut running = Self { child, address: String::new() };
        running.address = addresses.recv_timeout(Duration::from_secs(60)).expect("the line that says `started`");
        running
    }

    /// What this probe of the container is told.
    fn told(&self, container: &Value, probe: &str) -> u16 {
        self.status(container, container[probe]["httpGet"]["path"].as_str().expect("a path"))
    }

    /// The status of the answer, asked for as the container's probes are. The kubelet does not look at certificates
    /// either.
    fn status(&self, container: &Value, path: &str) -> u16 {
        let scheme = container["readinessProbe"]["httpGet"]["scheme"].as_str().unwrap_or("HTTP").to_lowercase();
        let url = format!("{scheme}://{}{path}", self.address);
        let asked = async {
            let client = reqwest::Client::builder().no_proxy().tls_danger_accept_invalid_certs(true).build()?;
            Ok::<_, reqwest::Error>(client.get(&url).send().await?.status().as_u16())
        };
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(asked).unwrap_or_else(|error| panic!("{url}: {error:?}"))
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

fn containers(workload: &Value) -> impl Iterator<Item = &Value> {
    let spec = &workload["spec"]["template"]["spec"];
    items(&spec["initContainers"]).chain(items(&spec["containers"]))
}

#[test]
fn configuration_connectors_and_environment_have_no_findings() {
    for overlay in OVERLAYS {
        let objects = objects(overlay);
        for workload in workloads(&objects) {
            let pod = Pod::of(workload, &objects);
            for container in containers(workload) {
                let files = pod.args(container).into_iter().filter(|arg| arg.starts_with('/'));
                let lint = pod.program(container, ["lint".to_owned()].into_iter().chain(files)).output().unwrap();
                let said = String::from_utf8_lossy(&lint.stdout);
                assert!(lint.status.success() && said.contains("no findings"), "{overlay} {}: {said}", name(workload));
            }
        }
    }
}

#[test]
fn each_container_starts_with_its_arguments_and_answers_its_probes() {
    for overlay in ["base", "overlays/standalone"] {
        let objects = objects(overlay);
        for workload in workloads(&objects) {
            let pod = Pod::of(workload, &objects);
            for container in containers(workload) {
                let place = format!("{overlay} {} {}", name(workload), name_of(container));
                let program = on_this_machine(&pod, container);
                if container["readinessProbe"].is_null() {
                    assert_ends_well(program, &place);
                } else {
                    let running = Running::start(program);
                    // Connectors have no broker, and no routes but those of operations.
                    let (ready, api) = if name(workload) == "connectors" { (503, 404) } else { (200, 200) };
                    assert_answers_probes(&running, container, ready, &place);
                    assert_eq!(running.status(container, "/v1/metrics"), 200, "{place}");
                    assert_eq!(running.status(container, "/openapi.json"), api, "{place}");
                }
            }
        }
    }
}

/// There is neither a database nor a broker, and other ports are free.
fn on_this_machine(pod: &Pod, container: &Value) -> Command {
    let mut program = pod.program(container, pod.args(container));
    let store = inside(pod.root.path(), "/var/lib/structured-prompt/store.db");
    program.env("STRUCTURED_PROMPT_STORE__URL", format!("sqlite://{}", store.display()));
    program.env("STRUCTURED_PROMPT_KAFKA__BROKERS", "127.0.0.1:1");
    program.env("STRUCTURED_PROMPT_HTTP__LISTEN", "127.0.0.1:0");
    for (variable, _) in pod.environment(container).iter().filter(|(variable, _)| variable.ends_with("_LISTEN")) {
        program.env(variable, "127.0.0.1:0");
    }
    program
}

fn assert_ends_well(mut program: Command, place: &str) {
    let output = program.output().unwrap();
    assert!(output.status.success(), "{place}: {output:?}");
}

fn assert_answers_probes(running: &Running, container: &Value, ready: u16, place: &str) {
    assert_eq!(running.told(container, "startupProbe"), 200, "{place}");
    assert_eq!(running.told(container, "livenessProbe"), 200, "{place}");
    wait_until("the readiness", Duration::from_secs(20), || {
        let status = running.told(container, "readinessProbe");
        (status == ready).then_some(()).ok_or_else(|| format!("{place}: {status}"))
    });
}

fn name_of(container: &Value) -> &str {
    container["name"].as_str().unwrap()
}

#[test]
fn a_pod_is_given_more_time_to_end_than_the_process_takes() {
    for overlay in OVERLAYS {
        for workload in workloads(&objects(overlay)) {
            let spec = &workload["spec"]["template"]["spec"];
            let before: u64 = items(&spec["containers"])
                .map(|container| container["lifecycle"]["preStop"]["sleep"]["seconds"].as_u64().unwrap_or(0))
                .sum();
            let given = Duration::from_secs(spec["terminationGracePeriodSeconds"].as_u64().unwrap());
            let needed = LONGEST_STOP + Duration::from_secs(before);
            assert!(given >= needed + Duration::from_secs(5), "{overlay} {}: {given:?}", name(workload));
        }
    }
}

#[test]
fn probes_ask_the_port_on_which_the_program_listens() {
    for overlay in OVERLAYS {
        let objects = objects(overlay);
        for workload in workloads(&objects) {
            let pod = Pod::of(workload, &objects);
            let container = &workload["spec"]["template"]["spec"]["containers"][0];
            let file = pod.args(container).into_iter().find(|arg| arg.ends_with(".yaml")).expect("its configuration");
            let listen = documents(Path::new(&file))[0]["http"]["listen"].as_str().unwrap().to_owned();
            let port = items(&container["ports"]).find(|port| port["name"] == "http").expect("a port")["containerPort"]
                .clone();
            assert_eq!(listen, format!("0.0.0.0:{port}"), "{overlay} {}", name(workload));
            for probe in ["startupProbe", "livenessProbe", "readinessProbe"] {
                assert_eq!(container[probe]["httpGet"]["port"], "http");
            }
        }
    }
}

#[test]
fn connectors_are_static_members_by_the_stable_name_of_their_pod() {
    let objects = objects("base");
    let connectors =
        of_kind(&objects, "StatefulSet").find(|object| name(object) == "connectors").expect("a StatefulSet");
    let variable = "STRUCTURED_PROMPT_KAFKA__CLIENT__GROUP_INSTANCE_ID";
    let container = &connectors["spec"]["template"]["spec"]["containers"][0];
    let source = items(&container["env"]).find(|one| one["name"] == variable).expect("the variable");
    assert_eq!(source["valueFrom"]["fieldRef"]["fieldPath"], "metadata.name");
}

#[test]
fn pods_are_what_the_restricted_security_standard_permits() {
    for overlay in OVERLAYS {
        let objects = objects(overlay);
        let namespace = of_kind(&objects, "Namespace").next().expect("a namespace");
        assert_eq!(namespace["metadata"]["labels"]["pod-security.kubernetes.io/enforce"], "restricted");
        for workload in workloads(&objects) {
            let spec = &workload["spec"]["template"]["spec"];
            let whole = &spec["securityContext"];
            assert_eq!(
                (&whole["runAsNonRoot"], &whole["seccompProfile"]["type"]),
                (&json!(true), &json!("RuntimeDefault"))
            );
            assert_eq!(spec["automountServiceAccountToken"], false, "nothing here asks the API server");
            for container in containers(workload) {
                let context = &container["securityContext"];
                assert_eq!(context["allowPrivilegeEscalation"], false, "{overlay} {}", name(workload));
                assert_eq!(context["capabilities"], json!({ "drop": ["ALL"] }));
                assert_eq!(context["readOnlyRootFilesystem"], true);
                assert!(container["resources"]["limits"]["memory"].is_string());
            }
        }
    }
    let dockerfile = std::fs::read_to_string(folder().join("../../Dockerfile")).unwrap();
    assert!(dockerfile.contains("\nUSER 10001:10001\n"), "the manifests give the files to this user");
    let temporary = format!("\nENV TMPDIR={TEMPORARY}\n");
    assert!(dockerfile.contains(&temporary), "the one directory of the manifests that can be written to");
}

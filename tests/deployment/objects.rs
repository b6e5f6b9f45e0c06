//! What the other objects say of the pods.

use std::collections::BTreeSet;
use std::path::Path;

use serde_json::Value;

use super::{OVERLAYS, SECRETS, documents, items, name, objects, of_kind, workloads};

/// The names of the workloads whose pods have these labels.
fn selected<'a>(objects: &'a [Value], labels: &Value) -> BTreeSet<&'a str> {
    let labels = labels.as_object().expect("labels");
    let has = |workload: &&Value| {
        let own = &workload["spec"]["template"]["metadata"]["labels"];
        labels.iter().all(|(key, value)| own.get(key) == Some(value))
    };
    workloads(objects).filter(has).map(name).collect()
}

#[test]
fn each_workload_has_a_service_and_a_disruption_budget_of_its_name() {
    for overlay in OVERLAYS {
        let objects = objects(overlay);
        for workload in workloads(&objects).map(name) {
            for (kind, labels) in [("Service", "/spec/selector"), ("PodDisruptionBudget", "/spec/selector/matchLabels")]
            {
                let object = of_kind(&objects, kind).find(|object| name(object) == workload).expect(kind);
                let pods = selected(&objects, object.pointer(labels).expect("a selector"));
                assert_eq!(pods, BTreeSet::from([workload]), "{overlay} {kind}");
            }
        }
    }
}

#[test]
fn a_node_can_be_emptied_of_pods_that_are_not_ready() {
    for overlay in OVERLAYS {
        for budget in of_kind(&objects(overlay), "PodDisruptionBudget") {
            assert_eq!(budget["spec"]["unhealthyPodEvictionPolicy"], "AlwaysAllow", "{overlay} {}", name(budget));
        }
    }
}

#[test]
fn services_lead_to_ports_of_the_pods() {
    for overlay in OVERLAYS {
        let objects = objects(overlay);
        for service in of_kind(&objects, "Service") {
            let workload = workloads(&objects).find(|workload| name(workload) == name(service)).expect("its pods");
            let container = &workload["spec"]["template"]["spec"]["containers"][0];
            let ports: Vec<&Value> = items(&container["ports"]).map(|port| &port["name"]).collect();
            for port in items(&service["spec"]["ports"]) {
                assert!(ports.contains(&&port["targetPort"]), "{overlay} {}: {port}", name(service));
            }
        }
    }
}

#[test]
fn network_policies_select_pods_that_exist_and_deny_what_they_do_not_list() {
    for overlay in OVERLAYS {
        let objects = objects(overlay);
        let all: BTreeSet<&str> = workloads(&objects).map(name).collect();
        for policy in of_kind(&objects, "NetworkPolicy") {
            let pods = selected(&objects, &policy["spec"]["podSelector"]["matchLabels"]);
            assert!(!pods.is_empty(), "{overlay} {}", name(policy));
            if name(policy) == "deny" {
                assert_eq!(pods, all);
                assert!(policy["spec"]["ingress"].is_null() && policy["spec"]["egress"].is_null());
            }
        }
    }
}

#[test]
fn what_a_load_balancer_sends_on_is_let_in_and_has_a_listener() {
    let objects = objects("overlays/standalone");
    let service = of_kind(&objects, "Service").find(|service| service["spec"]["type"] == "LoadBalancer").expect("one");
    let policies = of_kind(&objects, "NetworkPolicy").flat_map(|policy| items(&policy["spec"]["ingress"]));
    let from_anywhere: Vec<&Value> = policies
        .filter(|rule| rule["from"].is_null())
        .flat_map(|rule| items(&rule["ports"]).map(|port| &port["port"]))
        .collect();
    let served: Vec<&Value> = items(&service["spec"]["ports"]).map(|port| &port["targetPort"]).collect();
    assert_eq!(from_anywhere, served);

    let api = workloads(&objects).find(|workload| name(workload) == name(service)).expect("its pods");
    let container = &api["spec"]["template"]["spec"]["containers"][0];
    let variable = |end: &str| {
        let found = items(&container["env"]).find(|variable| variable["name"].as_str().unwrap().ends_with(end));
        found.unwrap_or_else(|| panic!("no {end}"))["value"].as_str().expect("its value")
    };
    let redirect = items(&container["ports"]).find(|port| port["name"] == "redirect").expect("its port");
    assert_eq!(variable("__REDIRECT_LISTEN"), format!("0.0.0.0:{}", redirect["containerPort"]));
    assert!(variable("__ADMIN_LISTEN").starts_with("127.0.0.1:"), "/admin cannot be reached from outside");
    let https = items(&service["spec"]["ports"]).find(|port| port["targetPort"] == "http").expect("its port");
    assert_eq!(variable("__PUBLIC_PORT"), https["port"].to_string(), "where the redirect leads");
}

#[test]
fn the_models_of_the_recipes_can_be_reached() {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/providers.md");
    let page = std::fs::read_to_string(page).unwrap();
    let urls = page.lines().filter_map(|line| line.trim().strip_prefix("base_url: \"http://"));
    let recipes: BTreeSet<u64> = urls
        .map(|url| url.split(['/', '"']).next().and_then(|host| host.split_once(':')).map_or("80", |(_, port)| port))
        .map(|port| port.parse().expect("a port"))
        .collect();
    assert!(recipes.len() >= 3, "{recipes:?}");
    let objects = objects("overlays/standalone");
    let policies = of_kind(&objects, "NetworkPolicy").flat_map(|policy| items(&policy["spec"]["egress"]));
    let open: BTreeSet<u64> =
        policies.flat_map(|rule| items(&rule["ports"])).filter_map(|port| port["port"].as_u64()).collect();
    assert!(recipes.is_subset(&open), "{recipes:?} {open:?}");
}

#[test]
fn every_object_is_in_the_namespace() {
    for overlay in OVERLAYS {
        for object in objects(overlay).iter().filter(|object| object["kind"] != "Namespace") {
            let place = &object["metadata"]["namespace"];
            assert_eq!(place, "structured-prompt", "{overlay} {} {}", object["kind"], name(object));
        }
    }
}

/// The documents of one file of a ConfigMap.
fn mapped(objects: &[Value], prefix: &str, file: &str) -> Value {
    let map = of_kind(objects, "ConfigMap").find(|object| name(object).starts_with(prefix)).expect("the map");
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join(file);
    std::fs::write(&path, map["data"][file].as_str().expect("the file")).unwrap();
    documents(&path).remove(0)
}

#[test]
fn the_autoscaler_watches_the_group_and_topic_that_the_connector_reads() {
    let objects = objects("overlays/production");
    let scaled = of_kind(&objects, "ScaledObject").next().expect("a ScaledObject");
    let target = &scaled["spec"]["scaleTargetRef"];
    assert_eq!((&target["kind"], &target["name"]), (&"StatefulSet".into(), &"connectors".into()));
    let connectors = of_kind(&objects, "StatefulSet").next().unwrap();
    assert_eq!(connectors["spec"]["replicas"], Value::Null, "applying the manifests again must not change the number");

    let trigger = &scaled["spec"]["triggers"][0];
    let source = &mapped(&objects, "connectors-", "support-triage.yaml")["source"]["kafka"];
    assert_eq!(trigger["metadata"]["consumerGroup"], source["group"]);
    assert_eq!(trigger["metadata"]["topic"], source["topics"][0]);
    assert_eq!(trigger["metadata"]["offsetResetPolicy"], "earliest", "where connectors begin, too");
    let kafka = &mapped(&objects, "configuration-", "structured-prompt.yaml")["kafka"];
    let brokers: Vec<&str> = items(&kafka["brokers"]).map(|broker| broker.as_str().unwrap()).collect();
    assert_eq!(trigger["metadata"]["bootstrapServers"], brokers.join(","));

    let login = of_kind(&objects, "TriggerAuthentication").next().expect("its login");
    assert_eq!(trigger["authenticationRef"]["name"], name(login));
    for source in items(&login["spec"]["secretTargetRef"]) {
        let secret = &SECRETS[source["name"].as_str().unwrap()];
        assert!(secret.contains_key(source["key"].as_str().unwrap()), "{source}");
    }
}

#[test]
fn from_outside_exactly_what_needs_a_key_can_be_reached() {
    let objects = objects("overlays/production");
    let ingress = of_kind(&objects, "Ingress").find(|object| name(object) == "api").expect("an Ingress");
    let open: Vec<&str> =
        items(&ingress["spec"]["rules"][0]["http"]["paths"]).map(|path| path["path"].as_str().unwrap()).collect();
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/openapi.json");
    let page: Value = serde_json::from_str(&std::fs::read_to_string(page).unwrap()).unwrap();
    for (path, operations) in page["paths"].as_object().unwrap() {
        let is_open = open.iter().any(|prefix| path == prefix || path.starts_with(&format!("{prefix}/")));
        let needs_key = operations
            .as_object()
            .unwrap()
            .values()
            .any(|operation| items(&operation["security"]).any(|one| one.get("key").is_some()));
        assert_eq!(is_open, needs_key, "{path}");
    }
}

#[test]
fn from_outside_connections_have_tls_1_3_hsts_and_a_redirect() {
    let objects = objects("overlays/production");
    // Traefik calls an object `<namespace>-<name>@kubernetescrd`.
    let named = |reference: &Value| {
        let reference = reference.as_str().expect("a reference");
        let found = objects.iter().find(|object| {
            object["apiVersion"] == "traefik.io/v1alpha1"
                && reference
                    == format!("{}-{}@kubernetescrd", object["metadata"]["namespace"].as_str().unwrap(), name(object))
        });
        found.unwrap_or_else(|| panic!("there is no {reference}"))["spec"].clone()
    };
    let annotation = |ingress: &str, key: &str| {
        let ingress = of_kind(&objects, "Ingress").find(|object| name(object) == ingress).expect("an Ingress");
        ingress["metadata"]["annotations"][format!("traefik.ingress.kubernetes.io/router.{key}")].clone()
    };
    assert_eq!(named(&annotation("api", "tls.options"))["minVersion"], "VersionTLS13");
    let hsts = named(&annotation("api", "middlewares"));
    assert_eq!(hsts["headers"]["stsSeconds"], 31_536_000, "as the program says itself where it encrypts");
    assert_eq!(named(&annotation("api-redirect", "middlewares"))["redirectScheme"]["scheme"], "https");
    assert_eq!(
        (annotation("api", "entrypoints"), annotation("api-redirect", "entrypoints")),
        ("websecure".into(), "web".into())
    );
}

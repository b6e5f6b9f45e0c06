//! What every route refuses: each operation of the OpenAPI document against every key that does not open it, every body and
//! parameter that it does not take, and the objects of another team. A new route needs no new test.

use serde_json::{Value, json};
use structured_prompt::domain::api_key::ApiKey;

use super::program::{Answer, Program, authorization, send, send_text};
use super::servers::Postgres;
use super::service::{ADMIN_KEY, Operation, Service};
use super::wait_until;

/// In the name of everything that another team has.
const THEIRS: &str = "canary-7391";
/// No member and no parameter has this name, or one that is nearly this.
const NO_NAME: &str = "____________________";

/// What was refused otherwise than it should be.
#[derive(Default)]
struct Findings(Vec<String>);

impl Findings {
    /// Compares an answer with what it should be, and with what the document says of the operation.
    fn check(&mut self, operation: &Operation, cell: &str, answer: &Answer, expected: (u16, &str)) {
        let of_openai = &answer.body["error"]["code"];
        let code = if of_openai.is_null() { &answer.body["code"] } else { of_openai };
        let is_documented = !operation.says["responses"][answer.status.to_string()].is_null();
        if (answer.status, code.as_str()) != (expected.0, Some(expected.1)) || !is_documented {
            self.0.push(format!("{}, {cell}: expected {expected:?}, got {answer:?}", operation.name()));
        }
    }

    fn report(self) {
        assert!(self.0.is_empty(), "\n{}\n", self.0.join("\n"));
    }
}

fn on_both_databases(check: impl Fn(Service)) {
    check(Service::start());
    let postgres = Postgres::migrated();
    check(Service::start_on(&postgres.url()));
}

#[test]
fn every_route_refuses_every_key_that_does_not_open_it_and_says_the_same_of_all() {
    on_both_databases(|it| {
        let expired = it.program.command(&["key", "create", "--name", "expired", "--expires-in", "1ms"]);
        let revoked = it.program.command(&["key", "create", "--name", "revoked"]);
        it.program.command(&["key", "revoke", revoked.split('_').nth(1).expect("an id")]);
        let unknown = ApiKey::new([9; ApiKey::RANDOM_BYTES]);
        let keys = [
            ("no key", ""),
            ("no key at all", "sk_wrong"),
            ("an unknown key", unknown.expose()),
            ("an expired key", &expired),
            ("a revoked key", &revoked),
            ("the admin key", ADMIN_KEY),
            ("a client's key", &it.key),
        ];
        let mut findings = Findings::default();
        for operation in it.operations() {
            let needed = it.key_of(&operation);
            let mut texts = Vec::new();
            for (cell, key) in keys.iter().filter(|(_, key)| *key != needed) {
                let answer = it.send(&operation, key, &operation.example());
                if needed.is_empty() {
                    assert_ne!(answer.status, 401, "{}, {cell}: {answer:?}", operation.name());
                    continue;
                }
                findings.check(&operation, cell, &answer, (401, "unauthorized"));
                assert_eq!(answer.header("www-authenticate"), "bearer", "{}: {answer:?}", operation.name());
                texts.push(answer.body.to_string());
            }
            texts.dedup();
            assert!(texts.len() <= 1, "{}: who tries out keys learns something: {texts:?}", operation.name());
        }
        findings.report();
    });
}

#[test]
fn every_route_refuses_every_body_and_parameter_that_it_does_not_take() {
    on_both_databases(|it| {
        let mut findings = Findings::default();
        for operation in it.operations() {
            let key = it.key_of(&operation);
            let (headers, example) = (it.headers(&operation, key), operation.example());
            let body = if example.is_null() { String::new() } else { example.to_string() };
            let path = it.path(&operation);
            if !key.is_empty() {
                let joint = if path.contains('?') { '&' } else { '?' };
                let path = format!("{path}{joint}{NO_NAME}=1");
                let answer = send(it.program.address(), &operation.method, &path, &headers, &body);
                findings.check(&operation, "an unknown parameter", &answer, (400, "invalid_request"));
                assert!(answer.body.to_string().contains(NO_NAME), "{}: {answer:?}", operation.name());
            }
            if example.is_null() {
                continue;
            }
            let typed = |content_type: &str, length: usize, body: &str| {
                let (method, headers) = (&operation.method, &headers);
                let request = format!(
                    "{method} {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n{headers}\
                     content-type: {content_type}\r\ncontent-length: {length}\r\n\r\n{body}"
                );
                send_text(it.program.address(), &request)
            };
            let json = |body: &str| typed("application/json", body.len(), body);
            let answer = typed("text/plain", body.len(), &body);
            findings.check(&operation, "another media type", &answer, (415, "unsupported_media_type"));
            findings.check(&operation, "an empty body", &json(""), (400, "invalid_request"));
            // What is announced is enough.
            let answer = typed("application/json", 100 << 20, "");
            findings.check(&operation, "an oversized body", &answer, (413, "payload_too_large"));
            let mut with_more = example.clone();
            with_more[NO_NAME] = json!(1);
            let answer = json(&with_more.to_string());
            findings.check(&operation, "an unknown field", &answer, (400, "invalid_request"));
            assert!(answer.body.to_string().contains(NO_NAME), "{}: {answer:?}", operation.name());
        }
        findings.report();
    });
}

/// A schema, a template and a request of another team, whose key is returned.
fn keep_theirs(program: &Program) -> String {
    let key = program.command(&["key", "create", "--name", "theirs", "--team", "blue"]);
    let schema = json!({ "name": THEIRS, "description": THEIRS, "schema": { "type": "object" } });
    let parameters = json!([{ "name": "text" }]);
    let template = json!({ "name": THEIRS, "template": format!("{THEIRS} {{{{ text }}}}"), "parameters": parameters });
    for (path, body) in [("/v1/schemas", schema), ("/v1/templates", template)] {
        let made = program.post_with_key(path, &key, &body);
        assert_eq!(made.status, 201, "{made:?}");
    }
    let headers = format!("{}x-request-id: {THEIRS}\r\n", authorization(&key));
    let body = json!({ "prompt": "Hello", "schema_id": "invoice", "options": { "cache_tag": THEIRS } }).to_string();
    let asked = send(program.address(), "POST", "/v1/analyze", &headers, &body);
    assert_eq!(asked.status, 200, "{asked:?}");
    key
}

/// What stands in a path for an object of the other team.
fn id_of_theirs(operation: &Operation) -> String {
    match operation.path.split("/{").next().unwrap_or_default() {
        "/v1/schemas" | "/v1/templates" | "/v1/requests" => THEIRS.to_owned(),
        "/v1/models" => format!("template/{THEIRS}"),
        other => panic!("say in this test what another team has at {other}"),
    }
}

#[test]
fn no_route_shows_changes_or_uses_what_another_team_has() {
    on_both_databases(|it| {
        let theirs = keep_theirs(&it.program);
        let mut findings = Findings::default();
        let of_clients = it.operations().into_iter().filter(|operation| it.key_of(operation) == it.key);
        for operation in of_clients {
            let (name, address) = (operation.name(), it.program.address());
            let (method, example) = (&operation.method, operation.example());
            let send_as = |key: &str, path: &str| {
                let body = if example.is_null() { String::new() } else { example.to_string() };
                send(address, method, path, &it.headers(&operation, key), &body)
            };
            if let Some((collection, rest)) = operation.path.split_once("/{") {
                let rest = rest.split_once('}').map_or("", |(_, rest)| rest);
                let path = format!("{collection}/{}{rest}", id_of_theirs(&operation));
                findings.check(&operation, "another team's object", &send_as(&it.key, &path), (404, "not_found"));
                if method == "GET" {
                    wait_until(&name, std::time::Duration::from_secs(20), || match send_as(&theirs, &path).status {
                        200 => Ok(()),
                        status => Err(format!("its own team has {status}")),
                    });
                }
            } else if method == "GET" {
                let listed = send_as(&it.key, &it.path(&operation));
                assert!(!listed.body.to_string().contains(THEIRS), "{name}: {listed:?}");
            }
            for (member, body) in naming_theirs(&it, &operation) {
                let own = it.send(&operation, &theirs, &body);
                assert!(!is_refused(&own), "{name}, its own {member}: {own:?}");
                let answer = it.send(&operation, &it.key, &body);
                assert!(is_refused(&answer), "{name}, another team's {member}: {answer:?}");
            }
        }
        findings.report();
        let forgotten = it.program.delete_with_key("/v1/cache?pattern=*", &it.key);
        let left = it.program.delete_with_key("/v1/cache?pattern=*", &theirs);
        assert!(forgotten.status == 200 && left.body["invalidated"] != 0, "theirs were forgotten: {left:?}");
    });
}

/// Bodies that name the other team's objects in each member that names one.
fn naming_theirs(it: &Service, operation: &Operation) -> Vec<(&'static str, Value)> {
    let schema = &operation.says["requestBody"]["content"]["application/json"]["schema"];
    let members = it.resolve(schema)["properties"].as_object();
    let has = |member: &str| members.is_some_and(|members| members.contains_key(member));
    let filled = json!({ "text": "x" });
    let options = json!({ "bypass_validation": true, "bypass_cache": true });
    let mut bodies = Vec::new();
    if has("messages") {
        let messages = json!([{ "role": "user", "content": "x" }]);
        bodies.push((
            "model",
            json!({ "model": format!("template/{THEIRS}"), "messages": messages, "options": options }),
        ));
    } else if has("prompts") {
        bodies.push(("schema_id", json!({ "prompts": ["x"], "schema_id": THEIRS, "options": options })));
        bodies.push(("template_id", json!({ "prompts": ["x"], "template_id": THEIRS, "options": options })));
    } else if has("prompt") {
        bodies.push(("schema_id", json!({ "prompt": "x", "schema_id": THEIRS, "options": options })));
        bodies.push(("template_id", json!({ "template_id": THEIRS, "parameters": filled, "options": options })));
    } else if has("schema_id") && operation.method == "POST" {
        let (name, parameters) = (format!("uses-{THEIRS}"), json!([{ "name": "text" }]));
        let body = json!({ "name": name, "template": "{{ text }}", "parameters": parameters, "schema_id": THEIRS });
        bodies.push(("schema_id", body));
    }
    bodies
}

/// Whether a request has no answer, or none of its prompts has.
fn is_refused(answer: &Answer) -> bool {
    let results = answer.body["results"].as_array();
    answer.status >= 400 || results.is_some_and(|results| results.iter().all(|result| result["status"] == "error"))
}

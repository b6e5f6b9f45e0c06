//! Health answers at once, and says what hangs.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::program::{Program, send};
use super::servers::{Postgres, Redis};
use super::stub_provider::{Latency, Script, StubProvider};
use super::wait_until;

/// Far more than an answer from memory takes on a busy machine, and far less than any wait for a server.
const AT_ONCE: Duration = Duration::from_millis(800);

/// The state of every part, which is told at once.
fn health(program: &Program) -> Value {
    let began_at = Instant::now();
    let body = program.get("/v1/health").body;
    assert!(began_at.elapsed() < AT_ONCE, "{:?}: {body}", began_at.elapsed());
    body["components"].clone()
}

/// Asks until a part is in this state, and returns it.
fn until(program: &Program, kind: &str, name: &str, status: &str) -> Value {
    let mut found = Value::Null;
    wait_until(&format!("{name} {status}"), Duration::from_secs(40), || {
        let components = health(program);
        found = components[kind][name].clone();
        if found["status"] == status { Ok(()) } else { Err(components.to_string()) }
    });
    found
}

#[test]
fn a_database_and_a_cache_that_stand_still_are_named_while_health_answers_at_once() {
    let (postgres, redis) = (Postgres::migrated(), Redis::start(&[]));
    let program = Program::start(&format!(
        "http: {{ listen: \"127.0.0.1:0\" }}\nstore: {{ url: \"{}\" }}\ncache: {{ redis_url: \"{}\" }}\n",
        postgres.url(),
        redis.url()
    ));
    let key = program.command(&["key", "create", "--name", "me"]);
    let request = json!({ "prompt": "Hello", "schema_id": "invoice" });
    assert_eq!(program.post_with_key("/v1/analyze", &key, &request).status, 200);
    for (kind, name) in [("database", "postgres"), ("cache", "redis")] {
        let part = until(&program, kind, name, "up");
        assert!(part["latency_ms"].is_number() && part["seconds_since_answer"].is_number(), "{part}");
    }
    postgres.signal("STOP");
    redis.signal("STOP");
    let database = until(&program, "database", "postgres", "degraded");
    assert!(database["detail"].as_str().is_some_and(|why| why.contains("127.0.0.1")), "{database}");
    assert!(database["latency_ms"].is_number(), "what was last known: {database}");
    until(&program, "cache", "redis", "degraded");
    assert_eq!(program.get("/v1/health/live").status, 200);
    let answer = program.post_with_key("/v1/analyze", &key, &request);
    assert_eq!((answer.status, &answer.body["cache"]), (200, &json!("memory")), "a key that is known needs neither");
    postgres.signal("CONT");
    redis.signal("CONT");
    until(&program, "database", "postgres", "up");
    until(&program, "cache", "redis", "up");
}

#[test]
fn a_provider_that_never_answers_is_named_while_health_answers_at_once() {
    let stub = StubProvider::start(Script::default().latency(Latency::Fixed(Duration::from_secs(300))));
    let program = Program::start(&format!(
        "http: {{ listen: \"127.0.0.1:0\", auth: off, timeout: 60s }}\nstore: {{ url: none }}\nproviders:\n  \
         stub: {{ kind: openai, base_url: \"{}\", model: stub-1, api_key_env: null, timeout: 1s, max_retries: 2 }}\n\
         routing: {{ fallback: [stub] }}\n",
        stub.base_url()
    ));
    assert_eq!(until(&program, "provider", "stub", "up")["in_flight"], 0);
    let address = program.address().to_owned();
    let asking = std::thread::spawn(move || {
        let request = json!({ "prompt": "Hello", "schema": { "type": "object" } }).to_string();
        send(&address, "POST", "/v1/analyze", "", &request)
    });
    let provider = until(&program, "provider", "stub", "degraded");
    assert!(provider["detail"].as_str().is_some_and(|why| why.contains("timeout")), "{provider}");
    let answer = asking.join().expect("an answer");
    assert!([503, 504].contains(&answer.status), "{answer:?}");
}

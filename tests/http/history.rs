//! What was asked, read again, from both databases; and a database that dies under load.

use std::io::Write as _;
use std::net::TcpStream;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use serde_json::{Value, json};

use super::program::Program;
use super::servers::Postgres;
use super::stub_provider::{Latency, Script, StubProvider};
use super::{INVOICE, wait_until};

const WAIT: Duration = Duration::from_secs(30);

fn rows(program: &Program, path: &str, key: &str) -> Vec<Value> {
    let answer = program.get_with_key(path, key);
    assert_eq!(answer.status, 200, "{answer:?}");
    answer.body["data"].as_array().expect("a list").clone()
}

/// Asks with two keys and reads what was taken down with each.
fn requests_are_read_again(store: &str) {
    let program = Program::start(&format!("http: {{ listen: \"127.0.0.1:0\" }}\nstore: {{ url: \"{store}\" }}\n"));
    let key = |team: &str| program.command(&["key", "create", "--name", "mine", "--team", team]);
    let (red, blue) = (key("red"), key("blue"));
    program.post_with_key("/v1/analyze", &red, &json!({ "prompt": INVOICE, "schema_id": "invoice" }));
    program.post_with_key("/v1/analyze", &red, &json!({ "promt": "x" }));
    program.post_with_key("/v1/analyze", &blue, &json!({ "prompt": INVOICE, "schema_id": "invoice" }));
    for (key, requests) in [(&red, 2), (&blue, 1)] {
        wait_until("the rows", WAIT, || match rows(&program, "/v1/requests", key).len() {
            found if found == requests => Ok(()),
            found => Err(format!("{found} of {requests}")),
        });
    }
    let refused = rows(&program, "/v1/requests?status=400&code=invalid_request", &red);
    assert_eq!((refused.len(), &refused[0]["schema"]), (1, &Value::Null), "{refused:?}");
    let answered = rows(&program, "/v1/requests?provider=offline&limit=1", &red);
    assert_eq!((&answered[0]["schema"], &answered[0]["cached"]), (&json!("invoice@1.0.0"), &json!(false)));
    assert!(answered[0].get("prompt").is_none(), "{answered:?}");
    let id = red.split('_').nth(1).expect("an id");
    assert_eq!(rows(&program, &format!("/v1/requests?key_id={id}"), &red).len(), 2);
    assert_eq!(rows(&program, &format!("/v1/requests?key_id={id}"), &blue), Vec::<Value>::new());
    assert_eq!(program.get_with_key("/v1/requests/the-test", &blue).status, 200, "its own of that id");

    let sums = rows(&program, "/v1/usage?interval=month&group_by=status", &red);
    let seen: Vec<_> = sums.iter().map(|sum| (sum["group"].as_str(), sum["requests"].as_u64())).collect();
    assert_eq!(seen, [(Some("200"), Some(1)), (Some("400"), Some(1))], "{sums:?}");
    assert!(sums[0]["p95_ms"].as_f64().is_some_and(|millis| millis > 0.0), "{sums:?}");
}

#[test]
fn requests_are_read_again_from_sqlite() {
    requests_are_read_again("sqlite://history.db");
}

#[test]
fn requests_are_read_again_from_postgres() {
    requests_are_read_again(&Postgres::migrated().url());
}

#[test]
fn a_postgres_that_dies_under_load_loses_no_row_and_holds_no_request_up() {
    const CLIENTS: usize = 4;
    let server = Postgres::migrated();
    let settings = format!("http: {{ listen: \"127.0.0.1:0\", auth: off }}\nstore: {{ url: \"{}\" }}\n", server.url());
    let program = Program::start(&settings);
    let (answered, is_over) = (AtomicU64::new(0), AtomicBool::new(false));
    let ask = |client: usize| {
        for n in 0.. {
            if is_over.load(Ordering::Relaxed) {
                break;
            }
            let prompt = format!("Order {n} of client {client} has not arrived.");
            let answer = program.post("/v1/analyze", &json!({ "prompt": prompt, "schema_id": "support-intent" }));
            assert_eq!(answer.status, 200, "{answer:?}");
            answered.fetch_add(1, Ordering::Relaxed);
        }
    };
    std::thread::scope(|scope| {
        for client in 0..CLIENTS {
            scope.spawn(move || ask(client));
        }
        let wait_for = |more: u64| {
            let wanted = answered.load(Ordering::Relaxed) + more;
            wait_until("answers", WAIT, || match answered.load(Ordering::Relaxed) {
                enough if enough >= wanted => Ok(()),
                few => Err(format!("{few} of {wanted}")),
            });
        };
        wait_for(20);
        server.stop();
        wait_for(20);
        server.resume();
        wait_for(20);
        server.stop();
        wait_for(20);
        is_over.store(true, Ordering::Relaxed);
    });
    server.resume();
    let answered = answered.load(Ordering::Relaxed);
    wait_until("the rows of all requests", WAIT, || {
        let sums = program.get("/v1/usage?interval=month");
        let requests: u64 =
            sums.body["data"].as_array().into_iter().flatten().filter_map(|sum| sum["requests"].as_u64()).sum();
        if requests == answered { Ok(()) } else { Err(format!("{requests} of {answered}: {sums:?}")) }
    });
    let metrics = program.metrics();
    assert!(
        !metrics.lines().any(|line| line.starts_with("sp_rows_dropped_total") && !line.ends_with(" 0")),
        "{metrics}"
    );
}

#[test]
fn a_request_whose_client_goes_away_is_taken_down_with_what_it_cost() {
    let script = Script::default().latency(Latency::Fixed(Duration::from_secs(2))).answer(|_, _| "{}".to_owned());
    let stub = StubProvider::start(script);
    let program = Program::start(&format!(
        "http: {{ listen: \"127.0.0.1:0\", auth: off }}\nstore: {{ url: \"sqlite://history.db\" }}\n\
         providers:\n  stub: {{ kind: openai, base_url: \"{}\", model: stub-1, api_key_env: null, timeout: 30s }}\n\
         routing: {{ fallback: [stub] }}\n",
        stub.base_url()
    ));
    let body = json!({ "prompt": "x", "schema": { "type": "object" } }).to_string();
    let mut client = TcpStream::connect(program.address()).expect("its HTTP");
    write!(
        client,
        "POST /v1/analyze HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    )
    .expect("a request");
    wait_until("the call", WAIT, || if stub.in_flight() == 1 { Ok(()) } else { Err("not asked yet".to_owned()) });
    drop(client);
    let mut found = Vec::new();
    wait_until("the row", WAIT, || {
        found = rows(&program, "/v1/requests", "");
        if found.len() == 1 { Ok(()) } else { Err(format!("{found:?}")) }
    });
    assert_eq!((&found[0]["status"], &found[0]["code"]), (&json!(499), &json!("client_gone")), "{found:?}");
    assert_eq!(found[0]["provider"], "stub", "{found:?}");
    assert!(found[0]["cost_usd"].as_f64().is_some_and(|usd| usd > 0.0), "{found:?}");
    let metrics = program.metrics();
    assert!(metrics.contains("endpoint=\"/v1/analyze\",status=\"499\"} 1"), "{metrics}");
}

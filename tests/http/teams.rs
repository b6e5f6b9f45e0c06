//! Teams see nothing of each other.

use serde_json::{Value, json};

use super::INVOICE;
use super::program::Program;

const STORE: &str = "http: { listen: \"127.0.0.1:0\" }\nstore: { url: \"sqlite://teams.db\" }\n";

/// The program, and the keys of two teams.
fn start() -> (Program, String, String) {
    let program = Program::start(STORE);
    let key = |team: &str| program.command(&["key", "create", "--name", "mine", "--team", team]);
    let (red, blue) = (key("red"), key("blue"));
    (program, red, blue)
}

fn request() -> Value {
    json!({ "prompt": INVOICE, "schema_id": "invoice" })
}

#[test]
fn a_team_is_not_given_what_another_has_asked_and_forgets_only_its_own_answers() {
    let (program, red, blue) = start();
    let is_cached = |key: &str| {
        let answer = program.post_with_key("/v1/analyze", key, &request());
        assert_eq!(answer.status, 200, "{answer:?}");
        answer.body["cached"].as_bool().expect("true or false")
    };
    assert!(!is_cached(&red));
    assert!(is_cached(&red));
    assert!(!is_cached(&blue), "it would learn what the other team asks");
    let forgotten = program.delete_with_key("/v1/cache?pattern=*", &red);
    assert_eq!((forgotten.status, &forgotten.body), (200, &json!({ "invalidated": 1 })), "{forgotten:?}");
    assert!(is_cached(&blue));
    assert!(!is_cached(&red));
}

#[test]
fn the_same_idempotency_key_of_two_teams_is_two_requests() {
    let (program, red, blue) = start();
    let is_replayed = |key: &str, request: &Value| {
        let answer = program.post_once("/v1/analyze", key, "first", request);
        assert_eq!(answer.status, 200, "{answer:?}");
        answer.headers.contains("\r\nidempotency-replayed: true")
    };
    assert!(!is_replayed(&red, &request()));
    assert!(is_replayed(&red, &request()));
    assert!(!is_replayed(&blue, &json!({ "prompt": "Hello", "schema_id": "invoice" })), "another request, no mismatch");
    assert!(is_replayed(&red, &request()));
}

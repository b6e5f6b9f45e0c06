//! What is logged can be changed while the program runs, and each line names its request.

use std::time::Duration;

use serde_json::{Value, json};

use super::program::{Answer, Program, authorization, send};
use super::wait_until;

const ADMIN_KEY: &str = "an-admin-key-of-at-least-32-characters";
const SETTINGS: &str = "http: { listen: \"127.0.0.1:0\" }\nstore: { url: \"sqlite://logs.db\" }\n";

/// Asks with a wrong key, in this trace.
fn refused(program: &Program, trace_id: &str) {
    let headers = format!("{}traceparent: 00-{trace_id}-b7ad6b7169203331-01\r\n", authorization("sk_wrong"));
    assert_eq!(send(program.address(), "GET", "/v1/providers", &headers, "").status, 401);
}

fn set(program: &Program, level: &str) -> Answer {
    let body = json!({ "level": level }).to_string();
    send(program.address(), "PUT", "/admin/log-level", &authorization(ADMIN_KEY), &body)
}

/// The lines of requests in this trace.
fn lines(program: &Program, trace_id: &str) -> Vec<Value> {
    let lines = program.log_text();
    let lines = lines.lines().map(|line| serde_json::from_str::<Value>(line).expect("JSON"));
    lines.filter(|line| line["trace_id"] == trace_id).collect()
}

#[test]
fn the_log_level_is_changed_without_a_restart() {
    let program = Program::start_with(SETTINGS, &[("STRUCTURED_PROMPT_HTTP__ADMIN_KEY", ADMIN_KEY)]);
    let traces: Vec<String> = (1..4).map(|number| format!("{number:032x}")).collect();
    refused(&program, &traces[0]);
    assert_eq!(set(&program, "debgu").status, 400);
    let answer = set(&program, "info,structured_prompt::http=debug");
    assert_eq!((answer.status, &answer.body["level"]), (200, &json!("structured_prompt::http=debug,info")));
    refused(&program, &traces[1]);
    wait_until("the line", Duration::from_secs(10), || match lines(&program, &traces[1]).as_slice() {
        [] => Err(program.log_text()),
        _ => Ok(()),
    });
    let line = &lines(&program, &traces[1])[0];
    assert_eq!((&line["level"], &line["message"]), (&json!("DEBUG"), &json!("a key was refused")), "{line}");
    assert_eq!((&line["request_id"], &line["target"]), (&json!("the-test"), &json!("structured_prompt::http::auth")));
    assert!(line["timestamp"].is_string(), "{line}");
    assert_eq!(set(&program, "warn").status, 200);
    refused(&program, &traces[2]);
    assert_eq!(lines(&program, &traces[0]), [Value::Null; 0], "not yet");
    assert_eq!(lines(&program, &traces[2]), [Value::Null; 0], "no more");
}

//! Requests that are rare, or wrong as HTTP: each has an answer that its client can use, and harms no other.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::time::Duration;

use serde_json::json;

use super::OPEN;
use super::program::Program;

/// More than any answer takes on a busy machine.
const LIMIT: Duration = Duration::from_secs(20);

const BODY: &str = r#"{"prompt": "Hello", "schema": {"type": "object"}}"#;

fn connect(program: &Program) -> TcpStream {
    let stream = TcpStream::connect(program.address()).expect("its HTTP");
    stream.set_read_timeout(Some(LIMIT)).expect("a limit");
    stream
}

/// Sends this, and returns all that comes until the program closes the connection.
fn exchange(program: &Program, sent: &str) -> String {
    let mut stream = connect(program);
    // It may refuse the request, and close, before all of it is sent.
    drop(stream.write_all(sent.as_bytes()));
    let mut answers = Vec::new();
    drop(stream.read_to_end(&mut answers));
    String::from_utf8(answers).expect("text")
}

fn answers(text: &str) -> usize {
    text.matches("HTTP/1.1 ").count()
}

#[test]
fn head_has_the_headers_of_get_and_no_body_and_a_wrong_method_is_told_the_right_ones() {
    let program = Program::start(OPEN);
    let head = |method: &str, path: &str| {
        exchange(&program, &format!("{method} {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n"))
    };
    let (whole, ready) = (head("GET", "/v1/health/ready"), head("HEAD", "/v1/health/ready"));
    assert!(ready.starts_with("HTTP/1.1 200 ") && ready.ends_with("\r\n\r\n"), "{ready}");
    let length = |answer: &str| answer.lines().find(|line| line.starts_with("content-length: ")).map(str::to_owned);
    assert!(length(&ready).is_some() && length(&ready) == length(&whole), "{ready}\n{whole}");
    let nothing = head("HEAD", "/nothing");
    assert!(nothing.starts_with("HTTP/1.1 404 ") && nothing.ends_with("\r\n\r\n"), "{nothing}");
    for method in ["OPTIONS", "GET", "PROPFIND"] {
        let wrong = head(method, "/v1/analyze");
        assert!(wrong.starts_with("HTTP/1.1 405 ") && wrong.contains("\r\nallow: POST\r\n"), "{wrong}");
    }
    assert!(head("OPTIONS", "*").starts_with("HTTP/1.1 404 "));
}

#[test]
fn a_client_that_waits_before_it_sends_its_body_is_told_to_go_on_or_refused() {
    let program = Program::start(OPEN);
    let head = format!(
        "POST /v1/analyze HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-type: application/json\r\n\
         expect: 100-continue\r\ncontent-length: {}\r\n\r\n",
        BODY.len()
    );
    let mut stream = connect(&program);
    stream.write_all(head.as_bytes()).expect("a request");
    let mut go_on = [0; 25];
    stream.read_exact(&mut go_on).expect("an answer");
    assert_eq!(&go_on, b"HTTP/1.1 100 Continue\r\n\r\n");
    stream.write_all(BODY.as_bytes()).expect("the body");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("the answer");
    assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");

    let closed = Program::start("http: { listen: \"127.0.0.1:0\" }\nstore: { url: none }\n");
    let refused = exchange(&closed, &head);
    assert!(refused.starts_with("HTTP/1.1 401 "), "without a key nobody has to send a body: {refused}");
}

#[test]
fn requests_in_one_packet_are_answered_in_their_order() {
    let program = Program::start(OPEN);
    let request = |id: &str, connection: &str| {
        let length = BODY.len();
        format!(
            "POST /v1/analyze HTTP/1.1\r\nhost: x\r\nx-request-id: {id}\r\nconnection: {connection}\r\n\
             content-type: application/json\r\ncontent-length: {length}\r\n\r\n{BODY}"
        )
    };
    let all = [request("first", "keep-alive"), request("second", "keep-alive"), request("third", "close")].concat();
    let answered = exchange(&program, &all);
    assert_eq!(answers(&answered), 3, "{answered}");
    let place = |id: &str| answered.find(&format!("x-request-id: {id}")).unwrap_or_else(|| panic!("{answered}"));
    assert!(place("first") < place("second") && place("second") < place("third"));
}

#[test]
fn a_body_whose_end_is_said_twice_smuggles_no_request() {
    let program = Program::start(OPEN);
    let smuggled = "GET /v1/health/live HTTP/1.1\r\nhost: x\r\n\r\n";
    let (chunks, length) = (format!("0\r\n\r\n{smuggled}"), 5 + smuggled.len());
    for lengths in [
        format!("content-length: {length}\r\ntransfer-encoding: chunked\r\n"),
        format!("transfer-encoding: chunked\r\ncontent-length: {length}\r\n"),
        "transfer-encoding: chunked\r\n".to_owned(),
    ] {
        let request =
            format!("POST /v1/analyze HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\n{lengths}\r\n");
        let answered = exchange(&program, &format!("{request}{chunks}"));
        assert_eq!(answers(&answered), 1, "{answered}");
        assert!(answered.starts_with("HTTP/1.1 400 ") && answered.contains("connection: close"), "{answered}");
    }
    for lengths in
        ["content-length: 5\r\ncontent-length: 6\r\n", "content-length: -1\r\n", "transfer-encoding: gzip\r\n"]
    {
        let answered = exchange(&program, &format!("POST /v1/analyze HTTP/1.1\r\nhost: x\r\n{lengths}\r\nabcdef"));
        assert!(answers(&answered) == 1 && answered.starts_with("HTTP/1.1 400 "), "{lengths}: {answered}");
    }
}

#[test]
fn absurd_headers_are_refused_and_others_are_answered_meanwhile() {
    let program = Program::start(OPEN);
    let many: String = (0..200).map(|n| format!("x-{n}: y\r\n")).collect();
    let refused = |headers: &str| {
        let answered = exchange(&program, &format!("GET /v1/health/live HTTP/1.1\r\nhost: x\r\n{headers}\r\n"));
        answered.get(9..12).unwrap_or("closed").to_owned()
    };
    assert_eq!(refused(&many), "431");
    assert_eq!(refused(&format!("x-large: {}\r\n", "y".repeat(20_000))), "431");
    for wrong in ["no colon\r\n", "na me: x\r\n", "x: \0\r\n", ": x\r\n", "x: a\r\n folded\r\n"] {
        assert_eq!(refused(wrong), "400", "{wrong:?}");
    }
    for line in ["GET  /v1/health/live HTTP/1.1", "GET /v1/health/live HTTP/9.9", "\u{1}\u{2}", "PRI * HTTP/2.0"] {
        let answered = exchange(&program, &format!("{line}\r\nhost: x\r\nconnection: close\r\n\r\n"));
        assert!(answered.is_empty() || answered.starts_with("HTTP/1.1 400 "), "{line:?}: {answered}");
    }
    let long = format!("/{}", "a".repeat(8000));
    let answered = exchange(&program, &format!("GET {long} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n"));
    assert!(answered.starts_with("HTTP/1.1 404 "), "{answered}");
    assert_eq!(program.post("/v1/analyze", &json!({ "prompt": "Hello", "schema": { "type": "object" } })).status, 200);
}

/// Sends a head and a body of so many bytes to their end, and then reads the answer's head.
fn answer_after_all_is_sent(stream: &mut TcpStream, head: &str, body: &[u8]) -> String {
    stream.write_all(head.as_bytes()).and_then(|()| stream.write_all(body)).expect("the program takes all of it");
    let (mut answer, mut byte) = (Vec::new(), [0]);
    while !answer.ends_with(b"\r\n\r\n") {
        stream.read_exact(&mut byte).expect("an answer");
        answer.extend_from_slice(&byte);
    }
    String::from_utf8(answer).expect("text")
}

/// As most clients do.
#[test]
fn a_client_that_sends_all_of_its_body_before_it_reads_is_told_why_it_is_refused() {
    let open = Program::start(OPEN);
    let closed = Program::start("http: { listen: \"127.0.0.1:0\" }\nstore: { url: none }\n");
    let body = vec![b'x'; 12 << 20];
    let chunked = [format!("{:x}\r\n", body.len()).as_bytes(), &body, b"\r\n0\r\n\r\n"].concat();
    let length = |bytes: usize| format!("content-length: {bytes}\r\n");
    let closing = length(body.len()) + "connection: close\r\n";
    for (program, path, headers, body, status) in [
        (&open, "/v1/analyze", length(body.len()), &body[..], 413),
        (&open, "/v1/analyze", closing, &body, 413),
        (&open, "/v1/analyze", "transfer-encoding: chunked\r\n".to_owned(), &chunked, 413),
        (&open, "/v1/nothing", length(body.len()), &body, 404),
        (&open, "/v1/health", length(body.len()), &body, 405),
        (&closed, "/v1/analyze", length(1 << 20), &body[..1 << 20], 401),
    ] {
        let head = format!("POST {path} HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\n{headers}\r\n");
        let answer = answer_after_all_is_sent(&mut connect(program), &head, body);
        assert!(answer.starts_with(&format!("HTTP/1.1 {status} ")), "{path}, {headers}: {answer}");
    }
}

#[test]
fn a_connection_goes_on_after_a_body_that_nobody_read() {
    let program = Program::start(OPEN);
    let (mut stream, body) = (connect(&program), vec![b'x'; 4 << 20]);
    for _ in 0..3 {
        let head = format!("POST /v1/nothing HTTP/1.1\r\nhost: x\r\ncontent-length: {}\r\n\r\n", body.len());
        let answer = answer_after_all_is_sent(&mut stream, &head, &body);
        assert!(answer.starts_with("HTTP/1.1 404 "), "{answer}");
        let length = answer.lines().find_map(|line| line.strip_prefix("content-length: ")?.parse().ok());
        let mut problem = vec![0; length.expect("a length")];
        stream.read_exact(&mut problem).expect("the problem");
    }
}

//! A Redis that is killed, frozen, emptied or full of garbage while requests come: each has its answer, and none waits
//! for it.

use std::ops::Range;
use std::time::{Duration, Instant};

use serde_json::json;

use super::OPEN;
use super::program::Program;
use super::servers::Redis;
use super::stub_provider::{Latency, Script, StubProvider};
use super::wait::wait_until;

const CLIENTS: usize = 8;
/// Requests of a round.
const ROUND: usize = 160;
const LATENCY: Duration = Duration::from_millis(50);

/// A provider that answers with the number in the prompt.
fn provider() -> StubProvider {
    let script = Script::default().latency(Latency::Fixed(LATENCY)).answer(|request, _call| {
        let messages = request["messages"].as_array().expect("messages");
        let asked = messages.iter().rev().find_map(|message| message["content"].as_str()?.split_once("Ticket "));
        let number: String = asked.expect("a prompt").1.chars().take_while(char::is_ascii_digit).collect();
        format!(r#"{{"ticket":{number}}}"#)
    });
    StubProvider::start(script)
}

/// A program that remembers nothing itself.
fn start(stub: &StubProvider, redis: Option<&Redis>) -> Program {
    let redis = redis.map_or_else(String::new, |redis| format!(", redis_url: \"{}\"", redis.url()));
    Program::start(&format!(
        "{OPEN}providers:\n  stub: {{ kind: openai, base_url: \"{}\", model: stub-1, api_key_env: null, timeout: 30s }}\n\
         routing: {{ fallback: [stub] }}\ncache: {{ memory_mb: 0{redis} }}\n",
        stub.base_url()
    ))
}

/// Asks about a ticket. True if the answer came from Redis.
fn ask(program: &Program, ticket: usize) -> bool {
    let request = json!({ "prompt": format!("Ticket {ticket}: where is it?"), "schema": { "type": "object" } });
    let answer = program.post("/v1/analyze", &request);
    assert_eq!((answer.status, &answer.body["data"]["ticket"]), (200, &json!(ticket)), "{answer:?}");
    answer.body["cache"] == "redis"
}

/// Asks about each of these tickets, and returns how many answers came from Redis and how long it took.
fn round(program: &Program, tickets: Range<usize>) -> (usize, Duration) {
    let began_at = Instant::now();
    let hits = std::thread::scope(|scope| {
        let client = |first| {
            let tickets = tickets.clone().skip(first).step_by(CLIENTS);
            scope.spawn(move || tickets.filter(|ticket| ask(program, *ticket)).count())
        };
        let clients: Vec<_> = (0..CLIENTS).map(client).collect();
        clients.into_iter().map(|client| client.join().expect("answers")).sum()
    });
    (hits, began_at.elapsed())
}

/// Asks about a ticket until Redis has the answer.
fn wait_hit(program: &Program, ticket: usize) {
    wait_until("an answer from Redis", Duration::from_secs(20), || match ask(program, ticket) {
        true => Ok(()),
        false => Err(program.log_text()),
    });
}

#[test]
fn whatever_redis_does_each_request_has_its_answer_as_soon_as_without_it() {
    let (stub, redis) = (provider(), Redis::start(&[]));
    let mut tickets = (0..).step_by(ROUND).map(|first| first..first + ROUND);
    let mut new_tickets = || tickets.next().expect("a number");
    let (_, without) = round(&start(&stub, None), new_tickets());
    let program = start(&stub, Some(&redis));
    let known = new_tickets();
    wait_hit(&program, known.end);
    round(&program, known.clone());
    wait_hit(&program, known.end - 1);
    // On a busy machine a look-up may take too long, and is a miss.
    let (hits, _) = round(&program, known.clone());
    assert!(hits > ROUND / 2, "{hits} hits: {}", program.log_text());

    redis.kill();
    let (hits, killed) = round(&program, new_tickets());
    assert_eq!(hits, 0);
    redis.resume();
    wait_hit(&program, known.end);

    redis.signal("STOP");
    let (hits, frozen) = round(&program, new_tickets());
    assert_eq!(hits, 0);
    redis.signal("CONT");
    wait_hit(&program, known.end);

    let emptied = std::thread::scope(|scope| {
        let rounds = scope.spawn(|| round(&program, new_tickets()));
        for _ in 0..10 {
            redis.command(&["FLUSHALL"]);
            std::thread::sleep(LATENCY);
        }
        rounds.join().expect("a round").1
    });
    round(&program, known.clone());
    wait_hit(&program, known.end - 1);
    assert!(redis.poison("structured-prompt:answer:*") > 0);
    let (hits, poisoned) = round(&program, known.clone());
    assert_eq!(hits, 0, "garbage is no answer");
    wait_hit(&program, known.end - 1);

    // Waiting for Redis once in each request would double the time.
    for (what, took) in [("killed", killed), ("frozen", frozen), ("emptied", emptied), ("poisoned", poisoned)] {
        assert!(took < without * 2, "{what}: {took:?}, and {without:?} without Redis");
    }
    assert_eq!(stub.protocol_errors(), 0);
}

//! Postgres and Redis are killed and started again while clients ask with a key: each request has an answer in time, and
//! what needs what is not there is refused with a code.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use serde_json::json;

use super::program::{Answer, Program, send};
use super::servers::{Postgres, Redis};
use super::{INVOICE, wait_until};

/// More than the 6 s for which a request waits for a database that stands still, on a busy machine.
const LONGEST: Duration = Duration::from_secs(15);

/// Clients that ask one request after the other.
struct Clients {
    stop: Arc<AtomicBool>,
    answered: Arc<AtomicUsize>,
    threads: Vec<JoinHandle<Vec<(Answer, Duration)>>>,
}

impl Clients {
    /// Two with a key that the program knows, each with prompts of its own.
    fn start(address: &str, key: &str) -> Self {
        let (stop, answered) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicUsize::new(0)));
        let client = |number: usize| {
            let (address, key, stop, answered) =
                (address.to_owned(), key.to_owned(), Arc::clone(&stop), Arc::clone(&answered));
            std::thread::spawn(move || {
                let mut answers = Vec::new();
                while !stop.load(Ordering::Relaxed) {
                    answers.push(ask(&address, &key, &format!("{INVOICE}\n{number}/{}", answers.len())));
                    answered.fetch_add(1, Ordering::Relaxed);
                    std::thread::sleep(Duration::from_millis(20));
                }
                answers
            })
        };
        Self { threads: (0..2).map(client).collect(), stop, answered }
    }

    /// Waits until they have been answered ten times more.
    fn go_on(&self) {
        let before = self.answered.load(Ordering::Relaxed);
        wait_until("answers to clients", Duration::from_secs(40), || {
            let more = self.answered.load(Ordering::Relaxed) - before;
            if more >= 10 { Ok(()) } else { Err(format!("{more} so far")) }
        });
    }

    /// How often each status and code came.
    fn end(self) -> BTreeMap<(u16, String), usize> {
        self.stop.store(true, Ordering::Relaxed);
        let mut counts = BTreeMap::new();
        for (answer, took) in self.threads.into_iter().flat_map(|thread| thread.join().expect("a client")) {
            assert!(took < LONGEST, "{took:?}: {answer:?}");
            let code = answer.body["code"].as_str().unwrap_or_default().to_owned();
            *counts.entry((answer.status, code)).or_default() += 1;
        }
        counts
    }
}

/// The answer to a prompt, and how long it took.
fn ask(address: &str, key: &str, prompt: &str) -> (Answer, Duration) {
    let request = json!({ "prompt": prompt, "schema_id": "invoice" }).to_string();
    let began_at = Instant::now();
    let answer = send(address, "POST", "/v1/analyze", &format!("authorization: Bearer {key}\r\n"), &request);
    (answer, began_at.elapsed())
}

fn until_health_says(program: &Program, kind: &str, name: &str, status: &str) {
    wait_until(&format!("{name} {status}"), Duration::from_secs(40), || {
        let body = program.get("/v1/health").body;
        if body["components"][kind][name]["status"] == status { Ok(()) } else { Err(body.to_string()) }
    });
}

#[test]
fn clients_are_answered_while_postgres_and_redis_are_killed_and_started_again() {
    let (postgres, redis) = (Postgres::migrated(), Redis::start(&[]));
    let configuration = format!(
        "http: {{ listen: \"127.0.0.1:0\" }}\nstore: {{ url: \"{}\" }}\ncache: {{ redis_url: \"{}\" }}\n",
        postgres.url(),
        redis.url()
    );
    let program = Program::start(&configuration);
    let key = |name: &str| program.command(&["key", "create", "--name", name, "--rate-limit", "1000000"]);
    let (known, unknown) = (key("known"), key("unknown"));
    let ask = |key: &str| ask(program.address(), key, INVOICE).0;
    assert_eq!(ask(&known).status, 200);
    until_health_says(&program, "cache", "redis", "up");

    let clients = Clients::start(program.address(), &known);
    for _ in 0..2 {
        redis.kill();
        until_health_says(&program, "cache", "redis", "degraded");
        clients.go_on();
        redis.resume();
        until_health_says(&program, "cache", "redis", "up");
        clients.go_on();
    }
    let counts = clients.end();
    assert!(counts.keys().all(|(status, _)| *status == 200), "Redis is never needed: {counts:?}");

    let clients = Clients::start(program.address(), &known);
    postgres.stop();
    until_health_says(&program, "database", "postgres", "degraded");
    let refused = ask(&unknown);
    assert_eq!((refused.status, &refused.body["code"]), (503, &json!("store_unavailable")), "{refused:?}");
    assert!(refused.headers.contains("\r\nretry-after: "), "{refused:?}");
    clients.go_on();
    postgres.resume();
    until_health_says(&program, "database", "postgres", "up");
    wait_until("the key that was not known", Duration::from_secs(20), || match ask(&unknown).status {
        200 => Ok(()),
        status => Err(format!("{status}")),
    });
    clients.go_on();
    let counts = clients.end();
    let is_expected =
        |(status, code): &(u16, String)| *status == 200 || (*status == 503 && code == "store_unavailable");
    assert!(counts.keys().all(is_expected) && counts.contains_key(&(200, String::new())), "{counts:?}");
}

#[test]
fn a_key_has_its_limit_once_in_two_processes_and_goes_on_in_each_while_redis_is_away() {
    let (postgres, redis) = (Postgres::migrated(), Redis::start(&[]));
    let configuration = format!(
        "http: {{ listen: \"127.0.0.1:0\" }}\nstore: {{ url: \"{}\" }}\ncache: {{ redis_url: \"{}\" }}\n",
        postgres.url(),
        redis.url()
    );
    let programs = [Program::start(&configuration), Program::start(&configuration)];
    programs.iter().for_each(|program| until_health_says(program, "cache", "redis", "up"));
    let make_key = || programs[0].command(&["key", "create", "--name", "me", "--rate-limit", "30"]);
    let ask = |program: &Program, key: &str| {
        send(program.address(), "GET", "/v1/providers", &format!("authorization: Bearer {key}\r\n"), "")
    };
    let key = make_key();
    let statuses: Vec<u16> = (0..50).map(|n| ask(&programs[n % 2], &key).status).collect();
    let granted = statuses.iter().filter(|status| **status == 200).count();
    assert_eq!(granted, 30, "{statuses:?}");

    let key = make_key();
    assert!(ask(&programs[0], &key).headers.contains("ratelimit: \"default\";r=29;"), "of 30");
    redis.signal("STOP");
    let began_at = Instant::now();
    assert!(ask(&programs[0], &key).headers.contains("ratelimit: \"default\";r=28;"), "it goes on from there");
    assert!(began_at.elapsed() < Duration::from_secs(2), "{:?}", began_at.elapsed());
    let granted = (0..40).filter(|_| ask(&programs[0], &key).status == 200).count();
    assert_eq!(granted, 28);
    redis.signal("CONT");
    programs.iter().for_each(|program| until_health_says(program, "cache", "redis", "up"));
}

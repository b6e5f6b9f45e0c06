//! A provider that speaks OpenAI chat completions, Anthropic Messages and Gemini generateContent over real HTTP, with
//! scripted answers and faults.
//!
//! Include it with `#[path = "support/stub_provider.rs"] mod stub_provider;`. It runs on a thread and runtime of its
//! own, so that tests and benches without tokio can use it. A request that the real one would not understand is
//! answered as it does and counted in [`StubProvider::protocol_errors`]; tests assert that this stays 0.
#![allow(dead_code, unreachable_pub, missing_docs, reason = "each test includes it and uses its part")]
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "test support: a failure must stop the test")]

use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::Response;
use axum::routing::post;
use futures_util::{StreamExt as _, stream};
use serde_json::{Value, json};
use tokio::sync::oneshot;

#[path = "stub_provider/anthropic.rs"]
pub mod anthropic;
#[path = "stub_provider/gemini.rs"]
pub mod gemini;
#[path = "stub_provider/openai.rs"]
pub mod openai;
#[path = "stub_provider/script.rs"]
mod script;
#[path = "stub_provider/wire.rs"]
pub mod wire;

pub use script::{Fault, Latency, Script, When};
pub use wire::{End, Wire};

/// 64 MiB of zeros, packed.
const BOMB: &[u8] = include_bytes!("stub_provider/bomb.gz");

struct Shared {
    script: Mutex<Script>,
    calls: AtomicU64,
    in_flight: AtomicU64,
    max_in_flight: AtomicU64,
    protocol_errors: AtomicU64,
    per_prompt: Mutex<HashMap<u64, u64>>,
    /// Benches turn it off.
    record: AtomicBool,
    requests: Mutex<Vec<Value>>,
    keys: Mutex<Vec<String>>,
    headers: Mutex<Vec<HeaderMap>>,
}

/// The running server; it stops when this is dropped.
pub struct StubProvider {
    address: SocketAddr,
    shared: Arc<Shared>,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<std::thread::JoinHandle<()>>,
}

impl StubProvider {
    /// Starts on a free port of 127.0.0.1.
    pub fn start(script: Script) -> Self {
        let shared = Arc::new(Shared {
            script: Mutex::new(script),
            calls: AtomicU64::new(0),
            in_flight: AtomicU64::new(0),
            max_in_flight: AtomicU64::new(0),
            protocol_errors: AtomicU64::new(0),
            per_prompt: Mutex::default(),
            record: AtomicBool::new(true),
            requests: Mutex::default(),
            keys: Mutex::default(),
            headers: Mutex::default(),
        });
        let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("no free port on 127.0.0.1");
        listener.set_nonblocking(true).expect("the socket cannot be made non-blocking");
        let address = listener.local_addr().expect("the socket has no address");
        let (stop, stopped) = oneshot::channel();
        let router = Router::new()
            .route(
                "/v1/chat/completions",
                post(|state, headers, body| handle(Wire::OpenAi, String::new(), state, headers, body)),
            )
            .route(
                "/v1/messages",
                post(|state, headers, body| handle(Wire::Anthropic, String::new(), state, headers, body)),
            )
            .route(
                "/v1beta/models/{call}",
                post(|Path(call), state, headers, body| handle(Wire::Gemini, call, state, headers, body)),
            )
            .with_state(Arc::clone(&shared));
        let serve = move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("no runtime");
            runtime.block_on(async move {
                let listener = tokio::net::TcpListener::from_std(listener).expect("the socket cannot be used");
                tokio::select! {
                    result = async { axum::serve(listener, router).await } => result.expect("the stub stopped"),
                    _ = stopped => {}
                }
            });
        };
        let thread = std::thread::Builder::new().name("stub-provider".to_owned()).spawn(serve).expect("no thread");
        Self { address, shared, stop: Some(stop), thread: Some(thread) }
    }

    /// What to configure as `base_url` of an OpenAI-compatible provider.
    pub fn base_url(&self) -> String {
        format!("http://{}/v1", self.address)
    }

    /// What to configure as `base_url` of the others.
    pub fn root_url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// The keys that calls were made with, in order.
    pub fn keys(&self) -> Vec<String> {
        self.shared.keys.lock().unwrap().clone()
    }

    /// The headers of the requests so far.
    pub fn headers(&self) -> Vec<HeaderMap> {
        self.shared.headers.lock().unwrap().clone()
    }

    /// Changes the script for the calls to come; the count of calls goes on.
    pub fn set_script(&self, script: Script) {
        *self.shared.script.lock().unwrap() = script;
    }

    /// Stops keeping request bodies.
    pub fn keep_no_requests(&self) {
        self.shared.record.store(false, Ordering::Relaxed);
    }

    /// Calls received.
    pub fn calls(&self) -> u64 {
        self.shared.calls.load(Ordering::SeqCst)
    }

    /// Calls received with this user message as the first.
    pub fn calls_for(&self, prompt: &str) -> u64 {
        self.shared.per_prompt.lock().unwrap().get(&hash(prompt)).copied().unwrap_or(0)
    }

    /// Calls by the hash of their prompt.
    pub fn calls_per_prompt(&self) -> HashMap<u64, u64> {
        self.shared.per_prompt.lock().unwrap().clone()
    }

    /// Calls that are open now.
    pub fn in_flight(&self) -> u64 {
        self.shared.in_flight.load(Ordering::SeqCst)
    }

    /// The most calls that were open at once.
    pub fn max_concurrency(&self) -> u64 {
        self.shared.max_in_flight.load(Ordering::SeqCst)
    }

    /// Requests that were not what OpenAI understands.
    pub fn protocol_errors(&self) -> u64 {
        self.shared.protocol_errors.load(Ordering::SeqCst)
    }

    /// The request bodies so far.
    pub fn requests(&self) -> Vec<Value> {
        self.shared.requests.lock().unwrap().clone()
    }
}

impl Drop for StubProvider {
    fn drop(&mut self) {
        if let Some(stop) = self.stop.take() {
            // An error means that the server has ended already.
            stop.send(()).ok();
        }
        if let Some(thread) = self.thread.take() {
            thread.join().ok();
        }
    }
}

/// Counts a call as open until its response has been made, or its caller has gone.
struct Open(Arc<Shared>);

impl Open {
    fn new(shared: Arc<Shared>) -> Self {
        let open = shared.in_flight.fetch_add(1, Ordering::SeqCst) + 1;
        shared.max_in_flight.fetch_max(open, Ordering::SeqCst);
        Self(shared)
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        self.0.in_flight.fetch_sub(1, Ordering::SeqCst);
    }
}

async fn handle(
    wire: Wire,
    path: String,
    State(shared): State<Arc<Shared>>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let _open = Open::new(Arc::clone(&shared));
    let call = shared.calls.fetch_add(1, Ordering::SeqCst) + 1;
    let script = shared.script.lock().unwrap().clone();
    let request = match wire.check(&headers, &body) {
        Ok(request) if wire != Wire::Gemini || path.ends_with(":generateContent") => request,
        Ok(_) => return plain(404, "application/json", wire.error(404)),
        Err(complaint) => {
            shared.protocol_errors.fetch_add(1, Ordering::SeqCst);
            return plain(400, "application/json", complaint);
        }
    };
    *shared.per_prompt.lock().unwrap().entry(hash(wire.prompt(&request))).or_insert(0) += 1;
    let key = wire.key(&headers).unwrap_or_default();
    if shared.record.load(Ordering::Relaxed) {
        shared.requests.lock().unwrap().push(request.clone());
        shared.keys.lock().unwrap().push(key.clone());
        shared.headers.lock().unwrap().push(headers.clone());
    }
    if script.api_key.as_ref().is_some_and(|wanted| *wanted != key) {
        return plain(401, "application/json", wire.error(401));
    }
    let mut random = fastrand::Rng::with_seed(script.seed.wrapping_mul(0x9E37_79B9).wrapping_add(call));
    let latency = match script.latency {
        Latency::Fixed(latency) => latency,
        Latency::Between(low, high) => low + high.saturating_sub(low).mul_f64(random.f64()),
    };
    if !latency.is_zero() {
        tokio::time::sleep(latency).await;
    }
    let by_key = script.keys.iter().find(|(faulty, _)| *faulty == key).map(|(_, fault)| fault);
    let by_request = script.by_request.as_ref().and_then(|fault| fault(&request, call));
    let by_call = || script.faults.iter().find(|(when, _)| applies(*when, call, &mut random)).map(|(_, fault)| fault);
    let fault = by_key.or(by_request.as_ref()).or_else(by_call);
    // A call that has no answer must not be taken for one that has.
    let answer = if fault.is_none_or(Fault::has_answer) { (script.answer)(&request, call) } else { String::new() };
    let model = path.strip_suffix(":generateContent").unwrap_or_default();
    let response = respond(&Turn { wire, model, request: &request, answer: &answer, call }, fault).await;
    if let Some(hook) = script.answered {
        // The response is written when this task has returned; the hook may block.
        tokio::task::spawn_blocking(move || {
            std::thread::sleep(Duration::from_millis(1));
            hook(call);
        });
    }
    response
}

/// What a response is made from.
struct Turn<'a> {
    wire: Wire,
    model: &'a str,
    request: &'a Value,
    answer: &'a str,
    call: u64,
}

fn applies(when: When, call: u64, random: &mut fastrand::Rng) -> bool {
    match when {
        When::Call(n) => call == n,
        When::UpTo(n) => call <= n,
        When::Every(n) => call.is_multiple_of(n),
        When::Chance(p) => random.f64() < p,
    }
}

async fn respond(turn: &Turn<'_>, fault: Option<&Fault>) -> Response {
    let Turn { wire, model, request, answer, call } = *turn;
    let completion = |text: Option<&str>, end| wire.response(request, model, call, text, end);
    let says = |text: &str| completion(Some(text), End::Stop);
    let good = || says(answer);
    let ok = |body: String| plain(200, "application/json", body);
    let Some(fault) = fault else { return ok(good()) };
    match fault {
        Fault::Status { status, body, headers } => {
            with(plain(*status, "application/json", body.clone()), *status, headers)
        }
        Fault::Under { status, headers, body } => with(Box::pin(respond(turn, Some(body))).await, *status, headers),
        Fault::Error(status) => plain(*status, "application/json", wire.error(*status)),
        Fault::Hang => std::future::pending().await,
        Fault::Drip(pause) => drip(good(), *pause),
        Fault::Cut(bytes) => cut(good(), *bytes),
        Fault::Empty => ok(String::new()),
        Fault::Raw { content_type, body } => plain(200, content_type, body.clone()),
        Fault::Says(text) => ok(says(text)),
        Fault::Fenced => ok(says(&format!("```json\n{answer}\n```"))),
        Fault::Prose => ok(says(&format!("Here is what I found:\n\n{answer}\n\nAnything else?"))),
        Fault::Invalid => ok(says("{\"unexpected\":[1,2,3]}")),
        Fault::Refusal => ok(completion(None, End::Refused)),
        Fault::ContentFilter => ok(completion(None, End::Filtered)),
        Fault::Truncated => {
            let half = answer.chars().take(answer.chars().count() / 2).collect::<String>();
            ok(completion(Some(&half), End::Length))
        }
        Fault::NullContent => ok(completion(None, End::Stop)),
        Fault::NoChoices => ok(json!({ "id": "x", "object": "x", "choices": [], "candidates": [] }).to_string()),
        Fault::Huge(bytes) => ok(says(&"x".repeat(*bytes))),
        Fault::Endless(bytes) => endless(*bytes),
        Fault::GzipBomb => {
            let mut response = plain(200, "application/json", BOMB);
            response.headers_mut().insert(header::CONTENT_ENCODING, "gzip".parse().expect("a header value"));
            response
        }
        Fault::Refuses(name) if wire.parameter(request, name).is_some() => {
            plain(400, "application/json", wire.refusal_of(name))
        }
        Fault::RefusesStrict if request["response_format"]["json_schema"]["strict"] == true => {
            let (kind, code) = ("invalid_request_error", "invalid_json_schema");
            let message = "Invalid schema for response_format.";
            plain(400, "application/json", openai::error_body(message, kind, Some("response_format"), Some(code)))
        }
        Fault::RefusesSchema(body) if wire::schema(request).is_some() => plain(400, "application/json", body.clone()),
        Fault::Refuses(_) | Fault::RefusesStrict | Fault::RefusesSchema(_) => ok(good()),
    }
}

fn with(mut response: Response, status: u16, headers: &[(&'static str, String)]) -> Response {
    *response.status_mut() = StatusCode::from_u16(status).expect("a status");
    for (name, value) in headers {
        response.headers_mut().insert(*name, value.parse().expect("a header value"));
    }
    response
}

/// A body of that many spaces, made while it is sent.
fn endless(bytes: u64) -> Response {
    const CHUNK: u64 = 64 << 10;
    let chunk = Bytes::from(vec![b' '; CHUNK as usize]);
    let chunks = stream::iter(0..bytes / CHUNK).map(move |_| Ok::<_, std::io::Error>(chunk.clone()));
    plain(200, "application/json", Body::from_stream(chunks))
}

fn plain(status: u16, content_type: &str, body: impl Into<Body>) -> Response {
    Response::builder()
        .status(StatusCode::from_u16(status).expect("a status"))
        .header(header::CONTENT_TYPE, content_type)
        .header("x-request-id", "req_stub")
        .header("openai-processing-ms", "1")
        .body(body.into())
        .expect("a response")
}

fn drip(body: String, pause: Duration) -> Response {
    let bytes = stream::iter(body.into_bytes()).then(move |byte| async move {
        tokio::time::sleep(pause).await;
        Ok::<_, std::io::Error>(Bytes::from(vec![byte]))
    });
    plain(200, "application/json", Body::from_stream(bytes))
}

/// An error in the body's stream makes hyper close the connection without the end of the body. The moment before lets
/// it send what it has.
fn cut(body: String, after: usize) -> Response {
    let mut head = body.into_bytes();
    head.truncate(after);
    let head = stream::iter([Ok(Bytes::from(head))]);
    let parts = head.chain(stream::once(async {
        tokio::time::sleep(Duration::from_millis(1)).await;
        Err(std::io::Error::other("cut"))
    }));
    plain(200, "application/json", Body::from_stream(parts))
}

fn hash(text: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    text.hash(&mut hasher);
    hasher.finish()
}

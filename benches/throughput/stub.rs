//! The stub provider: an OpenAI-compatible server that gives every request the same valid answer, at once or after a
//! fixed time. It is a process of its own and does not look at what it is asked, so it costs little beside what is
//! measured.

use std::convert::Infallible;
use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::process::Command;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, LazyLock};
use std::time::{Duration, Instant};

use http_body_util::{BodyExt as _, Full};
use hyper::body::{Bytes, Incoming};
use hyper::header::{CONTENT_TYPE, HeaderValue};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Method, Request, Response};
use hyper_util::rt::TokioIo;
use tokio::net::TcpSocket;

use crate::process::Process;

/// Connections that may wait to be accepted: 10,000 clients come at the same moment.
const BACKLOG: u32 = 16_384;

/// The answer inside the completion; it is valid against the schema `support-intent`.
pub const ANSWER: &str = r#"{"intent":"delivery_problem","urgency":"normal","sentiment":"negative","summary":"The customer asks where the parcel is.","product":null,"order_id":null,"customer_email":null,"amount":null,"currency":null,"language":"en","requires_human":false}"#;

static COMPLETION: LazyLock<Bytes> = LazyLock::new(|| {
    let completion = serde_json::json!({
        "id": "chatcmpl-stub",
        "object": "chat.completion",
        "created": 1_790_000_000,
        "model": "stub-1",
        "choices": [{
            "index": 0,
            "message": { "role": "assistant", "content": ANSWER, "refusal": null },
            "logprobs": null,
            "finish_reason": "stop",
        }],
        "usage": { "prompt_tokens": 900, "completion_tokens": 60, "total_tokens": 960 },
    });
    completion.to_string().into()
});

/// Serves until the process is killed. Says its port in its first line.
pub fn serve(latency: Duration) {
    let pool = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    pool.block_on(async {
        let socket = TcpSocket::new_v4().expect("a socket");
        socket.bind(SocketAddr::from(([127, 0, 0, 1], 0))).expect("a port");
        let listener = socket.listen(BACKLOG).expect("a listener");
        println!("{}", listener.local_addr().expect("its address").port());
        let calls = Arc::new(AtomicU64::new(0));
        loop {
            let (stream, _) = listener.accept().await.expect("a connection; raise the limit of open files (ulimit -n)");
            stream.set_nodelay(true).expect("a setting of the socket");
            let calls = Arc::clone(&calls);
            let answer = service_fn(move |request| answer(request, Arc::clone(&calls), latency));
            tokio::spawn(async move {
                // A client that ends, or is ended, leaves connections without a goodbye.
                drop(http1::Builder::new().serve_connection(TokioIo::new(stream), answer).await);
            });
        }
    });
}

async fn answer(
    request: Request<Incoming>,
    calls: Arc<AtomicU64>,
    latency: Duration,
) -> Result<Response<Full<Bytes>>, Infallible> {
    if request.method() == Method::GET {
        return Ok(Response::new(calls.load(Ordering::Relaxed).to_string().into()));
    }
    let mut body = request.into_body();
    while let Some(Ok(_)) = body.frame().await {}
    calls.fetch_add(1, Ordering::Relaxed);
    if !latency.is_zero() {
        tokio::time::sleep(latency).await;
    }
    let mut response = Response::new(Full::new(COMPLETION.clone()));
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    Ok(response)
}

/// The stub provider as a process.
pub struct Stub {
    pub process: Process,
    pub port: u16,
}

impl Stub {
    /// Starts it, and waits for its port.
    pub fn start(latency: Duration, directory: &Path) -> Self {
        let log = directory.join("stub.log");
        let this = std::env::current_exe().expect("this program");
        let mut process = Process::start(Command::new(this).arg("stub").arg(latency.as_millis().to_string()), &log);
        let deadline = Instant::now() + Duration::from_secs(10);
        loop {
            let said = std::fs::read_to_string(&log).expect("its log");
            if let Some(port) = said.strip_suffix('\n').and_then(|port| port.parse().ok()) {
                return Self { process, port };
            }
            assert!(process.is_running() && Instant::now() < deadline, "the stub does not start: {said}");
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    /// Requests that it has answered.
    pub fn calls(&self) -> usize {
        let mut stream = TcpStream::connect(("127.0.0.1", self.port)).expect("the stub listens");
        stream.write_all(b"GET / HTTP/1.1\r\nHost: stub\r\nConnection: close\r\n\r\n").expect("a request");
        let mut response = String::new();
        stream.read_to_string(&mut response).expect("a response");
        response.rsplit("\r\n\r\n").next().and_then(|calls| calls.parse().ok()).expect("a number")
    }
}

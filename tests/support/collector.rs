//! A collector of traces, and what it got, as the message types read it that OpenTelemetry publishes for Python.
#![allow(dead_code, reason = "each test includes it and uses its part")]

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde::Deserialize;
use serde_json::Value;

/// How long an export is waited for: longer than the pauses between attempts.
const LIMIT: Duration = Duration::from_secs(60);
/// Attributes in a drawn tree: those that are the same in each run.
const DRAWN: [&str; 5] = ["sp.step", "sp.outcome", "sp.cache_hit", "http.response.status_code", "error.type"];
/// Where they begin.
const COLUMN: usize = 32;

/// What a collector does with an export.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reaction {
    /// It takes it.
    Takes,
    /// It says that it is busy.
    IsBusy,
    /// It takes so long to answer.
    TakesLong(Duration),
}

/// A collector that listens.
pub struct Collector {
    pub endpoint: String,
    bodies: Receiver<Vec<u8>>,
}

/// A span as it was exported.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct ExportedSpan {
    pub trace_id: String,
    pub span_id: String,
    pub parent: String,
    pub name: String,
    pub kind: String,
    pub began_at: u64,
    pub ended_at: u64,
    pub is_error: bool,
    pub attributes: BTreeMap<String, Value>,
    pub resource: BTreeMap<String, Value>,
}

impl Collector {
    /// Listens and takes everything.
    pub fn start() -> Self {
        Self::start_on("127.0.0.1:0", &[])
    }

    /// Listens at this address and does this with the first exports; it takes all others.
    pub fn start_on(address: &str, reactions: &[Reaction]) -> Self {
        let listener = TcpListener::bind(address).expect("a free port");
        let endpoint = format!("http://{}", listener.local_addr().expect("its address"));
        let (sender, bodies) = channel();
        let reactions = Arc::new(Mutex::new(reactions.iter().rev().copied().collect::<Vec<_>>()));
        std::thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                let (sender, reactions) = (sender.clone(), Arc::clone(&reactions));
                std::thread::spawn(move || answer(stream, &sender, &reactions));
            }
        });
        Self { endpoint, bodies }
    }

    /// The next export.
    pub fn export(&self) -> Vec<u8> {
        self.bodies.recv_timeout(LIMIT).expect("an export")
    }

    /// Whether there is none that nobody has taken.
    pub fn is_empty(&self) -> bool {
        self.bodies.try_recv().is_err()
    }
}

fn answer(mut stream: TcpStream, sender: &Sender<Vec<u8>>, reactions: &Mutex<Vec<Reaction>>) {
    let (mut request, mut buffer) = (Vec::new(), [0; 4096]);
    while let Ok(count @ 1..) = stream.read(&mut buffer) {
        request.extend_from_slice(&buffer[..count]);
        let Some(body) = whole_body(&request) else { continue };
        assert!(request.starts_with(b"POST /v1/traces HTTP/1.1\r\n"));
        let reaction = reactions.lock().expect("the reactions").pop().unwrap_or(Reaction::Takes);
        let _gone = sender.send(body);
        let status = match reaction {
            Reaction::Takes => "200 OK",
            Reaction::IsBusy => "503 Service Unavailable",
            Reaction::TakesLong(delay) => {
                std::thread::sleep(delay);
                "200 OK"
            }
        };
        let _gone = write!(stream, "HTTP/1.1 {status}\r\ncontent-length: 0\r\nconnection: close\r\n\r\n");
        return;
    }
}

/// The body of a request that has arrived as a whole.
fn whole_body(request: &[u8]) -> Option<Vec<u8>> {
    let head_end = request.windows(4).position(|window| window == b"\r\n\r\n")? + 4;
    let head = String::from_utf8_lossy(&request[..head_end]).to_ascii_lowercase();
    let length = head.split_once("content-length: ")?.1.split_once("\r\n")?.0.parse::<usize>().ok()?;
    request.get(head_end..head_end + length).map(<[u8]>::to_vec)
}

/// What an export says.
pub fn spans(export: &[u8]) -> Vec<ExportedSpan> {
    let python = std::env::var("STRUCTURED_PROMPT_TEST_PYTHON").expect(
        "this test needs OpenTelemetry's types: run `make test`, or set the variable from scripts/python-tools.sh",
    );
    let mut decoder = Command::new(python)
        .arg(file("tests/tools/python/read_traces.py"))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("Python runs");
    let digits = export.iter().fold(String::new(), |digits, byte| digits + &format!("{byte:02x}"));
    decoder.stdin.take().expect("its input").write_all(digits.as_bytes()).expect("it reads");
    let output = decoder.wait_with_output().expect("its end");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).expect("spans")
}

/// The only span with this name.
pub fn named<'a>(spans: &'a [ExportedSpan], name: &str) -> &'a ExportedSpan {
    let mut found = spans.iter().filter(|span| span.name == name);
    let span = found.next().unwrap_or_else(|| panic!("no {name} in {spans:?}"));
    assert!(found.next().is_none(), "{name} stands twice in {spans:?}");
    span
}

/// The spans as a tree, in the order in which they began.
pub fn tree(spans: &[ExportedSpan]) -> String {
    let mut text = String::new();
    for root in spans.iter().filter(|span| !spans.iter().any(|other| other.span_id == span.parent)) {
        draw(&mut text, spans, root, 0);
    }
    text
}

fn draw(text: &mut String, spans: &[ExportedSpan], span: &ExportedSpan, depth: usize) {
    let name = format!("{}{}", "  ".repeat(depth), span.name);
    let kind = Some(span.kind.clone()).filter(|kind| kind != "internal");
    let attributes = DRAWN.iter().filter_map(|name| {
        let value = span.attributes.get(*name)?;
        Some(format!("{name}={}", value.as_str().map_or_else(|| value.to_string(), str::to_owned)))
    });
    let said = kind.into_iter().chain(attributes).collect::<Vec<_>>().join(" ");
    writeln!(text, "{}", format!("{name:COLUMN$} {said}").trim_end()).expect("memory");
    let mut children: Vec<_> = spans.iter().filter(|child| child.parent == span.span_id).collect();
    children.sort_by_key(|child| child.began_at);
    for child in children {
        draw(text, spans, child, depth + 1);
    }
}

/// Holds a tree against the block below this heading of docs/observability.md. With `STRUCTURED_PROMPT_TEST_WRITE_DOCS`
/// in the environment it is written there instead.
pub fn assert_page_shows(heading: &str, tree: &str) {
    const FENCE: &str = "```\n";
    let path = file("docs/observability.md");
    let page = std::fs::read_to_string(&path).expect("the page");
    let section = page.find(&format!("\n{heading}\n")).unwrap_or_else(|| panic!("the page has no {heading}"));
    let begin = section + page[section..].find(FENCE).expect("a block") + FENCE.len();
    let end = begin + page[begin..].find(FENCE).expect("its end");
    if std::env::var_os("STRUCTURED_PROMPT_TEST_WRITE_DOCS").is_some() {
        std::fs::write(&path, [&page[..begin], tree, &page[end..]].concat()).expect("the page is written");
        return;
    }
    assert_eq!(&page[begin..end], tree, "STRUCTURED_PROMPT_TEST_WRITE_DOCS=1 writes what comes now");
}

fn file(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

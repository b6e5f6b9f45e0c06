//! A stand-in for a model: it speaks OpenAI's wire format on loopback and answers by a script. It errs once, and it can
//! keep calls waiting, so that a process can be killed while they are open.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use axum::Router;
use axum::extract::State;
use axum::response::Json;
use axum::routing::post;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinHandle;

use crate::tasks::Tasks;

/// The model's name.
const MODEL: &str = "scripted-1";
/// What every order number begins with, which is how the script knows the ticket.
const ORDER: &str = "SP-";
const ORDER_DIGITS: usize = 4;
/// What a quick model takes.
const LATENCY: Duration = Duration::from_millis(40);

/// The text of a ticket.
pub(super) fn ticket(number: usize) -> String {
    format!("My parcel for order {ORDER}{number:0ORDER_DIGITS$} was due on Tuesday and is not here. Where is it?")
}

/// What the stand-in was asked and what it said.
#[derive(Debug, Clone, Default)]
pub(super) struct Calls {
    /// Calls of each ticket that were answered.
    pub(super) answered: BTreeMap<String, usize>,
    /// Calls of each ticket that were made.
    pub(super) asked: BTreeMap<String, usize>,
    /// Tickets with a call that is kept waiting.
    pub(super) waiting: BTreeSet<String>,
    /// The invalid answer, and what was then said about it.
    pub(super) invalid: Option<String>,
    pub(super) correction: Option<String>,
}

struct Script {
    calls: Mutex<Calls>,
    /// Tickets below this number are answered while the gate is closed.
    free: usize,
    gate: watch::Sender<bool>,
}

/// The running stand-in.
pub(super) struct Scripted {
    address: SocketAddr,
    script: Arc<Script>,
    server: JoinHandle<io::Result<()>>,
}

impl Scripted {
    /// Starts on a free port. Tickets with a number below `free` are answered; the calls of all others wait until
    /// [`Scripted::open`].
    pub(super) async fn start(tasks: &Tasks, free: usize) -> io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let address = listener.local_addr()?;
        let script = Arc::new(Script { calls: Mutex::default(), free, gate: watch::Sender::new(false) });
        let router = Router::new().route("/v1/chat/completions", post(answer)).with_state(Arc::clone(&script));
        let server = tasks.side_work(async move { axum::serve(listener, router).await });
        Ok(Self { address, script, server })
    }

    pub(super) fn base_url(&self) -> String {
        format!("http://{}/v1", self.address)
    }

    /// What was asked and answered so far.
    pub(super) fn calls(&self) -> Calls {
        self.script.calls().clone()
    }

    /// From now on every call is answered.
    pub(super) fn open(&self) {
        self.script.gate.send_replace(true);
    }
}

impl Drop for Scripted {
    fn drop(&mut self) {
        self.server.abort();
    }
}

impl Script {
    fn calls(&self) -> MutexGuard<'_, Calls> {
        self.calls.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Notes a call. True if it is answered at once.
    fn asked(&self, order: &str) -> bool {
        let mut calls = self.calls();
        // By its number and not by its turn: calls overtake each other, and a result behind a call that waits is not
        // published.
        let number = order.strip_prefix(ORDER).and_then(|digits| digits.parse::<usize>().ok());
        let is_free = number.is_some_and(|number| number < self.free) || *self.gate.borrow();
        *calls.asked.entry(order.to_owned()).or_default() += 1;
        if !is_free {
            calls.waiting.insert(order.to_owned());
        }
        is_free
    }

    /// The answer to a call, which is the first one of all to be invalid.
    fn answered(&self, order: &str, messages: &Value) -> String {
        let mut calls = self.calls();
        *calls.answered.entry(order.to_owned()).or_default() += 1;
        if calls.invalid.is_none() {
            let invalid = json!({"intent": "lost parcel", "urgency": "high", "summary": "Where is the parcel?",
                "order_id": order, "language": "en", "requires_human": "no"});
            return calls.invalid.insert(invalid.to_string()).clone();
        }
        if calls.correction.is_none() && messages.as_array().is_some_and(|messages| messages.len() > 2) {
            let last = messages.as_array().and_then(|messages| messages.last());
            calls.correction = last.and_then(|last| last["content"].as_str()).map(str::to_owned);
        }
        json!({"intent": "delivery_problem", "urgency": "high", "sentiment": "negative",
            "summary": "A parcel that was due on Tuesday has not arrived.", "order_id": order, "language": "en",
            "requires_human": false})
        .to_string()
    }
}

/// A call that waits; also when its connection goes away, it waits no more.
struct Waiting<'a>(&'a Script, &'a str);

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.calls().waiting.remove(self.1);
    }
}

async fn answer(State(script): State<Arc<Script>>, body: String) -> Json<Value> {
    let order = order(&body);
    if !script.asked(&order) {
        let _waiting = Waiting(&script, &order);
        // The sender lives in the script.
        drop(script.gate.subscribe().wait_for(|is_open| *is_open).await);
    }
    tokio::time::sleep(LATENCY).await;
    let request: Value = serde_json::from_str(&body).unwrap_or_default();
    let content = script.answered(&order, &request["messages"]);
    let number: usize = script.calls().answered.values().sum();
    // Four characters are a token, roughly.
    let (input, output) = (body.len() / 4, content.len() / 4);
    Json(json!({
        "id": format!("scripted-call-{number}"),
        "object": "chat.completion",
        "created": 0,
        "model": MODEL,
        "choices": [{
            "index": 0,
            "finish_reason": "stop",
            "message": {"role": "assistant", "content": content},
        }],
        "usage": {"prompt_tokens": input, "completion_tokens": output, "total_tokens": input + output},
    }))
}

/// The order number in a ticket, or in a request or an answer that has it.
pub(super) fn order(body: &str) -> String {
    let is_order = |at: &usize| {
        let digits = body.get(at + ORDER.len()..at + ORDER.len() + ORDER_DIGITS);
        digits.is_some_and(|digits| digits.bytes().all(|byte| byte.is_ascii_digit()))
    };
    let at = body.match_indices(ORDER).map(|(at, _)| at).find(is_order);
    at.and_then(|at| body.get(at..at + ORDER.len() + ORDER_DIGITS)).unwrap_or_default().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_script_knows_the_ticket_of_a_request() {
        assert_eq!(order(&format!("{{\"content\":\"SP-x {}\"}}", ticket(17))), "SP-0017");
        assert_eq!(order("SP-12"), "");
    }
}

//! What the stub is told to do.

use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;

use super::openai;

/// How long an answer takes.
#[derive(Debug, Clone, Copy)]
pub enum Latency {
    Fixed(Duration),
    /// Uniform between the two, by the script's seed and the number of the call.
    Between(Duration, Duration),
}

/// What goes wrong in a call.
#[derive(Debug, Clone)]
pub enum Fault {
    /// An error status with this body and these headers.
    Status { status: u16, body: String, headers: Vec<(&'static str, String)> },
    /// The body of another fault, or what becomes of it, under this status and with these headers too.
    Under { status: u16, headers: Vec<(&'static str, String)>, body: Box<Self> },
    /// No response, ever.
    Hang,
    /// The right response, one byte per this time.
    Drip(Duration),
    /// The right response, cut off after this many bytes of its body.
    Cut(usize),
    /// 200 without a body.
    Empty,
    /// 200 with this content type and body.
    Raw { content_type: &'static str, body: String },
    /// A completion with this text as its answer.
    Says(String),
    /// The right answer within a code fence.
    Fenced,
    /// The right answer within prose.
    Prose,
    /// JSON that no schema for objects takes.
    Invalid,
    /// A refusal.
    Refusal,
    /// `finish_reason: content_filter`.
    ContentFilter,
    /// The first half of the right answer, `finish_reason: length`.
    Truncated,
    /// `content: null` without a refusal.
    NullContent,
    /// No choices.
    NoChoices,
    /// 200 with a body of this many bytes.
    Huge(usize),
    /// 200 with a body of this many bytes that is never held in memory, and whose length is not announced.
    Endless(u64),
    /// 200 with a small gzip body that unpacks to 64 MiB.
    GzipBomb,
    /// An error status in the format's own words.
    Error(u16),
    /// 400 as OpenAI says that the model does not take this parameter, if the request has it; else no fault.
    Refuses(&'static str),
    /// 400 `invalid_json_schema`, if the request is strict; else no fault.
    RefusesStrict,
    /// 400 with this body, if the request has a schema; else no fault.
    RefusesSchema(String),
}

/// In which calls, counted from 1, a fault occurs.
#[derive(Debug, Clone, Copy)]
pub enum When {
    Call(u64),
    UpTo(u64),
    Every(u64),
    /// With this probability, by the script's seed and the number of the call.
    Chance(f64),
}

type AnswerFn = dyn Fn(&Value, u64) -> String + Send + Sync;
type FaultFn = dyn Fn(&Value, u64) -> Option<Fault> + Send + Sync;
type AnsweredFn = dyn Fn(u64) + Send + Sync;

/// What the stub does. The default answers at once with [`openai::default_answer`].
#[derive(Clone)]
pub struct Script {
    pub latency: Latency,
    pub seed: u64,
    /// The first that applies is taken.
    pub faults: Vec<(When, Fault)>,
    /// A fault by the request and the number of the call, before those of `faults`.
    pub by_request: Option<Arc<FaultFn>>,
    /// Told of the number of a call right after its answer went to the socket.
    pub answered: Option<Arc<AnsweredFn>>,
    /// From the request and the number of the call.
    pub answer: Arc<AnswerFn>,
    /// The key that a caller must send, if any.
    pub api_key: Option<String>,
    /// What goes wrong with certain keys, before anything else does.
    pub keys: Vec<(&'static str, Fault)>,
}

impl Default for Script {
    fn default() -> Self {
        Self {
            latency: Latency::Fixed(Duration::ZERO),
            seed: 1,
            faults: Vec::new(),
            by_request: None,
            answered: None,
            answer: Arc::new(openai::default_answer),
            api_key: None,
            keys: Vec::new(),
        }
    }
}

impl Script {
    #[must_use]
    pub fn fault(mut self, when: When, fault: Fault) -> Self {
        self.faults.push((when, fault));
        self
    }

    #[must_use]
    pub fn fault_of(mut self, fault: impl Fn(&Value, u64) -> Option<Fault> + Send + Sync + 'static) -> Self {
        self.by_request = Some(Arc::new(fault));
        self
    }

    #[must_use]
    pub fn answered(mut self, hook: impl Fn(u64) + Send + Sync + 'static) -> Self {
        self.answered = Some(Arc::new(hook));
        self
    }

    #[must_use]
    pub fn latency(mut self, latency: Latency) -> Self {
        self.latency = latency;
        self
    }

    #[must_use]
    pub fn answer(mut self, answer: impl Fn(&Value, u64) -> String + Send + Sync + 'static) -> Self {
        self.answer = Arc::new(answer);
        self
    }
}

impl Fault {
    /// An error as OpenAI sends it.
    pub fn error(status: u16, kind: &str, code: Option<&str>) -> Self {
        Self::Status {
            status,
            body: openai::error_body("An error of the stub.", kind, None, code),
            headers: Vec::new(),
        }
    }

    /// True if the right answer, or a part of it, comes all the same.
    pub fn has_answer(&self) -> bool {
        use Fault as F;
        let spoilt = matches!(self, F::Drip(_) | F::Cut(_) | F::Fenced | F::Prose | F::Truncated);
        spoilt || matches!(self, F::Refuses(_) | F::RefusesStrict)
    }

    /// The same with one more header.
    #[must_use]
    pub fn with(mut self, name: &'static str, value: &str) -> Self {
        if let Self::Status { headers, .. } = &mut self {
            headers.push((name, value.to_owned()));
        }
        self
    }
}

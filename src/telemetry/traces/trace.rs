//! A trace that is being recorded.
//!
//! Whoever works on a record or request has a [`Trace`]; the last of them to drop it hands the spans over for export, or
//! throws them away if the trace is not sampled and nothing has failed. So work that goes on when its client has gone is
//! a part of the trace, and nobody has to know who is the last.

use std::borrow::Cow;
use std::fmt;
use std::future::poll_fn;
use std::pin::pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::Poll;
use std::time::Duration;

use super::export::Exporter;
use super::names::{general, own};
use super::span::{Attribute, Span, SpanBatch, SpanKind, SpanLink, TraceId, Value, new_id};
use crate::ports::clock::Clock;
use crate::telemetry::metrics::Exemplar;

/// Spans of one trace at most: a batch of a hundred prompts has hundreds, and a record that waits for a provider for a
/// day has a call for each probe.
const MAX_SPANS: usize = 1024;

/// A place in a trace: what is begun here is a part of it. Off, it records nothing and costs nothing, but still knows
/// which trace it is.
#[derive(Clone, Default)]
pub struct Trace(State);

#[derive(Clone, Default)]
enum State {
    /// There is none.
    #[default]
    None,
    /// This process records nothing of it; whoever began it does, if it is sampled.
    Unrecorded { id: TraceId, is_sampled: bool },
    /// It is recorded.
    Recorded(Place),
}

#[derive(Clone)]
struct Place {
    recorder: Arc<Recorder>,
    /// The span that is open here.
    span: u64,
}

/// A span that is open. It ends when it is dropped, as it does with a task that is cancelled.
#[derive(Default)]
pub struct OpenSpan {
    /// Where it was begun.
    outer: Trace,
    /// `None` where nothing is recorded.
    span: Option<Box<Span>>,
}

/// What all traces of the process have in common.
pub(super) struct Recording {
    pub(super) clock: Arc<dyn Clock>,
    pub(super) exporter: Exporter,
    /// Whether prompts and answers are among the attributes.
    pub(super) has_texts: bool,
    /// Whether traces of failures are exported though they are not sampled.
    pub(super) keeps_failures: bool,
}

/// The spans of a trace so far.
struct Recorder {
    common: Arc<Recording>,
    id: TraceId,
    /// Whether it is exported in any case: by this process, or by the one that began it.
    is_sampled: bool,
    spans: Mutex<Spans>,
}

struct Spans {
    batch: SpanBatch,
    /// The first span, which is open as long as the trace is.
    root: Span,
    /// Spans that there was no room for.
    dropped: u64,
    /// When what came of it was handed over to be sent.
    sent_at: Option<Duration>,
}

impl Trace {
    /// The trace whose first span this is. `is_sampled` says whether it is exported in any case.
    pub(super) fn new(common: Arc<Recording>, root: Span, batch: SpanBatch, is_sampled: bool) -> Self {
        let (span, id) = (root.id, batch.trace_id);
        let spans = Mutex::new(Spans { batch, root, dropped: 0, sent_at: None });
        Self(State::Recorded(Place { recorder: Arc::new(Recorder { common, id, is_sampled, spans }), span }))
    }

    /// A trace of which this process records nothing. `is_sampled` says whether others do.
    pub(super) fn unrecorded(id: TraceId, is_sampled: bool) -> Self {
        Self(State::Unrecorded { id, is_sampled })
    }

    /// Its id, where there is one: log lines name it.
    pub fn id(&self) -> Option<TraceId> {
        match &self.0 {
            State::None => None,
            State::Unrecorded { id, .. } => Some(*id),
            State::Recorded(place) => Some(place.recorder.id),
        }
    }

    /// What a latency names it by that was observed at this time since the Unix epoch; `None` if nobody exports it, as far
    /// as is known yet.
    pub fn exemplar(&self, at: Duration) -> Option<Exemplar> {
        self.exported_id().map(|trace_id| Exemplar { trace_id, at })
    }

    /// Its id, if the trace can be looked up: it is sampled, or it is exported because it failed.
    fn exported_id(&self) -> Option<TraceId> {
        let is_exported = match &self.0 {
            State::None => false,
            State::Unrecorded { is_sampled, .. } => *is_sampled,
            State::Recorded(Place { recorder, .. }) => recorder.is_sampled || recorder.is_kept(),
        };
        self.id().filter(|_| is_exported)
    }

    fn place(&self) -> Option<&Place> {
        if let State::Recorded(place) = &self.0 { Some(place) } else { None }
    }

    /// Whether anything is recorded.
    pub fn is_on(&self) -> bool {
        self.place().is_some()
    }

    /// Whether texts of prompts and answers belong into attributes.
    pub fn has_texts(&self) -> bool {
        self.place().is_some_and(|place| place.recorder.common.has_texts)
    }

    /// Begins a span inside of us.
    pub fn span(&self, name: &'static str) -> OpenSpan {
        self.span_of(SpanKind::Internal, || Cow::Borrowed(name))
    }

    /// The same of another kind, with a name that is made only if it is needed.
    pub fn span_of(&self, kind: SpanKind, name: impl FnOnce() -> Cow<'static, str>) -> OpenSpan {
        let span = self.place().map(|Place { recorder, span }| {
            let began_at = recorder.common.clock.now();
            Box::new(Span::begun(new_id(), Some(*span), name(), kind, began_at))
        });
        OpenSpan { outer: self.clone(), span }
    }

    /// A stage that needs no waiting, as a span.
    pub fn stage<T>(&self, name: &'static str, work: impl FnOnce() -> T) -> T {
        let _span = self.span(name);
        work()
    }

    /// A span around work that may have to be waited for, such as a look-up that goes to the database unless its answer is
    /// remembered. Work that is done at once has none.
    pub async fn wait<T>(&self, name: &'static str, work: impl Future<Output = T>) -> T {
        let began_at = self.now();
        let mut work = pin!(work);
        if let Poll::Ready(done) = poll_fn(|context| Poll::Ready(work.as_mut().poll(context))).await {
            return done;
        }
        let mut open = self.span(name);
        if let (Some(span), Some(began_at)) = (&mut open.span, began_at) {
            span.began_at = began_at;
        }
        work.await
    }

    /// Adds a span that began at a known time and ends now.
    pub fn add(&self, name: &'static str, began_at: Duration) {
        if let Some(span) = &mut self.span(name).span {
            span.began_at = began_at;
        }
    }

    /// What came of it is handed over to be sent.
    pub fn send(&self) {
        if let Some(Place { recorder, .. }) = self.place() {
            let now = recorder.common.clock.now();
            recorder.spans().sent_at = Some(now);
        }
    }

    /// When that was, where it is recorded.
    pub fn sent_at(&self) -> Option<Duration> {
        self.place().and_then(|place| place.recorder.spans().sent_at)
    }

    /// Adds the span of a message that was sent, under the id that the message itself names.
    pub fn add_sent(&self, name: String, id: Option<u64>, began_at: Duration, attributes: Vec<Attribute>) {
        if let Some(span) = &mut self.span_of(SpanKind::Producer, || Cow::Owned(name)).span {
            span.id = id.unwrap_or(span.id);
            (span.began_at, span.attributes) = (began_at, attributes);
        }
    }

    /// What time it is, for [`Trace::add`].
    pub fn now(&self) -> Option<Duration> {
        self.place().map(|place| place.recorder.common.clock.now())
    }

    /// What a span of another trace links to, whose work is done here.
    pub fn link(&self) -> Option<SpanLink> {
        self.place().map(|Place { recorder, span }| SpanLink { trace_id: recorder.id, span: *span })
    }

    /// Notes something on the first span.
    pub fn note(&self, name: &'static str, value: impl Into<Value>) {
        if let Some(place) = self.place() {
            place.recorder.spans().root.attributes.push((name, value.into()));
        }
    }

    /// The trace is that of a failure, which is exported whether it is sampled or not.
    pub fn fail(&self, code: impl Into<Cow<'static, str>>) {
        if let Some(place) = self.place() {
            place.recorder.spans().root.fail(code.into());
        }
    }

    /// Ends the first span, with what came of it.
    pub fn end(&self, outcome: &'static str) {
        if let Some(place) = self.place() {
            let now = place.recorder.common.clock.now();
            let root = &mut place.recorder.spans().root;
            root.attributes.push((own::OUTCOME, outcome.into()));
            root.ended_at = now;
        }
    }
}

impl fmt::Debug for Trace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Trace({})", if self.is_on() { "on" } else { "off" })
    }
}

impl OpenSpan {
    /// Notes something that is known anyway.
    pub fn note(&mut self, name: &'static str, value: impl Into<Value>) {
        if let Some(span) = &mut self.span {
            span.attributes.push((name, value.into()));
        }
    }

    /// Notes what is made for it, if it is recorded.
    pub fn note_all(&mut self, attributes: impl FnOnce(&mut Vec<Attribute>)) {
        if let Some(span) = &mut self.span {
            attributes(&mut span.attributes);
        }
    }

    /// It ends with a failure. What becomes of the trace is another matter: the next step may succeed.
    pub fn fail(&mut self, code: &'static str) {
        if let Some(span) = &mut self.span {
            span.fail(Cow::Borrowed(code));
        }
    }

    /// Its work is done by a span of another trace.
    pub fn link(&mut self, other: Option<SpanLink>) {
        if let Some(span) = &mut self.span {
            span.link = other;
        }
    }

    /// The place within it.
    pub fn trace(&self) -> Trace {
        let mut inner = self.outer.clone();
        if let (State::Recorded(place), Some(span)) = (&mut inner.0, &self.span) {
            place.span = span.id;
        }
        inner
    }
}

impl fmt::Debug for OpenSpan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("OpenSpan").field(&self.span.as_ref().map(|span| &span.name)).finish()
    }
}

impl Drop for OpenSpan {
    fn drop(&mut self) {
        let (Some(mut span), Some(Place { recorder, .. })) = (self.span.take(), self.outer.place()) else { return };
        span.ended_at = recorder.common.clock.now();
        let mut spans = recorder.spans();
        if spans.batch.spans.len() < MAX_SPANS {
            spans.batch.spans.push(*span);
        } else {
            spans.dropped += 1;
        }
    }
}

impl Span {
    /// A span that begins.
    pub(super) fn begun(
        id: u64,
        parent: Option<u64>,
        name: Cow<'static, str>,
        kind: SpanKind,
        began_at: Duration,
    ) -> Self {
        let (ended_at, attributes) = (Duration::ZERO, Vec::new());
        Self { id, parent, name, kind, began_at, ended_at, attributes, link: None, error: None }
    }

    fn fail(&mut self, code: Cow<'static, str>) {
        self.attributes.push((general::ERROR_TYPE, Value::Text(code.clone())));
        self.error = Some(code);
    }
}

impl Recorder {
    fn spans(&self) -> MutexGuard<'_, Spans> {
        self.spans.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether it is going to be exported, as far as is known yet.
    fn is_kept(&self) -> bool {
        self.spans().is_kept(&self.common)
    }
}

impl Spans {
    fn is_kept(&self, common: &Recording) -> bool {
        self.batch.is_sampled || self.root.error.is_some() && common.keeps_failures
    }
}

impl Drop for Recorder {
    fn drop(&mut self) {
        let spans = self.spans.get_mut().unwrap_or_else(PoisonError::into_inner);
        if !spans.is_kept(&self.common) {
            return;
        }
        let Spans { batch, root, dropped, .. } = spans;
        if root.ended_at.is_zero() {
            // Its partition has left, or its client: whoever has the record now makes a trace of their own.
            root.ended_at = self.common.clock.now();
            root.attributes.push((own::OUTCOME, "left".into()));
        }
        let mut spans = Vec::with_capacity(batch.spans.len() + 1);
        spans.push(root.clone());
        spans.append(&mut batch.spans);
        self.common.exporter.hand_over(SpanBatch { spans, ..batch.clone() }, *dropped);
    }
}

#[cfg(test)]
mod tests;

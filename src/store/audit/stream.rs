//! Events as lines of JSON, on their way to a file or a topic: behind the back of those who make them, as the rows of a
//! table are.

use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt as _;
use futures_util::future::{BoxFuture, ready};
use tokio::task::JoinHandle;
use uuid::Uuid;

use crate::ports::audit::{AuditEvent, AuditLog, AuditSink};
use crate::ports::repository::RepositoryError;
use crate::store::row_writer::{Dependencies, RowTable, RowWriter};

/// Hands events to a sink.
pub struct AuditStream(RowWriter<String>);

impl AuditStream {
    /// A stream to this sink, and the task behind it, which ends when it is told to stop.
    pub fn open(sink: Arc<dyn AuditSink>, deps: Dependencies) -> (Self, JoinHandle<()>) {
        let (writer, task) = RowWriter::open(Lines(sink), deps);
        (Self(writer), task)
    }
}

impl AuditLog for AuditStream {
    fn record(&self, event: AuditEvent) {
        self.0.append(line(&event));
    }
}

/// An event as its line, with an id that no other line has.
pub fn line(event: &AuditEvent) -> String {
    event.to_json(&Uuid::now_v7().to_string())
}

/// A sink, as a table with one column.
struct Lines(Arc<dyn AuditSink>);

impl RowTable for Lines {
    type Row = String;

    fn title(&self) -> &'static str {
        self.0.title()
    }

    fn bytes(line: &String) -> usize {
        size_of::<String>() + line.len()
    }

    fn write<'a>(&'a self, lines: &'a [(i64, String)]) -> BoxFuture<'a, Result<(), RepositoryError>> {
        let written = self.0.write(lines.iter().map(|(_, line)| &**line).collect());
        async { written.await.map_err(RepositoryError::Unavailable) }.boxed()
    }

    /// What was written is no longer ours.
    fn remove_old(&self, _now: Duration, _limit: u32) -> BoxFuture<'_, Result<bool, RepositoryError>> {
        ready(Ok(false)).boxed()
    }
}

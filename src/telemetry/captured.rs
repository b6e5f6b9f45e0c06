//! What is logged, as text, for tests.

use std::io;
use std::sync::{Arc, Mutex, PoisonError};

use tracing::subscriber::DefaultGuard;
use tracing_subscriber::fmt::MakeWriter;

/// What was written so far.
#[derive(Debug, Clone, Default)]
pub(crate) struct Buffer(Arc<Mutex<Vec<u8>>>);

impl Buffer {
    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.0.lock().unwrap_or_else(PoisonError::into_inner)).into_owned()
    }
}

impl io::Write for Buffer {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl MakeWriter<'_> for Buffer {
    type Writer = Self;

    fn make_writer(&self) -> Self {
        self.clone()
    }
}

/// What this thread logs as long as it lives.
pub(crate) struct Captured {
    buffer: Buffer,
    _subscriber: DefaultGuard,
}

impl Captured {
    pub(crate) fn start() -> Self {
        let buffer = Buffer::default();
        let subscriber = tracing_subscriber::fmt().with_ansi(false).without_time().with_writer(buffer.clone()).finish();
        Self { buffer, _subscriber: tracing::subscriber::set_default(subscriber) }
    }

    /// The lines so far.
    pub(crate) fn lines(&self) -> Vec<String> {
        self.buffer.text().lines().map(str::to_owned).collect()
    }
}

/// The lines that this thread logs in this work.
pub(crate) fn captured(work: impl FnOnce()) -> Vec<String> {
    let captured = Captured::start();
    work();
    captured.lines()
}

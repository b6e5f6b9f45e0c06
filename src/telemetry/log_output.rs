//! Where log lines are written, and what becomes of those that cannot be.

use std::fs::File;
use std::io::{self, Write};
use std::os::fd::BorrowedFd;
use std::sync::{LazyLock, Mutex, MutexGuard, PoisonError};

use prometheus_client::metrics::counter::Counter;
use tracing_subscriber::fmt::MakeWriter;

/// One for the process, as the logger is.
static DROPPED: LazyLock<Counter> = LazyLock::new(Counter::default);

/// Lines that could not be written since the process began.
pub(super) fn dropped() -> &'static Counter {
    &DROPPED
}

/// Standard output or error. A line that cannot be written, because the disk is full or nobody reads the pipe any more,
/// is dropped and counted: nothing else waits for logs or fails with them.
#[derive(Debug)]
pub(super) struct LogOutput(Mutex<Lines<File>>);

impl LogOutput {
    /// # Errors
    /// When the process may not open one more file.
    pub(super) fn open(descriptor: BorrowedFd<'_>) -> io::Result<Self> {
        // Not `io::stdout()` itself: it may keep a part of a line that could not be written.
        let out = File::from(descriptor.try_clone_to_owned()?);
        Ok(Self(Mutex::new(Lines { out, is_torn: false })))
    }
}

impl<'a> MakeWriter<'a> for LogOutput {
    type Writer = LineWriter<'a>;

    fn make_writer(&'a self) -> Self::Writer {
        LineWriter(self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// Takes a whole line at once, which is how the logger writes.
pub(super) struct LineWriter<'a>(MutexGuard<'a, Lines<File>>);

impl Write for LineWriter<'_> {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        if !self.0.put(line) {
            DROPPED.inc();
        }
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[derive(Debug)]
struct Lines<W> {
    out: W,
    /// Whether the last line was cut off.
    is_torn: bool,
}

impl<W: Write> Lines<W> {
    /// True if the line was written. One that was cut off before is ended first, so that it spoils no other.
    fn put(&mut self, line: &[u8]) -> bool {
        if self.is_torn {
            self.is_torn = self.write(b"\n") == 0;
        }
        if self.is_torn {
            return false;
        }
        let written = self.write(line);
        self.is_torn = written > 0 && written < line.len();
        written == line.len()
    }

    /// Writes as much as it can, and says how much that was.
    fn write(&mut self, bytes: &[u8]) -> usize {
        let mut written = 0;
        while let Some(rest) = bytes.get(written..).filter(|rest| !rest.is_empty()) {
            match self.out.write(rest) {
                Ok(0) => break,
                Ok(more) => written += more,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(_) => break,
            }
        }
        written
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Takes so many bytes.
    struct Disk {
        room: usize,
        bytes: Vec<u8>,
    }

    impl Write for Disk {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            let taken = bytes.len().min(self.room);
            if taken == 0 {
                return Err(io::ErrorKind::StorageFull.into());
            }
            self.room -= taken;
            self.bytes.extend_from_slice(&bytes[..taken]);
            Ok(taken)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn a_line_that_a_full_disk_cuts_off_spoils_no_other() {
        let mut lines = Lines { out: Disk { room: 13, bytes: Vec::new() }, is_torn: false };
        let put = [b"line 1\n", b"line 2\n", b"line 3\n"].map(|line| lines.put(line));
        assert_eq!(put, [true, false, false]);
        lines.out.room = 100;
        assert!(lines.put(b"line 4\n"));
        assert_eq!(String::from_utf8(lines.out.bytes).unwrap(), "line 1\nline 2\nline 4\n");
    }

    #[test]
    fn nothing_is_ended_where_nothing_was_written() {
        let mut lines = Lines { out: Disk { room: 7, bytes: Vec::new() }, is_torn: false };
        assert_eq!([b"line 1\n", b"line 2\n"].map(|line| lines.put(line)), [true, false]);
        lines.out.room = 100;
        assert!(lines.put(b"line 3\n"));
        assert_eq!(String::from_utf8(lines.out.bytes).unwrap(), "line 1\nline 3\n");
    }
}

//! The outcomes of tests: as text here, and for CI servers in [`junit`] and [`tap`].

mod junit;
mod tap;

use std::io::{self, Write};
use std::path::PathBuf;
use std::time::Duration;

/// How outcomes are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(super) enum Format {
    /// A line for each test, and what was wrong below it
    Text,
    /// JUnit's XML
    Junit,
    /// Test Anything Protocol, version 14
    Tap,
}

/// The outcomes of all files.
#[derive(Debug)]
pub(super) struct Report {
    pub(super) files: Vec<FileReport>,
}

/// The outcomes of one file.
#[derive(Debug)]
pub(super) struct FileReport {
    pub(super) path: PathBuf,
    pub(super) tests: Vec<TestReport>,
}

/// The outcome of one test.
#[derive(Debug)]
pub(super) struct TestReport {
    pub(super) name: String,
    /// The line that it begins in, from 1.
    pub(super) line: usize,
    /// What was wrong, one a line; nothing if it passed.
    pub(super) failures: Vec<String>,
    pub(super) took: Duration,
}

impl FileReport {
    /// Tests that failed.
    fn failed(&self) -> usize {
        self.tests.iter().filter(|test| !test.failures.is_empty()).count()
    }

    fn took(&self) -> Duration {
        self.tests.iter().map(|test| test.took).sum()
    }

    /// Where a test stands.
    fn place(&self, test: &TestReport) -> String {
        format!("{}:{}", self.path.display(), test.line)
    }
}

impl Report {
    /// Tests in all files.
    fn tests(&self) -> usize {
        self.files.iter().map(|file| file.tests.len()).sum()
    }

    /// Tests that failed.
    pub(super) fn failed(&self) -> usize {
        self.files.iter().map(FileReport::failed).sum()
    }

    /// Writes all of it.
    pub(super) fn write(&self, format: Format, out: &mut dyn Write) -> io::Result<()> {
        match format {
            Format::Text => self.write_text(out),
            Format::Junit => out.write_all(junit::document(self).as_bytes()),
            Format::Tap => tap::write(self, out),
        }
    }

    fn write_text(&self, out: &mut dyn Write) -> io::Result<()> {
        for file in &self.files {
            writeln!(out, "{}", file.path.display())?;
            for test in &file.tests {
                if test.failures.is_empty() {
                    writeln!(out, "  ok    {}", one_line(&test.name))?;
                    continue;
                }
                writeln!(out, "  FAIL  {}  ({})", one_line(&test.name), file.place(test))?;
                for failure in &test.failures {
                    writeln!(out, "        {}", one_line(failure))?;
                }
            }
        }
        match (self.tests(), self.failed()) {
            (1, 0) => writeln!(out, "1 test passed"),
            (tests, 0) => writeln!(out, "{tests} tests passed"),
            (tests, failed) => writeln!(out, "{failed} of {tests} tests failed"),
        }
    }
}

/// A text with its control characters escaped: it may quote answers and events.
fn one_line(text: &str) -> String {
    text.chars().flat_map(|c| if c.is_control() { c.escape_default().collect() } else { vec![c] }).collect()
}

#[cfg(test)]
mod tests;

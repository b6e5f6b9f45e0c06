//! What is wrong with a configuration, where, and what to do about it.

use std::collections::BTreeSet;
use std::fmt;
use std::path::{Path, PathBuf};

/// Where a finding stands.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Place {
    /// The built-in defaults: no file was given.
    Defaults,
    /// A file or directory as a whole.
    Path(PathBuf),
    /// A position in a file; line and column count from 1.
    Line {
        /// The file.
        file: PathBuf,
        /// Line, from 1.
        line: usize,
        /// Column in characters, from 1.
        column: usize,
    },
    /// An environment variable, or an argument of the command line.
    Variable(String),
}

impl Place {
    /// The file that the finding is about, if it is about one.
    pub fn path(&self) -> Option<&Path> {
        match self {
            Self::Path(path) | Self::Line { file: path, .. } => Some(path),
            Self::Defaults | Self::Variable(_) => None,
        }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Defaults => f.write_str("built-in defaults"),
            Self::Path(path) => write!(f, "{}", path.display()),
            Self::Line { file, line, column } => write!(f, "{}:{line}:{column}", file.display()),
            Self::Variable(name) => f.write_str(name),
        }
    }
}

/// One mistake in a configuration. Never quotes a value that could be a secret.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Finding {
    /// Where it stands.
    pub place: Place,
    /// The key, for example `source.kafka.topics[1]`; empty when it is about the whole file.
    pub key_path: String,
    /// What is wrong.
    pub message: String,
    /// What to do.
    pub help: String,
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: ", self.place)?;
        if !self.key_path.is_empty() {
            write!(f, "{}: ", self.key_path)?;
        }
        f.write_str(&self.message)?;
        if self.help.is_empty() { Ok(()) } else { write!(f, "\n    {}", self.help) }
    }
}

/// All mistakes that were found, ordered by place.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Findings(Vec<Finding>);

impl Findings {
    /// Orders findings by place and drops repetitions.
    pub fn new(mut findings: Vec<Finding>) -> Self {
        findings.sort();
        findings.dedup();
        Self(findings)
    }

    /// The findings in order.
    pub fn as_slice(&self) -> &[Finding] {
        &self.0
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether one of them is about an environment variable.
    pub fn is_any_of_environment(&self) -> bool {
        self.0.iter().any(|finding| matches!(finding.place, Place::Variable(_)))
    }

    /// Number of files that findings are about.
    pub fn files(&self) -> usize {
        self.0.iter().filter_map(|finding| finding.place.path()).collect::<BTreeSet<_>>().len()
    }
}

impl fmt::Display for Findings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, finding) in self.0.iter().enumerate() {
            let line_break = if index == 0 { "" } else { "\n" };
            write!(f, "{line_break}{finding}")?;
        }
        Ok(())
    }
}

impl std::error::Error for Findings {}

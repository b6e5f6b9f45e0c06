//! How a part of the process is doing.

use std::time::Duration;

/// The state of one part.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Status {
    /// It works.
    Up,
    /// It works partly, or waits for something that is not its own.
    Degraded,
    /// It does not work.
    Down,
}

impl Status {
    /// The name that users see.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Up => "up",
            Self::Degraded => "degraded",
            Self::Down => "down",
        }
    }
}

/// One part of the process, as health reports show it.
#[derive(Debug, Clone, PartialEq)]
pub struct Component {
    /// What it is: `kafka`, `provider`, `cache`, `store`, `connector`.
    pub kind: &'static str,
    /// Its name among its kind.
    pub name: String,
    /// How it is.
    pub status: Status,
    /// How long it took to answer when it was last asked.
    pub latency: Option<Duration>,
    /// What is wrong and what is being done about it.
    pub detail: Option<String>,
    /// Counts worth showing.
    pub facts: Vec<(&'static str, i64)>,
    /// True if traffic can be sent to the process as far as this part goes.
    pub is_ready: bool,
    /// False if only a restart of the process can help.
    pub is_alive: bool,
}

//! Which work a process does: each kind can be scaled by itself.

/// A kind of work.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Role {
    /// Reads topics and publishes what comes of them.
    Connectors,
    /// Answers requests over HTTP. Without it a process has health and metrics there.
    Api,
}

impl Role {
    /// What a process does that is told nothing else.
    pub const ALL: [Self; 2] = [Self::Connectors, Self::Api];
}

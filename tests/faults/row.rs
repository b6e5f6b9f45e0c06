//! Rows are data and a function each.

use super::cluster::Cluster;
use super::tally::Tally;

/// How much is done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scale {
    /// For every test run.
    Short,
    /// Fits an hour.
    All,
    /// The counts of the acceptance matrix.
    Full,
}

/// What rows work with.
pub struct Bench {
    pub cluster: Cluster,
    pub random: fastrand::Rng,
    pub scale: Scale,
}

impl Bench {
    /// A count by scale.
    pub fn times(&self, short: usize, all: usize, full: usize) -> usize {
        match self.scale {
            Scale::Short => short,
            Scale::All => all,
            Scale::Full => full,
        }
    }
}

pub struct Row {
    /// Stable, so that a row can be named.
    pub number: u32,
    pub fault: &'static str,
    /// ALO, EOS or both.
    pub guarantee: &'static str,
    /// Part of the short selection.
    pub is_short: bool,
    pub run: fn(&mut Bench) -> Tally,
}

impl Row {
    pub const fn new(number: u32, fault: &'static str, guarantee: &'static str, run: fn(&mut Bench) -> Tally) -> Self {
        Self { number, fault, guarantee, is_short: false, run }
    }

    pub const fn short(self) -> Self {
        Self { is_short: true, ..self }
    }
}

//! What the pipeline needs from outside, as traits. Each has an in-memory fake beside it for tests.

pub mod answers;
pub mod clock;
pub mod health;
pub mod journal;
pub mod model;

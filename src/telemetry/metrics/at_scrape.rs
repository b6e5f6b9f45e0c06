//! Gauges that are looked up when somebody scrapes: what they show changes without an event that could tell it, as a
//! budget does at the end of its window.

use std::fmt;
use std::sync::{Mutex, PoisonError};

/// What is done before metrics are written.
#[derive(Default)]
pub(super) struct AtScrape(Mutex<Vec<Box<dyn Fn() + Send + Sync>>>);

impl AtScrape {
    pub(super) fn add(&self, look_up: impl Fn() + Send + Sync + 'static) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(Box::new(look_up));
    }

    pub(super) fn look_up(&self) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).iter().for_each(|look_up| look_up());
    }
}

impl fmt::Debug for AtScrape {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AtScrape").finish_non_exhaustive()
    }
}

//! Waiting with a limit.

use std::time::{Duration, Instant};

/// Waits until `condition` holds.
///
/// # Panics
/// When it does not within `limit`, with the last value that `condition` explained itself with.
pub fn wait_until(what: &str, limit: Duration, mut condition: impl FnMut() -> Result<(), String>) {
    let deadline = Instant::now() + limit;
    loop {
        match condition() {
            Ok(()) => return,
            Err(why) if Instant::now() > deadline => panic!("{what}: not within {limit:?}: {why}"),
            Err(_) => std::thread::sleep(Duration::from_millis(50)),
        }
    }
}

//! The log of a gate that closes and opens: one line for each state that lasts, however often it changes.

use std::time::{Duration, Instant};

/// A gate that was open for so long is open. What closes again before has been closed all the time.
const OPEN_AFTER: Duration = Duration::from_secs(2);
/// Shortest time between two lines that say that it is closed.
const SAY_AGAIN_AFTER: Duration = Duration::from_secs(60);

/// What the log says of the gate.
#[derive(Debug, Default)]
pub(super) struct GateLog {
    is_said_closed: bool,
    /// When the last line said so.
    said_at: Option<Instant>,
    /// Times that it closed since then, without a line.
    unsaid: u64,
    open_since: Option<Instant>,
    is_closed: bool,
}

impl GateLog {
    /// Takes note of why the gate is closed now, or that it is open. It can be neither, while somebody is tried out.
    pub(super) fn observe(&mut self, connector: &str, detail: Option<&str>, is_open: bool, now: Instant) {
        let was_closed = self.is_closed;
        self.is_closed = detail.is_some() || (was_closed && !is_open);
        if let Some(detail) = detail {
            self.open_since = None;
            if self.is_said_closed {
                return;
            }
            let is_soon = self.said_at.is_some_and(|said_at| now < said_at + SAY_AGAIN_AFTER);
            if is_soon {
                self.unsaid += u64::from(!was_closed);
                return;
            }
            tracing::warn!(connector, detail, unsaid = std::mem::take(&mut self.unsaid), "intake pauses");
            (self.is_said_closed, self.said_at) = (true, Some(now));
        } else if is_open && self.is_said_closed {
            let open_since = *self.open_since.get_or_insert(now);
            if now >= open_since + OPEN_AFTER {
                tracing::info!(connector, "intake goes on");
                self.is_said_closed = false;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::telemetry::captured::captured;

    const TURN: Duration = Duration::from_millis(10);

    /// The lines of a gate that is in each of these states for so many turns.
    fn lines(states: impl IntoIterator<Item = (Option<&'static str>, bool, u32)>) -> Vec<String> {
        captured(|| {
            let (mut log, mut now) = (GateLog::default(), Instant::now());
            for (detail, is_open, turns) in states {
                for _ in 0..turns {
                    now += TURN;
                    log.observe("tickets", detail, is_open, now);
                }
            }
        })
    }

    const CLOSED: (Option<&str>, bool, u32) = (Some("the store is away"), false, 300);
    const OPEN: (Option<&str>, bool, u32) = (None, true, 300);

    #[test]
    fn a_state_that_lasts_is_one_line() {
        let lines = lines([OPEN, CLOSED, OPEN]);
        assert!(
            matches!(&lines[..], [a, b] if a.contains("intake pauses") && b.contains("intake goes on")),
            "{lines:?}"
        );
        assert!(lines[0].contains("the store is away"), "{lines:?}");
    }

    #[test]
    fn a_gate_that_flaps_is_one_state() {
        let flapping = [(Some("too many open files"), false, 1), (None, true, 1)].into_iter().cycle().take(10_000);
        let all = lines(flapping);
        assert_eq!(all.len(), 1, "{all:?}");
    }

    #[test]
    fn one_that_closes_for_seconds_again_and_again_is_said_once_a_minute() {
        let all = lines([CLOSED, OPEN].into_iter().cycle().take(40));
        let pauses: Vec<&String> = all.iter().filter(|line| line.contains("intake pauses")).collect();
        assert_eq!(pauses.len(), 2, "{all:?}");
        assert!(pauses[1].contains("unsaid=9"), "{all:?}");
    }

    #[test]
    fn a_probe_does_not_open_it() {
        let all = lines([CLOSED, (None, false, 500), CLOSED]);
        assert_eq!(all.len(), 1, "{all:?}");
    }
}

//! Durations as people write them.

use std::time::Duration;

use super::document::{Node, Origin, Value};
use super::values::Problem;
use crate::domain::duration;

/// Longest duration: longer ones are slips, and sums with the clock must not overflow.
const LONGEST: Duration = Duration::from_secs(366 * 24 * 3600);

/// Reads `250ms`, `10s`, `5m`, `24h` or `7d`: a whole number and a unit. A bare number would leave the unit to
/// guessing.
pub(crate) fn duration(node: &Node) -> Result<Duration, Problem> {
    const HELP: &str = "write a whole number and a unit: 250ms, 10s, 5m, 24h or 7d";
    let value = node.scalar();
    let text = match &value {
        Value::Text { text, .. } => text,
        Value::Number { .. } => {
            return Err(Problem::new("expected a duration, found a number without a unit", HELP));
        }
        other @ (Value::Null | Value::Bool { .. } | Value::List(_) | Value::Map(_)) => {
            return Err(Problem::expected("a duration", other).help(HELP));
        }
    };
    match duration::parse(text) {
        None => Err(Problem::new("this is not a duration", HELP)),
        Some(duration) if duration > LONGEST => Err(Problem::new("the duration is longer than 366 days", HELP)),
        Some(duration) => Ok(duration),
    }
}

/// Reads a duration from the command line.
///
/// # Errors
/// What is wrong with it, and how one is written.
pub fn parse_duration(text: &str) -> Result<Duration, String> {
    let node = Node { origin: Origin::Whole, value: Value::of_plain(text) };
    duration(&node)
        .map_err(|Problem { message, help }| if help.is_empty() { message } else { format!("{message}; {help}") })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Duration, Problem> {
        duration(&Node { origin: Origin::Whole, value: Value::of_plain(text) })
    }

    #[test]
    fn a_number_needs_a_unit() {
        assert_eq!(read("250ms").unwrap(), Duration::from_millis(250));
        assert_eq!(read("10s").unwrap(), Duration::from_secs(10));
        assert_eq!(read("5m").unwrap(), Duration::from_secs(300));
        assert_eq!(read("24h").unwrap(), Duration::from_secs(86_400));
        assert_eq!(read("7d").unwrap(), Duration::from_secs(604_800));
        assert_eq!(read("0s").unwrap(), Duration::ZERO);
        assert!(read("10").unwrap_err().help.contains("unit"));
        assert_eq!(parse_duration("90s"), Ok(Duration::from_secs(90)));
        assert!(parse_duration("90").unwrap_err().contains("5m"));
    }

    #[test]
    fn refuses_what_is_not_a_duration() {
        for text in ["", "s", "-1s", "1.5s", "1 s", "1w", "9999999h", "99999999999999999999s", "true", "1s "] {
            assert!(read(text).is_err(), "{text}");
        }
    }
}

//! Durations as people write them.

use std::time::Duration;

const UNITS: [(&str, u64); 5] = [("ms", 1), ("s", 1_000), ("m", 60_000), ("h", 3_600_000), ("d", 86_400_000)];

/// Reads `250ms`, `10s`, `5m`, `24h` or `7d`: a whole number and a unit. `None` for any other text; what is longer than
/// can be counted is the longest of all.
pub fn parse(text: &str) -> Option<Duration> {
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let (number, unit) = text.split_at_checked(digits).filter(|(number, _)| !number.is_empty())?;
    let (_, scale) = UNITS.iter().find(|(name, _)| *name == unit)?;
    // Digits that are no number are one that is too large.
    let millis = number.parse::<u64>().ok().and_then(|number| number.checked_mul(*scale));
    Some(millis.map_or(Duration::MAX, Duration::from_millis))
}

/// Writes what [`parse`] reads, in the largest unit that leaves nothing over, to the millisecond.
pub fn text(duration: Duration) -> String {
    let millis = u64::try_from(duration.as_millis()).unwrap_or(u64::MAX);
    let whole = UNITS.iter().rev().find(|(_, scale)| millis >= *scale && millis.is_multiple_of(*scale));
    whole.map_or_else(|| format!("{millis}ms"), |(unit, scale)| format!("{}{unit}", millis / scale))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_again() {
        for text in ["0ms", "250ms", "1500ms", "10s", "90s", "5m", "24h", "366d", "25h"] {
            let duration = parse(text).unwrap();
            assert_eq!(parse(&super::text(duration)), Some(duration), "{text}");
        }
        assert_eq!(text(Duration::from_secs(90)), "90s");
        assert_eq!(text(Duration::from_secs(86_400 * 366)), "366d");
    }

    #[test]
    fn a_number_needs_a_unit() {
        assert_eq!(parse("250ms"), Some(Duration::from_millis(250)));
        assert_eq!(parse("0s"), Some(Duration::ZERO));
        assert_eq!(parse("5m"), Some(Duration::from_secs(300)));
        assert_eq!(parse("1h"), Some(Duration::from_secs(3600)));
        assert_eq!(parse("7d"), Some(Duration::from_secs(604_800)));
        for text in ["", "10", "s", "-1s", "1.5s", "1 s", "1s ", "1w", "1µs", "true"] {
            assert_eq!(parse(text), None, "{text}");
        }
    }

    #[test]
    fn what_cannot_be_counted_is_the_longest_of_all() {
        for text in ["99999999999999999999s", "18446744073709551615d"] {
            assert_eq!(parse(text), Some(Duration::MAX), "{text}");
        }
    }
}

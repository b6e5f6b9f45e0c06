//! How long things took, in few numbers that can be added up.

use std::time::Duration;

/// Counts by duration: each bucket ends at 1.78 times the end of the one before (a quarter of a power of ten), from
/// 1 ms to 100 s. A quantile read from it is off by a quarter at most, mostly by far less.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct LatencyHistogram(pub [u64; LatencyHistogram::BUCKETS]);

impl LatencyHistogram {
    /// Number of buckets. The last one has all that took longer, too.
    pub const BUCKETS: usize = 21;

    /// The bucket of a duration.
    pub fn bucket(latency: Duration) -> usize {
        let millis = latency.as_secs_f64() * 1e3;
        (0..Self::BUCKETS - 1).find(|index| millis <= upper_bound(*index)).unwrap_or(Self::BUCKETS - 1)
    }

    /// Counts one.
    pub fn record(&mut self, latency: Duration) {
        self.0[Self::bucket(latency)] += 1;
    }

    /// Adds the counts of another one.
    pub fn add(&mut self, other: &Self) {
        for (count, more) in self.0.iter_mut().zip(other.0) {
            *count += more;
        }
    }

    /// The duration that this part of all (0.0–1.0) did not exceed; `None` if nothing was counted.
    pub fn quantile(&self, part: f64) -> Option<Duration> {
        let total: u64 = self.0.iter().sum();
        if total == 0 {
            return None;
        }
        let wanted = (as_f64(total) * part).max(1.0);
        let mut before = 0.0;
        for (index, count) in self.0.iter().enumerate() {
            let count = as_f64(*count);
            if before + count >= wanted {
                let lower = if index == 0 { 0.0 } else { upper_bound(index - 1) };
                let millis = lower + (upper_bound(index) - lower) * (wanted - before) / count;
                return Some(Duration::from_secs_f64(millis / 1e3));
            }
            before += count;
        }
        None
    }
}

/// Where a bucket ends, in milliseconds.
fn upper_bound(index: usize) -> f64 {
    10_f64.powf(as_f64(index as u64) / 4.0)
}

#[allow(clippy::cast_precision_loss, reason = "nobody counts to 2^53")]
fn as_f64(count: u64) -> f64 {
    count as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_are_near_the_true_ones() {
        let mut histogram = LatencyHistogram::default();
        assert_eq!(histogram.quantile(0.5), None);
        for millis in 1..=1000 {
            histogram.record(Duration::from_millis(millis));
        }
        for (part, true_millis) in [(0.5, 500.0), (0.95, 950.0), (0.01, 10.0)] {
            let millis = histogram.quantile(part).unwrap().as_secs_f64() * 1e3;
            assert!((millis / true_millis - 1.0).abs() < 0.25, "{part}: {millis}");
        }
    }

    #[test]
    fn what_took_very_long_is_counted_too() {
        let mut histogram = LatencyHistogram::default();
        histogram.record(Duration::ZERO);
        histogram.record(Duration::from_secs(3600));
        assert_eq!((histogram.0[0], histogram.0[LatencyHistogram::BUCKETS - 1]), (1, 1));
        let mut sum = histogram;
        sum.add(&histogram);
        assert_eq!(sum.0.iter().sum::<u64>(), 4);
        assert!(sum.quantile(1.0).unwrap() <= Duration::from_secs(101));
    }
}

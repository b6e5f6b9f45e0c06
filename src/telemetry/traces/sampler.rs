//! Which traces are exported.

/// What the `OTEL_TRACES_SAMPLER` of the user says.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Sampler {
    /// The share of traces, of those that nobody has decided about.
    pub ratio: f64,
    /// Whether whoever began a trace has decided about it.
    pub follows_parent: bool,
}

impl Default for Sampler {
    /// `parentbased_always_on`, as the specification of OpenTelemetry says.
    fn default() -> Self {
        Self { ratio: 1.0, follows_parent: true }
    }
}

impl Sampler {
    /// Whether a trace is sampled. `parent` is what the span before ours says, if there is one.
    ///
    /// The decision about a ratio is made by the trace's id alone, so that each process, and a record that is read again,
    /// comes to the same one. Of an id 56 bits are random (Trace Context level 2); a share has 53.
    pub fn samples(self, trace_id: u128, parent: Option<bool>) -> bool {
        const RANDOM_BITS: u32 = 56;
        const DIGITS: u32 = f64::MANTISSA_DIGITS;
        if let Some(is_sampled) = parent.filter(|_| self.follows_parent) {
            return is_sampled;
        }
        let random = u64::try_from(trace_id & ((1 << RANDOM_BITS) - 1)).unwrap_or(u64::MAX);
        // A share has so many digits; one more would be rounded, in the end to 1.
        #[allow(clippy::cast_precision_loss, reason = "all digits are there")]
        let place = (random >> (RANDOM_BITS - DIGITS)) as f64 / (1_u64 << DIGITS) as f64;
        place >= 1.0 - self.ratio
    }

    /// Whether the traces of failures are exported though they are not sampled: unless the user wants none at all.
    pub fn keeps_failures(self) -> bool {
        self.ratio > 0.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ratio(ratio: f64) -> Sampler {
        Sampler { ratio, follows_parent: true }
    }

    #[test]
    fn a_parent_decides_and_a_ratio_decides_without_one() {
        assert!(ratio(0.0).samples(1, Some(true)));
        assert!(!ratio(1.0).samples(1, Some(false)));
        assert!(Sampler { ratio: 1.0, follows_parent: false }.samples(1, Some(false)));
        assert!(ratio(1.0).samples(1, None) && ratio(1.0).samples(u128::MAX, None));
        assert!(!ratio(0.0).samples(1, None) && !ratio(0.0).samples(u128::MAX, None));
    }

    #[test]
    fn a_tenth_of_random_ids_is_a_tenth() {
        let mut random = fastrand::Rng::with_seed(7);
        let sampled = (0..100_000).filter(|_| ratio(0.1).samples(random.u128(..), None)).count();
        assert!((9_500..10_500).contains(&sampled), "{sampled}");
    }

    #[test]
    fn whoever_wants_no_traces_gets_none_of_failures() {
        assert!(!ratio(0.0).keeps_failures());
        assert!(ratio(0.001).keeps_failures());
    }
}

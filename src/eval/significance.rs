//! Whether a difference on the same labels is more than chance.

use super::interval::as_f64;

/// A difference that chance makes in fewer than one comparison of twenty is called more than noise.
pub const LEVEL: f64 = 0.05;

/// How likely it is that of `better + worse` labels on which two variants differ so many or more speak for one of them,
/// if both were as good: the two-sided exact binomial test. For right and wrong it is McNemar's test, for scores the
/// sign test.
pub fn paired(better: usize, worse: usize) -> f64 {
    let (all, fewer) = (better + worse, better.min(worse));
    if all == 0 {
        return 1.0;
    }
    // In logarithms, because 2^-n is 0 for n beyond 1074.
    let mut term = -as_f64(all) * std::f64::consts::LN_2;
    let mut tail = term.exp();
    for k in 1..=fewer {
        term += (as_f64(all - k + 1) / as_f64(k)).ln();
        tail += term.exp();
    }
    (2.0 * tail).min(1.0)
}

/// The values of several tests that were made together, each so large that a single small one among many is not taken
/// for a finding (Holm 1979).
pub fn holm(values: &[f64]) -> Vec<f64> {
    let mut order: Vec<(usize, f64)> = values.iter().copied().enumerate().collect();
    order.sort_by(|a, b| a.1.total_cmp(&b.1));
    let mut adjusted = vec![1.0; values.len()];
    let mut largest = 0.0_f64;
    for (rank, (index, value)) in order.into_iter().enumerate() {
        largest = largest.max((value * as_f64(values.len() - rank)).min(1.0));
        if let Some(slot) = adjusted.get_mut(index) {
            *slot = largest;
        }
    }
    adjusted
}

#[cfg(test)]
mod tests {
    use super::*;

    fn near(value: f64, expected: f64) {
        assert!((value - expected).abs() < 1e-6, "{value} is not {expected}");
    }

    #[test]
    fn exact_tests_are_those_of_the_binomial_distribution() {
        near(paired(5, 0), 0.0625);
        near(paired(0, 6), 0.03125);
        near(paired(9, 1), 0.021_484_375);
        near(paired(4, 4), 1.0);
        near(paired(0, 0), 1.0);
        near(paired(59, 101), 0.001_122_9);
        assert!(paired(5000, 5000) > 0.99 && paired(3000, 3400) < 1e-6 && paired(3000, 3010) > 0.5);
    }

    #[test]
    fn many_tests_together_ask_for_more() {
        let adjusted = holm(&[0.01, 0.04, 0.03, 0.005]);
        for (value, expected) in adjusted.iter().zip([0.03, 0.06, 0.06, 0.02]) {
            near(*value, expected);
        }
        assert_eq!(holm(&[]), Vec::<f64>::new());
        near(holm(&[0.7, 0.9])[1], 1.0);
    }
}

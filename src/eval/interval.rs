//! Shares with the interval that they may really lie in.

use serde::Serialize;

/// How many standard errors a 95 % interval reaches to each side.
const Z: f64 = 1.959_963_984_540_054;

/// A part of a whole, with the 95 % interval of the share that it stands for.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Share {
    /// How many have it.
    pub count: usize,
    /// Of how many.
    pub of: usize,
    /// `count` as a part of `of`; `None` of nothing.
    pub rate: Option<f64>,
    /// The lower end of the interval.
    pub low: f64,
    /// The upper end of the interval.
    pub high: f64,
}

impl Share {
    /// `count` of `of` that are independent of each other: Wilson's interval, which also holds for few and for none.
    pub fn of(count: usize, of: usize) -> Self {
        Self::with_effective(count, of, as_f64(of))
    }

    /// All that is right in groups of `(right, of)`, whose members stand or fall together: a record that a model has
    /// misunderstood has several wrong fields. So the interval counts as many independent members as the spread between
    /// the groups says, at least one for each group.
    pub fn of_groups(groups: impl Iterator<Item = (usize, usize)> + Clone) -> Self {
        let groups = groups.filter(|(_, of)| *of > 0);
        let (count, of, number) =
            groups.clone().fold((0, 0, 0), |(count, of, number), (right, all)| (count + right, of + all, number + 1));
        if number < 2 {
            return Self::with_effective(count, of, as_f64(number));
        }
        let (all, number) = (as_f64(of), as_f64(number));
        let rate = as_f64(count) / all;
        // The variance of a ratio of sums, linearised (Cochran, Sampling Techniques, section 6.3).
        let squares: f64 = groups.map(|(right, of)| (as_f64(right) - rate * as_f64(of)).powi(2)).sum();
        let variance = squares * number / (number - 1.0) / (all * all);
        let effective = if variance > 0.0 { rate * (1.0 - rate) / variance } else { number };
        Self::with_effective(count, of, effective.clamp(number.min(all), all))
    }

    /// Of all in these records, how many are so, where that can be said of them. Those of one record stand or fall
    /// together.
    pub(super) fn of_records<'a, T: 'a>(
        records: impl Iterator<Item = &'a [T]>,
        is_so: impl Fn(&T) -> Option<bool>,
    ) -> Self {
        let count = |record: &[T]| {
            let said = record.iter().filter_map(&is_so);
            said.fold((0, 0), |(count, of), is_so| (count + usize::from(is_so), of + 1))
        };
        let groups: Vec<(usize, usize)> = records.map(count).collect();
        Self::of_groups(groups.into_iter())
    }

    fn with_effective(count: usize, of: usize, effective: f64) -> Self {
        if of == 0 {
            return Self { count, of, rate: None, low: 0.0, high: 1.0 };
        }
        let rate = as_f64(count) / as_f64(of);
        let square = Z * Z;
        let centre = (rate + square / (2.0 * effective)) / (1.0 + square / effective);
        let spread = (rate * (1.0 - rate) / effective + square / (4.0 * effective * effective)).sqrt();
        let half = Z * spread / (1.0 + square / effective);
        // Rounding must not put the rate itself outside.
        let (low, high) = ((centre - half).clamp(0.0, rate), (centre + half).clamp(rate, 1.0));
        Self { count, of, rate: Some(rate), low, high }
    }
}

#[allow(clippy::cast_precision_loss, reason = "nobody counts to 2^53")]
pub(super) fn as_f64(count: usize) -> f64 {
    count as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    fn near(value: f64, expected: f64) {
        assert!((value - expected).abs() < 5e-4, "{value} is not {expected}");
    }

    #[test]
    fn intervals_are_those_of_the_tables() {
        // Newcombe 1998, table I: 81 of 263, 15 of 148, 0 of 20, 1 of 29.
        for (count, of, low, high) in [(81, 263, 0.2553, 0.3662), (15, 148, 0.0624, 0.1605), (0, 20, 0.0, 0.1611)] {
            let share = Share::of(count, of);
            near(share.low, low);
            near(share.high, high);
        }
        near(Share::of(1, 29).low, 0.0061);
        near(Share::of(20, 20).low, 1.0 - 0.1611);
        assert_eq!(Share::of(0, 0), Share { count: 0, of: 0, rate: None, low: 0.0, high: 1.0 });
    }

    #[test]
    fn fields_that_fall_together_widen_the_interval() {
        let apart = (0..40).map(|index| if index % 2 == 0 { (5, 10) } else { (4, 10) });
        let together = (0..40).map(|index| if index < 18 { (10, 10) } else { (0, 10) });
        let (apart, together) = (Share::of_groups(apart), Share::of_groups(together));
        assert_eq!((apart.count, apart.of), (180, 400));
        assert_eq!((together.count, together.of), (180, 400));
        near(apart.low, Share::of(180, 400).low);
        near(together.high - together.low, Share::of(18, 40).high - Share::of(18, 40).low);
    }

    #[test]
    fn what_is_said_of_values_is_counted_record_by_record() {
        let records = [vec![Some(true); 5], vec![Some(false), None], vec![None]];
        let share = Share::of_records(records.iter().map(Vec::as_slice), |said| *said);
        assert_eq!(share, Share::of_groups([(5, 5), (0, 1)].into_iter()));
    }

    #[test]
    fn all_right_counts_as_many_as_there_are_records() {
        let share = Share::of_groups((0..30).map(|_| (5, 5)));
        near(share.low, Share::of(30, 30).low);
        assert_eq!(Share::of_groups(std::iter::empty()).rate, None);
        assert_eq!(Share::of_groups([(0, 0), (1, 1)].into_iter()).of, 1);
    }
}

//! What a provider takes of schemas, whichever they are.
//!
//! Each schema finds out for itself how it can be sent ([`super::provider_schema`]), at the price of refused calls.
//! Where schemas come with requests, each of them would pay that price again at a provider that takes none.

use std::sync::atomic::{AtomicU8, AtomicU32, Ordering};

use super::provider_schema::SchemaMode;

/// Schemas that have to be given up, none being answered meanwhile, before others are no longer tried: a few that a
/// provider does not take say nothing of others.
const EVIDENCE: u32 = 8;

/// What has become of all schemas that were sent to one provider.
#[derive(Debug, Default)]
pub(super) struct SchemaSupport {
    /// The modes in which any schema was ever answered, one bit each.
    answered: AtomicU8,
    /// Schemas that were given up as strict ones, and as hints.
    given_up: [AtomicU32; 2],
    /// Schemas so far.
    schemas: AtomicU32,
}

impl SchemaSupport {
    /// The mode in which a new schema is sent at first. Now and then one is tried in full in spite of the evidence, so
    /// that a mistake does not last.
    pub(super) fn first_mode(&self) -> SchemaMode {
        let number = self.schemas.fetch_add(1, Ordering::Relaxed) + 1;
        if number.is_power_of_two() {
            return SchemaMode::Strict;
        }
        let answered = self.answered.load(Ordering::Relaxed);
        let is_hopeless = |mode: &SchemaMode| {
            let given_up = self.given_up.get(*mode as usize).is_some_and(|n| n.load(Ordering::Relaxed) >= EVIDENCE);
            given_up && SchemaMode::ALL.into_iter().all(|one| one > *mode || answered & one.bit() == 0)
        };
        let hopeless = [SchemaMode::Hint, SchemaMode::Strict].into_iter().find(is_hopeless);
        hopeless.map_or(SchemaMode::Strict, SchemaMode::looser)
    }

    /// A request with a schema in this mode was answered.
    pub(super) fn answered(&self, mode: SchemaMode) {
        if self.answered.load(Ordering::Relaxed) & mode.bit() == 0 {
            self.answered.fetch_or(mode.bit(), Ordering::Relaxed);
        }
    }

    /// A schema that could be sent in the mode `from` is from now on sent in the mode `to`. True when that is the last
    /// piece of evidence that others are not tried either.
    pub(super) fn gave_up(&self, from: SchemaMode, to: SchemaMode) -> bool {
        let mut is_enough = false;
        for (mode, count) in SchemaMode::ALL.into_iter().zip(&self.given_up) {
            if from <= mode && mode < to {
                is_enough |= count.fetch_add(1, Ordering::Relaxed) + 1 == EVIDENCE;
            }
        }
        is_enough
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use SchemaMode::{Hint, Instructions, Strict};

    /// The first modes of so many new schemas, those that are tried in spite of the evidence left out.
    fn first_modes(support: &SchemaSupport, schemas: usize) -> Vec<SchemaMode> {
        let mut modes: Vec<_> = (0..schemas).map(|_| support.first_mode()).collect();
        modes.dedup();
        modes
    }

    #[test]
    fn a_provider_that_takes_no_schema_is_not_tried_with_each_new_one() {
        let support = SchemaSupport::default();
        for _ in 0..EVIDENCE {
            assert_eq!(support.first_mode(), Strict);
            support.gave_up(Strict, Instructions);
            support.answered(Instructions);
        }
        assert_eq!(first_modes(&support, 7), [Instructions]);
        assert_eq!(support.first_mode(), Strict, "the sixteenth is tried");
        assert_eq!(first_modes(&support, 15), [Instructions]);
    }

    #[test]
    fn one_schema_that_is_answered_speaks_for_all_new_ones() {
        let support = SchemaSupport::default();
        for _ in 0..2 * EVIDENCE {
            support.gave_up(Strict, Instructions);
        }
        support.answered(Strict);
        assert_eq!(first_modes(&support, 40), [Strict]);
    }

    #[test]
    fn a_provider_that_takes_hints_gets_hints() {
        let support = SchemaSupport::default();
        for _ in 0..EVIDENCE {
            support.gave_up(Strict, Hint);
            support.answered(Hint);
        }
        for _ in 0..EVIDENCE {
            support.gave_up(Hint, Instructions);
        }
        first_modes(&support, 8);
        assert_eq!(first_modes(&support, 7), [Hint]);
    }
}

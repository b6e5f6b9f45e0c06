//! What a second provider, asked the same, says of an answer.

/// How far two answers to the same question are the same.
#[derive(Debug, Clone, PartialEq)]
pub struct Agreement {
    share: f64,
    values: Vec<(String, bool)>,
}

impl Agreement {
    /// Of fields of which this share, within 0.0–1.0, is the same. `values` are those of the answer that were compared,
    /// by their JSON Pointers in it, and whether the other answer has them too.
    pub fn new(share: f64, mut values: Vec<(String, bool)>) -> Self {
        values.sort_unstable();
        values.shrink_to_fit();
        Self { share, values }
    }

    /// The share of the schema's fields that are the same. A list is one field.
    pub fn share(&self) -> f64 {
        self.share
    }

    /// The values that were compared, in the order of their JSON Pointers.
    pub fn values(&self) -> &[(String, bool)] {
        &self.values
    }

    /// Whether the other answer has the value at this JSON Pointer, too, as far as the two were compared there. Objects
    /// that the schema does not describe are compared as a whole.
    pub fn of(&self, pointer: &str) -> Option<bool> {
        let around = std::iter::successors(Some(pointer), |pointer| pointer.rsplit_once('/').map(|(around, _)| around));
        let find = |pointer: &str| self.values.binary_search_by(|(known, _)| known.as_str().cmp(pointer)).ok();
        let (_, is_same) = self.values.get(around.into_iter().find_map(find)?)?;
        Some(*is_same)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_is_found_by_its_place_or_by_the_one_around_it_that_was_compared() {
        let values = [("/b", false), ("/a/0", true), ("/a/10", false), ("/free", true)];
        let agreement = Agreement::new(0.5, values.map(|(pointer, is_same)| (pointer.to_owned(), is_same)).into());
        for (pointer, is_same) in [
            ("/b", Some(false)),
            ("/a/0", Some(true)),
            ("/a/10", Some(false)),
            ("/a/1", None),
            ("/a", None),
            ("/free/x/y", Some(true)),
            ("/freely", None),
            ("", None),
        ] {
            assert_eq!(agreement.of(pointer), is_same, "{pointer}");
        }
        let whole = Agreement::new(1.0, vec![(String::new(), true)]);
        assert_eq!((whole.of(""), whole.of("/a/b")), (Some(true), Some(true)));
    }
}

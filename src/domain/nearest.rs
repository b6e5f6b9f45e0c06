//! "Did you mean …": the nearest of the names that exist.

/// Longest name that is compared; the cost grows with the square.
const LONGEST: usize = 64;

/// The candidate with the fewest edits from `name`, if those are few enough for a slip of the fingers.
pub fn nearest<'a>(name: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    if name.len() > LONGEST {
        return None;
    }
    let allowed = if name.chars().count() < 5 { 1 } else { 2 };
    let scored = candidates.into_iter().map(|candidate| (distance(name, candidate), candidate));
    scored.filter(|(edits, _)| *edits <= allowed).min_by_key(|(edits, _)| *edits).map(|(_, candidate)| candidate)
}

/// Edits between two words: insert, delete, replace, or swap two neighbours (the optimal string alignment distance).
fn distance(a: &str, b: &str) -> usize {
    let (a, b): (Vec<char>, Vec<char>) = (a.chars().collect(), b.chars().collect());
    let mut rows: Vec<Vec<usize>> = vec![(0..=b.len()).collect()];
    let cell = |rows: &[Vec<usize>], i: usize, j: usize| rows.get(i).and_then(|row| row.get(j)).copied().unwrap_or(0);
    for i in 1..=a.len() {
        rows.push(vec![i]);
        for j in 1..=b.len() {
            let replace = cell(&rows, i - 1, j - 1) + usize::from(a.get(i - 1) != b.get(j - 1));
            let mut best = replace.min(cell(&rows, i - 1, j) + 1).min(cell(&rows, i, j - 1) + 1);
            let swapped = i > 1 && j > 1 && a.get(i - 1) == b.get(j - 2) && a.get(i - 2) == b.get(j - 1);
            if swapped {
                best = best.min(cell(&rows, i - 2, j - 2) + 1);
            }
            if let Some(row) = rows.get_mut(i) {
                row.push(best);
            }
        }
    }
    cell(&rows, a.len(), b.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_edits() {
        assert_eq!(distance("topics", "topics"), 0);
        assert_eq!(distance("topisc", "topics"), 1);
        assert_eq!(distance("", "abc"), 3);
        assert_eq!(distance("kitten", "sitting"), 3);
    }

    #[test]
    fn suggests_slips_and_nothing_else() {
        let known = ["topics", "group", "format"];
        assert_eq!(nearest("topic", known), Some("topics"));
        assert_eq!(nearest("grup", known), Some("group"));
        assert_eq!(nearest("schema", known), None);
        assert_eq!(nearest(&"x".repeat(10_000), known), None);
    }
}

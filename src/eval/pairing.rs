//! Which items of two lists belong together.

/// A column of the table.
#[derive(Debug, Clone, Default)]
struct Column {
    /// The row that it is paired with.
    row: Option<usize>,
    price: i64,
    /// The cheapest way to it from the row that looks for a column, and the column before it on that way.
    cost: i64,
    before: Option<usize>,
    is_reached: bool,
}

/// The columns of the rows that are paired so far. What a pair costs is at least the price of its row plus that of its
/// column, and exactly that for the pairs of the pairing: so no other pairing of these rows costs less.
struct Pairing<'a> {
    weights: &'a [Vec<u32>],
    row_prices: Vec<i64>,
    columns: Vec<Column>,
}

/// For each row the column that it is paired with, so that the weights of all pairs together are as large as can be.
/// A pair without any weight is none. This is the Hungarian method (Kuhn 1955).
pub(super) fn heaviest(weights: &[Vec<u32>]) -> Vec<Option<usize>> {
    let (rows, columns) = (weights.len(), weights.first().map_or(0, Vec::len));
    if rows > columns {
        let turned: Vec<Vec<u32>> =
            (0..columns).map(|column| weights.iter().map(|row| row[column]).collect()).collect();
        let mut of_rows = vec![None; rows];
        for (column, row) in heaviest(&turned).into_iter().enumerate() {
            row.into_iter().for_each(|row: usize| of_rows[row] = Some(column));
        }
        return of_rows;
    }
    let mut pairing = Pairing { weights, row_prices: vec![0; rows], columns: vec![Column::default(); columns] };
    (0..rows).for_each(|row| pairing.add(row));
    let mut of_rows = vec![None; rows];
    for (index, column) in pairing.columns.iter().enumerate() {
        if let Some(row) = column.row.filter(|row| weights[*row][index] > 0) {
            of_rows[row] = Some(index);
        }
    }
    of_rows
}

impl Pairing<'_> {
    /// Finds a column for another row. Others may move to another column for it.
    fn add(&mut self, row: usize) {
        for column in &mut self.columns {
            (column.cost, column.before, column.is_reached) = (i64::MAX, None, false);
        }
        let Some(mut at) = self.way_to_free_column(row) else { return };
        while let Some(before) = self.columns[at].before {
            self.columns[at].row = self.columns[before].row;
            at = before;
        }
        self.columns[at].row = Some(row);
    }

    /// The cheapest column that is free, counting what it costs to move others; `before` leads back to the row.
    fn way_to_free_column(&mut self, row: usize) -> Option<usize> {
        let (mut current, mut before) = (row, None);
        loop {
            let price = self.row_prices[current];
            for (column, weight) in self.columns.iter_mut().zip(&self.weights[current]) {
                let cost = -i64::from(*weight) - price - column.price;
                if !column.is_reached && cost < column.cost {
                    (column.cost, column.before) = (cost, before);
                }
            }
            let open = self.columns.iter().enumerate().filter(|(_, column)| !column.is_reached);
            let (nearest, cost) = open.map(|(index, column)| (index, column.cost)).min_by_key(|(_, cost)| *cost)?;
            self.row_prices[row] += cost;
            for column in &mut self.columns {
                if column.is_reached {
                    column.price -= cost;
                    column.row.into_iter().for_each(|row| self.row_prices[row] += cost);
                } else {
                    column.cost -= cost;
                }
            }
            self.columns[nearest].is_reached = true;
            let Some(next) = self.columns[nearest].row else { return Some(nearest) };
            (current, before) = (next, Some(nearest));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The largest weight of any pairing, by trying all of them.
    fn largest(weights: &[Vec<u32>], taken: &mut Vec<usize>) -> u32 {
        let Some(row) = weights.get(taken.len()) else { return 0 };
        let mut best = 0;
        for column in 0..=row.len() {
            if column < row.len() && taken.contains(&column) {
                continue;
            }
            let weight = row.get(column).copied().unwrap_or(0);
            taken.push(column);
            best = best.max(weight + largest(weights, taken));
            taken.pop();
        }
        best
    }

    #[test]
    fn no_pairing_is_heavier() {
        // A small generator (Knuth's constants) makes tables of all shapes.
        let mut state = 1_u64;
        let mut next = move |below: u64| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (state >> 33) % below
        };
        for _ in 0..2_000 {
            let (rows, columns) = (next(6), next(6));
            let mut weight = || u32::try_from(next(5)).unwrap();
            let weights: Vec<Vec<u32>> = (0..rows).map(|_| (0..columns).map(|_| weight()).collect()).collect();
            let pairs: Vec<(usize, usize)> =
                heaviest(&weights).iter().enumerate().filter_map(|(row, column)| Some((row, (*column)?))).collect();
            let columns: std::collections::HashSet<_> = pairs.iter().map(|(_, column)| column).collect();
            assert_eq!(columns.len(), pairs.len(), "a column is taken twice: {weights:?}");
            assert!(pairs.iter().all(|(row, column)| weights[*row][*column] > 0), "{weights:?}");
            let sum: u32 = pairs.iter().map(|(row, column)| weights[*row][*column]).sum();
            assert_eq!(sum, largest(&weights, &mut Vec::new()), "{weights:?}");
        }
    }

    #[test]
    fn rows_move_to_make_room_for_others() {
        assert_eq!(heaviest(&[vec![2, 1], vec![2, 0]]), [Some(1), Some(0)]);
        assert_eq!(heaviest(&[vec![1], vec![3], vec![2]]), [None, Some(0), None]);
        assert_eq!(heaviest(&[]), Vec::<Option<usize>>::new());
        assert_eq!(heaviest(&[vec![], vec![]]), [None, None]);
    }
}

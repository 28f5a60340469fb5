//! Which columns of a Parquet file get a dictionary.
//!
//! In: a column of the first rows. Out: whether its values will repeat so often that a dictionary
//! of them stays small. A dictionary that grows too large is given up, but then each value has been
//! looked up until then, which costs more than to encode it.

use std::hash::Hash;

use arrow::array::{Array, ArrayRef, AsArray};
use arrow::datatypes::DataType;
use foldhash::fast::RandomState;
use hashbrown::HashSet;

use super::dictionary::DICTIONARY_BYTES;

/// The rows that are looked at.
const SAMPLE_ROWS: usize = 8 * 1024;
/// Fewer values tell nothing.
const MIN_VALUES: usize = 1024;

/// Whether a column that begins so is written with a dictionary.
pub(super) fn is_worthwhile(column: &ArrayRef) -> bool {
    let column = column.slice(0, column.len().min(SAMPLE_ROWS));
    let Some(sample) = Sample::of(&column) else { return true };
    sample.values < MIN_VALUES
        || sample.distinct_in_all() * sample.mean_bytes() <= DICTIONARY_BYTES as f64
}

/// Some values of a column.
struct Sample {
    values: usize,
    distinct: usize,
    /// Of all values together, as a dictionary would have them.
    bytes: usize,
}

impl Sample {
    /// `None`: values of this type have no dictionary.
    fn of(column: &ArrayRef) -> Option<Sample> {
        let values = column.len() - column.null_count();
        if column.data_type() == &DataType::Utf8 {
            let texts = column.as_string::<i32>();
            let bytes = texts.iter().flatten().map(|text| 4 + text.len()).sum();
            return Some(Sample { values, distinct: distinct(texts.iter().flatten()), bytes });
        }
        let width = column.data_type().primitive_width()?;
        let data = column.to_data();
        let buffer = data.buffers().first()?.as_slice();
        let from = data.offset() * width;
        let buffer = buffer.get(from..from + column.len() * width)?;
        let places = buffer.chunks_exact(width).enumerate();
        let distinct = distinct(places.filter(|(row, _)| column.is_valid(*row)).map(|(_, v)| v));
        Some(Sample { values, distinct, bytes: values * width })
    }

    fn mean_bytes(&self) -> f64 {
        self.bytes as f64 / self.values.max(1) as f64
    }

    /// How many distinct values there are, if all are about equally frequent: of `D` values, `n`
    /// drawn by chance show `D * (1 - exp(-n / D))`. (For example, 5,600 distinct ones among 8,192
    /// come of about 10,000.)
    fn distinct_in_all(&self) -> f64 {
        let (drawn, seen) = (self.values as f64, self.distinct as f64);
        let shown = |of: f64| of * (1.0 - (-drawn / of).exp());
        let (mut low, mut high) = (seen, 1e9);
        for _ in 0..60 {
            let middle = (low + high) / 2.0;
            if shown(middle) < seen { low = middle } else { high = middle }
        }
        low
    }
}

fn distinct<T: Hash + Eq>(values: impl Iterator<Item = T>) -> usize {
    values.collect::<HashSet<T, RandomState>>().len()
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow::array::{Decimal128Array, Int64Array, StringArray};

    use super::*;

    /// Numbers that look like chance, and come again after `distinct` of them at the earliest.
    fn numbers(distinct: u64) -> impl Iterator<Item = i64> {
        let next = |n: &u64| Some(n.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1));
        std::iter::successors(Some(7_u64), next)
            .map(move |n| i64::try_from((n >> 33) % distinct).unwrap_or(0))
            .take(16 * 1024)
    }

    #[test]
    fn what_repeats_gets_a_dictionary_and_what_does_not_gets_none() {
        let whole =
            |distinct| Arc::new(Int64Array::from_iter_values(numbers(distinct))) as ArrayRef;
        let texts = |distinct| {
            let texts = numbers(distinct).map(|n| format!("a text of some length, number {n}"));
            Arc::new(StringArray::from_iter_values(texts)) as ArrayRef
        };
        let is = |column: ArrayRef| is_worthwhile(&column);
        assert_eq!([is(whole(10)), is(whole(10_000)), is(whole(1_000_000))], [true, true, false]);
        assert_eq!([is(texts(7)), is(texts(2_000)), is(texts(1 << 30))], [true, true, false]);
        let decimals = Decimal128Array::from_iter_values((0..9_000).map(i128::from));
        assert!(!is(Arc::new(decimals)));
        let few = Int64Array::from_iter_values(0..1_000);
        assert!(is(Arc::new(few)), "too few to tell");
    }

    #[test]
    fn nulls_are_no_values() {
        // About 1,170 values of 20,000 different ones.
        let mostly = numbers(20_000).enumerate().map(|(row, n)| (row % 7 == 0).then_some(n));
        assert!(is_worthwhile(&(Arc::new(Int64Array::from_iter(mostly)) as ArrayRef)));
        let none: ArrayRef = Arc::new(StringArray::new_null(9_000));
        assert!(is_worthwhile(&none));
    }
}

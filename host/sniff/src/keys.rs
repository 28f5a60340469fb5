//! Columns by which the rows of a sample can be told apart. They are guesses: what is unique in a
//! sample need not be so in the file, and what is unique in a file need not be its key.

use std::collections::HashSet;

use crate::reading::Reading;
use crate::shape::Table;

/// With fewer rows nearly every column would be unique.
const FEWEST_ROWS: usize = 3;
/// Columns that are tried in pairs.
const MOST_IN_PAIRS: usize = 8;
/// Last words of the names that keys have.
const KEY_WORDS: [&str; 14] = [
    "id", "ids", "key", "no", "nr", "num", "number", "code", "uuid", "guid", "sku", "isbn", "line",
    "pk",
];

/// Columns whose values, taken together, no two rows of the sample share, and none lacks. Best
/// first: one column before two, and of each the first in the file.
pub(crate) fn find(
    reading: &Reading<'_>,
    table: &Table,
    header_rows: usize,
    names: &[String],
) -> Vec<Vec<String>> {
    let rows: Vec<Vec<String>> = values(reading, table, header_rows);
    if rows.len() < FEWEST_ROWS {
        return Vec::new();
    }
    let named: Vec<usize> =
        (0..names.len()).filter(|column| is_named_so(&names[*column])).collect();
    let full: Vec<usize> = named.into_iter().filter(|column| is_full(&rows, *column)).collect();
    let named_as = |columns: &[usize]| columns.iter().map(|c| names[*c].clone()).collect();
    let single: Vec<Vec<String>> = full
        .iter()
        .filter(|column| is_unique(&rows, &[**column]))
        .map(|column| named_as(&[*column]))
        .collect();
    if !single.is_empty() {
        return single;
    }
    let full = &full[..full.len().min(MOST_IN_PAIRS)];
    let pairs = full
        .iter()
        .enumerate()
        .flat_map(|(place, one)| full[place + 1..].iter().map(move |other| [*one, *other]));
    pairs.filter(|pair| is_unique(&rows, pair)).map(|pair| named_as(&pair)).collect()
}

fn values(reading: &Reading<'_>, table: &Table, header_rows: usize) -> Vec<Vec<String>> {
    let body = table.rows.iter().skip(header_rows).filter(|row| row.width() == table.width);
    body.map(|row| {
        let cells = reading.cells(row);
        cells.iter().map(|cell| reading.value(cell).trim().to_owned()).collect()
    })
    .collect()
}

fn is_full(rows: &[Vec<String>], column: usize) -> bool {
    rows.iter().all(|row| row.get(column).is_some_and(|value| !value.is_empty()))
}

fn is_unique(rows: &[Vec<String>], columns: &[usize]) -> bool {
    let mut seen = HashSet::new();
    rows.iter().all(|row| {
        let key: Vec<Option<&String>> = columns.iter().map(|column| row.get(*column)).collect();
        seen.insert(key)
    })
}

/// Whether a name is that of a key: `order_id`, `Order No.`, `customerId`.
fn is_named_so(name: &str) -> bool {
    let mut words: Vec<String> = vec![String::new()];
    let mut before_is_lower = false;
    for letter in name.chars() {
        let starts = letter.is_uppercase() && before_is_lower;
        if starts || !letter.is_alphanumeric() {
            words.push(String::new());
        }
        if letter.is_alphanumeric()
            && let Some(word) = words.last_mut()
        {
            word.extend(letter.to_lowercase());
        }
        before_is_lower = letter.is_lowercase();
    }
    let last = words.into_iter().rfind(|word| !word.is_empty());
    last.is_some_and(|word| KEY_WORDS.contains(&word.as_str()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_keys_are_told_by_their_last_word() {
        for name in ["id", "Order ID", "order_no.", "customerId", "SKU", "Position-Nr", "ID"] {
            assert!(is_named_so(name), "{name}");
        }
        for name in ["amount", "valid", "Id of whom", "paid", ""] {
            assert!(!is_named_so(name), "{name}");
        }
    }
}

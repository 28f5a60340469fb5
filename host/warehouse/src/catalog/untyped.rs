//! Which columns that were made without a type have no value to this day.
//!
//! In: the target's columns. Out: queries that count values, and the columns for which they counted
//! none. A table without such columns is asked nothing.

use loader_model::catalog_column::CatalogColumn;
use loader_model::error::Result;
use loader_model::names::TableName;

use crate::rows::{FromRow, ResultRows, Row};
use crate::sql::{ident, table};

/// Columns that one query counts. Names of 127 bytes make 40 KB of them.
const AT_ONCE: usize = 200;

/// The columns that may have no value, each by its name.
pub fn names(existing: &[CatalogColumn]) -> Vec<String> {
    let untyped = existing.iter().filter(|column| column.is_untyped());
    untyped.map(|column| column.name.clone()).collect()
}

/// The queries that count the values of columns.
pub fn queries(target: &TableName, names: &[String]) -> Vec<String> {
    let counts = names.chunks(AT_ONCE).map(|names| {
        let counts = names.iter().enumerate();
        counts.map(|(place, name)| format!("COUNT({}) AS c{place}", ident(name)))
    });
    let query =
        |counts: Vec<String>| format!("SELECT {} FROM {}", counts.join(", "), table(target));
    counts.map(|counts| query(counts.collect())).collect()
}

/// The columns for which the queries counted nothing.
pub fn without_values(names: &[String], answers: &[ResultRows]) -> Result<Vec<String>> {
    let mut found = Vec::new();
    for (names, answer) in names.chunks(AT_ONCE).zip(answers) {
        let Counts(counts) = answer.first("the target")?;
        let empty = names.iter().zip(counts).filter(|(_, count)| *count == 0);
        found.extend(empty.map(|(name, _)| name.clone()));
    }
    Ok(found)
}

struct Counts(Vec<i64>);

impl FromRow for Counts {
    fn from_row(row: Row<'_>) -> Result<Counts> {
        let counts = (0..row.len()).map(|place| row.integer(&format!("c{place}")));
        counts.collect::<Result<_>>().map(Counts)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rows::Cell;

    #[test]
    fn columns_are_counted_in_few_queries_and_found_by_their_places() {
        let target = TableName::new("public", "orders").expect("a valid name");
        let names: Vec<String> = (0..201).map(|n| format!("column {n}")).collect();
        let queries = queries(&target, &names);
        assert_eq!(queries.len(), 2);
        insta::assert_snapshot!(
            queries[1],
            @r#"SELECT COUNT("column 200") AS c0 FROM "public"."orders""#
        );
        let answer = |counts: &[i64]| ResultRows {
            columns: (0..counts.len()).map(|place| format!("c{place}")).collect(),
            rows: vec![counts.iter().map(|count| Cell::Long(*count)).collect()],
        };
        let mut counts = vec![1; 200];
        counts[7] = 0;
        let found = without_values(&names, &[answer(&counts), answer(&[0])]).expect("reads");
        assert_eq!(found, ["column 7", "column 200"]);
    }
}

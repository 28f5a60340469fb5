//! Conform: the plugins' output becomes exactly what the target's columns hold, or the row is
//! rejected.
//!
//! In: a transformed batch with its row numbers. Out: the staged columns, cast value by value, and
//! a reject for each row with a NULL where none is allowed, a text that is too long, or a text that
//! Redshift could not cast. (For example, `{a}` for a SUPER column is rejected: it is not JSON.)
//! This module also measures the longest text of each column.

mod column;
mod json;
mod spelling;

use std::sync::Arc;

use arrow::array::{ArrayRef, RecordBatch};
use arrow::datatypes::SchemaRef;
use loader_model::error::{Context, Kind, Result};
use loader_sandbox::{Reject, Transformed};

use crate::plan::{PlannedColumn, staged_schema};
use crate::refusals::Refusals;
use column::ColumnConformer;

/// Turns transformed batches into staged ones. Each worker has its own conformer.
pub(crate) struct Conformer {
    columns: Vec<ColumnConformer>,
    schema: SchemaRef,
    /// What is added to the numbers of rows.
    before: i64,
}

impl Conformer {
    /// `before`: the number that stands before that of the file's first row.
    pub(crate) fn new(planned: &[PlannedColumn], before: i64) -> Conformer {
        Conformer {
            before,
            columns: planned.iter().map(ColumnConformer::new).collect(),
            schema: staged_schema(planned),
        }
    }

    /// Makes the staged batch: the planned columns, then the row number. Rejected rows are not in
    /// the batch; their rejects come with it.
    // Every column is checked over all rows, and rejected rows go only at the end. So all arrays
    // stay as long as the batch, and a row's index means the same row in each of them.
    pub(crate) fn conform(
        &mut self,
        transformed: &Transformed,
    ) -> Result<(RecordBatch, Vec<Reject>)> {
        let rows = &transformed.rows;
        let mut refusals = Refusals::default();
        let mut arrays = Vec::with_capacity(self.columns.len() + 1);
        for column in &mut self.columns {
            arrays.push(column.conform(&transformed.batch, &mut refusals)?);
        }
        let numbers = match self.before {
            0 => rows.clone(),
            before => rows.unary(|row| row + before),
        };
        arrays.push(Arc::new(numbers) as ArrayRef);
        let batch = RecordBatch::try_new(Arc::clone(&self.schema), arrays)
            .context(Kind::Internal, "staged columns do not make a batch")?;
        refusals.take_out(batch, rows)
    }

    /// The longest text that each column holds so far, in bytes.
    pub(crate) fn max_text_bytes(&self) -> Vec<u32> {
        self.columns.iter().map(|column| column.max_text_bytes).collect()
    }

    /// The number of decimals whose surplus digits were rounded half away from zero.
    pub(crate) fn rounded(&self) -> u64 {
        self.columns.iter().map(|column| column.rounded).sum()
    }
}
#[cfg(test)]
mod tests {
    use arrow::array::{AsArray, Int64Array, StringArray};
    use arrow::datatypes::{DataType, Field, Schema};
    use loader_model::column_type::ColumnType;

    use super::*;

    fn column(name: &str, staged: DataType) -> PlannedColumn {
        let name = name.to_owned();
        PlannedColumn {
            name,
            source: 0,
            origin: None,
            why: None,
            staged,
            cast: false,
            lands_in: None,
            is_new: true,
            required: false,
            is_key: false,
            max_text_bytes: 4,
            longest_in_file: 0,
            is_untyped: false,
            staged_as_text: false,
        }
    }

    fn conform(column: PlannedColumn, array: ArrayRef) -> (Conformer, RecordBatch, Vec<Reject>) {
        let schema =
            Arc::new(Schema::new(vec![Field::new(&column.name, array.data_type().clone(), true)]));
        let rows = Int64Array::from_iter_values(10..10 + array.len() as i64);
        let mut conformer = Conformer::new(&[column], 0);
        let batch = RecordBatch::try_new(schema, vec![array]).expect("a batch");
        let (batch, rejects) =
            conformer.conform(&Transformed { batch, rows, rejects: Vec::new() }).expect("conforms");
        (conformer, batch, rejects)
    }

    #[test]
    fn null_keys_are_rejected_with_their_row() {
        let key = PlannedColumn { required: true, is_key: true, ..column("id", DataType::Int64) };
        let (_, batch, rejects) =
            conform(key, Arc::new(Int64Array::from(vec![Some(1), None, Some(3)])));
        assert_eq!(
            batch.column(1).as_primitive::<arrow::datatypes::Int64Type>().values(),
            &[10, 12]
        );
        assert_eq!((rejects[0].row, &*rejects[0].code), (11, "null-key"));
    }

    #[test]
    fn lengths_count_bytes_and_too_long_is_rejected() {
        let (conformer, batch, rejects) = conform(
            column("t", DataType::Utf8),
            Arc::new(StringArray::from(vec!["ää", "äää", ""])),
        );
        assert_eq!((batch.num_rows(), rejects.len(), conformer.max_text_bytes()[0]), (2, 1, 4));
        assert_eq!(&*rejects[0].message, "the text has 6 bytes, the column holds 4");
    }

    #[test]
    fn text_that_redshift_could_not_make_a_value_of_is_rejected() {
        let json = PlannedColumn {
            lands_in: Some(ColumnType::Super),
            max_text_bytes: 100,
            ..column("doc", DataType::Utf8)
        };
        let values = StringArray::from(vec![Some("{\"a\": [1]}"), Some("{a}"), None]);
        let (_, batch, rejects) = conform(json, Arc::new(values));
        assert_eq!((batch.num_rows(), rejects.len()), (2, 1));
        assert_eq!(
            &*rejects[0].message,
            "the value is not JSON with strings of 65535 bytes and 1000 levels at most"
        );
    }

    #[test]
    fn the_padding_of_a_char_is_not_staged() {
        let staged = |lands_in| {
            let column = PlannedColumn { lands_in: Some(lands_in), ..column("c", DataType::Utf8) };
            let values = StringArray::from(vec![Some("ab "), Some(" ab"), Some(""), None]);
            let (_, batch, _) = conform(column, Arc::new(values));
            batch.column(0).as_string::<i32>().clone()
        };
        assert_eq!(
            staged(ColumnType::Char { bytes: 4 }),
            StringArray::from(vec![Some("ab"), Some(" ab"), Some(""), None])
        );
        let varchar = staged(ColumnType::Varchar { bytes: 4 });
        assert_eq!(varchar.value(0), "ab ");
    }

    #[test]
    fn what_cannot_be_cast_is_rejected() {
        let narrow = PlannedColumn { cast: true, ..column("n", DataType::Int32) };
        let (_, batch, rejects) = conform(narrow, Arc::new(Int64Array::from(vec![1, i64::MAX])));
        assert_eq!((batch.num_rows(), rejects.len()), (1, 1));
    }
}

//! Conform: the plugins' output becomes exactly what the target's columns hold, or the row is
//! rejected.
//!
//! Comes in: a transformed batch with its row numbers. Goes out: the staged columns, casts done
//! value by value, without the rows that hold a NULL where none may be, a text that is too long, or
//! one that Redshift could not make a value of. Measures the longest text of each column.

mod spelling;

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, BooleanArray, Int64Array, RecordBatch, StringArray};
use arrow::compute::filter_record_batch;
use arrow::datatypes::SchemaRef;
use loader_sandbox::cast::strict_cast;
use loader_sandbox::{Reject, Transformed};

use crate::plan::{PlannedColumn, staged_schema};
use loader_model::column_type::ColumnType;
use loader_model::error::{Context, Error, Kind, Result};
use spelling::Spelling;

/// What rejects are attributed to when no plugin is.
const HOST: &str = "loader";

/// Turns transformed batches into staged ones. One for each worker.
pub(crate) struct Conform {
    columns: Vec<PlannedColumn>,
    schema: SchemaRef,
    /// Longest text seen in each column, in bytes.
    pub(crate) max_text_bytes: Vec<u32>,
    /// Decimals whose surplus digits were rounded half up.
    pub(crate) rounded: u64,
}

impl Conform {
    pub(crate) fn new(columns: &[PlannedColumn]) -> Conform {
        Conform {
            schema: staged_schema(columns),
            columns: columns.to_vec(),
            max_text_bytes: vec![0; columns.len()],
            rounded: 0,
        }
    }

    /// Shape out: the planned columns and the row number; rows as in, but for the rejects that come
    /// with it.
    pub(crate) fn batch(
        &mut self,
        transformed: &Transformed,
    ) -> Result<(RecordBatch, Vec<Reject>)> {
        let (batch, rows) = (&transformed.batch, &transformed.rows);
        let (mut arrays, mut refused) =
            (Vec::with_capacity(self.columns.len() + 1), BTreeMap::new());
        for i in 0..self.columns.len() {
            let array = self.cast(i, batch.column(self.columns[i].source), &mut refused)?;
            let array = self.without_empty(i, array);
            self.check(i, &array, &mut refused);
            arrays.push(array);
        }
        arrays.push(Arc::new(rows.clone()) as ArrayRef);
        let batch = RecordBatch::try_new(Arc::clone(&self.schema), arrays)
            .context(Kind::Internal, "staged columns do not make a batch")?;
        if refused.is_empty() {
            return Ok((batch, Vec::new()));
        }
        let keep: BooleanArray =
            (0..batch.num_rows()).map(|row| Some(!refused.contains_key(&row))).collect();
        let kept = filter_record_batch(&batch, &keep)
            .context(Kind::Internal, "rejected rows cannot be taken out")?;
        let rejects = refused.into_iter().map(|(row, why)| why.at(rows, row)).collect();
        Ok((kept, rejects))
    }

    fn cast(
        &mut self,
        i: usize,
        array: &ArrayRef,
        refused: &mut BTreeMap<usize, Why>,
    ) -> Result<ArrayRef> {
        let column = &self.columns[i];
        if !column.cast {
            return Ok(Arc::clone(array));
        }
        let outcome = strict_cast(array, &column.staged).map_err(|error| {
            Error::new(Kind::Internal, format!("column `{}`: {error}", column.name))
        })?;
        self.rounded += outcome.rounded;
        for row in outcome.failed {
            let message = format!(
                "the value does not fit {}",
                column.lands_in.as_ref().map_or(column.staged.to_string(), ToString::to_string)
            );
            refused
                .entry(row as usize)
                .or_insert_with(|| Why::new("does-not-fit", message, &column.name));
        }
        Ok(outcome.array)
    }

    /// An empty text is NULL in all columns but text, also where another type is made of it later.
    fn without_empty(&self, i: usize, array: ArrayRef) -> ArrayRef {
        let becomes_other =
            self.columns[i].lands_in.as_ref().is_some_and(ColumnType::is_staged_as_text);
        match array.as_any().downcast_ref::<StringArray>() {
            Some(texts) if becomes_other && texts.iter().any(|text| text == Some("")) => Arc::new(
                texts
                    .iter()
                    .map(|text| text.filter(|text| !text.is_empty()))
                    .collect::<StringArray>(),
            ),
            _ => array,
        }
    }

    fn check(&mut self, i: usize, array: &ArrayRef, refused: &mut BTreeMap<usize, Why>) {
        let column = &self.columns[i];
        if column.required && array.null_count() > 0 {
            let (code, message) = if column.is_key {
                ("null-key", "an upsert key is NULL")
            } else {
                ("null", "NULL, but the column is NOT NULL in the table")
            };
            for row in (0..array.len()).filter(|row| array.is_null(*row)) {
                refused
                    .entry(row)
                    .or_insert_with(|| Why::new(code, message.to_string(), &column.name));
            }
        }
        let Some(texts) = array.as_any().downcast_ref::<StringArray>() else { return };
        if let Some(spelling) = column.lands_in.as_ref().and_then(Spelling::of) {
            for (row, _) in texts
                .iter()
                .enumerate()
                .filter(|(_, text)| text.is_some_and(|text| !spelling.fits(text)))
            {
                let message = format!("the value is not {}", spelling.expected());
                refused
                    .entry(row)
                    .or_insert_with(|| Why::new("does-not-fit", message, &column.name));
            }
        }
        let longest = longest(texts);
        if longest <= column.max_text_bytes {
            self.max_text_bytes[i] = self.max_text_bytes[i].max(longest);
            return;
        }
        for (row, text) in texts.iter().enumerate() {
            let bytes = text.map_or(0, str::len) as u64;
            if bytes > u64::from(column.max_text_bytes) {
                let message = format!(
                    "the text has {bytes} bytes, the column holds {}",
                    column.max_text_bytes
                );
                refused.entry(row).or_insert_with(|| Why::new("too-long", message, &column.name));
            } else {
                self.max_text_bytes[i] = self.max_text_bytes[i].max(bytes as u32);
            }
        }
    }
}

fn longest(texts: &StringArray) -> u32 {
    let lengths = texts.value_offsets().windows(2).map(|pair| pair[1] - pair[0]);
    lengths.max().map_or(0, |longest| longest.unsigned_abs())
}

/// Why a row is refused.
struct Why {
    code: &'static str,
    message: String,
    column: String,
}

impl Why {
    fn new(code: &'static str, message: String, column: &str) -> Why {
        Why { code, message, column: column.to_string() }
    }

    fn at(self, rows: &Int64Array, row: usize) -> Reject {
        Reject {
            row: rows.value(row).unsigned_abs(),
            plugin: HOST.into(),
            code: self.code.into(),
            message: self.message.into(),
            column: Some(self.column.into()),
        }
    }
}

#[cfg(test)]
mod tests {
    use arrow::array::AsArray;
    use arrow::datatypes::{DataType, Field, Schema};

    use super::*;

    fn column(name: &str, staged: DataType) -> PlannedColumn {
        let name = name.to_string();
        PlannedColumn {
            name,
            source: 0,
            staged,
            cast: false,
            lands_in: None,
            required: false,
            is_key: false,
            max_text_bytes: 4,
            longest_in_file: 0,
        }
    }

    fn conform(column: PlannedColumn, array: ArrayRef) -> (Conform, RecordBatch, Vec<Reject>) {
        let schema =
            Arc::new(Schema::new(vec![Field::new(&column.name, array.data_type().clone(), true)]));
        let rows = Int64Array::from_iter_values(10..10 + array.len() as i64);
        let mut conform = Conform::new(&[column]);
        let batch = RecordBatch::try_new(schema, vec![array]).expect("a batch");
        let (batch, rejects) =
            conform.batch(&Transformed { batch, rows, rejects: Vec::new() }).expect("conforms");
        (conform, batch, rejects)
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
        let (conform, batch, rejects) = conform(
            column("t", DataType::Utf8),
            Arc::new(StringArray::from(vec!["ää", "äää", ""])),
        );
        assert_eq!((batch.num_rows(), rejects.len(), conform.max_text_bytes[0]), (2, 1, 4));
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
        assert_eq!(&*rejects[0].message, "the value is not JSON");
    }

    #[test]
    fn what_cannot_be_cast_is_rejected() {
        let narrow = PlannedColumn { cast: true, ..column("n", DataType::Int32) };
        let (_, batch, rejects) = conform(narrow, Arc::new(Int64Array::from(vec![1, i64::MAX])));
        assert_eq!((batch.num_rows(), rejects.len()), (1, 1));
    }
}

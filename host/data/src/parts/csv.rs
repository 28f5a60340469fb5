//! CSV that COPY and people can read: RFC 4180, quoted only where needed, with NULL and the empty
//! text told apart. In: batches. Out: one file.
//!
//! COPY ignores quoting when it looks for its NULL text, so no cell may hold that
//! text. (With NULL AS 'none' a cell `"none"` would be loaded as NULL.)
//! Source: <https://docs.aws.amazon.com/redshift/latest/dg/copy-parameters-data-conversion.html>

use std::fmt::Write as _;
use std::fs::File;
use std::io::{BufWriter, Write as _};

use arrow::array::{Array, ArrayRef, AsArray, RecordBatch};
use arrow::datatypes::{
    DataType, Date32Type, Decimal128Type, Float32Type, Float64Type, Int16Type, Int32Type,
    Int64Type, SchemaRef, TimeUnit, TimestampMicrosecondType,
};
use flate2::Compression;
use flate2::write::GzEncoder;
use loader_model::error::{Error, Kind, Result};

use crate::temporary::not_written;

const WHAT: &str = "a CSV file";

/// How a CSV file spells what the standard leaves open.
#[derive(Clone, Debug)]
pub struct Style {
    pub gzip: bool,
    /// The text that stands for NULL, unquoted. When it is empty, NULL is an empty field, and the
    /// empty text is `""`. (In a file of one column that is no text, NULL is `""`, too.)
    pub null: String,
}

/// A CSV file being written.
pub struct CsvFile {
    output: Output,
    style: Style,
    lines: String,
    /// The last line is blank, as a NULL in a file of one text column is.
    ends_blank: bool,
    size_bytes: u64,
}

enum Output {
    Plain(BufWriter<File>),
    Gzip(Box<GzEncoder<BufWriter<File>>>),
}

impl CsvFile {
    /// Starts a file with its header line.
    pub(crate) fn start(file: File, schema: &SchemaRef, style: Style) -> Result<CsvFile> {
        let file = BufWriter::with_capacity(1 << 20, file);
        let output = if style.gzip {
            Output::Gzip(Box::new(GzEncoder::new(file, Compression::fast())))
        } else {
            Output::Plain(file)
        };
        let lines = String::new();
        let mut this = CsvFile { output, style, lines, ends_blank: false, size_bytes: 0 };
        let mut header = String::new();
        for (i, field) in schema.fields().iter().enumerate() {
            separate(&mut header, i);
            push_text(&mut header, field.name());
        }
        header.push('\n');
        this.append(&header)?;
        Ok(this)
    }

    /// Appends rows.
    pub(crate) fn write(&mut self, batch: &RecordBatch) -> Result<()> {
        let mut lines = std::mem::take(&mut self.lines);
        self.style.push_rows(&mut lines, batch, batch.num_columns())?;
        self.append(&lines)?;
        lines.clear();
        self.lines = lines;
        Ok(())
    }

    /// Appends rows that are lines already, all of them whole.
    // A quoted line end stands before a quote, so that two at the end are a blank line.
    pub(crate) fn append(&mut self, lines: &str) -> Result<()> {
        if !lines.is_empty() {
            self.ends_blank = lines == "\n" || lines.ends_with("\n\n");
        }
        self.size_bytes += lines.len() as u64;
        let written = match &mut self.output {
            Output::Plain(file) => file.write_all(lines.as_bytes()),
            Output::Gzip(encoder) => encoder.write_all(lines.as_bytes()),
        };
        written.map_err(|error| not_written(WHAT, error))
    }

    /// The bytes before compression. The file has fewer, but the number is good enough to decide
    /// when a part is full.
    pub(crate) fn size_bytes(&self) -> u64 {
        self.size_bytes
    }

    /// Completes the file. Errors: `Config` when its last line is blank.
    // The loader, too, takes a blank line at the end for no row. No other text says NULL there:
    // `""` is the empty text.
    pub(crate) fn finish(self) -> Result<()> {
        if self.ends_blank {
            let fact = "the last row is a NULL, which a CSV file of one text column cannot say: a blank \
                        line at its end is no row; write a .parquet file";
            return Err(Error::new(Kind::Config, fact));
        }
        let mut file = match self.output {
            Output::Plain(file) => file,
            Output::Gzip(encoder) => encoder.finish().map_err(|error| not_written(WHAT, error))?,
        };
        file.flush().map_err(|error| not_written(WHAT, error))
    }
}

impl Style {
    /// Appends the rows of a batch to `lines`, each with its line end; of each row so many columns.
    pub(crate) fn push_rows(
        &self,
        lines: &mut String,
        batch: &RecordBatch,
        columns: usize,
    ) -> Result<()> {
        for row in 0..batch.num_rows() {
            for (i, column) in batch.columns().iter().take(columns).enumerate() {
                separate(lines, i);
                if column.is_null(row) {
                    lines.push_str(self.null_of(columns, column.data_type()));
                } else {
                    push_value(lines, column, row)?;
                }
            }
            lines.push('\n');
        }
        Ok(())
    }

    // Alone on its line, an empty field is a blank line, which readers may skip. In a column that
    // is no text `""` is a NULL, too.
    fn null_of(&self, columns: usize, data_type: &DataType) -> &str {
        let is_blank = columns == 1 && self.null.is_empty();
        if is_blank && *data_type != DataType::Utf8 { "\"\"" } else { &self.null }
    }
}

fn separate(line: &mut String, i: usize) {
    if i > 0 {
        line.push(',');
    }
}

fn push_value(line: &mut String, column: &ArrayRef, row: usize) -> Result<()> {
    // Writing to a String cannot fail.
    let _ = match column.data_type() {
        DataType::Utf8 => {
            push_text(line, column.as_string::<i32>().value(row));
            Ok(())
        }
        DataType::Boolean => write!(line, "{}", column.as_boolean().value(row)),
        DataType::Int16 => write!(line, "{}", column.as_primitive::<Int16Type>().value(row)),
        DataType::Int32 => write!(line, "{}", column.as_primitive::<Int32Type>().value(row)),
        DataType::Int64 => write!(line, "{}", column.as_primitive::<Int64Type>().value(row)),
        DataType::Float32 => write!(line, "{}", column.as_primitive::<Float32Type>().value(row)),
        DataType::Float64 => write!(line, "{}", column.as_primitive::<Float64Type>().value(row)),
        DataType::Decimal128(_, scale) => {
            let value = column.as_primitive::<Decimal128Type>().value(row);
            loader_values::write_decimal(value, scale.unsigned_abs(), line);
            Ok(())
        }
        DataType::Date32 => {
            line.push_str(&loader_values::format_date(
                column.as_primitive::<Date32Type>().value(row),
            ));
            Ok(())
        }
        DataType::Timestamp(TimeUnit::Microsecond, None) => {
            let micros = column.as_primitive::<TimestampMicrosecondType>().value(row);
            line.push_str(&loader_values::format_timestamp(micros));
            Ok(())
        }
        other => {
            return Err(Error::new(
                Kind::Internal,
                format!("a column of type {other} cannot be written as CSV"),
            ));
        }
    };
    Ok(())
}

/// Appends a text, quoted where a reader would otherwise take it for something else. For example,
/// the empty text becomes `""`, and `5" pipe` becomes `"5"" pipe"`.
pub fn push_text(line: &mut String, text: &str) {
    let plain = !text.is_empty() && !text.contains(['"', ',', '\n', '\r']);
    if plain {
        line.push_str(text);
        return;
    }
    line.push('"');
    line.push_str(&text.replace('"', "\"\""));
    line.push('"');
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow::array::{Decimal128Array, Int32Array, StringArray};

    use super::*;

    fn written(null: &str) -> String {
        let decimals = Decimal128Array::from(vec![Some(-5), None])
            .with_precision_and_scale(10, 2)
            .expect("fits");
        let batch = RecordBatch::try_from_iter([
            ("a b", Arc::new(StringArray::from(vec![Some(""), None])) as ArrayRef),
            ("d", Arc::new(decimals)),
            ("n", Arc::new(Int32Array::from(vec![1, 2]))),
            ("t", Arc::new(StringArray::from(vec!["x \"y\", z", "l1\nl2"]))),
        ]);
        let batch = batch.expect("a batch");
        let file = tempfile::NamedTempFile::new().expect("a file");
        let style = Style { gzip: false, null: null.into() };
        let mut csv = CsvFile::start(file.reopen().expect("reopens"), &batch.schema(), style)
            .expect("starts");
        csv.write(&batch).and_then(|()| csv.finish()).expect("writes");
        std::fs::read_to_string(file.path()).expect("reads")
    }

    #[test]
    fn null_and_the_empty_text_stay_apart() {
        assert_eq!(written(""), "a b,d,n,t\n\"\",-0.05,1,\"x \"\"y\"\", z\"\n,,2,\"l1\nl2\"\n");
        assert_eq!(
            written("@null@"),
            "a b,d,n,t\n\"\",-0.05,1,\"x \"\"y\"\", z\"\n@null@,@null@,2,\"l1\nl2\"\n"
        );
    }
}

//! Why COPY refused a part. Redshift's own message only says where to look, and this module has the
//! query that looks there.
//!
//! Source: <https://docs.aws.amazon.com/redshift/latest/dg/SYS_LOAD_ERROR_DETAIL.html>

use std::fmt;

use loader_model::error::Result;

use crate::rows::{FromRow, Row};

/// The query for the first five load errors of a COPY. `query_id`: the number of the COPY in the
/// system views.
pub fn query(query_id: i64) -> String {
    format!(
        "SELECT TRIM(file_name) AS file_name, line_number, TRIM(column_name) AS column_name, \
         TRIM(column_type) AS column_type, error_code, TRIM(error_message) AS error_message FROM \
         sys_load_error_detail WHERE query_id = {query_id} ORDER BY line_number LIMIT 5"
    )
}

/// A load error. It is shown as a sentence, such as
/// `s3://b/p line 7, column amount (numeric): 1207 Invalid digit`, without what Redshift does not
/// know. (For example, the errors of Parquet parts name no line.)
// All fields are texts: the loader only shows them, and `Row::text` takes a value of any type, and
// NULL as an empty one.
pub struct LoadError {
    file_name: String,
    line_number: String,
    column_name: String,
    column_type: String,
    error_code: String,
    error_message: String,
}

impl FromRow for LoadError {
    fn from_row(row: Row<'_>) -> Result<LoadError> {
        Ok(LoadError {
            file_name: row.text("file_name")?,
            line_number: row.text("line_number")?,
            column_name: row.text("column_name")?,
            column_type: row.text("column_type")?,
            error_code: row.text("error_code")?,
            error_message: row.text("error_message")?,
        })
    }
}

impl fmt::Display for LoadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.file_name)?;
        if let Some(line) = known(&self.line_number) {
            write!(f, " line {line}")?;
        }
        if let Some(column) = known(&self.column_name) {
            write!(f, ", column {column}")?;
            if let Some(column_type) = known(&self.column_type) {
                write!(f, " ({column_type})")?;
            }
        }
        f.write_str(":")?;
        // The message may go over several lines.
        let code = known(&self.error_code).into_iter();
        let mut words = code.chain(self.error_message.split_whitespace());
        words.try_for_each(|word| write!(f, " {word}"))
    }
}

/// A value, unless the row has none: neither NULL nor zero is a line, a column or a code.
fn known(value: &str) -> Option<&str> {
    Some(value.trim()).filter(|value| !matches!(*value, "" | "0" | "-1"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rows::{Cell, ResultRows};

    /// The sentence for a row with these values, in the order of the query.
    fn sentence(row: [Cell; 6]) -> String {
        let columns = [
            "file_name",
            "line_number",
            "column_name",
            "column_type",
            "error_code",
            "error_message",
        ];
        let rows =
            ResultRows { columns: columns.map(String::from).to_vec(), rows: vec![row.to_vec()] };
        let error: LoadError = rows.first("the system view").expect("it has all columns");
        error.to_string()
    }

    fn text(text: &str) -> Cell {
        Cell::Text(text.into())
    }

    #[test]
    fn names_file_line_and_column() {
        let [file, column, kind, message] =
            ["s3://b/p", "amount", "numeric", "Invalid digit, Value 'x', Pos 0, Type: Decimal"]
                .map(text);
        let row = [file, Cell::Long(7), column, kind, Cell::Long(1207), message];
        insta::assert_snapshot!(sentence(row), @"s3://b/p line 7, column amount (numeric): 1207 Invalid digit, Value 'x', Pos 0, Type: Decimal");
        assert!(query(5).contains("query_id = 5"));
    }

    /// Source: <https://github.com/aws/aws-sdk-pandas/issues/280>, of a Parquet part; which of the
    /// other columns are 0, empty or NULL then, no source says.
    #[test]
    fn says_nothing_of_what_redshift_does_not_know() {
        let (file, message) = (
            "https://s3.us-east-1.amazonaws.com/b/p.parquet",
            "The length of the data column c is longer than the length defined in the\n   table. \
             Table: 256, Data: 262",
        );
        let row = |line: Cell, column: Cell, code: Cell| {
            sentence([text(file), line, column, text(""), code, text(message)])
        };
        insta::allow_duplicates! {
            for nothing in [Cell::Null, Cell::Long(0)] {
                let row = row(nothing.clone(), text(""), nothing);
                insta::assert_snapshot!(row, @"https://s3.us-east-1.amazonaws.com/b/p.parquet: The length of the data column c is longer than the length defined in the table. Table: 256, Data: 262");
            }
        }
        insta::assert_snapshot!(row(Cell::Null, text("c"), Cell::Long(15007)), @"https://s3.us-east-1.amazonaws.com/b/p.parquet, column c: 15007 The length of the data column c is longer than the length defined in the table. Table: 256, Data: 262");
    }
}

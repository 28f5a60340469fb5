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
/// `s3://b/p line 7, column amount (numeric): 1207 Invalid digit`.
// All fields are texts: the loader only shows them, and `Row::text` takes a value of any type.
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
        let LoadError { file_name, line_number, column_name, column_type, .. } = self;
        write!(f, "{file_name} line {line_number}, column {column_name} ({column_type}): ")?;
        write!(f, "{} {}", self.error_code, self.error_message)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rows::{Cell, ResultRows};

    #[test]
    fn names_file_line_and_column() {
        let columns = [
            "file_name",
            "line_number",
            "column_name",
            "column_type",
            "error_code",
            "error_message",
        ];
        let row = ["s3://b/p", "7", "amount", "numeric", "1207", "Invalid digit"]
            .map(|text| Cell::Text(text.into()));
        let rows =
            ResultRows { columns: columns.map(String::from).to_vec(), rows: vec![row.to_vec()] };
        let error: LoadError = rows.first("the system view").expect("it has all columns");
        assert_eq!(
            error.to_string(),
            "s3://b/p line 7, column amount (numeric): 1207 Invalid digit"
        );
        assert!(query(5).contains("query_id = 5"));
    }
}

//! Why COPY refused something: Redshift's own message says where to look, and this is how to look.
//!
//! Source: <https://docs.aws.amazon.com/redshift/latest/dg/SYS_LOAD_ERROR_DETAIL.html>

use crate::rows::Cell;

/// The first load errors of a COPY, by its number in the system views.
pub fn query(query_id: i64) -> String {
    format!(
        "SELECT TRIM(file_name), line_number, TRIM(column_name), TRIM(column_type), error_code, \
         TRIM(error_message) FROM sys_load_error_detail WHERE query_id = {query_id} ORDER BY \
         line_number LIMIT 5"
    )
}

/// One of them as a sentence.
pub fn sentence(row: &[Cell]) -> String {
    let text = |i: usize| row.get(i).map(Cell::to_text).unwrap_or_default();
    format!(
        "{} line {}, column {} ({}): {} {}",
        text(0),
        text(1),
        text(2),
        text(3),
        text(4),
        text(5)
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_file_line_and_column() {
        let row = ["s3://b/p", "7", "amount", "numeric", "1207", "Invalid digit"]
            .map(|text| Cell::Text(text.into()));
        assert_eq!(sentence(&row), "s3://b/p line 7, column amount (numeric): 1207 Invalid digit");
        assert!(query(5).contains("query_id = 5"));
    }
}

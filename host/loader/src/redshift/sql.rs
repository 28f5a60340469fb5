//! How a statement is spelt: identifiers always quoted, values escaped in one place, lists of
//! columns written out.

/// Statements of one batch. Source: API_BatchExecuteStatement, `Sqls`.
pub const MAX_BATCH_STATEMENTS: usize = 40;
/// The longest statement.
/// Source:
/// <https://docs.aws.amazon.com/redshift/latest/mgmt/data-api.html#data-api-calling-considerations>
pub const MAX_STATEMENT_BYTES: usize = 100_000;

/// A quoted identifier. Redshift folds it to lower case all the same.
pub fn ident(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

/// A quoted list of identifiers.
pub fn idents<S: AsRef<str>>(names: &[S]) -> String {
    names.iter().map(|name| ident(name.as_ref())).collect::<Vec<_>>().join(", ")
}

/// A table with its schema, quoted.
pub fn table(name: &crate::names::TableName) -> String {
    format!("{}.{}", ident(&name.schema), ident(&name.table))
}

/// A string literal. Redshift takes a backslash as an escape character, so it is doubled like the
/// quote; NUL cannot stand in a statement and is left out.
pub fn text(value: &str) -> String {
    let mut out = String::with_capacity(value.len() + 2);
    out.push('\'');
    for letter in value.chars() {
        match letter {
            '\'' => out.push_str("''"),
            '\\' => out.push_str("\\\\"),
            '\0' => {}
            letter => out.push(letter),
        }
    }
    out.push('\'');
    out
}

/// `text` cut to a column's size in bytes, at a character boundary.
pub fn cut(value: &str, max_bytes: usize) -> &str {
    let mut end = value.len().min(max_bytes);
    while !value.is_char_boundary(end) {
        end -= 1;
    }
    &value[..end]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::steps::transform::MAX_KEPT_REJECTS;

    #[test]
    fn hostile_names_and_values_stay_inside_their_quotes() {
        assert_eq!(ident("a\"; DROP TABLE x; --"), "\"a\"\"; DROP TABLE x; --\"");
        assert_eq!(text("O'Brien \\ \0;\n"), "'O''Brien \\\\ ;\n'");
    }

    /// The page is written by `host/sandbox/tests/sandbox/bounds.rs`, which does not know this
    /// crate.
    #[test]
    fn the_page_of_limits_has_these_numbers() {
        let page = include_str!("../../../../docs/limits.md");
        for row in [
            format!("| one statement of the Data API | {MAX_STATEMENT_BYTES} bytes |"),
            format!("| statements of one transaction | {MAX_BATCH_STATEMENTS} |"),
            format!("| text, `VARCHAR` | {} bytes |", crate::redshift::types::MAX_VARCHAR_BYTES),
            format!("| one row of a file | {} MiB |", loader_csv::MAX_ROW_BYTES >> 20),
            format!(
                "| rejected rows that are kept for the report | {MAX_KEPT_REJECTS} for each worker \
                 |"
            ),
        ] {
            assert!(page.contains(&row), "docs/limits.md does not say: {row}");
        }
    }

    #[test]
    fn cutting_keeps_characters_whole() {
        assert_eq!(cut("aä", 2), "a");
        assert_eq!(cut("aä", 3), "aä");
    }
}

//! How a statement is spelt: identifiers always quoted, values escaped in one place, lists of
//! columns written out.

/// Statements of one batch. Source: API_BatchExecuteStatement, `Sqls`.
pub const MAX_BATCH_STATEMENTS: usize = 40;
/// The longest statement.
/// Source:
/// <https://docs.aws.amazon.com/redshift/latest/mgmt/data-api.html#data-api-calling-considerations>
pub const MAX_STATEMENT_BYTES: usize = 100_000;

/// A quoted identifier. Redshift folds it to lower case all the same.
pub(crate) fn ident(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

/// A quoted list of identifiers.
pub(crate) fn idents<S: AsRef<str>>(names: &[S]) -> String {
    names.iter().map(|name| ident(name.as_ref())).collect::<Vec<_>>().join(", ")
}

/// The condition that two relations have the same keys. `left`, `right`: their names or aliases, as
/// they stand in the statement.
pub(crate) fn equal_keys(keys: &[String], left: &str, right: &str) -> String {
    keys.iter()
        .map(|key| format!("{left}.{key} = {right}.{key}", key = ident(key)))
        .collect::<Vec<_>>()
        .join(" AND ")
}

/// A table with its schema, quoted.
pub(crate) fn table(name: &loader_model::names::TableName) -> String {
    format!("{}.{}", ident(&name.schema), ident(&name.table))
}

/// A string literal. Redshift takes a backslash as an escape character, so it is doubled like the
/// quote; NUL cannot stand in a statement and is left out.
pub(crate) fn text(value: &str) -> String {
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
pub(crate) fn cut(value: &str, max_bytes: usize) -> &str {
    let mut end = value.len().min(max_bytes);
    while !value.is_char_boundary(end) {
        end -= 1;
    }
    &value[..end]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hostile_names_and_values_stay_inside_their_quotes() {
        assert_eq!(ident("a\"; DROP TABLE x; --"), "\"a\"\"; DROP TABLE x; --\"");
        assert_eq!(text("O'Brien \\ \0;\n"), "'O''Brien \\\\ ;\n'");
    }

    #[test]
    fn cutting_keeps_characters_whole() {
        assert_eq!(cut("aä", 2), "a");
        assert_eq!(cut("aä", 3), "aä");
    }
}

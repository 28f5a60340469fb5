//! How a statement is spelt: every identifier is quoted, every value is escaped in one place, and
//! every list of columns is written out.

/// The most statements of one batch. Source: API_BatchExecuteStatement, `Sqls`.
pub const MAX_BATCH_STATEMENTS: usize = 40;
/// The longest statement, in bytes.
/// Source:
/// <https://docs.aws.amazon.com/redshift/latest/mgmt/data-api.html#data-api-calling-considerations>
pub const MAX_STATEMENT_BYTES: usize = 100_000;
/// The most bytes of a batch, where it can be split. The service's page speaks of a statement, its
/// error of a "query string", and no source says what either means for a batch.
const MAX_BATCH_BYTES: usize = MAX_STATEMENT_BYTES;

/// Whether statements have room in one batch.
pub fn fit_one_batch<'a>(statements: impl IntoIterator<Item = &'a String>) -> bool {
    let (mut count, mut bytes) = (0, 0);
    for statement in statements {
        (count, bytes) = (count + 1, bytes + statement.len());
    }
    count <= MAX_BATCH_STATEMENTS && bytes <= MAX_BATCH_BYTES
}

/// Statements, in their order, in as few batches as have room for them. A statement that is too
/// long for any batch has one of its own.
pub fn batches(statements: &[String]) -> Vec<&[String]> {
    let (mut batches, mut start) = (Vec::new(), 0);
    for end in 1..=statements.len() {
        let is_last = end == statements.len();
        if is_last || !fit_one_batch(&statements[start..=end]) {
            batches.push(&statements[start..end]);
            start = end;
        }
    }
    batches
}

/// A quoted identifier: `my "view"` becomes `"my ""view"""`. Redshift folds a quoted identifier to
/// lower case as well, so `"Amount"` and `"amount"` name the same column.
pub(crate) fn ident(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

/// A list of quoted identifiers.
pub(crate) fn idents<S: AsRef<str>>(names: &[S]) -> String {
    names.iter().map(|name| ident(name.as_ref())).collect::<Vec<_>>().join(", ")
}

/// The condition that rows of two relations have the same key, such as `t."id" = ranked."id"`.
/// `left`, `right`: the names or aliases of the relations, as they stand in the statement.
pub(crate) fn equal_keys(keys: &[String], left: &str, right: &str) -> String {
    // `=` never holds for NULL, so a staged row with a NULL in its key would match no row of the
    // target. The loader rejects such rows before they are staged.
    keys.iter()
        .map(|key| format!("{left}.{key} = {right}.{key}", key = ident(key)))
        .collect::<Vec<_>>()
        .join(" AND ")
}

/// A table with its schema, quoted.
pub(crate) fn table(name: &loader_model::names::TableName) -> String {
    format!("{}.{}", ident(&name.schema), ident(&name.table))
}

/// A string literal: `O'Brien` becomes `'O''Brien'`. Redshift takes a backslash as an escape
/// character, so a backslash is doubled like the quote. NUL cannot stand in a statement and is
/// left out.
pub(crate) fn text(value: &str) -> String {
    let mut out = String::with_capacity(value.len() + 2);
    out.push('\'');
    for letter in value.chars() {
        match letter {
            '\'' => out.push_str("''"),
            // A single backslash at the end of a value would escape the closing quote, and the
            // rest of the statement would become part of the literal.
            '\\' => out.push_str("\\\\"),
            '\0' => {}
            letter => out.push(letter),
        }
    }
    out.push('\'');
    out
}

/// A value cut to a column's size in bytes, at a character boundary. (For example, `aä` cut to 2
/// bytes is `a`, since `ä` has two.)
pub(crate) fn cut(value: &str, max_bytes: usize) -> &str {
    let mut end = value.len().min(max_bytes);
    // 0 is a boundary of every text, so `end` never falls below it.
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
    fn batches_end_at_statements_and_at_bytes() {
        let statements = |sizes: &[usize]| -> Vec<String> {
            sizes.iter().map(|size| "x".repeat(*size)).collect()
        };
        let check = |sizes: &[usize], expected: &[usize]| {
            let statements = statements(sizes);
            let batches = batches(&statements);
            assert_eq!(batches.concat(), statements);
            assert_eq!(batches.iter().map(|batch| batch.len()).collect::<Vec<_>>(), expected);
        };
        check(&[], &[]);
        check(&[1; 81], &[40, 40, 1]);
        check(&[60_000, 40_000, 1, 99_999, 1], &[2, 2, 1]);
        check(&[1, 200_000, 1], &[1, 1, 1]);
    }

    #[test]
    fn cutting_keeps_characters_whole() {
        assert_eq!(cut("aä", 2), "a");
        assert_eq!(cut("aä", 3), "aä");
    }
}

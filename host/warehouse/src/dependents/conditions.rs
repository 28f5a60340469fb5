//! Conditions that pick relations, and their lists, cut to what a statement may hold.

use loader_model::names::TableName;

use crate::sql::text;

/// Bytes of one list in a statement, which may have 100 KB.
const MAX_LIST_BYTES: usize = 60_000;

/// The condition for a relation in pg_class (`c`) and pg_namespace (`n`).
pub(crate) fn is_object(name: &TableName) -> String {
    is("n.nspname", "c.relname", name)
}

/// The condition for a relation by the columns of its schema and its name.
pub(super) fn is(schema: &str, relation: &str, name: &TableName) -> String {
    format!("({schema} = {} AND {relation} = {})", text(&name.schema), text(&name.table))
}

/// Joins items into lists that are short enough for a statement.
pub fn lists(items: impl Iterator<Item = String>, separator: &str) -> Vec<String> {
    let mut lists: Vec<String> = Vec::new();
    for item in items {
        match lists.last_mut() {
            Some(list) if list.len() + separator.len() + item.len() <= MAX_LIST_BYTES => {
                list.push_str(separator);
                list.push_str(&item);
            }
            _ => lists.push(item),
        }
    }
    lists
}
